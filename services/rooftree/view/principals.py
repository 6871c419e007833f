"""
What a change about principals does to their rows, and to what consumers know of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from rooftree.organization.changes import Change, PrincipalChange, PrincipalsTaken, PrincipalUpdated
from rooftree.organization.directory import Directory, Grants
from rooftree.organization.principal_facts import principal_facts_of
from rooftree.organization.principals import PrincipalKind
from rooftree.view.patch import DocumentRecord, PrincipalPatch, PrincipalState, Reported

__all__ = ["PrincipalStep", "Principals"]

_Key = tuple[str, str]
"""The account and the subject."""


@dataclass(frozen=True, slots=True)
class PrincipalStep:
    """
    A principal whose policies are known before and after a change, and are not the same.

    Attributes:
        grants: The principal as it is, or as it was last.
        before: What consumers know that it had; None if it did not exist.
        after: What it has; None if it does not exist.
    """

    grants: Grants
    before: Reported | None
    after: Reported | None


class Principals:
    """
    The principals of all accounts of an organization.

    A principal with a policy whose document is not known yet keeps what was reported of it last; what it has is
    compared with that once all is known.

    Attributes:
        directory: Who there is, and what each has.
    """

    def __init__(self, directory: Directory, reported: Iterable[tuple[str, str, Reported]] = ()) -> None:
        self.directory = directory
        self._reported: dict[_Key, Reported] = {(account_id, subject): one for account_id, subject, one in reported}

    def take_in(self, change: Change, data: PrincipalChange) -> tuple[PrincipalPatch, list[PrincipalStep]]:
        """
        Take in a change; return what is to be stored, and whose policies have changed.
        """
        directory, account_id = self.directory, data.account_id
        before, was_whole = directory.grants(account_id), directory.is_whole(account_id)
        merge = directory.merge(account_id, principal_facts_of(change))
        if not merge.facts and not merge.forgotten:
            return PrincipalPatch(), []
        documents = data.documents if isinstance(data, PrincipalsTaken | PrincipalUpdated) else {}
        after = directory.grants(account_id)
        steps = list(self._steps(account_id, before, after, was_whole=was_whole))
        patch = PrincipalPatch(
            facts=merge.facts,
            forgotten=merge.forgotten,
            states=tuple(
                PrincipalState(
                    account_id, grants, self._reported.get((account_id, subject)), change.time, change.event_id
                )
                for subject, grants in after.items()
                if before.get(subject) != grants
            ),
            gone=tuple(
                (account_id, grants.principal.kind, grants.principal.name)
                for subject, grants in before.items()
                if subject not in after
            ),
            documents=tuple(DocumentRecord(digest, text) for digest, text in directory.learn(documents).items()),
        )
        return patch, steps

    def _steps(
        self, account_id: str, before: Mapping[str, Grants], after: Mapping[str, Grants], *, was_whole: bool
    ) -> Iterator[PrincipalStep]:
        for subject in sorted(before.keys() | after.keys()):
            was, now = before.get(subject), after.get(subject)
            grants = now or was
            if was == now or grants is None or grants.principal.kind == PrincipalKind.GROUP:
                continue
            known = self._reported.pop((account_id, subject), None)
            if known is None and was is not None and not was.missing:
                known = Reported.of(was)
            if now is not None and now.missing:
                if known is not None:
                    self._reported[account_id, subject] = known
                continue
            # Who was not known before may have had anything, unless all were known.
            if known is None and (was is not None or not was_whole):
                continue
            told = None if now is None else Reported.of(now)
            if known != told:
                yield PrincipalStep(grants, known, told)
