"""
One thing that was looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Finding", "Level"]


class Level(StrEnum):
    """
    How bad it is.
    """

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """
    What was found, and what to do about it.

    Attributes:
        check: What was looked at, in a word that stays the same.
        level: A warning may be meant so; a problem has to be mended.
        found: What is so, in one line.
        advice: What to do; empty where all is well.
    """

    check: str
    level: Level
    found: str
    advice: str = ""

    @classmethod
    def ok(cls, check: str, found: str) -> Finding:
        """
        Return that all is well.
        """
        return cls(check, Level.OK, found)

    @classmethod
    def warning(cls, check: str, found: str, advice: str) -> Finding:
        """
        Return what somebody may have meant so.
        """
        return cls(check, Level.WARNING, found, advice)

    @classmethod
    def problem(cls, check: str, found: str, advice: str) -> Finding:
        """
        Return what has to be mended.
        """
        return cls(check, Level.PROBLEM, found, advice)
