"""
The question whether two chains decide alike, put to an SMT solver with strings.

Left out, since the solver has no words for them or runs away: policy variables that are not fixed by the account, and
keys of several values.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from ipaddress import ip_address
from time import perf_counter
from typing import Any, Final

import cvc5
from cvc5 import Kind
from tests.generators.chains import ACCOUNT
from tests.generators.language import KEYS, Json, Key, Written, listed
from tests.generators.questions import DETERMINED

from rooftree.policy.context import Context
from rooftree.policy.request import Request
from rooftree.policy.values import parse_binary, parse_boolean, parse_date, parse_network, parse_number

__all__ = ["Answer", "ask"]

_KEYS: Final = {key.name.lower(): key for key in KEYS}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_MOMENTS: Final = tuple(
    (datetime.fromisoformat(limit) - _EPOCH) // _MICROSECOND
    for limit in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z")
)
_ORDER: Final = {
    "equals": Kind.EQUAL,
    "lessthan": Kind.LT,
    "lessthanequals": Kind.LEQ,
    "greaterthan": Kind.GT,
    "greaterthanequals": Kind.GEQ,
}


def _truth(text: str) -> str | None:
    truth = parse_boolean(text)
    return None if truth is None else str(truth).lower()


def _content(text: str) -> str | None:
    content = parse_binary(text)
    return None if content is None else base64.b64encode(content).decode()


_READ: Final[dict[str, Callable[[str], str | None]]] = {"bool": _truth, "binaryequals": _content}
_OPTIONS: Final = {
    "produce-models": "true",
    # of what was tried these two make it give up least
    "strings-eager-reg": "false",
    "nl-ext": "none",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What the solver says.

    Attributes:
        differs: Whether some request is let through by one chain and not by the other; ``None`` if it gave up.
        request: Such a request.
        solving: Seconds that it thought, without the building of the question.
    """

    differs: bool | None
    request: Request | None
    solving: float


@dataclass(frozen=True, slots=True)
class _Variable:
    """
    What a request holds of a key: whether it is there, and its value.

    Attributes:
        second: For an address: whether it is one of IPv6.
    """

    key: Key
    present: Any
    value: Any
    second: Any = None


class _Question:
    """
    Builds terms over one request.
    """

    def __init__(self, *, seconds: float) -> None:
        self.terms = cvc5.TermManager()
        self.solver = cvc5.Solver(self.terms)
        self.solver.setLogic("QF_SLIRA")
        for option, value in {**_OPTIONS, "tlimit-per": str(int(seconds * 1000))}.items():
            self.solver.setOption(option, value)
        self._string = self.terms.getStringSort()
        self._any, self._one = self.terms.mkRegexpAll(), self.terms.mkRegexpAllchar()
        self._in_field = self._term(Kind.REGEXP_DIFF, self._one, self._text(":"))
        printable = self._term(Kind.REGEXP_RANGE, self.terms.mkString(" "), self.terms.mkString("~"))
        self._printable = self._term(Kind.REGEXP_STAR, printable)
        self._variables: dict[str, _Variable] = {}
        self.action = self._constant(self._string, "action")
        self.resource = self._constant(self._string, "resource")
        letters = [self._term(Kind.REGEXP_RANGE, *map(self.terms.mkString, ends)) for ends in ("az", "09")]
        word = self._term(Kind.REGEXP_PLUS, self._union([*letters, self._text("-"), self._text("_")]))
        self._assume(self._in(self.action, self._sequence([word, self._text(":"), word])))
        fields = [self._text("arn:"), *[self._pattern("*:", field=True)] * 4, self._one, self._any]
        self._assume(self._in(self.resource, self._union([self._text("*"), self._sequence(fields)])))
        self._assume(self._in(self.resource, self._printable))

    def allowed(self, chain: Written) -> Any:
        """
        Return the term that says that a chain lets the request through.
        """
        statements = [
            [one for policy in policies for one in listed(policy["Statement"])] for policies in chain.documents
        ]
        levels = [self._some([self.applies(one) for one in level if one["Effect"] == "Allow"]) for level in statements]
        denials = [self.applies(one) for level in statements for one in level if one["Effect"] == "Deny"]
        return self._all([*levels, self._not(self._some(denials))])

    def applies(self, statement: Json) -> Any:
        """
        Return the term that says that a statement speaks of the request.
        """
        terms = [
            self._element(statement, "Action", self.action, lambda text: self._pattern(text.lower())),
            self._element(statement, "Resource", self.resource, self._resource_pattern),
        ]
        for operator, block in statement.get("Condition", {}).items():
            terms += [self._condition(operator.lower(), key.lower(), listed(found)) for key, found in block.items()]
        return self._all(terms)

    def request(self) -> Request:
        """
        Return the request that the solver has found.
        """
        context = dict(DETERMINED)
        for variable in self._variables.values():
            if variable.key.name not in DETERMINED and self._value(variable.present).getBooleanValue():
                context[variable.key.name] = self._text_of(variable)
        action, resource = (self._value(term).getStringValue() for term in (self.action, self.resource))
        return Request(action, resource, Context.from_json(context))

    def _element(self, statement: Json, name: str, subject: Any, pattern: Any) -> Any:
        negated = f"Not{name}" in statement
        texts = listed(statement[f"Not{name}" if negated else name])
        matched = self._in(subject, self._union([pattern(text) for text in texts]))
        return self._not(matched) if negated else matched

    def _resource_pattern(self, text: str) -> Any:
        return self._pattern(text + ":*" * (5 - text.count(":")) if text.strip("*") else text)

    def _condition(self, operator: str, key: str, wanted: Sequence[Any]) -> Any:
        prefix, _, base = operator.rpartition(":")
        bare, negated = base.removesuffix("ifexists").replace("not", ""), "not" in base
        texts = [one if isinstance(one, str) else str(one).lower() for one in wanted]
        variable = self._variable(key)
        if bare == "null":
            return self._some(
                [
                    self._not(variable.present) if truth else variable.present
                    for truth in map(parse_boolean, texts)
                    if truth is not None
                ]
            )
        hit = self._matched(bare, texts, variable)
        holds = self._not(hit) if negated else hit
        if prefix == "forallvalues" and variable.key.family in ("String", "Arn"):
            holds = self._some([holds, self._term(Kind.EQUAL, variable.value, self.terms.mkString(""))])
        if base.endswith("ifexists") or prefix == "forallvalues" or (negated and not prefix):
            return self._some([self._not(variable.present), holds])
        return self._all([variable.present, holds])

    def _matched(self, bare: str, texts: list[str], variable: _Variable) -> Any:
        """
        Return the term that says that the value of a key matches one of *texts*.
        """
        expressions = {
            "stringequals": self._text,
            "stringequalsignorecase": self._in_any_case,
            "stringlike": self._pattern,
            "arnequals": self._arn,
            "arnlike": self._arn,
        }
        if bare in expressions:
            return self._in(variable.value, self._union([expressions[bare](text) for text in texts]))
        if bare in _READ:
            return self._texts(variable.value, [found for text in texts if (found := _READ[bare](text)) is not None])
        match = self._inside if bare == "ipaddress" else partial(self._compared, bare)
        return self._some([match(variable, text) for text in texts])

    def _compared(self, bare: str, variable: _Variable, text: str) -> Any:
        if bare.startswith("numeric"):
            number = parse_number(text)
            bound = None if number is None else self.terms.mkReal("{}/{}".format(*number.as_integer_ratio()))
            kind = _ORDER[bare.removeprefix("numeric")]
        else:
            moment = parse_date(text)
            bound = None if moment is None else self._integer((moment - _EPOCH) // _MICROSECOND)
            kind = _ORDER[bare.removeprefix("date")]
        return self.terms.mkFalse() if bound is None else self._term(kind, variable.value, bound)

    def _inside(self, variable: _Variable, text: str) -> Any:
        network = parse_network(text)
        if network is None:
            return self.terms.mkFalse()
        family = variable.second if network.version == 6 else self._not(variable.second)
        first, last = (int(edge) for edge in (network.network_address, network.broadcast_address))
        return self._all([family, self._between(variable.value, first, last)])

    def _variable(self, key: str) -> _Variable:
        """
        Return what stands for a key, with what is known of it before any policy.
        """
        if key not in self._variables:
            self._variables[key] = self._made(_KEYS[key])
        return self._variables[key]

    def _made(self, key: Key) -> _Variable:
        name = key.name.lower()
        present = self.terms.mkTrue() if key.always else self._constant(self.terms.getBooleanSort(), f"has {name}")
        if key.name in DETERMINED:
            return _Variable(key, present, self.terms.mkString(DETERMINED[key.name]))
        if key.family == "Numeric":
            return _Variable(key, present, self._constant(self.terms.getRealSort(), name))
        if key.family == "Date":
            moment = self._constant(self.terms.getIntegerSort(), name)
            self._assume(self._between(moment, *_MOMENTS))
            return _Variable(key, present, moment)
        if key.family == "Ip":
            number = self._constant(self.terms.getIntegerSort(), name)
            newer = self._constant(self.terms.getBooleanSort(), f"{name} is of IPv6")
            last = self._term(Kind.ITE, newer, *(self._integer((1 << bits) - 1) for bits in (128, 32)))
            self._assume(self._term(Kind.LEQ, self._integer(0), number, last))
            return _Variable(key, present, number, newer)
        text = self._constant(self._string, name)
        self._assume(self._in(text, self._printable))
        if name == "aws:principalarn":
            self._assume(self._is_principal(text))
        if key.family == "Bool":
            self._assume(self._texts(text, ["true", "false"]))
        return _Variable(key, present, text)

    def _is_principal(self, text: Any) -> Any:
        """
        Return the term that says that a text is a principal of the account that service control policies bind.
        """
        account = ACCOUNT.account_id
        tails = [f"iam::{account}:root", f"iam::{account}:user/?*", f"iam::{account}:role/?*"]
        known = [self._pattern(f"arn:aws:{tail}") for tail in (*tails, f"sts::{account}:federated-user/?*")]
        linked = self._pattern(f"arn:aws:iam::{account}:role/aws-service-role/*")
        return self._all([self._in(text, self._union(known)), self._not(self._in(text, linked))])

    def _pattern(self, text: str, *, field: bool = False) -> Any:
        """
        Return the expression of a pattern; in a *field* of an ARN wildcards stand for no colon.
        """
        one = self._in_field if field else self._one
        run = self._term(Kind.REGEXP_STAR, one) if field else self._any
        parts, literal = [], ""
        for char in text:
            if char in "*?":
                parts += [self._text(literal), run if char == "*" else one]
                literal = ""
            else:
                literal += char
        return self._sequence([*parts, self._text(literal)])

    def _arn(self, text: str) -> Any:
        if text == "*":
            return self._any
        fields = text.split(":", 5)
        if len(fields) != 6:
            return self.terms.mkRegexpNone()
        parts = [part for field in fields[:5] for part in (self._pattern(field, field=True), self._text(":"))]
        return self._sequence([*parts, self._pattern(fields[5])])

    def _in_any_case(self, text: str) -> Any:
        return self._sequence([self._union([self._text(char.lower()), self._text(char.upper())]) for char in text])

    def _texts(self, value: Any, texts: list[str]) -> Any:
        return self._in(value, self._union([self._text(text) for text in texts]))

    def _text_of(self, variable: _Variable) -> str:
        """
        Return the value of a key in the request that the solver has found.
        """
        value = self._value(variable.value)
        if variable.key.family == "Numeric":
            number = value.getRealValue()
            # what policies compare are decimals, so that a decimal close by is on the same side
            return f"{number.numerator / number.denominator:.12f}"
        if variable.key.family == "Date":
            return (_EPOCH + value.getIntegerValue() * _MICROSECOND).isoformat()
        if variable.key.family == "Ip":
            newer = self._value(variable.second).getBooleanValue()
            return str(ip_address(value.getIntegerValue().to_bytes(16 if newer else 4, "big")))
        return str(value.getStringValue())

    def _value(self, term: Any) -> Any:
        return self.solver.getValue(term)

    def _constant(self, sort: Any, name: str) -> Any:
        return self.terms.mkConst(sort, name)

    def _assume(self, term: Any) -> None:
        self.solver.assertFormula(term)

    def _term(self, kind: Kind, *parts: Any) -> Any:
        return self.terms.mkTerm(kind, *parts)

    def _integer(self, number: int) -> Any:
        # as text, since larger ones do not fit into the numbers of the binding
        return self.terms.mkInteger(str(number))

    def _text(self, text: str) -> Any:
        return self._term(Kind.STRING_TO_REGEXP, self.terms.mkString(text))

    def _in(self, subject: Any, expression: Any) -> Any:
        return self._term(Kind.STRING_IN_REGEXP, subject, expression)

    def _between(self, number: Any, first: int, last: int) -> Any:
        return self._term(Kind.LEQ, self._integer(first), number, self._integer(last))

    def _not(self, term: Any) -> Any:
        return self._term(Kind.NOT, term)

    def _all(self, terms: Iterable[Any]) -> Any:
        return self._joined(Kind.AND, list(terms), self.terms.mkTrue())

    def _some(self, terms: Iterable[Any]) -> Any:
        return self._joined(Kind.OR, list(terms), self.terms.mkFalse())

    def _union(self, expressions: list[Any]) -> Any:
        return self._joined(Kind.REGEXP_UNION, expressions, self.terms.mkRegexpNone())

    def _sequence(self, expressions: list[Any]) -> Any:
        return self._joined(Kind.REGEXP_CONCAT, expressions, self._text(""))

    def _joined(self, kind: Kind, terms: list[Any], nothing: Any) -> Any:
        return nothing if not terms else terms[0] if len(terms) == 1 else self._term(kind, *terms)


def ask(before: Written, after: Written, *, seconds: float = 10) -> Answer:
    """
    Ask whether some request of the account is let through by one chain alone, for at most some *seconds*.
    """
    question = _Question(seconds=seconds)
    one, other = question.allowed(before), question.allowed(after)
    question.solver.assertFormula(question.terms.mkTerm(Kind.XOR, one, other))
    start = perf_counter()
    result = question.solver.checkSat()
    solving = perf_counter() - start
    if result.isUnknown():
        return Answer(None, None, solving)
    return Answer(result.isSat(), question.request() if result.isSat() else None, solving)
