"""
The claim behind every audit event, for accounts in another partition, and for those that turn out to be in one.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Final

from hypothesis import event, given
from hypothesis import strategies as st
from tests.generators.chains import ACCOUNT
from tests.generators.language import Pair, Written
from tests.generators.questions import Asked, asked_pairs
from tests.property.covering import covers, witness_request

from rooftree.permissions import compare, maximum_permissions
from rooftree.permissions.keys import PRINCIPAL_KEY, principal_side
from rooftree.policy import reference
from rooftree.policy.context import Context
from rooftree.policy.request import Request

PARTITION: Final = "aws-us-gov"
HERE: Final = replace(ACCOUNT, side=principal_side(PARTITION))

Json = dict[str, Any]


def _moved(text: str) -> str:
    return text.replace("arn:aws:", f"arn:{PARTITION}:")


def _back(text: str) -> str:
    return text.replace(f"arn:{PARTITION}:", "arn:aws:")


def _written(chain: Written) -> Written:
    return Written(
        tuple((node, tuple(json.loads(_moved(json.dumps(one))) for one in some)) for node, some in chain.levels)
    )


def _by(request: Request, *, here: bool) -> Request:
    """
    Return a request of the same principal by its ARN in the partition, or by the one that it was taken to have.
    """
    named = _moved if here else _back
    context = {
        key: tuple(map(named, values)) if key.lower() == PRINCIPAL_KEY else values
        for key, values in request.context.items()
    }
    return Request(request.action, request.resource, Context(context))


def _decide(chain: Written, request: Request) -> str:
    return reference.decide(chain.documents, request)


def _pair(asked: Asked, *, moved: bool) -> Pair:
    return Pair(*map(_written, (asked.pair.before, asked.pair.after))) if moved else asked.pair


@given(asked=asked_pairs(), moved=st.booleans())
def test_what_is_reported_elsewhere_is_real_and_what_is_not_does_not_exist(asked: Asked, *, moved: bool) -> None:
    """
    Whether policies name the partition or another one: flips are covered, and witnesses have ARNs of the partition.
    """
    pair = _pair(asked, moved=moved)
    changes: list[Json] = compare(
        *(maximum_permissions(chain.chain(), HERE) for chain in (pair.before, pair.after))
    ).changes(HERE)

    for request in (_by(one, here=True) for one in asked.requests):
        decisions = _decide(pair.before, request), _decide(pair.after, request)
        covering = [change for change in changes if covers(change, request)]
        if decisions[0] != decisions[1] and "allow" in decisions:
            event("a request is decided differently")
            direction = "denied" if decisions[0] == "allow" else "allowed"
            assert direction in {change["direction"] for change in covering}, (pair, request, changes)
        for change in covering:
            assert not change.get("exact", True) or (change["before"], change["after"]) == decisions
    for change in changes:
        if change["witness"] is None:
            assert change["exact"] is False, (pair, change)
            continue
        request = witness_request(change)
        assert (change["before"], change["after"]) == (_decide(pair.before, request), _decide(pair.after, request))
        assert all(arn.startswith(f"arn:{PARTITION}:") for arn in request.context.get("aws:PrincipalArn", ()))


@given(asked=asked_pairs(), moved=st.booleans(), alone=st.booleans())
def test_what_is_learnt_late_is_told_of_the_same_principals(asked: Asked, *, moved: bool, alone: bool) -> None:
    """
    Before, a principal is taken to have its ARN in the other partition: *alone*, or while the policies change, too.
    """
    pair = _pair(asked, moved=moved)
    after = pair.before if alone else pair.after
    reported = maximum_permissions(pair.before.chain(), ACCOUNT), maximum_permissions(after.chain(), HERE)
    changes: list[Json] = compare(*reported).changes(HERE)

    for one in asked.requests:
        was, now = _by(one, here=False), _by(one, here=True)
        decisions = _decide(pair.before, was), _decide(after, now)
        covering = [change for change in changes if covers(change, was) or covers(change, now)]
        if decisions[0] != decisions[1] and "allow" in decisions:
            event("a request is decided differently")
            direction = "denied" if decisions[0] == "allow" else "allowed"
            assert direction in {change["direction"] for change in covering}, (pair, now, changes)
        for change in covering:
            if change.get("exact", True) and covers(change, now):
                assert (change["before"], change["after"]) == decisions, (pair, now, change)
    for change in changes:
        event("an exact change" if change.get("exact", True) else "an inexact change")
        if change["witness"] is None:
            assert change["exact"] is False, (pair, change)
            continue
        now = witness_request(change)
        was = _by(now, here=False) if "aws:PrincipalArn" in change["witness"]["context"] else now
        assert (change["before"], change["after"]) == (_decide(pair.before, was), _decide(after, now)), (pair, change)
