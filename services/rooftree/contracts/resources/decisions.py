"""
What is decided, and what is decided otherwise.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, JsonValue

from rooftree.contracts.audit import (
    AuditEnvelope,
    Decision,
    DecisionChangeModel,
    PrincipalImpactModel,
    ProbeDecision,
    Verdict,
)
from rooftree.contracts.fields import Counted, JsonObject, Outbound, Time
from rooftree.contracts.resources.accounts import AccountHeading

__all__ = [
    "AccountOfChange",
    "AccountVerdict",
    "Admission",
    "AdmittedAccount",
    "AuditEvent",
    "CheckAnswer",
    "DecidingStatement",
    "Difference",
    "DistinctChange",
    "Finding",
    "Findings",
    "Probe",
    "SimulationAnswer",
    "SimulationAnswers",
]


class DecidingStatement(Outbound):
    """
    A statement that a decision rests on.
    """

    policy_type: str
    target: str | None
    policy: str
    policy_name: str
    statement: str | None = Field(description="Its Sid.")
    index: int | None = Field(description="Its position in the policy, from 0.")


class CheckAnswer(AccountHeading):
    """
    One decision, and what decided it.
    """

    action: str
    resource: str
    context: JsonObject
    decision: Decision
    decided_by: list[DecidingStatement]
    missing_levels: list[str] = Field(description="Nodes on which no policy allows it.")
    assumed: JsonObject = Field(description="Keys that AWS always sends and that the question left open.")
    complete: bool


class AdmittedAccount(AccountHeading):
    """
    An account that lets a request through.
    """

    assumed: JsonObject = Field(description="Keys that AWS always sends and that the question left open.")


class Admission(Outbound):
    """
    The accounts whose maximum permissions let a request through.
    """

    organization_id: str
    action: str
    resource: str
    context: JsonObject
    count: Counted = Field(description="How many accounts were asked.")
    admitted: Counted = Field(description="To how many of them the request is open.")
    accounts: list[AdmittedAccount]
    unplaced: list[str] = Field(description="Accounts whose place is not known, so that nothing can be said of them.")


class AccountVerdict(Outbound):
    """
    What becomes of an account.
    """

    account_id: str
    account_name: str
    verdict: Verdict
    principals: PrincipalImpactModel | None = Field(
        description="What becomes of its users and roles, by what-if; null while none of them is known, where they are"
        " left out, and between two times."
    )


class AccountOfChange(Outbound):
    """
    An account that a change touches.
    """

    account_id: str
    account_name: str


class DistinctChange(Outbound):
    """
    A change of decisions, told once for all accounts that have it.
    """

    change: DecisionChangeModel = Field(description="As the first of its accounts has it.")
    accounts: list[AccountOfChange]


class Difference(Outbound):
    """
    Everything that is decided otherwise in one state than in another.
    """

    organization_id: str
    compared: Counted = Field(description="How many accounts are in both states.")
    added: list[str] = Field(description="Accounts that are in the second state alone.")
    removed: list[str] = Field(description="Accounts that are in the first state alone.")
    accounts: list[AccountVerdict] = Field(description="Those that decide differently.")
    changes: list[DistinctChange] = Field(description="Those that reach furthest first.")
    principals_left_out: list[str] = Field(
        description="Accounts whose users and roles were not looked at, since there are too many for one question."
    )


class Finding(Outbound):
    """
    Something found in a policy.
    """

    severity: Literal["error", "warning", "note"]
    code: str
    place: str = Field(description="Such as `Statement[2].Action[0]`; empty for the whole policy.")
    message: str
    line: int | None = Field(ge=1, description="Null where the content was given as an object.")
    column: int | None = Field(ge=1)
    end_line: int | None = Field(ge=1)
    end_column: int | None = Field(ge=1, description="The first column behind it.")


class Findings(Outbound):
    """
    Everything found in a policy.
    """

    findings: list[Finding]


class SimulationAnswer(Outbound):
    """
    The decision on one request, or why there is none.
    """

    id: JsonValue = None
    decision: Decision | None = None
    blocked_by: list[str] | None = None
    decided_by: list[DecidingStatement] | None = None
    missing_levels: list[str] | None = None
    error: str | None = None


class SimulationAnswers(Outbound):
    """
    The decisions on some requests, in their order.
    """

    answers: list[SimulationAnswer]


class Probe(Outbound):
    """
    A watched decision: a request, what is expected of it, and how it is decided.
    """

    organization_id: str
    name: str
    principal: str
    action: str
    resource: str
    context: JsonObject
    expect: Literal["allow", "deny"]
    account_id: str | None
    decision: ProbeDecision
    as_expected: bool | None = Field(description="Null while the decision is not known.")
    blocked_by: list[str]
    decided_by: list[JsonObject]
    missing: list[str] = Field(description="What is not known, where that leaves it open.")
    since: Time
    cause_event_id: str


class AuditEvent(AuditEnvelope):
    """
    An audit event, as it stands on the audit topic.
    """
