"""
Webhooks, tokens and the access log over HTTP: what admins do, and what one who is limited to an organization cannot.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from tests.databases import as_role
from tests.integration.receiving import Receiver, receiving
from tests.integration.service import stored
from tests.integration.serving import ADMIN, Service, bearer, serving
from tests.integration.tenants import FOREIGN, OWN

from rooftree.access.caller import Role
from rooftree.bootstrap.database import open_store
from rooftree.errors import UsageError
from rooftree.settings import Settings
from rooftree.webhooks.signing import new_secret, signed_headers, signing_with

pytestmark = [pytest.mark.integration, pytest.mark.any_broker]

API = "/api/v1"
SHOP = "222222222222"
OUTSIDE = "https://hooks.example.com/rooftree"


@pytest.fixture(scope="module")
def tenant_settings(tenant_settings: Settings) -> Settings:
    """
    Let webhooks reach the tests' own servers.
    """
    return tenant_settings.model_copy(update={"webhook_allow_private": True, "webhook_timeout": 5})


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """
    Run a receiver.
    """
    async with receiving() as taking:
        yield taking


@pytest.fixture
async def admin(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    """
    Talk as somebody who may do everything.
    """
    async with service.client(token=ADMIN) as client:
        yield client


@pytest.fixture
async def scoped(service: Service, request: pytest.FixtureRequest) -> AsyncIterator[httpx.AsyncClient]:
    """
    Talk as an admin of the first organization alone.
    """
    token = await service.token(f"scoped-{request.node.name[:80]}", OWN, role=Role.ADMIN)
    async with service.client(token=token) as client:
        yield client


async def subscribe(client: httpx.AsyncClient, organization_id: str, url: str = OUTSIDE, **wanted: object) -> str:
    """
    Make a webhook; returns its id.
    """
    answer = await client.post(
        f"{API}/webhooks", params={"organization_id": organization_id}, json={"url": url, **wanted}
    )
    assert 201 == answer.status_code, answer.text
    return str(answer.json()["webhook"])


async def test_a_webhook_is_made_tried_and_ended(
    tenant_settings: Settings, admin: httpx.AsyncClient, receiver: Receiver
) -> None:
    """
    The secret is in the first answer and in no other; attempts are told as they ended.
    """
    of = {"organization_id": OWN}
    made = await admin.post(
        f"{API}/webhooks", params=of, json={"url": f"{receiver.url}/hook", "verdicts": ["loosened"], "from_start": True}
    )
    webhook, secret = made.json()["webhook"], made.json()["secret"]
    receiver.answers = [204, 500]
    attempts = [(await admin.post(f"{API}/webhooks/{webhook}/test", params=of)).json() for _ in range(2)]
    shown = await admin.get(f"{API}/webhooks/{webhook}", params=of)
    listed = await admin.get(f"{API}/webhooks", params=of)
    ended = await admin.delete(f"{API}/webhooks/{webhook}", params=of)
    after = await admin.get(f"{API}/webhooks/{webhook}", params=of)
    log = await admin.get(f"{API}/access-log", params={"limit": 4})

    assert 201 == made.status_code
    assert [
        {"accepted": True, "status": 204, "reason": None},
        {"accepted": False, "status": 500, "reason": "answered 500"},
    ] == attempts
    assert ["rooftree.webhook.test.v1"] == [one["type"] for one in receiver.accepted]
    assert (["loosened"], None, 0) == tuple(shown.json()[name] for name in ("verdicts", "types", "revision"))
    assert shown.json() in listed.json()["items"]
    assert shown.json() == ended.json()
    assert 404 == after.status_code
    assert f"{webhook} of {OWN}" == log.json()["items"][-1]["detail"]
    assert secret not in shown.text + listed.text + ended.text + log.text
    assert receiver.url not in log.text


async def test_a_webhook_that_was_disabled_goes_on(tenant_settings: Settings, admin: httpx.AsyncClient) -> None:
    """
    The answer has it as it is then.
    """
    webhook = await subscribe(admin, OWN)
    await stored(
        tenant_settings,
        "update rooftree.webhook set disabled_at = now(), disabled_reason = 'gone' where webhook_id = $1 returning 1",
        webhook,
    )
    before = (await admin.get(f"{API}/webhooks/{webhook}", params={"organization_id": OWN})).json()
    enabled = (await admin.post(f"{API}/webhooks/{webhook}/enable", params={"organization_id": OWN})).json()

    assert ("gone", None) == (before["disabled_reason"], enabled["disabled_at"])


async def give_up(settings: Settings, organization_id: str, webhook: str, count: int) -> list[dict[str, Any]]:
    """
    Put audit events among the letters of a webhook.
    """
    return await stored(
        settings,
        """
        insert into rooftree.webhook_letter (organization_id, webhook_id, revision, part, event_id, attempts, reason)
        select organization_id, $2, revision, part, event_id, 5, 'answered 400'
        from rooftree.audit_event
        where organization_id = $1
        order by revision, part
        limit $3
        returning letter_id, event_id
        """,
        *(organization_id, webhook, count),
    )


async def test_letters_are_paged_and_sent_again(
    tenant_settings: Settings, admin: httpx.AsyncClient, receiver: Receiver
) -> None:
    """
    One that is accepted leaves the list; one that is not stays in it.
    """
    of = {"organization_id": OWN}
    webhook = await subscribe(admin, OWN, f"{receiver.url}/hook")
    kept = await give_up(tenant_settings, OWN, webhook, 2)
    letters = f"{API}/webhooks/{webhook}/letters"
    first = (await admin.get(letters, params={**of, "limit": 1})).json()
    second = (await admin.get(letters, params={**of, "limit": 1, "cursor": first["next"]})).json()
    receiver.answers = [204, 400]
    replays = [
        (await admin.post(f"{letters}/{letter['letter_id']}/replay", params=of)).json()["accepted"] for letter in kept
    ]
    waiting = (await admin.get(letters, params=of)).json()["items"]
    everything = (await admin.get(letters, params={**of, "delivered": "true"})).json()["items"]
    nothing = await admin.post(f"{letters}/999999999/replay", params=of)

    assert [one["event_id"] for one in kept] == [page["items"][0]["event_id"] for page in (first, second)]
    assert second["next"] is None
    assert [one["event_id"] for one in kept] == receiver.ids
    assert [True, False] == replays
    assert [kept[1]["letter_id"]] == [one["letter"] for one in waiting]
    assert [True, False] == [one["delivered_at"] is not None for one in everything]
    assert 404 == nothing.status_code


@pytest.mark.parametrize("named", [{}, {"organization_id": OWN}, {"organization_id": FOREIGN}])
async def test_an_admin_of_one_organization_cannot_reach_a_webhook_of_another(
    tenant_settings: Settings, admin: httpx.AsyncClient, scoped: httpx.AsyncClient, named: dict[str, str]
) -> None:
    """
    By its id it is as if there were none, whichever organization is named.
    """
    foreign = await subscribe(admin, FOREIGN)
    [letter] = await give_up(tenant_settings, FOREIGN, foreign, 1)
    before = await stored(tenant_settings, "select * from rooftree.webhook where webhook_id = $1", foreign)
    own = await subscribe(scoped, OWN)
    path, replay = f"{API}/webhooks/{foreign}", f"letters/{letter['letter_id']}/replay"
    answers = [
        await scoped.get(path, params=named),
        await scoped.delete(path, params=named),
        await scoped.post(f"{path}/test", params=named),
        await scoped.post(f"{path}/enable", params=named),
        await scoped.get(f"{path}/letters", params=named),
        await scoped.post(f"{path}/{replay}", params=named),
        await scoped.post(f"{API}/webhooks/{own}/{replay}", params=named),
    ]
    listed = await scoped.get(f"{API}/webhooks", params=named)
    made = await scoped.post(f"{API}/webhooks", params={"organization_id": FOREIGN}, json={"url": OUTSIDE})
    after = await stored(tenant_settings, "select * from rooftree.webhook where webhook_id = $1", foreign)

    assert [404] * 8 == [answer.status_code for answer in (*answers, made)]
    assert foreign not in listed.text
    assert "hooks.example.com" not in "".join(answer.text for answer in answers)
    assert before == after


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"url": "ftp://hooks.example.com"}, "url"),
        ({"url": "https://user:password@hooks.example.com"}, "url"),
        ({"url": OUTSIDE, "secret": "short"}, "secret"),
        ({"url": OUTSIDE, "secret": "whsec_äöü"}, "secret"),
        ({"url": OUTSIDE, "verdicts": ["better"]}, "verdicts"),
        ({"url": OUTSIDE, "account_ids": ["1"]}, "account_ids"),
        ({"url": OUTSIDE, "more": 1}, "more"),
        ({}, "url"),
    ],
)
async def test_a_webhook_that_cannot_be_is_refused_with_the_place(
    admin: httpx.AsyncClient, body: dict[str, object], place: str
) -> None:
    """
    Nothing is made, and nothing of a secret comes back.
    """
    answer = await admin.post(f"{API}/webhooks", params={"organization_id": OWN}, json=body)

    assert 400 == answer.status_code
    assert answer.json()["detail"].startswith(place)
    assert "whsec_ä" not in answer.text


async def test_a_secret_may_be_brought_along(tenant_settings: Settings, admin: httpx.AsyncClient) -> None:
    """
    It is the one that signs.
    """
    secret = new_secret()
    webhook = await subscribe(admin, OWN, secret=secret)

    assert [{"secret": secret}] == await stored(
        tenant_settings, "select secret from rooftree.webhook where webhook_id = $1", webhook
    )


async def test_where_private_addresses_are_not_allowed_they_are_not_reached(
    tenant_settings: Settings, receiver: Receiver
) -> None:
    """
    Neither without TLS, nor by a test of an address that looks public.
    """
    async with (
        serving(tenant_settings, webhook_allow_private=False) as strict,
        strict.client(token=ADMIN) as client,
    ):
        plain = await client.post(
            f"{API}/webhooks", params={"organization_id": OWN}, json={"url": f"{receiver.url}/hook"}
        )
        webhook = await subscribe(client, OWN, receiver.url.replace("http:", "https:"))
        tried = await client.post(f"{API}/webhooks/{webhook}/test", params={"organization_id": OWN})

    assert (400, "url: expected https://") == (plain.status_code, plain.json()["detail"])
    assert (False, None) == (tried.json()["accepted"], tried.json()["status"])
    assert "not public" in tried.json()["reason"]
    assert [] == receiver.requests


async def test_a_token_is_made_shown_once_used_and_revoked(service: Service, admin: httpx.AsyncClient) -> None:
    """
    It sees what it is limited to, from the moment it is made until it is revoked.
    """
    made = await admin.post(
        f"{API}/tokens", json={"name": "robot", "role": "auditor", "organizations": [OWN], "expires": "12h"}
    )
    again = await admin.post(f"{API}/tokens", json={"name": "robot"})
    token = made.json()["token"]
    seen = await admin.get(f"{API}/organizations", headers=bearer(token))
    listed = await admin.get(f"{API}/tokens")
    [row] = [one for one in listed.json()["items"] if one["name"] == "robot"]
    revoked = await admin.delete(f"{API}/tokens/{row['id']}")
    twice = await admin.delete(f"{API}/tokens/{row['id']}")
    refused = await admin.get(f"{API}/organizations", headers=bearer(token))
    log = await admin.get(f"{API}/access-log", params={"limit": 5})

    assert (201, 409) == (made.status_code, again.status_code)
    assert [OWN] == [one["organization_id"] for one in seen.json()["items"]]
    assert ("auditor", [OWN], "good") == (row["role"], row["organizations"], row["state"])
    assert (200, "revoked", 404, 401) == (
        *(revoked.status_code, revoked.json()["state"], twice.status_code, refused.status_code),
    )
    assert [
        (f"GET {API}/organizations", "refused", "no token that is good"),
        (f"DELETE {API}/tokens/{row['id']}", "refused", ""),
        (f"DELETE {API}/tokens/{row['id']}", "done", f"robot ({row['id']})"),
        (f"POST {API}/tokens", "refused", ""),
        (f"POST {API}/tokens", "done", f"robot ({row['id']}), auditor"),
    ] == [(one["action"], one["outcome"], one["detail"]) for one in log.json()["items"]]
    assert token not in listed.text + revoked.text + log.text


async def test_an_admin_of_one_organization_gives_no_more_than_they_have(scoped: httpx.AsyncClient) -> None:
    """
    Neither all organizations, nor another, nor another beside their own.
    """
    wider: list[dict[str, object]] = [
        {},
        {"organizations": None},
        {"organizations": [FOREIGN]},
        {"organizations": [OWN, FOREIGN]},
    ]
    answers = [await scoped.post(f"{API}/tokens", json={"name": "wider", **one}) for one in wider]
    own = await scoped.post(f"{API}/tokens", json={"name": "narrow", "role": "admin", "organizations": [OWN]})
    listed = (await scoped.get(f"{API}/tokens")).json()["items"]

    assert [403] * 4 == [answer.status_code for answer in answers]
    assert 201 == own.status_code
    assert "narrow" in {one["name"] for one in listed}
    assert {(OWN,)} == {tuple(one["organizations"]) for one in listed}


async def test_an_admin_of_one_organization_cannot_reach_a_token_of_another(
    service: Service, scoped: httpx.AsyncClient
) -> None:
    """
    Not by its id, nor by its name, nor by a token of theirs that is named like its id.
    """
    others = {
        "abroad": await service.token("abroad", FOREIGN),
        "both": await service.token("both", OWN, FOREIGN),
        "everywhere": await service.token("everywhere"),
    }
    named = [
        await scoped.post(f"{API}/tokens", json={"name": f"tok_{name}", "organizations": [OWN]}) for name in others
    ]
    revoked = [
        (await scoped.delete(f"{API}/tokens/{prefix}{name}")).status_code for name in others for prefix in ("", "tok_")
    ]
    good = []
    for token in others.values():
        async with service.client(token=token) as client:
            good.append((await client.get(f"{API}/organizations")).status_code)
    listed = await scoped.get(f"{API}/tokens")

    assert [400] * 3 == [answer.status_code for answer in named]
    assert [404] * 6 == revoked
    assert [200] * 3 == good
    assert [] == [name for name in others if f'"{name}"' in listed.text]


async def test_only_admins_come_to_any_of_it(service: Service) -> None:
    """
    An auditor is refused at each of the paths, which is written down.
    """
    paths = ("/webhooks", "/webhooks/wh_x", "/webhooks/wh_x/letters", "/tokens", "/access-log")
    async with service.client(token=await service.token("only-auditor", role=Role.AUDITOR)) as client:
        answers = [(await client.get(f"{API}{path}")).status_code for path in paths]
        answers.append((await client.post(f"{API}/tokens", json={"name": "more", "role": "admin"})).status_code)
    [entry] = await service.store.entries(limit=1)

    assert [403] * 6 == answers
    assert ("only-auditor", f"POST {API}/tokens", "refused", 403) == (
        *(entry.name, entry.action, entry.outcome, entry.status),
    )


async def test_the_access_log_is_paged_and_told_as_far_as_somebody_may_see(
    service: Service, admin: httpx.AsyncClient, scoped: httpx.AsyncClient
) -> None:
    """
    Each line once, the latest first; to somebody limited, lines of those who see nothing else.
    """
    for client in (admin, scoped, admin, scoped):
        await client.delete(f"{API}/tokens/none")
    async with service.client(token=await service.token("stranger", FOREIGN, role=Role.ADMIN)) as client:
        await client.delete(f"{API}/tokens/none")
    seen: list[int] = []
    page: dict[str, Any] = {"next": None}
    for _ in range(3):
        cursor = {"cursor": page["next"]} if page["next"] else {}
        page = (await admin.get(f"{API}/access-log", params={"limit": 2, **cursor})).json()
        seen += [one["entry"] for one in page["items"]]
    own = (await scoped.get(f"{API}/access-log", params={"limit": 1000})).json()["items"]

    assert 6 == len(set(seen))
    assert seen == sorted(seen, reverse=True)
    assert seen[:5] == [entry.entry_id for entry in await service.store.entries(limit=5)]
    assert 2 == len([one for one in own if one["name"].startswith("scoped-test_the_access_log")])
    assert {(OWN,)} == {tuple(one["organizations"] or ()) for one in own}


async def test_what_only_asks_is_no_write(service: Service, admin: httpx.AsyncClient) -> None:
    """
    A POST that changes nothing leaves no line, unless it is refused; one that changes something does.
    """
    of = {"organization_id": OWN}
    await admin.delete(f"{API}/tokens/none")
    [before] = await service.store.entries(limit=1)
    request = {"action": "ec2:RunInstances"}
    answers = [
        await admin.post(f"{API}/accounts/{SHOP}/check", params=of, json=request),
        await admin.post(f"{API}/who-can", params=of, json=request),
        await admin.post(
            f"{API}/what-if",
            params=of,
            json={"steps": [{"kind": "detach", "policy": "p-denyregions", "target": "ou-ab12-aaaaaaaa"}]},
        ),
        await admin.post(f"{API}/lint", json={"content": json.dumps({"Statement": []})}),
        await admin.post(f"{API}/simulate", json={}),
        await admin.post(f"/{OWN}/lint", data={"content": "{}"}),
        await admin.post(f"/{OWN}/what-if", data={"policy": "p-denyregions", "content": "{}"}),
    ]
    [after] = await service.store.entries(limit=1)
    await admin.post(f"{API}/lint/", json={})
    [other] = await service.store.entries(limit=1)

    assert [200, 200, 200, 200, 400, 200, 303] == [answer.status_code for answer in answers]
    assert before.entry_id == after.entry_id
    assert f"POST {API}/lint/" == other.action


async def test_an_api_of_least_privilege_looks_after_webhooks_without_their_secrets(
    tenant_settings: Settings, receiver: Receiver
) -> None:
    """
    As its role it makes, tries, replays, enables and ends subscriptions; what it sends is signed by the database, which
    tells it no secret, not even of those that it made.
    """
    limited = as_role(tenant_settings, "rooftree_api")
    of = {"organization_id": OWN}
    secret = new_secret()
    async with serving(limited) as least, least.client(token=ADMIN) as client:
        webhook = await subscribe(client, OWN, f"{receiver.url}/hook", secret=secret)
        path = f"{API}/webhooks/{webhook}"
        tried = (await client.post(f"{path}/test", params=of)).json()
        await give_up(tenant_settings, OWN, webhook, 1)
        [letter] = (await client.get(f"{path}/letters", params=of)).json()["items"]
        replayed = (await client.post(f"{path}/letters/{letter['letter']}/replay", params=of)).json()
        enabled = await client.post(f"{path}/enable", params=of)
        shown = (await client.get(path, params=of)).json()
        [kept] = await stored(tenant_settings, "select secret from rooftree.webhook where webhook_id = $1", webhook)
        with pytest.raises(UsageError, match="permission denied for table webhook"):
            async with open_store(limited, "rooftree-test") as database, database.connection() as connection:
                await connection.fetchval("select secret from rooftree.webhook")
        ended = await client.delete(path, params=of)

    assert (True, True, secret) == (tried["accepted"], replayed["accepted"], kept["secret"])
    assert 2 == len(receiver.requests)
    for headers, body in receiver.requests:
        named = {"message_id": headers["webhook-id"], "timestamp": int(headers["webhook-timestamp"])}
        assert (await signed_headers(signing_with(secret), **named, body=body)).items() <= headers.items()
    assert (200, 200) == (enabled.status_code, ended.status_code)
    assert secret not in json.dumps(shown)


async def test_an_api_of_least_privilege_begins_behind_what_was_told_and_shows_dead_letters(
    tenant_settings: Settings,
) -> None:
    """
    Row-level security hides nothing from it that it has to see.
    """
    of = {"organization_id": OWN}
    await stored(
        tenant_settings,
        """
        insert into rooftree.dead_letter (
            organization_id, log_id, topic, partition_id, record_offset, reason, disposition, error_class, software_version
        )
        values ($1, 'log', 'changes', 0, 7, 'no JSON', 'undecodable', 'E', '1') returning letter_id
        """,
        OWN,
    )
    async with (
        serving(tenant_settings) as owner,
        serving(as_role(tenant_settings, "rooftree_api")) as least,
        owner.client(token=ADMIN) as all_rights,
        least.client(token=ADMIN) as client,
    ):
        made = [await subscribe(one, OWN) for one in (all_rights, client)]
        listed = {one["webhook"]: one for one in (await client.get(f"{API}/webhooks", params=of)).json()["items"]}
        letters = [(await one.get(f"{API}/dead-letters", params=of)).json()["items"] for one in (all_rights, client)]

    assert 1 == len({(listed[one]["revision"], listed[one]["part"]) for one in made})
    assert letters[0]
    assert letters[0] == letters[1]
