from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from rooftree.reference.compatibility import breaking_changes
from rooftree.reference.http import bundle_of_api

NODE: dict[str, Any] = {
    "parameters": [
        {"name": "node", "in": "path", "required": True, "schema": {"type": "string"}},
        {"name": "limit", "in": "query", "required": False, "schema": {"type": "integer", "maximum": 100}},
    ],
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Asked"}}},
    },
    "responses": {
        "200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Node"}}}},
        "404": {"content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}},
    },
}
API: dict[str, Any] = {
    "paths": {"/nodes/{node}": {"post": NODE, "delete": {"responses": {"204": {}}}}},
    "components": {
        "schemas": {
            "Asked": {"type": "object", "properties": {"why": {"type": "string"}}},
            "Node": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
            "Problem": {"type": "object", "properties": {"title": {"type": "string"}}},
        }
    },
}


def _parameter(name: str, *, required: bool) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": required, "schema": {"type": "string"}}


def _post(api: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = api["paths"]["/nodes/{node}"]["post"]
    return found


def _schemas(api: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = api["components"]["schemas"]
    return found


COMPATIBLE: dict[str, Callable[[dict[str, Any]], object]] = {
    "nothing": lambda _: None,
    "a new path": lambda api: api["paths"].update({"/others": {"get": {"responses": {"200": {}}}}}),
    "a new operation": lambda api: api["paths"]["/nodes/{node}"].update(get={"responses": {"200": {}}}),
    "a new parameter": lambda api: _post(api)["parameters"].append(_parameter("sort", required=False)),
    "a larger number": lambda api: _post(api)["parameters"][1]["schema"].update(maximum=1000),
    "a body that may be absent": lambda api: _post(api)["requestBody"].update(required=False),
    "a new field of an answer": lambda api: _schemas(api)["Node"]["properties"].update(id={"type": "string"}),
    "another failure": lambda api: _post(api)["responses"].update({"409": _post(api)["responses"].pop("404")}),
}
BREAKING: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "a path that is gone": (
        lambda api: api["paths"].clear(),
        "POST /nodes/{node}: was published and is gone",
    ),
    "an operation that is gone": (
        lambda api: api["paths"]["/nodes/{node}"].pop("delete"),
        "DELETE /nodes/{node}: was published and is gone",
    ),
    "a parameter that is gone": (
        lambda api: _post(api)["parameters"].pop(1),
        "POST /nodes/{node}: query: the field is gone",
    ),
    "a parameter that is required": (
        lambda api: _post(api)["parameters"].append(_parameter("sort", required=True)),
        "POST /nodes/{node}: query.sort: is required now",
    ),
    "a smaller number": (
        lambda api: _post(api)["parameters"][1]["schema"].update(maximum=10),
        "POST /nodes/{node}: query.limit: `maximum` was `100`, is `10`",
    ),
    "a field of the body that is required": (
        lambda api: _schemas(api)["Asked"].update(required=["why"]),
        "POST /nodes/{node}: body.application/json.why: is required now",
    ),
    "a field of an answer that may be absent": (
        lambda api: _schemas(api)["Node"].update(required=[]),
        "POST /nodes/{node} 200 application/json: name: may be absent now",
    ),
    "a field of a problem that is gone": (
        lambda api: _schemas(api)["Problem"]["properties"].clear(),
        "POST /nodes/{node} 4xx application/problem+json: title: the field is gone",
    ),
    "a status of success that is gone": (
        lambda api: api["paths"]["/nodes/{node}"]["delete"].update(responses={"200": {}}),
        "DELETE /nodes/{node} 204: was published and is gone",
    ),
}


def _breaking(change: Callable[[dict[str, Any]], object]) -> list[str]:
    changed = deepcopy(API)
    change(changed)
    return breaking_changes(bundle_of_api(API), bundle_of_api(changed))


@pytest.mark.parametrize("change", COMPATIBLE.values(), ids=COMPATIBLE)
def test_the_api_may_grow(change: Callable[[dict[str, Any]], object]) -> None:
    """
    By paths, operations, parameters that may be left out, and fields of answers; a failure may be told by another number.
    """
    assert [] == _breaking(change)


@pytest.mark.parametrize(("change", "complaint"), BREAKING.values(), ids=BREAKING)
def test_the_api_takes_nothing_back(change: Callable[[dict[str, Any]], object], complaint: str) -> None:
    """
    What clients send is taken, and what they read is answered, as before.
    """
    assert complaint in _breaking(change)
