"""
The projector's side of the store: views out of it, batches into it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import rooftree
from rooftree.errors import LostPartitionError, StaleViewError
from rooftree.organization.memberships import Membership
from rooftree.ports.change_log import LogPartition
from rooftree.ports.letters import DeadLetter, OpenLetters, Replay
from rooftree.ports.projection import BatchCommit, LoadedView, OrganizationCommit
from rooftree.reading.reader import LetterName
from rooftree.store.database import Connection, Database, as_json
from rooftree.store.emitting import emit, told_pieces
from rooftree.store.principals import principal_fact_of, reported_of
from rooftree.store.probes import probe_of
from rooftree.store.queries import query
from rooftree.store.rereads import reread_of
from rooftree.store.rows import compress_verdicts, merge_patches
from rooftree.store.saving import copy_letters, copy_seen, save_position, save_writes
from rooftree.store.stored import account_of, chain_of, facts_of
from rooftree.view.patch import GENESIS, DocumentRecord, PermissionState, Position
from rooftree.view.projection import OrganizationView

__all__ = ["PostgresProjection", "save_permission_set"]


class PostgresProjection:
    """
    The port `ProjectionStore` on PostgreSQL.
    """

    def __init__(self, database: Database, *, consumer_group: str, permissions_topic: str) -> None:
        self._database = database
        self._permissions_topic = permissions_topic
        self._group = consumer_group
        self._known_actions: frozenset[tuple[str, str]] = frozenset()

    async def stored_offsets(self, log_id: str, topic: str) -> Mapping[int, int]:
        """
        Return where to read on, by partition.
        """
        async with self._database.connection() as connection:
            rows = await connection.fetch(query("stored_offsets"), self._group, log_id, topic)
        return {row["partition_id"]: row["next_offset"] for row in rows}

    async def adopt_offsets(self, log_id: str, topic: str) -> None:
        """
        Take what was stored by the cluster alone, when it did not tell the id of the topic yet, as of *log_id*.
        """
        async with self._database.connection() as connection:
            await connection.execute(query("adopt_offsets"), self._group, log_id, topic)

    async def read_elsewhere(self, log_id: str, topic: str) -> Mapping[int, str]:
        """
        Return the partitions that were read before from another log of this name, each with the id of that log.
        """
        async with self._database.connection() as connection:
            rows = await connection.fetch(query("other_logs"), self._group, log_id, topic)
        return {row["partition_id"]: row["log_id"] for row in rows}

    async def note_loss(self, partition: LogPartition, reason: str) -> None:
        """
        Write down that reading of a partition has stopped since records were lost, for those who do not read it.
        """
        place = (self._group, partition.topic, partition.partition, partition.log_id)
        async with self._database.connection() as connection:
            await connection.execute(query("note_loss"), *place, reason)

    async def clear_losses(self, topic: str, partitions: Sequence[int]) -> None:
        """
        Write down that partitions are read again.
        """
        async with self._database.connection() as connection:
            await connection.execute(query("clear_losses"), self._group, topic, list(partitions))

    async def organizations_of(self, partition: LogPartition) -> Sequence[str]:
        """
        Return the organizations whose changes have come by a partition.
        """
        async with self._database.connection() as connection:
            rows = await connection.fetch(query("organizations_of_partition"), partition.topic, partition.partition)
        return [row["organization_id"] for row in rows]

    async def seen(self, events: Mapping[str, Sequence[tuple[str, str]]]) -> set[tuple[str, str, str]]:
        """
        Return which of the events the view already holds.
        """
        triples = [(organization, *event) for organization, listed in events.items() for event in listed]
        if not triples:
            return set()
        async with self._database.connection() as connection:
            rows = await connection.fetch(query("seen_among"), *map(list, zip(*triples, strict=True)))
        return {(row["organization_id"], row["source"], row["event_id"]) for row in rows}

    async def memberships(self, account_ids: Sequence[str]) -> Sequence[Membership]:
        """
        Return the organizations that accounts belong to, or have belonged to.
        """
        async with self._database.connection() as connection:
            rows = await connection.fetch(query("memberships"), list(account_ids))
        return [Membership(row["organization_id"], row["account_id"], row["present"]) for row in rows]

    async def open_letters(self, organization_id: str, replays: Sequence[tuple[LetterName, bytes]]) -> OpenLetters:
        """
        Return how many dead letters of an organization wait, and which of *replays* are of one of them.
        """
        columns = _letter_columns([letter for letter, _ in replays])
        digests = [digest for _, digest in replays]
        async with self._database.transaction(read_only=True) as connection:
            count = await connection.fetchval(query("count_open_letters"), organization_id)
            rows = await connection.fetch(query("replayed_letters"), organization_id, *columns, digests)
        return OpenLetters(count, frozenset(replays[row["position"] - 1] for row in rows))

    async def load_view(self, organization_id: str) -> LoadedView:
        """
        Return the view of an organization, all of it as of one moment.
        """
        async with self._database.transaction(read_only=True) as connection:
            head = await connection.fetchrow(query("load_organization"), organization_id)
            facts = await connection.fetch(query("load_facts"), organization_id)
            accounts = await connection.fetch(query("load_accounts"), organization_id)
            chains = await connection.fetch(query("load_chains"), organization_id)
            documents = await connection.fetch(query("load_documents"), organization_id)
            principals = await connection.fetch(query("load_principal_facts"), organization_id)
            reported = await connection.fetch(query("load_reported_principals"), organization_id)
            probes = await connection.fetch(query("load_probes"), organization_id)
            rereads = await connection.fetch(query("load_rereads"), organization_id)
            principal_documents = await connection.fetch(query("load_principal_documents"), organization_id)
        stored = dict(head) if head else {"version": 0}
        version = stored.pop("version")
        view = OrganizationView.load(
            organization_id,
            facts_of(facts),
            [account_of(row) for row in accounts],
            Position(**stored),
            chains=[chain_of(row) for row in chains],
            documents=[DocumentRecord(row["digest"], row["content"]) for row in documents],
            principals=[principal_fact_of(row) for row in principals],
            principal_documents=[DocumentRecord(row["digest"], row["content"]) for row in principal_documents],
            reported=[reported_of(row) for row in reported],
            probes=[probe_of(row) for row in probes],
            rereads=[reread_of(row) for row in rereads],
        )
        return LoadedView(view, version)

    async def commit(self, batch: BatchCommit) -> None:
        """
        Write a batch and move the offset, all or nothing.
        """
        await self._remember_actions(batch)
        async with self._database.transaction() as connection:
            await self._move_offset(connection, batch)
            # One order of locks everywhere, so that two batches never wait for each other.
            for organization in sorted(batch.organizations, key=lambda commit: commit.organization_id):
                await self._save_organization(connection, batch, organization)
            await _save_letters(connection, batch.partition, batch.letters)
            await _save_replays(connection, batch.replays)
            if batch.letters or any(organization.tells for organization in batch.organizations):
                await connection.execute(query("nudge_relays"))

    async def _move_offset(self, connection: Connection, batch: BatchCommit) -> None:
        partition = batch.partition
        place = (self._group, partition.log_id, partition.topic, partition.partition)
        moved = await connection.fetchval(query("move_offset"), *place, batch.from_offset, batch.to_offset)
        if moved is None:
            raise LostPartitionError(
                f"partition {partition.partition} of `{partition.topic}` no longer stands at {batch.from_offset}"
            )

    async def _save_organization(self, connection: Connection, batch: BatchCommit, commit: OrganizationCommit) -> None:
        await connection.execute(query("make_organization"), commit.organization_id, GENESIS)
        head = await connection.fetchrow(query("lock_organization"), commit.organization_id)
        if head is None or head["version"] != commit.expected_version:
            raise StaleViewError(commit.organization_id)
        if commit.superseded:
            await connection.execute(query("supersede_letters"), commit.organization_id)
        writes, outgoing = merge_patches(commit.patches), commit.outgoing
        async with told_pieces(writes.audit, outgoing) as pieces:
            await save_writes(connection, commit.organization_id, writes)
            for state in writes.permission_sets.values():
                await save_permission_set(connection, commit.organization_id, state)
            states = () if outgoing is None else outgoing.states
            await emit(connection, commit.organization_id, pieces, states, commit.seen)
        await copy_seen(connection, batch.partition, commit)
        position = writes.position
        if commit.expected_version == 0:
            # All states of a new organization are in the outbox already.
            place = (batch.partition.cluster_id, self._permissions_topic)
            await connection.execute(query("mark_filled"), commit.organization_id, *place)
        elif head["complete"] != position.complete:
            # Each state says whether its organization is complete: the relay sends all of them anew.
            await connection.execute(query("mark_unfilled"), commit.organization_id)
        await save_position(connection, commit.organization_id, position)

    async def _remember_actions(self, batch: BatchCommit) -> None:
        # The catalog is that of the software, not of an organization: in a transaction of its own, and once.
        named: set[tuple[str, str]] = set()
        for state in _permission_sets(batch):
            named |= (state.verdicts or {}).keys() - self._known_actions
        if not named:
            return
        columns = [list(column) for column in zip(*sorted(named), strict=True)]
        async with self._database.connection() as connection:
            await connection.execute(query("save_known_actions"), *columns)
        self._known_actions |= named


def _permission_sets(batch: BatchCommit) -> list[PermissionState]:
    return [
        state
        for organization in batch.organizations
        for patch in organization.patches
        for state in patch.permission_sets
    ]


async def save_permission_set(connection: Connection, organization_id: str, state: PermissionState) -> None:
    """
    Write a permission set with its verdicts, unless it is there.
    """
    verdict, services = compress_verdicts(state.verdicts or {})
    inserted = await connection.fetchval(
        query("save_permission_set"), organization_id, state.permissions_id, state.permissions, verdict
    )
    if inserted is not None and services:
        await connection.execute(
            query("save_permission_set_services"),
            organization_id,
            state.permissions_id,
            [service.service for service in services],
            [service.verdict for service in services],
            [as_json(service.exceptions) for service in services],
        )


async def _save_letters(connection: Connection, partition: LogPartition, letters: Sequence[DeadLetter]) -> None:
    if letters:
        await copy_letters(connection, partition, letters, software_version=rooftree.__version__)


async def _save_replays(connection: Connection, replays: Sequence[Replay]) -> None:
    if done := [replay for replay in replays if replay.failure is None]:
        letters = [replay.letter for replay in done]
        columns = _letter_columns(letters)
        await connection.execute(query("resolve_letters"), [letter.organization_id for letter in letters], *columns)
    for replay in replays:
        if (failure := replay.failure) is not None:
            await connection.execute(
                query("letter_failed_again"),
                replay.letter.organization_id,
                *(column[0] for column in _letter_columns([replay.letter])),
                failure.reason,
                failure.place,
                failure.disposition,
                failure.error_class,
                rooftree.__version__,
            )


def _letter_columns(letters: Sequence[LetterName]) -> tuple[list[str], list[str], list[int], list[int]]:
    return (
        [letter.log_id for letter in letters],
        [letter.topic for letter in letters],
        [letter.partition for letter in letters],
        [letter.offset for letter in letters],
    )
