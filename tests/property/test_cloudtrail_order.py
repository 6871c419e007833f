"""
Series of events of AWS in any order, doubled, with failures among them.

Things happen at moments, and are told by the second. Whatever the order of delivery, the same facts come of them; and
where the last of a second is not what really happened last, that is asked for.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.generators.aws_events import Deliveries, bare
from tests.generators.telling import ACCOUNT, MANAGEMENT, ORGANIZATION, OTHER_OU, OU, POLICY, ROOT, deny, snapshot_taken

from rooftree.aws.events import AwsRecords, decode_record, translate
from rooftree.organization.changes import Change
from rooftree.organization.facts import Attribute, FactKind
from rooftree.view.projection import OrganizationView

EXAMPLES = int(os.environ.get("ROOFTREE_TEST_EXAMPLES", "60"))
START = datetime(2026, 1, 5, 8, 0, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Deed:
    """
    A call that somebody makes.

    Attributes:
        subject: What it decides, as `observe` has it.
        asks: The kind and the object of the request that covers a doubt about it.
        value: What is so afterwards.
    """

    service: str
    operation: str
    request: dict[str, Any]
    subject: tuple[str, ...]
    asks: tuple[str, str]
    value: object


def _attachments() -> list[Deed]:
    return [
        Deed(
            "organizations",
            f"{verb}Policy",
            {"PolicyId": POLICY, "TargetId": node},
            ("attached", node),
            ("attachments", node),
            value=verb == "Attach",
        )
        for node in (OU, OTHER_OU, ACCOUNT)
        for verb in ("Attach", "Detach")
    ]


def _moves() -> list[Deed]:
    return [
        Deed(
            "organizations",
            "MoveAccount",
            {"AccountId": ACCOUNT, "SourceParentId": ROOT, "DestinationParentId": parent},
            ("parent", ACCOUNT),
            ("account", ACCOUNT),
            parent,
        )
        for parent in (ROOT, OU, OTHER_OU)
    ]


def _names() -> list[Deed]:
    return [
        Deed(
            "organizations",
            "UpdateOrganizationalUnit",
            {"OrganizationalUnitId": OU, "Name": name},
            ("name", OU),
            ("ou", OU),
            name,
        )
        for name in ("Workloads", "Production")
    ]


def _roles() -> list[Deed]:
    asks = ("principal", f"{ACCOUNT}/role/deploy")
    documents = [json.dumps(deny(action)) for action in ("s3:GetObject", "s3:PutObject")]
    inline = [Deed("iam", "PutRolePolicy", {"PolicyDocument": text}, ("inline",), asks, text) for text in documents]
    return [
        *(_of_role(deed, PolicyName="main") for deed in inline),
        _of_role(Deed("iam", "DeleteRolePolicy", {}, ("inline",), asks, None), PolicyName="main"),
    ]


def _of_role(deed: Deed, **more: str) -> Deed:
    return Deed(
        deed.service,
        deed.operation,
        {"RoleName": "deploy", **more, **deed.request},
        deed.subject,
        deed.asks,
        deed.value,
    )


DEEDS = [*_attachments(), *_moves(), *_names(), *_roles()]


@dataclass(frozen=True)
class Story:
    """
    What was done, in order, and how it was delivered.
    """

    deeds: tuple[Deed, ...]
    delivered: tuple[dict[str, Any], ...]


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """
    Deeds at rising moments within a few seconds, each delivered at least once, with failures among them.
    """
    deeds = draw(st.lists(st.sampled_from(DEEDS), min_size=1, max_size=10))
    gaps = draw(st.lists(st.integers(0, 1500), min_size=len(deeds), max_size=len(deeds)))
    deliveries = Deliveries(MANAGEMENT, seed=draw(st.uuids(version=4)).hex)
    events: list[dict[str, Any]] = []
    moment = START
    for deed, gap in zip(deeds, gaps, strict=True):
        moment += timedelta(milliseconds=gap)
        account = ACCOUNT if deed.service == "iam" else MANAGEMENT
        told = {"time": moment, "service": deed.service, "account_id": account}
        events += deliveries.of(deed.operation, deed.request, None, **told)
        if draw(st.booleans()):
            other = draw(st.sampled_from(DEEDS))
            events += deliveries.of(other.operation, other.request, None, **told, error=("Throttling", "slow down"))
    again = draw(st.lists(st.sampled_from(events), max_size=6))
    delivered = draw(st.permutations([*events, *map(bare, again)]))
    return Story(tuple(deeds), tuple(delivered))


def fold(delivered: Sequence[dict[str, Any]]) -> tuple[OrganizationView, set[tuple[str, str]]]:
    """
    The view after events in their order of delivery, and what is to be read anew.
    """
    view = OrganizationView.load(ORGANIZATION)
    start = START - timedelta(seconds=1)
    snapshot = Change(
        "snapshot", "test", "rooftree.organization.snapshot.v1", start, "", ORGANIZATION, None, snapshot_taken()
    )
    view.apply(snapshot)
    seen, asked = set(), set()
    for event in delivered:
        decoded = decode_record(json.dumps(event).encode())
        assert isinstance(decoded, AwsRecords)
        change = translate(decoded.records[0], ORGANIZATION)
        if change is None or change.event_id in seen:
            continue
        seen.add(change.event_id)
        asked |= {one.request.key for one in view.apply(change).rereads.open}
    return view, asked


def observe(view: OrganizationView, subject: tuple[str, ...]) -> object:
    """
    What the view holds of one subject.
    """
    registers = view.organization.registers
    match subject:
        case ("attached", node):
            return registers.is_attached(node, POLICY, "SERVICE_CONTROL_POLICY")
        case ("parent", account):
            return registers.parent(account)
        case ("name", unit):
            return registers.value(FactKind.OU, unit, Attribute.NAME)
    found = view.principals.directory.find(ACCOUNT, "role", "deploy")
    digests = dict(found.principal.inline_policies) if found is not None else {}
    text = view.principals.directory.document(digests["main"]) if "main" in digests else None
    return text and json.dumps(json.loads(text)["Statement"][0]["Action"])


def expected(deed: Deed) -> object:
    """
    What is so after a deed, as `observe` has it.
    """
    if deed.subject == ("inline",):
        return deed.value and json.dumps(json.loads(str(deed.value))["Statement"][0]["Action"])
    return deed.value


@settings(max_examples=EXAMPLES, deadline=None)
@given(stories(), st.randoms(use_true_random=False))
def test_any_order_ends_in_the_same_facts(story: Story, random: Any) -> None:
    """
    However often each was delivered.
    """
    one, asked = fold(story.delivered)
    shuffled = [*story.delivered]
    random.shuffle(shuffled)
    other, also_asked = fold(shuffled)

    assert set(one.organization.registers) == set(other.organization.registers)
    assert set(one.principals.directory) == set(other.principals.directory)
    for subject in {deed.subject for deed in story.deeds}:
        assert observe(one, subject) == observe(other, subject)
    # A request may be made in one order and not in another where a later event settles it.
    assert _doubtful(one, story, asked) == _doubtful(other, story, also_asked)


@settings(max_examples=EXAMPLES, deadline=None)
@given(stories())
def test_no_wrong_fact_is_silent(story: Story) -> None:
    """
    What was done last is what the view holds, or it is to be read anew.
    """
    view, asked = fold(story.delivered)
    for subject, deed in {deed.subject: deed for deed in story.deeds}.items():
        assert expected(deed) == observe(view, subject) or deed.asks in asked


def _doubtful(view: OrganizationView, story: Story, asked: set[tuple[str, str]]) -> set[tuple[str, ...]]:
    """
    Of what the view holds, whatever is not what was done last; each such thing was asked for.
    """
    last = {deed.subject: deed for deed in story.deeds}
    wrong = {subject for subject, deed in last.items() if expected(deed) != observe(view, subject)}
    assert {last[subject].asks for subject in wrong} <= asked
    return wrong
