"""
Patterns for actions, resources and ARNs.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from rooftree.policy.variables import Piece, without_variables

__all__ = [
    "ARN_FIELDS",
    "Glob",
    "action_matches",
    "arn_matches",
    "compile_glob",
    "complete_arn",
]

ARN_FIELDS: Final = 6
"""``arn:partition:service:region:account:resource``; the last may hold further colons."""

Symbol = tuple[str, bool]
"""One character of a pattern, and whether it is a wildcard."""


class Glob:
    """
    A pattern in which ``*`` stands for any run of characters and ``?`` for one.

    INVARIANT: matching takes no longer than the length of the pattern times that of the text. Between two stars stands
    a chunk of fixed length, and taking each chunk where it first fits leaves the most for those after it, so that
    nothing is ever tried twice.
    """

    __slots__ = ("_head", "_middle", "_tail")

    def __init__(self, symbols: Iterable[Symbol]) -> None:
        chunks: list[list[Symbol]] = [[]]
        for symbol in symbols:
            if symbol == ("*", True):
                chunks.append([])
            else:
                chunks[-1].append(symbol)
        self._head = _chunk(chunks[0], end=len(chunks) == 1)
        self._middle = tuple(_chunk(chunk) for chunk in chunks[1:-1] if chunk)
        self._tail = (_chunk(chunks[-1], end=True), len(chunks[-1])) if len(chunks) > 1 else None

    def matches(self, text: str) -> bool:
        """
        Tell whether the pattern stands for the whole of *text*.
        """
        found = self._head.match(text)
        for chunk in self._middle:
            if found is None:
                return False
            found = chunk.search(text, found.end())
        if found is None or self._tail is None:
            return found is not None
        tail, length = self._tail
        return len(text) - length >= found.end() and tail.match(text, len(text) - length) is not None


def _chunk(symbols: Sequence[Symbol], *, end: bool = False) -> re.Pattern[str]:
    text = "".join("." if wild else re.escape(char) for char, wild in symbols)
    return re.compile(text + (r"\Z" if end else ""), re.DOTALL)


def _symbols(pieces: Iterable[Piece]) -> list[Symbol]:
    return [(char, char in "*?" and not piece.literal) for piece in pieces for char in piece.text]


@lru_cache(maxsize=16384)
def compile_glob(pieces: tuple[Piece, ...]) -> Glob:
    """
    Compile a pattern.
    """
    return Glob(_symbols(pieces))


@lru_cache(maxsize=16384)
def _text_glob(pattern: str) -> Glob:
    return compile_glob((Piece(pattern),))


def action_matches(pattern: str, action: str) -> bool:
    """
    Tell whether a pattern of an Action element stands for an action; case does not matter.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html
    """
    return _text_glob(pattern.lower()).matches(action.lower())


@lru_cache(maxsize=16384)
def complete_arn(pattern: str, *, variables: bool = False) -> str:
    """
    Return a Resource pattern with the fields that it lacks as ``*``: ``arn:aws:sqs`` is ``arn:aws:sqs:*:*:*``.

    A lone ``*`` stands for all resources and stays. With *variables*, colons inside of ``${...}`` do not count.

    The documentation lets only a ``*`` at the end of a field run over the colons that follow, and asks authors for no
    wildcards in the first fields. What the service does with others it does not say; here the completed pattern is one
    plain glob, which agrees on all patterns that follow the rules.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
    """
    if not pattern.strip("*"):
        return pattern
    colons = (without_variables(pattern) if variables else pattern).count(":")
    return pattern + ":*" * max(0, ARN_FIELDS - 1 - colons)


def arn_matches(pieces: tuple[Piece, ...], value: str) -> bool:
    """
    Tell whether a pattern of an ARN operator stands for a value: six fields, each compared by itself.

    So ``*`` does not run over the first five colons, unlike in a Resource element. A value that is no ARN matches no
    pattern but a lone ``*``, which AWS leaves open and which is here taken for any value.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
    """
    globs = _arn_globs(pieces)
    if globs is None:
        return True
    fields = value.split(":", ARN_FIELDS - 1)
    return len(fields) == len(globs) == ARN_FIELDS and all(
        glob.matches(field) for glob, field in zip(globs, fields, strict=True)
    )


@lru_cache(maxsize=16384)
def _arn_globs(pieces: tuple[Piece, ...]) -> tuple[Glob, ...] | None:
    """
    Compile the fields of an ARN pattern; ``None`` for the lone star.
    """
    symbols = _symbols(pieces)
    if symbols == [("*", True)]:
        return None
    fields: list[list[Symbol]] = [[]]
    for symbol in symbols:
        if symbol[0] == ":" and len(fields) < ARN_FIELDS:
            fields.append([])
        else:
            fields[-1].append(symbol)
    return tuple(Glob(field) for field in fields)
