"""
The events of the audit topic.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

from pydantic import Field

from rooftree.contracts.fields import AccountId, OrganizationId, Outbound, Time

__all__ = [
    "AUDIT_DATA_MODELS",
    "AuditEnvelope",
    "CauseModel",
    "ChainHash",
    "CompletenessData",
    "ConditionModel",
    "Decision",
    "DecisionChangeModel",
    "DecisionsChangedData",
    "KnownActions",
    "PatternModel",
    "PrincipalDecisionsChangedData",
    "PrincipalImpactModel",
    "PrincipalNameModel",
    "PrincipalWitnessModel",
    "ProbeDecision",
    "ProbeFlipModel",
    "ProbesFlippedData",
    "ReasonModel",
    "StatementModel",
    "TouchedPrincipalsModel",
    "Verdict",
    "WitnessModel",
]

Decision = Literal["allow", "implicit_deny", "explicit_deny"]
ProbeDecision = Literal["allow", "implicit_deny", "explicit_deny", "unknown"]

Verdict = Literal["tightened", "loosened", "mixed"]


class CauseModel(Outbound):
    """
    What made the event.
    """

    event_id: str
    event_type: str | None = Field(description="Null for a record that could not be read.")
    time: Time
    actor: str | None
    summary: str
    origin: Literal["reconciliation"] | None = Field(
        default=None, description="Set where nobody told of the change as it happened, and AWS was asked."
    )
    names: dict[str, str] | None = Field(
        default=None,
        description="What the units and policies that the change is about were called then, by their ids.",
    )


class ChainHash(Outbound):
    """
    Seals the event to the one before: SHA-256 over that hash and the canonical JSON of the data without this field.
    """

    previous: str = Field(pattern="^[0-9a-f]{64}$")
    this: str = Field(pattern="^[0-9a-f]{64}$")


class PatternModel(Outbound):
    """
    Strings that match any of the first patterns, none of the second, and each of the last if there are any.
    """

    any_of: list[str]
    none_of: list[str]
    all_of: list[str] | None = None


class ConditionModel(Outbound):
    """
    A condition that the requests of the set meet.
    """

    operator: str
    key: str
    values: list[str]


class WitnessModel(Outbound):
    """
    One concrete request out of the set.
    """

    action: str
    resource: str
    context: dict[str, str | list[str]]


class StatementModel(Outbound):
    """
    A statement that decides requests of the set.
    """

    policy_id: str
    statement: str
    target_id: str
    side: Literal["before", "after"] = Field(description="The state in which the statement decides.")


class KnownActions(Outbound):
    """
    Today's actions of AWS in the set.
    """

    count: int
    sample: list[str]


class DecisionChangeModel(Outbound):
    """
    A set of requests that were decided one way and are now decided another.
    """

    policy_type: Literal["resource_control"] | None = Field(
        default=None,
        description=(
            "Where it stands, the set is of requests that anybody makes of the account's resources, as resource control"
            " policies limit them; else of requests of the account's own principals, as service control policies do."
        ),
    )
    direction: Literal["denied", "allowed"]
    before: Decision
    after: Decision
    actions: PatternModel
    resources: PatternModel
    conditions: list[ConditionModel]
    witness: WitnessModel | None = Field(description="Null only where the set is not exact.")
    statements: list[StatementModel]
    unless: list[StatementModel] | None = Field(
        default=None,
        description=(
            "Statements that deny some requests of these patterns both before and after. What they speak of is no part"
            " of the set, and the rest is exactly the set."
        ),
    )
    known_actions: KnownActions
    exact: Literal[False] | None = Field(
        default=None, description="False where some requests of these patterns may not have changed."
    )


class ReasonModel(Outbound):
    """
    A statement that denies a probe, or that an allowed one rests on.
    """

    policy_type: str
    target: str | None
    policy: str
    policy_name: str
    statement: str


class ProbeFlipModel(Outbound):
    """
    A probe that is decided otherwise than before.
    """

    name: str
    principal: str
    action: str
    resource: str
    context: dict[str, str | list[str]]
    expect: Literal["allow", "deny"]
    before: ProbeDecision
    after: ProbeDecision
    as_expected: bool | None = Field(description="Null while the decision is not known.")
    blocked_by: list[str]
    decided_by: list[ReasonModel]
    missing: list[str] = Field(description="What the view does not know, where that leaves the decision open.")


class PrincipalWitnessModel(Outbound):
    """
    One direction in which principals are touched, with a request that each of them sends.
    """

    direction: Literal["denied", "allowed"]
    before: Decision
    after: Decision
    witness: WitnessModel = Field(description="Without the keys that the principal settles, such as its ARN.")


class TouchedPrincipalsModel(Outbound):
    """
    Principals that lose or gain something, by the same requests.
    """

    arns: list[str] = Field(min_length=1)
    verdict: Verdict
    changes: list[PrincipalWitnessModel] = Field(min_length=1)


class PrincipalImpactModel(Outbound):
    """
    What becomes of the users and roles of an account, as far as their own policies and boundaries reach.
    """

    touched: list[TouchedPrincipalsModel]
    touched_count: int = Field(description="Of more than 1,000, the first are named.")
    untouched_count: int
    unknown_count: int = Field(description="Some of their policies are not known, or no request could be confirmed.")


class DecisionsChangedData(Outbound):
    """
    The decisions that an event has changed for one account.
    """

    organization_id: OrganizationId
    account_id: AccountId
    account_name: str
    path: list[str]
    cause: CauseModel
    verdict: Verdict
    changes: list[DecisionChangeModel] = Field(min_length=1)
    principals: PrincipalImpactModel | None = Field(
        default=None, description="What becomes of the account's users and roles; absent while none of them is known."
    )
    probes: list[ProbeFlipModel]
    organization_revision: int
    complete: bool
    chain_hash: ChainHash


class PrincipalNameModel(Outbound):
    """
    A user or a role.
    """

    kind: Literal["user", "role"]
    name: str
    arn: str


class PrincipalDecisionsChangedData(Outbound):
    """
    The decisions that a change of a principal's own policies has altered for it.

    What it may do is what its identity policies, its boundary and the control policies of its account all allow.
    """

    organization_id: OrganizationId
    account_id: AccountId
    account_name: str
    path: list[str]
    principal: PrincipalNameModel
    cause: CauseModel
    verdict: Verdict
    changes: list[DecisionChangeModel] = Field(min_length=1)
    organization_revision: int
    complete: bool
    chain_hash: ChainHash


class ProbesFlippedData(Outbound):
    """
    Probes that a change has made to be decided otherwise, where no other decision of their account has changed.
    """

    organization_id: OrganizationId
    account_id: AccountId | None = Field(
        default=None, description="Absent for probes about no account of the organization."
    )
    account_name: str | None = None
    path: list[str] | None = None
    cause: CauseModel
    probes: list[ProbeFlipModel] = Field(min_length=1)
    organization_revision: int
    complete: bool
    chain_hash: ChainHash


class CompletenessData(Outbound):
    """
    The view of an organization misses something from now on, or misses nothing any more.
    """

    organization_id: OrganizationId
    cause: CauseModel
    reason: str | None = Field(description="Why the first record that is or was missing could not be processed.")
    incomplete_since: Time
    organization_revision: int
    complete: bool
    chain_hash: ChainHash


class AuditEnvelope(Outbound):
    """
    An audit event: CloudEvents 1.0 in structured JSON.
    """

    specversion: Literal["1.0"]
    id: str
    source: str = Field(pattern="^/organizations/o-[a-z0-9]{10,32}$")
    type: Literal[
        "rooftree.decision.changed.v1",
        "rooftree.principal.decision.changed.v1",
        "rooftree.probe.flipped.v1",
        "rooftree.organization.incomplete.v1",
        "rooftree.organization.complete.v1",
    ]
    subject: str = Field(description="The account, or the organization for an event about that.")
    time: Time
    datacontenttype: Literal["application/json"]
    sequence: str = Field(pattern="^[0-9]{20}$", description="The organization's revision; without gaps.")
    part: int = Field(ge=1)
    parts: int = Field(ge=1)
    partitionkey: str
    data: DecisionsChangedData | PrincipalDecisionsChangedData | ProbesFlippedData | CompletenessData


AUDIT_DATA_MODELS: Final[Mapping[str, type[Outbound]]] = MappingProxyType(
    {
        "rooftree.decision.changed.v1": DecisionsChangedData,
        "rooftree.principal.decision.changed.v1": PrincipalDecisionsChangedData,
        "rooftree.probe.flipped.v1": ProbesFlippedData,
        "rooftree.organization.incomplete.v1": CompletenessData,
        "rooftree.organization.complete.v1": CompletenessData,
    }
)
"""The data of each type of audit event."""
