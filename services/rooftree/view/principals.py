"""
What a change about principals does to their rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from rooftree.organization.changes import Change, PrincipalChange, PrincipalsTaken, PrincipalUpdated
from rooftree.organization.directory import Directory, Grants
from rooftree.organization.principal_facts import principal_facts_of
from rooftree.view.patch import DocumentRecord, PrincipalPatch, PrincipalState

__all__ = ["take_in_principals"]


def take_in_principals(directory: Directory, change: Change, data: PrincipalChange) -> PrincipalPatch:
    """
    Take a change about principals into *directory* and return what is to be stored.
    """
    before = directory.grants(data.account_id)
    merge = directory.merge(data.account_id, principal_facts_of(change))
    if not merge.facts and not merge.forgotten:
        return PrincipalPatch()
    documents = data.documents if isinstance(data, PrincipalsTaken | PrincipalUpdated) else {}
    after = directory.grants(data.account_id)
    return PrincipalPatch(
        facts=merge.facts,
        forgotten=merge.forgotten,
        states=tuple(_states(data.account_id, before, after, change.time, change.event_id)),
        gone=tuple(
            (data.account_id, grants.principal.kind, grants.principal.name)
            for subject, grants in before.items()
            if subject not in after
        ),
        documents=tuple(DocumentRecord(digest, text) for digest, text in directory.learn(documents).items()),
    )


def _states(
    account_id: str, before: Mapping[str, Grants], after: Mapping[str, Grants], since: datetime, cause_event_id: str
) -> Iterator[PrincipalState]:
    for subject, grants in after.items():
        if before.get(subject) != grants:
            yield PrincipalState(account_id, grants, since, cause_event_id)
