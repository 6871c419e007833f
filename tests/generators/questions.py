"""
Requests that come close to what given policies name: the gaps of a pattern filled in this way and that, near misses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from hypothesis import strategies as st
from tests.generators.chains import ACCOUNT
from tests.generators.language import KEYS, Fit, Json, Key, Language, Pair, Written, listed, statements_of

from rooftree.policy.context import Context
from rooftree.policy.request import Request
from rooftree.policy.values import parse_date, parse_network, parse_number

__all__ = ["DETERMINED", "Asked", "Questions", "asked_pairs", "questions_about"]

DETERMINED: Final[Json] = {
    "aws:PrincipalAccount": ACCOUNT.account_id,
    "aws:PrincipalOrgID": ACCOUNT.organization_id,
    "aws:PrincipalOrgPaths": [ACCOUNT.organization_path],
    "aws:PrincipalIsAWSService": "false",
}
"""What the account settles for the requests of its principals."""

_ALSO_SENT: Final[Json] = {
    "aws:PrincipalType": "AssumedRole",
    "aws:userid": "AROAEXAMPLE:session",
    "aws:EpochTime": "1767225600",
    "aws:UserAgent": "example",
    "aws:ViaAWSService": "false",
}

_ACTION: Final = re.compile(r"[A-Za-z0-9_-]+:[A-Za-z0-9_-]+")
_RESOURCE: Final = re.compile(r"\*|arn:(?:[^:]*:){4}.+", re.DOTALL)
_PRINCIPAL: Final = re.compile(
    rf"arn:aws:(?:iam::{ACCOUNT.account_id}:(?:root|user/.+|role/(?!aws-service-role/).+)"
    rf"|sts::{ACCOUNT.account_id}:federated-user/.+)",
    re.DOTALL,
)
_TOKEN: Final = re.compile(r"\$\{([*?$])\}|\$\{([^{},']*)(?:,\s*'([^']*)')?\}|(\*)|(\?)", re.DOTALL)

ACTIONS: Final = ("s3:GetObject", "s3:PutObject", "ec2:RunInstances", "iam:PassRole", "sqs:TagQueue", "x:y")
RESOURCES: Final = ("*", "arn:aws:s3:::prod-a", "arn:aws:s3:::home/alice/x", "arn:aws:sqs:eu-west-1:222222222222:queue")
PRINCIPALS: Final = tuple(
    f"arn:aws:{tail}".replace("::", f"::{ACCOUNT.account_id}:")
    for tail in ("iam::role/Admin", "iam::role/path/Other", "iam::user/alice", "iam::root", "sts::federated-user/bob")
)
_OTHERS: Final = {
    "String": ("a", "b", "ab", "A", "alice", "other", "eu-west-1", "us-east-1"),
    "Arn": ("arn:aws:s3:::logs", "arn:aws:sns:eu-west-1:222222222222:topic", "arn:aws:sns:eu-west-1:1:a:b"),
    "Numeric": ("0", "5", "7.25", "-1", "1e2"),
    "Date": ("2026-03-01T00:00:00Z", "2030-01-01", "1577836800"),
    "Bool": ("true", "false"),
    "Binary": ("QUJD", "QUJE", "AAA="),
    "Ip": ("10.1.2.3", "192.0.2.7", "2001:db8::5", "198.51.100.1", "::ffff:10.0.0.1", "fe80::1"),
}


@dataclass(slots=True)
class Questions:
    """
    Makes requests about some statements.

    Attributes:
        sendable: Whether requests are only those that a principal of the account can send: keys that are always sent
            are there, values are of the kind that the key holds.
    """

    random: Random
    statements: Iterable[Json]
    sendable: bool = True
    _wanted: dict[str, list[str]] = field(init=False)
    _actions: list[str] = field(init=False)
    _resources: list[str] = field(init=False)

    def __post_init__(self) -> None:
        statements = list(self.statements)
        self._actions = _named(statements, "Action")
        self._resources = _named(statements, "Resource")
        self._wanted = {}
        for statement in statements:
            for block in statement.get("Condition", {}).values():
                for key, values in block.items():
                    texts = [one if isinstance(one, str) else str(one).lower() for one in listed(values)]
                    self._wanted.setdefault(key.lower(), []).extend(texts)

    def request(self) -> Request:
        """
        Return one request.
        """
        context = self._context()
        return Request(
            self._text(self._actions, context, ACTIONS, _ACTION),
            self._text(self._resources, context, RESOURCES, _RESOURCE),
            Context.from_json(context),
        )

    def _context(self) -> Json:
        context: Json = {**DETERMINED, **_ALSO_SENT} if self.sendable else {}
        for key in KEYS:
            if self.sendable and key.name in DETERMINED:
                continue
            asked = key.name.lower() in self._wanted
            # a key that no policy looks at matters only to variables
            rest = (True, False) if key.family == "String" else (False,)
            if (self.sendable and key.always) or self.random.choice((True, True, False) if asked else rest):
                context[self._case(key.name)] = self._values(key, context)
        return context

    def _case(self, name: str) -> str:
        return self.random.choice((name, name, name, name.lower()))

    def _values(self, key: Key, context: Json) -> Any:
        if not key.many and (self.sendable or self.random.choice((True,) * 5 + (False,))):
            return self._value(key, context)
        least = 1 if self.sendable else 0
        values = [self._value(key, context) for _ in range(self.random.choice((least, 1, 2, 3)))]
        return [value for value in values if value] or ["x"] if self.sendable else values

    def _value(self, key: Key, context: Json) -> str:
        wanted = self._wanted.get(key.name.lower(), [])
        if not self.sendable and self.random.choice((False,) * 4 + (True,)):
            key = self.random.choice(KEYS)
        if key.name == "aws:PrincipalArn" and self.sendable:
            owned = [re.sub(r"^(.*?:.*?:).*?:.*?:.*?:", r"arn:aws:iam::222222222222:", text) for text in wanted]
            return self._text([*wanted, *owned], context, PRINCIPALS, _PRINCIPAL)
        if key.family in ("String", "Arn"):
            return self._text(wanted, context, _OTHERS[key.family], None)
        near = _NEAR.get(key.family, lambda text, _random: text)
        close = [near(text, self.random) for text in wanted]
        usable = [text for text in close if text is not None and (not self.sendable or _readable(key.family, text))]
        return self.random.choice((*_OTHERS[key.family], *usable, *usable, *usable))

    def _text(self, patterns: list[str], context: Json, others: tuple[str, ...], shape: re.Pattern[str] | None) -> str:
        """
        Return a text that a pattern stands for, or nearly so, if it has the shape that is asked for; else another.
        """
        if patterns and self.random.choice((True, True, True, False)):
            text = self._filled(self.random.choice(patterns), context)
            if self.random.choice((True, False, False)):
                text = self._missed(text)
            if not self.sendable or shape is None or shape.fullmatch(text):
                return text
        return self.random.choice(others)

    def _filled(self, pattern: str, context: Json) -> str:
        known = {key.lower(): listed(value)[0] for key, value in context.items() if listed(value)}

        def fill(found: re.Match[str]) -> str:
            literal, key, default, star, _one = found.groups()
            if literal:
                return literal
            if key is not None:
                return known.get(key.strip().lower(), default if default is not None else "x")
            return self.random.choice(("", "", "x", "Get", "a/b", "a:b", "*") if star else ("x", "e", "?"))

        return _TOKEN.sub(fill, pattern)

    def _missed(self, text: str) -> str:
        place = self.random.randrange(len(text)) if text else 0
        before, char, after = text[:place], text[place : place + 1], text[place + 1 :]
        return self.random.choice(
            (before + char.swapcase() + after, before + after, before + "x" + after, text + "x", before, "x" + text)
        )


def _named(statements: list[Json], element: str) -> list[str]:
    return [
        text for one in statements for name in (element, f"Not{element}") for text in listed(one.get(name, [])) if text
    ]


def _near_number(text: str, random: Random) -> str | None:
    number = parse_number(text)
    if number is None:
        return text
    return random.choice((text, str(number), f"{number}0" if "." in str(number) else f"{number}.0", str(number + 1)))


def _near_moment(text: str, random: Random) -> str | None:
    moment = parse_date(text)
    if moment is None:
        return text
    others = [moment + timedelta(microseconds=step) for step in (-1, 0, 1, 3_600_000_000)]
    return random.choice((text, *(_moment_text(other) for other in others), str(int(moment.timestamp()))))


def _moment_text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _near_address(text: str, random: Random) -> str | None:
    network = parse_network(text)
    if network is None:
        return None
    kind, first, last = type(network.network_address), int(network.network_address), int(network.broadcast_address)
    edges = (first, last, first - 1, last + 1, (first + last) // 2)
    limit = 1 << network.max_prefixlen
    return str(kind(random.choice([edge for edge in edges if 0 <= edge < limit])))


_NEAR: Final[dict[str, Callable[[str, Random], str | None]]] = {
    "Numeric": _near_number,
    "Date": _near_moment,
    "Ip": _near_address,
}


def _readable(family: str, text: str) -> bool:
    if family == "Numeric":
        return parse_number(text) is not None
    if family == "Date":
        return parse_date(text) is not None
    return family == "Ip" or text in _OTHERS[family]


@dataclass(frozen=True, slots=True)
class Asked:
    """
    Two chains, and requests that come close to what they name.
    """

    pair: Pair
    requests: tuple[Request, ...]


def asked_pairs(*, variables: bool = True, fit: Fit = Fit.KIND, count: int = 12) -> st.SearchStrategy[Asked]:
    """
    Draw two chains and *count* requests about them.
    """

    def ask(random: Random) -> Asked:
        pair = Language(random, variables=variables, fit=fit).pair()
        questions = questions_about(random, pair)
        return Asked(pair, tuple(questions.request() for _ in range(count)))

    return st.randoms(use_true_random=False).map(ask)


def questions_about(random: Random, *chains: Written | Pair, sendable: bool = True) -> Questions:
    """
    Return what makes requests about some chains.
    """
    written = [
        one for chain in chains for one in ((chain.before, chain.after) if isinstance(chain, Pair) else (chain,))
    ]
    return Questions(random, statements_of(*written), sendable=sendable)
