"""
A browser before the dashboard of a running service, with the demo organization and a large one.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright
from tests.acceptance.conftest import Rooftree
from tests.browser.enterprise import enterprise_events, store_events

from rooftree.store.database import open_database

CHROMIUM: Final = os.environ.get("ROOFTREE_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
ACCOUNTS: Final = int(os.environ.get("ROOFTREE_TEST_ACCOUNTS", "300"))
"""Of the large organization; ten thousand take minutes to be stored."""

PATIENCE: Final = 120_000
"""Milliseconds that a page may take. How fast pages are is not measured here: the first question about ten thousand
accounts takes as long as a busy machine needs."""

LEISURELY: Final = {"ROOFTREE_KAFKA_FETCH_MAX_WAIT_MS": "200"}
"""Nothing is hurried here, and the service runs as long as the tests do."""

MISSING: Final = (
    "no Chromium is found: `apt-get install chromium` provides it, or ROOFTREE_TEST_CHROMIUM names another one"
)
QUIET: Final = (
    "--no-sandbox",  # what it shows is ours, and root has no sandbox
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass(frozen=True, slots=True)
class Dashboard:
    """
    Where the dashboard is.

    Attributes:
        token: Opens it.
        postgres: Where its view is.
        kafka: Where its changes come from.
    """

    url: str
    token: str
    postgres: str
    kafka: str


@pytest.fixture(scope="session")
async def dashboard(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Dashboard]:
    """
    Run the service with both organizations.
    """
    rooftree = Rooftree(tmp_path_factory.mktemp("browser"), variables=LEISURELY)
    with rooftree.up() as (_, told):
        assert 57 == await _prepare(told["postgres"])
        yield Dashboard(told["api"], told["token"], told["postgres"], told["kafka"])


async def _prepare(dsn: str) -> int:
    """
    Store the large organization, and wait for the demo's; returns how many accounts that one has.
    """
    async with open_database(dsn) as database:
        await store_events(database, enterprise_events(ACCOUNTS))
        for _ in range(600):
            async with database.connection() as connection:
                found = await connection.fetchval(
                    "select count(*) from rooftree.account where organization_id = 'o-demorooftree'"
                )
                told = await connection.fetchval(
                    "select revision from rooftree.organization where organization_id = 'o-demorooftree'"
                )
            if told == 15:
                return int(found)
            await asyncio.sleep(0.1)
    raise AssertionError("the demo was not processed in time")


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """
    Run Chromium. Without one, tests are left out where somebody tries things, and fail where all is to be shown.
    """
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield launched
        await launched.close()


@pytest.fixture(scope="session")
async def session(browser: Browser, dashboard: Dashboard) -> Any:
    """
    Log in once, as people do, and keep what the browser then knows.
    """
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(f"{dashboard.url}/login")
    await page.get_by_label("Token").fill(dashboard.token)
    await page.get_by_role("button", name="Log in").click()
    await page.wait_for_url(f"{dashboard.url}/")
    state = await context.storage_state()
    await context.close()
    return state


@pytest.fixture
async def context(browser: Browser, session: Any) -> AsyncIterator[BrowserContext]:
    """
    A window on a laptop, with the session.
    """
    opened = await browser.new_context(storage_state=session, viewport={"width": 1366, "height": 860})
    yield opened
    await opened.close()


@pytest.fixture
async def page(context: BrowserContext) -> Page:
    """
    A tab with all the patience that a page may need.
    """
    opened = await context.new_page()
    opened.set_default_timeout(PATIENCE)
    return opened
