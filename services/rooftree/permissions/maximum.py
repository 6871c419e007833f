"""
The maximum permissions of an account: every request that the policies on its chain let through.

Results are shared: accounts whose chains mean the same for them get one object, and a pair is compared once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from rooftree.permissions.account import ACCOUNT_PLACEHOLDER, AccountBinding
from rooftree.permissions.chain import BoundChain, CompiledChain, bind_chain, compile_chain
from rooftree.permissions.comparison import EQUIVALENT, Comparison, compare_chains
from rooftree.permissions.document import BoundDocument, bind_document, forget_documents
from rooftree.permissions.fallback import compare_roughly
from rooftree.permissions.language import TooComplexError, partition
from rooftree.permissions.space import Space
from rooftree.permissions.summary import summarize, verdicts_of
from rooftree.policy.chain import Chain

__all__ = ["Permissions", "compare", "forget_results", "maximum_permissions"]

SHARED_RESULTS: Final = 4096
"""Distinct chains and pairs of chains kept: more than an organization has nodes with policies of their own."""


@dataclass(frozen=True, eq=False, slots=True)
class Permissions:
    """
    What an account may do at most, shared by all accounts for which the chain means the same.

    Attributes:
        chain: The chain of the account that asked first.
        account: That account.
        permissions_id: Equal for chains that hold the same allowing levels and the same denials, however named.
    """

    chain: Chain
    account: AccountBinding
    bound: BoundChain
    permissions_id: str

    def summary(self, account: AccountBinding) -> dict[str, object]:
        """
        Return, as JSON, what is allowed everywhere, denied everywhere, and allowed under conditions.
        """
        return summarize(_compiled(self), self.bound, account)

    def verdicts(self) -> dict[tuple[str, str], str]:
        """
        Return for each known action, as service and name, ``allowed``, ``conditional`` or ``denied``.
        """
        return verdicts_of(_compiled(self))


def maximum_permissions(chain: Chain, account: AccountBinding) -> Permissions:
    """
    Return what *chain* lets the principals of *account* do at most.
    """
    key = None if chain.levels is None else tuple(_level_keys(chain, account))
    found = _shared.get(key)
    if found is None:
        bound = bind_chain(chain, account)
        if len(_shared) >= SHARED_RESULTS:
            _shared.clear()
        found = _shared[key] = Permissions(chain, account, bound, bound.identity)
    return found


LevelKey = tuple[str, tuple[tuple[str, BoundDocument], ...]]

_shared: Final[dict[tuple[LevelKey, ...] | None, Permissions]] = {}


def _level_keys(chain: Chain, account: AccountBinding) -> list[LevelKey]:
    """
    Return what accounts must have in common to share a result: nodes, policies, and what these mean for them.
    """
    keys = []
    last = len(chain.levels or ()) - 1
    for depth, level in enumerate(chain.levels or ()):
        own = depth == last and level.target_id == account.account_id
        policies = tuple((policy.policy_id, bind_document(policy.document, account)) for policy in level.policies)
        keys.append((ACCOUNT_PLACEHOLDER if own else level.target_id, policies))
    return keys


@lru_cache(maxsize=SHARED_RESULTS)
def compare(before: Permissions, after: Permissions) -> Comparison:
    """
    Return the decision changes from *before* to *after*, which belong to one account.

    Where the patterns are too tangled to be told apart, the changes hold every request that may differ, and say so.
    """
    if before.permissions_id == after.permissions_id:
        return EQUIVALENT
    try:
        return compare_chains((before.chain, before.bound), (after.chain, after.bound), after.account)
    except TooComplexError:
        return compare_roughly(before.bound, after.bound)


def forget_results() -> None:
    """
    Drop all shared results, as if the process had just started.
    """
    _shared.clear()
    for remembered in (compare, _compiled, partition):
        remembered.cache_clear()
    forget_documents()


@lru_cache(maxsize=16)
def _compiled(permissions: Permissions) -> tuple[Space, CompiledChain] | None:
    """
    Return the diagrams; ``None`` where the patterns are too many to tell apart.
    """
    try:
        space = Space(permissions.bound.statements)
        return space, compile_chain(permissions.bound, space)
    except TooComplexError:
        return None
