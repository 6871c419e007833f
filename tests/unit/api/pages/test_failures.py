"""
What people see when something is wrong: a page, and never the JSON that is for programs.
"""

from __future__ import annotations

import re

import pytest
import structlog
from structlog.testing import capture_logs
from tests.unit.api.fake_reader import ORGANIZATION, FakeReader
from tests.unit.api.test_app import browse, stored

from rooftree.errors import RefusedRowError, UsageError

HOME = f"/{ORGANIZATION}"


class BrokenReader(FakeReader):
    """
    Fails as it is told.
    """

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    async def organizations(self) -> list[object]:  # type: ignore[override]
        """
        Fail.
        """
        raise self._error


async def test_a_defect_is_a_page_with_the_id_under_which_it_is_logged() -> None:
    """
    Nothing of the error itself is told; whoever runs the service finds it by the id.
    """
    structlog.reset_defaults()
    with capture_logs() as lines:
        async with browse(BrokenReader(RuntimeError("a secret"))) as client:
            page = await client.get(HOME)

    [line] = [line for line in lines if line["event"] == "api.request_failed"]

    assert (500, "text/html; charset=utf-8") == (page.status_code, page.headers["content-type"])
    assert "Something is broken here" in page.text
    assert f"<code>{line['request']}</code>" in page.text
    assert "secret" not in page.text
    assert "Traceback" not in page.text
    assert "a secret" == str(line["exc_info"])


@pytest.mark.parametrize(
    ("error", "status", "title"),
    [
        (RefusedRowError("PostgreSQL: invalid byte sequence"), 400, "That cannot be asked"),
        (UsageError("permission denied", place="ROOFTREE_POSTGRES_DSN"), 503, "No answer just now"),
    ],
)
async def test_what_the_store_refuses_is_a_page(error: Exception, status: int, title: str) -> None:
    """
    Both are told to programs with the same status.
    """
    async with browse(BrokenReader(error)) as client:
        page, answer = await client.get(HOME), await client.get("/api/v1/organizations")

    assert (status, status) == (page.status_code, answer.status_code)
    assert f"<h1>{title}</h1>" in page.text


@pytest.mark.parametrize("path", [f"{HOME}/accounts/000000000001", f"{HOME}/check"])
async def test_an_account_that_came_later_was_not_there_then(path: str) -> None:
    """
    The page is there, and the account is now: what is missing is told by its time.
    """
    asked = {
        "at": "2025-06-01T12:00",
        **({"account": "000000000001", "action": "s3:GetObject"} if "check" in path else {}),
    }
    async with browse(stored()) as client:
        page = await client.get(path, params=asked)
        unknown = await client.get(f"{HOME}/accounts/000000000099")

    assert (404, 404) == (page.status_code, unknown.status_code)
    assert "<h1>The account was not there at that time</h1>" in page.text
    assert "at 2025-06-01 12:00 UTC" in page.text
    assert "<h1>There is no such account</h1>" in unknown.text


async def test_a_form_with_more_fields_than_ours_have_is_refused() -> None:
    """
    It is no defect of the service.
    """
    async with browse(stored()) as client:
        page = await client.post(f"{HOME}/operations/replay", data={f"field{number}": "" for number in range(21)})

    assert 400 == page.status_code
    assert "a form may have 20 fields" in page.text


async def test_a_form_of_another_site_is_refused_with_a_page() -> None:
    """
    Whoever is led here by another site reads why nothing was done.
    """
    async with browse(stored(), token=None, code="once") as client:
        await client.get("/login?code=once")
        page = await client.post(f"{HOME}/operations/replay", data={"letter": "1"}, headers={"Origin": "http://else"})

    assert (403, "text/html; charset=utf-8") == (page.status_code, page.headers["content-type"])
    assert "another site sends this" in page.text


@pytest.mark.parametrize("path", ["check?account=account-1&", "check?account=account&", "who-can?"])
async def test_what_is_no_action_is_not_said_like_one(path: str) -> None:
    """
    On a phone the form is folded, and its summary names the action that was asked about.
    """
    async with browse(stored()) as client:
        wrong, right = [(await client.get(f"{HOME}/{path}action={action}")).text for action in ("Foo", "s3:GetObject")]
    summaries = [re.search(r"<summary>(?:<svg.*?</svg>)?(.*?)<span", text, re.DOTALL) for text in (wrong, right)]

    assert ["Question", "<code>s3:GetObject</code>"] == [found and found[1] for found in summaries]
    assert 'role="alert"' in wrong
