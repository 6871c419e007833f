"""
What the HTTP API is asked with: the bodies of its requests.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from rooftree.contracts.fields import JsonObject, OneAction, OneResource, Text, Time

__all__ = [
    "AttachStep",
    "CheckBody",
    "DetachStep",
    "LintBody",
    "MoveStep",
    "RequestBody",
    "SimulateBody",
    "StepModel",
    "SuppositionBody",
    "UpdateStep",
]

ContextValue = Annotated[str, StringConstraints(max_length=4096)]
Context = dict[Text, ContextValue | list[ContextValue]]


class Body(BaseModel):
    """
    What a client sends: exactly these fields.
    """

    model_config = ConfigDict(defer_build=True, extra="forbid", strict=True, frozen=True)


class RequestBody(Body):
    """
    A request of an account's principals.
    """

    action: OneAction
    resource: OneResource = "*"
    context: Context = Field(
        default_factory=dict, description="Condition keys with a value or a list of them; others are absent."
    )
    at: Time | None = Field(None, description="As it was at this time.")

    def given_context(self) -> dict[str, list[str]]:
        """
        Return the condition keys with their values.
        """
        return {key: list(value) if isinstance(value, list) else [value] for key, value in self.context.items()}


class CheckBody(RequestBody):
    """
    A request of an account's principals.
    """


class AttachStep(Body):
    """
    A policy is attached to a node; both go by id or by name.
    """

    kind: Literal["attach"]
    policy: Text
    target: Text


class DetachStep(Body):
    """
    A policy is detached from a node; both go by id or by name.
    """

    kind: Literal["detach"]
    policy: Text
    target: Text


class UpdateStep(Body):
    """
    A policy, by id or by name, is given another content.
    """

    kind: Literal["update"]
    policy: Text
    content: JsonObject | str = Field(description="The policy, as an object or as its text.")


class MoveStep(Body):
    """
    An account is moved under another node; both go by id or by name.
    """

    kind: Literal["move"]
    account: Text
    parent: Text


StepModel = Annotated[AttachStep | DetachStep | UpdateStep | MoveStep, Field(discriminator="kind")]


class SuppositionBody(Body):
    """
    Steps, each after the one before, all of which together are one change.
    """

    steps: list[StepModel] = Field(min_length=1, max_length=100)


class LintBody(Body):
    """
    A policy as it was written.
    """

    content: JsonObject | str = Field(description="The policy: its text, for lines and columns, or an object.")
    type: Literal["SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"] = "SERVICE_CONTROL_POLICY"


class SimulateBody(Body):
    """
    Requests with the policies that they meet, as lines of `rooftree simulate`.
    """

    requests: list[JsonValue] = Field(min_length=1, max_length=100)
