"""
The whole of the language once more, as plainly as it can be said: what everything faster is held against in tests.

Nothing here is shared with what decides in production, and nothing in production imports this. A policy is its JSON,
as ``json.loads`` gives it, and is taken to be well formed. Where AWS leaves something open, the choice is that of
`rooftree.policy.evaluate` and the modules under it.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import partial
from ipaddress import ip_address, ip_network
from operator import eq, ge, gt, le, lt
from typing import Any, Final

from rooftree.policy.request import Request

__all__ = ["applies", "decide"]

Json = Mapping[str, Any]
Keys = Mapping[str, Sequence[str]]

_RUN: Final = "\ue000"
_ONE: Final = "\ue001"
"""What wildcards are in a pattern; AWS takes no such characters: ``*`` and ``?`` are then like any other."""


def decide(levels: Sequence[Sequence[Json]], request: Request) -> str:
    """
    Decide a request under the policies of each level: a Deny anywhere wins, else each level must allow.
    """
    found = [
        {
            statement["Effect"]
            for policy in policies
            for statement in _listed(policy["Statement"])
            if applies(statement, request, variables=policy.get("Version") == "2012-10-17")
        }
        for policies in levels
    ]
    if any("Deny" in effects for effects in found):
        return "explicit_deny"
    return "allow" if all("Allow" in effects for effects in found) else "implicit_deny"


def applies(statement: Json, request: Request, *, variables: bool) -> bool:
    """
    Tell whether a statement speaks of a request. *variables* says whether ``${...}`` stands for a variable.
    """
    sent = {key.lower(): values for key, values in request.context.items()}
    keys = sent if variables else None
    return (
        _names(statement, "Action", lambda text: _like(_plain(text.lower()), request.action.lower()))
        and _names(statement, "Resource", lambda text: _is_resource(text, request.resource, keys))
        and all(
            _holds(name, sent.get(key.lower(), ()), _listed(wanted), keys)
            for name, block in statement.get("Condition", {}).items()
            for key, wanted in block.items()
        )
    )


def _names(statement: Json, element: str, matches: Callable[[str], bool]) -> bool:
    if element in statement:
        return any(matches(text) for text in _listed(statement[element]))
    return not any(matches(text) for text in _listed(statement[f"Not{element}"]))


def _is_resource(text: str, resource: str, keys: Keys | None) -> bool:
    colons = (text if keys is None else _VARIABLE.sub("", text)).count(":")
    pattern = _filled(text + ":*" * (5 - colons) if text.strip("*") else text, keys)
    return pattern is not None and _like(pattern, resource)


_VARIABLE: Final = re.compile(r"\$\{(?:([*?$])|([^\s{}$*?,'\"][^{}$*?,'\"]*)(?:,\s*'([^']*)'\s*)?)\}")


def _filled(text: str, keys: Keys | None) -> str | None:
    """
    Put in variables, as plain characters; ``None`` if one has no value. Without *keys* there are no variables.
    """
    pattern, end = "", 0
    for found in _VARIABLE.finditer(text) if keys is not None else ():
        literal, key, default = found.groups()
        values = () if literal or keys is None else keys.get(key.strip().lower(), ())
        value = literal or (values[0] if len(values) == 1 else default)
        if value is None:
            return None
        pattern += _plain(text[end : found.start()]) + value
        end = found.end()
    return pattern + _plain(text[end:])


def _plain(text: str) -> str:
    return text.replace("*", _RUN).replace("?", _ONE)


def _like(pattern: str, text: str) -> bool:
    """
    Tell whether a pattern stands for a text: *ends* are the lengths of all beginnings that it stands for so far.
    """
    ends = {0}
    for symbol in pattern:
        if symbol == _RUN:
            ends = {later for end in ends for later in range(end, len(text) + 1)}
        else:
            ends = {end + 1 for end in ends if end < len(text) and symbol in (_ONE, text[end])}
    return len(text) in ends


def _arn_like(pattern: str, text: str) -> bool:
    """
    Tell whether an ARN pattern stands for a text: field by field, or as a lone star for anything.
    """
    wanted, given = pattern.split(":", 5), text.split(":", 5)
    fits = [_like(one, other) for one, other in zip(wanted, given, strict=False)]
    return pattern == _RUN or (len(wanted) == len(given) == 6 and all(fits))


def _holds(name: str, values: Sequence[str], wanted: Sequence[object], keys: Keys | None) -> bool:
    """
    Tell whether an operator holds between the values of a key, none for an absent one, and those of a policy.
    """
    prefix, _, base = name.lower().rpartition(":")
    bare, negated = base.removesuffix("ifexists").replace("not", ""), "not" in base
    texts = [one if isinstance(one, str) else str(one).lower() for one in wanted]
    if bare == "null":
        return any(_truth(text) is (not values) for text in texts)
    if not values:
        return base.endswith("ifexists") or prefix == "forallvalues" or (negated and not prefix)
    hits = [any(_matches(bare, text, value, keys) for text in texts) for value in values]
    if prefix == "forallvalues":
        return list(values) == [""] or all(hit is not negated for hit in hits)
    if prefix == "foranyvalue":
        return any(hit is not negated for hit in hits)
    return any(hits) is not negated


def _matches(bare: str, wanted: str, value: str, keys: Keys | None) -> bool:
    if bare in _TEXTS:
        pattern = _filled(wanted, keys)
        return pattern is not None and _TEXTS[bare](pattern, value)
    compare, read_value, read_wanted = _VALUES[bare]
    try:
        given, other = read_value(value), read_wanted(wanted)
    except (ValueError, OverflowError):
        return False
    return given is not None and other is not None and bool(compare(given, other))


def _text(pattern: str) -> str:
    return pattern.replace(_RUN, "*").replace(_ONE, "?")


def _truth(text: str) -> bool | None:
    return {"true": True, "false": False}.get(text.lower())


def _number(text: str) -> Fraction | None:
    known = re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,2})?", text)
    return Fraction(text) if known and len(text) <= 256 else None


_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,15})?)?(Z|[+-]\d\d:\d\d)?", re.ASCII)


def _moment(text: str) -> datetime | None:
    """
    Read a day or a time in the W3C's profile, or else seconds since 1970, to the microsecond.
    """
    if re.fullmatch(r"[0-9]{4}(-[0-9]{2}){0,2}", text):
        return datetime.fromisoformat(text + "-01-01"[len(text) - 4 :]).replace(tzinfo=UTC)
    if time := _TIME.fullmatch(text):
        return datetime.fromisoformat(text if time[3] else f"{text}Z").astimezone(UTC)
    if re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,15})?", text):
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(Fraction(text) * 1_000_000))
    return None


def _network(text: str) -> Any:
    return ip_network(text, strict=False) if re.fullmatch(r"[0-9A-Fa-f.:]+(/[0-9]{1,3})?", text) else None


def _address(text: str) -> Any:
    return None if "/" in text or _network(text) is None else ip_address(text)


_TEXTS: Final[dict[str, Callable[[str, str], bool]]] = {
    "stringequals": lambda pattern, value: _text(pattern) == value,
    "stringequalsignorecase": lambda pattern, value: _text(pattern).lower() == value.lower(),
    "stringlike": _like,
    "arnequals": _arn_like,
    "arnlike": _arn_like,
}
_bytes: Final = partial(b64decode, validate=True)
_ORDER: Final = {"equals": eq, "lessthan": lt, "lessthanequals": le, "greaterthan": gt, "greaterthanequals": ge}
_VALUES: Final[dict[str, tuple[Callable[[Any, Any], Any], Callable[[str], Any], Callable[[str], Any]]]] = {
    "bool": (eq, _truth, _truth),
    "binaryequals": (eq, _bytes, _bytes),
    "ipaddress": (lambda address, network: address in network, _address, _network),
    **{f"numeric{name}": (compare, _number, _number) for name, compare in _ORDER.items()},
    **{f"date{name}": (compare, _moment, _moment) for name, compare in _ORDER.items()},
}


def _listed(found: Any) -> list[Any]:
    return found if isinstance(found, list) else [found]
