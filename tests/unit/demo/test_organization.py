from __future__ import annotations

import re
from importlib import resources

import pytest

from rooftree.demo import demo_snapshot
from rooftree.demo.organization import ACCOUNT_NAMES, POLICY_IDS, account_id
from rooftree.organization.snapshot_reader import parse_snapshot
from rooftree.policy.document import parse_policy
from rooftree.policy.lint import lint_policy

POLICIES = sorted(
    file.name for file in resources.files("rooftree.demo").joinpath("policies").iterdir() if file.name.endswith(".json")
)


@pytest.mark.parametrize("name", POLICIES)
def test_each_policy_is_one_and_has_no_errors(name: str) -> None:
    """
    The demo's policies are read by the strict parser, and lint finds no error in them.
    """
    text = resources.files("rooftree.demo").joinpath("policies", name).read_text("utf-8")

    assert parse_policy(text).statements
    assert [] == [finding for finding in lint_policy(text) if finding.severity == "error"]


def test_each_policy_file_is_used() -> None:
    """
    No file lies about that no policy of the demo is made from.
    """
    assert set(POLICY_IDS) == {re.sub(r"(\.\d+)?\.json$", "", name) for name in POLICIES}


def test_the_snapshot_is_one() -> None:
    """
    The demo organization has no contradictions, and about sixty accounts.
    """
    snapshot = parse_snapshot(demo_snapshot())

    assert 1 + sum(len(names) for names in ACCOUNT_NAMES.values()) == len(snapshot.accounts)
    assert 50 <= len(snapshot.accounts) <= 70


def test_account_ids_do_not_collide() -> None:
    """
    Ids are made from names, so two names must not make one.
    """
    names = [name for group in ACCOUNT_NAMES.values() for name in group]
    identifiers = {account_id(name) for name in names}

    assert len(names) == len(identifiers)
    assert all(re.fullmatch(r"\d{12}", identifier) for identifier in identifiers)
