from __future__ import annotations

import json
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from tests.acceptance.conftest import STOP_SECONDS, Rooftree
from tests.commands import COMMAND
from tests.unit.cli.snapshots import SHOP, WORKLOADS, snapshot

from rooftree.demo.organization import account_id

pytestmark = pytest.mark.integration

REGIONS = {"policy_id": "p-regions001", "target_id": WORKLOADS}
ABROAD = ("--context", "aws:RequestedRegion=us-east-1")


@pytest.fixture(scope="module")
def service(rooftree: Rooftree) -> Iterator[dict[str, Any]]:
    """
    Run everything, with the example organization imported.
    """
    (rooftree.folder / "org.json").write_text(json.dumps(snapshot()), encoding="utf-8")
    with rooftree.up("--no-demo") as (_, addresses):
        rooftree.run("import", "org.json", "--time", "2026-01-01T00:00:00Z")
        yield addresses


def change(kind: str, identifier: str, time_text: str, data: dict[str, str]) -> str:
    """
    Return a change event as a line.
    """
    event = {
        "specversion": "1.0",
        "id": identifier,
        "source": "urn:test",
        "type": f"rooftree.{kind}.v1",
        "time": time_text,
        "actor": "arn:aws:iam::111111111111:role/admin",
        "data": {"organization_id": "o-exampleorg", **data},
    }
    return json.dumps(event)


def eventually(question: Callable[[], bool]) -> bool:
    """
    Ask until the answer is yes, for some seconds.
    """
    deadline = time.monotonic() + 15
    while not question():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def test_an_import_is_there_when_the_command_ends(rooftree: Rooftree, service: dict[str, Any]) -> None:
    """
    The import waits for the view, so the next command sees the organization.
    """
    [organization] = rooftree.json("tree")["organizations"]

    assert "o-exampleorg" == organization["organization_id"]
    assert SHOP == rooftree.json("account", SHOP)["path"][-1]


def test_a_published_change_becomes_an_audit_event(rooftree: Rooftree, service: dict[str, Any]) -> None:
    """
    Detaching the region policy opens other regions; the event tells what, why and by whose hand.
    """
    assert "explicit_deny" == rooftree.json("check", SHOP, "ec2:RunInstances", *ABROAD, status=1)["decision"]
    line = change("policy.detached", "detach-1", "2026-02-01T00:00:00Z", REGIONS)

    rooftree.run("publish", "-", stdin=line)

    assert eventually(lambda: rooftree.run("audit", "--json") != "")
    [event] = [json.loads(text) for text in rooftree.run("audit", "--json").splitlines()]
    assert (SHOP, "loosened") == (event["subject"], event["data"]["verdict"])
    assert "arn:aws:iam::111111111111:role/admin" == event["data"]["cause"]["actor"]
    assert "allow" == rooftree.json("check", SHOP, "ec2:RunInstances", *ABROAD)["decision"]


def test_the_past_can_be_asked(rooftree: Rooftree, service: dict[str, Any]) -> None:
    """
    Before the change the decision was another one, and the history knows when it changed.
    """
    past = rooftree.json("check", SHOP, "ec2:RunInstances", *ABROAD, "--at", "2026-01-15T00:00:00Z", status=1)
    rows = rooftree.json("history", SHOP)

    assert "explicit_deny" == past["decision"]
    assert [
        ("2026-02-01T00:00:00Z", None),
        ("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"),
    ] == [(row["since"], row["until"]) for row in rows]


def test_the_record_is_whole(rooftree: Rooftree, service: dict[str, Any]) -> None:
    """
    The audit events are sealed to each other, up to the one that was written last.
    """
    [verdict] = rooftree.json("audit", "verify")["organizations"]

    assert (True, 1) == (verdict["whole"], verdict["events"])


def test_the_api_answers_with_the_printed_token(rooftree: Rooftree, service: dict[str, Any]) -> None:
    """
    Address and token of the printed line open the API; without the token it stays shut.
    """
    url, bearer = f"{service['api']}/api/v1/accounts/{SHOP}", {"Authorization": f"Bearer {service['token']}"}

    assert 401 == httpx.get(url).status_code
    assert "shop" == httpx.get(url, headers=bearer).json()["account_name"]


def test_a_second_one_in_the_same_folder_is_refused(rooftree: Rooftree, service: dict[str, Any]) -> None:
    """
    Two would share one database; the second says so and leaves the first alone.
    """
    rooftree.run("up", "--no-demo", status=2)

    assert "shop" == rooftree.json("account", SHOP)["account_name"]


def test_it_stops_cleanly_and_goes_on_where_it_stopped(
    tmp_path_factory: pytest.TempPathFactory, kafka_address: str | None
) -> None:
    """
    SIGTERM ends everything with status 0, no port stays taken, and the next start has the same view.
    """
    rooftree = Rooftree(tmp_path_factory.mktemp("restart"), kafka_address)
    with rooftree.up("--demo") as (process, addresses):
        checkout = account_id("checkout-prod")
        assert '"demo-025"' in rooftree.run("audit", "--limit", "1", "--json")  # what it tells of is there
        before = rooftree.json("account", checkout)
        process.send_signal(signal.SIGTERM)
        assert 0 == process.wait(timeout=STOP_SECONDS)

    own = [] if kafka_address else [addresses["kafka"]]
    for server in (addresses["api"].removeprefix("http://"), *own):
        host, _, port = server.partition(":")
        with socket.socket() as probe:
            assert probe.connect_ex((host, int(port))) != 0
    rooftree.run("tree", status=3)

    with rooftree.up() as (_, _):
        assert before == rooftree.json("account", checkout)
        assert rooftree.json("audit", "verify")["organizations"][0]["whole"] is True


def test_a_reader_that_leaves_early_is_no_error(rooftree: Rooftree) -> None:
    """
    A closed pipe ends a command quietly.
    """
    process = subprocess.Popen(
        [*COMMAND, "config"], cwd=rooftree.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    process.stdout.close()

    _, complaints = process.communicate(timeout=STOP_SECONDS)

    assert (0, "") == (process.returncode, complaints)
