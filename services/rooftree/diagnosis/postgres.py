"""
The database.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rooftree.diagnosis.finding import Finding

__all__ = ["OldestTransaction", "PostgresFacts", "judge_postgres"]

OLDEST_SERVER: Final = 150_000
CLOCK_SECONDS: Final = 2.0
OLD_TRANSACTION_SECONDS: Final = 300.0
FEW_CONNECTIONS: Final = 0.9


@dataclass(frozen=True, slots=True)
class OldestTransaction:
    """
    What has been open for longest in this database.

    Attributes:
        application: As its client calls itself.
        seconds: For how long.
        waits_for: The process whose lock it waits for; None if it waits for none.
    """

    pid: int
    application: str
    user: str
    state: str
    seconds: float
    waits_for: int | None


@dataclass(frozen=True, slots=True)
class PostgresFacts:
    """
    What a server says of itself, of the schema and of this user.

    Attributes:
        version: As ``server_version_num`` has it.
        settings: ``fsync``, ``synchronous_commit`` and ``full_page_writes``.
        missing_steps: Steps of the schema that were not applied; none where this user may not read which were.
        edited_steps: Steps that are others now than when they were applied.
        roles: Those of the service that this user has; none of them matters where it sees all.
        sees_all: Whether no row is hidden from it: it owns the schema, or is more than that.
        sees_sessions: Whether it may see what sessions of others are at.
        unreadable: Tables and views that this user may not read, though its roles may, or though it has none.
        unwritable: Tables that it may not write, likewise.
        hidden: Tables and views that it may not read, and need not.
        clock_skew: By how many seconds its clock is ahead of this machine's.
        oldest: Its oldest transaction, if one is open.
    """

    version: int
    in_recovery: bool
    settings: dict[str, str]
    missing_steps: Sequence[str]
    edited_steps: Sequence[str]
    roles: Sequence[str]
    sees_all: bool
    sees_sessions: bool
    unreadable: Sequence[str]
    unwritable: Sequence[str]
    hidden: Sequence[str]
    clock_skew: float
    connections: int
    max_connections: int
    oldest: OldestTransaction | None


def judge_postgres(facts: PostgresFacts) -> Iterator[Finding]:
    """
    Yield what there is to say about a database.
    """
    yield _server(facts)
    yield _durability(facts)
    if not facts.unreadable or facts.roles:
        yield _schema(facts)
    if not facts.missing_steps:
        yield _rights(facts)
    yield _clock(facts)
    yield _connections(facts)
    yield _oldest(facts.oldest, sees_sessions=facts.sees_sessions)


def _server(facts: PostgresFacts) -> Finding:
    told = f"PostgreSQL {facts.version // 10_000}.{facts.version % 10_000}"
    if facts.in_recovery:
        return Finding.problem(
            "postgres.server", f"{told}, a standby that takes no writes", "name the primary in ROOFTREE_POSTGRES_DSN"
        )
    if facts.version < OLDEST_SERVER:
        return Finding.problem("postgres.server", f"{told} is too old", "PostgreSQL 15 or newer is needed")
    return Finding.ok("postgres.server", told)


def _durability(facts: PostgresFacts) -> Finding:
    off = [f"{name}={value}" for name, value in sorted(facts.settings.items()) if value == "off"]
    if not off:
        return Finding.ok("postgres.durability", "a commit is on disk before it is told")
    return Finding.problem(
        "postgres.durability",
        f"{', '.join(off)}: what was committed may be lost when the server dies",
        f"turn {'it' if len(off) == 1 else 'them'} on: offsets and audit events are promised to stay",
    )


def _schema(facts: PostgresFacts) -> Finding:
    if facts.edited_steps:
        return Finding.problem(
            "postgres.schema",
            f"{', '.join(facts.edited_steps)} were edited after they had been applied",
            "run the version of Rooftree that this database belongs to",
        )
    if facts.missing_steps:
        return Finding.problem(
            "postgres.schema", f"the database lacks {', '.join(facts.missing_steps)}", "run `rooftree migrate`"
        )
    return Finding.ok("postgres.schema", "of this version")


def _rights(facts: PostgresFacts) -> Finding:
    for verb, names in (("read", facts.unreadable), ("write", facts.unwritable)):
        if names and facts.roles:
            return Finding.problem(
                "postgres.rights",
                f"this user may not {verb} {_some(names)}, though {_some(facts.roles)} may",
                "let the user inherit what its roles may: `alter role … inherit`",
            )
    if not facts.sees_all and not facts.roles:
        return Finding.problem(
            "postgres.rights",
            "this user has no role of the service, and "
            + (f"may not read {_some(facts.unreadable)}" if facts.unreadable else "row-level security shows it no row"),
            "grant it the role of its worker, such as rooftree_projector, or rooftree_reader",
        )
    if facts.sees_all:
        return Finding.ok("postgres.rights", "this user may read and write the schema")
    passed = f"; {len(facts.hidden)} tables and views are not looked at, which it need not read" if facts.hidden else ""
    return Finding.ok("postgres.rights", f"this user may what {_some(facts.roles)} may{passed}")


def _clock(facts: PostgresFacts) -> Finding:
    if abs(facts.clock_skew) < CLOCK_SECONDS:
        return Finding.ok("clock.postgres", "agrees with this machine's")
    ahead = "ahead of" if facts.clock_skew > 0 else "behind"
    return Finding.problem(
        "clock.postgres",
        f"the clock of PostgreSQL is {abs(facts.clock_skew):.1f} seconds {ahead} this machine's",
        "set both by NTP: ages, leases and the bound on changes from the future are counted by them",
    )


def _connections(facts: PostgresFacts) -> Finding:
    told = f"{facts.connections} of {facts.max_connections} connections are taken"
    if facts.connections < FEW_CONNECTIONS * facts.max_connections:
        return Finding.ok("postgres.connections", told)
    return Finding.warning(
        "postgres.connections", told, "raise max_connections, or lower ROOFTREE_POSTGRES_POOL_SIZE of the roles"
    )


def _oldest(oldest: OldestTransaction | None, *, sees_sessions: bool) -> Finding:
    if oldest is None or oldest.seconds < OLD_TRANSACTION_SECONDS:
        seen = "none" if sees_sessions else "of those that this user may see (its own), none"
        return Finding.ok("postgres.transactions", f"{seen} has been open for long")
    waits = f", which waits for process {oldest.waits_for}" if oldest.waits_for is not None else ""
    return Finding.problem(
        "postgres.transactions",
        f"process {oldest.pid} (`{oldest.application or 'unnamed'}`, user {oldest.user}, {oldest.state}{waits})"
        f" has had a transaction open for {oldest.seconds:.0f} seconds",
        f"it keeps old rows from being removed, and its locks: end it by `select pg_terminate_backend({oldest.pid})`",
    )


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"
