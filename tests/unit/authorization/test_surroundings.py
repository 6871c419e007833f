from __future__ import annotations

from tests.unit.cli.snapshots import FULL, LAB, MANAGEMENT, ROOT, SHOP, WORKLOADS, snapshot

from rooftree.authorization import Membership
from rooftree.authorization.surroundings import Surroundings
from rooftree.inquiry.sources import load_organization
from rooftree.organization.snapshot_reader import parse_snapshot
from rooftree.policy.chain import Level


def surroundings(**changed: object) -> Surroundings:
    """
    Return those of the small organization.
    """
    content = snapshot()
    content["organization"].update(changed)
    return Surroundings(load_organization(parse_snapshot(content)))


def shape(levels: tuple[Level, ...]) -> list[tuple[str, list[str]]]:
    """
    Return levels in short.
    """
    return [(level.target_id, [policy.policy_id for policy in level.policies]) for level in levels]


def test_accounts_have_their_place() -> None:
    """
    With the path that condition keys hold; an account of another organization has none.
    """
    found = surroundings()

    assert Membership("o-exampleorg", f"o-exampleorg/{ROOT}/{WORKLOADS}/") == found.membership(SHOP)
    assert Membership("o-exampleorg", f"o-exampleorg/{ROOT}/", is_management=True) == found.membership(MANAGEMENT)
    assert found.membership("999999999999") is None
    assert found.membership(None) is None


def test_levels_run_from_the_root_to_the_account() -> None:
    """
    Each with what is attached there.
    """
    expected = [(ROOT, [FULL]), (WORKLOADS, [FULL, "p-regions001"]), (SHOP, [FULL])]

    assert expected == shape(surroundings().service_control(SHOP))
    assert [(ROOT, [FULL]), (LAB, [FULL])] == shape(surroundings().service_control(LAB))


def test_nothing_limits_what_control_policies_do_not_bind() -> None:
    """
    The management account, outsiders, policy types that are off, organizations without all features.
    """
    assert () == surroundings().service_control(MANAGEMENT)
    assert () == surroundings().service_control("999999999999")
    assert () == surroundings().resource_control(SHOP)
    assert () == surroundings(feature_set="CONSOLIDATED_BILLING").service_control(SHOP)


def test_resource_control_policies_hang_on_every_level_while_enabled() -> None:
    """
    RCPFullAWSAccess without being listed.
    """
    content = snapshot()
    content["root"]["policy_types"].append("RESOURCE_CONTROL_POLICY")
    found = Surroundings(load_organization(parse_snapshot(content)))

    assert [(node, ["p-RCPFullAWSAccess"]) for node in (ROOT, WORKLOADS, SHOP)] == shape(found.resource_control(SHOP))
