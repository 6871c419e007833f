"""
The principals of an account as a document: the data of a snapshot event that says the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from rooftree.organization.principal_facts import AccountPrincipals
from rooftree.organization.principals import ManagedPolicy, Principal, PrincipalKind

__all__ = ["named_documents", "principals_document"]


def principals_document(
    organization_id: str, account: AccountPrincipals, documents: Mapping[str, str]
) -> dict[str, object]:
    """
    Return all principals and managed policies of an account.

    A managed policy whose version in force was never told is left out.

    Args:
        organization_id: Their organization.
        account: The principals.
        documents: At least those that `named_documents` names.
    """
    return {
        "organization_id": organization_id,
        "account_id": account.account_id,
        "principals": [_principal(one, documents) for one in account.principals().values()],
        "managed_policies": [
            _policy(policy, documents) for policy in account.policies().values() if policy.digest is not None
        ],
    }


def named_documents(account: AccountPrincipals) -> set[str]:
    """
    Return the digests of all documents of an account.
    """
    subjects: list[Principal | ManagedPolicy] = [*account.principals().values(), *account.policies().values()]
    return {digest for one in subjects for digest in _named(one)}


def _named(one: Principal | ManagedPolicy) -> Iterator[str]:
    if isinstance(one, ManagedPolicy):
        yield from (digest for _, digest in one.versions)
        return
    yield from (digest for _, digest in one.inline_policies)
    if one.trust_policy is not None:
        yield one.trust_policy


def _principal(principal: Principal, documents: Mapping[str, str]) -> dict[str, object]:
    described: dict[str, object] = {
        "kind": str(principal.kind),
        "name": principal.name,
        "arn": principal.arn,
        "unique_id": principal.unique_id,
        "inline_policies": {name: json.loads(documents[digest]) for name, digest in principal.inline_policies},
        "attached_policies": list(principal.attached_policies),
        "permissions_boundary": principal.permissions_boundary,
        "tags": dict(principal.tags),
    }
    if principal.kind == PrincipalKind.USER:
        described["groups"] = list(principal.groups)
    if principal.trust_policy is not None:
        described["trust_policy"] = json.loads(documents[principal.trust_policy])
    return {name: value for name, value in described.items() if value is not None}


def _policy(policy: ManagedPolicy, documents: Mapping[str, str]) -> dict[str, object]:
    return {
        "arn": policy.arn,
        "name": policy.name,
        "default_version": policy.default_version,
        "versions": {version: json.loads(documents[digest]) for version, digest in policy.versions},
    }
