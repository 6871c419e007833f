"""
Who is in each account of an organization, and which policies each has.

https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from rooftree.organization.principal_facts import AccountPrincipals, PrincipalFact, PrincipalMerge
from rooftree.organization.principals import Principal, PrincipalKind, principal_subject

__all__ = ["Directory", "GrantedPolicy", "Grants"]


@dataclass(frozen=True, slots=True)
class GrantedPolicy:
    """
    A policy that a principal has.

    Attributes:
        arn: Of a managed policy; None for one that is inline.
        group: The group through which a user has it; None for one of its own.
        digest: The document; None while it is not known.
    """

    name: str
    arn: str | None
    group: str | None
    digest: str | None


@dataclass(frozen=True, slots=True)
class Grants:
    """
    A principal with its identity-based policies and its permissions boundary.

    Attributes:
        policies: Its own, inline ones first, then those of its groups.
        boundary: What caps them; None if nothing does.
        missing: The ARNs of policies whose document is not known, and ``group/…`` for groups that are not.
    """

    principal: Principal
    policies: tuple[GrantedPolicy, ...]
    boundary: GrantedPolicy | None
    missing: tuple[str, ...]

    def policy_id(self, policy: GrantedPolicy) -> str:
        """
        Return what names one of its policies: the ARN, or whose inline policy it is and what it is called there.
        """
        own = f"{self.principal.kind}/{self.principal.name}"
        return policy.arn or f"{f'group/{policy.group}' if policy.group else own}:{policy.name}"


class Directory:
    """
    The principals of all accounts of an organization.

    It says nothing of which accounts there are: an account that leaves and comes back brings its principals along.
    """

    def __init__(self, facts: Iterable[PrincipalFact] = (), documents: Mapping[str, str] | None = None) -> None:
        self._documents = dict(documents or {})
        self._resolved: dict[str, dict[str, Grants]] = {}
        by_account: defaultdict[str, list[PrincipalFact]] = defaultdict(list)
        for fact in facts:
            by_account[fact.account_id].append(fact)
        self._accounts = {account_id: AccountPrincipals(account_id, said) for account_id, said in by_account.items()}

    def __iter__(self) -> Iterator[PrincipalFact]:
        for account in self._accounts.values():
            yield from account

    @property
    def is_empty(self) -> bool:
        """
        Whether nothing is known of the principals of any account.
        """
        return not self._accounts

    def knows(self, account_id: str) -> bool:
        """
        Tell whether anything was ever said of the principals of an account.
        """
        return account_id in self._accounts

    def is_whole(self, account_id: str) -> bool:
        """
        Tell whether a snapshot has named all principals of an account: whoever is not among them does not exist.
        """
        account = self._accounts.get(account_id)
        return account is not None and account.is_whole

    def merge(self, account_id: str, facts: Iterable[PrincipalFact]) -> PrincipalMerge:
        """
        Take in facts about one account and tell what they have done.
        """
        account = self._accounts.get(account_id)
        if account is None:
            account = self._accounts[account_id] = AccountPrincipals(account_id)
        merge = account.merge(facts)
        if merge.facts or merge.forgotten:
            self._resolved.pop(account_id, None)
        return merge

    def said(self, account_id: str, subject: str, attribute: str) -> PrincipalFact | None:
        """
        Return what was said last of one attribute, apart from snapshots.
        """
        account = self._accounts.get(account_id)
        return None if account is None else account.said(subject, attribute)

    def knows_policy(self, account_id: str, arn: str) -> bool:
        """
        Tell whether the document of a managed policy is known to an account.
        """
        account = self._accounts.get(account_id)
        policy = None if account is None else account.policy(arn)
        return policy is not None and policy.digest is not None

    def learn(self, documents: Mapping[str, str]) -> dict[str, str]:
        """
        Take in documents by digest and return those that were not known.
        """
        fresh = {digest: text for digest, text in documents.items() if digest not in self._documents}
        self._documents.update(fresh)
        return fresh

    def document(self, digest: str) -> str:
        """
        Return the text of a document that some principal or policy names.
        """
        return self._documents[digest]

    def grants(self, account_id: str) -> Mapping[str, Grants]:
        """
        Return the principals of an account, each with what it has, by subject.
        """
        found = self._resolved.get(account_id)
        if found is None:
            account = self._accounts.get(account_id)
            found = self._resolved[account_id] = dict(_resolve(account)) if account is not None else {}
        return found

    def digests(self, account_id: str) -> Iterator[str]:
        """
        Yield what names the documents that the principals of an account have.
        """
        for grants in self.grants(account_id).values():
            for policy in (*grants.policies, *([grants.boundary] if grants.boundary else ())):
                if policy.digest is not None:
                    yield policy.digest

    def find(self, account_id: str, kind: str, name: str) -> Grants | None:
        """
        Return one principal with what it has, if it exists.
        """
        return self.grants(account_id).get(principal_subject(kind, name))


def _resolve(account: AccountPrincipals) -> Iterator[tuple[str, Grants]]:
    principals = account.principals()
    digests = {arn: policy.digest for arn, policy in account.policies().items()}
    groups = {one.name: one for one in principals.values() if one.kind == PrincipalKind.GROUP}
    shared: dict[object, tuple[GrantedPolicy, ...]] = {}
    for subject, principal in principals.items():
        policies = tuple(_policies(principal, groups, digests))
        arn = principal.permissions_boundary
        boundary = None if arn is None else _managed(arn, None, digests)
        unknown = {policy.arn for policy in (*policies, *([boundary] if boundary else ())) if policy.digest is None}
        absent = {f"group/{group}" for group in principal.groups if group not in groups}
        missing = tuple(sorted({arn for arn in unknown if arn is not None} | absent))
        # Most principals have what many others have.
        yield subject, Grants(principal, shared.setdefault(policies, policies), boundary, missing)


def _policies(
    principal: Principal, groups: Mapping[str, Principal], digests: Mapping[str, str | None]
) -> Iterator[GrantedPolicy]:
    yield from _own_policies(principal, None, digests)
    for name in principal.groups:
        if name in groups:
            yield from _own_policies(groups[name], name, digests)


def _own_policies(holder: Principal, group: str | None, digests: Mapping[str, str | None]) -> Iterator[GrantedPolicy]:
    for name, digest in holder.inline_policies:
        yield GrantedPolicy(name, None, group, digest)
    for arn in holder.attached_policies:
        yield _managed(arn, group, digests)


def _managed(arn: str, group: str | None, digests: Mapping[str, str | None]) -> GrantedPolicy:
    return GrantedPolicy(arn.rpartition("/")[2], arn, group, digests.get(arn))
