"""
Statements bound to one account: what is left of them once the keys that the account fixes have their values.

Two statements that are equal here decide every request of the account alike, whatever text they were written as.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from rooftree.permissions.glob import ANY_STRING, Atom, Glob, Spelling, spelled
from rooftree.permissions.interval import Interval, place_of
from rooftree.policy.model import Effect, Quantifier

__all__ = ["BoundStatement", "KeyTest", "PrincipalTerm", "Relation", "Term", "hold", "members_of"]


@dataclass(frozen=True, slots=True, eq=False)
class PrincipalTerm:
    """
    What a pattern for principals says of the principals of one account.

    Attributes:
        iam: What must follow ``arn:PARTITION:iam::ACCOUNT:``.
        sts: What must follow ``arn:PARTITION:sts::ACCOUNT:``.
        text: The pattern, with the account as ``{account}`` where it is this one.
        members: The terms that make it up, if it is a union.
        identity: A text that only equal terms share; by it alone, and so by the globs, they are compared.
    """

    iam: frozenset[Glob]
    sts: frozenset[Glob]
    text: str
    spelling: Spelling
    members: tuple[PrincipalTerm, ...] = ()
    identity: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "identity", f"principal:{spelled(self.iam)}:{spelled(self.sts)}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PrincipalTerm) and self.identity == other.identity

    def __hash__(self) -> int:
        return hash(self.identity)


@dataclass(frozen=True, slots=True, eq=False)
class Relation:
    """
    A pattern with a policy variable: it relates two keys, so it is decided as a whole and marked inexact.

    Attributes:
        place: The key compared, in lower case, or ``resource``.
        text: The pattern as written.
        relaxed: The strings that match for some value of the variables.
        variables: The keys of the variables, in lower case.
        whole_test: Whether a whole condition is meant, on a key of several values, of which each may match or not.
        identity: A text that only equal relations share; by it they are compared.
    """

    place: str
    text: str
    relaxed: Atom | PrincipalTerm
    variables: tuple[str, ...]
    spelling: Spelling = Spelling.GLOB
    whole_test: bool = False
    identity: str = field(init=False)

    def __post_init__(self) -> None:
        told = (self.place, self.spelling.value, self.text, self.relaxed.identity)
        object.__setattr__(self, "identity", f"relation:{told!r}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Relation) and self.identity == other.identity

    def __hash__(self) -> int:
        return hash(self.identity)


Term = Atom | Interval | PrincipalTerm | Relation


def members_of(term: Term) -> tuple[Term, ...]:
    """
    Return the terms that make up a union, or the term itself.
    """
    return (term.members if isinstance(term, Atom | PrincipalTerm) else ()) or (term,)


@dataclass(frozen=True, slots=True, eq=False)
class KeyTest:
    """
    One condition: an operator of some family on one key.

    Attributes:
        key: The key in lower case.
        family: ``string``, ``bool``, ``number``, ``date``, ``ip`` or ``null``.
        terms: The values; one must match. For ``null``: none.
        negated: Whether none must match; for ``null``: whether the key must be present.
        always: Whether it holds for every request.
        identity: A text that only equal tests share; by it they are compared.
    """

    key: str
    family: str
    terms: frozenset[Term]
    negated: bool = False
    quantifier: Quantifier | None = None
    if_exists: bool = False
    always: bool = False
    spelled: str = ""
    identity: str = field(init=False)

    def __post_init__(self) -> None:
        flags = (self.negated, self.quantifier, self.if_exists, self.always)
        terms = sorted(term.identity for term in self.terms)
        object.__setattr__(self, "identity", repr((self.key, self.family, *map(str, flags), terms)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, KeyTest) and self.identity == other.identity

    def __hash__(self) -> int:
        return hash(self.identity)

    @property
    def if_absent(self) -> bool:
        """
        Whether the condition holds for a request without the key.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
        """
        if self.family == "null":
            return not self.negated
        if self.if_exists or self.quantifier is Quantifier.FOR_ALL_VALUES:
            return True
        return self.negated and self.quantifier is None


@dataclass(frozen=True, slots=True, eq=False)
class BoundStatement:
    """
    One statement as it concerns one account.

    Attributes:
        identity: A digest that only equal statements share; by it they are compared.
    """

    effect: Effect
    actions: frozenset[Atom]
    actions_negated: bool
    resources: frozenset[Atom | Relation]
    resources_negated: bool
    tests: frozenset[KeyTest]
    identity: str = field(init=False)

    def __post_init__(self) -> None:
        parts = (
            str(self.effect),
            self.actions_negated,
            sorted(term.identity for term in self.actions),
            self.resources_negated,
            sorted(term.identity for term in self.resources),
            sorted(test.identity for test in self.tests),
        )
        digest = hashlib.blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=20)
        object.__setattr__(self, "identity", digest.hexdigest())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BoundStatement) and self.identity == other.identity

    def __hash__(self) -> int:
        return hash(self.identity)

    @property
    def unlimited(self) -> bool:
        """
        Whether it speaks of every request.
        """
        return (
            not (self.tests or self.actions_negated or self.resources_negated)
            and ANY_STRING in self.actions
            and ANY_STRING in self.resources
        )


def hold(test: KeyTest, values: Sequence[str]) -> bool:
    """
    Tell whether a condition on a key that is fixed holds for its *values*.
    """
    if test.family == "null":
        return bool(values) == test.negated
    if not values:
        return test.if_absent
    matched = [any(_holds(term, value) for term in test.terms) for value in values]
    match test.quantifier:
        case Quantifier.FOR_ALL_VALUES:
            return all(one != test.negated for one in matched)
        case Quantifier.FOR_ANY_VALUE:
            return any(one != test.negated for one in matched)
        case None:
            return any(matched) != test.negated


def _holds(term: Term, value: str) -> bool:
    if isinstance(term, Interval):
        place = place_of(term.kind, value)
        return place is not None and term.holds(place)
    return isinstance(term, Atom) and term.matches(value)
