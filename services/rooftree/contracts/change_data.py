"""
What the data of change events have in common.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from pydantic import Field

from rooftree.contracts.fields import Inbound, OrganizationId, Text
from rooftree.organization.changes import ChangeData

__all__ = ["ChangeDataModel", "OrganizationChange"]


class ChangeDataModel(Inbound, ABC):
    """
    What the data of all change events have in common.
    """

    actor: Text | None = Field(default=None, description="By whose hand, usually an ARN.")

    @property
    @abstractmethod
    def subject_organization(self) -> str:
        """
        The organization that has changed.
        """

    @abstractmethod
    def to_change(self) -> ChangeData:
        """
        Return the data as the organization model has it.

        Raises:
            PolicyError: A policy document is wrong.
            SnapshotError: A snapshot contradicts itself.
        """


class OrganizationChange(ChangeDataModel, ABC):
    """
    What the data of all of them but one have in common.
    """

    organization_id: OrganizationId

    @property
    def subject_organization(self) -> str:
        """
        The organization that has changed.
        """
        return self.organization_id
