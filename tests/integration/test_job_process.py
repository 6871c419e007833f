"""
What a process keeps from one job to the next, and what it must not carry over.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import pytest
from pydantic import SecretStr
from tests.databases import administer
from tests.integration.service import stored
from tests.integration.tenants import FOREIGN, OWN

from rooftree.access.caller import Organizations
from rooftree.bootstrap.job_process import JobProcess
from rooftree.embedded.child import free_port
from rooftree.errors import UnavailableError
from rooftree.inquiry.jobs import WhoCan
from rooftree.inquiry.question import Question
from rooftree.settings import Settings

pytestmark = [pytest.mark.integration, pytest.mark.any_broker]

SESSIONS = """
select pid, state from pg_stat_activity where application_name = 'rooftree-job' and datname = current_database()
"""
QUESTION = Question.of("s3:GetObject", "*", {}, None)


@pytest.fixture
def process(tenant_settings: Settings) -> Iterator[JobProcess]:
    """
    Keep one for a test.
    """
    kept = JobProcess(tenant_settings)
    yield kept
    kept.close()


async def accounts_of(process: JobProcess, organization_id: str, organizations: Organizations = None) -> int:
    """
    Return of how many accounts a job knows that is run for somebody who may see some organizations.
    """
    told = await asyncio.to_thread(process.run, WhoCan(organization_id, QUESTION, None), organizations)
    return int(json.loads(told)["count"])


async def session(settings: Settings) -> int:
    """
    Return the one session that jobs have, which is in no transaction.
    """
    [row] = await stored(settings, SESSIONS)
    assert "idle" == row["state"]
    return int(row["pid"])


async def end(settings: Settings, pid: int) -> None:
    """
    End a session as an administrator does, and wait until it is gone.
    """
    await administer(settings.postgres_dsn.get_secret_value(), f"select pg_terminate_backend({pid}, 10000)")


async def test_jobs_share_a_connection(process: JobProcess, tenant_settings: Settings) -> None:
    """One after the other."""
    await accounts_of(process, OWN)
    first = await session(tenant_settings)
    await accounts_of(process, FOREIGN)

    assert first == await session(tenant_settings)


async def test_a_connection_that_was_cut_is_replaced(process: JobProcess, tenant_settings: Settings) -> None:
    """Whoever asks next sees nothing of it, each time."""
    asked = []
    for _ in range(3):
        asked.append(await accounts_of(process, OWN))
        await end(tenant_settings, await session(tenant_settings))

    assert [3] * 3 == asked
    assert 3 == await accounts_of(process, OWN)


async def test_whoever_may_see_one_organization_sees_no_more_on_a_connection_of_others(process: JobProcess) -> None:
    """Before, after and between those who may see all: row-level security is set for each transaction alone."""
    own = frozenset({OWN})
    everybody: list[Organizations] = [None, own, None, own, frozenset()]

    seen = [(await accounts_of(process, OWN, who), await accounts_of(process, FOREIGN, who)) for who in everybody]

    assert [(3, 3), (3, 0), (3, 3), (3, 0), (0, 0)] == seen


async def test_a_server_that_is_away_is_said_to_be(tenant_settings: Settings) -> None:
    """And asked again by the next job."""
    address = SecretStr(f"postgresql://127.0.0.1:{free_port()}/rooftree")
    nowhere = JobProcess(tenant_settings.model_copy(update={"postgres_dsn": address}))
    for _ in range(2):
        with pytest.raises(UnavailableError):
            await accounts_of(nowhere, OWN)
    await asyncio.to_thread(nowhere.close)
