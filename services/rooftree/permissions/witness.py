"""
Concrete requests out of a box, readable and confirmed by the evaluator.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, product
from typing import Final

from rooftree.permissions.account import ACCOUNT_PLACEHOLDER, OWN_ARN, AccountBinding
from rooftree.permissions.catalog import catalog
from rooftree.permissions.diagram import Box
from rooftree.permissions.dimension import Dimension, Kind
from rooftree.permissions.expression import Wording, speaks_of
from rooftree.permissions.glob import Atom, sample_of
from rooftree.permissions.keys import PRINCIPAL_KEY, REGION_KEY, Side, canonical_key
from rooftree.permissions.predicate import members_of
from rooftree.permissions.space import Space
from rooftree.policy.context import Context
from rooftree.policy.evaluate import Decision
from rooftree.policy.keys import MULTIVALUED
from rooftree.policy.partitions import PARTITIONS
from rooftree.policy.request import Request

__all__ = ["Values", "Witness", "determined_context", "find_witness", "of_account"]

Values = str | tuple[str, ...]

MAX_TRIES: Final = 400
"""Only boxes with policy variables need more than one try; beyond this the change is reported without a witness."""


@dataclass(frozen=True, slots=True)
class Witness:
    """
    A request that is decided one way before and another way after.

    Attributes:
        context: The keys that matter, in AWS's spelling, without those that the account determines.
    """

    action: str
    resource: str
    context: tuple[tuple[str, Values], ...]

    def request_of(self, account: AccountBinding) -> Request:
        """
        Return the request as the same principal of an account sends it.
        """
        context = {**determined_context(account), **of_account(dict(self.context), account)}
        return Request(action=self.action, resource=self.resource, context=Context.from_json(_as_json(context)))


def determined_context(account: AccountBinding) -> dict[str, Values]:
    """
    Return the context keys that the account determines, with their values.
    """
    context: dict[str, Values] = {}
    for key in sorted(account.side.determined):
        values = account.value_of(key)
        context[canonical_key(key)] = values if key in MULTIVALUED else values[0]
    return context


def find_witness(
    space: Space,
    box: Box,
    known: int,
    account: AccountBinding,
    *,
    wording: Wording,
    decide: Callable[[Witness], tuple[Decision, Decision]],
    expected: tuple[Decision, Decision],
) -> Witness | None:
    """
    Return a request of the box that the evaluator decides as *expected*, before and after.

    *known* are the known actions of the box, *wording* is how it is told, and *decide* the evaluator. ``None`` if none
    was found.
    """
    actions = catalog().most_telling(known, 3) or _unknown_actions(space, box)
    sample = wording.resources.sample
    exact = space.is_exact(box)
    for action in actions[:1] if exact else actions:
        resources = iter([sample]) if sample is not None else islice(_resources(space, box, action), 6)
        # one by one: the first of them is nearly always right
        tried = ((resource, context) for resource in resources for context in _contexts(space, box))
        for resource, sent in islice(_with_the_usual(tried, space), 2 * MAX_TRIES):
            witness = Witness(action, resource, tuple(sorted(sent.items())))
            # a box in which patterns relate keys also holds requests that it does not tell of
            if (exact or speaks_of(wording, witness.request_of(account))) and decide(witness) == expected:
                return witness
    return None


def _with_the_usual(
    tried: Iterable[tuple[str, Mapping[str, Values]]], space: Space
) -> Iterator[tuple[str, Mapping[str, Values]]]:
    """
    Yield each resource with its context, and then with the keys that every request holds as well.
    """
    for resource, context in tried:
        yield resource, context
        yield resource, {**_always(space), **context}


def _as_json(context: Mapping[str, Values]) -> dict[str, object]:
    return {key: value if isinstance(value, str) else list(value) for key, value in context.items()}


def of_account(context: Mapping[str, Values], account: AccountBinding) -> dict[str, Values]:
    """
    Return a context in which ``{account}`` is this account, and ``arn:{partition}:`` begins the ARNs of its principals.
    """
    own = f"arn:{account.partition}:"
    return {
        key: value.replace(OWN_ARN, own).replace(ACCOUNT_PLACEHOLDER, account.account_id)
        if isinstance(value, str)
        else value
        for key, value in context.items()
    }


def _unknown_actions(space: Space, box: Box) -> list[str]:
    dimension = space.dimensions[0]
    spelled = {term.text.lower(): term.text for term in dimension.terms}
    found = [str(point.value) for index, point in enumerate(dimension.points) if box[0] >> index & 1]
    return [spelled.get(action, action) for action in found]


def _resources(space: Space, box: Box, action: str) -> Iterator[str]:
    """
    Yield resources of the box, the most plausible first.
    """
    dimension = space.dimensions[1]
    index = {point.signature: number for number, point in enumerate(dimension.points)}
    everything = box[1] == space.diagrams.full[1]
    formats = catalog().resource_formats(action)
    candidates = ["*"] if everything else []
    candidates += [_filled_format(form, space.side.partition) for form in formats]
    for atom in sorted(_atoms(dimension), key=lambda term: -len(term.text)):
        candidates += [
            _plausible(atom.text, space.side.partition),
            *(sample_of(glob) for glob in sorted(atom.globs, key=len)),
        ]
    candidates.append("*")
    candidates += [str(point.value) for number, point in enumerate(dimension.points) if box[1] >> number & 1]
    seen = set()
    for candidate in candidates:
        signature = dimension.signature(candidate)
        if candidate not in seen and signature in index and box[1] >> index[signature] & 1 and _is_resource(candidate):
            seen.add(candidate)
            yield candidate


def _atoms(dimension: Dimension) -> list[Atom]:
    """
    Return the patterns that cut a dimension, one by one.
    """
    return [member for term in dimension.terms for member in members_of(term) if isinstance(member, Atom)]


def _is_resource(text: str) -> bool:
    return text == "*" or (text.startswith("arn:") and text.count(":") >= 5 and text.split(":", 5)[5] != "")


def _plausible(pattern: str, partition: str) -> str:
    """
    Fill the wildcards of a pattern, those for a partition, a region and an account with such.
    """
    fields = pattern.split(":", 5)
    if len(fields) == 6:
        samples = ("arn", partition, "", PARTITIONS[partition][0], _SOME_ACCOUNT, "")
        fields = [sample if field == "*" and sample else field for field, sample in zip(fields, samples, strict=True)]
    return ":".join(fields).replace("*", "example").replace("?", "x")


_SOME_ACCOUNT: Final = "123456789012"


def _filled_format(form: str, partition: str) -> str:
    """
    Fill a documented ARN format, such as ``arn:${Partition}:s3:::${BucketName}``.
    """
    samples = {"partition": partition, "region": PARTITIONS[partition][0], "account": _SOME_ACCOUNT}

    def sample(match: re.Match[str]) -> str:
        name = match.group(1).lower()
        return samples.get(name, f"example-{name}")

    return re.sub(r"\$\{([^}]*)\}", sample, form)


def _contexts(space: Space, box: Box) -> Iterator[dict[str, Values]]:
    """
    Yield contexts of the box, with the keys that it constrains alone.
    """
    options: list[list[tuple[str, Values | None]]] = []
    members: dict[str, list[str]] = {}
    variables = _variables(space, box)
    for dimension, mask, full in zip(space.dimensions, box, space.diagrams.full, strict=True):
        if dimension.kind == Kind.MEMBER:
            if mask == 0b10:
                members.setdefault(dimension.key, []).append(str(dimension.points[1].value))
        elif dimension.kind == Kind.KEY and mask != full:
            options.append([(dimension.key, value) for value in _values(dimension, mask, space.side.partition)])
    options += [[(key, tuple(values))] for key, values in members.items()]
    options += [[(key, value) for value in values] for key, values in variables.items()]
    spelled = _spelled_keys(space)
    for combination in product(*options):
        yield {spelled.get(key, canonical_key(key)): value for key, value in combination if value is not None}


def _values(dimension: Dimension, mask: int, partition: str) -> list[Values | None]:
    """
    Return a value for each point of a key in the box, absence last; readable values first.
    """
    values: list[Values | None] = []
    index = {point.signature: number for number, point in enumerate(dimension.points) if point.value is not None}
    if dimension.family == "string":
        candidates = [dimension.usual, *_likely(dimension, partition)]
        for candidate in candidates:
            number = index.get(dimension.signature(candidate)) if candidate else None
            if number is not None and mask >> number & 1:
                values.append(candidate)
                mask &= ~(1 << number)
    for number, point in enumerate(dimension.points):
        if mask >> number & 1 and point.value is not None:
            values.append(_spelled(dimension, point.value))
    if mask & ~dimension.present:
        values.append(None)
    return values


_LIKELY: Final = {
    "aws:principalaccount": ["999999999999"],
    "aws:principalorgid": ["o-otherorg00"],
    "aws:resourceorgid": ["o-otherorg00"],
    "aws:sourceaccount": ["999999999999"],
    "aws:sourceorgid": ["o-otherorg00"],
    "aws:resourceaccount": ["999999999999"],
    "aws:sourcevpc": ["vpc-0example"],
    "aws:sourcevpce": ["vpce-0example"],
    "ec2:instancetype": ["m5.large", "p4d.24xlarge"],
}


def _likely(dimension: Dimension, partition: str) -> list[str]:
    known = _LIKELY.get(dimension.key) or _likely_in(partition).get(dimension.key, ())
    globs = [glob for term in _atoms(dimension) for glob in sorted(term.globs, key=len)]
    return [*known, *(sample_of(glob) for glob in globs), "example"]


@lru_cache(maxsize=len(PARTITIONS))
def _likely_in(partition: str) -> Mapping[str, Sequence[str]]:
    roles = [f"arn:{partition}:iam::{account}:role/Example" for account in ("999999999999", ACCOUNT_PLACEHOLDER)]
    return {
        REGION_KEY: PARTITIONS[partition],
        PRINCIPAL_KEY: roles,
        "aws:sourcearn": [f"arn:{partition}:s3:::example"],
    }


def _spelled(dimension: Dimension, value: str) -> str:
    """
    Give a class of principals an ARN, in which ``{partition}`` and ``{account}`` stand for where it is.
    """
    if dimension.family != "principal":
        return value
    service, _, tail = value.partition(":")
    return f"{OWN_ARN}{service}::{ACCOUNT_PLACEHOLDER}:{tail}"


def _spelled_keys(space: Space) -> dict[str, str]:
    return {dimension.key: canonical_key(dimension.spelled) for dimension in space.dimensions if dimension.spelled}


def _variables(space: Space, box: Box) -> dict[str, list[Values | None]]:
    """
    Return values to try for the variables of the relations that the box constrains.
    """
    found: dict[str, list[Values | None]] = {}
    for dimension, mask in zip(space.dimensions, box, strict=True):
        if dimension.relation is not None and mask != 0b11:
            related = {*dimension.relation.variables, *({dimension.key} - {"resource"})}
            for key in sorted(related):
                found.setdefault(key, _tried(key, space.side))
    constrained = {
        dimension.key
        for dimension, mask, full in zip(space.dimensions, box, space.diagrams.full, strict=True)
        if dimension.kind in (Kind.KEY, Kind.MEMBER) and mask != full
    }
    return {key: values for key, values in found.items() if key not in constrained and key not in space.side.determined}


def _tried(key: str, side: Side) -> list[Values | None]:
    """
    Return values to try for a key of which a variable speaks; what every request holds is not left out.
    """
    values: list[Values | None] = ["example", "x", "other"]
    if key == PRINCIPAL_KEY:
        tails = ("user/example", "role/Example", "user/x", "user/other", "root")
        values = [f"{OWN_ARN}iam::{ACCOUNT_PLACEHOLDER}:{tail}" for tail in tails]
    elif (usual := side.always_sent.get(key)) is not None:
        values.insert(0, usual)
    return values if key in side.always_sent else [*values, "", None]


def _always(space: Space) -> dict[str, Values]:
    """
    Return values of the keys in play that every request holds.
    """
    sent: dict[str, Values] = {}
    for dimension in space.dimensions:
        if dimension.kind == Kind.KEY and dimension.always_sent:
            value = _values(dimension, dimension.present, space.side.partition)[0]
            sent[canonical_key(dimension.spelled)] = value if value is not None else ""
    return sent
