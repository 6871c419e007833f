"""
Chains by reference: what hangs where between the root and an account, with policies named by their digest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

from rooftree.policy.partitions import DEFAULT_PARTITION

__all__ = ["OWN_LEVEL", "UNLIMITED_CHAIN", "ChainRecord", "LevelRecord", "Levels", "PolicyRecord", "identify_chain"]

# The account's own level is written without its id, so that siblings share one chain.
OWN_LEVEL = "account"


@dataclass(frozen=True, slots=True)
class PolicyRecord:
    """
    A policy as it hangs on a node, with its document by digest.
    """

    policy_id: str
    name: str
    digest: str


@dataclass(frozen=True, slots=True)
class LevelRecord:
    """
    One level of a chain.

    Attributes:
        target_id: The node, or `OWN_LEVEL` for the account itself.
        policies: What is attached there, ordered by policy id.
    """

    target_id: str
    policies: tuple[PolicyRecord, ...]


Levels = tuple[LevelRecord, ...]


@dataclass(frozen=True, slots=True)
class ChainRecord:
    """
    A chain with its id.

    Attributes:
        chain_id: Derived from all else but the names of policies, since these decide nothing.
        levels: From the root to the account, with service control policies; None where these limit nothing.
        resource_levels: The same with resource control policies.
        partition: The AWS partition of the accounts: a pattern for principals means another thing in another one.
    """

    chain_id: str
    levels: Levels | None
    resource_levels: Levels | None = None
    partition: str = DEFAULT_PARTITION

    @property
    def policies(self) -> Iterator[PolicyRecord]:
        """
        All policies, level by level.
        """
        for level in (*(self.levels or ()), *(self.resource_levels or ())):
            yield from level.policies

    @property
    def ancestors(self) -> list[str] | None:
        """
        The nodes above the account; None where the chain, which limits nothing, does not tell.
        """
        levels = self.levels or self.resource_levels
        return None if levels is None else [level.target_id for level in levels[:-1]]


def identify_chain(
    levels: Levels | None, resource_levels: Levels | None = None, *, partition: str = DEFAULT_PARTITION
) -> ChainRecord:
    """
    Return levels with the id that follows from them and from the partition.
    """
    # chains without resource control policies, and those of most accounts, keep the ids that they had before there
    # were any, and before partitions were known
    whole = shape = _shape(levels)
    if resource_levels is not None:
        whole = {"principals": shape, "resources": _shape(resource_levels)}
    if partition != DEFAULT_PARTITION:
        whole = {"partition": partition, "levels": whole}
    text = json.dumps(whole, separators=(",", ":"))
    return ChainRecord(hashlib.sha256(text.encode()).hexdigest(), levels, resource_levels, partition)


def _shape(levels: Levels | None) -> object:
    if levels is None:
        return None
    return [[level.target_id, [[policy.policy_id, policy.digest] for policy in level.policies]] for level in levels]


UNLIMITED_CHAIN = identify_chain(None)
