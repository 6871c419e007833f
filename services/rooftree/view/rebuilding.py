"""
The view of one organization, computed anew from its facts.

What has happened stays written: the history and the audit events go on, and where the rows that they end with are not
what the facts say, the difference is told as found now.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rooftree import permissions as default_algebra
from rooftree.organization.chains import ChainRecord
from rooftree.view.algebra import Algebra
from rooftree.view.audit import Cause
from rooftree.view.patch import AccountState, DocumentRecord, Patch, PermissionState, Position
from rooftree.view.projection import OrganizationView
from rooftree.view.verification import StoredView, derived_id, digest_of

__all__ = ["REBUILD_SOURCE", "Rebuilt", "rebuild_view"]

REBUILD_SOURCE = "rooftree.rebuild"
"""The source of what a rebuild finds, as that of a change is who told it."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """
    A view computed anew.

    Attributes:
        patch: What differs from what the history ends with.
        accounts: Every row, whether it differs or not.
        permission_sets: Those of all rows, with verdicts.
        mended: The accounts whose stored row was another one, or was not there.
    """

    patch: Patch
    accounts: tuple[AccountState, ...]
    permission_sets: tuple[PermissionState, ...]
    mended: tuple[str, ...]


def rebuild_view(
    stored: StoredView, position: Position, cause: Cause, *, algebra: Algebra = default_algebra
) -> Rebuilt:
    """
    Return the view that follows from the facts in *stored*.

    When a row came to be, and why, is taken from the history, which only ever grows.

    Args:
        stored: What is stored; of its rows, chains and documents only those are believed that prove themselves.
        position: Where the view stands.
        cause: What an account that deviates is told with.
        algebra: What works out and compares permissions.
    """
    chains = [chain for chain_id, chain in stored.chains.items() if derived_id(chain) == chain_id]
    documents = {digest: text for digest, text in stored.documents.items() if digest_of(text) == digest}
    whole = [chain for chain in chains if _digests(chain) <= documents.keys()]
    view = OrganizationView.load(
        stored.organization_id,
        stored.facts,
        _rows(stored, {chain.chain_id for chain in whole}),
        position,
        chains=whole,
        documents=[DocumentRecord(digest, text) for digest, text in documents.items()],
        algebra=algebra,
    )
    patch = view.refresh(cause)
    rows = tuple(row for _, row in sorted(view.accounts.items()))
    mended = tuple(row.account_id for row in rows if row != stored.accounts.get(row.account_id))
    return Rebuilt(patch, rows, patch.permission_sets, mended)


def _rows(stored: StoredView, known: set[str]) -> Iterable[AccountState]:
    for account_id, spans in stored.history.items():
        if not spans or spans[-1].valid_to is not None:
            continue
        row = spans[-1].state
        told = [stored.accounts[account_id].reported_chain_id] if account_id in stored.accounts else []
        told += [span.state.chain_id for span in reversed(spans)]
        yield row._replace(reported_chain_id=next((each for each in told if each in known), row.chain_id))


def _digests(chain: ChainRecord) -> set[str]:
    return {policy.digest for policy in chain.policies}
