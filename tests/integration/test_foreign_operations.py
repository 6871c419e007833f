"""
Every operation, as the API describes itself, asked about the organization of somebody else.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import pytest
from tests.integration.service import stored
from tests.integration.serving import ADMIN, SAFE, Service, serving
from tests.integration.tenants import FOREIGN, FOREIGN_MARKS, OWN

from rooftree.access.caller import Role
from rooftree.settings import Settings

pytestmark = pytest.mark.integration

API = "/api/v1"
MISSING = "o-nosuchorg00"

OF_NO_ORGANIZATION = {
    *(("GET", "/organizations"), ("POST", "/lint"), ("POST", "/simulate"), ("GET", "/access-log")),
    *(("GET", "/tokens"), ("POST", "/tokens")),
}
"""What names no organization: lists of what a caller may see, and questions about nothing but themselves."""

ECHO = ("GET", "/access-log")
"""Tells its callers what they have asked before, foreign names included; it has tests of its own."""

BODIES: Mapping[str, dict[str, Any]] = {
    "/accounts/{account_id}/check": {"action": "ec2:RunInstances"},
    "/who-can": {"action": "ec2:RunInstances"},
    "/what-if": {"steps": [{"kind": "detach", "policy": "p-xyzzypolicy", "target": "ou-zz99-zzzzzzzz"}]},
    "/probes": {
        "name": "another",
        "principal": "arn:aws:iam::922222222229:role/xyzzykeeper",
        "action": "ec2:RunInstances",
        "expect": "deny",
    },
    "/webhooks": {"url": "https://hooks.example.com/rooftree"},
}
"""What each operation that takes a body is sent: something that it does, where it may."""

QUERIES: Mapping[str, dict[str, str]] = {
    "/accounts/{account_id}/changes": {"from": "2026-01-01T12:00:00Z"},
    "/diff": {"from": "2026-01-01T12:00:00Z"},
}
"""What an operation needs in its query beside the organization."""

PATIENCE = 60
"""Seconds for what goes to other servers."""


@pytest.fixture(scope="module")
async def service(tenant_settings: Settings) -> AsyncIterator[Service]:
    """
    Serve it.
    """
    async with serving(tenant_settings, webhook_timeout=2) as running:
        yield running


@pytest.fixture
async def admin(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    """
    Ask as the admin of everything.
    """
    async with service.client(token=ADMIN) as client:
        yield client


async def foreign_ids(settings: Settings, service: Service, admin: httpx.AsyncClient) -> dict[str, str]:
    """
    Return what the parameters of paths can name in the other organization, by parameter; all of it is there.
    """
    of = {"organization_id": FOREIGN}

    async def first(path: str, name: str) -> str:
        return str((await admin.get(f"{API}{path}", params=of)).json()["items"][0][name])

    made = await admin.post(f"{API}/webhooks", params=of, json=BODIES["/webhooks"])
    webhook = str(made.json()["webhook"])
    letter = """
        insert into rooftree.webhook_letter (organization_id, webhook_id, revision, part, event_id, attempts, reason)
        select organization_id, $2, revision, part, event_id, 5, 'answered 400'
        from rooftree.audit_event where organization_id = $1 order by revision, part limit 1
        returning letter_id
    """
    [kept] = await stored(settings, letter, FOREIGN, webhook)
    await service.token("of-others", FOREIGN)
    return {
        "account_id": "922222222229",
        "node_id": "ou-zz99-zzzzzzzz",
        "policy_id": "p-xyzzypolicy",
        "event_id": await first("/audit", "id"),
        "name": await first("/probes", "name"),
        "letter": await first("/dead-letters", "letter"),
        "webhook_id": webhook,
        "token_id": "tok_of-others",
        "webhook_letter": str(kept["letter_id"]),
    }


async def operations(client: httpx.AsyncClient) -> list[tuple[str, str, list[str]]]:
    """
    Return all operations: method, path, and the names of the parameters, as the API describes itself.
    """
    paths = (await client.get(f"{API}/openapi.json")).json()["paths"]
    found = [
        (method.upper(), path.removeprefix(API), [one["name"] for one in told.get("parameters", [])])
        for path, methods in paths.items()
        for method, told in methods.items()
        if method != "head" and not path.endswith("/stream")
    ]
    # What ends something that others need comes after them.
    return sorted(found, key=lambda one: one[0] == "DELETE")


def question(method: str, path: str, ids: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    """
    Return the address of an operation with these ids, and its query and body.

    Raises:
        KeyError: An operation is new: what it is to be asked has to be said above.
    """
    known = {**ids, "letter": ids["webhook_letter"]} if path.startswith("/webhooks") else ids
    takes_body = method == "POST" and not path.endswith(("/replay", "/test", "/enable"))
    body = {"json": BODIES[path]} if takes_body else {}
    return f"{API}{path.format(**known)}", {"params": QUERIES.get(path, {}), **body}


def is_of_none(answer: httpx.Response) -> bool:
    """
    Tell whether an answer is one about what is not there: 404, or a list with nothing in it.
    """
    told = answer.json()
    return answer.status_code == 404 or (
        answer.is_success and not any(isinstance(one, list) and one for one in told.values())
    )


async def test_every_operation_answers_about_another_organization_as_about_none(
    tenant_settings: Settings, service: Service, admin: httpx.AsyncClient
) -> None:
    """
    By its id, or by the id of something in it, in the words of what is not there; whoever may see it gets an answer.
    """
    ids = await foreign_ids(tenant_settings, service, admin)
    untold, told, kept_back = [], [], []
    async with service.client(token=await service.token("of-one", OWN, role=Role.ADMIN)) as scoped:
        for method, path, names in await operations(admin):
            if (method, path) in OF_NO_ORGANIZATION:
                continue
            address, asked = question(method, path, ids)
            by_id = [{"organization_id": FOREIGN}] if "organization_id" in names else []
            for named in [*by_id, *([{}, {"organization_id": OWN}] if by_id and "{" in path else [])] or [{}]:
                answer = await scoped.request(method, address, **{**asked, "params": {**asked["params"], **named}})
                found = [
                    mark for mark in FOREIGN_MARKS if mark in answer.text and mark not in f"{address}{named}{asked}"
                ]
                if not is_of_none(answer) or found:
                    told.append((method, path, named, answer.status_code, found))
            if by_id:
                missing = {**asked, "params": {**asked["params"], "organization_id": MISSING}}
                of_none = await scoped.request(method, address, **missing)
                foreign = {**asked, "params": {**asked["params"], **by_id[0]}}
                of_other = await scoped.request(method, address, **foreign)
                if of_none.text != of_other.text.replace(FOREIGN, MISSING):
                    kept_back.append((method, path, of_none.text, of_other.text))
        for method, path, names in await operations(admin):
            if (method, path) not in OF_NO_ORGANIZATION:
                address, asked = question(method, path, ids)
                named = {"organization_id": FOREIGN} if "organization_id" in names else {}
                sent = {**asked, "params": {**asked["params"], **named}}
                answer = await admin.request(method, address, **sent, timeout=PATIENCE)
                if not answer.is_success:
                    untold.append((method, path, answer.status_code, answer.text[:200]))

    assert [] == [str(one) for one in told]
    assert [] == kept_back
    assert [] == untold


async def test_what_names_no_organization_tells_of_no_other(service: Service) -> None:
    """
    Lists and questions without an organization hold nothing of what their caller may not see.
    """
    await service.token("xyzzy-keeper", FOREIGN)
    async with service.client(token=await service.token("lists", OWN, role=Role.ADMIN)) as scoped:
        described = {(method, path) for method, path, _ in await operations(scoped)}
        listed = [path for method, path in OF_NO_ORGANIZATION - {ECHO} if method in SAFE]
        texts = [(await scoped.get(f"{API}{path}")).text for path in listed]

    assert OF_NO_ORGANIZATION <= described
    assert [] == [mark for mark in FOREIGN_MARKS for text in texts if mark in text]
