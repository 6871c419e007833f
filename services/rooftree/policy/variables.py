"""
Policy variables: parts of a pattern that a request fills in.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

__all__ = ["Piece", "Template", "Variable", "parse_template", "placeholders", "resolve_template", "without_variables"]

_VARIABLE: Final = re.compile(
    r"""\$\{(?:
        (?P<literal>[*?$])
        | (?P<key>[^{}$*?,'"\s][^{}$*?,'"]*?) \s* (?: , \s* '(?P<default>[^']*)' \s* )?
    )\}""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Piece:
    """
    A part of a pattern that is known.

    Attributes:
        literal: Whether ``*`` and ``?`` in it are plain characters.
    """

    text: str
    literal: bool = False


@dataclass(frozen=True, slots=True)
class Variable:
    """
    A part of a pattern that a request fills in.

    Attributes:
        key: The condition key, as written.
        default: What stands for it in a request without the key, if anything does.
    """

    key: str
    default: str | None = None


Template = tuple[Piece | Variable, ...]


@lru_cache(maxsize=16384)
def parse_template(text: str, *, variables: bool) -> Template:
    """
    Take a pattern apart.

    Without *variables* (a policy in the language before 2012) ``${...}`` is plain text, and so is in any case what
    starts like a variable and is none.
    """
    if not variables or "${" not in text:
        return (Piece(text),)
    parts: list[Piece | Variable] = []
    end = 0
    for found in _VARIABLE.finditer(text):
        if found.start() > end:
            parts.append(Piece(text[end : found.start()]))
        literal = found["literal"]
        parts.append(Piece(literal, literal=True) if literal else Variable(found["key"], found["default"]))
        end = found.end()
    if end < len(text):
        parts.append(Piece(text[end:]))
    return tuple(parts)


def resolve_template(template: Template, context: Mapping[str, tuple[str, ...]]) -> tuple[Piece, ...] | None:
    """
    Fill in the variables from a request, or return ``None`` if one has neither value nor default.

    Two choices where AWS is silent: what is filled in is literal, so that a ``*`` in a tag is no wildcard; and a key
    with several values, which AWS does not allow as a variable, counts as one without value.
    """
    pieces: list[Piece] = []
    for part in template:
        if isinstance(part, Variable):
            values = context.get(part.key, ())
            text = values[0] if len(values) == 1 else part.default
            if text is None:
                return None
            pieces.append(Piece(text, literal=True))
        else:
            pieces.append(part)
    return tuple(pieces)


def placeholders(text: str) -> list[str]:
    """
    Return the variables of a pattern that never have a value, such as ``${Account}`` left over from a template.

    Every condition key has a service prefix; a default stands in for what is missing.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    """
    return [
        part.key
        for part in parse_template(text, variables=True)
        if isinstance(part, Variable) and ":" not in part.key and part.default is None
    ]


def without_variables(text: str) -> str:
    """
    Return a pattern with its variables cut out, to look at what is left.
    """
    return _VARIABLE.sub("", text)
