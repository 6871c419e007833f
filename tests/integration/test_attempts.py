"""
Attempts of people who have a way in, or none, at the real server: at its guard, its lists, its feed and its bodies.
"""

from __future__ import annotations

import base64
import gzip
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest
from tests.integration.service import stored
from tests.integration.serving import ADMIN, SAFE, Service, bearer, endpoints
from tests.integration.tenants import FOREIGN, FOREIGN_MARKS, OWN

from rooftree.access.caller import Role
from rooftree.api.access import COOKIE
from rooftree.api.forgery import csrf_token
from rooftree.api.query import encode_cursor
from rooftree.settings import Settings

pytestmark = [pytest.mark.integration, pytest.mark.any_broker]

API = "/api/v1"
OWN_SHOP = "222222222222"
OF_CALLERS = {"access_log", "api_token", "session"}
"""Tables that a request may write to because somebody asks, whatever they ask for."""

SEAL = "select md5(coalesce(string_agg(one::text, '|' order by one::text), '')) as seal from rooftree.{} as one"


@pytest.fixture(scope="module")
async def admin(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    """
    Ask as the admin of everything.
    """
    async with service.client(token=ADMIN) as client:
        yield client


@pytest.fixture(scope="module")
async def viewer(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    """
    Ask as somebody who may look at one organization.
    """
    async with service.client(token=await service.token("attempts", OWN)) as client:
        yield client


async def session_of(service: Service, token: str = ADMIN) -> str:
    """
    Open a session; returns its cookie.
    """
    async with service.client() as browser:
        await browser.post("/login", data={"token": token})
        return str(browser.cookies[COOKIE])


async def operations(client: httpx.AsyncClient) -> list[tuple[str, str, dict[str, Any]]]:
    """
    Return the operations as the API describes itself: method, path and description.
    """
    paths = (await client.get(f"{API}/openapi.json")).json()["paths"]
    return [(method.upper(), path, told) for path, methods in paths.items() for method, told in methods.items()]


async def seals(settings: Settings) -> dict[str, object]:
    """
    Return what is in each table, in short.
    """
    names = await stored(settings, "select tablename as name from pg_tables where schemaname = 'rooftree'")
    wanted = sorted({row["name"] for row in names} - OF_CALLERS)
    return {name: (await stored(settings, SEAL.format(name)))[0]["seal"] for name in wanted}


async def test_of_two_credentials_the_bearer_token_counts_and_a_bad_one_is_not_made_good(service: Service) -> None:
    """
    A cookie does not stand in for a token that is no good, nor widen what a token may do, nor does a second token.
    """
    scoped, cookie = await service.token("mixed", FOREIGN), await session_of(service)
    with_cookie = {"Cookie": f"{COOKIE}={cookie}"}
    async with service.client() as client:
        bad = await client.get(f"{API}/organizations", headers={**bearer("wrong"), **with_cookie})
        narrow = await client.get(f"{API}/organizations", headers={**bearer(scoped), **with_cookie})
        writing = await client.post(f"{API}/tokens", headers={**bearer(scoped), **with_cookie}, json={"name": "x"})
        twice = await client.get(
            f"{API}/organizations",
            headers=[("Authorization", f"Bearer {scoped}"), ("Authorization", f"Bearer {ADMIN}")],
        )

    assert 401 == bad.status_code
    assert [FOREIGN] == [one["organization_id"] for one in narrow.json()["items"]]
    assert 403 == writing.status_code
    assert OWN not in twice.text


@pytest.mark.parametrize(
    "override",
    [
        {"headers": {"X-HTTP-Method-Override": "DELETE"}},
        {"headers": {"X-HTTP-Method": "DELETE"}},
        {"headers": {"X-Method-Override": "DELETE"}},
        {"headers": {"Content-Type": "application/x-www-form-urlencoded"}, "content": "_method=DELETE"},
    ],
)
async def test_no_method_is_another_than_it_is_called(
    tenant_settings: Settings, admin: httpx.AsyncClient, override: dict[str, Any]
) -> None:
    """
    What would be a deletion by the words of a header or a field is the request that it is.
    """
    before = await seals(tenant_settings)
    address = f"{API}/probes/no-abroad"
    read = await admin.request("GET", address, params={"organization_id": OWN}, **override)
    posted = await admin.request("POST", address, params={"organization_id": OWN}, **override)
    by_query = await admin.get(address, params={"organization_id": OWN, "_method": "DELETE"})

    assert (200, 405, 400) == (read.status_code, posted.status_code, by_query.status_code)
    assert before == await seals(tenant_settings)


@pytest.mark.parametrize("method", ["get", "DELETE ", "TRACE", "CONNECT", "PATCH", "PROPFIND"])
async def test_methods_that_are_not_for_a_path_are_refused(service: Service, method: str) -> None:
    """
    Neither another case nor another word is a method of a path that writes.
    """
    answer = await service.raw(
        f"{method} {API}/webhooks/wh_x HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ADMIN}\r\n"
        "Content-Length: 0\r\nConnection: close\r\n\r\n".encode()
    )

    assert answer.status in {400, 404, 405}, answer.head


@pytest.mark.parametrize(
    "host", ["x/assets/", "x/healthz?", "x/healthz#", "evil.example/login?", "x:80/assets/?", "assets@x", "a b", ""]
)
async def test_no_host_that_is_named_leads_around_the_guard(service: Service, host: str) -> None:
    """
    What looks open by the address that a header makes of it is as closed as its path.
    """
    answer = await service.raw(
        f"GET {API}/accounts?organization_id={OWN} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
    )

    assert answer.status in {400, 401}, answer.head
    assert "shop" not in answer.body


SPELLINGS = [
    *("/tokens", "/tokens/", "/tokens.", "/tokens%2e", "/tokens%20", "/tokens;x=1", "//tokens", "/./tokens"),
    *("/audit/../tokens", "/audit/%2e%2e/tokens", "/audit/..%2ftokens", "/Tokens", "/tokens%00", "/tokens%0a"),
    *("/tokens%09", "/%74okens"),
]
PREFIXES = [API, f"/{API}", "/%61pi/v1", "/api%2fv1", f"/healthz/..{API}", f"/assets/%2e%2e{API}"]


async def test_no_spelling_of_a_path_leads_around_a_role(service: Service) -> None:
    """
    Whoever may only look comes to no token by dots, slashes, cases and encodings, and a bad token comes to nothing.
    """
    passed = []
    for token, refusals in (
        (await service.token("spelling", OWN), {307, 400, 403, 404, 405}),
        ("bad", {303, 401, 404, 405}),
    ):
        for method, prefix, path in itertools.product(("GET", "POST"), PREFIXES, SPELLINGS):
            answer = await service.raw(
                f"{method} {prefix}{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
                f"Content-Length: 0\r\nConnection: close\r\n\r\n".encode()
            )
            if answer.status not in refusals or "tok_" in answer.body:
                passed.append((method, prefix, path, token, answer.status))

    assert [] == passed


async def test_a_refusal_is_written_down_in_one_line_whatever_the_path_is(service: Service) -> None:
    """
    Neither NUL keeps it from the access log, nor does the end of a line make it two.
    """
    async with service.client() as client:
        for sign in ("%00", "%0a", "%0d%0a", "%1b[2J", "%e2%80%a8"):
            await client.get(f"{API}/x{sign}y", headers=bearer("wrong"))
    entries = await service.store.entries(limit=5)

    assert [f"GET {API}/x{sign}y" for sign in ("%E2%80%A8", "%1B[2J", "%0D%0A", "%0A", "%00")] == [
        entry.action for entry in entries
    ]


async def test_what_only_reads_changes_nothing(
    tenant_settings: Settings, service: Service, admin: httpx.AsyncClient
) -> None:
    """
    No GET, HEAD or OPTIONS of any route has an effect, whatever its query says: an image on another site can send them.
    """
    values = {"organization_id": OWN, "account_id": OWN_SHOP, "policy_id": "p-denyregions", "revision": "1"}
    before = await seals(tenant_settings)
    asked = []
    for endpoint in endpoints(service.app):
        if endpoint.writes or "stream" in endpoint.path or endpoint.path.startswith("/login"):
            continue
        for method, query in itertools.product(("GET", "HEAD", "OPTIONS"), ({}, {"_method": "POST"})):
            answer = await admin.request(method, endpoint.filled(values), params={**query, "organization_id": OWN})
            asked.append(answer.status_code)

    assert {200, 400, 404, 405} <= set(asked)
    assert max(asked) < 500
    assert before == await seals(tenant_settings)


async def test_the_token_of_a_session_that_is_over_writes_no_more(service: Service) -> None:
    """
    An old page cannot write by the session that came after it, nor by its own.
    """
    old, new = await session_of(service), await session_of(service)
    async with service.client() as browser:
        await browser.post("/logout", headers={"Cookie": f"{COOKIE}={old}", "X-CSRF-Token": csrf_token(old)})
        statuses = [
            (
                await browser.post(
                    f"{API}/tokens",
                    headers={"Cookie": f"{COOKIE}={cookie}", "X-CSRF-Token": csrf_token(old), "Content-Type": kind},
                    content=b'{"name": "old-page", "role": "admin"}',
                )
            ).status_code
            for cookie in (new, old)
            for kind in ("application/json", "text/plain")
        ]

    assert [403, 403, 401, 401] == statuses
    assert "old-page" not in {token.name for token in await service.store.tokens()}


@pytest.mark.parametrize(
    "place",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "\\\\evil.example/",
        "/\t/evil.example/",
        "/\r\nSet-Cookie: a=b",
        "javascript:alert(1)",
        "https:evil.example",
        "%2f%2fevil.example/",
    ],
)
async def test_nobody_is_led_away_from_here(service: Service, admin: httpx.AsyncClient, place: str) -> None:
    """
    No parameter by which a login or a page could be told where to go on leads to another site, or into a header.
    """
    names = ("next", "back", "return_to", "redirect", "redirect_uri", "url", "to")
    async with service.client() as browser:
        answers = [
            *[await browser.get("/login", params={name: place}) for name in names],
            await browser.post("/login", params=dict.fromkeys(names, place), data={"token": ADMIN, "next": place}),
            await browser.get("/", params={"next": place}),
            await admin.get("/theme", params={"to": "dark", "back": place}),
            await admin.get("/", params={"organization_id": place}),
            await admin.get(f"/{OWN}/search", params={"q": place}),
            await admin.get(f"/{OWN}/what-if", params={"step": place}),
        ]

    for answer in answers:
        location = answer.headers.get("location", "/")
        assert location.startswith("/")
        assert not location.startswith(("//", "/\\"))
        assert "evil" not in location
        assert "a=b" not in answer.headers.get("set-cookie", "")


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "evil.example\t"])
async def test_no_address_that_is_put_right_leads_elsewhere(service: Service, host: str) -> None:
    """
    A slash too many is forgiven, if at all, on this site.
    """
    for path in (f"{API}/accounts/", f"//evil.example{API}/accounts/", "//evil.example/..", f"/{OWN}/audit/"):
        answer = await service.raw(
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {ADMIN}\r\nConnection: close\r\n\r\n".encode()
        )
        places = [line for line in answer.head.lower().splitlines() if line.startswith("location:")]

        assert [] == [place for place in places if "evil" in place], answer.head
        assert answer.status < 500


BODIES: dict[str, bytes] = {
    "a deep list": b"[" * 200_000 + b"]" * 200_000,
    "a deep object": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "a deep policy": b'{"content": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "a number without end": b'{"limit": ' + b"9" * 500_000 + b"}",
    "an exponent": b'{"limit": 1e999999999}',
    "no number": b'{"limit": NaN}',
    "the same name twice": b'{"action": "s3:GetObject", "action": "s3:PutObject"}',
    "half a character": b'{"name": "\\ud800"}',
    "no UTF-8": b'{"name": "\xff\xfe"}',
    "UTF-16": '{"name": "x"}'.encode("utf-16"),
    "NUL": b'{"name": "\\u0000"}',
    "nothing": b"",
    "a list": b"[]",
    "null": b"null",
}


@pytest.mark.parametrize("name", BODIES)
async def test_bodies_that_are_made_to_hurt_are_refused_by_every_operation(
    tenant_settings: Settings, admin: httpx.AsyncClient, name: str
) -> None:
    """
    Deep, endless, doubled, or no text at all: a complaint in words, nothing changed, and the server goes on.
    """
    before, found = await seals(tenant_settings), {}
    taking = [(method, path) for method, path, told in await operations(admin) if "requestBody" in told]
    for method, path in taking:
        address = path.replace("{account_id}", OWN_SHOP)
        query = {} if path.endswith(("/lint", "/simulate", "/tokens")) else {"organization_id": OWN}
        headers = {"Content-Type": "application/json"}
        answer = await admin.request(method, address, params=query, content=BODIES[name], headers=headers)
        if answer.status_code != 400 or not answer.json()["detail"]:
            found[path] = (answer.status_code, answer.text[:200])

    assert len(taking) >= 8
    assert {} == found
    assert before == await seals(tenant_settings)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "x-gzip, gzip"])
async def test_a_body_that_would_grow_is_not_unpacked(admin: httpx.AsyncClient, encoding: str) -> None:
    """
    A hundred megabytes in a hundred kilobytes stay a hundred kilobytes.
    """
    packed = gzip.compress(b'{"requests": [' + b" " * 100_000_000 + b"]}")
    answer = await admin.post(
        f"{API}/simulate",
        content=packed,
        headers={"Content-Type": "application/json", "Content-Encoding": encoding},
        timeout=10,
    )

    assert len(packed) < 200_000
    assert answer.status_code in {400, 415}


SEARCHES = [
    "%",
    "_",
    "%%",
    "sh_p",
    "s%p",
    "\\",
    "\\%",
    "'",
    "''",
    "' or '1'='1",
    "x'); drop table rooftree.account; --",
    '"',
    "$1",
    "{0}",
]


@pytest.mark.parametrize("text", SEARCHES)
async def test_a_search_is_no_pattern_and_no_statement(viewer: httpx.AsyncClient, text: str) -> None:
    """
    What is special to SQL is text like any other: no account, policy or event here has it in its name.
    """
    accounts = await viewer.get(f"{API}/accounts", params={"search": text})
    events = [
        await viewer.get(f"{API}/audit", params={name: text}) for name in ("actor", "service", "policy_id", "under")
    ]
    page = await viewer.get(f"/{OWN}/search", params={"q": text})

    assert [] == accounts.json()["items"]
    assert {(400, None), (200, 0)} >= {
        (answer.status_code, len(answer.json()["items"]) if answer.is_success else None) for answer in events
    }
    assert 200 == page.status_code
    assert "shop-prod" not in page.text


def cursors() -> Iterator[str]:
    """
    Yield words that are no cursors, and cursors whose parts are none.
    """
    yield from ("x", "=", "====", "%00", "\u00e9", "[]", "A" * 1024, "../../etc/passwd", "' or 1=1 --")
    for text in ("null", "1", '""', "{}", "[]", "[null]", "[1]", '["a"', "[[]]", "[" * 500 + "]" * 500):
        yield base64.urlsafe_b64encode(text.encode()).decode()
    yield base64.urlsafe_b64encode(b"\xff\xff").decode()
    parts = ("\x00", "-1", "1.5", "\u0661", "9" * 18, "9" * 19, "' or 1=1 --", FOREIGN, "")
    for part, length in itertools.product(parts, range(1, 4)):
        yield encode_cursor([part] * length)


async def test_cursors_that_nobody_was_given_tell_nothing(admin: httpx.AsyncClient, viewer: httpx.AsyncClient) -> None:
    """
    Every list refuses them, or answers as from a place of its own; never with a defect, nor with what is another's.
    """
    lists = [
        path for _, path, told in await operations(admin) if any(one["name"] == "cursor" for one in told["parameters"])
    ]
    found = []
    for path, cursor in itertools.product(lists, cursors()):
        address = path.replace("{account_id}", OWN_SHOP).replace("{webhook_id}", "wh_x")
        for client in (admin, viewer):
            query = {"organization_id": OWN, "cursor": cursor}
            if path.endswith("/access-log"):
                del query["organization_id"]
            answer = await client.get(address, params=query)
            marks = [mark for mark in FOREIGN_MARKS if mark in answer.text and mark not in cursor]
            if answer.status_code not in {200, 400, 403, 404} or (marks and client is viewer):
                found.append((path, cursor, answer.status_code, marks))

    assert len(lists) >= 8
    assert [] == found


EVENT_IDS = [
    "1:1",
    f"{OWN}",
    f"{OWN}:1",
    f"{OWN}:1:1:1",
    f"{OWN}:-1:0",
    f"{OWN}:\u0661:1",
    f"{OWN}:{'9' * 19}:1",
    f"{OWN}:1:{'9' * 10}",
    f"{FOREIGN}:1:1",
    f"{OWN.upper()}:1:1",
    f"{OWN}:1:1' or '1'='1",
    f"{OWN}:1.0:1",
    "*",
    "o-:1:1",
]


async def test_a_place_in_the_feed_that_nobody_was_given_is_refused(viewer: httpx.AsyncClient) -> None:
    """
    In the header as in the query: that of another organization, of no number, or of too large a one.
    """
    address, of = f"{API}/audit/stream", {"organization_id": OWN}
    answers = {}
    for event_id in EVENT_IDS:
        by_query = await viewer.get(address, params={"last_event_id": event_id, **of})
        header = [(b"Last-Event-ID", event_id.encode())]
        by_header = await viewer.get(address, headers=header, params=of)
        answers[event_id] = {
            (answer.status_code, answer.json()["detail"].partition(":")[0]) for answer in (by_query, by_header)
        }

    assert {event_id: {(400, "last_event_id")} for event_id in EVENT_IDS} == answers


async def test_a_place_in_the_feed_beyond_its_end_tells_nothing(viewer: httpx.AsyncClient) -> None:
    """
    Whoever claims to know more than has happened hears what happens after that, and of no other organization.
    """
    text = ""
    place = {"last_event_id": f"{OWN}:{'9' * 18}:{'9' * 9}"}
    with suppress(httpx.ReadTimeout):  # it goes on for ever
        async with viewer.stream("GET", f"{API}/audit/stream", params=place, timeout=1) as answer:
            async for part in answer.aiter_text():
                text += part

    assert f"id: {OWN}:{'9' * 18}:{'9' * 9}\n" in text
    assert "data:" not in text


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AUDITOR])
async def test_whoever_may_not_write_changes_nothing_at_any_operation(
    tenant_settings: Settings, service: Service, role: Role
) -> None:
    """
    Every operation that writes is refused to viewers, and those for admins to auditors, with good words and bad ones.
    """
    before, passed = await seals(tenant_settings), []
    values = {"letter": "1", "webhook_id": "wh_x", "token_id": "tok_x", "name": "no-abroad"}
    async with service.client(token=await service.token(f"looking-{role}", OWN, role=role)) as client:
        for method, path, _ in await operations(client):
            if method in SAFE:
                continue
            address = path.format(**values, account_id=OWN_SHOP)
            for body in ({}, {"name": "x"}, {"url": "https://hooks.example.com/x"}):
                answer = await client.request(method, address, json=body)
                if answer.status_code != 403:
                    passed.append((method, path, answer.status_code))
    asking = {f"{API}/lint", f"{API}/simulate", f"{API}/who-can", f"{API}/what-if"}

    assert before == await seals(tenant_settings)
    assert {path for _, path, _ in passed} <= {*asking, f"{API}/accounts/{{account_id}}/check"}
