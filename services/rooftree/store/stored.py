"""
Rows of the store as values.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson

from rooftree.organization.chains import ChainRecord, LevelRecord, Levels, PolicyRecord
from rooftree.organization.facts import Fact, Version
from rooftree.policy.partitions import DEFAULT_PARTITION
from rooftree.store.database import Row
from rooftree.view.patch import AccountState

__all__ = ["account_of", "chain_of", "facts_of", "levels_of"]


def facts_of(rows: Iterable[Row]) -> Iterator[Fact]:
    """
    Yield the facts in rows that have one version each; what many facts have in common is one object for all of them.
    """
    intern = sys.intern
    for told, *columns in rows:
        version = Version(*columns)
        for kind, subject, attribute, value in orjson.loads(told):
            yield Fact(intern(kind), subject, intern(attribute), value, version)


def account_of(row: Iterable[Any]) -> AccountState:
    """
    Return the state of an account, whose columns are in the order of its attributes.
    """
    account_id, name, email, status, parent_id, path, *others = row
    return AccountState(account_id, name, email, status, parent_id, tuple(path), *others)


def chain_of(row: Row) -> ChainRecord:
    """
    Return the chain that a row holds.
    """
    stored = row["levels"]
    if isinstance(stored, Mapping):
        return ChainRecord(
            row["chain_id"],
            _levels(stored["service_control"]),
            _levels(stored["resource_control"]),
            stored.get("partition", DEFAULT_PARTITION),
        )
    return ChainRecord(row["chain_id"], _levels(stored))


def levels_of(chain: ChainRecord) -> object:
    """
    Return what is stored of the levels of a chain as JSON, for `chain_of`: of one type a list, of both an object, in
    which stands the partition, too, unless it is the one that is taken for granted.
    """
    both = {"service_control": chain.levels, "resource_control": chain.resource_levels}
    if chain.partition != DEFAULT_PARTITION:
        return {**both, "partition": chain.partition}
    return chain.levels if chain.resource_levels is None else both


def _levels(levels: Sequence[Mapping[str, Any]] | None) -> Levels | None:
    return None if levels is None else tuple(_level(level) for level in levels)


def _level(level: Mapping[str, Any]) -> LevelRecord:
    return LevelRecord(level["target_id"], tuple(PolicyRecord(**policy) for policy in level["policies"]))
