from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from tests.unit.api.fake_access import FakeAccess
from tests.unit.api.fake_backing import fake_backing
from tests.unit.api.fake_reader import START, FakeReader, account, event

from rooftree.api import create_app
from rooftree.api.access import COOKIE
from rooftree.api.openapi import describe
from rooftree.api.query import encode_cursor
from rooftree.api.resources import ENDPOINTS
from rooftree.errors import UsageError
from rooftree.organization.probes import Finding, Probe
from rooftree.organization.rereads import Reread, RereadRequest
from rooftree.reading.reader import AccountRecord, LetterRecord, LogLoss, ReconciliationRecord, VerificationRecord
from rooftree.settings import Settings
from rooftree.view.patch import ProbeState

TOKEN = "a-token-of-sixteen-or-more"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
UNHOLDABLE = encode_cursor(["2026-01-01T00:00:00Z", "ou", "\x00"])
ADDRESS = "http://127.0.0.1:8080"


@asynccontextmanager
async def browse(
    reader: FakeReader, *, token: str | None = TOKEN, code: str | None = None, letters: Sequence[LetterRecord] = ()
) -> AsyncIterator[httpx.AsyncClient]:
    """
    Talk to an application over this reader.
    """
    backing = fake_backing(reader, letters=letters)
    app = create_app(reader.limited, FakeAccess(), Settings(admin_token=TOKEN), backing, login_code=code)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=ADDRESS, headers=headers) as client:
        yield client


def stored() -> FakeReader:
    """
    Return a reader with three accounts and three audit events.
    """
    return FakeReader(
        accounts=[account(number) for number in (1, 2, 3)],
        events=[event(1), event(2, part=1, parts=2), event(2, part=2, parts=2, account_id="000000000002")],
    )


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
async def test_probes_need_no_token(path: str) -> None:
    """
    Whoever watches the process needs no token to see that it lives.
    """
    async with browse(stored(), token=None) as client:
        answer = await client.get(path)

    assert 200 == answer.status_code


async def test_a_service_without_its_database_is_alive_but_not_ready() -> None:
    """
    Liveness and readiness differ: a restart does not bring a database back.
    """
    async with browse(FakeReader(away=True), token=None) as client:
        alive, ready = await client.get("/healthz"), await client.get("/readyz")

    assert (200, 503) == (alive.status_code, ready.status_code)


async def test_a_view_that_stands_still_is_told_of_where_readiness_is_asked_for() -> None:
    """
    The projector that has stopped is another process, which cannot be asked any more.
    """
    loss = LogLoss(2, datetime(2026, 1, 1, tzinfo=UTC))
    async with browse(FakeReader(loss=loss), token=None) as client:
        ready, metrics = await client.get("/readyz"), await client.get("/metrics")

    assert 200 == ready.status_code
    assert "stale: 2 partitions of the changes topic stand still since 2026-01-01T00:00:00Z" in ready.text
    assert "rooftree_log_loss_partitions 2.0" in metrics.text


async def test_an_answer_says_how_long_it_took() -> None:
    """
    Whoever is let in learns it, of pages as of the API; a stranger does not.
    """
    async with browse(stored()) as client:
        known = [
            await client.get(path) for path in ("/api/v1/organizations", "/o-exampleorg/audit", "/o-exampleorg/no")
        ]
    async with browse(stored(), token="a-token-that-nobody-knows") as client:
        stranger = await client.get("/api/v1/organizations")

    assert [200, 200, 404] == [answer.status_code for answer in known]
    assert all(answer.headers["server-timing"].startswith("total;dur=") for answer in known)
    assert all(0 < float(answer.headers["server-timing"].removeprefix("total;dur=")) < 60_000 for answer in known)
    assert "server-timing" not in stranger.headers


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/organizations",
        "/api/v1/accounts",
        "/api/v1/accounts/000000000001",
        "/api/v1/accounts/000000000001/permissions",
        "/api/v1/accounts/000000000001/history",
        "/api/v1/audit",
        "/api/v1/openapi.json",
        "/api/v1/nothing",
    ],
)
@pytest.mark.parametrize("token", [None, "another-token-of-that-length", ""])
async def test_the_api_needs_the_token(path: str, token: str | None) -> None:
    """
    Without the token nothing is told, not even which paths there are.
    """
    async with browse(stored(), token=token) as client:
        answer = await client.get(path)

    assert 401 == answer.status_code
    assert "application/problem+json" == answer.headers["content-type"]
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("path", ["/", "/accounts/000000000001", "/nothing"])
async def test_the_dashboard_sends_strangers_to_the_login(path: str) -> None:
    """
    A browser without a session sees the login and nothing else.
    """
    async with browse(stored(), token=None) as client:
        answer = await client.get(path)

    assert (303, "/login") == (answer.status_code, answer.headers["location"])
    assert "account-1" not in answer.text


async def test_without_an_admin_token_nothing_is_served() -> None:
    """
    There is no setting under which the view is open to everybody.
    """
    with pytest.raises(UsageError, match="ROOFTREE_ADMIN_TOKEN"):
        create_app(stored().limited, FakeAccess(), Settings(admin_token=None), fake_backing(stored()))


async def test_the_code_of_the_first_visit_is_good_once() -> None:
    """
    The printed address opens a session; who finds it in a scrollback later gets the login.
    """
    async with browse(stored(), token=None, code="once") as client:
        first = await client.get("/login", params={"code": "once"})
        session = dict(client.cookies)
        page = await client.get("/")
        client.cookies.clear()
        second = await client.get("/login", params={"code": "once"})

    assert (303, "/") == (first.status_code, first.headers["location"])
    assert [COOKIE] == list(session)
    assert (303, "/o-exampleorg") == (page.status_code, page.headers["location"])
    assert 200 == second.status_code
    assert "set-cookie" not in second.headers


async def test_a_session_cookie_is_kept_from_scripts_and_other_sites() -> None:
    """
    The cookie is HttpOnly and SameSite=Strict, and does not hold the token.
    """
    async with browse(stored(), token=None) as client:
        answer = await client.post("/login", data={"token": TOKEN})

    cookie = answer.headers["set-cookie"].lower()
    assert 303 == answer.status_code
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert TOKEN not in cookie


async def test_a_wrong_token_opens_no_session() -> None:
    """
    The login form refuses another token.
    """
    async with browse(stored(), token=None) as client:
        answer = await client.post("/login", data={"token": "another-token-of-that-length"})

    assert 403 == answer.status_code
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("cookie", ["", "1.2", "99999999999.", "99999999999.00", "x" * 10_000])
async def test_a_made_up_cookie_opens_nothing(cookie: str) -> None:
    """
    A session is one that was opened here, whatever else a cookie holds.
    """
    async with browse(stored(), token=None) as client:
        answer = await client.get("/", headers={"Cookie": f"{COOKIE}={cookie}"})

    assert 303 == answer.status_code


async def test_lists_are_paged_by_cursor() -> None:
    """
    Following the cursors gives every account once, in order.
    """
    seen: list[str] = []
    async with browse(stored()) as client:
        parameters: dict[str, str] = {"limit": "2"}
        while True:
            page = (await client.get("/api/v1/accounts", params=parameters)).json()
            seen += [item["account_id"] for item in page["items"]]
            if page["next"] is None:
                break
            parameters["cursor"] = page["next"]

    assert ["000000000001", "000000000002", "000000000003"] == seen


async def test_audit_events_come_latest_first_as_cloudevents() -> None:
    """
    The feed has the shape of the audit topic and can be limited to one account.
    """
    async with browse(stored()) as client:
        everything = (await client.get("/api/v1/audit", params={"limit": "2"})).json()
        rest = (await client.get("/api/v1/audit", params={"cursor": everything["next"]})).json()
        of_one = (await client.get("/api/v1/audit", params={"account_id": "000000000002"})).json()

    assert ["2-2", "2-1"] == [item["id"] for item in everything["items"]]
    assert ["1-1"] == [item["id"] for item in rest["items"]]
    assert ["2-2"] == [item["id"] for item in of_one["items"]]
    assert "/organizations/o-exampleorg" == of_one["items"][0]["source"]
    assert "00000000000000000002" == of_one["items"][0]["sequence"]


@pytest.mark.parametrize(("verdict", "wanted"), [("tightened", ["2-1", "1-1"]), ("loosened", ["2-2"]), ("mixed", [])])
async def test_audit_events_are_found_by_their_verdict(verdict: str, wanted: list[str]) -> None:
    """
    The list and the file take the same filters.
    """
    events = [event(1), event(2, parts=2), replace(event(2, part=2, parts=2), verdict="loosened")]
    async with browse(FakeReader(events=events)) as client:
        listed = (await client.get("/api/v1/audit", params={"verdict": verdict})).json()
        exported = await client.get("/api/v1/audit/export", params={"verdict": verdict})

    assert wanted == [item["id"] for item in listed["items"]]
    assert wanted == [json.loads(line)["id"] for line in exported.text.splitlines()]


ROUND = ReconciliationRecord(
    organization_id="o-exampleorg",
    reconciliation_id=1,
    occasion="schedule",
    started_at=START,
    finished_at=START,
    moment=START,
    result="done",
    reason=None,
    accounts=3,
    found=1,
    postponed=0,
    by_kind={"rooftree.account.moved.v1": 1},
    differences=[{"event_id": "1", "type": "rooftree.account.moved.v1", "data": {"account_id": "000000000001"}}],
)


def asked(object_id: str, *, hours: int) -> Reread:
    """
    Return a request to read an account anew.
    """
    since = START + timedelta(hours=hours)
    return Reread(RereadRequest("account", object_id, "its name was masked", doubtful=True), since, since, "aws", "e1")


@pytest.mark.parametrize(
    ("path", "field", "wanted"),
    [
        ("rereads", "object_id", ["000000000003", "000000000001", "000000000002"]),
        ("reconciliations", "reconciliation", [3, 2, 1]),
    ],
)
async def test_what_is_asked_of_aws_and_what_it_has_shown_is_paged(path: str, field: str, wanted: list[object]) -> None:
    """
    Following the cursors gives every one once; the longest asked for and the latest stand first.
    """
    reader = FakeReader(
        asked=[asked("000000000002", hours=2), asked("000000000001", hours=2), asked("000000000003", hours=1)],
        rounds=[replace(ROUND, reconciliation_id=number) for number in (1, 2, 3)],
    )
    seen: list[object] = []
    async with browse(reader) as client:
        parameters = {"limit": "2"}
        while True:
            page = (await client.get(f"/api/v1/operations/{path}", params=parameters)).json()
            seen += [item[field] for item in page["items"]]
            if page["next"] is None:
                break
            parameters["cursor"] = page["next"]

    assert wanted == seen


async def test_an_account_has_its_permissions_and_its_history() -> None:
    """
    One account can be read, with what it may do and what it was.
    """
    async with browse(stored()) as client:
        one = (await client.get("/api/v1/accounts/000000000001")).json()
        permissions = (await client.get("/api/v1/accounts/000000000001/permissions")).json()
        history = (await client.get("/api/v1/accounts/000000000001/history", params={"limit": "1"})).json()
        earlier = (await client.get("/api/v1/accounts/000000000001/history", params={"cursor": history["next"]})).json()

    assert "account-1" == one["account_name"]
    assert {"unlimited": True} == permissions["permissions"]
    assert ["account-1", "before"] == [item["account_name"] for item in [*history["items"], *earlier["items"]]]


@pytest.mark.parametrize(
    ("path", "status", "detail"),
    [
        ("/api/v1/accounts?limit=0", 400, "limit: input should be greater than or equal to 1"),
        ("/api/v1/accounts?limit=x", 400, "limit: expected a whole number"),
        ("/api/v1/accounts?cursor=!", 400, "cursor: not a cursor of this list"),
        ("/api/v1/accounts?cursor=WzFd", 400, "cursor: not a cursor of this list"),
        ("/api/v1/audit?verdict=worse", 400, "verdict: input should be 'tightened', 'loosened' or 'mixed'"),
        ("/api/v1/audit?cursor=WyJ4IiwieSJd", 400, "cursor: not a cursor of this list"),
        ("/api/v1/operations/rereads?cursor=WyJ4IiwieSIsInoiXQ", 400, "cursor: not a cursor of this list"),
        (f"/api/v1/operations/rereads?cursor={UNHOLDABLE}", 400, "cursor: not a cursor of this list"),
        (
            f"/api/v1/operations/reconciliations?cursor={encode_cursor(['-1'])}",
            400,
            "cursor: not a cursor of this list",
        ),
        ("/api/v1/accounts?colour=red", 400, "colour: unknown parameter"),
        ("/api/v1/accounts?limit=1&limit=2", 400, "limit: given more than once"),
        ("/api/v1/accounts?at=yesterday", 400, "at: expected an RFC 3339 time"),
        ("/api/v1/accounts?organization_id=x", 400, "organization_id: expected text like"),
        ("/api/v1/accounts?organization_id=o-otherorg00", 404, "no organization `o-otherorg00`"),
        ("/api/v1/accounts/12", 400, "account_id: expected text like"),
        ("/api/v1/accounts/999999999999", 404, "no account `999999999999`"),
        ("/api/v1/accounts/999999999999/history", 404, "no account `999999999999`"),
        ("/api/v1/accounts/999999999999/principals", 404, "no account `999999999999`"),
        ("/api/v1/policies/p-nosuchpolicy/versions", 404, "no policy `p-nosuchpolicy`"),
        ("/api/v1/nothing", 404, "nothing is at `/api/v1/nothing`"),
    ],
)
async def test_what_is_wrong_is_named(path: str, status: int, detail: str) -> None:
    """
    Errors are problem details that name the parameter and what was expected of it.
    """
    async with browse(stored()) as client:
        answer = await client.get(path)

    assert "application/problem+json" == answer.headers["content-type"]
    assert (status, status) == (answer.status_code, answer.json()["status"])
    assert answer.json()["detail"].startswith(detail)


async def test_several_organizations_must_be_told_apart() -> None:
    """
    Where there are two, a request says which one it means.
    """
    reader = FakeReader(organizations=["o-exampleorg", "o-otherorg00"], accounts=[account(1)])
    async with browse(reader) as client:
        unnamed = await client.get("/api/v1/accounts")
        named = await client.get("/api/v1/accounts", params={"organization_id": "o-exampleorg"})

    assert (400, 200) == (unnamed.status_code, named.status_code)


async def test_a_database_that_is_away_is_told_with_a_time_to_come_back() -> None:
    """
    An outage is 503 with Retry-After, not an empty list.
    """
    async with browse(FakeReader(away=True)) as client:
        answer = await client.get("/api/v1/accounts")

    assert (503, "5") == (answer.status_code, answer.headers["retry-after"])


async def test_an_installation_without_organizations_says_so() -> None:
    """
    The page is there before the first change has come.
    """
    async with browse(FakeReader(organizations=[])) as client:
        page = await client.get("/")

    assert 200 == page.status_code
    assert "No organization yet" in page.text


async def test_every_answer_carries_the_headers_that_keep_browsers_safe() -> None:
    """
    Pages, errors and redirects alike refuse foreign scripts and frames, and are not cached.
    """
    async with browse(stored(), token=None) as client:
        answers = [await client.get(path) for path in ("/", "/login", "/api/v1/accounts", "/healthz")]

    for answer in answers:
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "nosniff" == answer.headers["x-content-type-options"]
        assert "no-store" == answer.headers["cache-control"]


async def test_a_defect_is_told_without_its_details() -> None:
    """
    An error that nobody foresaw is a 500 that gives nothing away.
    """

    class Broken(FakeReader):
        async def organizations(self) -> list[object]:  # type: ignore[override]
            raise RuntimeError("a secret")

    async with browse(Broken()) as client:
        answer = await client.get("/api/v1/organizations")

    assert 500 == answer.status_code
    assert "secret" not in answer.text


def test_the_description_names_every_path_and_no_other() -> None:
    """
    The OpenAPI description and the routes are the same list.
    """
    app = create_app(stored().limited, FakeAccess(), Settings(admin_token=TOKEN), fake_backing(stored()))
    paths = {route.path for route in app.routes if route.path.startswith("/api/")}  # type: ignore[attr-defined]

    described = describe(ENDPOINTS)["paths"]

    assert isinstance(described, dict)
    assert paths - {"/api/v1/openapi.json"} == set(described)


async def test_answers_have_the_fields_that_the_description_promises() -> None:
    """
    What a schema requires is there, and nothing is there that no schema knows.
    """
    reader = stored()
    reader.asked, reader.rounds = [asked("000000000001", hours=1)], [ROUND]
    reader.verified = [VerificationRecord(ROUND.organization_id, "audit", ROUND.started_at, 1, 1, 1, 0, None)]
    async with browse(reader) as client:
        schemas = (await client.get("/api/v1/openapi.json")).json()["components"]["schemas"]
        answers = {
            "Organization": (await client.get("/api/v1/organizations")).json()["items"][0],
            "Account": (await client.get("/api/v1/accounts/000000000001")).json(),
            "AccountPermissions": (await client.get("/api/v1/accounts/000000000001/permissions")).json(),
            "AuditEvent": (await client.get("/api/v1/audit")).json()["items"][0],
            "RereadRequest": (await client.get("/api/v1/operations/rereads")).json()["items"][0],
            "Reconciliation": (await client.get("/api/v1/operations/reconciliations")).json()["items"][0],
            "Verification": (await client.get("/api/v1/operations/verifications")).json()["items"][0],
            "Problem": (await client.get("/api/v1/nothing")).json(),
        }

    assert {name: set(schemas[name]["required"]) for name in answers} == {
        name: set(answer) for name, answer in answers.items()
    }


WATCHED = ProbeState(
    probe=Probe("no-leaving", "anonymous", "organizations:LeaveOrganization", "*", (), "deny"),
    account_id=None,
    finding=Finding("allow"),
    as_expected=False,
    since=START,
    cause_event_id="e1",
)


async def test_probes_are_listed_with_their_decisions() -> None:
    """
    What is asked and how it is decided.
    """
    async with browse(FakeReader(probes=[WATCHED])) as client:
        [item] = (await client.get("/api/v1/probes")).json()["items"]

    assert ("no-leaving", "deny", "allow", False) == tuple(
        item[name] for name in ("name", "expect", "decision", "as_expected")
    )
    assert item.keys() == describe(ENDPOINTS)["components"]["schemas"]["Probe"]["properties"].keys()


async def test_what_is_gone_still_has_what_it_was() -> None:
    """
    A policy that was deleted has its versions, and an account that has left is known with nobody in it.
    """
    reader = Departed(accounts=[account(1)])
    async with browse(reader) as client:
        versions = await client.get("/api/v1/policies/p-departed/versions")
        principals = await client.get("/api/v1/accounts/000000000009/principals")

    assert (200, 1) == (versions.status_code, len(versions.json()["items"]))
    assert (200, []) == (principals.status_code, principals.json()["items"])


class Departed(FakeReader):
    """
    An organization that an account has left.
    """

    async def history(
        self, organization_id: str, account_id: str, *, before: datetime | None = None, limit: int | None = None
    ) -> list[AccountRecord]:
        """
        Return what an account was, whether or not it is still there.
        """
        return [account(int(account_id))]
