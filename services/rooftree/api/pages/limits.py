"""
Maximum permissions in words: what is decided by its name alone, and the conditions of what is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rooftree.api.pages.values import mapping_of, mappings_of
from rooftree.inquiry import wording
from rooftree.policy.patterns import action_matches

__all__ = ["Case", "ConditionalGroup", "conditional_groups", "groups_of_action"]

ACTIONS_SHOWN: Final = 8


@dataclass(frozen=True, slots=True)
class Case:
    """
    Requests that are denied, or the only ones that are allowed.

    Attributes:
        keys: The condition keys that tell them apart.
        of_resources: Whether their resources do as well.
    """

    mark: str
    words: str
    keys: frozenset[str]
    of_resources: bool


@dataclass(frozen=True, slots=True)
class ConditionalGroup:
    """
    Actions that depend on more than their name, in one way.

    Attributes:
        count: How many known actions there are among them.
        complete: Whether the cases are all.
        patterns: The set of actions, as the summary has it.
    """

    actions: str
    count: int
    cases: Sequence[Case]
    complete: bool
    patterns: Mapping[str, object]


def conditional_groups(summary: Mapping[str, object]) -> list[ConditionalGroup]:
    """
    Return the groups of actions that depend on more than their name, the largest first.
    """
    return [_group(entry) for entry in mappings_of(summary.get("conditional"))]


def groups_of_action(groups: Iterable[ConditionalGroup], action: str) -> list[ConditionalGroup]:
    """
    Return the groups that an action belongs to.
    """
    return [group for group in groups if _holds(group.patterns, action)]


def _group(entry: Mapping[str, object]) -> ConditionalGroup:
    denied = "denied_if" in entry
    actions = mapping_of(entry.get("actions"))
    count = mapping_of(entry.get("known_actions")).get("count")
    cases = [_case(case, denied=denied) for case in mappings_of(entry.get("denied_if" if denied else "allowed_if"))]
    return ConditionalGroup(
        actions=wording.set_words(actions, everything="every action", shown=ACTIONS_SHOWN),
        count=count if isinstance(count, int) else 0,
        cases=cases,
        complete=entry.get("complete") is not False,
        patterns=actions,
    )


def _case(case: Mapping[str, object], *, denied: bool) -> Case:
    resources = wording.set_words(case.get("resources"), everything="")
    when = wording.conditions_words(case.get("conditions"))
    told = [*([f"on {resources}"] if resources else []), *([f"when {when}"] if when else [])]
    lead = "Denied" if denied else "Allowed only"
    return Case(
        mark="denied" if denied else "allowed",
        words=" ".join([lead, *(told or ["always"])]),
        keys=frozenset(str(line.get("key")).lower() for line in mappings_of(case.get("conditions"))),
        of_resources=bool(resources),
    )


def _holds(patterns: Mapping[str, object], action: str) -> bool:
    alternatives = mappings_of(patterns.get("alternatives"))
    if alternatives:
        return any(_holds(one, action) for one in alternatives)

    def matches(name: str) -> list[bool]:
        found = patterns.get(name)
        return [action_matches(str(one), action) for one in found] if isinstance(found, list | tuple) else []

    included = matches("any_of")
    return (any(included) or not included) and not any(matches("none_of")) and all(matches("all_of"))
