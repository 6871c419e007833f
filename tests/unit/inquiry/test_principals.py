from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

import pytest
from tests.generators.telling import (
    ACCOUNT,
    ORGANIZATION,
    OTHER_ACCOUNT,
    POLICY,
    ROOT,
    change,
    snapshot_taken,
)

from rooftree.contracts.principals import PrincipalSnapshotData
from rooftree.inquiry.comparing import Report, compare_organizations
from rooftree.inquiry.documents import difference_answer
from rooftree.inquiry.principals import tell_principals
from rooftree.inquiry.review import markdown_lines, text_lines
from rooftree.inquiry.sarif import sarif_document
from rooftree.inquiry.sources import MemorySource
from rooftree.inquiry.supposing import Attach, suppose
from rooftree.organization.directory import Directory
from rooftree.view.projection import OrganizationView

LEAVE = "organizations:LeaveOrganization"


def allow(action: str) -> dict[str, object]:
    """A policy that allows an action."""
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}


def roles(account_id: str, **policies: str) -> PrincipalSnapshotData:
    """Roles of an account, each with what it is allowed."""
    told = [
        {"kind": "role", "name": name, "inline_policies": {"main": allow(action)}} for name, action in policies.items()
    ]
    return PrincipalSnapshotData.model_validate(
        {"organization_id": ORGANIZATION, "account_id": account_id, "principals": told}
    )


class ViewSource(MemorySource):
    """The organization and the principals of a view."""

    def __init__(self, view: OrganizationView) -> None:
        super().__init__(view.organization)
        self._directory = view.principals.directory

    async def count_principals(self, account_ids: Collection[str]) -> Mapping[str, int]:
        """How many roles each account has."""
        return {account_id: len(self._directory.grants(account_id)) for account_id in account_ids}

    async def principals(self, account_ids: Collection[str]) -> Directory:
        """All of them."""
        return self._directory


async def told(*, most: int = 10) -> Report:
    """What becomes of two accounts if the policy that forbids to leave is attached to the root."""
    view = OrganizationView.load(ORGANIZATION)
    for second, data in enumerate(
        (
            snapshot_taken(),
            roles(ACCOUNT, leaver=LEAVE, admin="*", reader="s3:GetObject").to_change(),
            roles(OTHER_ACCOUNT, leaver=LEAVE).to_change(),
        ),
        start=1,
    ):
        view.apply(change(second, data))
    after = suppose(view.organization, [Attach(POLICY, ROOT)]).organization
    return await tell_principals(ViewSource(view), compare_organizations(view.organization, after), most=most)


async def test_whoever_loses_something_is_named_with_a_request() -> None:
    """The role that may not leave anyway is only counted."""
    report = await told()

    impacts = dict(report.impacts)
    assert {ACCOUNT: (2, 1), OTHER_ACCOUNT: (1, 0)} == {
        account: (impact["touched_count"], impact["untouched_count"]) for account, impact in impacts.items()
    }
    [group] = impacts[ACCOUNT]["touched"]
    assert [f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ("admin", "leaver")] == sorted(group["arns"])
    assert LEAVE == group["changes"][0]["witness"]["action"]


async def test_text_and_markdown_tell_the_same_of_many_accounts_once() -> None:
    """Roles of one name in several accounts are one line, with the request."""
    report = await told()

    text, markdown = list(text_lines(report)), list(markdown_lines(report))
    assert "touches 3 of 4 users and roles" in text
    assert (
        f"  role/leaver in 2 accounts, arn:aws:iam::{ACCOUNT}:role/admin: may do less than before"
        == text[text.index("touches 3 of 4 users and roles") + 1]
    )
    assert "    now denied: organizations:LeaveOrganization on *" == text[-1]
    assert ["### Users and roles", "", "Touches 3 of 4 users and roles."] == markdown[-5:-2]
    assert markdown[-1].endswith(": now denied `organizations:LeaveOrganization on *`")
    assert "role/leaver in 2 accounts" in markdown[-1]


async def test_json_and_sarif_hold_them() -> None:
    """In the API with each account, in SARIF once for the whole run."""
    report = await told()

    answer = json.loads(difference_answer(ORGANIZATION, report).model_dump_json(warnings=False))
    [run] = sarif_document(report, {})["runs"]  # type: ignore[misc]
    assert [2, 1] == [one["principals"]["touched_count"] for one in answer["accounts"]]
    assert [] == answer["principals_left_out"]
    assert "touches 3 of 4 users and roles" == run["properties"]["principals"]  # type: ignore[index]


@pytest.mark.parametrize(("most", "left_out"), [(4, []), (3, [OTHER_ACCOUNT]), (0, [ACCOUNT, OTHER_ACCOUNT])])
async def test_accounts_beyond_the_bound_are_named(most: int, left_out: list[str]) -> None:
    """Whoever reads the answer knows of whom nothing was said."""
    report = await told(most=most)

    documents: dict[Any, Any] = {one["account_id"]: one for one in report.documents}
    assert left_out == report.left_out == [one for one in documents if "principals_left_out" in documents[one]]
    assert {ACCOUNT, OTHER_ACCOUNT} - {*left_out} == {one for one in documents if "principals" in documents[one]}
    words = f"users and roles of {len(left_out)} {'account' if len(left_out) == 1 else 'accounts'} were not looked at"
    assert bool(left_out) == any(words in line for line in text_lines(report))
