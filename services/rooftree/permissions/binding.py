"""
From the statements of a policy to what they mean for the principals of one account.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Final

from rooftree.permissions.glob import Atom, arn_atom, glob_atom, literal_atom
from rooftree.permissions.interval import address_interval, date_interval, number_interval
from rooftree.permissions.keys import DETERMINED
from rooftree.permissions.predicate import BoundStatement, KeyTest, PrincipalTerm, Relation, Term, hold
from rooftree.policy.model import Condition, PolicyDocument, Statement
from rooftree.policy.operators import Family, OperatorMeaning, meaning_of
from rooftree.policy.operators import Relation as Comparison
from rooftree.policy.patterns import complete_arn
from rooftree.policy.values import parse_binary, parse_boolean, parse_date, parse_network, parse_number
from rooftree.policy.variables import Piece, Template, Variable, parse_template

__all__ = [
    "ACCOUNT_PLACEHOLDER",
    "PRINCIPAL_KEY",
    "AccountBinding",
    "BoundDocument",
    "bind_document",
    "depends_on_account",
]

PRINCIPAL_KEY: Final = "aws:principalarn"
ACCOUNT_PLACEHOLDER: Final = "{account}"

_KINDS: Final = {
    Family.STRING: "string",
    Family.ARN: "string",
    Family.BINARY: "string",
    Family.BOOL: "bool",
    Family.NUMERIC: "number",
    Family.DATE: "date",
    Family.IP: "ip",
}


@dataclass(frozen=True, slots=True)
class AccountBinding:
    """
    What an account fixes for the requests of its principals.

    Attributes:
        organization_path: ``o-…/r-…/ou-…/`` down to the parent of the account, with the slash at the end.
        partition: The AWS partition.
    """

    account_id: str
    organization_id: str
    organization_path: str
    partition: str = "aws"

    def value_of(self, key: str) -> tuple[str, ...]:
        """
        Return the values of a key, in lower case, that the account determines.
        """
        return {
            "aws:principalaccount": (self.account_id,),
            "aws:principalorgid": (self.organization_id,),
            "aws:principalorgpaths": (self.organization_path,),
            "aws:principalisawsservice": ("false",),
        }[key]


@lru_cache(maxsize=16384)
def depends_on_account(document: PolicyDocument) -> bool:
    """
    Tell whether a policy can mean different things for two accounts.
    """
    fixed = {*DETERMINED, PRINCIPAL_KEY}
    return any(
        condition.key.lower() in fixed for statement in document.statements for condition in statement.conditions
    ) or (
        document.has_variables
        and any(
            "${" in text
            for statement in document.statements
            for text in (
                *(statement.resources or ()),
                *(statement.not_resources or ()),
                *(value for condition in statement.conditions for value in condition.values),
            )
        )
    )


class BoundDocument:
    """
    The statements of a policy that can apply to requests of an account, each with the one that it came from.

    INVARIANT: equal contents are one object, so that accounts find out quickly that they share a chain.
    """

    __slots__ = ("statements",)

    def __init__(self, statements: tuple[tuple[BoundStatement, Statement], ...]) -> None:
        self.statements: Final = statements


def bind_document(document: PolicyDocument, account: AccountBinding) -> BoundDocument:
    """
    Return what a policy means for the principals of an account.
    """
    return _bind_for(document, account) if depends_on_account(document) else _bind_for(document, _ANY_ACCOUNT)


_ANY_ACCOUNT: Final = AccountBinding("000000000000", "o-0000000000", "o-0000000000/r-0000/")


@lru_cache(maxsize=65536)
def _bind_for(document: PolicyDocument, account: AccountBinding) -> BoundDocument:
    bound = (
        (_bind(statement, account, variables=document.has_variables), statement) for statement in document.statements
    )
    return _interned(tuple((found, statement) for found, statement in bound if found is not None))


@lru_cache(maxsize=65536)
def _interned(statements: tuple[tuple[BoundStatement, Statement], ...]) -> BoundDocument:
    return BoundDocument(statements)


def forget_documents() -> None:
    """
    Drop what is remembered of documents.
    """
    for remembered in (depends_on_account, _bind_for, _interned, _action_atom, _principal_term):
        remembered.cache_clear()


def _bind(statement: Statement, account: AccountBinding, *, variables: bool) -> BoundStatement | None:
    tests = set()
    for condition in statement.conditions:
        test = _key_test(condition, account, variables=variables)
        if test.key in DETERMINED:
            if not hold(test, account.value_of(test.key)):
                return None
        elif not test.always:
            tests.add(test)
    resources = statement.resources if statement.resources is not None else statement.not_resources or ("*",)
    terms = (_resource_term(text, account, variables=variables) for text in resources)
    actions = statement.actions if statement.actions is not None else statement.not_actions or ()
    return BoundStatement(
        effect=statement.effect,
        actions=frozenset(_action_atom(text) for text in actions),
        actions_negated=statement.actions is None,
        resources=frozenset(term for term in terms if term is not None),
        resources_negated=statement.not_resources is not None,
        tests=frozenset(tests),
    )


@lru_cache(maxsize=65536)
def _action_atom(text: str) -> Atom:
    return glob_atom([Piece(text)], text, lower=True)


def _resource_term(text: str, account: AccountBinding, *, variables: bool) -> Atom | Relation | None:
    template = parse_template(complete_arn(text, variables=variables), variables=variables)
    return _string_term(template, text, "resource", account, glob_atom)


def _key_test(condition: Condition, account: AccountBinding, *, variables: bool) -> KeyTest:
    """
    Return a condition with its values as terms; values that match nothing are left out.
    """
    key, operator = condition.key.lower(), condition.operator
    meaning = meaning_of(operator)
    if meaning.family is Family.NULL:
        return _null_test(key, condition)
    terms: set[Term] = set()
    for text in condition.values:
        term = _term(meaning, text, key, account, variables=variables)
        if key == PRINCIPAL_KEY:
            term = _of_principals(term, account)
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


def _term(meaning: OperatorMeaning, text: str, key: str, account: AccountBinding, *, variables: bool) -> Term | None:
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
        return glob_atom([piece if piece is FREE else Piece(piece.text, literal=True) for piece in pieces], text)
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
    if key in DETERMINED:
        return Piece(account.value_of(key)[0], literal=True)
    if ":" in key:
        return variable
    # no request has a key without a service prefix, such as the `${Account}` of a template that was never filled in
    return None if variable.default is None else Piece(variable.default, literal=True)


def _of_principals(term: Term | None, account: AccountBinding) -> Term | None:
    """
    Return what is left of a pattern for principals once the account is known; ``None`` if it matches none of them.
    """
    if isinstance(term, Relation):
        relaxed = _of_principals(term.relaxed, account)
        return replace(term, relaxed=relaxed) if isinstance(relaxed, PrincipalTerm) else None
    return _principal_term(term, account) if isinstance(term, Atom) else None


@lru_cache(maxsize=65536)
def _principal_term(atom: Atom, account: AccountBinding) -> PrincipalTerm | None:
    """
    Return what a pattern says of this account's principals; ``None`` if it matches none of them.
    """
    prefix = f"arn:{account.partition}:iam::{account.account_id}:"
    iam = atom.after(prefix)
    sts = atom.after(f"arn:{account.partition}:sts::{account.account_id}:")
    if not iam and not sts:
        return None
    return PrincipalTerm(iam, sts, atom.text.replace(account.account_id, ACCOUNT_PLACEHOLDER), atom.spelling)
