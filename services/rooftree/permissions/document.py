"""
Policies as they bind an account, shared between accounts for which they mean the same.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from functools import lru_cache
from typing import Final

from rooftree.permissions.account import AccountBinding
from rooftree.permissions.binding import bind_statement, key_test, term_of
from rooftree.permissions.glob import Atom
from rooftree.permissions.keys import PRINCIPAL_KEY, Side
from rooftree.permissions.predicate import BoundStatement, Relation, hold
from rooftree.permissions.principals import of_principals, tells_accounts_apart
from rooftree.policy.model import Condition, Effect, PolicyDocument, Statement
from rooftree.policy.operators import meaning_of
from rooftree.policy.variables import Variable, parse_template

__all__ = ["BoundDocument", "Question", "bind_document", "forget_documents", "questions_about"]

MOST_KEPT: Final = 65536
"""Bound policies kept: more than an organization has policies, times the accounts that they name."""


class BoundDocument:
    """
    The statements of a policy that can apply to requests of an account, each with the one that it came from.

    INVARIANT: accounts for which a policy means the same get one object, so that sharing is found out quickly.

    Attributes:
        allows: Those that allow something.
        denials: Those that deny something.
    """

    __slots__ = ("allows", "denials", "statements")

    def __init__(self, statements: tuple[tuple[BoundStatement, Statement], ...]) -> None:
        self.statements: Final = statements
        self.allows: Final = frozenset(bound for bound, _source in statements if bound.effect is Effect.ALLOW)
        self.denials: Final = frozenset(bound for bound, _source in statements if bound.effect is Effect.DENY)


_bound: Final[dict[tuple[PolicyDocument, str, tuple[Hashable, ...]], BoundDocument]] = {}


def bind_document(document: PolicyDocument, account: AccountBinding) -> BoundDocument:
    """
    Return what a policy means for the requests of an account.
    """
    asked = questions_about(document, account.side)
    key = (document, account.side.name, tuple(question(account) for question in asked))
    found = _bound.get(key)
    if found is None:
        if len(_bound) >= MOST_KEPT:
            _bound.clear()
        found = _bound[key] = BoundDocument(tuple(_bind_statements(document, account)))
    return found


def forget_documents() -> None:
    """
    Drop what is remembered of documents.
    """
    _bound.clear()
    questions_about.cache_clear()


def _bind_statements(document: PolicyDocument, account: AccountBinding) -> Iterator[tuple[BoundStatement, Statement]]:
    for statement in document.statements:
        bound = bind_statement(statement, account, variables=document.has_variables)
        if bound is not None:
            yield bound, statement


Question = Callable[[AccountBinding], Hashable]


@lru_cache(maxsize=16384)
def questions_about(document: PolicyDocument, side: Side) -> tuple[Question, ...]:
    """
    Return what must be asked of an account to know what a policy means for it.

    INVARIANT: accounts of the partition of *side* with equal answers have equal bound statements.
    """
    return tuple(
        question
        for statement in document.statements
        for question in (
            *_questions_of_resources(statement, side, variables=document.has_variables),
            *(
                question
                for condition in statement.conditions
                for question in _questions_of_condition(condition, side, variables=document.has_variables)
            ),
        )
    )


def _questions_of_resources(statement: Statement, side: Side, *, variables: bool) -> Iterator[Question]:
    for text in (*(statement.resources or ()), *(statement.not_resources or ())):
        yield from _questions_of_text(text, side, variables=variables)


def _questions_of_text(text: str, side: Side, *, variables: bool) -> Iterator[Question]:
    for part in parse_template(text, variables=variables):
        if isinstance(part, Variable) and part.key.lower() in side.determined:
            yield _values(part.key.lower())


def _values(key: str) -> Question:
    return lambda account: account.value_of(key)


def _questions_of_condition(condition: Condition, side: Side, *, variables: bool) -> Iterator[Question]:
    key = condition.key.lower()
    asked = [question for text in condition.values for question in _questions_of_text(text, side, variables=variables)]
    yield from asked
    if key in side.determined:
        yield _values(key) if asked else _whether_it_holds(condition, variables=variables)
    elif key == PRINCIPAL_KEY and side.own_principals and not asked:
        for text in condition.values:
            yield from _questions_of_principal(condition, text, side, variables=variables)


def _whether_it_holds(condition: Condition, *, variables: bool) -> Question:
    """
    Ask whether a condition on a key that the account determines holds, which few accounts answer unlike the others.
    """
    known: dict[tuple[str, ...], bool] = {}

    def question(account: AccountBinding) -> bool:
        values = account.value_of(condition.key.lower())
        if values not in known:
            known[values] = hold(key_test(condition, account, variables=variables), values)
        return known[values]

    return question


def _questions_of_principal(condition: Condition, text: str, side: Side, *, variables: bool) -> Iterator[Question]:
    """
    Ask what a pattern for principals leaves of the account's, unless it leaves the same of every account's.
    """
    pattern = term_of(meaning_of(condition.operator), text, PRINCIPAL_KEY, _SOME_ACCOUNT, variables=variables)
    atom = pattern.relaxed if isinstance(pattern, Relation) else pattern
    if isinstance(atom, Atom) and tells_accounts_apart(atom, side.partition):
        yield lambda account: of_principals(atom, account)


_SOME_ACCOUNT: Final = AccountBinding("000000000000", "o-0000000000", "o-0000000000/r-0000/")
"""Stands in where the pattern holds nothing that an account determines."""
