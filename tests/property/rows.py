"""
What rows of accounts say, and what they ought to say by a plain program that saw everything in order.
"""

from __future__ import annotations

from tests.generators.model import Model

from rooftree.organization.chains import OWN_LEVEL, ChainRecord
from rooftree.policy.document import parse_policy
from rooftree.view.patch import AccountState

__all__ = ["columns", "expected_levels", "stored_levels"]

Levels = list[tuple[str, list[tuple[str, str]]]] | None
"""The nodes from the root down, each with the ids and the digests of its policies; None where no policy binds."""


def columns(row: AccountState) -> tuple[object, ...]:
    """
    Return what a row says of its account; when it came to say so depends on the order of delivery.
    """
    return (row.name, row.email, row.status, row.parent_id, row.path, row.placed, row.chain_id, row.permissions_id)


def expected_levels(model: Model, account_id: str) -> Levels:
    """
    Return the levels above an account by the plain program.
    """
    levels = model.levels(account_id)
    return levels and [
        (
            OWN_LEVEL if target == account_id else target,
            [(policy_id, parse_policy(content).digest) for policy_id, content in policies],
        )
        for target, policies in levels
    ]


def stored_levels(chain: ChainRecord) -> Levels:
    """
    Return the levels of a chain that is stored.
    """
    return chain.levels and [
        (level.target_id, [(policy.policy_id, policy.digest) for policy in level.policies]) for level in chain.levels
    ]
