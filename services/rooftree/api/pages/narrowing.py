"""
How a chain narrows what an account may do, level by level, and what each policy by itself takes away.

Counted in the actions of AWS that are known today. Most policies deny an action only under conditions, so the picture
tells apart what one policy restricts from what several do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from markupsafe import Markup

from rooftree import permissions as algebra
from rooftree.api.pages.addresses import Addresses
from rooftree.api.pages.charts import Layers, funnel
from rooftree.api.pages.limits import conditional_groups
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
        layers: What is left below it, and how much of that is restricted.
        picture: The same, drawn.
    """

    name: str
    address: str
    icon: str
    layers: Layers
    takings: Sequence[Taking]
    picture: Markup


@dataclass(frozen=True, slots=True)
class _Actions:
    """
    Known actions as sets of bits, by how they are decided.
    """

    conditional: int
    denied: int
    everything: int


def narrow(ceilings: Ceilings, account: Standing, names: Mapping[str, str], to: Addresses) -> Sequence[Step] | None:
    """
    Return the levels of an account's chain from the root down; None where no service control policy limits it.

    Raises:
        InputError: Its place in the organization is not known.
    """
    chain = ceilings.chain(account.placed_chain_id, account.account_id)
    if chain.levels is None:
        return None
    return list(_steps(chain.levels, account, names, to))


def _steps(levels: Sequence[Level], account: Standing, names: Mapping[str, str], to: Addresses) -> Iterator[Step]:
    binding = account.binding
    above: Layers | None = None
    once = twice = 0
    for depth, level in enumerate(levels, start=1):
        own = depth == len(levels)
        takings = []
        for policy in level.policies:
            alone = algebra.maximum_permissions(_alone(policy), binding)
            restricted = _actions(alone).conditional if _denies(policy) else 0
            twice |= once & restricted
            once |= restricted
            takings.append(_taking(policy, alone, account, to))
        whole = _actions(algebra.maximum_permissions(Chain(tuple(levels[:depth])), binding))
        here = _layers(whole, once, twice)
        yield Step(
            name=account.name if own else "Root" if depth == 1 else names.get(level.target_id, level.target_id),
            address=to.account(account.account_id) if own else to.node(level.target_id),
            icon="account" if own else "root" if depth == 1 else "unit",
            layers=here,
            takings=takings,
            picture=funnel(above, here),
        )
        above = here


def _layers(whole: _Actions, once: int, twice: int) -> Layers:
    # what is denied altogether is not also restricted; what only levels together restrict counts as once
    several = whole.conditional & twice
    restricted = (whole.conditional | (once & ~whole.denied)) & ~several
    allowed = whole.everything & ~whole.denied & ~several & ~restricted
    return Layers(
        allowed.bit_count(), restricted.bit_count(), several.bit_count(), (whole.denied & whole.everything).bit_count()
    )


def _taking(policy: AttachedPolicy, alone: Permissions, account: Standing, to: Addresses) -> Taking:
    ours = policy.policy_id not in BUILTIN_NAMES
    return Taking(
        policy_id=policy.policy_id,
        name=policy.name,
        address=to.policy(policy.policy_id),
        ours=ours,
        words=_words(policy, alone, account.binding) if ours else (),
    )


def _words(policy: AttachedPolicy, alone: Permissions, account: AccountBinding) -> tuple[str, ...]:
    if not _denies(policy):
        return ("lists what is allowed here",)
    denied, told = _told(alone, account.account_id)
    return (*([f"denies {denied:,} actions outright"] if denied else []), *told) or ("takes nothing away",)


@lru_cache(maxsize=REMEMBERED)
def _told(alone: Permissions, account_id: str) -> tuple[int, tuple[str, ...]]:
    """
    Return how many actions a policy denies outright, and in words under which conditions it denies others.
    """
    actions = _actions(alone)
    words = []
    groups = conditional_groups(alone.summary(alone.account))
    for group in groups[:TOLD]:
        case = group.cases[0] if group.cases else None
        when = f", {case.words[0].lower()}{case.words[1:]}" if case else ""
        words.append(f"restricts {group.count:,}{when}{' …' if len(group.cases) > 1 else ''}")
    rest = sum(group.count for group in groups[TOLD:])
    if rest:
        words.append(f"restricts {rest:,} more in other ways")
    return actions.denied.bit_count(), tuple(word.replace("{account}", account_id) for word in words)


def _alone(policy: AttachedPolicy) -> Chain:
    full = AttachedPolicy(FULL_AWS_ACCESS_ID, BUILTIN_NAMES[FULL_AWS_ACCESS_ID], FULL_AWS_ACCESS)
    return Chain((Level("alone", (full, policy) if policy.policy_id != FULL_AWS_ACCESS_ID else (policy,)),))


def _denies(policy: AttachedPolicy) -> bool:
    return any(statement.effect is Effect.DENY for statement in policy.document.statements)


@lru_cache(maxsize=REMEMBERED)
def _actions(permissions: Permissions) -> _Actions:
    """
    Return the known actions as bits; accounts for which a chain means the same share the object, so they share these.
    """
    verdicts = permissions.verdicts()
    order = sorted(verdicts)
    return _Actions(
        conditional=_bits(verdicts[name] == "conditional" for name in order),
        denied=_bits(verdicts[name] == "denied" for name in order),
        everything=(1 << len(order)) - 1,
    )


def _bits(chosen: Iterator[bool]) -> int:
    # the first character is the greatest bit: which one stands for which action does not matter, as long as it stays
    return int("".join("1" if one else "0" for one in chosen) or "0", 2)
