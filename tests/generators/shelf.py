"""
A store in memory: what patches say is to be written, and views loaded from that.
"""

from __future__ import annotations

from rooftree.organization.chains import ChainRecord
from rooftree.organization.facts import Fact, FactKey
from rooftree.organization.principal_facts import PrincipalFact, PrincipalFactKey
from rooftree.view.algebra import Algebra
from rooftree.view.patch import (
    AccountState,
    AuditEvent,
    DocumentRecord,
    Patch,
    PermissionState,
    Position,
    PrincipalPatch,
    PrincipalState,
    ProbeState,
)
from rooftree.view.projection import OrganizationView

__all__ = ["Shelf"]


class Shelf:
    """
    Holds one organization as the tables do.
    """

    def __init__(self, organization_id: str) -> None:
        self.organization_id = organization_id
        self.facts: dict[FactKey, Fact] = {}
        self.accounts: dict[str, AccountState] = {}
        self.history: list[AccountState] = []
        self.chains: dict[str, ChainRecord] = {}
        self.documents: dict[str, DocumentRecord] = {}
        self.permission_sets: dict[str, PermissionState] = {}
        self.audit: list[AuditEvent] = []
        self.principal_facts: dict[PrincipalFactKey, PrincipalFact] = {}
        self.principals: dict[tuple[str, str, str], PrincipalState] = {}
        self.principal_documents: dict[str, DocumentRecord] = {}
        self.probes: dict[str, ProbeState] = {}
        self.position = Position()

    def write(self, patch: Patch) -> None:
        """
        Write everything that a patch holds.
        """
        self.facts.update((fact.key, fact) for fact in patch.facts)
        self.accounts.update((account.account_id, account) for account in patch.accounts)
        self.history.extend(patch.accounts)
        for departure in patch.departed:
            del self.accounts[departure.account_id]
        self.chains.update((chain.chain_id, chain) for chain in patch.chains)
        for document in patch.documents:
            self.documents.setdefault(document.digest, document)
        for state in patch.permission_sets:
            if state.verdicts is not None:
                self.permission_sets.setdefault(state.permissions_id, state)
        self.audit.extend(patch.audit)
        self._write_principals(patch.principals)
        for name in patch.probes.gone:
            del self.probes[name]
        self.probes.update((state.probe.name, state) for state in patch.probes.states)
        self.position = patch.position

    def _write_principals(self, patch: PrincipalPatch) -> None:
        self.principal_facts.update((fact.key, fact) for fact in patch.facts)
        for key in patch.forgotten:
            self.principal_facts.pop(key, None)
        for gone in patch.gone:
            del self.principals[gone]
        self.principals.update((state.key, state) for state in patch.states)
        self.principal_documents.update((document.digest, document) for document in patch.documents)

    def load(self, algebra: Algebra) -> OrganizationView:
        """
        Return the view as it was written.
        """
        in_use = {account.reported_chain_id for account in self.accounts.values()}
        chains = [chain for chain_id, chain in self.chains.items() if chain_id in in_use]
        digests = {policy.digest for chain in chains for level in chain.levels or () for policy in level.policies}
        return OrganizationView.load(
            self.organization_id,
            self.facts.values(),
            self.accounts.values(),
            self.position,
            chains=chains,
            documents=[self.documents[digest] for digest in digests],
            principals=self.principal_facts.values(),
            principal_documents=self.principal_documents.values(),
            reported=[
                (state.account_id, f"{state.grants.principal.kind}/{state.grants.principal.name}", state.reported)
                for state in self.principals.values()
                if state.reported is not None
            ],
            probes=self.probes.values(),
            algebra=algebra,
        )
