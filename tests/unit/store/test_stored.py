"""
Rows read as the values that they were written from.
"""

from __future__ import annotations

import json

import pytest

from rooftree.organization.chains import OWN_LEVEL, LevelRecord, PolicyRecord, identify_chain
from rooftree.store.database import as_json
from rooftree.store.stored import chain_of, levels_of

LEVELS = (LevelRecord("r-ab12", (PolicyRecord("p-examplepol", "DenyLeaving", "digest"),)), LevelRecord(OWN_LEVEL, ()))


@pytest.mark.parametrize("partition", ["aws", "aws-us-gov"])
@pytest.mark.parametrize("resource_levels", [None, LEVELS])
@pytest.mark.parametrize("levels", [None, LEVELS])
def test_a_chain_is_read_as_it_was_written(
    levels: tuple[LevelRecord, ...] | None, resource_levels: tuple[LevelRecord, ...] | None, partition: str
) -> None:
    """
    With the partition, whichever levels it has.
    """
    chain = identify_chain(levels, resource_levels, partition=partition)

    assert chain == chain_of({"chain_id": chain.chain_id, "levels": json.loads(as_json(levels_of(chain)))})


def test_chains_of_most_accounts_are_stored_as_they_were() -> None:
    """
    Rows of earlier versions stay as they are.
    """
    assert LEVELS == levels_of(identify_chain(LEVELS))
    assert {"service_control": LEVELS, "resource_control": LEVELS} == levels_of(identify_chain(LEVELS, LEVELS))
