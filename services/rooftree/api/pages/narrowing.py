"""
How a chain narrows what an account may do, level by level, and what each policy by itself takes away.

Counted in the actions of AWS that are known today. Most policies deny an action only under conditions, so the picture
tells apart what a decision depends on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from markupsafe import Markup

from rooftree import permissions as algebra
from rooftree.api.pages.addresses import Addresses
from rooftree.api.pages.charts import flow, stack
from rooftree.api.pages.layers import Layers, layers_of
from rooftree.api.pages.limits import ConditionalGroup, conditional_groups
from rooftree.api.pages.phrases import some
from rooftree.inquiry.standing import Standing
from rooftree.permissions import AccountBinding, Permissions
from rooftree.policy.builtin import BUILTIN_NAMES, FULL_AWS_ACCESS, FULL_AWS_ACCESS_ID
from rooftree.policy.chain import AttachedPolicy, Chain, Level
from rooftree.policy.model import Effect
from rooftree.view.ceilings import Ceilings

__all__ = ["Step", "Taking", "narrow"]

REMEMBERED: Final = 2048
TOLD: Final = 2
"""Ways in which a policy restricts that are told; its page has the rest."""

EVERYTHING: Final = AttachedPolicy(FULL_AWS_ACCESS_ID, BUILTIN_NAMES[FULL_AWS_ACCESS_ID], FULL_AWS_ACCESS)


@dataclass(frozen=True, slots=True)
class Taking:
    """
    A policy, and what it takes away by itself.
    """

    policy_id: str
    name: str
    address: str
    ours: bool
    words: Sequence[str]


@dataclass(frozen=True, slots=True)
class Step:
    """
    One level of the chain.

    Attributes:
        layers: What is left below it, and what that depends on.
        flow: How it becomes that from what the level above leaves, drawn.
        stack: What is left, drawn.
    """

    name: str
    address: str
    icon: str
    layers: Layers
    takings: Sequence[Taking]
    flow: Markup
    stack: Markup


def narrow(ceilings: Ceilings, account: Standing, names: Mapping[str, str], to: Addresses) -> Sequence[Step] | None:
    """
    Return the levels of an account's chain from the root down; None where no service control policy limits it.

    Raises:
        InputError: Its place in the organization is not known.
    """
    chain = ceilings.chain(account.placed_chain_id, account.account_id)
    if chain.levels is None:
        return None
    return list(_steps(chain.levels, account, account.bound(ceilings), names, to))


def _steps(
    levels: Sequence[Level], account: Standing, binding: AccountBinding, names: Mapping[str, str], to: Addresses
) -> Iterator[Step]:
    above = _layers(algebra.maximum_permissions(_alone(EVERYTHING), binding))
    for depth, level in enumerate(levels, start=1):
        own = depth == len(levels)
        here = _layers(algebra.maximum_permissions(Chain(tuple(levels[:depth])), binding))
        yield Step(
            name=account.name if own else "Root" if depth == 1 else names.get(level.target_id, level.target_id),
            address=to.account(account.account_id) if own else to.node(level.target_id),
            icon="account" if own else "root" if depth == 1 else "unit",
            layers=here,
            takings=[_taking(policy, binding, to) for policy in level.policies],
            flow=flow(above, here),
            stack=stack(here),
        )
        above = here


def _taking(policy: AttachedPolicy, account: AccountBinding, to: Addresses) -> Taking:
    ours = policy.policy_id not in BUILTIN_NAMES
    return Taking(
        policy_id=policy.policy_id,
        name=policy.name,
        address=to.policy(policy.policy_id),
        ours=ours,
        words=_words(policy, account) if ours else (),
    )


def _words(policy: AttachedPolicy, account: AccountBinding) -> tuple[str, ...]:
    if not _denies(policy):
        return ("lists what is allowed here",)
    return _told(algebra.maximum_permissions(_alone(policy), account), account.account_id) or ("takes nothing away",)


@lru_cache(maxsize=REMEMBERED)
def _told(alone: Permissions, account_id: str) -> tuple[str, ...]:
    """
    Say how many actions a policy denies outright, and under which conditions it denies others.
    """
    summary = alone.summary(alone.account)
    denied = layers_of(summary).parts[-1].count
    groups = conditional_groups(summary)
    rest = sum(group.count for group in groups[TOLD:])
    words = [
        *([f"denies {some(denied, 'action')} outright"] if denied else []),
        *(_restricts(group) for group in groups[:TOLD]),
        *([f"restricts {rest:,} more in other ways"] if rest else []),
    ]
    return tuple(word.replace("{account}", account_id) for word in words)


def _restricts(group: ConditionalGroup) -> str:
    case = group.cases[0].words if group.cases else ""
    when = f": {case[0].lower()}{case[1:]}" if case else ""
    return f"restricts {some(group.count, 'action')}{when}{' …' if len(group.cases) > 1 else ''}"


@lru_cache(maxsize=REMEMBERED)
def _layers(permissions: Permissions) -> Layers:
    """
    Return the layers of known actions; accounts for which a chain means the same share the object, so they share these.
    """
    return layers_of(permissions.summary(permissions.account))


def _alone(policy: AttachedPolicy) -> Chain:
    return Chain((Level("alone", (EVERYTHING, policy) if policy.policy_id != FULL_AWS_ACCESS_ID else (policy,)),))


def _denies(policy: AttachedPolicy) -> bool:
    return any(statement.effect is Effect.DENY for statement in policy.document.statements)
