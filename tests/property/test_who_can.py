"""
Who can, decided once for accounts that share their permissions, is what asking each account by itself comes to.
"""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.generators.chains import ACTIONS, DATES, PRINCIPALS, REGIONS, RESOURCES, statements

from rooftree.contracts.changes import SnapshotData
from rooftree.inquiry.deciding import Admitted, check, who_can
from rooftree.inquiry.question import Question
from rooftree.inquiry.sources import MemorySource, load_organization
from rooftree.policy.evaluate import Decision

MANAGEMENT: Final = "111111111111"
ACCOUNTS: Final = {
    "222222222222": "ou-ab12-aaaaaaaa",
    "333333333333": "ou-ab12-aaaaaaaa",
    "444444444444": "ou-ab12-bbbbbbbb",
    "555555555555": "ou-ab12-bbbbbbbb",
    "666666666666": "r-ab12",
}
TARGETS: Final = ["r-ab12", "ou-ab12-aaaaaaaa", "ou-ab12-bbbbbbbb", "222222222222", "555555555555"]
ASKED_KEYS: Final = {
    "aws:RequestedRegion": REGIONS,
    "aws:PrincipalArn": ["arn:aws:iam::333333333333:role/Admin", *(one for one in PRINCIPALS if "*" not in one)],
    "aws:SourceIp": ["10.1.2.3", "198.51.100.1"],
    "aws:CurrentTime": DATES,
    "aws:TagKeys": ["team", "owner"],
    "aws:username": ["alice"],
    "aws:PrincipalOrgID": ["o-exampleorg"],
}


@st.composite
def organizations(draw: st.DrawFn) -> MemorySource:
    """
    Draw an organization of six accounts in three places, with a few policies here and there, in one of two partitions.
    """
    contents = draw(st.lists(st.lists(statements(variables=True), min_size=1, max_size=2), min_size=1, max_size=4))
    hanging = draw(
        st.lists(
            st.tuples(st.integers(0, len(contents) - 1), st.sampled_from(TARGETS)), min_size=1, max_size=6, unique=True
        )
    )
    partition = draw(st.sampled_from(["aws", "aws", "aws-us-gov"]))
    return organization(in_partition(contents, draw(st.sampled_from(["aws", partition]))), hanging, partition)


def in_partition(contents: Any, partition: str) -> Any:
    """
    Return policies or questions with the ARNs in them in a partition.
    """
    return json.loads(json.dumps(contents).replace("arn:aws:", f"arn:{partition}:"))


def organization(
    contents: list[list[dict[str, object]]], hanging: list[tuple[int, str]], partition: str = "aws"
) -> MemorySource:
    """
    Return the six accounts with policies of these statements, each hung where it is said.
    """
    units = ["ou-ab12-aaaaaaaa", "ou-ab12-bbbbbbbb"]
    placed = {MANAGEMENT: "r-ab12", **ACCOUNTS}
    data = {
        "organization": {"id": "o-exampleorg", "management_account_id": MANAGEMENT, "partition": partition},
        "root": {"id": "r-ab12", "policy_types": ["SERVICE_CONTROL_POLICY"]},
        "organizational_units": [{"id": unit, "name": unit, "parent_id": "r-ab12"} for unit in units],
        "accounts": [
            {"id": one, "name": one, "email": "a@example.com", "parent_id": parent, "status": "ACTIVE"}
            for one, parent in placed.items()
        ],
        "policies": [
            {
                "id": f"p-{number:08d}",
                "name": f"policy-{number}",
                "type": "SERVICE_CONTROL_POLICY",
                "content": {"Version": "2012-10-17", "Statement": content},
            }
            for number, content in enumerate(contents)
        ],
        "attachments": [
            *({"policy_id": "p-FullAWSAccess", "target_id": node} for node in ("r-ab12", *units, *placed)),
            *({"policy_id": f"p-{number:08d}", "target_id": target} for number, target in hanging),
        ],
    }
    return MemorySource(load_organization(SnapshotData.model_validate(data).to_change().snapshot))


@st.composite
def questions(draw: st.DrawFn) -> Question:
    """
    Draw a request as it may be asked about: of nobody in particular, or of somebody named.
    """
    keys = draw(st.lists(st.sampled_from(sorted(ASKED_KEYS)), max_size=4, unique=True))
    context = {key: [draw(st.sampled_from(ASKED_KEYS[key]))] for key in keys}
    context = in_partition(context, draw(st.sampled_from(["aws", "aws-us-gov"])))
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    return Question.of(draw(st.sampled_from(ACTIONS)), draw(st.sampled_from(RESOURCES)), context, moment)


@settings(max_examples=60, deadline=None)
@given(source=organizations(), question=questions())
def test_one_decision_for_all_that_share_permissions_is_the_decision_of_each(
    source: MemorySource, question: Question
) -> None:
    """
    Each account is also asked by itself, statement by statement, under the chain that is its own.
    """
    told = asyncio.run(who_can(source, question, at=None))

    each = []
    for account in source.standings():
        ceilings = source.chains_of([account])
        answer = question.ask(account.bound(ceilings), ceilings.chain(account.placed_chain_id, account.account_id))
        assert answer.decision.decision is asyncio.run(check(source, account, question)).decision.decision
        if answer.decision.decision is Decision.ALLOW:
            each.append(Admitted(account, answer.assumed))
    assert each == told.admitted
    assert 6 == told.count


def test_a_principal_that_is_named_is_held_to_the_chain_of_each_account() -> None:
    """
    Accounts that a policy about another account's role does not tell apart may yet decide otherwise about that role.
    """
    role = "arn:aws:iam::333333333333:role/Admin"
    condition = {"ArnEquals": {"aws:PrincipalArn": role}}
    denial: dict[str, object] = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition}
    question = Question.of("s3:GetObject", "*", {"aws:PrincipalArn": [role]}, datetime(2026, 3, 1, tzinfo=UTC))

    told = asyncio.run(who_can(organization([[denial]], [(0, "555555555555")]), question, at=None))

    assert [MANAGEMENT, *(one for one in ACCOUNTS if one != "555555555555")] == [
        admitted.account.account_id for admitted in told.admitted
    ]
