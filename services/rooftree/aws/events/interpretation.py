"""
What one record comes to: an event of the contract, and what is to be read anew because the record does not tell it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from rooftree.organization.changes import ChangeType
from rooftree.organization.rereads import RereadKind, RereadRequest

__all__ = ["ALTERED", "CREATED", "NOTHING", "REMOVED", "Interpretation", "reread"]

CREATED: Final = "1"
ALTERED: Final = "2"
REMOVED: Final = "3"
"""
Sequences. Of two records of one second it is sure that a thing was made before it was altered, and altered before it
was removed, as long as its id is never given again.
"""


@dataclass(frozen=True, slots=True)
class Interpretation:
    """
    What a record comes to.

    Attributes:
        type: The type of the event; None where nothing is stated.
        data: The data of the event but the organization and the actor.
        requests: What is to be read anew.
        sequence: One of the three above.
        time: When it took effect, if that is not the time of the record.
        places: Where in the record the data comes from, by name, for error messages.
    """

    type: ChangeType | None = None
    data: Mapping[str, object] = field(default_factory=dict)
    requests: tuple[RereadRequest, ...] = ()
    sequence: str = ALTERED
    time: datetime | None = None
    places: Mapping[str, str] = field(default_factory=dict)


NOTHING: Final = Interpretation()
"""What changes nothing that is kept."""


def reread(kind: RereadKind, object_id: str, reason: str, *, doubtful: bool = True) -> RereadRequest:
    """
    Return the request to read something anew.
    """
    return RereadRequest(kind.value, object_id, reason, doubtful)
