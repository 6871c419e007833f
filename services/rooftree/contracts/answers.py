"""
What commands print as JSON: the answers of simulations, and the decisions that differ between two states.
"""

from __future__ import annotations

from pydantic import Field, JsonValue

from rooftree.contracts.audit import Decision, DecisionChangeModel, Verdict
from rooftree.contracts.fields import AccountId, Outbound

__all__ = ["AccountDifferenceModel", "SimulationAnswerModel", "SimulationFaultModel", "SimulationReasonModel"]


class SimulationReasonModel(Outbound):
    """
    A statement that decides a simulated request.
    """

    policy_type: str
    target: str | None = Field(description="The node that the policy is attached to, for control policies.")
    policy: str
    policy_name: str
    statement: str
    index: int | None = Field(description="The place of the statement in its policy, from 0.")


class SimulationLayerModel(Outbound):
    """
    What one kind of policies has to say about a request.
    """

    policy_type: str
    outcome: str
    denied_by: list[SimulationReasonModel]
    allowed_by: list[SimulationReasonModel]
    missing_levels: list[str]
    note: str


class SimulationAnswerModel(Outbound):
    """
    The answer to one line of a simulation.
    """

    id: JsonValue = Field(description="That of the line; null where it has none.")
    decision: Decision
    blocked_by: list[str] = Field(description="The kinds of policies that stand in the way.")
    decided_by: list[SimulationReasonModel]
    missing_levels: list[str] = Field(description="Nodes on which no control policy allows the request.")
    layers: list[SimulationLayerModel] | None = Field(default=None, description="With `--explain` only.")


class SimulationFaultModel(Outbound):
    """
    What stands in place of an answer to a line that cannot be read.
    """

    id: JsonValue
    error: str


class AccountDifferenceModel(Outbound):
    """
    One account whose decisions differ between two states: a line of `rooftree diff --json`.
    """

    account_id: AccountId
    account_name: str | None
    verdict: Verdict
    changes: list[DecisionChangeModel] = Field(min_length=1)
