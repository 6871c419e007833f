"""
Service control policies that use all of the language, made from a source of random choices.

Everything is drawn from small pools, so that patterns overlap and values repeat. The source is a `random.Random`, or
one that hypothesis hands out: the same policies serve properties, timings and counts.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from random import Random
from typing import Any, Final

from rooftree.policy.chain import AttachedPolicy, Chain, Level
from rooftree.policy.document import parse_policy

__all__ = [
    "ALL_OPERATORS",
    "FULL_ACCESS",
    "KEYS",
    "Fit",
    "Json",
    "Key",
    "Language",
    "Pair",
    "Written",
    "listed",
    "statements_of",
]

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Key:
    """
    A condition key, as policies and requests of these tests use it.

    Attributes:
        family: What its values are.
        wanted: Values that policies name.
        always: Whether every request holds it.
        many: Whether it holds several values.
    """

    name: str
    family: str
    wanted: tuple[str, ...]
    always: bool = False
    many: bool = False


REGIONS = ("eu-west-1", "eu-*", "us-east-?", "EU-WEST-1", "${aws:PrincipalTag/Home, 'eu-west-1'}", "", "*")
TEAMS = ("a", "b", "A", "a*", "?b", "*", "${aws:username}", "${aws:PrincipalTag/team}", "a${*}", "${$}", "${Team}", "")
TAGS = ("team", "owner", "sec*", "t?am", "Team", "${aws:username}", "secret${?}")
NUMBERS = ("0", "5", "10", "10.5", "-3", "-0.25", "1e3", "1000.0", "+7", ".5", "2E-1", "10.50", "x")
DATES = ("2026-01-01T00:00:00Z", "2026-06", "2027", "2026-06-01", "1767225600", "2026-01-01T01:00:00+01:00", "-5")
DATES += ("2026-01-01T00:00Z", "2026-01-01T00:00:00.000001Z", "1767225600.5", "2026-13-01", "0")
ADDRESSES = (
    "10.0.0.0/8",
    "10.1.2.3/16",
    "192.0.2.7",
    "0.0.0.0/0",
    "::/0",
    "2001:db8::/32",
    "2001:DB8::1",
    "10.0.0.0/7",
)
ADDRESSES += ("::ffff:10.0.0.0/104", "10.0.0.0/33")
ROLES = ("arn:aws:iam::*:role/Admin", "arn:aws:iam::222222222222:role/*", "arn:aws:iam::333333333333:role/Admin", "*")
ROLES += (
    "arn:aws:iam::*:root",
    "arn:*:iam::*:user/${aws:username}",
    "arn:aws:iam::22222222222?:user/a*",
    "arn:aws:iam",
)
ROLES += ("arn:aws:*::222222222222:*", "arn:aws:sts::${aws:PrincipalAccount}:federated-user/*", "**", "arn:aws:iam::*")
SOURCES = ("arn:aws:s3:::logs", "arn:aws:s3:::*", "arn:aws:sns:*:222222222222:t?pic", "arn:aws:sns:eu-*:*:a:*", "*")
SOURCES += ("arn:*", "arn:aws:sns:eu-west-1:${aws:PrincipalAccount}:${aws:username}")
PATHS = ("o-exampleorg/*", "o-exampleorg/r-ab12/ou-ab12-aaaaaaaa/*", "o-exampleorg/r-ab12/ou-ab12-aaaaaaaa/", "o-?/*")

KEYS: Final = (
    Key("aws:RequestedRegion", "String", REGIONS, always=True),
    Key("aws:RequestTag/Team", "String", TEAMS),
    Key("aws:username", "String", ("alice", "bob", "a*", "${aws:RequestTag/Team}")),
    Key("aws:PrincipalTag/team", "String", ("a", "b", "${aws:RequestTag/Team, 'b'}")),
    Key("aws:PrincipalAccount", "String", ("222222222222", "333333333333", "2*"), always=True),
    Key("aws:PrincipalOrgID", "String", ("o-exampleorg", "O-EXAMPLEORG", "o-other00000"), always=True),
    Key("aws:TagKeys", "String", TAGS, many=True),
    Key("aws:CalledVia", "String", ("athena.amazonaws.com", "*.amazonaws.com", "glue.*"), many=True),
    Key("aws:PrincipalOrgPaths", "String", PATHS, always=True, many=True),
    Key("aws:PrincipalArn", "Arn", ROLES, always=True),
    Key("aws:SourceArn", "Arn", SOURCES),
    Key("aws:MultiFactorAuthAge", "Numeric", NUMBERS),
    Key("s3:max-keys", "Numeric", NUMBERS),
    Key("aws:CurrentTime", "Date", DATES, always=True),
    Key("aws:TokenIssueTime", "Date", DATES),
    Key("aws:SecureTransport", "Bool", ("true", "false"), always=True),
    Key("aws:MultiFactorAuthPresent", "Bool", ("true", "false", "TRUE", "yes")),
    Key("aws:PrincipalIsAWSService", "Bool", ("true", "false"), always=True),
    Key("acme:Digest", "Binary", ("QUJD", "QUI=", "AA==", "A", "")),
    Key("aws:SourceIp", "Ip", ADDRESSES),
    Key("aws:VpcSourceIp", "Ip", ADDRESSES),
)

_IGNORING: Final = ("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase")
_ORDER: Final = ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")
_OPERATORS: Final[Mapping[str, tuple[str, ...]]] = {
    "String": ("StringEquals", "StringNotEquals", "StringLike", "StringNotLike", *_IGNORING),
    "Arn": ("ArnLike", "ArnNotLike", "ArnEquals", "ArnNotEquals", "StringLike", "StringNotEquals", "StringNotLike"),
    "Numeric": tuple(f"Numeric{name}" for name in _ORDER),
    "Date": tuple(f"Date{name}" for name in _ORDER),
    "Bool": ("Bool", "StringEquals"),
    "Binary": ("BinaryEquals",),
    "Ip": ("IpAddress", "NotIpAddress"),
}
ALL_OPERATORS: Final = tuple(dict.fromkeys(name for names in _OPERATORS.values() for name in names))

ACTIONS = ("*", "s3:*", "s3:Get*", "S3:getobject*", "s3:*Object", "s3:?etObject", "s3:PutObject", "ec2:*", "ec2:Run*")
ACTIONS += ("*:Tag*", "iam:*", "s*:*", "q:*", "s3:*e*t*", "*:*Object", "ec2:RunInstances", "s?:*", "iam:Pass??le")
RESOURCES = (
    "*",
    "arn:aws:s3:::*",
    "arn:aws:s3:::prod-*",
    "arn:aws:s3:::prod-*/*",
    "arn:aws:s3:::prod-a/key",
    "arn:aws",
)
RESOURCES += ("arn:aws:ec2:*:*:instance/*", "arn:aws:ec2:eu-*:222222222222:*", "arn:*:s3:::*-a/*", "arn:aws:sqs", "**")
RESOURCES += ("arn:aws:s3:::home/${aws:username}/*", "arn:aws:sqs:*:${aws:PrincipalAccount}:*", "arn:aws:s3:::${*}x")
RESOURCES += (
    "arn:aws:s3:::${aws:PrincipalTag/team, 'a*b'}/?",
    "arn:aws:s3:::${Bucket}/*",
    "arn:aws:s3:::A?",
    "arn:aws:*:x",
)


@dataclass(frozen=True, slots=True)
class Written:
    """
    A chain as text: for each node its id and the JSON of its policies.
    """

    levels: tuple[tuple[str, tuple[Json, ...]], ...]

    @property
    def documents(self) -> list[list[Json]]:
        """
        The policies of each level.
        """
        return [list(policies) for _target_id, policies in self.levels]

    def chain(self) -> Chain:
        """
        Return what the text says.
        """
        levels = []
        for depth, (target_id, policies) in enumerate(self.levels):
            attached = [
                AttachedPolicy(f"p-{depth}{index}", f"policy {depth}{index}", parse_policy(policy))
                for index, policy in enumerate(policies)
            ]
            levels.append(Level(target_id, tuple(attached)))
        return Chain(tuple(levels))


@dataclass(frozen=True, slots=True)
class Pair:
    """
    A chain before and after.
    """

    before: Written
    after: Written


class Fit(Enum):
    """
    How the operators of conditions fit what their keys hold.
    """

    KIND = "operators of the kind that the key is of"
    TEXT = "beside those, operators of texts on any key"
    NONE = "any operator on any key, with values of any other"


@dataclass(frozen=True, slots=True)
class Language:
    """
    Makes policies; how much of the language they use can be limited.

    Attributes:
        variables: Whether patterns may hold policy variables.
        fit: How operators fit their keys.
        keys: The condition keys to use.
    """

    random: Random
    variables: bool = True
    fit: Fit = Fit.KIND
    keys: tuple[Key, ...] = KEYS

    def policy(self) -> Json:
        """
        Return a policy of one to three statements.
        """
        statements = [self.statement() for _ in range(self.random.choice((1, 1, 2, 3)))]
        policy: Json = {"Statement": self._shape(statements)}
        if (version := self.random.choice(("2012-10-17",) * 8 + ("2008-10-17", None))) is not None:
            policy = {"Version": version, **policy}
        return policy

    def statement(self) -> Json:
        """
        Return one statement.
        """
        choose = self.random.choice
        statement: Json = {"Effect": choose(("Deny", "Deny", "Allow"))}
        if choose((True, False)):
            statement["Sid"] = choose(("One", "Two"))
        statement[choose(("Action", "Action", "NotAction"))] = self._shape(self._some(ACTIONS))
        name = choose(("Resource", "Resource", "Resource", "NotResource"))
        everything = name == "Resource" and choose((True, False))
        statement[name] = "*" if everything else self._shape(self._some(RESOURCES))
        if block := self._conditions():
            statement["Condition"] = block
        return statement

    def chain(self) -> Written:
        """
        Return a chain of one to three levels, most of which allow everything before their own policies.
        """
        targets = ("r-ab12", "ou-ab12-aaaaaaaa", "222222222222")[-self.random.choice((1, 1, 2, 3)) :]
        return Written(tuple((target, self._level()) for target in targets))

    def changed(self, written: Written) -> Written:
        """
        Return a chain in which one thing is different.
        """
        levels = [(target_id, list(policies)) for target_id, policies in written.levels]
        _target_id, policies = self.random.choice(levels)
        ways = [lambda: policies.append(self.policy())]
        if policies:
            index = self.random.randrange(len(policies))
            policies[index] = copy.deepcopy(policies[index])
            ways += [lambda: policies.pop(index), *[lambda: self._change(policies[index])] * 3]
        self.random.choice(ways)()
        return Written(tuple((target_id, tuple(policies)) for target_id, policies in levels))

    def pair(self) -> Pair:
        """
        Return two chains, most of them almost the same.
        """
        before = self.chain()
        after = before if self.random.choice((True, True, False)) else self.chain()
        for _ in range(self.random.choice((1, 1, 2))):
            after = self.changed(after)
        return Pair(before, after)

    def _level(self) -> tuple[Json, ...]:
        base = [FULL_ACCESS] if self.random.choice((True, True, True, False)) else []
        return (*base, *(self.policy() for _ in range(self.random.choice((0, 1, 1, 2)))))

    def _change(self, policy: Json) -> None:
        statements = listed(policy["Statement"]) or [self.statement()]
        index = self.random.randrange(len(statements))
        fresh, old = self.statement(), statements[index]
        element = self.random.choice(("Action", "Resource", "Condition", "Effect", "all"))
        if element != "all":
            kept = {name: value for name, value in old.items() if name.removeprefix("Not") != element}
            fresh = kept | {name: value for name, value in fresh.items() if name.removeprefix("Not") == element}
        policy["Statement"] = [*statements[:index], fresh, *statements[index + 1 :]]

    def _conditions(self) -> Json:
        block: Json = {}
        key = self.random.choice(self.keys)
        for _ in range(self.random.choice((0, 1, 1, 2, 3))):
            # often several operators on one key
            key = self.random.choice((key, *self.random.sample(self.keys, 2)))
            operator, wanted = self._test(key)
            block.setdefault(operator, {})[self._case(key.name)] = wanted
        return block

    def _test(self, key: Key) -> tuple[str, Any]:
        choose = self.random.choice
        if choose((False,) * 9 + (True,)):
            return "Null", self._shape(choose((["true"], ["false"], [False], ["false", True])))
        others = {Fit.KIND: (), Fit.TEXT: _OPERATORS["Arn"], Fit.NONE: ALL_OPERATORS}[self.fit]
        names = others if others and choose((True, False)) else _OPERATORS[key.family]
        operator = choose(names)
        if key.many or (not key.name.startswith("aws:Principal") and choose((False,) * 5 + (True,))):
            operator = choose(("ForAllValues:", "ForAnyValue:", "")) + operator
        operator += choose(("", "", "IfExists"))
        return choose((operator,) * 7 + (operator.lower(),)), self._shape(self._wanted(key))

    def _wanted(self, key: Key) -> list[Any]:
        pool = key.wanted
        if self.fit is Fit.NONE and self.random.choice((True, False)):
            pool = self.random.choice(KEYS).wanted
        bare = {"true": True, "false": False, "5": 5, "10.5": 10.5, "-3": -3, "1000.0": 1e3}
        texts = self._some(pool)
        return [bare[text] if text in bare and self.random.choice((True, False)) else text for text in texts]

    def _some(self, pool: Sequence[str]) -> list[str]:
        usable = [text for text in pool if self.variables or "${" not in text]
        if self.random.choice((False,) * 40 + (True,)):
            return []
        return self.random.sample(usable, min(len(usable), self.random.choice((1, 1, 2, 3))))

    def _shape(self, values: list[Any]) -> Any:
        return values[0] if len(values) == 1 and self.random.choice((True, False)) else values

    def _case(self, key: str) -> str:
        return self.random.choice((key, key, key, key.lower(), key.upper(), key.swapcase()))


FULL_ACCESS: Final[Json] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}


def listed(found: Any) -> list[Any]:
    """
    Return what stands alone as a list of one.
    """
    return found if isinstance(found, list) else [found]


def statements_of(*chains: Written) -> Iterator[Json]:
    """
    Yield every statement of some chains.
    """
    for chain in chains:
        for policies in chain.documents:
            for policy in policies:
                yield from listed(policy["Statement"])
