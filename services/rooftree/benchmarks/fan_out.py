"""
From one change to the audit events of all accounts that it touches, as a consumer sees them.

A policy is attached to one account, or to the root, and detached again, by turns with the floor: as many rows and
messages of the same bytes by bare aiokafka and asyncpg.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from rooftree.benchmarks.bare import ECHO_IN, ECHO_OUT, bare_topics
from rooftree.benchmarks.exchange import Exchange, open_exchange
from rooftree.benchmarks.measure import Measurement, summed_up
from rooftree.benchmarks.processes import Process, run_process, run_roles
from rooftree.benchmarks.seeding import seeded
from rooftree.benchmarks.stage import Servers
from rooftree.benchmarks.waiting import eventually
from rooftree.benchmarks.workload import ROOT, OrganizationStream
from rooftree.settings import Settings
from rooftree.store.database import Connection, connect_database
from rooftree.stream import ensure_topics

__all__ = ["FanOut", "fan_out_measurements"]

POLICY = "p-00000001"
WARM_UP = 2
FLOOR = "the same rows and messages, bare"
AIM = 2.0
KIBIBYTE = 1024


@dataclass(frozen=True, slots=True)
class FanOut:
    """
    One size to measure.

    Attributes:
        accounts: How many one change touches.
        runs: How often.
    """

    accounts: int
    runs: int


async def fan_out_measurements(
    servers: Servers, sizes: Sequence[FanOut], *, scenario: str
) -> AsyncIterator[Measurement]:
    """
    Yield for each size how long the audit events take, and what the projector needs for them.
    """
    for size in sizes:
        async with servers.stage(scenario) as settings, AsyncExitStack() as stack:
            # Beside the account that is touched stand some that are not; the management account never is.
            stream = await seeded(settings, accounts=max(size.accounts + 1, 100))
            looking = await connect_database(settings.postgres_dsn.get_secret_value())
            stack.push_async_callback(looking.close)
            roles = await stack.enter_async_context(run_roles(settings, ["projector", "relay"], servers.folder))
            audit = await stack.enter_async_context(open_exchange(settings, settings.audit_topic))
            subject = _Subject(settings, stream, audit, size.accounts)
            for _ in range(WARM_UP):
                await subject.once()
            await _until_sent(looking)
            floor = await stack.enter_async_context(_bare_echo(settings, servers, looking, subject))
            for _ in range(WARM_UP):
                await floor.once(subject.last)
            yield await _by_turns(subject, floor, roles, looking, scenario=scenario, size=size)


class _Subject:
    """
    The service, asked for as many audit events as there are accounts to touch.

    Attributes:
        last: The change that was made last.
    """

    def __init__(self, settings: Settings, stream: OrganizationStream, exchange: Exchange, accounts: int) -> None:
        self._settings = settings
        self._exchange = exchange
        self._stream = stream
        self._target = stream.account_ids()[-1] if accounts == 1 else ROOT
        self.accounts = accounts
        self.last = b""

    async def once(self) -> float:
        """
        Make a change; returns the seconds until all audit events of it have come.
        """
        self.last = self._stream.hang(self._target, POLICY)
        topic = self._settings.changes_topic
        return await self._exchange.ask(topic, self._stream.name, self.last, answers=self.accounts)

    @property
    def name(self) -> tuple[str, str]:
        """
        The organization, and the id of the last change.
        """
        return self._stream.name, json.loads(self.last)["id"]


class _Floor:
    """
    The echo, asked for as many messages.
    """

    def __init__(self, topic: str, exchange: Exchange, accounts: int) -> None:
        self._topic = topic
        self._exchange = exchange
        self._accounts = accounts

    async def once(self, value: bytes) -> float:
        """
        Send a record; returns the seconds until the messages of it have come.
        """
        return await self._exchange.ask(self._topic, "echo", value, answers=self._accounts)


@asynccontextmanager
async def _bare_echo(
    settings: Settings, servers: Servers, looking: Connection, subject: _Subject
) -> AsyncIterator[_Floor]:
    topics = bare_topics(settings)
    roles = dict(zip(("changes_topic", "audit_topic", "permissions_topic"), topics.values(), strict=True))
    await ensure_topics(settings.model_copy(update=roles))
    async with (
        run_process("echo", ["-m", "rooftree.benchmarks.bare", "echo", *subject.name], settings, servers.folder),
        open_exchange(settings, topics[ECHO_OUT]) as exchange,
    ):

        async def is_ready() -> bool:
            return await looking.fetchval("select to_regclass('bare.ready')") is not None

        await eventually("the bare echo starts", is_ready)
        yield _Floor(topics[ECHO_IN], exchange, subject.accounts)


async def _until_sent(looking: Connection) -> None:
    async def is_sent() -> bool:
        return not await looking.fetchval("select exists (select from rooftree.outbox_waiting)")

    await eventually("everything is sent", is_sent)


async def _by_turns(
    subject: _Subject,
    floor: _Floor,
    roles: Mapping[str, Process],
    looking: Connection,
    *,
    scenario: str,
    size: FanOut,
) -> Measurement:
    times, floor_times, growth = [], [], 0
    busy = {name: process.cpu_seconds() for name, process in roles.items()}
    for _ in range(size.runs):
        floor_times.append(await floor.once(subject.last))
        rest = {name: process.resident_bytes() for name, process in roles.items()}
        for process in roles.values():
            process.forget_peak()
        times.append(await subject.once())
        growth = max(growth, *(process.peak_bytes() - rest[name] for name, process in roles.items()))
        # States of accounts may still be under way: they are not the floor's to wait for.
        await _until_sent(looking)
    detail = {
        f"{name}_cpu_seconds": (process.cpu_seconds() - busy[name]) / size.runs for name, process in roles.items()
    }
    detail["growth_kib_per_account"] = growth / KIBIBYTE / size.accounts
    accounts = f"{size.accounts:,} account{'s' if size.accounts > 1 else ''}"
    return summed_up(
        scenario, f"a change to the last audit event, {accounts}", FLOOR, times, floor_times,
        count=size.accounts, size=size.accounts, aim=AIM, detail=detail,
    )  # fmt: skip
