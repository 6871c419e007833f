from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from tests.unit.api.fake_reader import event

from rooftree.inquiry.grouping import (
    AccountName,
    Block,
    account_words,
    distinct_changes,
    group_revisions,
    identify,
    overtaken,
)


def change(target: str, *, action: str = "s3:*", known: int = 10, witness: str = "x") -> dict[str, object]:
    """
    Return a change because of one policy on a node.
    """
    return {
        "direction": "denied",
        "actions": {"any_of": [action], "none_of": []},
        "witness": {"action": witness},
        "statements": [{"policy_id": "p-1", "statement": "Deny", "target_id": target, "side": "after"}],
        "known_actions": {"count": known},
    }


def blocks_of(*touched: tuple[AccountName, list[dict[str, object]]]) -> list[Block]:
    """
    Return the changes of some accounts, each once.
    """
    return distinct_changes(
        ([account], [(identify(one, account.account_id), one) for one in changes]) for account, changes in touched
    )


ONE, TWO, THREE = (AccountName(f"{number:012}", f"account-{number}") for number in (1, 2, 3))


def test_the_same_change_in_many_accounts_is_one_block() -> None:
    """
    Examples and the nodes on which a policy hangs differ; the change does not.
    """
    blocks = blocks_of(
        (ONE, [change("ou-1", witness="a")]), (TWO, [change("ou-1", witness="b")]), (THREE, [change("ou-2")])
    )

    assert [["account-1", "account-2", "account-3"]] == [
        [account.name for account in block.accounts] for block in blocks
    ]
    assert ["ou-1", "ou-2"] == [statement["target_id"] for statement in blocks[0].change["statements"]]


def test_changes_that_differ_stay_apart() -> None:
    """
    Other actions are another change; the one that reaches further comes first.
    """
    small, large = change("ou-1", action="q:*", known=2), change("ou-1", known=100)

    blocks = blocks_of((ONE, [small, large]))

    assert [large["actions"], small["actions"]] == [block.change["actions"] for block in blocks]


def test_a_change_that_names_its_account_is_still_the_same_change() -> None:
    """
    A policy on the account itself stands on another node in each account.
    """
    blocks = blocks_of(*((one, [change(one.account_id)]) for one in (ONE, TWO)))

    assert 1 == len(blocks)


def test_events_are_grouped_by_revision_in_the_order_of_their_parts() -> None:
    """
    The latest-first order of a page does not turn the parts of a revision around.
    """
    events = [event(2, part=2, parts=2), event(2, part=1, parts=2), event(1)]

    groups = list(group_revisions(events))

    assert [(2, [1, 2]), (1, [1])] == [(group.revision, [one.part for one in group.events]) for group in groups]


def test_a_group_counts_its_accounts_and_names_what_became_of_them() -> None:
    """
    The title tells how many accounts do less or more, counting those that are not at hand.
    """
    one, many = event(1), event(2, part=1, parts=214)
    mixed = [event(3, part=1, parts=2), replace(event(3, part=2, parts=2), verdict="loosened")]

    titles = [group.title for group in group_revisions([one, many, *mixed])]

    assert [
        "shop <prod> may do less than before",
        "214 accounts may do less than before",
        "2 accounts decide otherwise: 1 tightened, 1 loosened",
    ] == titles


def test_many_accounts_are_named_in_part() -> None:
    """
    A line names a dozen accounts and counts the others.
    """
    accounts = [AccountName(f"{number:012}", f"a{number}") for number in range(20)]

    assert "a0 (000000000000), a1 (000000000001)" == account_words(accounts[:2])
    assert account_words(accounts).endswith("a11 (000000000011), 8 more")
    assert account_words(accounts, total=214).endswith(", 202 more")


IMPACT = {
    "touched": [
        {
            "arns": ["arn:aws:iam::000000000001:role/a", "arn:aws:iam::000000000001:role/b"],
            "verdict": "tightened",
            "changes": [
                {
                    "direction": "denied",
                    "before": "allow",
                    "after": "explicit_deny",
                    "witness": {"action": "s3:GetObject", "resource": "*", "context": {"aws:RequestedRegion": "x"}},
                }
            ],
        }
    ],
    "touched_count": 2,
    "untouched_count": 5,
    "unknown_count": 1,
}


def test_a_group_tells_what_becomes_of_users_and_roles() -> None:
    """
    The numbers of all accounts together, and one principal as an example.
    """
    first = event(1, part=1, parts=2)
    second = event(1, part=2, parts=2, account_id="000000000002")
    none = {"touched": [], "touched_count": 0, "untouched_count": 3, "unknown_count": 0}
    [group] = group_revisions(
        [
            replace(first, data={**first.data, "principals": IMPACT}),
            replace(second, data={**second.data, "principals": none}),
        ]
    )

    assert (
        "touches 2 of 11 users and roles, 1 are not known well enough, such as arn:aws:iam::000000000001:role/a:"
        " now denied s3:GetObject on * with aws:RequestedRegion=x"
    ) == group.impact


def test_an_event_about_a_principal_names_it() -> None:
    """
    It is not the account that may do less.
    """
    told = event(1)
    told = replace(told, data={**told.data, "principal": {"kind": "role", "name": "deploy", "arn": "arn:x"}})
    [group] = group_revisions([told])
    [pair] = group_revisions([replace(told, parts=2), replace(told, part=2, parts=2)])

    assert "role deploy in shop <prod> may do less than before" == group.title
    assert "2 principals may do less than before" == pair.title
    assert ["role deploy in shop <prod>"] == [account.name for account in group.accounts]


def test_flips_are_counted_apart_from_accounts() -> None:
    """
    An account of which only probes are told has no verdict.
    """
    flip = {"name": "x", "as_expected": False}
    flipped = replace(
        event(1, part=2, parts=2), type="rooftree.probe.flipped.v1", verdict=None, data={"probes": [flip]}
    )
    [both] = group_revisions([event(1, part=1, parts=2), flipped])
    [alone] = group_revisions([replace(flipped, part=1, parts=1)])

    assert ("shop <prod> may do less than before", "tightened", [flip]) == (both.title, both.verdict, both.flips)
    assert ("Probe x is not as expected", None) == (alone.title, alone.verdict)


def test_a_revision_came_late_where_one_before_it_happened_after_it() -> None:
    """
    It is held against the latest time so far, not only against the revision before it; equal times are in order.
    """
    days = {1: 2, 2: 9, 3: 4, 4: 5, 5: 9, 6: 10}
    times = [(revision, datetime(2026, 1, day, tzinfo=UTC)) for revision, day in days.items()]

    assert {3: 2, 4: 2} == overtaken(times[::-1])
    assert {} == overtaken([])
