"""
From the statements of a policy to what they mean for the principals of one account.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial
from typing import Final, TypeVar

from rooftree.permissions.account import AccountBinding
from rooftree.permissions.glob import ANY_STRING, Atom, arn_atom, glob_atom, in_any_case, literal_atom
from rooftree.permissions.interval import address_interval, date_interval, number_interval
from rooftree.permissions.keys import PRINCIPAL_KEY
from rooftree.permissions.predicate import BoundStatement, KeyTest, Relation, Term, hold
from rooftree.permissions.principals import of_principals
from rooftree.policy.model import Condition, Statement
from rooftree.policy.operators import Family, OperatorMeaning, meaning_of
from rooftree.policy.operators import Relation as Comparison
from rooftree.policy.patterns import complete_arn
from rooftree.policy.values import parse_binary, parse_boolean, parse_date, parse_network, parse_number
from rooftree.policy.variables import Piece, Template, Variable, parse_template

__all__ = ["bind_statement", "key_test", "term_of"]

T = TypeVar("T", bound=Term)

_KINDS: Final = {
    Family.STRING: "string",
    Family.ARN: "string",
    Family.BINARY: "string",
    Family.BOOL: "bool",
    Family.NUMERIC: "number",
    Family.DATE: "date",
    Family.IP: "ip",
}


def bind_statement(statement: Statement, account: AccountBinding, *, variables: bool) -> BoundStatement | None:
    """
    Return what a statement means for the requests of an account; ``None`` if it never applies to them.
    """
    tests = set()
    for condition in statement.conditions:
        test = key_test(condition, account, variables=variables)
        if test.always:
            continue
        if test.key not in account.side.determined:
            tests.add(test)
        elif not hold(test, account.value_of(test.key)):
            return None
    resources = next((some for some in (statement.resources, statement.not_resources) if some is not None), ("*",))
    terms = (_resource_term(text, account, variables=variables) for text in resources)
    actions = statement.actions if statement.actions is not None else statement.not_actions or ()
    return BoundStatement(
        effect=statement.effect,
        actions=_without_needless(_action_atom(text) for text in actions),
        actions_negated=statement.actions is None,
        resources=_without_needless(term for term in terms if term is not None),
        resources_negated=statement.not_resources is not None,
        tests=frozenset(tests),
    )


def _without_needless(terms: Iterable[T]) -> frozenset[T]:
    """
    Return some terms, beside one that matches everything no other.
    """
    listed = frozenset(terms)
    everything = [term for term in listed if term == ANY_STRING]
    return frozenset(everything) if everything else listed


@lru_cache(maxsize=65536)
def _action_atom(text: str) -> Atom:
    return glob_atom([Piece(text)], text, lower=True)


def _resource_term(text: str, account: AccountBinding, *, variables: bool) -> Atom | Relation | None:
    template = parse_template(complete_arn(text, variables=variables), variables=variables)
    return _string_term(template, text, "resource", account, glob_atom)


def key_test(condition: Condition, account: AccountBinding, *, variables: bool) -> KeyTest:
    """
    Return a condition with its values as terms; values that match nothing are left out.
    """
    key, operator = condition.key.lower(), condition.operator
    meaning = meaning_of(operator)
    if meaning.family is Family.NULL:
        return _null_test(key, condition)
    terms: set[Term] = set()
    for text in condition.values:
        term = term_of(meaning, text, key, account, variables=variables)
        if key == PRINCIPAL_KEY and account.side.own_principals:
            term = of_principals(term, account)
        if term is not None:
            terms.add(term)
    kind = _KINDS[meaning.family]
    return KeyTest(
        key, kind, frozenset(terms), meaning.negated, operator.quantifier, operator.if_exists, spelled=condition.key
    )


def _null_test(key: str, condition: Condition) -> KeyTest:
    """
    Return a test of existence; one that asks for both is always true.
    """
    wanted = {parse_boolean(text) for text in condition.values} - {None}
    if not wanted:
        return KeyTest(key, "string", frozenset(), spelled=condition.key)  # asks for neither, so it never holds
    always = len(wanted) > 1
    return KeyTest(key, "null", frozenset(), negated=True not in wanted, always=always, spelled=condition.key)


def term_of(meaning: OperatorMeaning, text: str, key: str, account: AccountBinding, *, variables: bool) -> Term | None:
    """
    Return the term of one value of a condition; ``None`` if it can match nothing.
    """
    if meaning.family in (Family.STRING, Family.ARN):
        template = parse_template(text, variables=variables)
        return _string_term(template, text, key, account, partial(_condition_atom, meaning))
    if meaning.family is Family.BINARY:
        content = parse_binary(text)
        return None if content is None else literal_atom(base64.b64encode(content).decode())
    if meaning.family is Family.BOOL:
        truth = parse_boolean(text)
        return None if truth is None else literal_atom(str(truth).lower())
    if meaning.family is Family.IP:
        network = parse_network(text)
        return None if network is None else address_interval(network, text)
    if meaning.family is Family.NUMERIC:
        number = parse_number(text)
        return None if number is None else number_interval(_COMPARISONS[meaning.relation], number, text)
    moment = parse_date(text)
    return None if moment is None else date_interval(_COMPARISONS[meaning.relation], moment, text)


_COMPARISONS: Final = {
    Comparison.EQUALS: "Equals",
    Comparison.LESS_THAN: "LessThan",
    Comparison.LESS_THAN_EQUALS: "LessThanEquals",
    Comparison.GREATER_THAN: "GreaterThan",
    Comparison.GREATER_THAN_EQUALS: "GreaterThanEquals",
}


def _condition_atom(meaning: OperatorMeaning, pieces: Sequence[Piece], text: str) -> Atom:
    """
    Return the atom of a value of a string condition.
    """
    if meaning.family is Family.ARN:
        return arn_atom(pieces, text)
    if meaning.relation is Comparison.LIKE:
        return glob_atom(pieces, text)
    if any(piece is FREE for piece in pieces):
        listed = [piece if piece is FREE else Piece(piece.text, literal=True) for piece in pieces]
        relaxed = glob_atom(listed, text)
        return in_any_case(relaxed) if meaning.relation is Comparison.EQUALS_IGNORE_CASE else relaxed
    plain = "".join(piece.text for piece in pieces)
    atom = literal_atom(plain, ignore_case=meaning.relation is Comparison.EQUALS_IGNORE_CASE)
    return Atom(atom.globs, text, atom.spelling)


FREE: Final = Piece("*")
"""What stands for a variable whose value is not known."""


def _string_term(
    template: Template,
    text: str,
    place: str,
    account: AccountBinding,
    compile_atom: Callable[[Sequence[Piece], str], Atom],
) -> Atom | Relation | None:
    """
    Put in what is known of variables; what then still varies makes the term a relation.

    ``None`` for a pattern with a variable that never has a value: it matches nothing.
    """
    if "${" in text and not any(isinstance(part, Variable) or part.literal for part in template):
        # before 2012 this was plain text, and that is how it is to be read where it is shown
        text = text.replace("${", "${$}{")
    known = [_fixed(part, account) if isinstance(part, Variable) else part for part in template]
    if None in known:
        return None
    pieces = [part if isinstance(part, Piece) else FREE for part in known]
    free = tuple(part.key.lower() for part in known if isinstance(part, Variable))
    if not free:
        return compile_atom(pieces, text)
    relaxed = compile_atom(pieces, "".join(piece.text for piece in pieces))
    return Relation(place, text, relaxed, free, relaxed.spelling)


def _fixed(variable: Variable, account: AccountBinding) -> Piece | Variable | None:
    key = variable.key.lower()
    if key in account.side.determined:
        return Piece(account.value_of(key)[0], literal=True)
    if ":" in key:
        return variable
    # no request has a key without a service prefix, such as the `${Account}` of a template that was never filled in
    return None if variable.default is None else Piece(variable.default, literal=True)
