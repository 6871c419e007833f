"""
What commands leave behind.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

__all__ = ["Outcome"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    What one command has left behind.
    """

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """
        The output as one JSON document.
        """
        assert self.out, self.err
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """
        The output as NDJSON.
        """
        return [json.loads(line) for line in self.out.splitlines()]
