"""
Damage to inputs that keeps them interesting: JSON in which a part has become something else, or text cut and spliced.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from random import Random

__all__ = ["mutate"]

# Values at the borders of what readers take.
HOSTILE: Sequence[object] = (
    None,
    True,
    0,
    -1,
    1e308,
    10**63,
    10**70,
    "",
    " ",
    "*",
    "?" * 40,
    "*a" * 40,
    "a" * 1025,
    "\0",
    "\ud800",
    "\u202e\u2066",
    "é" * 600,
    "${",
    "${}",
    "${*}${?}${$}",
    "${aws:PrincipalArn, '*'}",
    "arn:aws:iam::*:role/*",
    "s3:*",
    "S3:GET*",
    "2012-10-17",
    "9999-12-31T23:59:59Z",
    "0000-00-00T00:00:00Z",
    "0.0.0.0/0",
    "::/129",
    "o-exampleorg'; drop table rooftree.fact; --",
    "../../../../etc/passwd",
    "r-ab12\n",
    "٠" * 12,
    [],
    {},
    [[]],
    {"": {}},
)
OPERATORS = (
    "StringEquals",
    "StringNotLike",
    "ForAllValues:StringLike",
    "ForAnyValue:ArnLikeIfExists",
    "NumericGreaterThan",
    "DateLessThan",
    "IpAddress",
    "Null",
    "Bool",
    "BinaryEquals",
)
KEYS = ("aws:PrincipalArn", "aws:RequestedRegion", "aws:TagKeys", "aws:SourceIp", "aws:PrincipalTag/a", "s3:prefix")
SPLICES = (
    b"NaN",
    b"-Infinity",
    b'"\\ud800"',
    b"[" * 70,
    b'{"a":' * 40,
    b'"Effect":"Deny","Effect":"Allow"',
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"%7B%22",
    b"1" * 70,
    b"1e999",
    b"//",
    b",",
    b"\0",
)


def mutate(random: Random, data: bytes, *, size: int = 65_536) -> bytes:
    """
    Return *data* with a few things changed; JSON stays JSON as a rule.
    """
    for _ in range(random.choice((1, 1, 2, 4))):
        if len(data) > size:
            break
        try:
            data = json.dumps(_changed(random, json.loads(data))).encode()
        except (ValueError, RecursionError):
            data = _spliced(random, data)
        if random.random() < 0.15:
            data = _spliced(random, data)
    return data[:size]


def _changed(random: Random, value: object) -> object:
    if not isinstance(value, dict | list) or not value or random.random() < 0.15:
        return _other(random, value)
    if isinstance(value, list):
        at = random.randrange(len(value))
        return [*value[:at], _changed(random, value[at]), *value[at + 1 :]]
    key = random.choice(list(value))
    return {name: _changed(random, item) if name == key else item for name, item in value.items()}


def _other(random: Random, value: object) -> object:
    makers: Sequence[Callable[[], object]] = (
        lambda: random.choice(HOSTILE),
        lambda: [value, random.choice(HOSTILE)],
        lambda: [value] * random.choice((2, 3, 50)),
        lambda: {"Condition": {random.choice(OPERATORS): {random.choice(KEYS): value}}},
        lambda: {random.choice(OPERATORS): {random.choice(KEYS): [value, random.choice(HOSTILE)]}},
        lambda: _rekeyed(random, value),
        lambda: _retold(random, value),
    )
    return random.choice(makers)()


def _rekeyed(random: Random, value: object) -> object:
    if not isinstance(value, dict) or not value:
        return value
    key = random.choice(list(value))
    other = random.choice((*value, *OPERATORS, *KEYS, f"Not{key}", key.lower(), key + key))
    return {**value, other: value[key]}


def _retold(random: Random, value: object) -> object:
    if not isinstance(value, str) or not value:
        return value
    at = random.randrange(len(value))
    return value[:at] + random.choice(("*", "?", "${", "}", ":", "\0", "İ", "ß", "\ud800", "")) + value[at + 1 :]


def _spliced(random: Random, data: bytes) -> bytes:
    start = random.randrange(len(data) + 1)
    end = min(len(data), start + random.choice((0, 0, 1, 5, 100)))
    return data[:start] + random.choice(SPLICES) + data[end:]
