from __future__ import annotations

import re

import pytest
from botocore.loaders import Loader

from rooftree.policy.partitions import DEFAULT_PARTITION, PARTITIONS, partition_in

KNOWN = {each["id"]: each for each in Loader().load_data("partitions")["partitions"]}


def test_the_partitions_are_those_of_aws() -> None:
    """Whoever is in one can import an organization; what AWS's own library does not know is no partition."""
    assert KNOWN.keys() == PARTITIONS.keys()


@pytest.mark.parametrize("partition", PARTITIONS)
def test_regions_are_those_of_their_partition(partition: str) -> None:
    """An example or an assumption names a region that the account can call."""
    pattern = re.compile(KNOWN[partition]["regionRegex"])
    assert all(pattern.fullmatch(region) for region in PARTITIONS[partition])
    assert {*PARTITIONS[partition]} <= KNOWN[partition]["regions"].keys()


def test_an_arn_tells_its_partition() -> None:
    """It stands behind the first colon, whatever follows."""
    assert "aws-us-gov" == partition_in("arn:aws-us-gov:iam::222222222222:role/a:b")
    assert DEFAULT_PARTITION == partition_in("arn:aws:iam::222222222222:root")
