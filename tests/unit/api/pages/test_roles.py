"""
What each role sees: by the API as on the dashboard.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from inspect import iscoroutinefunction
from typing import Any

import httpx
import pytest
from tests.unit.api.fake_access import FakeAccess
from tests.unit.api.fake_backing import fake_backing
from tests.unit.api.fake_reader import FakeReader
from tests.unit.api.pages.test_pages import HOME, PAGES
from tests.unit.api.test_app import ADDRESS, TOKEN, asked, stored

from rooftree.access.caller import Role
from rooftree.access.keeping import NewToken
from rooftree.access.tokens import digest_of, new_token
from rooftree.api.app import create_app
from rooftree.api.resources import ENDPOINTS
from rooftree.settings import Settings

OPERATIONS = f"{HOME}/operations"


class NotingReader(FakeReader):
    """
    Notes what is read.
    """

    def __init__(self) -> None:
        there = stored()
        super().__init__(accounts=there.stored, events=there.events, asked=[asked("000000000001", hours=1)])
        self.noted: set[str] = set()

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if iscoroutinefunction(found):
            self.noted.add(name)
        return found


@asynccontextmanager
async def talking(reader: FakeReader, role: Role) -> AsyncIterator[httpx.AsyncClient]:
    """
    Talk to an application as somebody of this role.
    """
    token, access = new_token(), FakeAccess()
    access.keep(NewToken("t1", "somebody", digest_of(token), role, None, "test", None))
    app = create_app(reader.limited, access, Settings(admin_token=TOKEN), fake_backing(reader))
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=transport, base_url=ADDRESS, headers=headers) as client:
        yield client


async def read_by(role: Role, paths: Iterable[str], *, refused: bool = False) -> set[str]:
    """
    Return what is read of the view to answer these paths to somebody of a role.
    """
    reader = NotingReader()
    async with talking(reader, role) as client:
        for path in paths:
            assert (403 == (await client.get(path)).status_code) is refused, path
    return reader.noted


def paths_for(role: Role) -> list[str]:
    """
    Return the lists of the API that it takes this role to read.
    """
    return [
        f"/api/v1{one.path}"
        for one in ENDPOINTS
        if one.method == "GET" and one.role is role and "{" not in one.path
        if one.path.startswith(("/operations", "/dead-letters")) or role is Role.VIEWER
        if not one.path.endswith(("/stream", "/diff"))
    ]


async def test_what_the_api_keeps_for_auditors_no_page_reads_for_a_viewer() -> None:
    """
    Every page is walked as a viewer, and every list of the API as whom it takes: they agree on what is whose.
    """
    for_auditors = await read_by(Role.AUDITOR, paths_for(Role.AUDITOR)) - await read_by(
        Role.VIEWER, paths_for(Role.VIEWER)
    )
    pages = await read_by(Role.VIEWER, [page for page in PAGES if page != OPERATIONS])

    assert {"delivery", "positions", "reconciliations", "rereads"} <= for_auditors
    assert set() == for_auditors & pages
    assert for_auditors <= await read_by(Role.AUDITOR, [OPERATIONS])
    assert set() == for_auditors & await read_by(Role.VIEWER, [OPERATIONS, *paths_for(Role.AUDITOR)], refused=True)


@pytest.mark.parametrize(("role", "shown"), [(Role.VIEWER, False), (Role.AUDITOR, True), (Role.ADMIN, True)])
async def test_the_way_to_operations_is_shown_to_those_who_may_go_there(role: Role, *, shown: bool) -> None:
    """
    In the navigation and among the keys.
    """
    async with talking(stored(), role) as client:
        page = (await client.get(HOME)).text

    assert shown is (f'href="{OPERATIONS}"' in page)
    assert shown is ("<dt>Operations</dt>" in page)
