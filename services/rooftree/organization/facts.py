"""
What is known about an organization, as registers in which the last writer wins.

The state is a set of facts, at most one a register, and merging takes the greater of two facts by a total order.
So any order and any repetition of the same changes end in the same state.

Facts and versions are tuples: a large organization has half a million, which are made at once and compared often.
"""

from __future__ import annotations

import json
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, TypeAlias

__all__ = ["Attribute", "Fact", "FactKey", "FactKind", "FactValue", "Rank", "Version"]

FactValue: TypeAlias = str | bool | None
FactKey: TypeAlias = tuple[str, str, str]


class FactKind(StrEnum):
    """
    What a fact is about.
    """

    ORGANIZATION = "organization"
    OU = "ou"
    ACCOUNT = "account"
    POLICY = "policy"
    ATTACHMENT = "attachment"
    POLICY_TYPE = "policy_type"
    PROBE = "probe"


class Attribute(StrEnum):
    """
    The registers of a subject; those of an attachment are named by the policy's id instead.

    ``FLOOR``, ``REMOVED_AT``, ``ENABLED_AT``, ``DISABLED_AT`` and ``OBSERVED`` hold nothing but their version: they
    remember the latest time at which something happened.
    """

    MANAGEMENT_ACCOUNT = "management_account_id"
    FEATURE_SET = "feature_set"
    PARTITION = "partition"
    ROOT = "root_id"
    FLOOR = "floor"
    PRESENT = "present"
    OBSERVED = "observed"
    REMOVED_AT = "removed_at"
    NAME = "name"
    EMAIL = "email"
    STATUS = "status"
    PARENT = "parent_id"
    TYPE = "type"
    CONTENT = "content"
    ENABLED = "enabled"
    ENABLED_AT = "enabled_at"
    DISABLED_AT = "disabled_at"
    REQUEST = "request"


class Rank:
    """
    Which of two statements about the same moment counts.
    """

    IMPLIED = 0  # said by a snapshot, or follows from an event without being said
    EXPLICIT = 1  # said by the event itself


class Version(NamedTuple):
    """
    When something was said, as a total order.

    Attributes:
        time: When the change took effect, in UTC.
        sequence: Orders changes of equal time as text; empty where the source gives none.
        rank: One of `Rank`.
        event_id: Breaks ties that the source leaves open, the same way on every machine.
    """

    time: datetime
    sequence: str
    rank: int
    event_id: str


class Fact(NamedTuple):
    """
    The value of one register as of one version.

    Attributes:
        kind: What it is about, a `FactKind`.
        subject: The id of the node, the policy, the policy type, the probe or the organization.
        attribute: An `Attribute`; of an attachment, whose subject is the target, the policy's id.
        value: Text, a truth value, or None: of a parent, the root whichever it is; of a probe, that it was removed.
        version: When it was said.
    """

    kind: str
    subject: str
    attribute: str
    value: FactValue
    version: Version

    @property
    def key(self) -> FactKey:
        """
        The register that this fact is a value of.
        """
        return (self.kind, self.subject, self.attribute)

    def overrules(self, other: Fact) -> bool:
        """
        Tell whether this fact replaces *other* in their register.

        INVARIANT: this is a strict total order on the distinct facts of a register. Two sources may use the same event
        id at the same moment, so the value decides at last.
        """
        if self.version != other.version:
            return self.version > other.version
        return json.dumps(self.value) > json.dumps(other.value)
