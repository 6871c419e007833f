"""
How long an SMT solver and the algebra take over the same question, in one run.

The question is that of a change to a policy that denies regions, as organizations have it.
"""

from __future__ import annotations

import copy
import functools
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Final, TypeVar

from tests.differential.smt import ask
from tests.generators.chains import ACCOUNT
from tests.generators.language import FULL_ACCESS, Json, Pair, Written

from rooftree.permissions import Permissions, compare, forget_results, maximum_permissions

Result = TypeVar("Result")

__all__ = ["Timing", "measure", "region_pairs"]

GLOBAL_ACTIONS: Final = ("a4b:*", "account:*", "acm:*", "activate:*", "artifact:*", "aws-marketplace:*", "aws-portal:*")
GLOBAL_ACTIONS += ("billing:*", "budgets:*", "ce:*", "chime:*", "cloudfront:*", "config:*", "consolidatedbilling:*")
GLOBAL_ACTIONS += ("cur:*", "datapipeline:GetAccountLimits", "directconnect:*", "ec2:DescribeRegions", "freetier:*")
GLOBAL_ACTIONS += ("ec2:DescribeTransitGateways", "ec2:DescribeVpnGateways", "fms:*", "globalaccelerator:*", "health:*")
GLOBAL_ACTIONS += (
    "iam:*",
    "importexport:*",
    "invoicing:*",
    "kms:*",
    "mobileanalytics:*",
    "networkmanager:*",
    "pricing:*",
)
GLOBAL_ACTIONS += ("organizations:*", "payments:*", "resource-explorer-2:*", "route53:*", "route53-recovery-cluster:*")
GLOBAL_ACTIONS += (
    "route53domains:*",
    "s3:CreateMultiRegionAccessPoint",
    "s3:GetAccountPublic*",
    "s3:GetBucketLocation",
)
GLOBAL_ACTIONS += (
    "s3:ListAllMyBuckets",
    "s3:PutAccountPublic*",
    "savingsplans:*",
    "shield:*",
    "sso:*",
    "sts:*",
    "tax:*",
)
GLOBAL_ACTIONS += (
    "support:*",
    "supportplans:*",
    "sustainability:*",
    "trustedadvisor:*",
    "waf-regional:*",
    "waf:*",
    "wafv2:*",
)
ROLES: Final = ("arn:aws:iam::*:role/OrganizationAdmin", "arn:aws:iam::*:role/aws-reserved/sso.amazonaws.com/*")


@dataclass(frozen=True, slots=True)
class Timing:
    """
    Median seconds from the texts of the policies to the answer, and whether both sides gave the same.

    Attributes:
        solving: The part of *solver* in which it does nothing but think.
        compared: The same for the algebra: the comparison, with both chains compiled beforehand.
    """

    solver: float
    solving: float
    algebra: float
    compared: float
    agree: bool


def region_pairs() -> Mapping[str, Pair]:
    """
    Return changes to a policy that denies regions, by what they change.
    """
    statement: Json = {
        "Sid": "DenyRegions",
        "Effect": "Deny",
        "NotAction": list(GLOBAL_ACTIONS),
        "Resource": "*",
        "Condition": {
            "StringNotEquals": {"aws:RequestedRegion": ["eu-central-1", "eu-west-1", "eu-north-1"]},
            "ArnNotLike": {"aws:PrincipalARN": list(ROLES)},
        },
    }
    region, action, reworded = (copy.deepcopy(statement) for _ in range(3))
    region["Condition"]["StringNotEquals"]["aws:RequestedRegion"].append("us-east-1")
    action["NotAction"].append("quicksight:*")
    reworded["NotAction"] = [*reversed(GLOBAL_ACTIONS), "IAM:Get*", "sts:assumerole"]
    reworded["Condition"]["ArnNotEquals"] = {"AWS:PrincipalArn": list(reversed(ROLES))}
    del reworded["Condition"]["ArnNotLike"]
    others = {"one region more": region, "one action more": action, "other words": reworded}
    return {name: Pair(_chain(statement), _chain(other)) for name, other in others.items()}


def _chain(statement: Json) -> Written:
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    return Written((("r-ab12", (FULL_ACCESS,)), ("222222222222", (FULL_ACCESS, policy))))


def measure(pair: Pair, *, rounds: int = 9, seconds: float = 60) -> Timing:
    """
    Ask both sides some times in turns, the algebra with nothing remembered from before.
    """
    texts = [json.dumps(written.levels) for written in (pair.before, pair.after)]
    solver, solving, algebra, compared = [], [], [], []
    for _ in range(rounds):
        answer, spent = _timed(lambda: ask(*(_read(text) for text in texts), seconds=seconds))
        solver.append(spent)
        solving.append(answer.solving)
        forget_results()
        verdict, spent = _timed(lambda: _compared(texts))
        algebra.append(spent)
        forget_results()
        before, after = _permissions(texts)
        before.compile()
        after.compile()
        compared.append(_timed(functools.partial(compare, before, after))[1])
    agree = answer.differs is (verdict != "equivalent")
    return Timing(*map(median, (solver, solving, algebra, compared)), agree)


def _read(text: str) -> Written:
    return Written(tuple((target_id, tuple(policies)) for target_id, policies in json.loads(text)))


def _compared(texts: list[str]) -> str:
    return compare(*_permissions(texts)).verdict


def _permissions(texts: list[str]) -> tuple[Permissions, Permissions]:
    before, after = (maximum_permissions(_read(text).chain(), ACCOUNT) for text in texts)
    return before, after


def _timed(work: Callable[[], Result]) -> tuple[Result, float]:
    start = perf_counter()
    result = work()
    return result, perf_counter() - start


def main() -> None:
    """
    Print both times for each change, and how many times longer the solver takes.
    """
    line = "{:<16} {:>12} {:>16} {:>12} {:>8} {:>12} {:>8} {}\n"
    heads = ("change", "cvc5", "(thinking)", "from texts", "ratio", "compiled", "ratio", "")
    sys.stdout.write(line.format(*heads))
    for name, pair in region_pairs().items():
        timing = measure(pair)
        solver, solving, algebra, compared = (
            f"{seconds * 1000:.2f} ms" for seconds in (timing.solver, timing.solving, timing.algebra, timing.compared)
        )
        whole, thinking = (
            f"{one / other:.1f}" for one, other in ((timing.solver, timing.algebra), (timing.solving, timing.compared))
        )
        agree = "" if timing.agree else "THEY DO NOT AGREE"
        sys.stdout.write(line.format(name, solver, solving, algebra, whole, compared, thinking, agree))


if __name__ == "__main__":
    main()
