"""
Requests to read something anew by the API of AWS, where an event did not tell enough to state a fact.

A request is open until something of a later time answers it: an answer to it, or a snapshot that names its object.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

__all__ = ["PRINCIPAL_KINDS", "Reread", "RereadKind", "RereadRequest", "principal_object"]


class RereadKind(StrEnum):
    """
    What is to be read anew.

    The id of the object is that of the organization, the account, the unit or the policy. Of ``ATTACHMENTS`` it is the
    node whose policies are to be listed, of ``TARGETS`` the policy whose nodes are; of ``PRINCIPALS`` it is the account
    whose users, groups, roles and policies are; of ``PRINCIPAL`` see `principal_object`.
    """

    ORGANIZATION = "organization"
    ACCOUNT = "account"
    OU = "ou"
    POLICY = "policy"
    ATTACHMENTS = "attachments"
    TARGETS = "targets"
    PRINCIPALS = "principals"
    PRINCIPAL = "principal"


PRINCIPAL_KINDS = frozenset({RereadKind.PRINCIPALS, RereadKind.PRINCIPAL})
"""Those that a snapshot of an organization does not answer, but one of the principals of an account."""


def principal_object(account_id: str, subject: str) -> str:
    """
    Return the object id of a principal or of a managed policy of an account, by its subject.
    """
    return f"{account_id}/{subject}"


@dataclass(frozen=True, slots=True)
class RereadRequest:
    """
    Something to read anew.

    Attributes:
        kind: A `RereadKind`.
        reason: What the event did not tell, in words.
        doubtful: Whether decisions may be wrong until it was read.
    """

    kind: str
    object_id: str
    reason: str
    doubtful: bool

    @property
    def key(self) -> tuple[str, str]:
        """
        What no two open requests of an organization have in common.
        """
        return (self.kind, self.object_id)


@dataclass(frozen=True, slots=True)
class Reread:
    """
    A request that is open.

    Attributes:
        since: The time of the first event that asked.
        asked_at: The latest moment at which the last event that asked can have happened. What is read before does not
            answer.
        source: Who told the last one.
        event_id: The last one.
    """

    request: RereadRequest
    since: datetime
    asked_at: datetime
    source: str
    event_id: str
