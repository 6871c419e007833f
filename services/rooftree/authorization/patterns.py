"""
Patterns compiled for the texts of many requests: the same as `rooftree.policy.patterns` says of each, sooner.

A text test is asked with a text and the condition keys of the request, in lower case, for policy variables.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from rooftree.policy.patterns import ARN_FIELDS, arn_matches, compile_glob
from rooftree.policy.variables import Piece, Template, Variable, resolve_template

__all__ = ["Entries", "TextTest", "arn_test", "equality_test", "pattern_test"]

Entries = Mapping[str, tuple[str, ...]]
TextTest = Callable[[str, Entries], bool]
_Chunk = tuple[str | Variable, ...]


def pattern_test(templates: Iterable[Template]) -> TextTest | None:
    """
    Return a test of whether any pattern stands for the whole of a text; ``None`` if one stands for every text.
    """
    exact: set[str] = set()
    prefixes: list[str] = []
    others: list[TextTest] = []
    for template in templates:
        chunks = _chunks(template)
        if chunks is None:
            others.append(_slow_test(template))
        elif not all(_is_static(chunk) for chunk in chunks):
            others.append(_filled_test(chunks))
        else:
            texts = [_static_text(chunk) for chunk in chunks]
            if len(texts) == 1:
                exact.add(texts[0])
            elif len(texts) == 2 and not texts[1]:
                prefixes.append(texts[0])
            else:
                others.append(_static_test(texts))
    if "" in prefixes:
        return None
    return _any_test(frozenset(exact), tuple(prefixes), tuple(others))


def equality_test(templates: Iterable[Template], *, ignore_case: bool = False) -> TextTest:
    """
    Return a test of whether a text equals one of the templates, in which wildcards are plain characters.
    """
    exact: set[str] = set()
    filled: list[_Chunk] = []
    for template in templates:
        chunk = _lowered_keys(template)
        if _is_static(chunk):
            exact.add(_static_text(chunk).lower() if ignore_case else _static_text(chunk))
        else:
            filled.append(chunk)
    known = frozenset(exact)
    if not filled:
        return (lambda text, _: text.lower() in known) if ignore_case else (lambda text, _: text in known)

    def test(text: str, entries: Entries) -> bool:
        text = text.lower() if ignore_case else text
        if text in known:
            return True
        found = (_filled(chunk, entries) for chunk in filled)
        return any(one is not None and (one.lower() if ignore_case else one) == text for one in found)

    return test


def arn_test(templates: Iterable[Template]) -> TextTest | None:
    """
    Return a test of whether any pattern of an ARN operator stands for a text; ``None`` if one stands for every text.
    """
    expressions: list[str] = []
    others: list[TextTest] = []
    for template in templates:
        pieces = tuple(part for part in template if isinstance(part, Piece))
        expression = _arn_expression(pieces)
        if len(pieces) < len(template):
            others.append(_filled_arn_test(template))
        elif pieces == (Piece("*"),):
            return None
        elif expression is None:
            others.append(_static_arn_test(pieces))
        else:
            expressions.append(expression)
    matches = re.compile("|".join(expressions), re.DOTALL).match if expressions else None
    if matches is None:
        return lambda text, entries: any(test(text, entries) for test in others)
    if not others:
        return lambda text, _: matches(text) is not None
    return lambda text, entries: matches(text) is not None or any(test(text, entries) for test in others)


def _arn_expression(pieces: tuple[Piece, ...]) -> str | None:
    """
    Return a regular expression for an ARN pattern; ``None`` for one with two stars in one field.

    A single star cannot pass the end of its field, so that nothing is tried twice.
    """
    if any(piece.literal for piece in pieces):
        return None
    fields = "".join(piece.text for piece in pieces).split(":", ARN_FIELDS - 1)
    if len(fields) < ARN_FIELDS or any(field.count("*") > 1 for field in fields):
        return None
    wild = [("[^:]*", "[^:]")] * (ARN_FIELDS - 1) + [(".*", ".")]
    escaped = (
        "".join({"*": star, "?": one}.get(char) or re.escape(char) for char in field)
        for field, (star, one) in zip(fields, wild, strict=True)
    )
    return ":".join(escaped) + r"\Z"


def _chunks(template: Template) -> list[_Chunk] | None:
    """
    Split a template at its stars; ``None`` if it holds a ``?``, which stands for one character.
    """
    chunks: list[list[str | Variable]] = [[]]
    for part in template:
        if isinstance(part, Variable) or part.literal:
            chunks[-1] += _lowered_keys((part,))
            continue
        if "?" in part.text:
            return None
        first, *rest = part.text.split("*")
        chunks[-1].append(first)
        chunks += [[text] for text in rest]
    return [tuple(part for part in chunk if part) for chunk in chunks]


def _lowered_keys(template: Template) -> _Chunk:
    return tuple(
        Variable(part.key.lower(), part.default) if isinstance(part, Variable) else part.text for part in template
    )


def _is_static(chunk: _Chunk) -> bool:
    return all(isinstance(part, str) for part in chunk)


def _static_text(chunk: _Chunk) -> str:
    return "".join(part for part in chunk if isinstance(part, str))


def _filled(chunk: _Chunk, entries: Entries) -> str | None:
    """
    Return a chunk with its variables filled in; ``None`` if one has neither one value nor a default.
    """
    texts = []
    for part in chunk:
        if isinstance(part, str):
            texts.append(part)
            continue
        values = entries.get(part.key, ())
        text = values[0] if len(values) == 1 else part.default
        if text is None:
            return None
        texts.append(text)
    return "".join(texts)


def _any_test(exact: frozenset[str], prefixes: tuple[str, ...], others: tuple[TextTest, ...]) -> TextTest:
    if not others:
        if not exact:
            return lambda text, _: text.startswith(prefixes)
        if not prefixes:
            return lambda text, _: text in exact
        return lambda text, _: text in exact or text.startswith(prefixes)
    if len(others) == 1 and not exact and not prefixes:
        return others[0]

    def test(text: str, entries: Entries) -> bool:
        if text in exact or text.startswith(prefixes):
            return True
        return any(other(text, entries) for other in others)

    return test


def _static_test(texts: Sequence[str]) -> TextTest:
    head, *middle, tail = texts
    pattern = _Starred(head, tuple(chunk for chunk in middle if chunk), tail)
    return lambda text, _: pattern.matches(text)


def _filled_test(chunks: Sequence[_Chunk]) -> TextTest:
    def test(text: str, entries: Entries) -> bool:
        filled = []
        for chunk in chunks:
            one = _filled(chunk, entries)
            if one is None:
                return False
            filled.append(one)
        if len(filled) == 1:
            return text == filled[0]
        head, *middle, tail = filled
        return _Starred(head, tuple(middle), tail).matches(text)

    return test


def _slow_test(template: Template) -> TextTest:
    """
    Return a test of a template that holds a ``?``.
    """
    if all(isinstance(part, Piece) for part in template):
        glob = compile_glob(tuple(part for part in template if isinstance(part, Piece)))
        return lambda text, _: glob.matches(text)

    lowered = _lowered(template)

    def test(text: str, entries: Entries) -> bool:
        pieces = resolve_template(lowered, entries)
        return pieces is not None and compile_glob(pieces).matches(text)

    return test


def _filled_arn_test(template: Template) -> TextTest:
    lowered = _lowered(template)

    def test(text: str, entries: Entries) -> bool:
        pieces = resolve_template(lowered, entries)
        return pieces is not None and arn_matches(pieces, text)

    return test


def _static_arn_test(pieces: tuple[Piece, ...]) -> TextTest:
    return lambda text, _: arn_matches(pieces, text)


def _lowered(template: Template) -> Template:
    return tuple(Variable(part.key.lower(), part.default) if isinstance(part, Variable) else part for part in template)


@dataclass(frozen=True, slots=True)
class _Starred:
    """
    A pattern with at least one star and no other wildcard.

    INVARIANT: as in `rooftree.policy.patterns.Glob`, taking each chunk where it first fits leaves the most for those
    after it.
    """

    head: str
    middle: tuple[str, ...]
    tail: str

    def matches(self, text: str) -> bool:
        """
        Tell whether the pattern stands for the whole of *text*.
        """
        end = len(text) - len(self.tail)
        position = len(self.head)
        if end < position or not text.startswith(self.head) or not text.endswith(self.tail):
            return False
        for chunk in self.middle:
            found = text.find(chunk, position, end)
            if found < 0:
                return False
            position = found + len(chunk)
        return True
