"""
The HTTP API of a running service with real data, asked as clients ask it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.acceptance.conftest import START_SECONDS, Rooftree

from rooftree.demo.organization import account_id

pytestmark = [pytest.mark.integration, pytest.mark.any_broker]

SHOP = account_id("shop-test")
LAST_REVISION = 15
"""Of the demo."""

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")

UNBOUND = {"ROOFTREE_HTTP_RATE_LIMIT": "0", "ROOFTREE_HTTP_SIGN_IN_LIMIT": "0"}


@pytest.fixture(scope="module")
def addresses(rooftree: Rooftree) -> Iterator[dict[str, Any]]:
    """
    Run everything, with the demo organization.
    """
    with replace(rooftree, variables=UNBOUND).up("--demo") as (_, addresses):
        yield addresses


@pytest.fixture(scope="module")
def client(addresses: dict[str, Any]) -> Iterator[httpx.Client]:
    """
    Talk to the API as its admin, once the view has all of the demo.
    """
    headers = {"Authorization": f"Bearer {addresses['token']}"}
    with httpx.Client(base_url=f"{addresses['api']}/api/v1", headers=headers, timeout=60) as client:
        deadline = time.monotonic() + START_SECONDS
        while [one["revision"] for one in client.get("/organizations").json()["items"]] != [LAST_REVISION]:
            assert time.monotonic() < deadline
            time.sleep(0.5)
        yield client


def test_the_api_decides_as_the_command_line(rooftree: Rooftree, client: httpx.Client) -> None:
    """
    Both ask the same code.
    """
    told = client.post(
        f"/accounts/{SHOP}/check", json={"action": "q:SendMessage", "context": {"aws:RequestedRegion": "eu-west-1"}}
    ).json()
    printed = rooftree.json("check", SHOP, "q:SendMessage", "--context", "aws:RequestedRegion=eu-west-1", status=1)

    assert "explicit_deny" == told["decision"]
    assert printed == told


def test_what_if_answers_in_json_and_in_markdown(client: httpx.Client) -> None:
    """
    A policy that is taken off loosens the accounts below, and nothing is written.
    """
    body = {"steps": [{"kind": "detach", "policy": "CloseAmazonQ", "target": "NonProd"}]}
    before = client.get("/organizations").json()
    told = client.post("/what-if", json=body).json()
    review = client.post("/what-if", json=body, headers={"Accept": "text/markdown"})

    assert {"loosened"} == {account["verdict"] for account in told["accounts"]}
    assert SHOP in {account["account_id"] for account in told["changes"][0]["accounts"]}
    assert "text/markdown; charset=utf-8" == review.headers["content-type"]
    assert "now allowed" in review.text
    assert before == client.get("/organizations").json()


def test_a_snapshot_out_of_the_api_is_good_for_the_commands_that_work_offline(
    rooftree: Rooftree, client: httpx.Client
) -> None:
    """
    What it says of an account is what the live view says.
    """
    (rooftree.folder / "export.json").write_bytes(client.get("/snapshot").content)

    offline = rooftree.json("permissions", SHOP, "--org", "export.json")

    assert client.get(f"/accounts/{SHOP}").json()["permissions_id"] == offline["permissions_id"]


def test_an_answer_that_is_known_is_not_sent_again(client: httpx.Client) -> None:
    """
    The tag holds as long as nothing is written, for this request alone.
    """
    first = client.get("/tree")
    again = client.get("/tree", headers={"If-None-Match": first.headers["etag"]})
    other = client.get("/policies", headers={"If-None-Match": first.headers["etag"]})

    assert (304, b"") == (again.status_code, again.content)
    assert 200 == other.status_code


def test_the_feed_goes_on_where_a_reader_left_it(client: httpx.Client) -> None:
    """
    From after the last event that is known, in order, without gaps; a filter holds for the feed as for the list.
    """
    newest = client.get("/audit", params={"limit": 3}).json()["items"]
    places = [f"o-demorooftree:{int(event['sequence'])}:{event['part']}" for event in newest]

    told = stream(client, {"Last-Event-ID": places[2]}, 2)
    one = stream(client, {"Last-Event-ID": places[2]}, 1, account_id=newest[0]["subject"])

    assert [(places[1], newest[1]), (places[0], newest[0])] == told
    assert [(places[0], newest[0])] == one


def stream(client: httpx.Client, headers: dict[str, str], count: int, **wanted: str) -> list[tuple[str, Any]]:
    """
    Return the first events of the feed.
    """
    found: list[tuple[str, Any]] = []
    with client.stream("GET", "/audit/stream", headers=headers, params=wanted) as answer:
        identifier = ""
        for line in answer.iter_lines():
            if line.startswith("id: "):
                identifier = line[4:]
            if line.startswith("data: "):
                found.append((identifier, json.loads(line[6:])))
                if len(found) == count:
                    break
    return found


def test_every_answer_is_one_that_the_description_knows(
    addresses: dict[str, Any], client: httpx.Client, tmp_path: Path
) -> None:
    """
    Requests made from the description, right and wrong ones, find no defect and no answer that is not described.
    """
    finished = subprocess.run(
        [
            sys.executable,
            "-c",
            "from schemathesis.cli import schemathesis; schemathesis()",
            *("--config-file", str(CONFIGURATION), "--no-color"),
            "run",
            f"{addresses['api']}/api/v1/openapi.json",
            *("--header", f"Authorization: Bearer {addresses['token']}"),
            # It has no end.
            *("--exclude-path", "/api/v1/audit/stream"),
            *("--max-examples", "4", "--seed", "1", "--max-time", "30", "--request-timeout", "60"),
            *("--phases", "coverage,fuzzing"),
        ],
        # where it keeps what has failed
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )

    assert 0 == finished.returncode, finished.stdout.partition("= FAILURES")[2][:6000] or finished.stdout[-6000:]
