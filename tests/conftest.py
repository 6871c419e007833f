"""
Servers and settings for every test, and an environment without surprises.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, Phase, settings
from tests.brokers import BROKER, KAFKA, Broker, own_names, run_broker
from tests.databases import administer, database_dsn, own_database
from tests.kafka.broker import ApacheKafka
from xdist.scheduler import LoadFileScheduling

from rooftree.embedded import embedded_postgres
from rooftree.settings import PREFIX, Assignment, Settings
from rooftree.store.database import connect_database
from rooftree.store.migrations import apply_migrations
from rooftree.stream import ensure_topics

# Where tests find servers that are not to be embedded; the rest of the environment must not leak in.
TEST_PREFIX = f"{PREFIX}TEST_"

# A shared machine may stall any example; how many are tried is for the environment to raise.
settings.register_profile(
    "rooftree",
    deadline=None,
    max_examples=int(os.environ.get(f"{TEST_PREFIX}EXAMPLES", "60")),
    # shrinking whole organizations takes minutes: it is for whoever looks into a failure
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    print_blob=True,
    # a change is judged by the same examples as the one before it; everybody else looks at new ones each time
    derandomize=os.environ.get("CI") == "true",
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "rooftree"))

for variable in [name for name in os.environ if name.startswith(PREFIX) and not name.startswith(TEST_PREFIX)]:
    del os.environ[variable]


# The fixtures by which a test comes to the broker, and one with which it asks for what is stored.
BROKERS = frozenset({"broker", "kafka_address"})
STORED = "tenant_settings"

BROWSER = "browser"

# What takes long comes first, so that no worker is waited for at the end.
LONGEST = (BROWSER, "faults", "acceptance", "integration", "property")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """
    Begin with what takes longest, and leave out, on Apache Kafka, what is the same on any broker.
    """
    if BROKER == KAFKA:
        chosen = {item: _needs_broker(item) for item in items}
        items[:] = [item for item in items if chosen[item]]
        config.hook.pytest_deselected(items=[item for item in chosen if not chosen[item]])
    items.sort(key=lambda item: LONGEST.index(kind) if (kind := _kind(item.nodeid)) in LONGEST else len(LONGEST))


def _needs_broker(item: pytest.Item) -> bool:
    fixtures = frozenset(getattr(item, "fixturenames", ()))
    return not BROKERS.isdisjoint(fixtures) and STORED not in fixtures


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """
    Share tests out by their files, in their order, and those of the browser together, since they share a service.
    """
    return ByFile(config, log)


class ByFile(LoadFileScheduling):
    """
    Gives the tests of a file, or all of the browser, to one worker.
    """

    def _split_scope(self, nodeid: str) -> str:
        return BROWSER if _kind(nodeid) == BROWSER else super()._split_scope(nodeid)


def _kind(nodeid: str) -> str:
    return nodeid.removeprefix("tests/").partition("/")[0]


@pytest.fixture(autouse=True)
def _quiet_logs() -> Iterator[None]:
    """
    Keep log lines out of what tests print, and what one test configures out of the others.
    """
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.fixture(scope="session")
def server_folder() -> Iterator[Path]:
    """
    A folder for servers, which run as another user where the tests run as root.
    """
    folder = Path(tempfile.mkdtemp(prefix="rooftree-test-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
async def postgres_server(server_folder: Path) -> AsyncIterator[str]:
    """
    The DSN of a PostgreSQL in which tests make databases.
    """
    if given := os.environ.get(f"{TEST_PREFIX}POSTGRES_DSN"):
        yield given
        return
    async with embedded_postgres(server_folder, durable=False) as server:
        yield server.dsn


@pytest.fixture(scope="session")
async def broker(server_folder: Path) -> AsyncIterator[Broker]:
    """
    A broker in which tests make topics.
    """
    if given := os.environ.get(f"{TEST_PREFIX}KAFKA"):
        yield Broker(given, idempotence=True)
        return
    async with run_broker(server_folder / "broker") as server:
        yield server


@pytest.fixture(scope="session")
def kafka(broker: Broker) -> ApacheKafka:
    """
    The broker as Apache Kafka that the tests have started, for what no other broker does.
    """
    if broker.kafka is None:
        pytest.skip("needs Apache Kafka: `make test-kafka`")
    return broker.kafka


@pytest.fixture(scope="session")
async def template_database(postgres_server: str) -> str:
    """
    The name of a database with the schema, to be cloned.
    """
    name = f"rooftree_template_{uuid.uuid4().hex[:8]}"
    await administer(postgres_server, f'create database "{name}"')
    connection = await connect_database(database_dsn(postgres_server, name))
    await apply_migrations(connection)
    await connection.close()
    return name


@pytest.fixture
async def postgres_dsn(postgres_server: str, template_database: str) -> AsyncIterator[str]:
    """
    The DSN of a database of the test's own, with the schema and nothing in it.
    """
    async with own_database(postgres_server, template=template_database) as dsn:
        yield dsn


@pytest.fixture
async def settings(postgres_dsn: str, broker: Broker) -> Settings:
    """
    Settings for a service of the test's own: its database, its topics.
    """
    chosen = Settings(
        postgres_dsn=postgres_dsn,
        kafka_bootstrap=broker.bootstrap,
        kafka_idempotence=broker.idempotence,
        partition_assignment=Assignment.ALL,
        **own_names(),
        topic_partitions=2,
        batch_max_wait=0.02,
        relay_poll_interval=0.05,
        retry_max_delay=0.2,
        drain_timeout=5,
    )
    await ensure_topics(chosen)
    return chosen
