"""
Statements bound to one account: what is left of them once the keys that the account fixes have their values.

Two statements that are equal here decide every request of the account alike, whatever text they were written as.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rooftree.permissions.glob import Atom, Glob, Spelling
from rooftree.permissions.interval import Interval
from rooftree.policy.model import Effect, Quantifier

__all__ = ["BoundStatement", "KeyTest", "PrincipalTerm", "Relation", "Term"]


@dataclass(frozen=True, slots=True)
class PrincipalTerm:
    """
    What a pattern for principals says of the principals of one account.

    Attributes:
        iam: What must follow ``arn:PARTITION:iam::ACCOUNT:``.
        sts: What must follow ``arn:PARTITION:sts::ACCOUNT:``.
        text: The pattern, with the account as ``{account}`` where it is this one; not compared.
    """

    iam: frozenset[Glob]
    sts: frozenset[Glob]
    text: str = field(compare=False)
    spelling: Spelling = field(compare=False)


@dataclass(frozen=True, slots=True)
class Relation:
    """
    A pattern with a policy variable: it relates two keys, so it is decided as a whole and marked inexact.

    Attributes:
        place: The key compared, in lower case, or ``resource``.
        text: The pattern as written.
        relaxed: The strings that match for some value of the variables.
        variables: The keys of the variables, in lower case.
    """

    place: str
    text: str
    relaxed: Atom | PrincipalTerm
    variables: tuple[str, ...]
    spelling: Spelling = Spelling.GLOB


Term = Atom | Interval | PrincipalTerm | Relation


@dataclass(frozen=True, slots=True)
class KeyTest:
    """
    One condition: an operator of some family on one key.

    Attributes:
        key: The key in lower case.
        family: ``string``, ``bool``, ``number``, ``date``, ``ip`` or ``null``.
        terms: The values; one must match. For ``null``: none.
        negated: Whether none must match; for ``null``: whether the key must be present.
        always: Whether it holds for every request.
    """

    key: str
    family: str
    terms: frozenset[Term]
    negated: bool = False
    quantifier: Quantifier | None = None
    if_exists: bool = False
    always: bool = False
    spelled: str = field(compare=False, default="")

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


@dataclass(frozen=True, slots=True)
class BoundStatement:
    """
    One statement as it concerns one account.
    """

    effect: Effect
    actions: frozenset[Atom]
    actions_negated: bool
    resources: frozenset[Atom | Relation]
    resources_negated: bool
    tests: frozenset[KeyTest]


def hold(test: KeyTest, values: Sequence[str]) -> bool:
    """
    Tell whether a condition on a key that is fixed holds for its *values*; of strings alone.
    """
    if test.family == "null":
        return bool(values) == test.negated
    if not values:
        return test.if_absent
    matched = [any(isinstance(term, Atom) and term.matches(value) for term in test.terms) for value in values]
    match test.quantifier:
        case Quantifier.FOR_ALL_VALUES:
            return all(one != test.negated for one in matched)
        case Quantifier.FOR_ANY_VALUE:
            return any(one != test.negated for one in matched)
        case None:
            return any(matched) != test.negated
