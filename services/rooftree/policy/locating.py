"""
Where in the text of a policy a place such as ``Statement[2].Action[0]`` stands.
"""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import dataclass
from typing import Final

from rooftree.policy.wording import in_place

__all__ = ["Span", "locate", "spans_of"]

_SPACE: Final = re.compile(r"[ \t\r\n]*")
_PLAIN: Final = re.compile(r"[^,\]}\s]+")
_STRINGS: Final = json.JSONDecoder()
_LINE: Final = re.compile(r"line (\d+) column (\d+)\Z")


@dataclass(frozen=True, slots=True)
class Span:
    """
    A part of a text; lines and columns count from 1, and the end is the first column behind it.
    """

    line: int
    column: int
    end_line: int
    end_column: int


def locate(text: str, place: str) -> Span:
    """
    Return where a place stands: that itself, or the nearest around it that is found; else the whole text.
    """
    told = _LINE.search(place)
    if told is not None:
        line, column = int(told[1]), int(told[2])
        return Span(line, column, line, column + 1)
    spans = spans_of(text)
    while place and place not in spans:
        place = place[: max(place.rfind("."), place.rfind("["), 0)]
    return spans.get(place) or _span(text, 0, len(text))


def spans_of(text: str) -> dict[str, Span]:
    """
    Return where each value of a JSON text stands, by its place; the whole has the empty one.

    A single statement, which AWS takes without a list around it, is found as ``Statement[0]`` as well. Of a text that
    is no JSON, all is there that was read.
    """
    reader = _Reader(text)
    with contextlib.suppress(ValueError, IndexError, RecursionError):
        reader.value(reader.skip(0), "")
    found = {place: _span(text, start, end) for place, (start, end) in reader.found.items()}
    if "Statement" in found and "Statement[0]" not in found:
        alone = {place: span for place, span in found.items() if place == "Statement" or place.startswith("Statement.")}
        found |= {f"Statement[0]{place.removeprefix('Statement')}": span for place, span in alone.items()}
    return found


class _Reader:
    """
    Walks through JSON and notes from where to where each value goes.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self.found: dict[str, tuple[int, int]] = {}

    def skip(self, index: int) -> int:
        match = _SPACE.match(self._text, index)
        assert match is not None, "it matches the empty text"
        return match.end()

    def value(self, start: int, place: str) -> int:
        sign = self._text[start]
        if sign == "{":
            end = self._items(start, place, keyed=True)
        elif sign == "[":
            end = self._items(start, place, keyed=False)
        elif sign == '"':
            _, end = _STRINGS.raw_decode(self._text, start)
        else:
            match = _PLAIN.match(self._text, start)
            if match is None:
                raise ValueError
            end = match.end()
        self.found[place] = (start, end)
        return end

    def _items(self, start: int, place: str, *, keyed: bool) -> int:
        index = self.skip(start + 1)
        number = 0
        while self._text[index] not in "}]":
            begin = index
            if keyed:
                key, index = _STRINGS.raw_decode(self._text, index)
                index = self.skip(self.skip(index) + 1)
                inner = f"{place}.{in_place(key)}" if place else in_place(key)
            else:
                inner = f"{place}[{number}]"
            index = self.value(index, inner)
            if keyed:
                # What is wrong with a member is shown with its name.
                self.found[inner] = (begin, index)
            number += 1
            index = self.skip(index)
            if self._text[index] == ",":
                index = self.skip(index + 1)
        return index + 1


def _span(text: str, start: int, end: int) -> Span:
    line, column = _position(text, start)
    end_line, end_column = _position(text, end)
    return Span(line, column, end_line, end_column)


def _position(text: str, index: int) -> tuple[int, int]:
    before = text[:index]
    return before.count("\n") + 1, index - (before.rfind("\n") + 1) + 1
