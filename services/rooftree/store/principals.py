"""
Principals into the store and out of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from rooftree.organization.directory import GrantedPolicy
from rooftree.organization.facts import Version
from rooftree.organization.principal_facts import PrincipalFact, PrincipalFactKey
from rooftree.organization.principals import principal_subject
from rooftree.store.database import Connection, Row, as_json
from rooftree.store.queries import query
from rooftree.view.patch import Patch, PrincipalState, Reported

__all__ = ["PrincipalWrites", "principal_fact_of", "reported_of", "save_principals"]

_Key = tuple[str, str, str]


@dataclass(slots=True)
class PrincipalWrites:
    """
    What several patches of one organization say about principals, as one; None stands for what is deleted.
    """

    facts: dict[PrincipalFactKey, PrincipalFact | None] = field(default_factory=dict)
    rows: dict[_Key, PrincipalState | None] = field(default_factory=dict)
    documents: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, patches: Iterable[Patch]) -> PrincipalWrites:
        """
        Make one of patches that are given in their order.
        """
        writes = cls()
        for patch in (patch.principals for patch in patches):
            writes.facts.update((fact.key, fact) for fact in patch.facts)
            writes.facts.update((key, None) for key in patch.forgotten)
            writes.rows.update((key, None) for key in patch.gone)
            writes.rows.update((state.key, state) for state in patch.states)
            writes.documents.update((document.digest, document.content) for document in patch.documents)
        return writes


async def save_principals(connection: Connection, organization_id: str, writes: PrincipalWrites) -> None:
    """
    Write what a commit says about the principals of one organization, whose row is locked.
    """
    facts = [fact for fact in writes.facts.values() if fact is not None]
    if facts:
        await connection.execute(query("save_principal_facts"), organization_id, *_columns(map(_fact_columns, facts)))
    if writes.documents:
        documents = writes.documents
        await connection.execute(
            query("save_principal_documents"), organization_id, list(documents), list(documents.values())
        )
    states = [state for state in writes.rows.values() if state is not None]
    if states:
        await connection.execute(query("save_principals"), organization_id, *_columns(map(_row_columns, states)))
    for name, keys in (
        ("forget_principal_facts", [key for key, fact in writes.facts.items() if fact is None]),
        ("remove_principals", [key for key, state in writes.rows.items() if state is None]),
    ):
        if keys:
            await connection.execute(query(name), organization_id, *_columns(keys))


def principal_fact_of(row: Row) -> PrincipalFact:
    """
    Return the register that a row holds.
    """
    version = Version(row["time"], row["sequence"], row["rank"], row["event_id"])
    return PrincipalFact(row["account_id"], row["subject"], row["attribute"], row["value"], version)


def reported_of(row: Row) -> tuple[str, str, Reported]:
    """
    Return the account, the subject and what was reported last of a principal.
    """
    told = row["reported"]
    boundary = None if told["boundary"] is None else GrantedPolicy(**told["boundary"])
    policies = tuple(GrantedPolicy(**policy) for policy in told["policies"])
    return row["account_id"], principal_subject(row["kind"], row["name"]), Reported(policies, boundary)


def _columns(rows: Iterable[tuple[object, ...]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _fact_columns(fact: PrincipalFact) -> tuple[object, ...]:
    version = fact.version
    return (
        fact.account_id,
        fact.subject,
        fact.attribute,
        as_json(fact.value),
        version.time,
        version.sequence,
        version.rank,
        version.event_id,
    )


def _row_columns(state: PrincipalState) -> tuple[object, ...]:
    grants = state.grants
    principal = grants.principal
    return (
        state.account_id,
        principal.kind,
        principal.name,
        principal.arn,
        principal.unique_id,
        as_json(principal.groups),
        as_json([_policy(policy) for policy in grants.policies]),
        None if grants.boundary is None else as_json(_policy(grants.boundary)),
        principal.trust_policy,
        as_json(dict(principal.tags)),
        as_json(grants.missing),
        None if state.reported is None else as_json(_reported(state.reported)),
        state.since,
        state.cause_event_id,
    )


def _reported(reported: Reported) -> dict[str, object]:
    boundary = None if reported.boundary is None else _policy(reported.boundary)
    return {"policies": [_policy(policy) for policy in reported.policies], "boundary": boundary}


def _policy(policy: GrantedPolicy) -> dict[str, object]:
    return {"name": policy.name, "arn": policy.arn, "group": policy.group, "digest": policy.digest}
