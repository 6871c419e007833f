from __future__ import annotations

import pytest

from rooftree.organization.chains import (
    OWN_LEVEL,
    UNLIMITED_CHAIN,
    LevelRecord,
    Levels,
    PolicyRecord,
    identify_chain,
)
from rooftree.policy.partitions import PARTITIONS

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


def test_the_same_levels_in_another_partition_are_another_chain() -> None:
    """A pattern for principals says another thing there, and a chain tells in which one it was made."""
    for levels in ((ROOT_LEVEL, OWN), None):
        chains = [
            identify_chain(levels, resources, partition=name) for resources in (None, (OWN,)) for name in PARTITIONS
        ]
        assert len(chains) == len({chain.chain_id for chain in chains})
        assert [*PARTITIONS, *PARTITIONS] == [chain.partition for chain in chains]


@pytest.mark.parametrize(
    ("levels", "resource_levels", "expected"),
    [
        (None, None, "74234e98afe7498fb5daf1f36ac2d78acc339464f950703b8c019892f982b90b"),
        ((ROOT_LEVEL, OWN), None, "c132f6cd61fee556c41d9242631d7411ff12c5f9bdec7b5d2f74de9c54d093ba"),
        ((ROOT_LEVEL, OWN), (ROOT_LEVEL, OWN), "112f081bbe1e9ac8c7b9dd9efcd7b57b98b5ed31b0da876bc584e11d140394d4"),
    ],
)
def test_chains_keep_the_ids_by_which_they_are_stored(
    levels: Levels | None, resource_levels: Levels | None, expected: str
) -> None:
    """Rows of earlier versions name them."""
    assert expected == identify_chain(levels, resource_levels).chain_id


def test_no_limit_is_a_chain_of_its_own() -> None:
    """It has no levels, which is not the same as levels without policies."""
    assert (None, UNLIMITED_CHAIN) == (UNLIMITED_CHAIN.levels, identify_chain(None))
