from __future__ import annotations

from dataclasses import replace

import pytest
from tests.generators.telling import (
    ACCOUNT,
    DENY_LEAVING,
    DENY_STOPPING,
    FULL_ACCESS_ID,
    MANAGEMENT,
    ORGANIZATION,
    OTHER_ACCOUNT,
    OTHER_OU,
    OU,
    POLICY,
    ROOT,
    SCP,
    change,
    snapshot_document,
    snapshot_taken,
)

from rooftree.organization.changes import (
    AccountCreated,
    AccountMoved,
    AccountRemoved,
    AccountUpdated,
    Change,
    ChangeData,
    OuCreated,
    OuRenamed,
    PolicyAttached,
    PolicyCreated,
    PolicyTypeEnabled,
    PolicyUpdated,
    SnapshotTaken,
)
from rooftree.organization.claims import facts_of
from rooftree.organization.facts import Attribute, FactKind
from rooftree.organization.snapshot_reader import parse_snapshot
from rooftree.organization.survey import Survey
from rooftree.organization.tree import Merge, Organization


def merge(organization: Organization, data: ChangeData, second: int = 10) -> Merge:
    """Take in a change."""
    return organization.merge(facts_of(change(second, data)))


def small(*changes: Change) -> Organization:
    """The small organization, after some changes."""
    organization = Organization(ORGANIZATION)
    for one in (change(1, snapshot_taken()), *changes):
        organization.merge(facts_of(one))
    return organization


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (PolicyAttached(POLICY, ROOT), {ACCOUNT, OTHER_ACCOUNT, MANAGEMENT}),
        (PolicyAttached(POLICY, OU), {ACCOUNT}),
        (PolicyAttached(POLICY, OTHER_OU), set()),
        (PolicyAttached(POLICY, OTHER_ACCOUNT), {OTHER_ACCOUNT}),
        (AccountMoved(ACCOUNT, parent_id=OTHER_OU), {ACCOUNT}),
        (AccountUpdated(ACCOUNT, name="shop"), {ACCOUNT}),
        (OuRenamed(OU, "Work"), {ACCOUNT}),
        (PolicyCreated("p-another00", SCP, "Another", DENY_STOPPING), set()),
        (PolicyUpdated(POLICY, content=DENY_STOPPING), set()),
        (PolicyTypeEnabled(SCP), {ACCOUNT, OTHER_ACCOUNT, MANAGEMENT}),
        (PolicyTypeEnabled("TAG_POLICY"), set()),
        (snapshot_taken(), {ACCOUNT, OTHER_ACCOUNT, MANAGEMENT}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_change_touches_the_accounts_at_and_below_its_node(data: ChangeData, expected: set[str]) -> None:
    """Only accounts that a change can make a difference to are looked at again."""
    assert expected == merge(small(), data).accounts


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (PolicyAttached(POLICY, ROOT), set()),
        (PolicyTypeEnabled(SCP), set()),
        (OuRenamed(OU, "Work"), set()),
        (AccountMoved(ACCOUNT, parent_id=OTHER_OU), {ACCOUNT}),
        (AccountUpdated(ACCOUNT, name="shop"), {ACCOUNT}),
        (AccountRemoved(ACCOUNT), {ACCOUNT}),
        (snapshot_taken(), {ACCOUNT, OTHER_ACCOUNT, MANAGEMENT}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_change_tells_anew_of_the_accounts_that_it_names(data: ChangeData, expected: set[str]) -> None:
    """Of the others that it touches, only what limits them and where their parent is can have changed."""
    merged = merge(small(), data)
    assert expected == merged.retold
    assert merged.retold <= merged.accounts


def test_new_content_touches_the_accounts_below_every_target() -> None:
    """A policy that hangs on two nodes touches what is below either."""
    organization = small(change(2, PolicyAttached(POLICY, OU)), change(2, PolicyAttached(POLICY, OTHER_ACCOUNT)))
    assert {ACCOUNT, OTHER_ACCOUNT} == merge(organization, PolicyUpdated(POLICY, content=DENY_STOPPING)).accounts


def test_the_same_content_again_touches_nobody_and_a_name_is_told_apart() -> None:
    """Text that means the same moves nothing; names are not decisions."""
    organization = small(change(2, PolicyAttached(POLICY, OU)))
    done = merge(organization, PolicyUpdated(POLICY, policy_type=SCP, name="Stay", content=DENY_LEAVING))
    # That the policy exists is said anew, and could be news.
    assert ({ACCOUNT}, {POLICY}) == (done.accounts, done.renamed)
    assert "Stay" == organization.name_of(POLICY)


def test_what_is_known_already_does_nothing() -> None:
    """A repetition changes no register and touches nobody."""
    organization = small()
    assert Merge((), frozenset(), frozenset(), frozenset()) == organization.merge(facts_of(change(1, snapshot_taken())))


def test_an_account_without_a_told_parent_is_below_the_root() -> None:
    """It is touched by what hangs there."""
    organization = small(change(2, AccountCreated("444444444444")))
    assert "444444444444" in merge(organization, PolicyAttached(POLICY, ROOT)).accounts


@pytest.mark.parametrize(
    ("changed", "expected"),
    [({}, True), ({"feature_set": "CONSOLIDATED_BILLING"}, False), ({"policy_types": []}, False)],
    ids=["both", "billing alone", "type disabled"],
)
def test_service_control_policies_limit_with_all_features_and_the_type_enabled(
    changed: dict[str, object], *, expected: bool
) -> None:
    """An organization for billing alone has none, and a disabled type has no effect."""
    document = snapshot_document()
    document["organization"] = {"id": ORGANIZATION, "management_account_id": MANAGEMENT, **changed}
    document["root"] = {"id": ROOT, "policy_types": [SCP], **changed}
    organization = Organization(ORGANIZATION, facts_of(change(1, SnapshotTaken(parse_snapshot(document)))))
    assert expected is (SCP in organization.limiting_types)


def in_partition(partition: str | None) -> SnapshotTaken:
    """The small organization, with its partition told."""
    return SnapshotTaken(replace(parse_snapshot(snapshot_document()), partition=partition))


def test_a_partition_that_is_told_is_known_from_then_on() -> None:
    """A snapshot that does not tell it says nothing about it, whenever it was taken."""
    organization = small()
    assert "aws" == organization.partition
    merge(organization, in_partition("aws-us-gov"), second=20)
    merge(organization, in_partition(None), second=30)
    assert "aws-us-gov" == organization.partition


def test_every_account_has_a_chain_of_the_partition() -> None:
    """Whether it is limited or not; so all accounts are looked at once it is told."""
    organization = small()
    before = {each: Survey(organization).placement(each) for each in organization.accounts()}
    assert set(before) == merge(organization, in_partition("aws-us-gov")).accounts
    for account_id, was in before.items():
        now = Survey(organization).placement(account_id)
        assert was is not None
        assert now is not None
        assert ("aws", "aws-us-gov", was.chain.levels) == (was.chain.partition, now.chain.partition, now.chain.levels)


def test_only_policies_of_the_type_whose_document_is_known_are_attached() -> None:
    """An attachment to a policy that nobody has told of waits."""
    organization = small(change(2, PolicyAttached("p-unknown000", OU)), change(3, PolicyAttached(POLICY, OU)))
    assert [FULL_ACCESS_ID, POLICY] == [policy.policy_id for policy in organization.attached(OU, SCP)]
    merge(organization, PolicyCreated("p-unknown000", SCP, None, DENY_STOPPING))
    attached = [policy.policy_id for policy in organization.attached(OU, SCP)]
    assert [FULL_ACCESS_ID, POLICY, "p-unknown000"] == attached


def test_a_document_that_does_not_fit_its_type_waits() -> None:
    """Content told without a type is taken for what the type says once that is told."""
    document = '{"Statement":[{"Action":["s3:*"],"Effect":"Deny","Principal":"*","Resource":["*"]}]}'
    organization = small(
        change(2, PolicyAttached("p-unknown000", OU)),
        change(2, PolicyUpdated("p-unknown000", content=document)),
        change(3, PolicyUpdated("p-unknown000", policy_type=SCP)),
    )
    policy = organization.policy("p-unknown000")
    assert policy is not None
    assert policy.document is None
    assert [FULL_ACCESS_ID] == [attached.policy_id for attached in organization.attached(OU, SCP)]


def test_nodes_are_placed_along_the_path_to_the_root() -> None:
    """A path runs from the root to the account and names every unit in between."""
    inner = "ou-ab12-cccccccc"
    organization = small(change(2, OuCreated(inner, OU)), change(3, AccountMoved(ACCOUNT, parent_id=inner)))
    assert (ROOT, OU, inner, ACCOUNT) == Survey(organization).path(ACCOUNT)


def test_an_account_below_something_unknown_is_not_placed() -> None:
    """Its place is known once all units above it are."""
    inner, outer = "ou-ab12-cccccccc", "ou-ab12-dddddddd"
    organization = small(change(2, OuCreated(inner, outer)), change(3, AccountMoved(ACCOUNT, parent_id=inner)))
    assert None is Survey(organization).placement(ACCOUNT)
    done = merge(organization, OuCreated(outer, ROOT))
    assert {ACCOUNT} == done.accounts
    assert (ROOT, outer, inner, ACCOUNT) == Survey(organization).path(ACCOUNT)


def test_units_in_a_circle_lead_nowhere() -> None:
    """Events that contradict each other do not hang the service."""
    organization = small(change(2, OuRenamed(OU, "a", OTHER_OU)), change(3, OuRenamed(OTHER_OU, "b", OU)))
    assert None is Survey(organization).placement(ACCOUNT)
    assert {ACCOUNT} == organization.accounts_under(OTHER_OU)


def test_accounts_of_one_parent_share_a_chain() -> None:
    """What hangs on the accounts themselves is the same, so the chain is, with its id."""
    organization = small(change(2, AccountCreated("444444444444", parent_id=OU)))
    survey = Survey(organization)
    one, other = survey.placement(ACCOUNT), survey.placement("444444444444")
    assert one is not None
    assert other is not None
    assert one.chain is other.chain


def test_the_management_account_is_not_limited() -> None:
    """No service control policy binds it, wherever it hangs."""
    placement = Survey(small(change(2, PolicyAttached(POLICY, MANAGEMENT)))).placement(MANAGEMENT)
    assert placement is not None
    assert None is placement.chain.levels


def test_an_organization_is_what_its_facts_are() -> None:
    """Loaded from its facts it gives the same answers, with equal versions held once."""
    organization = small(change(2, PolicyAttached(POLICY, OU)), change(3, AccountMoved(ACCOUNT, parent_id=OTHER_OU)))
    loaded = Organization(ORGANIZATION, list(organization.registers))
    for account_id in organization.accounts():
        assert Survey(organization).placement(account_id) == Survey(loaded).placement(account_id)
    assert 2 == len({id(fact.version) for fact in loaded.registers if fact.kind != FactKind.ATTACHMENT})
    assert organization.registers.value(FactKind.ACCOUNT, ACCOUNT, Attribute.PARENT) == OTHER_OU


def test_a_copy_goes_its_own_way() -> None:
    """What is merged into one is as unknown to the other as if both had been loaded from their facts."""
    organization = small(change(2, PolicyAttached(POLICY, OU)))
    before, twin = list(organization.registers), organization.copy()
    merge(twin, AccountMoved(ACCOUNT, parent_id=OTHER_OU))
    merge(twin, PolicyAttached(POLICY, OTHER_ACCOUNT))

    assert before == list(organization.registers)
    assert {ACCOUNT} == organization.accounts_under(OU)
    assert [] == sorted(twin.accounts_under(OU))
    assert POLICY not in organization.attached_ids(OTHER_ACCOUNT)
    assert POLICY in twin.attached_ids(OTHER_ACCOUNT)
    loaded = Organization(ORGANIZATION, list(twin.registers))
    for account_id in twin.accounts():
        assert Survey(twin).placement(account_id) == Survey(loaded).placement(account_id)


def test_nodes_that_are_there_are_known_by_their_ids() -> None:
    """The root, units and accounts that exist; neither policies nor what nobody has told of."""
    organization = small()

    assert [ROOT, OU, ACCOUNT] == [
        one for one in (ROOT, OU, ACCOUNT, POLICY, "r-zzzz", "444444444444") if organization.has_node(one)
    ]


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        (ROOT, "the root"),
        (OU, "Workloads"),
        (ACCOUNT, "shop-prod"),
        (POLICY, "DenyLeaving"),
        (FULL_ACCESS_ID, "FullAWSAccess"),
        ("444444444444", "444444444444"),
        ("p-unknown000", "p-unknown000"),
    ],
)
def test_things_are_called_by_their_names(subject: str, expected: str) -> None:
    """What has no known name is called by its id."""
    assert expected == small().name_of(subject)


def test_nodes_go_by_the_names_that_they_have_now() -> None:
    """
    Two may share one, and what is gone goes by none.
    """
    organization = small()
    account, unit = organization.name_of(ACCOUNT), organization.name_of(OU)
    assert [ACCOUNT] == organization.nodes_named(account)

    merge(organization, AccountUpdated(ACCOUNT, name=unit), 11)
    assert ([], {ACCOUNT, OU}) == (organization.nodes_named(account), set(organization.nodes_named(unit)))

    merge(organization, AccountRemoved(ACCOUNT), 12)
    assert [OU] == organization.nodes_named(unit)
