"""
Text from outside, put into Markdown without becoming markup.

https://spec.commonmark.org/0.31.2/#backslash-escapes
"""

from __future__ import annotations

import re

__all__ = ["code", "escape"]

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!&$@])")


def escape(text: str) -> str:
    """
    Return text that Markdown shows as it is.
    """
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def code(text: str) -> str:
    """
    Return text as a code span, whatever backticks it holds.
    """
    flat = " ".join(text.split())
    longest = max((len(run) for run in re.findall(r"`+", flat)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if flat.startswith("`") or flat.endswith("`") else ""
    return f"{fence}{pad}{flat}{pad}{fence}"
