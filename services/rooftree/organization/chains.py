"""
Chains by reference: what hangs where between the root and an account, with policies named by their digest.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

__all__ = ["OWN_LEVEL", "UNLIMITED_CHAIN", "ChainRecord", "LevelRecord", "PolicyRecord", "identify_chain"]

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


@dataclass(frozen=True, slots=True)
class ChainRecord:
    """
    A chain with its id.

    Attributes:
        chain_id: Derived from the levels; names of policies do not enter it, since they decide nothing.
        levels: From the root to the account; None where nothing limits the account.
    """

    chain_id: str
    levels: tuple[LevelRecord, ...] | None


def identify_chain(levels: tuple[LevelRecord, ...] | None) -> ChainRecord:
    """
    Return *levels* with the id that follows from them.
    """
    shape = (
        None
        if levels is None
        else [[level.target_id, [[policy.policy_id, policy.digest] for policy in level.policies]] for level in levels]
    )
    text = json.dumps(shape, separators=(",", ":"))
    return ChainRecord(hashlib.sha256(text.encode()).hexdigest(), levels)


UNLIMITED_CHAIN = identify_chain(None)
