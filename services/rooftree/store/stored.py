"""
Rows of the store as values.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rooftree.organization.chains import ChainRecord, LevelRecord, PolicyRecord
from rooftree.organization.facts import Fact, Version
from rooftree.store.database import Row
from rooftree.view.patch import AccountState

__all__ = ["account_of", "chain_of", "fact_of"]


def fact_of(row: Row) -> Fact:
    """
    Return the register that a row holds.
    """
    version = Version(row["time"], row["sequence"], row["rank"], row["event_id"])
    return Fact(row["kind"], row["subject"], row["attribute"], row["value"], version)


def account_of(row: Row) -> AccountState:
    """
    Return the state of an account.
    """
    return AccountState(**{**dict(row), "path": tuple(row["path"])})


def chain_of(row: Row) -> ChainRecord:
    """
    Return the chain that a row holds.
    """
    levels = row["levels"]
    return ChainRecord(row["chain_id"], None if levels is None else tuple(_level(level) for level in levels))


def _level(level: Mapping[str, Any]) -> LevelRecord:
    return LevelRecord(level["target_id"], tuple(PolicyRecord(**policy) for policy in level["policies"]))
