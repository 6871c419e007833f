"""
Attempts at coming in, reading what belongs to others, forging, injecting and flooding, at every route of the real server.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from tests.integration.service import command, stored
from tests.integration.serving import ADMIN, Endpoint, Service, bearer, endpoints, serving
from tests.integration.tenants import FOREIGN, FOREIGN_MARKS, OWN

from rooftree.access.caller import Role
from rooftree.access.tokens import new_token
from rooftree.api.access import COOKIE
from rooftree.api.forgery import csrf_token
from rooftree.settings import Settings

pytestmark = [pytest.mark.integration, pytest.mark.any_broker]

OPEN = {"/healthz", "/readyz", "/metrics", "/login", "/login/oidc", "/login/oidc/callback"}
OWN_VALUES = {"account_id": "222222222222", "organization_id": OWN, "policy_id": "p-denyregions", "revision": "1"}
FOREIGN_VALUES = {
    "account_id": "922222222229",
    "organization_id": FOREIGN,
    "policy_id": "p-xyzzypolicy",
    "revision": "1",
    "ou_id": "ou-zz99-zzzzzzzz",
    "node_id": "ou-zz99-zzzzzzzz",
    "name": "no-xyzzy",
    "letter_id": "2",
    "webhook_id": "wh_xyzzy",
    "token_id": "tok_xyzzy",
}
QUESTIONS: list[tuple[dict[str, str], dict[str, str]]] = [
    (OWN_VALUES, {"organization_id": FOREIGN}),
    (OWN_VALUES, {"account_id": "922222222229"}),
    (OWN_VALUES, {"q": "xyzzy", "organization_id": OWN}),
    (FOREIGN_VALUES, {}),
    (FOREIGN_VALUES, {"organization_id": FOREIGN}),
    (FOREIGN_VALUES, {"organization_id": OWN, "account_id": "922222222229"}),
    (FOREIGN_VALUES, {"organization_id": FOREIGN, "at": "2026-06-01T00:00:00Z"}),
]
"""What is put into paths and queries by somebody who may see the first organization alone."""

ECHO = "/api/v1/access-log"
"""Tells its caller what they asked before, foreign names included: it has tests of its own."""

LINGERING_SECONDS = 0.7
ANSWERING_SECONDS = 30
"""How long an answer that goes on for ever is listened to."""


async def listen(client: httpx.AsyncClient, method: str, address: str, **options: Any) -> tuple[int, str]:
    """
    Return the status and the text of an answer; of one that goes on, its beginning.
    """
    text = ""
    status = 0
    try:
        async with asyncio.timeout(ANSWERING_SECONDS) as ending, client.stream(method, address, **options) as answer:
            status = answer.status_code
            ending.reschedule(asyncio.get_running_loop().time() + LINGERING_SECONDS)
            text += str(answer.headers)
            async for part in answer.aiter_text():
                text += part
    except TimeoutError:
        assert status, f"{method} {address} did not answer at all"
    return status, text


def batched(listed: list[Endpoint], size: int) -> Iterator[list[Endpoint]]:
    """
    Return some at a time.
    """
    return (listed[start : start + size] for start in range(0, len(listed), size))


def guarded(service: Service) -> list[Endpoint]:
    """
    Return every endpoint for which one has to be known.
    """
    return [one for one in endpoints(service.app) if one.path not in OPEN and not one.path.startswith("/assets/")]


async def test_only_what_is_listed_is_open(service: Service) -> None:
    """
    Every route but a few, named here one by one, sends strangers away, by every method.
    """
    admitted = []
    async with service.client() as client:
        for endpoint in endpoints(service.app):
            for method in {endpoint.method, "GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PROPFIND"}:
                status, text = await listen(client, method, endpoint.filled(OWN_VALUES))
                if endpoint.path in OPEN or endpoint.path.startswith("/assets/"):
                    continue
                sent_away = 401 if endpoint.path.startswith("/api/") else 303
                if status != sent_away or "shop" in text:
                    admitted.append((method, endpoint.path, status))

    assert len(guarded(service)) >= 10
    assert [] == admitted


async def test_no_proof_that_is_made_up_opens_anything(service: Service) -> None:
    """
    Tokens that were never given, are revoked, expired, cut, or sent in another way than as a bearer token.
    """
    revoked = await service.token("revoked")
    await service.store.revoke_token("revoked")
    expired = await service.token("expired", expires_at=datetime.now(UTC) - timedelta(seconds=1))
    good = await service.token("good")
    attempts: list[dict[str, str]] = [
        {"Authorization": "Bearer"},
        bearer("null"),
        bearer(new_token()),
        bearer(revoked),
        bearer(expired),
        bearer(good[:-1]),
        bearer(good.upper()),
        bearer(f"{good},{good}"),
        bearer(ADMIN[:-1]),
        bearer(f"{ADMIN}\u00e9".encode("latin-1").decode("latin-1")),
        {"Authorization": ADMIN},
        {"Authorization": f"Basic {ADMIN}"},
        {"Authorization": f"Token {good}"},
        {"X-Api-Key": ADMIN},
        {"X-Forwarded-User": "admin"},
        {"X-Original-URL": "/healthz"},
        {"Cookie": f"{COOKIE}={good}"},
        {"Cookie": f"{COOKIE}={ADMIN}"},
        {"Cookie": f"{COOKIE}=; {COOKIE}=x"},
        {"Cookie": f"__Host-{COOKIE}=x"},
    ]
    async with service.client() as client:
        refused = [
            (
                await client.get("/api/v1/organizations", headers={k: v.encode("latin-1") for k, v in one.items()})
            ).status_code  # type: ignore[arg-type]
            for one in attempts
        ]
        by_query = await client.get("/api/v1/organizations", params={"token": ADMIN, "access_token": good})
        known = await client.get("/api/v1/organizations", headers=bearer(good))

    assert {401} == set(refused)
    assert 401 == by_query.status_code
    assert 200 == known.status_code


@pytest.mark.parametrize(
    "target",
    [
        "//api/v1/accounts",
        "/./api/v1/accounts",
        "/healthz/../api/v1/accounts",
        "/assets/../api/v1/accounts",
        "/assets/..%2fapi/v1/accounts",
        "/assets/%2e%2e/api/v1/accounts",
        "/assets/..;/api/v1/accounts",
        "/login/../api/v1/accounts",
        "/login/oidc/../../api/v1/accounts",
        "/api/v1/accounts;/healthz",
        "/api/v1/accounts%3b.css",
        "/api/v1/accounts#/healthz",
        "/api/v1/accounts?/healthz",
        "/api/v1%2faccounts",
        "/API/V1/ACCOUNTS",
        "/%61pi/v1/accounts",
        "/api/v1/accounts/",
        "\\api\\v1\\accounts",
        "/assets/../../../../etc/passwd",
        "/assets/..%2f..%2f..%2f..%2f..%2fetc%2fpasswd",
        "/assets/....//....//etc/passwd",
        "/assets/%252e%252e%252fetc/passwd",
        "/assets//etc/passwd",
        "/assets/style.css/../../app.py",
        "/assets/%00",
        "/assets/..%c0%af..%c0%afetc/passwd",
        "http://localhost/api/v1/accounts",
    ],
)
async def test_no_spelling_of_a_path_leads_around_the_guard(service: Service, target: str) -> None:
    """
    Dots, slashes, encodings and absolute forms reach neither an account nor a file.
    """
    answer = await service.raw(f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())

    assert answer.status in {303, 400, 401, 404}, answer.head
    for secret in ("shop", "root:", "def ", "222222222222"):
        assert secret not in answer.body


async def test_a_caller_of_one_organization_reads_nothing_of_another_at_any_route(service: Service) -> None:
    """
    Whatever is put into the path, the query or the body: what comes back knows nothing that was not in the question.
    """
    token = await service.token("scoped", OWN, role=Role.ADMIN)
    leaks, seen = [], []

    async def ask(client: httpx.AsyncClient, endpoint: Endpoint) -> None:
        bodies: list[dict[str, Any]] = [{}]
        if endpoint.writes:
            bodies = [{"json": FOREIGN_VALUES}, {"json": {**FOREIGN_VALUES, "action": "s3:GetObject"}}]
        for (values, query), body in itertools.product(QUESTIONS, bodies):
            address = endpoint.filled(values)
            status, text = await listen(client, endpoint.method, address, params=query, **body)
            seen.append(status)
            question = f"{address} {query} {body}"
            found = [mark for mark in FOREIGN_MARKS if mark in text and mark not in question]
            if found or status >= 500:
                leaks.append((endpoint.method, question, status, found, text[:300]))

    async with service.client(token=token) as client:
        for some in batched([one for one in guarded(service) if one.path != ECHO], 4):
            await asyncio.gather(*(ask(client, endpoint) for endpoint in some))

    assert [] == leaks
    assert len(seen) > 50
    assert {200, 404} <= set(seen)


async def test_the_same_questions_by_somebody_who_may_see_all_do_tell(service: Service) -> None:
    """
    What is kept back from others is there: an empty answer alone would prove nothing.
    """
    told = set()
    async with service.client(token=await service.token("unscoped")) as client:
        for endpoint in guarded(service):
            if endpoint.method == "GET":
                _, text = await listen(
                    client, "GET", endpoint.filled(FOREIGN_VALUES), params={"organization_id": FOREIGN}
                )
                told.update(mark for mark in FOREIGN_MARKS if mark in text)

    assert {FOREIGN, "922222222229", "ou-zz99-zzzzzzzz", "xyzzy-", "p-xyzzypolicy"} <= told


async def test_revocation_holds_from_the_next_request_on(tenant_settings: Settings, service: Service) -> None:
    """
    A token that is revoked from the command line, and a session that it opened, are refused at once.
    """
    token = await service.token("leaving")
    async with service.client() as browser, service.client(token=token) as program:
        signed_in = await browser.post("/login", data={"token": token})
        before = [(await program.get("/api/v1/accounts")).status_code, (await browser.get("/")).status_code]
        revoked = await command(tenant_settings, "token", "revoke", "leaving")
        after = [(await program.get("/api/v1/accounts")).status_code, (await browser.get("/")).status_code]

    assert (303, 0) == (signed_in.status_code, revoked.status)
    assert before in ([200, 200], [400, 200], [200, 303], [400, 303])
    assert [401, 303] == after
    assert before != after


async def sign_in(service: Service, client: httpx.AsyncClient, token: str = ADMIN) -> str:
    """
    Open a session; returns its cookie.
    """
    answer = await client.post("/login", data={"token": token})
    assert (303, "/") == (answer.status_code, answer.headers["location"])
    return str(client.cookies[COOKIE])


async def test_what_writes_by_a_session_must_come_from_a_page_of_that_session(service: Service) -> None:
    """
    At every route: no token, another's token, a foreign origin or site is refused and written down as refused.
    """
    passed = []
    async with service.client() as browser, service.client() as other:
        cookie, foreign_cookie = await sign_in(service, browser), await sign_in(service, other)
        own = {"X-CSRF-Token": csrf_token(cookie)}
        attempts: list[dict[str, str]] = [
            {},
            {"X-CSRF-Token": ""},
            {"X-CSRF-Token": csrf_token(foreign_cookie)},
            {"X-CSRF-Token": cookie},
            {**own, "Origin": "https://evil.example"},
            {**own, "Origin": "null"},
            {**own, "Origin": f"{service.url}.evil.example"},
            {**own, "Origin": service.url.replace("http://", "http://evil@").replace("evil@", "evil.example/")},
            {**own, "Sec-Fetch-Site": "cross-site"},
            {**own, "Sec-Fetch-Site": "same-site"},
        ]
        writing = [one for one in guarded(service) if one.writes]
        for endpoint in writing:
            for headers in attempts:
                address = endpoint.filled(OWN_VALUES)
                plain = await browser.request(endpoint.method, address, headers=headers, json={})
                form = await browser.request(endpoint.method, address, headers=headers, data={"csrf": "x"})
                if {403} != {plain.status_code, form.status_code}:
                    passed.append((endpoint, headers, plain.status_code, form.status_code))
        still = await browser.get("/api/v1/organizations")
    entries = await service.store.entries(limit=5)

    assert {"/logout"} <= {endpoint.path for endpoint in writing}
    assert [] == passed
    assert 200 == still.status_code
    assert {("refused", 403, "admin_token")} == {(entry.outcome, entry.status, entry.kind) for entry in entries}


@pytest.mark.parametrize("way", ["header", "field"])
async def test_a_page_of_ours_may_write(service: Service, way: str) -> None:
    """
    With the token of the session, from the same origin, the way out works, and the session is over.
    """
    async with service.client() as browser:
        cookie = await sign_in(service, browser)
        token = csrf_token(cookie)
        answer = await browser.post(
            "/logout",
            headers={"Origin": service.url, "Sec-Fetch-Site": "same-origin"}
            | ({"X-CSRF-Token": token} if way == "header" else {}),
            data={"csrf_token": token} if way == "field" else None,
        )
        afterwards = await browser.get("/", headers={"Cookie": f"{COOKIE}={cookie}"})

    assert (303, "/login") == (answer.status_code, answer.headers["location"])
    assert 303 == afterwards.status_code


async def test_signing_in_takes_a_new_session_each_time(service: Service) -> None:
    """
    A cookie that somebody planted is not taken over, and the session before it ends.
    """
    async with service.client(cookies={COOKIE: "planted"}) as browser:
        answer = await browser.post("/login", data={"token": ADMIN})
        first = answer.cookies[COOKIE]
        answer = await browser.post("/login", data={"token": ADMIN}, headers={"Cookie": f"{COOKIE}={first}"})
        second = answer.cookies[COOKIE]
    async with service.client() as browser:
        statuses = [
            (await browser.get("/", headers={"Cookie": f"{COOKIE}={one}"})).status_code
            for one in ("planted", first, second)
        ]

    assert [303, 303, 200] == statuses


async def test_a_login_from_another_site_is_refused(service: Service) -> None:
    """
    Nobody can be signed in as somebody else without their doing.
    """
    async with service.client() as browser:
        foreign = await browser.post("/login", data={"token": ADMIN}, headers={"Origin": "https://evil.example"})
        cross = await browser.post("/login", data={"token": ADMIN}, headers={"Sec-Fetch-Site": "cross-site"})

    assert (403, 403) == (foreign.status_code, cross.status_code)
    assert "set-cookie" not in foreign.headers
    assert "set-cookie" not in cross.headers


async def test_sessions_end_after_their_time_and_after_silence(tenant_settings: Settings, service: Service) -> None:
    """
    The absolute time and the time without a request are both held by the database.
    """
    async with service.client() as browser:
        for column in ("expires_at = now()", "used_at = now() - interval '1 hour 1 second'"):
            await sign_in(service, browser)
            before = (await browser.get("/")).status_code
            await stored(tenant_settings, f"update rooftree.session set {column} returning 1 as done")
            assert (200, 303) == (before, (await browser.get("/")).status_code), column


async def test_another_admin_token_ends_the_sessions_of_the_one_before(
    tenant_settings: Settings, service: Service
) -> None:
    """
    Who changes the token shuts out whoever came in by it, on every process.
    """
    async with service.client() as browser, serving(tenant_settings) as same:
        cookie = await sign_in(service, browser)
        async with same.client() as there:
            elsewhere = await there.get("/", headers={"Cookie": f"{COOKIE}={cookie}"})
    async with (
        serving(tenant_settings, admin_token=SecretStr("another-token-of-the-admin")) as changed,
        changed.client() as there,
    ):
        shut_out = await there.get("/", headers={"Cookie": f"{COOKIE}={cookie}"})

    assert (200, 303) == (elsewhere.status_code, shut_out.status_code)


async def test_what_is_kept_of_secrets_cannot_be_turned_back(tenant_settings: Settings, service: Service) -> None:
    """
    Neither a token nor a cookie stands anywhere in the database.
    """
    token = await service.token("kept")
    async with service.client() as browser:
        cookies = [await sign_in(service, browser, token), await sign_in(service, browser)]
    rows = [
        str(row)
        for table in ("api_token", "session", "access_log")
        for row in await stored(tenant_settings, f"select * from rooftree.{table}")
    ]

    assert rows
    for secret in (token, ADMIN, *cookies):
        assert [] == [row for row in rows if secret in row]


async def test_sign_ins_writes_and_refusals_are_written_down(tenant_settings: Settings, service: Service) -> None:
    """
    Who, from where, what, and how it ended; the command shows the same.
    """
    async with service.client() as browser:
        await browser.post("/login", data={"token": "no token at all"})
        cookie = await sign_in(service, browser)
        await browser.post("/logout", headers={"X-CSRF-Token": csrf_token(cookie)})
        await browser.get("/api/v1/accounts", headers=bearer("wrong"))
    entries = await service.store.entries(limit=5)
    told = await command(tenant_settings, "access-log", "--limit", 5, "--json")

    assert [
        ("unknown", "GET /api/v1/accounts", "refused", 401),
        ("admin_token", "sign-out", "done", None),
        ("admin_token", "POST /logout", "done", 303),
        ("admin_token", "sign-in", "done", None),
        ("unknown", "sign-in", "refused", None),
    ] == [(one.kind, one.action, str(one.outcome), one.status) for one in entries]
    assert {"127.0.0.1"} == {one.address for one in entries}
    assert [one.entry_id for one in entries] == [line["entry"] for line in told.lines]
    assert "no token at all" not in told.out


async def test_addresses_are_not_what_a_stranger_says(service: Service) -> None:
    """
    Without a trusted proxy, forwarding headers change nothing; with one, they do.
    """
    headers = {**bearer("wrong"), "X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9", "X-Real-IP": "9"}
    async with service.client() as client:
        await client.get("/api/v1/accounts", headers=headers)
    [entry] = await service.store.entries(limit=1)

    assert "127.0.0.1" == entry.address


async def test_a_trusted_proxy_is_believed(tenant_settings: Settings) -> None:
    """
    The address that a named proxy gives is written down, and counted for limits.
    """
    async with serving(tenant_settings, http_trusted_proxies="127.0.0.1") as behind, behind.client() as client:
        await client.get("/api/v1/accounts", headers={**bearer("wrong"), "X-Forwarded-For": "203.0.113.9"})
        [entry] = await behind.store.entries(limit=1)

    assert "203.0.113.9" == entry.address


async def test_limits_are_by_caller_and_told(tenant_settings: Settings, service: Service) -> None:
    """
    The one request too many is 429 with a time to come back; others go on.
    """
    busy, calm = await service.token("busy"), await service.token("calm")
    async with serving(tenant_settings, http_rate_limit=5) as limited, limited.client() as client:
        answers = [await client.get("/api/v1/organizations", headers=bearer(busy)) for _ in range(6)]
        other = await client.get("/api/v1/organizations", headers=bearer(calm))

    assert [200] * 5 + [429] == [answer.status_code for answer in answers]
    assert '"requests";q=5;w=60' == answers[0].headers["ratelimit-policy"]
    assert '"requests";r=4;t=' in answers[0].headers["ratelimit"]
    assert 1 <= int(answers[5].headers["retry-after"]) <= 12
    assert "application/problem+json" == answers[5].headers["content-type"]
    assert 200 == other.status_code


async def test_guessing_is_slowed_down_by_address(tenant_settings: Settings) -> None:
    """
    After some failures an address waits, at the form and at the API alike; sessions that are open go on.
    """
    async with (
        serving(tenant_settings, http_sign_in_limit=4) as limited,
        limited.client() as browser,
        limited.client() as client,
    ):
        await sign_in(limited, browser)
        tries = [(await client.get("/api/v1/accounts", headers=bearer("x"))).status_code for _ in range(3)]
        form = await client.post("/login", data={"token": ADMIN})
        api = await client.get("/api/v1/organizations", headers=bearer(ADMIN))
        session = await browser.get("/")

    assert [401, 401, 401] == tries
    assert (429, 429, 200) == (form.status_code, api.status_code, session.status_code)
    assert "retry-after" in form.headers
    assert form.headers["content-type"].startswith("text/html")
    assert "too many attempts" in form.text


async def test_bodies_that_are_too_large_are_refused_at_every_route(tenant_settings: Settings) -> None:
    """
    By what they say and by what they are; nothing of them is kept in memory first.
    """
    let_in = []
    async with serving(tenant_settings, http_max_body_bytes=65_536) as bounded, bounded.client() as client:
        cookie = await sign_in(bounded, client)
        for endpoint in endpoints(bounded.app):
            if not endpoint.writes:
                continue
            address = endpoint.filled(OWN_VALUES)
            said = await bounded.raw(
                f"{endpoint.method} {address} HTTP/1.1\r\nHost: x\r\nCookie: {COOKIE}={cookie}\r\n"
                f"Content-Length: 99999999999\r\nConnection: close\r\n\r\n".encode()
            )

            async def flood() -> AsyncIterator[bytes]:
                for _ in range(20):
                    yield b"a=" + b"x" * 8190

            headers = {"X-CSRF-Token": csrf_token(cookie), "Content-Type": "application/x-www-form-urlencoded"}
            sent = await client.request(endpoint.method, address, content=flood(), headers=headers)
            if said.status != 413 or sent.status_code not in {413, 303, 400, 401, 404, 415}:
                let_in.append((endpoint, said.status, sent.status_code))

    assert [] == let_in


async def test_a_body_that_never_comes_is_not_waited_for(tenant_settings: Settings) -> None:
    """
    A connection that sends a byte now and then is answered and done with.
    """
    async with serving(tenant_settings, http_body_timeout=0.5) as hasty:
        answer = await hasty.raw(
            b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\nConnection: close\r\n\r\ntoken="
        )

    assert 408 == answer.status


@pytest.mark.parametrize(
    ("request_head", "statuses"),
    [
        (b"GET /api/v1/accounts?" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", {414}),
        (b"GET / HTTP/1.1\r\nHost: x\r\nCookie: " + b"a" * 200_000 + b"\r\n\r\n", {400, 431}),
        (b"GET / HTTP/1.1\r\n" + b"X-A: b\r\n" * 50_000 + b"\r\n", {400, 431}),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {400, 303}),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", {400}),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX-A: b\r\n c: d\r\nConnection: close\r\n\r\n", {400, 303}),
        (b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n", {400}),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", {400}),
        (b"NONSENSE\r\n\r\n", {400}),
    ],
)
async def test_requests_that_are_malformed_are_refused(
    service: Service, request_head: bytes, statuses: set[int]
) -> None:
    """
    Too long, doubled, folded or no request at all: an answer, no defect, and the server goes on.
    """
    answer = await service.raw(request_head)

    assert answer.status in statuses, answer.head


@pytest.mark.parametrize(
    "injected", ["%0d%0aSet-Cookie:%20a=b", "%0aX-Injected:%20yes", "%E5%98%8A%E5%98%8DSet-Cookie:a=b"]
)
async def test_no_header_can_be_written_by_a_request(service: Service, injected: str) -> None:
    """
    Line ends in paths, queries, hosts and headers come back as text, or not at all.
    """
    token = await service.token(f"inject-{len(injected)}-{injected[-3]}")
    found = []
    for endpoint in endpoints(service.app):
        if endpoint.method != "GET" or "stream" in endpoint.path:
            continue
        values = dict.fromkeys(OWN_VALUES, f"{injected}")
        for target in (
            f"{endpoint.filled(values)}",
            f"{endpoint.filled(OWN_VALUES)}?organization_id={injected}&code={injected}",
        ):
            try:
                answer = await service.raw(
                    f"GET {target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n".encode(),
                    seconds=LINGERING_SECONDS,
                )
            except TimeoutError:
                continue  # a feed that goes on
            if "set-cookie: a" in answer.head.lower() or "x-injected" in answer.head.lower() or answer.status >= 500:
                found.append((target, answer.head))

    assert [] == found


async def test_redirects_stay_here_whatever_host_is_named(service: Service) -> None:
    """
    The name that a request gives to this service decides over nothing.
    """
    answer = await service.raw(
        b"GET / HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: https\r\n"
        b"Connection: close\r\n\r\n"
    )

    assert 303 == answer.status
    assert "location: /login\r\n" in f"{answer.head}\r\n"
    assert "evil" not in answer.head


async def test_tokens_are_made_listed_and_used_from_the_command_line(
    tenant_settings: Settings, service: Service
) -> None:
    """
    The token is shown once and works; the list tells of its use and not of the token.
    """
    made = await command(
        tenant_settings, "token", "create", "ci", "--role", "auditor", "--organization", OWN, "--expires", "12h"
    )
    again = await command(tenant_settings, "token", "create", "ci")
    wrong = await command(tenant_settings, "token", "create", "other", "--organization", "everything")
    token = made.out.strip()
    async with service.client(token=token) as client:
        answer = await client.get("/api/v1/organizations")
    listed = await command(tenant_settings, "token", "list", "--json")
    [row] = [one for one in listed.json if one["name"] == "ci"]

    assert (0, 2, 2) == (made.status, again.status, wrong.status)
    assert "there is a token `ci` already" in again.err
    assert [OWN] == [one["organization_id"] for one in answer.json()["items"]]
    assert ("auditor", [OWN], "good") == (row["role"], row["organizations"], row["state"])
    assert row["last_used_at"] is not None
    assert token not in listed.out + made.err
