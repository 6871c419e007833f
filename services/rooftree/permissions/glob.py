"""
Patterns of the policy language as sequences of tokens that an automaton can walk.

A pattern is one glob; an *atom* is a set of globs of which one must match. Two atoms that are equal as
values match the same strings, whatever text they were written as.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache, partial
from typing import Final

from rooftree.policy.variables import Piece

__all__ = [
    "ANY_STRING",
    "EMPTY_STRING",
    "Atom",
    "CharSet",
    "Glob",
    "Spelling",
    "Token",
    "arn_atom",
    "glob_atom",
    "in_any_case",
    "literal_atom",
    "rest_after",
    "sample_of",
    "spell_regex",
    "spelled",
]


class CharSet(Enum):
    """
    The characters that a wildcard stands for.
    """

    ANY = "any"
    NOT_COLON = "not a colon"


@dataclass(frozen=True, slots=True)
class Token:
    """
    One position of a glob: the characters that fit, once, or any number of times for a star.
    """

    chars: str | CharSet
    star: bool = False


class Spelling(Enum):
    """
    How the policy language writes a pattern; of no meaning for what it matches.
    """

    LITERAL = "literal"
    GLOB = "glob"
    IGNORE_CASE = "ignore case"
    ARN = "arn"


Glob = tuple[Token, ...]


_STAR: Final = {CharSet.ANY: "**", CharSet.NOT_COLON: "*"}
_ONE: Final = {CharSet.ANY: "??", CharSet.NOT_COLON: "?"}


@lru_cache(maxsize=65536)
def spelled(globs: frozenset[Glob]) -> str:
    """
    Return a text that only equal sets of globs share.
    """
    # no glob at all is something else than the glob of the empty string
    return f"{len(globs)}{{{','.join(sorted(map(_spell, globs)))}}}"


def _spell(glob: Glob) -> str:
    parts = []
    for token in glob:
        if isinstance(token.chars, str):
            parts.append(f"[{token.chars}]")
        else:
            parts.append((_STAR if token.star else _ONE)[token.chars])
    return "".join(parts)


@dataclass(frozen=True, slots=True, eq=False)
class Atom:
    """
    A set of strings: all those that one of the globs matches.

    Attributes:
        globs: The alternatives.
        text: How the policy wrote it.
        spelling: The form it was written in.
        members: The atoms that make it up, if it is a union.
        identity: A text that only equal atoms share; by it alone, and so by the globs, they are compared.
    """

    globs: frozenset[Glob]
    text: str
    spelling: Spelling = Spelling.GLOB
    members: tuple[Atom, ...] = ()
    identity: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "identity", spelled(self.globs))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Atom) and self.identity == other.identity

    def __hash__(self) -> int:
        return hash(self.identity)

    def after(self, prefix: str) -> frozenset[Glob]:
        """
        Return the globs that the rest of a string must match once *prefix* has been read.
        """
        return rest_after(self.globs, prefix)

    def matches(self, text: str) -> bool:
        """
        Tell whether *text* is one of the strings.
        """
        return any(matches(text) for matches in _matchers(self))


@lru_cache(maxsize=65536)
def rest_after(globs: frozenset[Glob], prefix: str) -> frozenset[Glob]:
    """
    Return the globs that the rest of a string must match once *prefix* has been read.
    """
    current: set[Glob] = set()
    for glob in globs:
        current |= _closed(glob)
    for char in prefix:
        current = {rest for glob in current for rest in _step(glob, char)}
    return frozenset(current)


_ANY: Final = Token(CharSet.ANY)
_ANY_STAR: Final = Token(CharSet.ANY, star=True)
_FIELD: Final = Token(CharSet.NOT_COLON)
_FIELD_STAR: Final = Token(CharSet.NOT_COLON, star=True)
_COLON: Final = Token(":")

ANY_STRING: Final = Atom(frozenset({(_ANY_STAR,)}), "*")
EMPTY_STRING: Final = Atom(frozenset({()}), "", Spelling.LITERAL)


def glob_atom(pieces: Sequence[Piece], text: str, *, lower: bool = False) -> Atom:
    """
    Return the atom of a pattern whose wildcards stand for all characters.

    *lower* folds the case of the pattern, for strings that are folded likewise.
    """
    symbols = _symbols(pieces)
    folded = [(char.lower(), wild) for char, wild in symbols] if lower else symbols
    return Atom(frozenset({_tokens(folded, any_one=_ANY, any_run=_ANY_STAR)}), text, Spelling.GLOB)


def literal_atom(text: str, *, ignore_case: bool = False) -> Atom:
    """
    Return the atom of exactly this text, in any case if asked.
    """
    if not ignore_case:
        return Atom(frozenset({tuple(Token(char) for char in text)}), text, Spelling.LITERAL)
    folded = tuple(Token("".join(sorted(_cases(char)))) for char in text)
    return Atom(frozenset({folded}), text, Spelling.IGNORE_CASE)


def in_any_case(atom: Atom) -> Atom:
    """
    Return the strings of an atom in any case.
    """
    globs = frozenset(
        tuple(Token("".join(sorted(_cases(token.chars)))) if isinstance(token.chars, str) else token for token in glob)
        for glob in atom.globs
    )
    return Atom(globs, atom.text, Spelling.IGNORE_CASE)


def _cases(char: str) -> set[str]:
    """
    Return the characters that are equal to this one but for their case.
    """
    return {other for other in (char, char.lower(), char.upper()) if other.lower() == char.lower()}


def arn_atom(pieces: Sequence[Piece], text: str) -> Atom:
    """
    Return the atom of a pattern for an ARN operator: six fields, each compared by itself.

    A lone ``*`` matches every value. A pattern of fewer than six fields matches none.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
    """
    symbols = _symbols(pieces)
    if symbols == [("*", True)]:
        return Atom(ANY_STRING.globs, text, Spelling.ARN)
    colons = [index for index, (char, _wild) in enumerate(symbols) if char == ":"][:5]
    if len(colons) < 5:
        return Atom(frozenset(), text, Spelling.ARN)
    glob: list[Token] = []
    begin = 0
    for colon in colons:
        glob += [*_tokens(symbols[begin:colon], any_one=_FIELD, any_run=_FIELD_STAR), _COLON]
        begin = colon + 1
    glob += _tokens(symbols[begin:], any_one=_ANY, any_run=_ANY_STAR)
    return Atom(frozenset({tuple(glob)}), text, Spelling.ARN)


def _symbols(pieces: Sequence[Piece]) -> list[tuple[str, bool]]:
    """
    Return the characters of a pattern, each with whether it is a wildcard.
    """
    return [(char, char in "*?" and not piece.literal) for piece in pieces for char in piece.text]


def _tokens(symbols: Sequence[tuple[str, bool]], *, any_one: Token, any_run: Token) -> Glob:
    """
    Compile wildcards, with each run of them in one form: first the single ones, then at most one star.
    """
    glob: list[Token] = []
    starred = False
    for char, wild in symbols:
        if wild and char == "*":
            starred = True
        elif wild:
            glob.append(any_one)
        else:
            if starred:
                glob.append(any_run)
                starred = False
            glob.append(Token(char))
    if starred:
        glob.append(any_run)
    return tuple(glob)


def sample_of(glob: Glob) -> str:
    """
    Return a string that a glob matches, with a word for each star.
    """
    parts = []
    for position, token in enumerate(glob):
        if isinstance(token.chars, str):
            parts.append(token.chars[0])
        elif not token.star:
            parts.append("x")
        else:
            before = glob[position - 1].chars if position else ":"
            parts.append("" if token.chars is CharSet.NOT_COLON and before == ":" else "example")
    return "".join(parts)


MAX_STARS: Final = 3
"""With so few stars a regular expression cannot take long; with more the automaton is walked."""


@lru_cache(maxsize=65536)
def _matchers(atom: Atom) -> tuple[Callable[[str], object], ...]:
    # by the atom, which is compared by one text, and not by its globs, which are compared sign by sign
    return tuple(_matcher(glob) for glob in atom.globs)


def _matcher(glob: Glob) -> Callable[[str], object]:
    """
    Return what tells, by a value that is true or not, whether a glob matches a text.
    """
    if sum(token.star for token in glob) <= MAX_STARS:
        return re.compile("".join(spell_regex(token) for token in glob), re.DOTALL).fullmatch
    return partial(_walks, glob)


def _walks(glob: Glob, text: str) -> bool:
    current = _closed(glob)
    for char in text:
        current = {rest for left in current for rest in _step(left, char)}
    return () in current


def spell_regex(token: Token) -> str:
    """
    Return a token as a regular expression.
    """
    if isinstance(token.chars, str):
        chars = f"[{re.escape(token.chars)}]"
    else:
        chars = "." if token.chars is CharSet.ANY else "[^:]"
    return chars + ("*" if token.star else "")


def _closed(glob: Glob) -> set[Glob]:
    """
    Return *glob* with all that it becomes by reading nothing.
    """
    closed = {glob}
    while glob and glob[0].star:
        glob = glob[1:]
        closed.add(glob)
    return closed


def _step(glob: Glob, char: str) -> set[Glob]:
    if not glob:
        return set()
    head = glob[0]
    if head.chars is CharSet.NOT_COLON:
        if char == ":":
            return set()
    elif head.chars is not CharSet.ANY and char not in head.chars:
        return set()
    return _closed(glob if head.star else glob[1:])
