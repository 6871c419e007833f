"""
Signing in by an identity provider: the whole way with a real one, and everything that another could get wrong on purpose.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import SecretStr
from tests.integration.identity import BentProvider, bent_provider, real_provider
from tests.integration.serving import Service, serving
from tests.integration.tenants import FOREIGN, OWN

from rooftree.api.access import COOKIE
from rooftree.api.forgery import csrf_token
from rooftree.embedded.child import free_port
from rooftree.settings import Settings

pytestmark = [pytest.mark.integration, pytest.mark.any_broker]

GRANTS = f"security=admin:*; shop-leads=viewer:{OWN}; alice@example.com=auditor:{OWN}"


@asynccontextmanager
async def serving_people(settings: Settings, issuer: str, **changes: object) -> AsyncIterator[Service]:
    """
    Serve with a provider, at an address that both know.
    """
    port = free_port()
    provided = {
        "http_port": port,
        "public_url": f"http://127.0.0.1:{port}",
        "oidc_issuer": issuer,
        "oidc_client_id": "rooftree",
        "oidc_client_secret": SecretStr("a secret"),
        "oidc_grants": GRANTS,
        **changes,
    }
    async with serving(settings, **provided) as service:
        yield service


async def enter(browser: httpx.AsyncClient, *, user: str | None = None) -> httpx.Response:
    """
    Go to the provider and come back; at a real one, as this user.
    """
    left = await browser.get("/login/oidc")
    assert 303 == left.status_code, left.text
    async with httpx.AsyncClient() as elsewhere:
        if user is None:
            sent_back = await elsewhere.get(left.headers["location"])
        else:
            sent_back = await elsewhere.post(left.headers["location"], data={"sub": user})
    return await browser.get(sent_back.headers["location"])


USERS: dict[str, dict[str, object]] = {
    "ada": {"email": "ada@example.com", "groups": ["security", "shop-leads"]},
    "lea": {"email": "lea@example.com", "groups": ["shop-leads"]},
    "eve": {"email": "eve@example.com", "groups": ["sales"]},
    "bob": {"email": "bob@example.com"},
}


@pytest.fixture(scope="module")
async def issuer() -> AsyncIterator[str]:
    """
    Run a real provider.
    """
    async with real_provider(**USERS) as address:
        yield address


async def test_people_sign_in_by_a_real_provider_and_see_what_their_groups_are_granted(
    tenant_settings: Settings, issuer: str
) -> None:
    """
    An admin of all sees both organizations, a lead one; who is granted nothing stays out; all of it is written down.
    """
    seen: dict[str, list[str] | int] = {}
    async with serving_people(tenant_settings, issuer) as service:
        for user in USERS:
            async with service.client() as browser:
                page = await browser.get("/login")
                assert "Sign in with 127.0.0.1" in page.text
                entered = await enter(browser, user=user)
                answer = await browser.get("/api/v1/organizations")
                if entered.status_code == 200:
                    seen[user] = [one["organization_id"] for one in answer.json()["items"]]
                else:
                    seen[user] = entered.status_code
                    assert "nothing is granted" in entered.text
                    assert 401 == answer.status_code
        entries = await service.store.entries(limit=4)

    assert {"ada": [OWN, FOREIGN], "lea": [OWN], "eve": 403, "bob": 403} == seen
    assert [
        ("unknown", "sign-in", "refused", None),
        ("unknown", "sign-in", "refused", None),
        ("lea@example.com", "sign-in", "done", "viewer"),
        ("ada@example.com", "sign-in", "done", "admin"),
    ] == [(one.name or one.kind, one.action, str(one.outcome), one.role) for one in entries]
    assert entries[3].identity == f"person:{issuer}#ada"


async def test_signing_out_ends_the_session_and_shows_the_way_to_end_the_other(
    tenant_settings: Settings, issuer: str
) -> None:
    """
    The session here is over at once; the provider's is ended there, with the token that it wants to see.
    """
    async with serving_people(tenant_settings, issuer) as service, service.client() as browser:
        await enter(browser, user="lea")
        cookie = browser.cookies[COOKIE]
        left = await browser.post("/logout", data={"csrf_token": csrf_token(cookie)})
        afterwards = await browser.get("/", headers={"Cookie": f"{COOKIE}={cookie}"})

    assert 200 == left.status_code
    assert f"{issuer}/oauth2/end_session?id_token_hint=" in left.text
    assert 303 == afterwards.status_code


@pytest.fixture(scope="module")
async def bent() -> AsyncIterator[BentProvider]:
    """
    Run a provider that can be bent.
    """
    async with bent_provider() as provider:
        yield provider


@pytest.fixture(scope="module")
async def service(tenant_settings: Settings, bent: BentProvider) -> AsyncIterator[Service]:
    """
    Serve with it.
    """
    async with serving_people(tenant_settings, bent.issuer) as running:
        yield running


@pytest.fixture
def straight(bent: BentProvider) -> BentProvider:
    """
    The provider as it should be.
    """
    bent.claims, bent.algorithm, bent.told_issuer = {}, "RS256", None
    return bent


async def test_the_way_there_and_back_is_bound_to_one_browser(service: Service, straight: BentProvider) -> None:
    """
    State, nonce and PKCE are new each time; the cookie is not for scripts and is good once.
    """
    async with service.client() as browser:
        left = await browser.get("/login/oidc")
        cookie = left.headers["set-cookie"].lower()
        entered = await enter(browser)
        again = await enter(browser)
    first, second = straight.questions[-2:]

    assert {"httponly", "samesite=lax"} <= {part.strip() for part in cookie.split(";")}
    assert (200, 200) == (entered.status_code, again.status_code)
    assert 'http-equiv="refresh"' in entered.text
    assert "samesite=strict" in entered.headers["set-cookie"].lower()
    assert "code" == first["response_type"]
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name]) >= 43
        assert first[name] != second[name]


SOON = int(time.time()) + 3600

BENT: dict[str, Callable[[BentProvider], object]] = {
    "another issuer": lambda provider: provider.claims.update(iss="https://evil.example"),
    "no issuer": lambda provider: provider.claims.update(iss=None),
    "for somebody else": lambda provider: provider.claims.update(aud="another-client"),
    "for nobody": lambda provider: provider.claims.update(aud=None),
    "made for somebody else": lambda provider: provider.claims.update(aud=["rooftree", "other"], azp="other"),
    "expired": lambda provider: provider.claims.update(exp=int(time.time()) - 120),
    "for ever": lambda provider: provider.claims.update(exp=None),
    "not yet": lambda provider: provider.claims.update(nbf=SOON),
    "another nonce": lambda provider: provider.claims.update(nonce="another"),
    "no nonce": lambda provider: provider.claims.update(nonce=None),
    "nobody": lambda provider: provider.claims.update(sub=None),
    "another key": lambda provider: setattr(provider, "key", BentProvider().key),
    "the public key as a secret": BentProvider.sign_with_what_is_public,
    "no signature": lambda provider: setattr(provider, "algorithm", "none"),
}


@pytest.mark.parametrize("how", BENT)
async def test_a_token_that_is_not_good_lets_nobody_in(service: Service, straight: BentProvider, how: str) -> None:
    """
    Issuer, audience, times, nonce, subject, key and algorithm are all looked at.
    """
    key = straight.key
    BENT[how](straight)
    try:
        async with service.client() as browser:
            entered = await enter(browser)
            answer = await browser.get("/api/v1/organizations")
    finally:
        straight.key = key

    assert 403 == entered.status_code
    assert "the id token is not good" in entered.text
    assert COOKIE not in entered.headers.get("set-cookie", "").split("rooftree_oidc")[0]
    assert 401 == answer.status_code


async def test_an_answer_that_this_browser_did_not_ask_for_lets_nobody_in(
    service: Service, straight: BentProvider
) -> None:
    """
    Another browser's answer, one with another state, one without a cookie, and one of another provider.
    """
    async with service.client() as mine, service.client() as theirs:
        left = await theirs.get("/login/oidc")
        async with httpx.AsyncClient() as elsewhere:
            answer = (await elsewhere.get(left.headers["location"])).headers["location"]
        await mine.get("/login/oidc")
        planted = await mine.get(answer)
        async with service.client() as bare:
            without = await bare.get(answer)
        other = await theirs.get(answer.replace("iss=http", "iss=https"))
        await theirs.get("/login/oidc")
        refused = await theirs.get("/login/oidc/callback", params={"error": "access_denied", "state": ""})

    assert [403] * 4 == [one.status_code for one in (planted, without, other, refused)]
    assert "was not begun by this browser" in planted.text


async def test_a_code_is_good_with_the_verifier_of_its_attempt_alone(service: Service, straight: BentProvider) -> None:
    """
    A code that was stolen on its way is worth nothing without the cookie of who asked for it.
    """
    async with service.client() as browser:
        left = await browser.get("/login/oidc")
        state = parse_qs(urlsplit(left.headers["location"]).query)["state"][0]
        async with httpx.AsyncClient() as elsewhere:
            answer = (await elsewhere.get(left.headers["location"])).headers["location"]
        entered = await browser.get(answer, headers={"Cookie": f"rooftree_oidc={state}.nonce.another-verifier"})

    assert 403 == entered.status_code
    assert "refuses the code: invalid_grant" in entered.text


async def test_keys_that_were_changed_are_looked_at_again(
    tenant_settings: Settings, straight: BentProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A provider rotates its keys without anybody telling us.
    """
    async with serving_people(tenant_settings, straight.issuer) as service, service.client() as browser:
        first = await enter(browser)
        straight.rotate("second")
        # The keys were looked at just now; a token with an unknown key must not make us ask without end.
        hasty = await enter(browser)
        monkeypatch.setattr("rooftree.identity.provider.REFRESH_SECONDS", 0)
        second = await enter(browser)

    assert [200, 403, 200] == [one.status_code for one in (first, hasty, second)]


async def test_a_provider_that_calls_itself_another_is_not_asked(
    tenant_settings: Settings, straight: BentProvider
) -> None:
    """
    What is found by discovery has to be of the issuer that the settings name.
    """
    straight.told_issuer = "https://evil.example"
    async with serving_people(tenant_settings, straight.issuer) as service, service.client() as browser:
        answer = await browser.get("/login/oidc")

    assert 503 == answer.status_code
    assert "calls itself another" in answer.text


async def test_a_provider_that_is_away_keeps_nobody_from_coming_in_by_token(tenant_settings: Settings) -> None:
    """
    The login says what is the matter and takes tokens all the same.
    """
    async with (
        serving_people(tenant_settings, f"http://127.0.0.1:{free_port()}") as service,
        service.client() as browser,
    ):
        away = await browser.get("/login/oidc")
        entered = await browser.post("/login", data={"token": "the-token-of-the-admin"})

    assert (503, 303) == (away.status_code, entered.status_code)
    assert "identity provider: ConnectError" in away.text
