"""
The work in hand: what waits, what failed, and what was compared with AWS.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, JsonValue

from rooftree.contracts.fields import Counted, JsonObject, Outbound, Time

__all__ = [
    "DeadLetter",
    "DeadLetterRecord",
    "Operations",
    "ReadPosition",
    "Reconciliation",
    "RereadRequest",
    "Verification",
]


class DeadLetter(Outbound):
    """
    A record that could not be processed.
    """

    letter: int
    organization_id: str | None = Field(
        description="The organization that misses it; null where the record tells none."
    )
    topic: str
    partition: int
    offset: int
    log_id: str
    disposition: str
    place: str | None
    reason: str
    error_class: str
    software_version: str
    size: int | None
    attempts: int
    resolution: Literal["replayed", "snapshot"] | None = Field(description="Null while it waits.")
    record_time: Time | None
    recorded_at: Time
    attempted_at: Time | None
    resolved_at: Time | None


class DeadLetterRecord(DeadLetter):
    """
    A record that could not be processed, with its bytes.
    """

    key: JsonValue = Field(description="Text, or where it is none an object with its Base64.")
    value: JsonValue
    headers: list[JsonObject]


class ReadPosition(Outbound):
    """
    Where reading goes on in one partition of the topic of changes.
    """

    topic: str
    partition: int
    next_offset: int
    updated_at: Time
    log_id: str = Field(description="The id of the Kafka cluster, and that of the topic where the broker tells it.")
    current: bool = Field(
        description="False where the topic was made anew since: this is how far the one before was read."
    )


class RereadRequest(Outbound):
    """
    Something that an event did not tell enough of, and that waits for being read anew by the API of AWS.
    """

    organization_id: str
    kind: str = Field(description="organization, account, ou, policy, attachments, targets, principals or principal.")
    object_id: str
    reason: str
    doubtful: bool = Field(description="Whether decisions may be wrong until then.")
    since: Time = Field(description="When it was first asked for, by the time of the event.")
    asked_at: Time
    source: str
    event_id: str = Field(description="The event that asked last.")


class Reconciliation(Outbound):
    """
    One comparison of the view with what AWS itself says.
    """

    organization_id: str
    reconciliation: int
    occasion: Literal["schedule", "reread"]
    result: Literal["running", "done", "failed"]
    reason: str | None = Field(description="Why it failed.")
    started_at: Time
    finished_at: Time | None
    moment: Time | None = Field(description="As of when it speaks.")
    accounts: int | None = Field(description="How many accounts AWS listed; null for a reread.")
    found: int = Field(description="How many changes no event had told; they are published as events of their own.")
    postponed: int = Field(description="Differences that are too young to be believed.")
    by_kind: dict[str, int] = Field(description="`found` by the type of the change.")
    differences: list[JsonObject] = Field(description="The first of them, each with `event_id`, `type` and `data`.")


class Verification(Outbound):
    """
    What the last verification of an organization has found.
    """

    organization_id: str
    subject: Literal["audit", "view"] = Field(
        description="`audit`: the audit events in their order, each by its seal; `view`: accounts and their history, "
        "worked out anew from the facts."
    )
    verified_at: Time
    verified: bool = Field(description="Whether nothing was wrong.")
    revision: int = Field(
        description="With `part`, the last audit event that is whole, as are all before it; of the view, the revision "
        "that it had at least."
    )
    part: int
    checked: int = Field(description="Audit events that are whole; of the view, accounts and rows of their history.")
    faults: int = Field(description="How many things are wrong; audit events are read up to the first.")
    fault: str | None = Field(description="The first of them, with its place.")


class Operations(Outbound):
    """
    How far changes have come on their way from the broker to the audit topic.
    """

    organization_id: str
    complete: bool
    incomplete_since: Time | None
    incomplete_reason: str | None
    written_at: Time = Field(description="When the view was written last.")
    unsent: Counted = Field(description="Records that wait to be sent.")
    unsent_since: Time | None
    dead_letters: Counted = Field(
        description="Records of the organization that wait to be replayed; at most 1,000 count."
    )
    positions: list[ReadPosition]
