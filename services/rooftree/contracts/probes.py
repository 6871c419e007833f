"""
The data of the change events about probes.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue, StringConstraints

from rooftree.authorization import parse_principal
from rooftree.contracts.change_data import OrganizationChange
from rooftree.contracts.fields import Inbound, OneAction, OneResource, OrganizationId, Text, storable
from rooftree.errors import InputError
from rooftree.organization import changes
from rooftree.organization.changes import ChangeData
from rooftree.organization.probes import Probe
from rooftree.policy.context import Context
from rooftree.policy.wording import in_place

__all__ = ["ProbeFileModel", "ProbeModel", "ProbeName", "ProbeRemovedData", "ProbeSetData"]

ProbeName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]


class ProbeModel(Inbound):
    """
    A named request with the decision that is expected of it.
    """

    name: ProbeName
    principal: Text = Field(description="An ARN, a service principal or `anonymous`.")
    action: OneAction
    resource: OneResource = "*"
    context: dict[Text, JsonValue] = Field(
        default_factory=dict, description="Condition keys with a value or a list of them; others are absent."
    )
    expect: Literal["allow", "deny"]

    def to_probe(self) -> Probe:
        """
        Return the probe as the organization model has it.

        Raises:
            InputError: The principal or the context is wrong.
        """
        try:
            parse_principal(self.principal)
        except InputError as error:
            raise error.within("principal") from error
        try:
            context = Context.from_json(self.context)
            _require_storable(context)
        except InputError as error:
            raise error.within("context") from error
        return Probe(self.name, self.principal, self.action, self.resource, tuple(sorted(context.items())), self.expect)


def _require_storable(context: Context) -> None:
    for key, values in context.items():
        try:
            for value in values:
                storable(value)
        except ValueError as error:
            raise InputError(str(error), place=in_place(key)) from error


class ProbeFileModel(Inbound):
    """
    What `rooftree probe apply` reads, as YAML or JSON: the decisions of an organization that are to be watched.
    """

    organization: OrganizationId | None = None
    probes: list[ProbeModel]


class ProbeSetData(OrganizationChange, ProbeModel):
    """
    A decision is to be watched from now on, or another one under the same name.
    """

    def to_change(self) -> ChangeData:
        """
        Return the data as the organization model has it.
        """
        return changes.ProbeSet(self.to_probe())


class ProbeRemovedData(OrganizationChange):
    """
    A decision is not to be watched any more.
    """

    name: ProbeName

    def to_change(self) -> ChangeData:
        """
        Return the data as the organization model has it.
        """
        return changes.ProbeRemoved(self.name)
