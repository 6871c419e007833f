"""
A deployment that is renewed under load: three roles twice, each with certificates and passwords to both servers.

``ROOFTREE_TEST_ROLLING_CHANGES`` makes the load larger, ``ROOFTREE_TEST_ROLLING_ROUNDS`` renews everything several
times.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest
from pydantic import SecretStr
from tests.brokers import own_names
from tests.databases import administer, database_dsn
from tests.faults.checks import same_as_undisturbed
from tests.faults.roles import ApiClient, Role, run_command, start_role
from tests.faults.secured import SecuredPostgres, secured_kafka, secured_postgres
from tests.generators.histories import generate_history
from tests.integration.service import read_topic, settled
from tests.kafka.broker import ApacheKafka

from rooftree.bootstrap.publishing import open_publisher
from rooftree.embedded.child import free_port
from rooftree.settings import SaslMechanism, Settings
from rooftree.stream import ensure_topics

pytestmark = [pytest.mark.integration, pytest.mark.slow]

CHANGES = int(os.environ.get("ROOFTREE_TEST_ROLLING_CHANGES", "240"))
ROUNDS = int(os.environ.get("ROOFTREE_TEST_ROLLING_ROUNDS", "1"))
ORGANIZATIONS = 4
ROLES = ("projector", "projector", "relay", "relay", "api", "api")
TOKEN = "a-token-that-nobody-prints"


@dataclass(slots=True)
class Deployment:
    """
    Two of each role, and where their logs are.
    """

    settings: dict[str, Settings]
    folder: Path
    roles: list[Role] = field(default_factory=list)
    started: int = 0

    async def start(self, name: str) -> Role:
        """
        Start one more.
        """
        self.started += 1
        log_path = self.folder / f"{self.started:02d}-{name}.log"
        return await start_role(name, self.settings[name], log_path, port=free_port() if name == "api" else 0)

    async def renew(self, place: int) -> int:
        """
        Replace one by a new process; return with which status it ended.
        """
        old = self.roles[place]
        status = await old.terminate()
        self.roles[place] = await self.start(old.name)
        return status

    def addresses(self) -> list[str]:
        """
        Where the API listens.
        """
        return [role.url for role in self.roles if role.name == "api"]

    def printed(self) -> str:
        """
        Return all that all processes have printed.
        """
        return "\n".join(path.read_text("utf-8", "replace") for path in sorted(self.folder.glob("*.log")))


@asynccontextmanager
async def deployed(settings: dict[str, Settings], folder: Path) -> AsyncIterator[Deployment]:
    """
    Run everything for the time of the context.
    """
    deployment = Deployment(settings, folder)
    try:
        deployment.roles += await asyncio.gather(*(deployment.start(name) for name in ROLES))
        yield deployment
    finally:
        for role in deployment.roles:
            await role.kill()


@pytest.fixture(scope="module")
async def secured(server_folder: Path) -> AsyncIterator[SecuredPostgres]:
    """
    A PostgreSQL behind TLS.
    """
    folder = server_folder / "secured"
    folder.mkdir()
    folder.chmod(0o711)
    async with secured_postgres(folder) as server:
        yield server


@pytest.fixture
async def role_settings(secured: SecuredPostgres, kafka: ApacheKafka) -> dict[str, Settings]:
    """
    The settings of each role: its own user in PostgreSQL, and Kafka by several mechanisms.
    """
    mark = uuid.uuid4().hex[:8]
    database = f"rooftree_{mark}"
    common = Settings(
        **own_names(mark),
        topic_partitions=4,
        batch_max_records=20,
        batch_max_wait=0.05,
        relay_poll_interval=0.2,
        retry_max_delay=0.5,
        postgres_pool_size=4,
        log_level="debug",
        kafka_fetch_max_wait_ms=100,
        admin_token=SecretStr(TOKEN),
    )
    owner = f"owner_{mark}"
    passwords = {owner: await secured.add_user(owner)}
    await administer(secured.superuser, f"alter role {owner} createrole")
    await administer(secured.superuser, f'create database "{database}" owner {owner}')
    migrating = secured.settings(
        secured_kafka(common, kafka, SaslMechanism.SCRAM_SHA_512), owner, passwords[owner], database
    )
    status, told = await run_command(migrating, "migrate")
    assert 0 == status, told
    settings = {"migrate": migrating}
    kinds = {
        "projector": SaslMechanism.SCRAM_SHA_512,
        "relay": SaslMechanism.PLAIN,
        "api": SaslMechanism.SCRAM_SHA_256,
    }
    for name, mechanism in kinds.items():
        user = f"{name}_{mark}"
        password = await secured.add_user(user, f"rooftree_{name}")
        settings[name] = secured.settings(secured_kafka(common, kafka, mechanism), user, password, database)
    return settings


def changes() -> list[tuple[str, bytes]]:
    """
    Return the changes of several organizations, told by turns.
    """
    random = Random(7)
    told = []
    for number in range(ORGANIZATIONS):
        name = f"o-exampleorg{number}"
        history = generate_history(
            random, organization_id=name, number=number, accounts=6, changes=CHANGES // ORGANIZATIONS
        )
        told.append([(name, record) for record in history.records])
    return [each for turn in zip(*(some[: min(map(len, told))] for some in told), strict=True) for each in turn]


async def load(settings: Settings, records: Sequence[tuple[str, bytes]]) -> None:
    """
    Publish changes one after the other, not as fast as possible.
    """
    async with open_publisher(settings) as publisher:
        for record in records:
            await publisher.publish_changes([record])
            await asyncio.sleep(0.02)


async def test_everything_is_renewed_under_load_and_nothing_is_lost(
    role_settings: dict[str, Settings], secured: SecuredPostgres, kafka: ApacheKafka, tmp_path: Path
) -> None:
    """
    The API answers throughout; every audit event is sent, in order, each under one id with the same bytes; the view is
    that of one undisturbed worker; both records verify; and nobody has printed a secret, though all printed everything.
    """
    onlooker = role_settings["migrate"]
    await ensure_topics(onlooker)
    records, began = changes(), time.monotonic()
    turns = [place for _ in range(ROUNDS) for place in range(len(ROLES))]
    share = len(records) // len(turns) + 1
    async with deployed(role_settings, tmp_path) as deployment:
        client = ApiClient(deployment.addresses, TOKEN)
        async with asyncio.TaskGroup() as group:
            group.create_task(client.run())
            statuses = []
            for turn, place in enumerate(turns):
                # While each of them is renewed, changes come in.
                loading = group.create_task(load(onlooker, records[turn * share : (turn + 1) * share]))
                statuses.append(await deployment.renew(place))
                await loading
            await settled(onlooker, records=len(records), seconds=120)
            client.stop.set()
        statuses += [await role.terminate() for role in deployment.roles]
        printed = deployment.printed()
    await same_as_undisturbed(undisturbed(onlooker, secured), records=len(records))
    verified = [await run_command(onlooker, *command) for command in (("verify",), ("audit", "verify"))]
    sent = await read_topic(onlooker, onlooker.audit_topic)
    print(  # noqa: T201 - figures for whoever runs it at a larger scale
        f"{len(records)} changes, {len(statuses)} processes, {time.monotonic() - began:.1f} s; API answered"
        f" {client.answered} times, {client.repeated} attempts repeated, slowest {client.slowest:.2f} s;"
        f" {len(sent)} audit records for {len({record.value for record in sent})} events"
    )

    assert {0} == set(statuses)
    assert [0, 0] == [status for status, _ in verified], verified
    assert [] == gaps([json.loads(record.value) for record in sent])
    assert client.answered > 50
    assert "Request to" in printed, "clients print what they do"
    everything = printed + "".join(text for _, text in verified)
    assert [] == [secret for secret in (*secured.secrets, kafka.user[1], TOKEN) if secret in everything]


def undisturbed(settings: Settings, secured: SecuredPostgres) -> Settings:
    """
    Return the settings of one who may make a database to compare with.
    """
    name = settings.postgres_dsn.get_secret_value().rpartition("/")[2]
    chosen = {"postgres_dsn": SecretStr(database_dsn(secured.superuser, name)), "postgres_password": None}
    files = ("mode", "cafile", "certfile", "keyfile", "key_password")
    return settings.model_copy(update={**chosen, **{f"postgres_ssl_{each}": None for each in files}})


def gaps(events: Sequence[dict[str, object]]) -> list[str]:
    """
    Return the organizations whose events are not all there, from the first revision on, part by part.
    """
    found: defaultdict[str, set[tuple[int, int, int]]] = defaultdict(set)
    for event in events:
        place = (int(str(event["sequence"])), int(str(event["part"])), int(str(event["parts"])))
        found[str(event["source"])].add(place)
    wrong = []
    for source, places in found.items():
        revisions = {revision: parts for revision, _, parts in places}
        expected = {
            (revision, part, revisions.get(revision, 1))
            for revision in range(1, max(revisions) + 1)
            for part in range(1, revisions.get(revision, 1) + 1)
        }
        if expected != places:
            wrong.append(source)
    return wrong
