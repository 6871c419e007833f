"""
The corpus of CloudTrail records: each with its source, and with the change that it is.

The records were written by us, after the shapes that their sources show.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rooftree.contracts.changes import DATA_MODELS
from rooftree.organization.changes import Change, ChangeData, RereadAsked

__all__ = ["CASES", "ORGANIZATION", "CloudTrailCase", "rereads_of"]

ORGANIZATION = "o-exampleorg"

_FOLDER = Path(__file__).parent / "cases" / "cloudtrail"


@dataclass(frozen=True)
class CloudTrailCase:
    """
    One record of the corpus.

    Attributes:
        record: An EventBridge event, or a bare CloudTrail record.
        expected: The event that it becomes, with type, time, actor and data; None for none.
        rereads: What is to be read anew: kind, object, whether decisions may be wrong until then.
    """

    name: str
    source: str
    record: Mapping[str, Any]
    expected: Mapping[str, Any] | None
    rereads: frozenset[tuple[str, str, bool]]

    @property
    def detail(self) -> Mapping[str, Any]:
        """
        The CloudTrail record.
        """
        found: Mapping[str, Any] = self.record.get("detail", self.record)
        return found

    @property
    def data(self) -> ChangeData | None:
        """
        What is expected, as the organization model has it.
        """
        if self.expected is None:
            return None
        return DATA_MODELS[self.expected["type"]].model_validate(self.expected["data"]).to_change()


def rereads_of(change: Change | None) -> frozenset[tuple[str, str, bool]]:
    """
    Return what a change asks for.
    """
    if change is None:
        return frozenset()
    asked = change.data.requests if isinstance(change.data, RereadAsked) else change.requests
    return frozenset((one.kind, one.object_id, one.doubtful) for one in asked)


def _read(path: Path) -> CloudTrailCase:
    told = json.loads(path.read_text())
    rereads = frozenset((kind, object_id, doubtful) for kind, object_id, doubtful in told["rereads"])
    return CloudTrailCase(path.stem, told["source"], told["record"], told["expected"], rereads)


CASES = [_read(path) for path in sorted(_FOLDER.glob("*.json"))]
