from __future__ import annotations

from collections.abc import Iterable

from tests.generators.telling import (
    ACCOUNT,
    DENY_LEAVING,
    MANAGEMENT,
    ORGANIZATION,
    OTHER_ACCOUNT,
    OTHER_OU,
    OU,
    POLICY,
    ROOT,
    SCP,
    change,
    snapshot_taken,
)

from rooftree import permissions as default_algebra
from rooftree.organization.changes import AccountMoved, AccountRemoved, ChangeData, PolicyAttached, PolicyCreated
from rooftree.organization.claims import facts_of
from rooftree.organization.tree import Merge, Organization
from rooftree.view.ceilings import Ceilings
from rooftree.view.patch import AccountState
from rooftree.view.steps import Step, Steps

EVERYBODY = frozenset({ACCOUNT, OTHER_ACCOUNT, MANAGEMENT})


class Story:
    """
    An organization, what is known of its chains, and the rows of its accounts after each change.
    """

    def __init__(self) -> None:
        self.organization = Organization(ORGANIZATION)
        self.ceilings = Ceilings(ORGANIZATION, (), {}, default_algebra)
        self.rows: dict[str, AccountState] = {}
        self.steps(self.merge(1, snapshot_taken()))

    def merge(self, second: int, data: ChangeData) -> Merge:
        """
        Take in a change.
        """
        return self.organization.merge(facts_of(change(second, data)))

    def steps(self, merge: Merge) -> list[Step]:
        """
        Take the steps that follow from a change.
        """
        return self.keep(Steps(self.organization, self.rows, self.ceilings).of(sorted(merge.accounts), merge.retold))

    def keep(self, steps: list[Step]) -> list[Step]:
        """
        Let the rows after be those before the next change.
        """
        self.rows.update((step.after.account_id, step.after) for step in steps)
        return steps


def ids(steps: Iterable[Step]) -> list[str]:
    """
    Return whose steps these are.
    """
    return [step.after.account_id for step in steps]


def test_the_limits_of_accounts_of_which_nothing_was_told_are_worked_out() -> None:
    """
    The rest of their rows is what it was, and what they may do is compared.
    """
    story = Story()
    before = dict(story.rows)
    story.merge(2, PolicyCreated(POLICY, SCP, "DenyLeaving", DENY_LEAVING))
    merged = story.merge(3, PolicyAttached(POLICY, ROOT))
    steps = {step.after.account_id: step for step in story.steps(merged)}

    assert frozenset() == merged.retold
    for account_id in (ACCOUNT, OTHER_ACCOUNT):
        step = steps[account_id]
        changed = {name for name, old in before[account_id]._asdict().items() if getattr(step.after, name) != old}
        assert {"chain_id", "permissions_id", "reported_chain_id"} == changed
        assert step.comparison is not None
    assert before[MANAGEMENT] == steps[MANAGEMENT].after
    assert steps[MANAGEMENT].comparison is None


def test_what_was_told_of_an_account_is_read_again() -> None:
    """
    Its parent among it, on which all else depends.
    """
    story = Story()
    [step] = story.steps(story.merge(2, AccountMoved(ACCOUNT, parent_id=OTHER_OU)))
    assert (OU, OTHER_OU) == (step.before and step.before.parent_id, step.after.parent_id)
    assert (ROOT, OTHER_OU, ACCOUNT) == step.after.path


def test_an_account_that_is_gone_takes_no_step() -> None:
    """
    Its row is nobody's any more.
    """
    story = Story()
    assert [] == story.steps(story.merge(2, AccountRemoved(ACCOUNT)))


def test_rows_that_deviate_are_worked_out_anew() -> None:
    """
    Whatever they hold, and compared with what was reported as far as that is known.
    """
    story = Story()
    right = dict(story.rows)
    story.rows[ACCOUNT] = right[ACCOUNT]._replace(name="wrong", parent_id=OTHER_OU, permissions_id="lost")
    story.rows[OTHER_ACCOUNT] = right[OTHER_ACCOUNT]._replace(chain_id="lost", reported_chain_id="lost")
    steps = Steps(story.organization, story.rows, story.ceilings, anew=True).of(sorted(EVERYBODY), EVERYBODY)

    assert sorted(EVERYBODY) == ids(steps)
    assert right == {step.after.account_id: step.after for step in steps}
    assert all(step.comparison is None for step in steps)
