from __future__ import annotations

import json

import pytest
from tests.generators.telling import (
    ACCOUNT,
    FULL_ACCESS_ID,
    MANAGEMENT,
    ORGANIZATION,
    OTHER_ACCOUNT,
    OTHER_OU,
    OU,
    POLICY,
    ROOT,
    change,
    deny,
    snapshot_taken,
)

from rooftree.inquiry.outcome import Outcome, stand_beside
from rooftree.inquiry.sources import MemorySource
from rooftree.inquiry.supposing import Attach, Detach, Move, Step, Update, suppose
from rooftree.organization.claims import facts_of
from rooftree.organization.tree import Organization


@pytest.mark.parametrize(
    "steps",
    [
        [Attach(POLICY, ROOT)],
        [Attach(POLICY, ACCOUNT)],
        [Attach(POLICY, OTHER_ACCOUNT), Update(POLICY, json.dumps(deny("s3:*")))],
        [Detach(FULL_ACCESS_ID, ACCOUNT)],
        [Move(ACCOUNT, OU), Attach(POLICY, OU)],
        [Attach(POLICY, OTHER_OU), Move(OTHER_ACCOUNT, OTHER_OU), Move(MANAGEMENT, OTHER_OU)],
    ],
    ids=str,
)
def test_accounts_stand_where_a_look_at_each_finds_them(steps: list[Step]) -> None:
    """Three accounts at the root, of which one is bound by nothing, and another one may become unlike the third."""
    told = Organization(ORGANIZATION, facts_of(change(1, snapshot_taken())))
    before = MemorySource(suppose(told, [Move(ACCOUNT, ROOT)]).organization)
    supposed = suppose(before.state, steps)
    outcome = Outcome(before, supposed.organization, supposed.told)

    found = [
        group.beside if account is group.accounts[0] else stand_beside(group.beside, account)
        for group in outcome.siblings(before.standings())
        for account in group.accounts
    ]

    found.sort(key=lambda standing: standing.account_id)
    assert MemorySource(supposed.organization).standings() == found
    assert {MANAGEMENT, ACCOUNT, OTHER_ACCOUNT} == {standing.account_id for standing in found}
