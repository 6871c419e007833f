from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest
from tests.schemas import REPOSITORY

from rooftree.api.openapi import describe
from rooftree.api.resources import ENDPOINTS
from rooftree.reference.compatibility import breaking_changes, bundle_of, incompatibilities
from rooftree.reference.files import RELEASED, RELEASED_API
from rooftree.reference.http import bundle_of_api
from rooftree.reference.schemas import Direction, published_schemas

IN, OUT = Direction.IN, Direction.OUT

PROBE: dict[str, Any] = {
    "type": "object",
    "additionalProperties": True,
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 64, "minLength": 1},
        "expect": {"enum": ["allow", "deny"]},
        "count": {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}]},
        "tags": {"type": "array", "items": {"$ref": "#/$defs/Tag"}},
    },
    "required": ["name", "expect"],
    "$defs": {
        "Tag": {"type": "object", "properties": {"key": {"type": "string"}}, "required": ["key"]},
    },
}


def _with(*steps: str, value: object) -> dict[str, Any]:
    changed = deepcopy(PROBE)
    inner = changed
    for step in steps[:-1]:
        inner = inner[step]
    if value is None:
        del inner[steps[-1]]
    else:
        inner[steps[-1]] = value
    return changed


CASES: list[tuple[str, dict[str, Any], set[Direction]]] = [
    ("nothing", PROBE, {IN, OUT}),
    ("a new field", _with("properties", "note", value={"type": "string"}), {IN, OUT}),
    ("a new description", _with("properties", "name", "description", value="Which one."), {IN, OUT}),
    ("a field that is gone", _with("properties", "tags", value=None), set()),
    ("a field of a part that is gone", _with("$defs", "Tag", "properties", "key", value=None), set()),
    ("a field that is required now", _with("required", value=["name", "expect", "count"]), {OUT}),
    ("a field that may be absent now", _with("required", value=["name"]), {IN}),
    ("a part's field that may be absent now", _with("$defs", "Tag", "required", value=[]), {IN}),
    ("another type", _with("properties", "name", "type", value="integer"), set()),
    (
        "one more type",
        _with("properties", "name", value={"anyOf": [PROBE["properties"]["name"], {"type": "null"}]}),
        {IN},
    ),
    ("one type less", _with("properties", "count", value={"type": "integer", "minimum": 1}), {OUT}),
    ("one more value", _with("properties", "expect", "enum", value=["allow", "deny", "either"]), {IN}),
    ("one value less", _with("properties", "expect", "enum", value=["deny"]), {OUT}),
    ("a shorter text", _with("properties", "name", "maxLength", value=32), {OUT}),
    ("a longer text", _with("properties", "name", "maxLength", value=128), {IN}),
    ("a text of any length", _with("properties", "name", "maxLength", value=None), {IN}),
    ("no empty text", _with("properties", "name", "minLength", value=2), {OUT}),
    ("a larger number", _with("properties", "count", "anyOf", value=[{"type": "integer"}, {"type": "null"}]), {IN}),
    ("another pattern", _with("properties", "name", "pattern", value="^[a-z0-9]+$"), set()),
    ("no pattern", _with("properties", "name", "pattern", value=None), {IN}),
    ("a format", _with("$defs", "Tag", "properties", "key", value={"type": "string", "format": "uuid"}), {OUT}),
    ("no other fields", _with("additionalProperties", value=False), {OUT}),
    ("a word that is not compared", _with("properties", "tags", "uniqueItems", value=True), set()),
]


@pytest.mark.parametrize("direction", list(Direction))
@pytest.mark.parametrize(("changed", "compatible"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_may_change(changed: dict[str, Any], compatible: set[Direction], direction: Direction) -> None:
    """
    What is read may become more generous, what is written more exact; both may gain fields.
    """
    complaints = incompatibilities(PROBE, changed, direction)

    assert (direction in compatible) == (complaints == []), complaints


def test_a_complaint_names_schema_place_and_change() -> None:
    """
    For example a field deep within.
    """
    changed = _with("$defs", "Tag", "required", value=[])
    [complaint] = breaking_changes(
        {"probe": {"direction": "out", "schema": PROBE}}, {"probe": {"direction": "out", "schema": changed}}
    )

    assert "probe: tags.items.key: may be absent now" == complaint
    assert ["probe: was published and is gone"] == breaking_changes({"probe": {"direction": "in", "schema": {}}}, {})


def test_schemas_that_refer_to_themselves_are_compared() -> None:
    """
    To an end.
    """
    tree = {"properties": {"child": {"$ref": "#/$defs/Tree"}}, "$defs": {}}
    tree["$defs"] = {"Tree": {"properties": {"child": {"$ref": "#/$defs/Tree"}, "name": {"type": "string"}}}}
    changed = json.loads(json.dumps(tree).replace("string", "integer"))

    assert [] == incompatibilities(tree, deepcopy(tree), IN)
    assert ["child.name: type was string, is integer"] == incompatibilities(tree, changed, IN)


def test_no_released_schema_was_broken() -> None:
    """
    Of every version that is kept in the repository.
    """
    released = sorted((REPOSITORY / RELEASED).glob("*.json"))
    now = bundle_of(published_schemas())

    assert released
    for path in released:
        assert [] == breaking_changes(json.loads(path.read_text(encoding="utf-8")), now), path.name


def test_no_released_operation_was_broken() -> None:
    """
    Of the API, likewise.
    """
    released = sorted((REPOSITORY / RELEASED_API).glob("*.json"))
    now = bundle_of_api(describe(ENDPOINTS))

    assert released
    for path in released:
        before = bundle_of_api(json.loads(path.read_text(encoding="utf-8")))
        assert len(before) > 200
        assert [] == breaking_changes(before, now), path.name
