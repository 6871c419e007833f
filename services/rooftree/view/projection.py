"""
The view of one organization, kept up to date change by change.

INVARIANT: the view after some changes is what applying the same changes to an empty view gives, however often it was
stored and loaded in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from rooftree import permissions as default_algebra
from rooftree.authorization.surroundings import Surroundings
from rooftree.organization.chains import ChainRecord
from rooftree.organization.changes import AccountMoved, Change, PrincipalChange, SnapshotTaken
from rooftree.organization.claims import facts_of
from rooftree.organization.directory import Directory
from rooftree.organization.documents import read_stored
from rooftree.organization.doubts import doubts_of
from rooftree.organization.facts import Fact, FactKind
from rooftree.organization.principal_facts import PrincipalFact
from rooftree.organization.rereads import Reread, RereadRequest
from rooftree.organization.tree import Merge, Organization
from rooftree.permissions import AccountBinding, Permissions
from rooftree.permissions.account import ACCOUNT_PLACEHOLDER
from rooftree.view.algebra import Algebra
from rooftree.view.audit import Cause
from rooftree.view.ceilings import Ceilings
from rooftree.view.journal import Journal
from rooftree.view.notices import NoticeWriter
from rooftree.view.patch import (
    AccountState,
    Departure,
    DocumentRecord,
    Patch,
    PermissionState,
    Position,
    PrincipalPatch,
    ProbePatch,
    ProbeState,
    Reported,
    RereadPatch,
)
from rooftree.view.principals import Principals
from rooftree.view.probes import Flip, Probes
from rooftree.view.rereads import Rereads
from rooftree.view.steps import Step, Steps
from rooftree.view.watching import Watcher
from rooftree.view.wording import describe, names_of

__all__ = ["OrganizationView"]

# Summaries kept at hand: more than an organization has in use, as a rule, at some tens of kilobytes each.
SUMMARIES = 256


class OrganizationView:
    """
    The view of one organization in memory.

    `apply` and `mark_incomplete` change it and return what is to be stored. A caller that fails to store that throws
    the view away and loads it again.

    Attributes:
        organization: What is known, and what follows from it.
        principals: The principals of its accounts.
        position: How far the view has come.
    """

    def __init__(
        self,
        organization: Organization,
        accounts: dict[str, AccountState],
        ceilings: Ceilings,
        position: Position,
        *,
        principals: Principals,
        probes: Probes,
        rereads: Rereads,
    ) -> None:
        self.organization = organization
        self._rereads = rereads
        self._probes = probes
        self.principals = principals
        self.position = position
        self._accounts = accounts
        self._ceilings = ceilings
        self._summaries: dict[str, Mapping[str, object]] = {}
        self._stored_permissions = {row.permissions_id for row in accounts.values()}

    @classmethod
    def load(
        cls,
        organization_id: str,
        facts: Iterable[Fact] = (),
        accounts: Iterable[AccountState] = (),
        position: Position | None = None,
        *,
        chains: Iterable[ChainRecord] = (),
        documents: Iterable[DocumentRecord] = (),
        principals: Iterable[PrincipalFact] = (),
        principal_documents: Iterable[DocumentRecord] = (),
        reported: Iterable[tuple[str, str, Reported]] = (),
        probes: Iterable[ProbeState] = (),
        rereads: Iterable[Reread] = (),
        algebra: Algebra = default_algebra,
    ) -> OrganizationView:
        """
        Return the view as it was stored; with nothing stored, the empty one.

        Args:
            organization_id: The organization.
            facts: All of its facts.
            accounts: All of its rows.
            position: Where it stood.
            chains: At least those that *accounts* name as reported.
            documents: At least those that *chains* name.
            principals: All facts about principals.
            principal_documents: At least those that *principals* name.
            reported: What was reported last of principals, by account and subject, while it differs.
            probes: All rows of probes.
            rereads: What is to be read anew.
            algebra: What works out and compares permissions.
        """
        known = {
            record.digest: document for record in documents if (document := read_stored(record.content)) is not None
        }
        return cls(
            Organization(organization_id, facts),
            {account.account_id: account for account in accounts},
            Ceilings(organization_id, chains, known, algebra),
            position or Position(),
            principals=Principals(
                Directory(principals, {record.digest: record.content for record in principal_documents}), reported
            ),
            probes=Probes(probes),
            rereads=Rereads(rereads),
        )

    @property
    def organization_id(self) -> str:
        """
        The organization.
        """
        return self.organization.organization_id

    @property
    def accounts(self) -> Mapping[str, AccountState]:
        """
        The rows, by account id.
        """
        return self._accounts

    @property
    def in_doubt(self) -> bool:
        """
        Whether decisions may be wrong until something was read anew.
        """
        return self._rereads.doubtful

    def apply(self, change: Change) -> Patch:
        """
        Take in a change and return what it does.

        A change that was applied before does nothing, and so does one that says nothing newer than what is known.
        """
        doubts = doubts_of(change, self.organization.registers, self.principals.directory)
        patch = self._apply(change)
        rereads = self._rereads.take_in(change, (*change.requests, *doubts))
        return patch if rereads == RereadPatch() else self._with_rereads(patch, rereads, change)

    def _with_rereads(self, patch: Patch, rereads: RereadPatch, change: Change) -> Patch:
        audit = patch.audit
        doubtful = [one for one in rereads.open if one.request.doubtful]
        if doubtful:
            reason = _reason(doubtful[0].request)
            origin = (change.source, change.event_id, change.type, change.time, change.actor)
            cause = Cause(*origin, reason, change.origin)
            audit += self._mark_incomplete(cause, latest=max(one.asked_at for one in doubtful)).audit
        return replace(patch, position=self.position, audit=audit, rereads=rereads)

    def _apply(self, change: Change) -> Patch:
        if isinstance(change.data, PrincipalChange):
            return self._apply_to_principals(change, change.data)
        before = self._accounts.get(change.data.account_id) if isinstance(change.data, AccountMoved) else None
        merge = self.organization.merge(facts_of(change))
        if not merge.facts:
            return Patch(self.organization_id, self.position)
        cause = self._cause(change, moved_from=before.parent_id if before else None)

        renamed = self._ceilings.rename({policy: self.organization.name_of(policy) for policy in merge.renamed})
        departed = self._depart(merge.retold, cause)
        stepping = Steps(self.organization, self._accounts, self._ceilings)
        steps = stepping.of(sorted(merge.accounts), merge.retold)

        probes, flips = self._look_at_probes(merge, cause)
        journal = Journal(self.organization_id, self.position.revision, self.position.chain_hash)
        rows = self._decide(steps, flips, cause, journal)
        position = self._reach(change, cause, journal)
        patch = Patch(
            organization_id=self.organization_id,
            position=position,
            facts=merge.facts,
            accounts=rows,
            departed=departed,
            chains=(*renamed, *stepping.chains),
            documents=tuple(stepping.documents),
            permission_sets=self._permission_sets(steps, {row.account_id for row in rows}),
            audit=journal.events,
            probes=probes,
        )
        self._keep(patch)
        return patch

    def _apply_to_principals(self, change: Change, data: PrincipalChange) -> Patch:
        principals, altered = self.principals.take_in(change, data)
        if principals == PrincipalPatch():
            return Patch(self.organization_id, self.position)
        cause = self._cause(change)
        probes, flips = self._renew_probes(self._probes.touched({data.account_id}), cause)
        journal = Journal(self.organization_id, self.position.revision, self.position.chain_hash)
        notices = self._notice_writer().of_principals(data.account_id, altered, flips)
        if notices:
            journal.changed(cause, notices, complete=self.position.complete)
        self.position = replace(self.position, revision=journal.revision, chain_hash=journal.chain_hash)
        return Patch(self.organization_id, self.position, audit=journal.events, principals=principals, probes=probes)

    def _cause(self, change: Change, *, moved_from: str | None = None) -> Cause:
        return Cause(
            source=change.source,
            event_id=change.event_id,
            event_type=change.type,
            time=change.time,
            actor=change.actor,
            summary=describe(change, self.organization, moved_from=moved_from),
            origin=change.origin,
            names=names_of(change, self.organization, moved_from=moved_from),
        )

    def _notice_writer(self) -> NoticeWriter:
        return NoticeWriter(self._accounts, self._ceilings, self.principals.directory)

    def _look_at_probes(self, merge: Merge, cause: Cause) -> tuple[ProbePatch, list[Flip]]:
        kinds = {fact.kind for fact in merge.facts}
        told = {fact.subject for fact in merge.facts if fact.kind == FactKind.PROBE}
        # Policies of types that bind resources are no reason to look at the rows of accounts.
        touched = self._probes.touched(None if FactKind.POLICY_TYPE in kinds else merge.accounts)
        return self._renew_probes([*touched, *told], cause)

    def _renew_probes(self, names: Sequence[str], cause: Cause) -> tuple[ProbePatch, list[Flip]]:
        if not names:
            return ProbePatch(), []
        watcher = Watcher(Surroundings(self.organization), self.principals.directory)
        return self._probes.renew(
            names, self.organization.probe, watcher.find, time=cause.time, cause_event_id=cause.event_id
        )

    def refresh(self, cause: Cause) -> Patch:
        """
        Work out every row anew, and return those that differ, with the permission sets of all of them.

        What consumers were told otherwise is told as a change of decisions, with *cause*.
        """
        self._stored_permissions.clear()
        ordered = sorted({*self.organization.accounts(), *self._accounts})
        departed = self._depart(ordered, cause)
        stepping = Steps(self.organization, self._accounts, self._ceilings, anew=True)
        steps = stepping.of(ordered, frozenset(ordered))
        probes, flips = self._renew_probes(self._probes.touched(None), cause)
        journal = Journal(self.organization_id, self.position.revision, self.position.chain_hash)
        rows = self._decide(steps, flips, cause, journal)
        patch = Patch(
            organization_id=self.organization_id,
            position=replace(self.position, revision=journal.revision, chain_hash=journal.chain_hash),
            accounts=rows,
            departed=departed,
            chains=tuple(stepping.chains),
            documents=tuple(stepping.documents),
            permission_sets=self._permission_sets(steps, {step.after.account_id for step in steps}),
            audit=journal.events,
            probes=probes,
        )
        self._keep(patch)
        return patch

    def mark_incomplete(
        self, *, source: str, cause_id: str, time: datetime, reason: str, by_loss: bool = False
    ) -> Patch:
        """
        Record that a change could not be processed, so that the view may be wrong until it is, or until a later snapshot.

        Args:
            source: Where *cause_id* is unique, for example the topic.
            cause_id: What names the record in any repetition, for example its partition and offset.
            time: When the change took effect, or at the latest.
            reason: Why it could not be processed.
            by_loss: Whether the record is gone, so that nobody can process it later.
        """
        return self._mark_incomplete(Cause(source, cause_id, None, time, None, reason), latest=time, by_loss=by_loss)

    def _mark_incomplete(self, cause: Cause, *, latest: datetime, by_loss: bool = False) -> Patch:
        journal = Journal(self.organization_id, self.position.revision, self.position.chain_hash)
        until = max(latest, self.position.incomplete_until or latest)
        if self.position.complete:
            journal.became_incomplete(cause, reason=cause.summary)
            position = (journal.revision, journal.chain_hash, cause.time, until, cause.summary, by_loss)
            self.position = Position(*position)
        else:
            lost = by_loss or self.position.incomplete_by_loss
            self.position = replace(self.position, incomplete_until=until, incomplete_by_loss=lost)
        return Patch(self.organization_id, self.position, audit=journal.events)

    def mark_complete(self, *, source: str, cause_id: str, time: datetime, summary: str) -> Patch:
        """
        Record that everything that could not be processed has been since; does nothing where records are gone.

        Args:
            source: Where *cause_id* is unique, for example the topic.
            cause_id: What names the record that was the last one, for example its partition and offset.
            time: When it was processed.
            summary: How that came about, in words.
        """
        since = self.position.incomplete_since
        if since is None or self.position.incomplete_by_loss:
            return Patch(self.organization_id, self.position)
        journal = Journal(self.organization_id, self.position.revision, self.position.chain_hash)
        cause = Cause(source, cause_id, None, time, None, summary)
        journal.became_complete(cause, reason=self.position.incomplete_reason, incomplete_since=since)
        self.position = Position(journal.revision, journal.chain_hash)
        return Patch(self.organization_id, self.position, audit=journal.events)

    def _depart(self, account_ids: Iterable[str], cause: Cause) -> tuple[Departure, ...]:
        registers = self.organization.registers
        gone = [
            self._accounts[account_id]
            for account_id in sorted(account_ids)
            if account_id in self._accounts and not registers.is_present(account_id)
        ]
        return tuple(Departure(row.account_id, max(cause.time, row.since), cause.event_id) for row in gone)

    def _decide(
        self, steps: Sequence[Step], flips: Sequence[Flip], cause: Cause, journal: Journal
    ) -> tuple[AccountState, ...]:
        """
        Write the audit events of *steps* and *flips*, and return the rows that differ from before.
        """
        notices = self._notice_writer().of_accounts(steps, flips)
        if notices:
            journal.changed(cause, notices, complete=self.position.complete)
        return tuple(
            step.after._replace(
                revision=journal.revision,
                since=max(cause.time, step.before.since) if step.before else cause.time,
                cause_event_id=cause.event_id,
            )
            for step in steps
            if step.after != step.before
        )

    def _reach(self, change: Change, cause: Cause, journal: Journal) -> Position:
        """
        Return the position after *change*. A snapshot that is later than all that was missed makes the view complete.
        """
        since, until = self.position.incomplete_since, self.position.incomplete_until
        if not isinstance(change.data, SnapshotTaken) or since is None or until is None or change.time <= until:
            return replace(self.position, revision=journal.revision, chain_hash=journal.chain_hash)
        # After the decisions that the snapshot has changed: whoever reads this event has read all that was missing.
        journal.became_complete(cause, reason=self.position.incomplete_reason, incomplete_since=since)
        return Position(journal.revision, journal.chain_hash)

    def _permission_sets(self, steps: Iterable[Step], written: set[str]) -> tuple[PermissionState, ...]:
        found: dict[str, PermissionState] = {}
        for step in steps:
            row, binding = step.after, step.binding
            if row.account_id not in written or binding is None or row.chain_id is None or row.permissions_id is None:
                continue
            if row.permissions_id not in found:
                permissions = step.permissions or self._ceilings.permissions(row.chain_id, binding)
                found[row.permissions_id] = self._permission_state(permissions, binding)
        return tuple(found.values())

    def _permission_state(self, permissions: Permissions, binding: AccountBinding) -> PermissionState:
        permissions_id = permissions.permissions_id
        if permissions_id not in self._summaries:
            if len(self._summaries) >= SUMMARIES:
                self._summaries.clear()
            anybody = replace(binding, account_id=ACCOUNT_PLACEHOLDER)
            self._summaries[permissions_id] = permissions.summary(anybody)
        return PermissionState(
            permissions_id=permissions_id,
            permissions=self._summaries[permissions_id],
            verdicts=None if permissions_id in self._stored_permissions else permissions.verdicts(),
        )

    def _keep(self, patch: Patch) -> None:
        self.position = patch.position
        for row in patch.accounts:
            self._accounts[row.account_id] = row
        for departure in patch.departed:
            del self._accounts[departure.account_id]
        self._stored_permissions.update(state.permissions_id for state in patch.permission_sets)
        self._ceilings.sweep(row.reported_chain_id for row in self._accounts.values())


def _reason(request: RereadRequest) -> str:
    return f"{request.kind} {request.object_id} is to be read again: {request.reason}"
