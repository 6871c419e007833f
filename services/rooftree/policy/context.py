"""
What is known of a request beside its action and resource.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from rooftree.errors import InputError
from rooftree.policy.wording import in_place, quote

__all__ = ["Context"]


class Context(Mapping[str, tuple[str, ...]]):
    """
    The condition keys of a request, each with its values as text; the case of keys does not matter.

    INVARIANT: a key that is there has at least one value. A key without any is the same as no key.
    """

    __slots__ = ("_hash", "_spellings", "_values")

    def __init__(self, entries: Mapping[str, tuple[str, ...]] | None = None) -> None:
        self._values: dict[str, tuple[str, ...]] = {}
        self._spellings: dict[str, str] = {}
        self._hash: int | None = None
        for key, values in (entries or {}).items():
            lowered = key.lower()
            if lowered in self._values:
                raise InputError(f"key {quote(key)} stands twice, in another case")
            if values:
                self._values[lowered] = tuple(values)
                self._spellings[lowered] = key

    @property
    def lowered(self) -> Mapping[str, tuple[str, ...]]:
        """
        The values by key in lower case, for readers that have put their own keys into lower case beforehand.
        """
        return self._values

    @classmethod
    def from_json(cls, content: Mapping[str, object]) -> Context:
        """
        Read keys from JSON: text, a boolean, a number, or a list of those for a key of several values.

        An empty list is an absent key, and so is one that holds nothing but empty text: AWS counts both as null.

        Raises:
            InputError: A value is something else, or a key stands twice in different case.
        """
        entries: dict[str, tuple[str, ...]] = {}
        for key, value in content.items():
            if isinstance(value, str):
                # by far the most, and they need no place
                entries[key] = (value,)
            elif isinstance(value, list):
                values = tuple(_as_text(item, f"{in_place(key)}[{index}]") for index, item in enumerate(value))
                entries[key] = values if any(values) else ()
            else:
                entries[key] = (_as_text(value, in_place(key)),)
        return cls(entries)

    def __getitem__(self, key: str) -> tuple[str, ...]:
        return self._values[key.lower()]

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and key.lower() in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._spellings.values())

    def __len__(self) -> int:
        return len(self._values)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Context):
            return NotImplemented
        return self._values == other._values

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(frozenset(self._values.items()))
        return self._hash

    def __repr__(self) -> str:
        return f"Context({dict(self)!r})"


def _as_text(value: object, place: str) -> str:
    match value:
        case str():
            return value
        case bool() | int() | float():
            return json.dumps(value)
        case _:
            raise InputError(
                f"expected text, a boolean, a number or a list of those, found {quote(value)}", place=place
            )
