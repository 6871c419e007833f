"""
Whether a schema may take the place of one that was published: version 1 of everything only grows.

The rules, and why they differ by direction, stand in docs/compatibility.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from rooftree.reference.schemas import Direction, JsonSchema, PublishedSchema

__all__ = ["Bundle", "breaking_changes", "bundle_of", "incompatibilities"]

Bundle = Mapping[str, Mapping[str, object]]
"""Schemas by name, each with its direction."""

# A word that grows makes the schema take less, or more.
LOWER_BOUNDS: Final = ("minLength", "minimum", "minItems", "exclusiveMinimum", "minProperties")
UPPER_BOUNDS: Final = ("maxLength", "maximum", "maxItems", "exclusiveMaximum", "maxProperties")

# What says nothing about which values are right.
NOTES: Final = frozenset({"$schema", "$id", "$defs", "title", "description", "default", "examples", "discriminator"})

COMPARED: Final = frozenset(
    {"$ref", "type", "enum", "const", "properties", "required", "additionalProperties", "propertyNames"}
    | {"patternProperties", "items", "anyOf", "oneOf", "pattern", "format", *LOWER_BOUNDS, *UPPER_BOUNDS}
)


def bundle_of(schemas: Iterable[PublishedSchema]) -> dict[str, dict[str, object]]:
    """
    Return schemas as they are kept for comparison with later ones.
    """
    return {schema.name: {"direction": str(schema.direction), "schema": schema.schema} for schema in schemas}


def breaking_changes(old: Bundle, new: Bundle) -> list[str]:
    """
    Return what users of *old* would lose with *new*, one line each: the schema, the place in it, and what is wrong.
    """
    found = []
    for name, published in old.items():
        if name not in new:
            found.append(f"{name}: was published and is gone")
            continue
        direction = Direction(str(published["direction"]))
        before, after = published["schema"], new[name]["schema"]
        assert isinstance(before, dict)
        assert isinstance(after, dict)
        found.extend(f"{name}: {complaint}" for complaint in incompatibilities(before, after, direction))
    return found


def incompatibilities(old: JsonSchema, new: JsonSchema, direction: Direction) -> list[str]:
    """
    Return why *new* may not take the place of *old*, one line each.

    What others write must be taken as before, or more generously; what the service writes must stay as was promised,
    or be promised more exactly. Fields may be added in both.
    """
    return list(dict.fromkeys(_Comparison(old, new, direction).at("", old, new, ())))


class _Comparison:
    def __init__(self, old: JsonSchema, new: JsonSchema, direction: Direction) -> None:
        self._old, self._new, self._direction = old, new, direction

    def at(self, place: str, old: object, new: object, seen: tuple[tuple[int, int], ...]) -> Iterator[str]:
        """
        Compare what stands at one place.
        """
        old, new = _resolved(old, self._old), _resolved(new, self._new)
        if (id(old), id(new)) in seen:
            return
        seen = (*seen, (id(old), id(new)))
        for word in sorted((old.keys() | new.keys()) - COMPARED - NOTES):
            yield f"{place or '(top)'}: `{word}` cannot be compared"
        yield from self._values(place, old, new)
        yield from self._bounds(place, old, new)
        yield from self._fields(place, old, new, seen)
        yield from self._choices(place, old, new, seen)
        for word in ("items", "additionalProperties", "propertyNames"):
            if word in old or word in new:
                yield from self._inner(f"{place}.{word}", old.get(word, True), new.get(word, True), seen)

    def _inner(self, place: str, old: object, new: object, seen: tuple[tuple[int, int], ...]) -> Iterator[str]:
        if isinstance(old, dict) and isinstance(new, dict):
            yield from self.at(place, old, new, seen)
        elif old != new and self._wrong(old_allows_more=_is_anything(old), new_allows_more=_is_anything(new)):
            yield f"{place}: was {_shown(old)}, is {_shown(new)}"

    def _wrong(self, *, old_allows_more: bool, new_allows_more: bool) -> bool:
        if old_allows_more == new_allows_more:
            return True
        return old_allows_more if self._direction is Direction.IN else new_allows_more

    def _values(self, place: str, old: Mapping[str, object], new: Mapping[str, object]) -> Iterator[str]:
        before, after = _values_of(old), _values_of(new)
        for word, was, has in (("value", before, after), ("type", _types(old), _types(new))):
            if was == has:
                continue
            narrowed = has is not None and (was is None or bool(was - has))
            widened = was is not None and (has is None or bool(has - was))
            if narrowed if self._direction is Direction.IN else widened:
                yield f"{place or '(top)'}: {word} was {_set(was)}, is {_set(has)}"
        for word in ("pattern", "format", "patternProperties"):
            if old.get(word) != new.get(word) and self._wrong(
                old_allows_more=word not in old, new_allows_more=word not in new
            ):
                yield f"{place or '(top)'}: `{word}` was {_shown(old.get(word))}, is {_shown(new.get(word))}"

    def _bounds(self, place: str, old: Mapping[str, object], new: Mapping[str, object]) -> Iterator[str]:
        for words, sign in ((LOWER_BOUNDS, 1), (UPPER_BOUNDS, -1)):
            for word in words:
                was, has = (_bound(schema.get(word), sign) for schema in (old, new))
                if has > was if self._direction is Direction.IN else has < was:
                    yield f"{place or '(top)'}: `{word}` was {_shown(old.get(word))}, is {_shown(new.get(word))}"

    def _fields(
        self, place: str, old: Mapping[str, object], new: Mapping[str, object], seen: tuple[tuple[int, int], ...]
    ) -> Iterator[str]:
        before, after = _fields_of(old), _fields_of(new)
        for name, was in before.items():
            inner = f"{place}.{name}" if place else name
            if name not in after:
                yield f"{inner}: the field is gone"
            else:
                yield from self.at(inner, was, after[name], seen)
        required_before, required_after = _names(old.get("required")), _names(new.get("required"))
        if self._direction is Direction.IN:
            for name in sorted(required_after - required_before):
                yield f"{place}.{name}: is required now".lstrip(".")
        else:
            for name in sorted(required_before - required_after):
                yield f"{place}.{name}: may be absent now".lstrip(".")

    def _choices(
        self, place: str, old: Mapping[str, object], new: Mapping[str, object], seen: tuple[tuple[int, int], ...]
    ) -> Iterator[str]:
        if not {"anyOf", "oneOf"} & (old.keys() | new.keys()):
            return
        before, after = _alternatives(old), _alternatives(new)
        # Each alternative that was taken needs one that takes it; each that is sent, one that was promised.
        taken = self._direction is Direction.IN
        for one in before if taken else after:
            pairs = [(one, other) if taken else (other, one) for other in (after if taken else before)]
            wrong = [list(self.at(place, was, has, seen)) for was, has in pairs]
            if all(wrong):
                yield from min(wrong, key=len)


def _resolved(schema: object, top: JsonSchema) -> Mapping[str, object]:
    if not isinstance(schema, dict):
        return {}
    reference = schema.get("$ref")
    if reference is None:
        return schema
    definitions = top["$defs"]
    assert isinstance(definitions, dict)
    return _resolved(definitions[str(reference).removeprefix("#/$defs/")], top)


def _alternatives(schema: Mapping[str, object]) -> Sequence[object]:
    """
    Return what a value may be, one of these; a schema without alternatives is its own only one.
    """
    return _list(schema.get("anyOf")) or _list(schema.get("oneOf")) or (schema,)


def _values_of(schema: Mapping[str, object]) -> frozenset[str] | None:
    if "const" in schema:
        return frozenset({json.dumps(schema["const"])})
    return frozenset(json.dumps(value) for value in _list(schema["enum"])) if "enum" in schema else None


def _types(schema: Mapping[str, object]) -> frozenset[str] | None:
    if "type" not in schema:
        return None
    told = schema["type"]
    return frozenset({told}) if isinstance(told, str) else _names(told)


def _fields_of(schema: Mapping[str, object]) -> Mapping[str, object]:
    fields = schema.get("properties", {})
    assert isinstance(fields, dict)
    return fields


def _names(told: object) -> frozenset[str]:
    return frozenset(str(name) for name in _list(told))


def _list(told: object) -> Sequence[object]:
    return told if isinstance(told, list) else ()


def _bound(value: object, sign: int) -> float:
    return float("-inf") if value is None else sign * float(str(value))


def _is_anything(schema: object) -> bool:
    return schema is True or schema == {}


def _shown(value: object) -> str:
    return "nothing" if value is None else f"`{json.dumps(value)}`"


def _set(values: frozenset[str] | None) -> str:
    return "anything" if values is None else "/".join(sorted(values))
