"""
The nodes of an organization below each other, with the policies attached to them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from rooftree.errors import InputError
from rooftree.organization.tree import Organization
from rooftree.policy.chain import Level

__all__ = ["OrganizationTree", "levels_document"]


class OrganizationTree:
    """
    The tree of an organization.

    Attributes:
        organization: What it is made of.
    """

    def __init__(self, organization: Organization) -> None:
        self.organization = organization
        self._children: defaultdict[str, list[str]] = defaultdict(list)
        for node_id in sorted([*organization.units(), *organization.accounts()], key=organization.name_of):
            parent_id = organization.registers.parent(node_id)
            if parent_id is not None:
                self._children[parent_id].append(node_id)

    @property
    def root_id(self) -> str:
        """
        The id of the root.

        Raises:
            InputError: It is not known yet.
        """
        root_id = self.organization.registers.root()
        if root_id is None:
            place = self.organization.organization_id
            raise InputError("the root of this organization is not known yet", place=place)
        return root_id

    def units(self, node_id: str) -> list[str]:
        """
        Return the organizational units right below a node, by name.
        """
        return [one for one in self._children[node_id] if one.startswith("ou-")]

    def accounts(self, node_id: str) -> list[str]:
        """
        Return the accounts right below a node, by name.
        """
        return [one for one in self._children[node_id] if one.isdigit()]

    def policies(self, node_id: str) -> list[tuple[str, str]]:
        """
        Return the ids and names of the policies that are attached to a node.
        """
        return [
            (policy_id, self.organization.name_of(policy_id)) for policy_id in self.organization.attached_ids(node_id)
        ]

    def document(self, *, accounts: bool) -> dict[str, object]:
        """
        Return the whole as JSON, with *accounts* or only their numbers.

        Raises:
            InputError: The root is not known yet.
        """
        return {
            "organization_id": self.organization.organization_id,
            "management_account_id": self.organization.management_account_id,
            "partition": self.organization.partition,
            "root": self._node(self.root_id, accounts=accounts),
        }

    def _node(self, node_id: str, *, accounts: bool) -> dict[str, object]:
        members = self.accounts(node_id)
        described: dict[str, object] = {
            "id": node_id,
            "name": self.organization.name_of(node_id),
            "policies": self._policy_documents(node_id),
            "organizational_units": [self._node(unit_id, accounts=accounts) for unit_id in self.units(node_id)],
            "account_count": len(members),
        }
        if accounts:
            described["accounts"] = [self._account(account_id) for account_id in members]
        return described

    def _account(self, account_id: str) -> dict[str, object]:
        return {
            "id": account_id,
            "name": self.organization.name_of(account_id),
            "status": self.organization.registers.status(account_id),
            "policies": self._policy_documents(account_id),
        }

    def _policy_documents(self, node_id: str) -> list[dict[str, object]]:
        return [{"id": policy_id, "name": name} for policy_id, name in self.policies(node_id)]


def levels_document(levels: Iterable[Level] | None) -> list[dict[str, object]] | None:
    """
    Return the levels of a chain as JSON; None where nothing limits.
    """
    if levels is None:
        return None
    return [
        {
            "target": level.target_id,
            "policies": [{"id": policy.policy_id, "name": policy.name} for policy in level.policies],
        }
        for level in levels
    ]
