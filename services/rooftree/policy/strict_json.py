"""
JSON without the liberties that parsers take: what two readers could understand differently is refused.

https://datatracker.ietf.org/doc/html/rfc8259
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Final

from rooftree.errors import InputError
from rooftree.policy.wording import in_place, quote

__all__ = ["MAX_DEPTH", "MAX_NUMBER_LENGTH", "check_json", "load_json"]

MAX_DEPTH: Final = 64
"""Deeper than anything that people or AWS write, far from the limits of the interpreter."""

MAX_NUMBER_LENGTH: Final = 64
"""Of the text of one number; reading longer integers takes time that grows with the square of it."""

_INTEGER_END: Final = 10**MAX_NUMBER_LENGTH
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class _Flaw:
    """
    Stands in a decoded value where the text broke a rule, until the place is known.
    """

    reason: str


def load_json(text: str | bytes, *, max_depth: int = MAX_DEPTH) -> object:
    """
    Read one JSON value.

    Numbers come as int or float. The place in an error is a path such as ``Statement[2].Effect``, or a line and
    column where the text is no JSON at all.

    Raises:
        InputError: The text is no JSON, holds a key twice in one object, a number that is not finite or very long,
            half of a surrogate pair, or nests deeper than *max_depth*.
    """
    try:
        value = json.loads(
            _decoded(text),
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_fraction,
            parse_constant=_constant,
        )
    except json.JSONDecodeError as error:
        reason = error.msg[:1].lower() + error.msg[1:]
        raise InputError(f"no JSON: {reason}", place=f"line {error.lineno} column {error.colno}") from error
    except RecursionError as error:
        raise InputError(f"nested deeper than {max_depth} levels") from error
    check_json(value, max_depth=max_depth)
    return value


def check_json(value: object, *, max_depth: int = MAX_DEPTH) -> None:
    """
    Hold a decoded value to the rules of `load_json`, for values that were decoded elsewhere.

    Raises:
        InputError: As for `load_json`, or part of the value is nothing that JSON can say.
    """
    match value:
        case str():
            _check_text(value)
        case bool() | None:
            pass
        case int():
            if abs(value) >= _INTEGER_END:
                raise InputError(f"an integer of more than {MAX_NUMBER_LENGTH} digits")
        case float():
            if not math.isfinite(value):
                raise InputError("a number that is not finite")
        case dict() | list():
            if max_depth < 1:
                raise InputError("nested too deep")
            _check_items(value, max_depth - 1)
        case _Flaw(reason=reason):
            raise InputError(reason)
        case _:
            raise InputError(f"`{type(value).__name__}` is no JSON value")


def _check_items(container: dict[object, object] | list[object], max_depth: int) -> None:
    keyed = isinstance(container, dict)
    for key, item in container.items() if isinstance(container, dict) else enumerate(container):
        if keyed:
            if not isinstance(key, str):
                raise InputError(f"a key of an object is text, found {quote(key)}")
            _check_text(key)
        try:
            check_json(item, max_depth=max_depth)
        except InputError as error:
            raise error.within(in_place(key) if keyed else f"[{key}]") from None


def _check_text(text: str) -> None:
    if not text.isascii() and _SURROGATE.search(text):
        raise InputError("half of a surrogate pair, which is no character")


def _decoded(text: str | bytes) -> str:
    if isinstance(text, str):
        return text
    try:
        # a byte order mark is tolerated: editors on Windows put it there unasked
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError("no UTF-8 text", place=f"byte {error.start}") from error


def _object(pairs: list[tuple[str, object]]) -> dict[str, object] | _Flaw:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _value in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        return _Flaw(f"key {quote(twice)} stands twice in one object")
    return found


def _integer(text: str) -> int | _Flaw:
    return int(text) if len(text) <= MAX_NUMBER_LENGTH else _Flaw(f"a number of {len(text)} characters")


def _fraction(text: str) -> float | _Flaw:
    if len(text) > MAX_NUMBER_LENGTH:
        return _Flaw(f"a number of {len(text)} characters")
    number = float(text)
    return number if math.isfinite(number) else _Flaw(f"{quote(text)} is too large a number")


def _constant(text: str) -> _Flaw:
    return _Flaw(f"{quote(text)} is no JSON")
