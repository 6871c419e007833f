"""
What several files of tests on real servers start from.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from tests.amazon import MANAGEMENT, Amazon, run_amazon
from tests.brokers import Broker
from tests.integration.serving import Service, serving
from tests.integration.tenants import tenants

from rooftree.settings import Settings


@pytest.fixture
def amazon(monkeypatch: pytest.MonkeyPatch) -> Iterator[Amazon]:
    """
    Run AWS for one test, with credentials for it.
    """
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", MANAGEMENT)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    with run_amazon() as server:
        yield server


@pytest.fixture(scope="module")
async def tenant_settings(postgres_server: str, template_database: str, broker: Broker) -> AsyncIterator[Settings]:
    """
    Fill a database with two organizations.
    """
    async with tenants(postgres_server, template_database, broker) as chosen:
        yield chosen


@pytest.fixture(scope="module")
async def service(tenant_settings: Settings) -> AsyncIterator[Service]:
    """
    Serve it.
    """
    async with serving(tenant_settings) as running:
        yield running
