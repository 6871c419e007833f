"""
What patterns for principals say of the principals of one account.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final

from rooftree.permissions.account import ACCOUNT_PLACEHOLDER, AccountBinding
from rooftree.permissions.glob import Atom, Glob, glob_atom, sample_of
from rooftree.permissions.language import STRINGS, Start, partition
from rooftree.permissions.predicate import PrincipalTerm, Relation, Term
from rooftree.policy.variables import Piece

__all__ = [
    "BOUNDS",
    "PRINCIPAL_STARTS",
    "SERVICE_LINKED_ROLES",
    "of_principals",
    "principal_classes",
    "principal_rests",
    "tells_accounts_apart",
]

_NO_ACCOUNT: Final = "\0" * 12
"""Twelve characters that no pattern names: only wildcards stand for them."""


def of_principals(term: Term | None, account: AccountBinding) -> Term | None:
    """
    Return what is left of a pattern for principals once the account is known; ``None`` if it matches none of them.
    """
    if isinstance(term, Relation):
        relaxed = of_principals(term.relaxed, account)
        return replace(term, relaxed=relaxed) if isinstance(relaxed, PrincipalTerm) else None
    if not isinstance(term, Atom):
        return None
    if tells_accounts_apart(term, account.partition):
        return _own(term, account)
    return _anyones(term, account.partition)


@lru_cache(maxsize=65536)
def tells_accounts_apart(atom: Atom, partition: str) -> bool:
    """
    Tell whether a pattern can say different things of the principals of two accounts: whether it names a digit of one.
    """
    for service in ("iam", "sts"):
        prefix = f"arn:{partition}:{service}::"
        for length in range(len(_NO_ACCOUNT)):
            for glob in atom.after(prefix + _NO_ACCOUNT[:length]):
                if glob and isinstance(glob[0].chars, str) and any(char.isdigit() for char in glob[0].chars):
                    return True
    return False


@lru_cache(maxsize=65536)
def _anyones(atom: Atom, partition: str) -> PrincipalTerm | None:
    """
    Return the term of a pattern that says the same of every account.
    """
    return _after(atom, partition, _NO_ACCOUNT, atom.text)


def _own(atom: Atom, account: AccountBinding) -> PrincipalTerm | None:
    """
    Return the term of a pattern that names digits of accounts.
    """
    if (named := _named_account(atom)) is not None and named != account.account_id:
        return None
    text = atom.text.replace(account.account_id, ACCOUNT_PLACEHOLDER)
    return _after(atom, account.partition, account.account_id, text)


@lru_cache(maxsize=65536)
def _named_account(atom: Atom) -> str | None:
    """
    Return the account whose principals alone a pattern matches, if it names one.
    """
    fields = atom.text.split(":", 5)
    plain = len(fields) == 6 and not any(char in field for field in fields[:5] for char in "*?$")
    return fields[4] if plain else None


def _after(atom: Atom, partition: str, account_id: str, text: str) -> PrincipalTerm | None:
    iam = atom.after(f"arn:{partition}:iam::{account_id}:")
    sts = atom.after(f"arn:{partition}:sts::{account_id}:")
    return PrincipalTerm(iam, sts, text, atom.spelling) if iam or sts else None


def _tail(text: str) -> Atom:
    return glob_atom([Piece(text)], text)


SERVICE_LINKED_ROLES: Final = _tail("arn:*:iam::*:role/aws-service-role/*")
"""Whom service and resource control policies do not bind."""

PRINCIPAL_STARTS: Final = (Start("iam:", 0), Start("sts:", 0))
"""The principals of an account, each by what stands before and behind the account in its ARN."""

_IAM_PRINCIPALS: Final = (_tail("root"), _tail("user/?*"), _tail("role/?*"))
_STS_PRINCIPALS: Final = (_tail("federated-user/?*"),)
_SERVICE_LINKED: Final = _tail("role/aws-service-role/*")

_BOUNDS: Final = (
    # for each start: those that exist, filled up to one length, and at the end those that are not bound
    (*(atom.globs for atom in _IAM_PRINCIPALS), _SERVICE_LINKED.globs),
    (*(atom.globs for atom in _STS_PRINCIPALS), frozenset[Glob](), frozenset[Glob](), frozenset[Glob]()),
)
BOUNDS: Final = len(_BOUNDS[0])


def principal_rests(terms: Sequence[PrincipalTerm]) -> tuple[tuple[frozenset[Glob], ...], ...]:
    """
    Return, for each start, what is left of each term, and behind these what bounds the principals.

    Service-linked roles are not among the principals that service control policies bind.
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
    """
    return (
        (*(term.iam for term in terms), *_BOUNDS[0]),
        (*(term.sts for term in terms), *_BOUNDS[1]),
    )


@lru_cache(maxsize=4096)
def principal_classes(terms: tuple[PrincipalTerm, ...]) -> list[tuple[int, str]]:
    """
    Return the classes of an account's principals that service control policies bind.
    """
    count = len(terms)
    barring = 1 << (BOUNDS - 1)
    found: dict[int, str] = {}
    for one in partition(STRINGS, PRINCIPAL_STARTS, principal_rests(terms)):
        if 0 < one.signature >> count < barring:
            found.setdefault(one.signature & ((1 << count) - 1), one.witness)
    # rather a role than the root user, and rather whole words, where either will do
    readable = sorted(
        {sample_of(glob) for term in terms for glob in term.iam}, key=lambda tail: ("role/" in tail, tail)
    )
    for tail in (*readable, "user/example", "role/Example"):
        if any(atom.matches(tail) for atom in _IAM_PRINCIPALS) and not _SERVICE_LINKED.matches(tail):
            signature = sum(Atom(term.iam, "").matches(tail) << index for index, term in enumerate(terms))
            found[signature] = f"iam:{tail}"
    return sorted(found.items())
