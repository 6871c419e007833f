"""
What the HTTP API answers with: one model for each kind of document, of which the description of the API is made.
"""

from __future__ import annotations

from typing import Annotated, Generic, Literal, TypeVar

from pydantic import ConfigDict, Field, JsonValue

from rooftree.contracts.audit import (
    AuditEnvelope,
    Decision,
    DecisionChangeModel,
    ProbeDecision,
)
from rooftree.contracts.fields import JsonObject, Outbound

__all__ = [
    "Accepted",
    "Account",
    "AccountChain",
    "AccountHeading",
    "AccountPermissions",
    "AccountSpan",
    "AccountVerdict",
    "Admission",
    "AdmittedAccount",
    "AuditEvent",
    "ChainLevel",
    "CheckAnswer",
    "DeadLetter",
    "DeadLetterRecord",
    "DecidingStatement",
    "Difference",
    "DistinctChange",
    "Finding",
    "Findings",
    "InheritedPolicy",
    "Node",
    "Operations",
    "Organization",
    "OrganizationTree",
    "Page",
    "Policy",
    "PolicyDetail",
    "PolicyName",
    "PolicyVersion",
    "Principal",
    "PrincipalPolicy",
    "Probe",
    "Problem",
    "ReadPosition",
    "ServiceCount",
    "SimulationAnswer",
    "SimulationAnswers",
    "TreeNode",
]

Time = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
Verdict = Literal["tightened", "loosened", "mixed"]
Counted = Annotated[int, Field(ge=0)]

Item = TypeVar("Item", bound=Outbound)


class Problem(Outbound):
    """
    An error in the form of RFC 9457.
    """

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)

    type: str = Field(description="`about:blank`: the status says all that programs need.")
    title: str
    status: int
    detail: str = Field(description="What is wrong, in one line; for bad input with its place in front.")


class Page(Outbound, Generic[Item]):
    """
    A part of a list.
    """

    items: list[Item]
    next: str | None = Field(description="The cursor of the page after; null on the last. `Link` names it too.")


class Organization(Outbound):
    """
    Where the view of one organization stands.
    """

    organization_id: str
    revision: Counted = Field(description="Counts the changes that put something on the audit topic.")
    complete: bool = Field(description="Whether nothing is known to be missing.")
    incomplete_since: Time | None
    incomplete_reason: str | None


class PolicyName(Outbound):
    """
    A policy by its id.
    """

    id: str
    name: str


class InheritedPolicy(PolicyName):
    """
    A policy that reaches a node from one above it.
    """

    attached_to: str = Field(description="The node on which it hangs.")


class TreeNode(Outbound):
    """
    A root or an organizational unit, with what stands below it.
    """

    id: str
    name: str
    policies: list[PolicyName]
    organizational_units: list[TreeNode]
    account_count: Counted = Field(description="Accounts directly under it; `/nodes/{node_id}/accounts` lists them.")


class OrganizationTree(Outbound):
    """
    The nodes of an organization below each other.
    """

    organization_id: str
    management_account_id: str | None
    root: TreeNode


class Node(Outbound):
    """
    A root, an organizational unit or an account, with the policies that bind it.
    """

    organization_id: str
    id: str
    kind: Literal["root", "organizational_unit", "account"]
    name: str
    parent_id: str | None
    path: list[str] = Field(description="The nodes from the root to this one, as far as they are known.")
    policies: list[PolicyName] = Field(description="Attached to the node itself.")
    inherited: list[InheritedPolicy] = Field(description="Attached above it, from the root down.")
    organizational_units: list[PolicyName] = Field(description="Directly under it.")
    account_count: Counted = Field(description="Accounts directly under it.")


class Policy(Outbound):
    """
    A policy and where it hangs.
    """

    organization_id: str
    id: str
    name: str
    type: str
    aws_managed: bool
    targets: list[str] = Field(description="The nodes on which it hangs; those of FullAWSAccess are not listed.")


class PolicyDetail(Policy):
    """
    A policy with its content.
    """

    content: JsonObject | None = Field(description="Null while the content is not known.")


class PolicyVersion(Outbound):
    """
    A content that a policy has or had where it hung.
    """

    digest: str = Field(description="SHA-256 of the content in its canonical form.")
    since: Time | None = Field(description="Since when some account was bound by it; null where that is not known.")
    content: JsonObject


class AccountHeading(Outbound):
    """
    An account by its name.
    """

    organization_id: str
    account_id: str
    account_name: str


class Account(Outbound):
    """
    An account, now or for a time in the past.
    """

    organization_id: str
    account_id: str
    account_name: str
    email: str | None
    status: str
    path: list[str] = Field(description="The nodes from the root to the account.")
    permissions_id: str | None = Field(description="Names its maximum permissions: equal ids, equal permissions.")
    revision: Counted
    complete: bool = Field(description="Whether nothing is known to be missing.")
    since: Time = Field(description="Since when this holds.")
    until: Time | None = Field(description="Until when it held; null while it holds.")
    cause_event_id: str


class AccountPermissions(Account):
    """
    An account with what it may do at most.
    """

    permissions: JsonObject | None = Field(description="Null while the place of the account is not known.")


class ServiceCount(Outbound):
    """
    How the actions of one service are decided that are known today.
    """

    service: str
    allowed: Counted
    conditional: Counted
    denied: Counted


class ChainLevel(Outbound):
    """
    A node on the way from the root to an account, with what hangs on it.
    """

    target: str
    policies: list[PolicyName]


class AccountChain(AccountHeading):
    """
    What binds an account, level by level.
    """

    path: list[str]
    complete: bool
    chain: list[ChainLevel] | None = Field(description="Service control policies; null where none limits the account.")
    resource_chain: list[ChainLevel] | None = Field(
        description="Resource control policies; null where none limits the account."
    )


class AccountSpan(AccountHeading):
    """
    What an account was between two times, and which of its decisions differ between them.
    """

    from_: Time = Field(alias="from")
    to: Time | None
    compared: bool = Field(description="Whether the account was there at both times.")
    verdict: Verdict | None = Field(description="Null where no decision differs.")
    changes: list[DecisionChangeModel]
    rows: list[Account] = Field(description="The latest first.")


class PrincipalPolicy(Outbound):
    """
    A policy of a principal.
    """

    name: str
    arn: str | None = Field(description="Null for an inline policy.")
    group: str | None = Field(description="The group through which a user has it.")


class Principal(Outbound):
    """
    A user, a group or a role of an account.
    """

    arn: str
    kind: Literal["user", "group", "role"]
    name: str
    policies: list[PrincipalPolicy]
    permissions_boundary: str | None = Field(description="The ARN of the policy.")
    missing: list[str] = Field(description="What is not known yet: policies by ARN, groups by name.")


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
    accounts: list[AdmittedAccount]
    unplaced: list[str] = Field(description="Accounts whose place is not known, so that nothing can be said of them.")


class AccountVerdict(Outbound):
    """
    What becomes of an account.
    """

    account_id: str
    account_name: str
    verdict: Verdict


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


class Accepted(Outbound):
    """
    A change that was sent to the service: the view has it within moments.
    """

    event_ids: list[str]


class DeadLetter(Outbound):
    """
    A record that could not be processed.
    """

    letter: int
    organization_id: str | None = Field(
        description="The organization that misses it; null where the record tells none."
    )
    topic: str
    partition: int
    offset: int
    log_id: str
    disposition: str
    place: str | None
    reason: str
    error_class: str
    software_version: str
    size: int | None
    attempts: int
    resolution: Literal["replayed", "snapshot"] | None = Field(description="Null while it waits.")
    record_time: Time | None
    recorded_at: Time
    attempted_at: Time | None
    resolved_at: Time | None


class DeadLetterRecord(DeadLetter):
    """
    A record that could not be processed, with its bytes.
    """

    key: JsonValue = Field(description="Text, or where it is none an object with its Base64.")
    value: JsonValue
    headers: list[JsonObject]


class ReadPosition(Outbound):
    """
    Where reading goes on in one partition of the topic of changes.
    """

    topic: str
    partition: int
    next_offset: int
    updated_at: Time


class RereadRequest(Outbound):
    """
    Something that an event did not tell enough of, and that waits for being read anew by the API of AWS.
    """

    organization_id: str
    kind: str = Field(description="organization, account, ou, policy, attachments, targets, principals or principal.")
    object_id: str
    reason: str
    doubtful: bool = Field(description="Whether decisions may be wrong until then.")
    since: Time = Field(description="When it was first asked for, by the time of the event.")
    asked_at: Time
    source: str
    event_id: str = Field(description="The event that asked last.")


class Reconciliation(Outbound):
    """
    One comparison of the view with what AWS itself says.
    """

    organization_id: str
    reconciliation: int
    occasion: Literal["schedule", "reread"]
    result: Literal["running", "done", "failed"]
    reason: str | None = Field(description="Why it failed.")
    started_at: Time
    finished_at: Time | None
    moment: Time | None = Field(description="As of when it speaks.")
    accounts: int | None = Field(description="How many accounts AWS listed; null for a reread.")
    found: int = Field(description="How many changes no event had told; they are published as events of their own.")
    postponed: int = Field(description="Differences that are too young to be believed.")
    by_kind: dict[str, int] = Field(description="`found` by the type of the change.")
    differences: list[JsonObject] = Field(description="The first of them, each with `event_id`, `type` and `data`.")


class Operations(Outbound):
    """
    How far changes have come on their way from the broker to the audit topic.
    """

    organization_id: str
    complete: bool
    incomplete_since: Time | None
    incomplete_reason: str | None
    written_at: Time = Field(description="When the view was written last.")
    unsent: Counted = Field(description="Records that wait to be sent.")
    unsent_since: Time | None
    dead_letters: Counted = Field(
        description="Records of the organization that wait to be replayed; at most 1,000 count."
    )
    positions: list[ReadPosition]


class AuditEvent(AuditEnvelope):
    """
    An audit event, as it stands on the audit topic.
    """
