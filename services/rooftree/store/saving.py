"""
The bulk statements of a commit: columns in arrays where rows may exist, COPY where they cannot and are many.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from rooftree.ports.change_log import LogPartition
from rooftree.ports.letters import DeadLetter
from rooftree.ports.projection import OrganizationCommit
from rooftree.store.database import Connection, as_json
from rooftree.store.inserting import insert_rows
from rooftree.store.principals import save_principals
from rooftree.store.probes import save_probes
from rooftree.store.queries import query
from rooftree.store.rereads import save_rereads
from rooftree.store.rows import HistoryRow, HistoryWrite, LastRow, Writes
from rooftree.store.stored import levels_of
from rooftree.view.patch import AccountState, Position

__all__ = ["copy_letters", "copy_seen", "save_accounts", "save_position", "save_writes"]

_ACCOUNTS_AT_A_TIME = 5_000
"""What is in memory of a change of very many accounts while it is written."""


async def save_writes(connection: Connection, organization_id: str, writes: Writes) -> None:
    """
    Write what a commit says about the state of one organization, whose row is locked.
    """
    await _save_facts(connection, organization_id, writes)
    await _save_chains(connection, organization_id, writes)
    changed = sorted(writes.steps)
    for start in range(0, len(changed), _ACCOUNTS_AT_A_TIME):
        await _save_steps(connection, organization_id, writes, changed[start : start + _ACCOUNTS_AT_A_TIME])
    await save_principals(connection, organization_id, writes.principals)
    await save_probes(connection, organization_id, writes.probes)
    await save_rereads(connection, organization_id, writes.rereads)


async def _save_steps(connection: Connection, organization_id: str, writes: Writes, account_ids: list[str]) -> None:
    """
    Write what some accounts went through.
    """
    rows = await connection.fetch(query("last_history"), organization_id, account_ids)
    last = {row["account_id"]: LastRow(row["valid_from"], row["valid_to"]) for row in rows}
    history = writes.history(account_ids, last)
    ends = [(account_id, writes.steps[account_id][-1].state) for account_id in account_ids]
    await save_accounts(connection, organization_id, [state for _, state in ends if state is not None], history.since)
    if departed := [account_id for account_id, state in ends if state is None]:
        await connection.execute(query("remove_accounts"), organization_id, departed)
    await _save_history(connection, organization_id, history)


async def _save_facts(connection: Connection, organization_id: str, writes: Writes) -> None:
    facts = list(writes.facts.values())
    if facts:
        await connection.execute(
            query("save_facts"),
            organization_id,
            [fact.kind for fact in facts],
            [fact.subject for fact in facts],
            [fact.attribute for fact in facts],
            [as_json(fact.value) for fact in facts],
            [fact.version.time for fact in facts],
            [fact.version.sequence for fact in facts],
            [fact.version.rank for fact in facts],
            [fact.version.event_id for fact in facts],
        )


async def _save_chains(connection: Connection, organization_id: str, writes: Writes) -> None:
    if writes.chains:
        told = [levels_of(chain) for chain in writes.chains.values()]
        levels = [None if one is None else as_json(one) for one in told]
        await connection.execute(query("save_chains"), organization_id, list(writes.chains), levels)
    if writes.documents:
        contents = [document.content for document in writes.documents.values()]
        await connection.execute(query("save_documents"), organization_id, list(writes.documents), contents)


async def save_accounts(
    connection: Connection, organization_id: str, states: Sequence[AccountState], since: Mapping[str, datetime]
) -> None:
    """
    Insert or overwrite rows of the view.

    Args:
        connection: In a transaction that has locked the organization.
        organization_id: The organization.
        states: The rows.
        since: From when on each of them holds.
    """
    if states:
        columns: Sequence[Sequence[object]] = list(zip(*(_account_columns(state) for state in states), strict=True))
        starts = [since[state.account_id] for state in states]
        told = (organization_id, *columns[:-1], starts, columns[-1])
        # Nearly all are there, and to insert what is there takes twice as long as to update it.
        if await connection.execute(query("update_accounts"), *told) != f"UPDATE {len(states)}":
            await connection.execute(query("insert_accounts"), *told)


def _account_columns(state: AccountState) -> tuple[object, ...]:
    return (
        state.account_id,
        state.name,
        state.email,
        state.status,
        state.parent_id,
        "/".join(state.path),
        state.placed,
        state.chain_id,
        state.permissions_id,
        state.reported_chain_id,
        state.revision,
        state.cause_event_id,
    )


async def _save_history(connection: Connection, organization_id: str, history: HistoryWrite) -> None:
    if history.replaced:
        starts = list(history.replaced.values())
        await connection.execute(query("replace_history"), organization_id, list(history.replaced), starts)
    if history.closed:
        starts, ends = map(list, zip(*history.closed.values(), strict=True))
        await connection.execute(query("close_history"), organization_id, list(history.closed), starts, ends)
    for complete, account_ids in history.begun.items():
        await connection.execute(query("begin_history"), organization_id, account_ids, complete)
    if history.rows:
        await insert_rows(
            connection,
            "account_history",
            [
                *("organization_id", "account_id", "valid_from", "valid_to", "name", "email", "status", "parent_id"),
                *("path", "placed", "chain_id", "permissions_id", "revision", "complete", "cause_event_id"),
            ],
            [_history_columns(organization_id, row) for row in history.rows],
            count=len(history.rows),
        )


def _history_columns(organization_id: str, row: HistoryRow) -> tuple[object, ...]:
    state = row.state
    return (
        organization_id,
        state.account_id,
        row.valid_from,
        row.valid_to,
        state.name,
        state.email,
        state.status,
        state.parent_id,
        state.path,
        state.placed,
        state.chain_id,
        state.permissions_id,
        state.revision,
        row.complete,
        state.cause_event_id,
    )


async def save_position(connection: Connection, organization_id: str, position: Position) -> None:
    """
    Move an organization, whose row is locked, to where its view stands now.
    """
    await connection.execute(
        query("save_organization"),
        organization_id,
        position.revision,
        position.chain_hash,
        position.incomplete_since,
        position.incomplete_until,
        position.incomplete_reason,
        position.incomplete_by_loss,
    )


async def copy_seen(connection: Connection, partition: LogPartition, commit: OrganizationCommit) -> None:
    """
    Write which changes the view holds now.
    """
    if commit.seen:
        await insert_rows(
            connection,
            "seen_event",
            [
                *("organization_id", "source", "event_id", "type", "time", "revision"),
                *("log_id", "topic", "partition_id", "record_offset", "record_time"),
            ],
            [
                (
                    commit.organization_id,
                    event.source,
                    event.event_id,
                    event.type,
                    event.time,
                    event.revision,
                    partition.log_id,
                    partition.topic,
                    partition.partition,
                    event.offset,
                    event.record_time,
                )
                for event in commit.seen
            ],
            count=len(commit.seen),
        )


async def copy_letters(
    connection: Connection, partition: LogPartition, letters: Sequence[DeadLetter], *, software_version: str
) -> None:
    """
    Write records that could not be processed, their bytes untouched.
    """
    now = datetime.now(UTC)
    await connection.copy_records_to_table(
        "dead_letter",
        schema_name="rooftree",
        columns=[
            *("organization_id", "log_id", "topic", "partition_id", "record_offset", "record_time", "key", "value"),
            *("header_names", "header_values", "reason", "place", "disposition", "error_class", "software_version"),
            *("resolved_at", "resolution"),
        ],
        records=[
            (
                letter.organization_id,
                partition.log_id,
                partition.topic,
                partition.partition,
                letter.record.offset,
                letter.record.time,
                letter.record.key,
                letter.record.value,
                [name.encode("utf-8", "surrogateescape") for name, _ in letter.record.headers],
                [value for _, value in letter.record.headers],
                letter.reason,
                letter.place,
                letter.disposition,
                letter.error_class,
                software_version,
                now if letter.superseded else None,
                "snapshot" if letter.superseded else None,
            )
            for letter in letters
        ],
    )
