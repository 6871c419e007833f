"""
Which decisions would change, before anybody changes anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from rooftree.errors import InputError
from rooftree.inquiry.comparing import Report, compare_reached
from rooftree.inquiry.principals import tell_principals
from rooftree.inquiry.progress import Progress, unseen
from rooftree.inquiry.sources import MemorySource, OrganizationSource
from rooftree.organization.changes import (
    CHANGE_TYPES,
    AccountMoved,
    Change,
    ChangeData,
    PolicyAttached,
    PolicyDetached,
    PolicyUpdated,
)
from rooftree.organization.claims import facts_of
from rooftree.organization.documents import AUTHORIZING_TYPES, BUILTIN_POLICIES, Policy, accept_content
from rooftree.organization.identifiers import is_account
from rooftree.organization.tree import Organization
from rooftree.policy.document import read_content

__all__ = ["Attach", "Detach", "Move", "Step", "Supposed", "Update", "find_policy", "suppose", "what_if"]


@dataclass(frozen=True, slots=True)
class Attach:
    """
    A policy is attached to a node; both go by id or by name.

    Attributes:
        place: How whoever asks calls this step, for messages.
    """

    policy: str
    target: str
    place: str = "attach"


@dataclass(frozen=True, slots=True)
class Detach:
    """
    A policy is detached from a node; both go by id or by name.

    Attributes:
        place: How whoever asks calls this step, for messages.
    """

    policy: str
    target: str
    place: str = "detach"


@dataclass(frozen=True, slots=True)
class Update:
    """
    A policy, by id or by name, is given another content.

    Attributes:
        content: The text of the policy.
        place: How whoever asks calls this step, for messages.
        content_place: How the content is called.
    """

    policy: str
    content: str
    place: str = "update"
    content_place: str = "update.content"


@dataclass(frozen=True, slots=True)
class Move:
    """
    An account is moved under another node; both go by id or by name.

    Attributes:
        place: How whoever asks calls this step, for messages.
    """

    account: str
    parent: str
    place: str = "move"


Step: TypeAlias = Attach | Detach | Update | Move


async def what_if(
    source: OrganizationSource, before: MemorySource, steps: Sequence[Step], *, progress: Progress = unseen
) -> Report:
    """
    Return which decisions would differ after some steps, all of which together are one change, and for whom.

    Args:
        source: Where users and roles are known.
        before: The organization as it is now.
        steps: What is supposed.
        progress: Sees each account that is compared, and each whose users and roles are looked at.

    Raises:
        InputError: A step names something that is not there, or that already is so.
        UnavailableError: The database does not answer.
    """
    supposed = suppose(before.state, steps, latest=before.latest)
    report = compare_reached(before, supposed.organization, supposed.accounts, supposed.told, progress=progress)
    return await tell_principals(source, report, progress=progress)


@dataclass(frozen=True, slots=True)
class Supposed:
    """
    An organization after some steps.

    Attributes:
        accounts: Those of which something may differ, as for a change; no step adds or removes one.
        told: The nodes and policies that the steps say something of; they say nothing of the organization as a whole.
    """

    organization: Organization
    accounts: frozenset[str]
    told: frozenset[str]


def suppose(organization: Organization, steps: Sequence[Step], *, latest: datetime | None = None) -> Supposed:
    """
    Return an organization as it would be after some steps, each taken after the one before.

    Args:
        organization: The organization as it is.
        steps: What is supposed.
        latest: The time of what was told of it last; it is looked for, unless it is given.

    Raises:
        InputError: A step names something that is not there, or that already is so.
    """
    after, touched, told = organization.copy(), set[str](), set[str]()
    latest = latest or MemorySource(organization).latest
    for number, step in enumerate(steps, start=1):
        # after all that has been told
        time = latest + timedelta(microseconds=number)
        merge = after.merge(facts_of(_change(after, number, time, _data(after, step))))
        touched |= merge.accounts
        told.update(fact.subject for fact in merge.facts)
    return Supposed(after, frozenset(touched), frozenset(told))


def find_policy(organization: Organization, wanted: str) -> str | None:
    """
    Return the id of the policy that goes by an id or a name; None where there is none, or where there are several.
    """
    try:
        return _policy(organization, wanted, "").policy_id
    except InputError:
        return None


def _change(organization: Organization, number: int, time: datetime, data: ChangeData) -> Change:
    return Change(
        event_id=f"supposed-{number}",
        source="what-if",
        type=CHANGE_TYPES[type(data)],
        time=time,
        sequence="",
        organization_id=organization.organization_id,
        actor=None,
        data=data,
    )


def _data(organization: Organization, step: Step) -> ChangeData:
    match step:
        case Move():
            return _moved(organization, step)
        case Update():
            policy = _policy(organization, step.policy, step.place)
            return PolicyUpdated(policy.policy_id, content=_content(policy, step))
        case Attach():
            policy, target = _hung(organization, step, wanted=False)
            return PolicyAttached(policy.policy_id, target)
        case Detach():
            policy, target = _hung(organization, step, wanted=True)
            return PolicyDetached(policy.policy_id, target)


def _moved(organization: Organization, step: Move) -> AccountMoved:
    account = _node(organization, step.account, step.place)
    parent = _node(organization, step.parent, step.place)
    if not is_account(account) or is_account(parent):
        found = f"{step.account}:{step.parent}"
        raise InputError(f"expected an account and its new parent, found `{found}`", place=step.place)
    return AccountMoved(account, parent_id=parent)


def _hung(organization: Organization, step: Attach | Detach, *, wanted: bool) -> tuple[Policy, str]:
    policy = _policy(organization, step.policy, step.place)
    target = _node(organization, step.target, step.place)
    hangs = policy.policy_id in organization.attached_ids(target)
    if hangs is not wanted:
        state = "hangs already" if hangs else "does not hang"
        raise InputError(f"`{step.policy}` {state} on `{step.target}`", place=step.place)
    return policy, target


def _content(policy: Policy, step: Update) -> str:
    kind = AUTHORIZING_TYPES.get(policy.type)
    if policy.policy_id in BUILTIN_POLICIES or kind is None:
        raise InputError(f"`{policy.name}` is no policy that can be written anew", place=step.place)
    try:
        return accept_content(read_content(step.content), kind)
    except InputError as error:
        place = f"{step.content_place}: {error.place}" if error.place else step.content_place
        raise type(error)(error.reason, place=place) from error


def _policy(organization: Organization, wanted: str, place: str) -> Policy:
    known = [*organization.policies(), *BUILTIN_POLICIES]
    found = [wanted] if wanted in known else [each for each in known if organization.name_of(each) == wanted]
    policy = organization.policy(_only(found, wanted, place, "policy"))
    assert policy is not None
    return policy


def _node(organization: Organization, wanted: str, place: str) -> str:
    found = [wanted] if organization.has_node(wanted) else organization.nodes_named(wanted)
    return _only(found, wanted, place, "node")


def _only(found: Sequence[str], wanted: str, place: str, what: str) -> str:
    """
    Return the one id of what goes by an id or a name.
    """
    if len(found) > 1:
        raise InputError(f"several go by `{wanted}`: {', '.join(sorted(found))}", place=place)
    if not found:
        raise InputError(f"there is no {what} `{wanted}`", place=place)
    return found[0]
