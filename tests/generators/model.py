"""
An organization as a plain program would keep it: one state, changed in place, event by event in their true order.

It knows nothing of facts, versions or merging, so that it can tell what these must come to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.generators.policies import FULL_ACCESS
from tests.generators.rosters import Roster

__all__ = ["FULL_ACCESS_ID", "SCP", "Model", "ModelAccount", "ModelLevel", "ModelPolicy"]

FULL_ACCESS_ID = "p-FullAWSAccess"
SCP = "SERVICE_CONTROL_POLICY"

ModelLevel = tuple[str, tuple[tuple[str, Mapping[str, object]], ...]]


@dataclass
class ModelAccount:
    """
    An account.
    """

    name: str
    email: str
    parent_id: str
    status: str = "ACTIVE"


@dataclass
class ModelPolicy:
    """
    A service control policy.
    """

    name: str
    content: Mapping[str, object]


@dataclass
class Model:
    """
    The state of one organization.
    """

    organization_id: str
    root_id: str
    partition: str = "aws"
    management_account_id: str | None = None
    enabled: bool = False
    units: dict[str, tuple[str, str]] = field(default_factory=dict)  # id -> name, parent
    accounts: dict[str, ModelAccount] = field(default_factory=dict)
    policies: dict[str, ModelPolicy] = field(default_factory=dict)
    attachments: set[tuple[str, str]] = field(default_factory=set)  # target, policy
    probes: set[str] = field(default_factory=set)
    rosters: dict[str, Roster] = field(default_factory=dict)  # by account, whether it is in the organization or not

    @property
    def nodes(self) -> list[str]:
        """
        Return every node.
        """
        return [self.root_id, *self.units, *self.accounts]

    def create(self, node_id: str) -> None:
        """
        Hang on a new node what AWS hangs on it, while the type is enabled.
        """
        if self.enabled:
            self.attachments.add((node_id, FULL_ACCESS_ID))

    def forget(self, node_id: str) -> None:
        """
        Take everything off a node that goes.
        """
        self.attachments = {hanging for hanging in self.attachments if hanging[0] != node_id}

    def enable(self) -> None:
        """
        Enable service control policies: FullAWSAccess and nothing else hangs everywhere.
        """
        self.enabled = True
        self.attachments = {(node, FULL_ACCESS_ID) for node in self.nodes}

    def disable(self) -> None:
        """
        Disable service control policies: nothing hangs anywhere.
        """
        self.enabled = False
        self.attachments = set()

    def attached(self, node_id: str) -> list[str]:
        """
        Return the policies on a node, ordered by id.
        """
        return sorted(policy for target, policy in self.attachments if target == node_id)

    def path(self, account_id: str) -> tuple[str, ...]:
        """
        Return the nodes from the root to an account.
        """
        path = [account_id]
        parent = self.accounts[account_id].parent_id
        while parent != self.root_id:
            path.append(parent)
            parent = self.units[parent][1]
        return (self.root_id, *reversed(path))

    def levels(self, account_id: str) -> tuple[ModelLevel, ...] | None:
        """
        Return what hangs on each node of an account's path, with contents; None where nothing limits it.
        """
        if not self.enabled or account_id == self.management_account_id:
            return None
        return tuple(
            (node, tuple((policy, self._content(policy)) for policy in self.attached(node)))
            for node in self.path(account_id)
        )

    def snapshot(self) -> dict[str, object]:
        """
        Return the whole state as a snapshot document.
        """
        return {
            "organization": {
                "id": self.organization_id,
                "management_account_id": self.management_account_id or "999999999999",
                "feature_set": "ALL",
                **({} if self.partition == "aws" else {"partition": self.partition}),
            },
            "root": {"id": self.root_id, "policy_types": [SCP] if self.enabled else []},
            "organizational_units": [
                {"id": unit, "name": name, "parent_id": parent} for unit, (name, parent) in self.units.items()
            ],
            "accounts": [{"id": account_id, **vars(account)} for account_id, account in self.accounts.items()],
            "policies": [
                {"id": policy_id, "name": policy.name, "type": SCP, "content": policy.content}
                for policy_id, policy in self.policies.items()
            ],
            "attachments": [{"policy_id": policy, "target_id": target} for target, policy in sorted(self.attachments)],
        }

    def _content(self, policy_id: str) -> Mapping[str, object]:
        return FULL_ACCESS if policy_id == FULL_ACCESS_ID else self.policies[policy_id].content
