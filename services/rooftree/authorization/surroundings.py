"""
What an organization says about an account: its place and the control policies above it.
"""

from __future__ import annotations

from rooftree.authorization.request import Membership
from rooftree.organization.identifiers import RESOURCE_CONTROL_POLICY, SERVICE_CONTROL_POLICY
from rooftree.organization.survey import Survey
from rooftree.organization.tree import Organization
from rooftree.policy.chain import AttachedPolicy, Level

__all__ = ["Surroundings"]


class Surroundings:
    """
    An organization as a request meets it. Of no use after the organization has changed.
    """

    def __init__(self, organization: Organization) -> None:
        self._organization = organization
        self._survey = Survey(organization)
        self._types = organization.limiting_types
        self._paths: dict[str, tuple[str, ...] | None] = {}
        self._levels: dict[tuple[str, str], Level] = {}

    def membership(self, account_id: str | None) -> Membership | None:
        """
        Return where an account stands; None for one that is not in the organization.
        """
        path = self._path(account_id)
        if account_id is None or path is None:
            return None
        organization = self._organization
        above = "".join(f"{node}/" for node in path[:-1])
        return Membership(
            organization_id=organization.organization_id,
            path=f"{organization.organization_id}/{above}",
            is_management=account_id == organization.management_account_id,
        )

    def service_control(self, account_id: str | None) -> tuple[Level, ...]:
        """
        Return the levels of service control policies from the root to an account; empty where nothing limits it.
        """
        return self._control(account_id, SERVICE_CONTROL_POLICY)

    def resource_control(self, account_id: str | None) -> tuple[Level, ...]:
        """
        Return the levels of resource control policies from the root to an account; empty where nothing limits it.
        """
        return self._control(account_id, RESOURCE_CONTROL_POLICY)

    def _control(self, account_id: str | None, policy_type: str) -> tuple[Level, ...]:
        path = self._path(account_id)
        is_management = account_id == self._organization.management_account_id
        if path is None or is_management or policy_type not in self._types:
            return ()
        return tuple(self._level(node, policy_type) for node in path)

    def _level(self, node: str, policy_type: str) -> Level:
        level = self._levels.get((node, policy_type))
        if level is None:
            attached = self._organization.attached(node, policy_type)
            level = self._levels[node, policy_type] = Level(
                node,
                tuple(
                    AttachedPolicy(policy.policy_id, policy.name, policy.document.policy)
                    for policy in attached
                    if policy.document is not None
                ),
            )
        return level

    def _path(self, account_id: str | None) -> tuple[str, ...] | None:
        if account_id is None:
            return None
        if account_id not in self._paths:
            self._paths[account_id] = self._survey.path(account_id)
        return self._paths[account_id]
