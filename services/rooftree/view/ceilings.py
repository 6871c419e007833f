"""
The chains of an organization's accounts and the maximum permissions under each.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import replace

from rooftree.organization.chains import OWN_LEVEL, ChainRecord, LevelRecord, Levels
from rooftree.organization.documents import Document
from rooftree.permissions import AccountBinding, Comparison, Permissions, Question
from rooftree.permissions.keys import principal_side
from rooftree.policy.chain import AttachedPolicy, Chain, Level
from rooftree.view.algebra import Algebra
from rooftree.view.patch import DocumentRecord
from rooftree.view.standing import Place

__all__ = ["Ceilings"]

_Shared = tuple[tuple[Level, ...], tuple[AttachedPolicy, ...]]
"""The levels above an account, and what hangs on the account itself."""

# Chains that no account has any more are dropped once there are this many beyond those in use.
SPARE_CHAINS = 256

# As many as the algebra keeps.
KEPT_PERMISSIONS = 4096


class Ceilings:
    """
    Chains by id, with their documents, as permissions are worked out from them.

    INVARIANT: holds the chain that each account was last reported with.

    Attributes:
        algebra: What works out and compares permissions.
    """

    def __init__(
        self,
        organization_id: str,
        chains: Iterable[ChainRecord],
        documents: Mapping[str, Document],
        algebra: Algebra,
    ) -> None:
        self._organization_id = organization_id
        self.algebra = algebra
        self._chains = {chain.chain_id: chain for chain in chains}
        self._documents = dict(documents)
        self._shared: dict[str, tuple[_Shared | None, _Shared | None]] = {}
        self._questions: dict[str, tuple[Question, ...]] = {}
        self._permissions: dict[tuple[str, tuple[Hashable, ...]], Permissions] = {}
        self._sweep_at = 2 * len(self._chains) + SPARE_CHAINS

    def knows(self, chain_id: str | None) -> bool:
        """
        Tell whether a chain is at hand.
        """
        return chain_id in self._chains

    def record(self, chain_id: str) -> ChainRecord:
        """
        Return a chain by reference.
        """
        return self._chains[chain_id]

    def text(self, digest: str) -> str:
        """
        Return the canonical text of a policy of some chain.
        """
        return self._documents[digest].text

    def learn(
        self, chain: ChainRecord, documents: Mapping[str, Document]
    ) -> tuple[list[ChainRecord], list[DocumentRecord]]:
        """
        Take in a chain; return it and those of its documents that were not known.
        """
        if chain.chain_id in self._chains:
            return [], []
        self._chains[chain.chain_id] = chain
        fresh = []
        for policy in chain.policies:
            if policy.digest not in self._documents:
                document = self._documents[policy.digest] = documents[policy.digest]
                fresh.append(DocumentRecord(policy.digest, document.text))
        return [chain], fresh

    def rename(self, names: Mapping[str, str]) -> list[ChainRecord]:
        """
        Give policies new names; return the chains in which one has changed.
        """
        changed = []
        for chain in self._chains.values() if names else ():
            renamed = _renamed(chain, names)
            if renamed != chain:
                changed.append(renamed)
        self._chains.update((chain.chain_id, chain) for chain in changed)
        return changed

    def sweep(self, in_use: Iterable[str | None]) -> None:
        """
        Forget chains that are not among those *in_use*, when many have gathered.
        """
        if len(self._chains) <= self._sweep_at:
            return
        kept = {chain_id: self._chains[chain_id] for chain_id in set(in_use) if chain_id is not None}
        digests = {policy.digest for chain in kept.values() for policy in chain.policies}
        self._chains = kept
        self._documents = {digest: self._documents[digest] for digest in digests}
        self._shared = {chain_id: levels for chain_id, levels in self._shared.items() if chain_id in kept}
        self._questions.clear()
        self._permissions.clear()
        self._sweep_at = 2 * len(kept) + SPARE_CHAINS

    def binding(self, chain_id: str, account_id: str, ancestors: Sequence[str]) -> AccountBinding:
        """
        Return what an account with a chain, under *ancestors*, determines of its requests.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
        """
        path = "/".join((self._organization_id, *ancestors, ""))
        side = principal_side(self._chains[chain_id].partition)
        return AccountBinding(account_id, self._organization_id, path, side)

    def chain(self, chain_id: str, account_id: str) -> Chain:
        """
        Return a chain as that of one account.
        """
        shared = self._shared.get(chain_id)
        if shared is None:
            record = self._chains[chain_id]
            shared = self._shared[chain_id] = (self._share(record.levels), self._share(record.resource_levels))
        return Chain(*(None if part is None else (*part[0], Level(account_id, part[1])) for part in shared))

    def permissions(self, chain_id: str, account: AccountBinding) -> Permissions:
        """
        Return the maximum permissions of *account* under a chain.
        """
        asked = self._asked_by(chain_id)
        key = (chain_id, tuple([question(account) for question in asked]))
        found = self._permissions.get(key)
        if found is None:
            if len(self._permissions) >= KEPT_PERMISSIONS:
                self._permissions.clear()
            chain = self.chain(chain_id, account.account_id)
            found = self._permissions[key] = self.algebra.maximum_permissions(chain, account)
        return found

    def tells_accounts_apart(self, chain_id: str) -> bool:
        """
        Tell whether a chain may mean something else for one account than for another; most mean the same for all.
        """
        return bool(self._asked_by(chain_id))

    def reported_permissions(self, chain_id: str, account: AccountBinding) -> Permissions:
        """
        Return the maximum permissions of *account* under a chain that it had, where it was then.
        """
        return self.permissions(chain_id, self.reported_binding(chain_id, account))

    def reported_binding(self, chain_id: str, account: AccountBinding) -> AccountBinding:
        """
        Return what an account determined of its requests under a chain that it had.
        """
        # A chain that limits names its nodes, so it tells where the account was.
        chain = self._chains[chain_id]
        if chain.ancestors is None:
            return replace(account, side=principal_side(chain.partition))
        return self.binding(chain_id, account.account_id, chain.ancestors)

    def place(self, chain_id: str, account: AccountBinding) -> Place:
        """
        Return an account under a chain as what its principals may do depends on it.
        """
        return Place(account, self.chain(chain_id, account.account_id), chain_id)

    def compare(self, before: Permissions, after: Permissions) -> Comparison:
        """
        Return which decisions differ.
        """
        return self.algebra.compare(before, after)

    def _asked_by(self, chain_id: str) -> tuple[Question, ...]:
        asked = self._questions.get(chain_id)
        if asked is None:
            # Whose chain it is does not matter: only policies ask, and on its own level an account has them by its chain.
            chain = self.chain(chain_id, OWN_LEVEL)
            asked = self._questions[chain_id] = self.algebra.telling_apart(chain, self._chains[chain_id].partition)
        return asked

    def _share(self, levels: Levels | None) -> _Shared | None:
        if levels is None:
            return None
        return tuple(Level(level.target_id, self._attached(level)) for level in levels[:-1]), self._attached(levels[-1])

    def _attached(self, level: LevelRecord) -> tuple[AttachedPolicy, ...]:
        return tuple(
            AttachedPolicy(policy.policy_id, policy.name, self._documents[policy.digest].policy)
            for policy in level.policies
        )


def _renamed(chain: ChainRecord, names: Mapping[str, str]) -> ChainRecord:
    if not any(policy.policy_id in names for policy in chain.policies):
        return chain
    levels, resource_levels = (_renamed_levels(some, names) for some in (chain.levels, chain.resource_levels))
    return replace(chain, levels=levels, resource_levels=resource_levels)


def _renamed_levels(levels: Levels | None, names: Mapping[str, str]) -> Levels | None:
    if levels is None:
        return None
    return tuple(
        LevelRecord(
            level.target_id,
            tuple(replace(policy, name=names.get(policy.policy_id, policy.name)) for policy in level.policies),
        )
        for level in levels
    )
