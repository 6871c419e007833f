"""
The pages of the dashboard, each beside the rows that it shows, fetched bare.

What counts is the time within the process that serves them, which every answer tells (``Server-Timing``).
"""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

import httpx
from pydantic import SecretStr

from rooftree.benchmarks.measure import Measurement, summed_up
from rooftree.benchmarks.processes import Process, run_roles
from rooftree.benchmarks.seeding import ACTORS, seeded
from rooftree.benchmarks.stage import Servers
from rooftree.benchmarks.waiting import eventually
from rooftree.benchmarks.workload import OrganizationStream
from rooftree.embedded.child import free_port
from rooftree.errors import UnavailableError
from rooftree.organization.timestamps import format_time
from rooftree.settings import Settings
from rooftree.store.database import Connection, connect_database

__all__ = ["page_measurements", "time_within"]

BUDGET: Final = 0.1
WARM_UP: Final = 2
PATIENCE: Final = 120.0
FLOOR: Final = "its rows by bare queries"

Bare = tuple[str, tuple[object, ...]]
"""A statement with its values."""


@dataclass(frozen=True, slots=True)
class _Page:
    """
    A page, and what it shows as it lies in the database.
    """

    name: str
    address: str
    bare: Sequence[Bare]


async def page_measurements(
    servers: Servers, *, accounts: int, changes: int, runs: int, scenario: str = "pages"
) -> AsyncIterator[Measurement]:
    """
    Yield the time of each page of an organization that has seen so many changes.
    """
    token, port = secrets.token_urlsafe(32), free_port()
    chosen = {"admin_token": SecretStr(token), "http_port": port, "http_rate_limit": 0}
    async with servers.stage(scenario, **chosen) as settings:
        stream = await seeded(settings, accounts=accounts, changes=changes)
        async with _looking(settings) as looking, run_roles(settings, ["api"], servers.folder) as roles:
            pages = await _pages(looking, stream)
            headers = {"authorization": f"Bearer {token}"}
            address = f"http://{settings.http_host}:{port}"
            async with httpx.AsyncClient(base_url=address, headers=headers, timeout=PATIENCE) as client:
                await eventually("the API answers", lambda: _is_ready(client))
                for page in pages:
                    yield await _measured(page, client, looking, roles["api"], scenario, size=accounts, runs=runs)


def time_within(answer: httpx.Response) -> float:
    """
    Return the seconds that the process which serves says an answer took.

    Raises:
        UnavailableError: It is no answer to what was asked.
    """
    told = answer.headers.get("server-timing", "")
    if answer.status_code != 200 or "dur=" not in told:
        raise UnavailableError(f"`{answer.request.url}` was answered with {answer.status_code}")
    return float(told.rpartition("dur=")[2]) / 1000


async def _measured(
    page: _Page,
    client: httpx.AsyncClient,
    looking: Connection,
    process: Process,
    scenario: str,
    *,
    size: int,
    runs: int,
) -> Measurement:
    async def asked() -> float:
        return time_within(await client.get(page.address))

    times, floor_times, busy = [], [], 0.0
    for number in range(WARM_UP + runs):
        if number == WARM_UP:
            busy = process.cpu_seconds()
        floor, taken = await _fetched(looking, page.bare), await asked()
        if number >= WARM_UP:
            times.append(taken)
            floor_times.append(floor)
    detail = {"api_cpu_seconds": (process.cpu_seconds() - busy) / runs}
    return summed_up(scenario, page.name, FLOOR, times, floor_times, size=size, budget=BUDGET, detail=detail)


async def _fetched(looking: Connection, bare: Sequence[Bare]) -> float:
    """
    Return the seconds in which the rows come.
    """
    started = time.perf_counter()
    for statement, values in bare:
        await looking.fetch(statement, *values)
    return time.perf_counter() - started


@asynccontextmanager
async def _looking(settings: Settings) -> AsyncIterator[Connection]:
    connection = await connect_database(settings.postgres_dsn.get_secret_value())
    try:
        yield connection
    finally:
        await connection.close()


async def _is_ready(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/readyz")).status_code == 200
    except httpx.TransportError:
        return False


_FRAME: Final = """
select * from rooftree.fact where organization_id = $1 and kind = any(array['organization', 'ou', 'policy', 'policy_type'])
"""
_COUNTS: Final = "select path[2], count(*), max(since) from rooftree.account where organization_id = $1 group by 1"
_NAMES: Final = """
select subject, value from rooftree.fact where organization_id = $1 and kind = any(array['ou', 'policy']) and attribute = 'name'
"""
_ACCOUNTS: Final = "select * from rooftree.account where organization_id = $1 order by account_id limit 50"
_ACCOUNT: Final = """
select a.*, p.permissions, c.levels
from rooftree.account as a
left join rooftree.permission_set as p using (organization_id, permissions_id)
left join rooftree.chain as c using (organization_id, chain_id)
where a.organization_id = $1 and a.account_id = $2
"""
_DOCUMENTS: Final = "select * from rooftree.policy_document where organization_id = $1"
_HISTORY: Final = "select * from rooftree.account_history where organization_id = $1 and account_id = $2"
_EVENTS: Final = (
    "select * from rooftree.audit_event where organization_id = $1 order by revision desc, part desc limit $2"
)
_EVENTS_OF_ACCOUNT: Final = """
select * from rooftree.audit_event
where organization_id = $1 and account_id = $2 order by revision desc, part desc limit 60
"""
_EVENTS_OF_CHANGE: Final = """
select * from rooftree.audit_event where organization_id = $1 and revision = $2 order by part limit 200
"""
_WIDEST: Final = """
select revision, time from rooftree.audit_event where organization_id = $1 and part = 1 order by parts desc, revision limit 1
"""

_CHAINS: Final = """
select c.*, g.count
from (select chain_id, count(*) from rooftree.account where organization_id = $1 group by 1) as g
left join rooftree.chain as c on c.organization_id = $1 and c.chain_id = g.chain_id
"""
_UNDER: Final = (
    "select * from rooftree.account where organization_id = $1 and path[2] = $2 order by account_id limit 100"
)


async def _pages(looking: Connection, stream: OrganizationStream) -> list[_Page]:
    """
    Return the pages of an organization: of the account and the change that have the most to show.
    """
    organization_id, account_id = stream.name, stream.account_ids()[1]
    [widest] = await looking.fetch(_WIDEST, organization_id)
    frame, counts, names = ((one, (organization_id,)) for one in (_FRAME, _COUNTS, _NAMES))
    some, chains, documents = ((one, (organization_id,)) for one in (_ACCOUNTS, _CHAINS, _DOCUMENTS))
    account, history, changes = (
        (one, (organization_id, account_id)) for one in (_ACCOUNT, _HISTORY, _EVENTS_OF_ACCOUNT)
    )
    feed = (_EVENTS, (organization_id, 25 * 12))

    def page(name: str, path: str, *bare: Bare, **parameters: str) -> _Page:
        query = f"?{urlencode(parameters)}" if parameters else ""
        return _Page(name, f"/{organization_id}{path}{query}", bare)

    of_account = f"/accounts/{account_id}"
    supposed = {"step": "attach", "policy": "p-00000001", "target": "ou-ab12-00000003"}
    under = (_UNDER, (organization_id, supposed["target"]))
    asked = {"action": "s3:DeleteBucket", "context": "aws:RequestedRegion=us-east-1"}
    question = {"account": account_id, **asked}
    return [
        page("the organization", "", frame, counts, some, (_EVENTS, (organization_id, 48))),
        page("a unit", "/nodes/ou-ab12-00000003", frame, counts, some, (_EVENTS, (organization_id, 48))),
        page("search", "/search", names, some, q="account-12"),
        page("an account", of_account, account, names, documents, changes),
        page("an account at a moment", of_account, account, names, documents, changes, at=format_time(widest["time"])),
        page("the services of an account", f"{of_account}/services", account, names),
        page("a service of an account", f"{of_account}/services/s3", account, names),
        page("the history of an account", f"{of_account}/history", account, names, history, changes),
        page("audit", "/audit", feed, names),
        *(page(f"audit, by {name}", "/audit", feed, names, **chosen) for name, chosen in _filters(account_id, widest["time"])),
        page("a change", f"/audit/{widest['revision']}", (_EVENTS_OF_CHANGE, (organization_id, widest["revision"])), names),
        page("what-if", "/what-if", frame),
        page("an answered what-if", "/what-if", frame, chains, documents, under, **supposed),
        page("check", "/check", (_ACCOUNTS, (organization_id,))),
        page("an answered check", "/check", account, names, documents, **question),
        page("an answered who-can", "/who-can", chains, documents, some, **asked),
        page("the policies", "/policies", frame),
        page("a policy", "/policies/p-00000001", frame, documents, (_EVENTS, (organization_id, 10 * 12))),
        page("operations", "/operations", (_EVENTS, (organization_id, 201))),
    ]  # fmt: skip


def _filters(account_id: str, moment: datetime) -> Sequence[tuple[str, dict[str, str]]]:
    return (
        ("account", {"account_id": account_id}),
        ("unit", {"under": "ou-ab12-00000003"}),
        ("policy", {"policy_id": "p-00000001"}),
        ("actor", {"actor": ACTORS[7].rpartition("/")[2]}),
        ("direction", {"direction": "allowed"}),
        ("verdict", {"verdict": "loosened"}),
        ("service", {"service": "kms"}),
        ("time", {"until": format_time(moment)}),
        ("several", {"under": "ou-ab12-00000003", "policy_id": "p-00000001", "direction": "denied"}),
    )
