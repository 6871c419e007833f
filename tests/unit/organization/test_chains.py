from __future__ import annotations

from rooftree.organization.chains import (
    OWN_LEVEL,
    UNLIMITED_CHAIN,
    LevelRecord,
    PolicyRecord,
    identify_chain,
)

ROOT_LEVEL = LevelRecord("r-ab12", (PolicyRecord("p-examplepol", "DenyLeaving", "digest"),))
OWN = LevelRecord(OWN_LEVEL, ())


def test_names_of_policies_do_not_enter_the_id_of_a_chain() -> None:
    """A policy with another name decides the same."""
    renamed = LevelRecord("r-ab12", (PolicyRecord("p-examplepol", "Stay", "digest"),))
    assert identify_chain((ROOT_LEVEL, OWN)).chain_id == identify_chain((renamed, OWN)).chain_id


def test_whatever_can_decide_enters_the_id_of_a_chain() -> None:
    """Nodes, policies, documents and the number of levels make different chains."""
    chains = [
        (ROOT_LEVEL, OWN),
        (LevelRecord("r-cd34", ROOT_LEVEL.policies), OWN),
        (LevelRecord("r-ab12", (PolicyRecord("p-examplepol", "DenyLeaving", "other"),)), OWN),
        (LevelRecord("r-ab12", (PolicyRecord("p-otherpol0", "DenyLeaving", "digest"),)), OWN),
        (LevelRecord("r-ab12", ()), OWN),
        (ROOT_LEVEL, LevelRecord("ou-ab12-aaaaaaaa", ()), OWN),
        None,
    ]
    assert len(chains) == len({identify_chain(levels).chain_id for levels in chains})


def test_no_limit_is_a_chain_of_its_own() -> None:
    """It has no levels, which is not the same as levels without policies."""
    assert (None, UNLIMITED_CHAIN) == (UNLIMITED_CHAIN.levels, identify_chain(None))
