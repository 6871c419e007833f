"""
Who listens to the live feed of the real server, and for how long they may.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import httpx
import pytest
from tests.integration.service import stored
from tests.integration.serving import ADMIN, Service, bearer
from tests.integration.tenants import FOREIGN, OWN

from rooftree.api.access import COOKIE
from rooftree.api.forgery import csrf_token
from rooftree.api.stream import Pace
from rooftree.settings import Settings

pytestmark = pytest.mark.integration

STREAM = f"/api/v1/audit/stream?organization_id={OWN}"
ROUND_TRIPS = 5.0
"""Seconds that a server on a busy machine may take beyond its pace."""

WAYS = {
    "revoked": 401,
    "expired": 401,
    "narrowed": 404,
    "signed out": 401,
    "silent too long": 401,
    "its token revoked": 401,
}
"""How the right to hear is lost, and what the next attempt is answered with."""

Losing = Callable[[], Awaitable[object]]


async def signed_in(service: Service, token: str) -> str:
    """
    Open a session; returns its cookie.
    """
    async with service.client() as browser:
        await browser.post("/login", data={"token": token})
        return str(browser.cookies[COOKIE])


async def listen(service: Service, headers: dict[str, str], heard: asyncio.Event) -> None:
    """
    Listen until the service ends the stream.
    """
    async with service.client() as client, client.stream("GET", STREAM, headers=headers) as answer:
        assert 200 == answer.status_code
        async for _ in answer.aiter_bytes():
            heard.set()


async def hearing(service: Service, settings: Settings, way: str) -> tuple[float, int]:
    """
    Listen by a token or a session, and lose it; returns the seconds that the stream went on, and the status of the
    next attempt.
    """
    token = await service.token(_name(way), OWN, FOREIGN)
    headers, lose = await _way(service, settings, way, token)
    heard = asyncio.Event()
    listening = asyncio.create_task(listen(service, headers, heard))
    await heard.wait()
    await lose()
    since = time.monotonic()
    await listening
    seconds = time.monotonic() - since
    async with service.client() as client:
        return seconds, (await client.get(STREAM, headers=headers)).status_code


async def test_whoever_lost_the_right_to_hear_hears_no_more_though_nothing_happens(
    service: Service, tenant_settings: Settings
) -> None:
    """
    Their silent streams end within the pace, and whoever comes again is refused; others hear on.
    """
    heard = asyncio.Event()
    staying = asyncio.create_task(listen(service, bearer(await service.token("staying", OWN)), heard))
    await heard.wait()
    async with asyncio.timeout(4 * Pace().pulse + 4 * ROUND_TRIPS):
        ends = await asyncio.gather(*(hearing(service, tenant_settings, way) for way in WAYS))
    stayed = not staying.done()
    staying.cancel()

    assert stayed
    assert WAYS == {way: status for way, (_, status) in zip(WAYS, ends, strict=True)}
    assert max(seconds for seconds, _ in ends) <= Pace().pulse + ROUND_TRIPS


def _name(way: str) -> str:
    return way.replace(" ", "-")


async def _way(service: Service, settings: Settings, way: str, token: str) -> tuple[dict[str, str], Losing]:
    """
    Return what somebody listens by, and what takes the right to from them.
    """
    name = _name(way)

    async def change(table: str, value: str, where: str) -> object:
        return await stored(settings, f"update rooftree.{table} set {value} where {where} returning 1 as done")

    by_token = bearer(token)
    match way:
        case "revoked":
            return by_token, lambda: service.store.revoke_token(name)
        case "expired":
            return by_token, lambda: change("api_token", "expires_at = now()", f"name = '{name}'")
        case "narrowed":
            return by_token, lambda: change("api_token", f"organizations = '{{{FOREIGN}}}'", f"name = '{name}'")
    cookie = await signed_in(service, ADMIN if way == "signed out" else token)
    by_session = {"Cookie": f"{COOKIE}={cookie}"}

    async def sign_out() -> httpx.Response:
        async with service.client() as browser:
            return await browser.post("/logout", headers={**by_session, "X-CSRF-Token": csrf_token(cookie)})

    match way:
        case "signed out":
            return by_session, sign_out
        case "silent too long":
            return by_session, lambda: change(
                "session", "used_at = now() - interval '1 hour 1 second'", f"token_id = 'tok_{name}'"
            )
        case _:
            return by_session, lambda: service.store.revoke_token(name)
