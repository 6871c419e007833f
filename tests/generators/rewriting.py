"""
Policies written in another way that mean the same.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.generators.language import Json, Written, listed

__all__ = ["rewritten"]

_SPELLINGS = {
    "numeric": {"10": "10.0", "10.5": "10.50", "1e3": "1000", ".5": "0.50", "+7": "7", "-3": "-3e0"},
    "date": {"2027": "2027-01-01T00:00:00Z", "2026-06": "2026-06-01", "1767225600": "2026-01-01"},
    "ip": {"10.0.0.0/8": "10.9.9.9/8", "192.0.2.7": "192.0.2.7/32", "2001:db8::/32": "2001:0DB8::1/32"},
}
_SAME_OPERATOR = {
    "ArnEquals": "ArnLike",
    "ArnNotEquals": "ArnNotLike",
    "ArnLike": "ArnEquals",
    "ArnNotLike": "ArnNotEquals",
}
_ALWAYS = ("aws:requestedregion", "aws:currenttime", "aws:securetransport")


@dataclass(frozen=True, slots=True)
class _Rewriter:
    """
    Changes the text of policies in place, and never what they say.
    """

    random: Random

    def level(self, policies: list[Json]) -> None:
        """
        Repeat, split, join or reorder the policies of a node.
        """
        ways: list[Callable[[list[Json]], None]] = [self.random.shuffle, self._repeat, self._split_policy, self._join]
        self.random.choice(ways)(policies)

    def policy(self, policy: Json) -> None:
        """
        Change the statements of a policy.
        """
        statements = policy["Statement"] = list(listed(policy["Statement"]))
        ways = [
            self._split_statement,
            self._merge,
            self._repeat,
            self.random.shuffle,
            self._name,
            self._version(policy),
        ]
        self.random.choice([*ways, *[self._one] * 6])(statements)
        if len(statements) == 1 and self.random.choice((True, False)):
            policy["Statement"] = statements[0]

    def _repeat(self, things: list[Any]) -> None:
        if things:
            things.append(copy.deepcopy(self.random.choice(things)))

    def _split_policy(self, policies: list[Json]) -> None:
        if policies:
            policy = self.random.choice(policies)
            statements = listed(policy["Statement"])
            place = self.random.randrange(len(statements) + 1)
            policies.append({**policy, "Statement": copy.deepcopy(statements[place:])})
            policy["Statement"] = statements[:place]

    def _join(self, policies: list[Json]) -> None:
        if len(policies) > 1 and policies[0].get("Version") == policies[1].get("Version"):
            other = policies.pop(1)
            policies[0]["Statement"] = [*listed(policies[0]["Statement"]), *listed(other["Statement"])]

    def _version(self, policy: Json) -> Callable[[list[Json]], None]:
        def change(statements: list[Json]) -> None:
            if "${" not in repr(statements):
                policy["Version"] = self.random.choice(("2012-10-17", "2008-10-17"))

        return change

    def _split_statement(self, statements: list[Json]) -> None:
        """
        Make two of a statement, each with some of the actions or of the resources.
        """
        if statements:
            statement = self.random.choice(statements)
            name = self.random.choice(("Action", "Resource"))
            values = listed(statement.get(name, []))
            if len(values) > 1:
                statements.append(copy.deepcopy({**statement, name: values[1:]}))
                statement[name] = values[:1]

    def _merge(self, statements: list[Json]) -> None:
        """
        Make one of two statements that differ in their actions alone.
        """
        for one in statements:
            for other in statements:
                if one is not other and "Action" in one and {**one, "Action": 0} == {**other, "Action": 0}:
                    one["Action"] = [*listed(one["Action"]), *listed(other["Action"])]
                    statements.remove(other)
                    return

    def _name(self, statements: list[Json]) -> None:
        for statement in statements:
            statement.pop("Sid", None)
            if self.random.choice((True, False)):
                statement["Sid"] = self.random.choice(("Three", "Four"))

    def _one(self, statements: list[Json]) -> None:
        if statements:
            statement = self.random.choice(statements)
            ways = [self._order, self._elements, self._elements, self._operators, self._operators, self._values]
            self.random.choice([*ways, self._values])(statement)

    def _order(self, statement: Json) -> None:
        items = list(statement.items())
        self.random.shuffle(items)
        statement.clear()
        statement.update(items)

    def _elements(self, statement: Json) -> None:
        """
        Write actions in another case, and actions and resources twice, beside narrower ones, in another order.
        """
        name = self.random.choice([name for name in statement if name.removeprefix("Not") in ("Action", "Resource")])
        values = list(listed(statement[name]))
        if values:
            value = self.random.choice(values)
            same = value.swapcase() if name.endswith("Action") else value
            values += [self.random.choice((same, _narrowed(value)))]
            self.random.shuffle(values)
        statement[name] = values[0] if len(values) == 1 else values

    def _operators(self, statement: Json) -> None:
        """
        Write operators and keys in another case, or with another operator that means the same for these values.
        """
        block = statement.get("Condition", {})
        if block:
            operator = self.random.choice(list(block))
            keys = block.pop(operator)
            same = self.random.choice((operator.swapcase(), self._same(operator, keys)))
            for key, values in keys.items():
                clash = same in block and any(key.lower() == other.lower() for other in block[same])
                name = operator if clash else same
                block.setdefault(name, {})[self.random.choice((key, key.swapcase()))] = values

    def _same(self, operator: str, keys: Json) -> str:
        plain = not any(char in repr(keys) for char in "*?$")
        if plain and operator in ("StringEquals", "StringNotEquals"):
            return operator.replace("Equals", "Like")
        always = ":" not in operator and operator.lower() != "null" and all(key.lower() in _ALWAYS for key in keys)
        if always and "not" not in operator.lower():
            return operator[:-8] if operator.lower().endswith("ifexists") else f"{operator}IfExists"
        return _SAME_OPERATOR.get(operator, operator)

    def _values(self, statement: Json) -> None:
        """
        Write values of conditions twice, beside narrower ones, in another order or spelling.
        """
        block = statement.get("Condition", {})
        for operator, keys in block.items():
            for key, found in keys.items():
                values = list(listed(found))
                if values:
                    value = self.random.choice(values)
                    values.append(self._spelled(operator.lower(), value))
                    self.random.shuffle(values)
                keys[key] = values

    def _spelled(self, operator: str, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if "stringlike" in operator or "stringnotlike" in operator:
            return self.random.choice((value, _narrowed(value)))
        family = next((family for family in _SPELLINGS if family in operator), None)
        return value if family is None else _SPELLINGS[family].get(value, value)


def _narrowed(pattern: str) -> str:
    """
    Return a pattern that stands for less; one with variables as it is, since what it stands for is not known.
    """
    return pattern if "${" in pattern else pattern.replace("*", "x*", 1)


def rewritten(random: Random, written: Written) -> Written:
    """
    Return a chain that says the same in other words.
    """
    rewriter = _Rewriter(random)
    levels = [(target_id, [copy.deepcopy(policy) for policy in policies]) for target_id, policies in written.levels]
    for _ in range(random.choice((1, 2, 3, 5))):
        _target_id, policies = random.choice(levels)
        if policies and random.choice((True, True, False)):
            rewriter.policy(random.choice(policies))
        else:
            rewriter.level(policies)
    return Written(tuple((target_id, tuple(policies)) for target_id, policies in levels))
