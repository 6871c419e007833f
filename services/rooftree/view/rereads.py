"""
What is to be read anew: who asks, and what answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from rooftree.organization.changes import Change, PrincipalsTaken, RereadAnswered, RereadAsked, SnapshotTaken
from rooftree.organization.rereads import PRINCIPAL_KINDS, Reread, RereadRequest
from rooftree.view.patch import RereadPatch

__all__ = ["Rereads"]

# CloudTrail tells seconds: what is said to have happened at one may have happened up to its end.
LATEST = timedelta(seconds=1) - timedelta(microseconds=1)


class Rereads:
    """
    The open requests of one organization.
    """

    def __init__(self, rereads: Iterable[Reread] = ()) -> None:
        self._open = {one.request.key: one for one in rereads}

    @property
    def doubtful(self) -> bool:
        """
        Whether decisions may be wrong until something was read anew.
        """
        return any(one.request.doubtful for one in self._open.values())

    def take_in(self, change: Change, requests: Sequence[RereadRequest]) -> RereadPatch:
        """
        Take in a change; return what is to be stored.

        Args:
            change: The change, which may answer requests of before.
            requests: What it asks for itself.
        """
        gone = [key for key, one in self._open.items() if one.asked_at < change.time and _answers(change, one.request)]
        for key in gone:
            del self._open[key]
        own = change.data.requests if isinstance(change.data, RereadAsked) else ()
        asked = {request.key: self._ask(change, request) for request in (*own, *requests)}
        return RereadPatch(tuple(asked.values()), tuple(key for key in gone if key not in asked))

    def _ask(self, change: Change, request: RereadRequest) -> Reread:
        asked_at = change.time + (LATEST if change.by_the_second else timedelta(0))
        before = self._open.get(request.key)
        reread = Reread(request, change.time, asked_at, change.source, change.event_id)
        if before is not None:
            last = reread if asked_at >= before.asked_at else before
            request = replace(last.request, doubtful=request.doubtful or before.request.doubtful)
            reread = replace(last, request=request, since=min(change.time, before.since))
        self._open[request.key] = reread
        return reread


def _answers(change: Change, request: RereadRequest) -> bool:
    match change.data:
        case RereadAnswered(kind=kind, object_id=object_id):
            return request.key == (kind, object_id)
        case SnapshotTaken():
            return request.kind not in PRINCIPAL_KINDS
        case PrincipalsTaken(account_id=account_id, parts=1):
            of_account = request.object_id.partition("/")[0] == account_id
            return of_account and request.kind in PRINCIPAL_KINDS
        case _:
            return False
