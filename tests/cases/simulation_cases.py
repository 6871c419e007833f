"""
The cases of simulation: one file a question, read by every test that asks them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

__all__ = ["FOLDER", "SimulationCase", "simulation_cases"]

FOLDER: Final = Path(__file__).parent / "simulation"


@dataclass(frozen=True, slots=True)
class SimulationCase:
    """
    One request with what is expected of it.

    Attributes:
        question: The file that it stands in.
        line: What a simulation is given.
    """

    question: str
    name: str
    line: dict[str, Any]
    expected: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.question}: {self.name}"

    def check(self, answer: dict[str, Any]) -> None:
        """
        Hold an answer, as JSON, against what is expected.
        """
        assert self.expected["decision"] == answer["decision"]
        assert self.expected["blocked_by"] == answer["blocked_by"]
        if "decided_by" in self.expected:
            reasons = [
                [reason["policy_type"], reason["target"], reason["policy"], reason["statement"]]
                for reason in answer["decided_by"]
            ]
            assert self.expected["decided_by"] == reasons


def simulation_cases() -> list[SimulationCase]:
    """
    Return the cases of all files.
    """
    found = []
    for path in sorted(FOLDER.glob("*.json")):
        for case in json.loads(path.read_text(encoding="utf-8"))["cases"]:
            line = {"id": f"{path.stem}: {case['name']}", **case}
            del line["name"], line["expected"]
            found.append(SimulationCase(path.stem, case["name"], line, case["expected"]))
    return found
