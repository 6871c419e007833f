"""
The data of the events that ask for something to be read anew by the API of AWS, and of those that answer.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime

from pydantic import Field

from rooftree.contracts.change_data import OrganizationChange
from rooftree.contracts.fields import Text
from rooftree.organization import changes
from rooftree.organization.changes import ChangeData, ChangeType
from rooftree.organization.drift import RECONCILER
from rooftree.organization.rereads import RereadKind, RereadRequest
from rooftree.organization.timestamps import format_time

__all__ = ["RereadAnsweredData", "RereadAskedData", "answer_event"]


class RereadAskedData(OrganizationChange):
    """
    Something is to be read anew, since it is not known or in doubt.
    """

    kind: RereadKind = Field(strict=False)
    object_id: Text = Field(description="See the column of the same name in rooftree.rereads.")
    reason: Text
    doubtful: bool = Field(default=True, description="Whether decisions may be wrong until it was read.")

    def to_change(self) -> ChangeData:
        """
        Return the data as the organization model has it.
        """
        return changes.RereadAsked((RereadRequest(self.kind.value, self.object_id, self.reason, self.doubtful),))


class RereadAnsweredData(OrganizationChange):
    """
    Something was read anew: whatever was asked for it before the time of this event is settled.

    It is sent after the changes that tell what was read, with the same key, and its time is when reading began.
    """

    kind: RereadKind = Field(strict=False)
    object_id: Text

    def to_change(self) -> ChangeData:
        """
        Return the data as the organization model has it.
        """
        return changes.RereadAnswered(self.kind.value, self.object_id)


def answer_event(organization_id: str, kind: str, object_id: str, read_at: datetime) -> dict[str, object]:
    """
    Return the event that answers a request, to be sent after the changes that tell what was read.

    Args:
        organization_id: The organization.
        kind: The kind of the request.
        object_id: The object of the request.
        read_at: When reading began.
    """
    data = {"organization_id": organization_id, "kind": kind, "object_id": object_id}
    time = format_time(read_at)
    return {
        "specversion": "1.0",
        "id": hashlib.sha256(json.dumps([data, time], sort_keys=True).encode()).hexdigest()[:32],
        "source": RECONCILER,
        "type": ChangeType.REREAD_ANSWERED.value,
        "time": time,
        "datacontenttype": "application/json",
        "data": data,
    }
