from __future__ import annotations

import pytest
from tests.generators.telling import ACCOUNT, ORGANIZATION, OTHER_OU, OU, POLICY, ROOT, SCP, change, snapshot_taken

from rooftree.errors import ChangeError
from rooftree.organization.changes import (
    AccountClosed,
    AccountCreated,
    AccountMoved,
    AccountRemoved,
    AccountUpdated,
    ChangeData,
    OuCreated,
    OuDeleted,
    OuRenamed,
    PolicyAttached,
    PolicyCreated,
    PolicyDeleted,
    PolicyDetached,
    PolicyTypeDisabled,
    PolicyTypeEnabled,
    PolicyUpdated,
)
from rooftree.organization.claims import facts_of
from rooftree.organization.tree import Organization
from rooftree.view.wording import describe, describe_refusal, names_of


@pytest.mark.parametrize(
    ("data", "moved_from", "expected"),
    [
        (AccountCreated(ACCOUNT), None, "shop-prod created"),
        (AccountUpdated(ACCOUNT, name="shop"), None, "shop-prod updated"),
        (AccountMoved(ACCOUNT, parent_id=OTHER_OU), OU, "shop-prod moved from Workloads to Sandbox"),
        (AccountMoved(ACCOUNT, parent_id=OTHER_OU), OTHER_OU, "shop-prod moved to Sandbox"),
        (AccountMoved(ACCOUNT, parent_id=ROOT), None, "shop-prod moved to the root"),
        (AccountClosed(ACCOUNT), None, "shop-prod closed"),
        (AccountRemoved("444444444444"), None, "444444444444 removed from the organization"),
        (OuCreated(OU, ROOT), None, "Workloads created"),
        (OuRenamed(OU, "Work"), None, "Workloads renamed"),
        (OuDeleted(OU), None, "Workloads deleted"),
        (PolicyCreated(POLICY, SCP), None, "DenyLeaving created"),
        (PolicyUpdated(POLICY), None, "DenyLeaving updated"),
        (PolicyDeleted(POLICY), None, "DenyLeaving deleted"),
        (PolicyAttached(POLICY, OU), None, "DenyLeaving attached to Workloads"),
        (PolicyDetached("p-FullAWSAccess", ROOT), None, "FullAWSAccess detached from the root"),
        (PolicyTypeEnabled(SCP), None, "SERVICE_CONTROL_POLICY enabled"),
        (PolicyTypeDisabled(SCP), None, "SERVICE_CONTROL_POLICY disabled"),
        (snapshot_taken(), None, "found by reconciliation with a snapshot"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else "",
)
def test_a_change_is_told_in_words_with_the_names_that_people_know(
    data: ChangeData, moved_from: str | None, expected: str
) -> None:
    """Where a name is not known the id stands for it."""
    organization = Organization(ORGANIZATION, facts_of(change(1, snapshot_taken())))
    assert expected == describe(change(2, data), organization, moved_from=moved_from)


@pytest.mark.parametrize(
    ("data", "moved_from", "expected"),
    [
        (PolicyAttached(POLICY, OU), None, {POLICY: "DenyLeaving", OU: "Workloads"}),
        (PolicyDetached("p-FullAWSAccess", ROOT), None, {"p-FullAWSAccess": "FullAWSAccess"}),
        (PolicyAttached(POLICY, ACCOUNT), None, {POLICY: "DenyLeaving"}),
        (AccountMoved(ACCOUNT, parent_id=OTHER_OU), OU, {OU: "Workloads", OTHER_OU: "Sandbox"}),
        (AccountMoved(ACCOUNT, parent_id="ou-ab12-nobodyknows"), None, {}),
        (OuRenamed(OU, "Work"), None, {OU: "Workloads"}),
        (AccountClosed(ACCOUNT), None, {}),
        (snapshot_taken(), None, {}),
    ],
)
def test_a_change_keeps_the_names_of_what_it_is_about(
    data: ChangeData, moved_from: str | None, expected: dict[str, str]
) -> None:
    """
    Only units and policies are called otherwise later: an event has the name of its account, and roots have none.
    """
    organization = Organization(ORGANIZATION, facts_of(change(1, snapshot_taken())))

    assert expected == names_of(change(2, data), organization, moved_from=moved_from)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ChangeError("is missing", place="data.parent_id"), "an event was refused: `data.parent_id` is missing"),
        (ChangeError("expected text", place="data.name"), "an event was refused: expected text, at `data.name`"),
        (ChangeError("expected JSON", disposition="undecodable"), "a record is no event: expected JSON"),
        (
            ChangeError("expected the type of a change event", place="type", disposition="unknown_schema"),
            "an event is of no type that is known: expected the type of a change event, at `type`",
        ),
        (ChangeError("more than 8 bytes", disposition="too_large"), "a record is too large: more than 8 bytes"),
    ],
)
def test_what_could_not_be_processed_is_told_by_what_became_of_it(error: ChangeError, expected: str) -> None:
    """
    The place is a detail: who reads of it first wants to know that an event is missing.
    """
    assert expected == describe_refusal(error)
