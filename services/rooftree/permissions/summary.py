"""
Maximum permissions as people read them: allowed everywhere, denied everywhere, allowed only if.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from rooftree.permissions.account import AccountBinding
from rooftree.permissions.catalog import catalog
from rooftree.permissions.change import pattern_json, placed
from rooftree.permissions.cover import cover
from rooftree.permissions.diagram import FALSE, TRUE, Node
from rooftree.permissions.expression import Wording, word_box
from rooftree.permissions.pattern import word_points
from rooftree.permissions.space import Space

__all__ = ["Compiled", "summarize", "verdicts_of"]


@dataclass(frozen=True, slots=True)
class Compiled:
    """
    What a chain lets through and what it denies outright, as diagrams over the dimensions that it needs.
    """

    space: Space
    allowed: Node
    denied: Node


FEW_CASES: Final = 8
"""With so few cases of denial nobody would rather read what is allowed."""

MAX_CASES: Final = 24
"""Cases of one group of actions that a summary lists."""

ALLOWED: Final = "allowed"
CONDITIONAL: Final = "conditional"
DENIED: Final = "denied"


def summarize(compiled: Compiled | None, account: AccountBinding) -> dict[str, object]:
    """
    Return the maximum permissions as JSON.

    ``allowed`` and ``denied`` hold patterns of actions decided alike for every resource and context. Each entry of
    ``conditional`` holds patterns of actions with the requests that are denied for them. ``services`` counts the
    known actions of each verdict. Without *compiled* (patterns too many to tell apart) ``exact`` is false and no
    more is said.
    """
    if compiled is not None and compiled.allowed == TRUE:
        return {"unlimited": True, "exact": True, "allowed": _everything(), "denied": None, "conditional": []}
    if compiled is None:
        return {"unlimited": False, "exact": False, "allowed": None, "denied": None, "conditional": []}
    space = compiled.space
    groups = dict(_groups(compiled))
    conditional = [
        _conditional(space, mask, node, account) for node, mask in groups.items() if node not in (FALSE, TRUE)
    ]
    return {
        "unlimited": False,
        "exact": all(dimension.exact for dimension in space.dimensions),
        "allowed": _group(space, groups.get(TRUE, 0), account),
        "denied": _group(space, groups.get(FALSE, 0), account),
        "conditional": sorted(conditional, key=_size, reverse=True),
        "services": _services(compiled),
    }


def verdicts_of(compiled: Compiled | None) -> dict[tuple[str, str], str]:
    """
    Return the verdict of each known action, by service and name; where nothing can be told, ``conditional``.
    """
    known = _known(compiled)
    commonest = max(known, key=lambda verdict: known[verdict].bit_count())
    verdicts = dict.fromkeys(catalog().pairs, commonest)
    for verdict, actions in known.items():
        if verdict != commonest:
            for name in catalog().listed(actions):
                service, _, action = name.partition(":")
                verdicts[service, action] = verdict
    return verdicts


def _everything() -> dict[str, object]:
    return {"actions": {"any_of": ["*"], "none_of": []}, "known_actions": {"count": len(catalog().names)}}


def _groups(compiled: Compiled) -> Iterator[tuple[Node, int]]:
    """
    Yield what decides the rest of a request, with the classes of actions for which it does.
    """
    space, root = compiled.space, compiled.allowed
    dimension, edges = space.diagrams.edges(root)
    if root in (FALSE, TRUE) or dimension != 0:
        yield root, space.diagrams.full[0]
        return
    for mask, child in edges:
        yield child, mask


def _known(compiled: Compiled | None) -> dict[str, int]:
    """
    Return the known actions of each verdict.
    """
    everything = catalog().all
    if compiled is None:
        return {CONDITIONAL: everything}
    space = compiled.space
    verdicts = {ALLOWED: 0, CONDITIONAL: 0, DENIED: 0}
    for node, mask in _groups(compiled):
        verdict = {FALSE: DENIED, TRUE: ALLOWED}.get(node, CONDITIONAL)
        verdicts[verdict] |= space.known_actions(mask)
    return verdicts


def _group(space: Space, mask: int, account: AccountBinding) -> dict[str, object] | None:
    if not mask:
        return None
    patterns = word_points(space.dimensions[0], mask)
    described: list[dict[str, list[str]]] = [pattern_json(pattern, account) for pattern in patterns]
    actions: object = described[0] if len(described) == 1 else {"any_of": [], "none_of": [], "alternatives": described}
    return {"actions": actions, "known_actions": {"count": space.known_actions(mask).bit_count()}}


def _conditional(space: Space, mask: int, node: Node, account: AccountBinding) -> dict[str, object]:
    """
    Describe actions that depend on more than their name, by what is denied or by what is allowed: the shorter.

    ``complete`` is false where that would be too long, and then there are more cases than those listed.
    """
    name, (wordings, complete) = "denied_if", _wordings(space, space.diagrams.negation(node))
    if not complete or len(wordings) > FEW_CASES:
        allowed, allowed_complete = _wordings(space, node)
        if (not allowed_complete, len(allowed)) < (not complete, len(wordings)):
            name, wordings, complete = "allowed_if", allowed, allowed_complete
    return {
        **(_group(space, mask, account) or {}),
        "complete": complete,
        name: [
            {
                "resources": pattern_json(wording.resources, account),
                "conditions": [
                    {
                        "operator": line.operator,
                        "key": line.key,
                        "values": [placed(value, account) for value in line.values],
                    }
                    for line in wording.conditions
                ],
            }
            for wording in wordings
        ],
    }


def _wordings(space: Space, node: Node) -> tuple[list[Wording], bool]:
    """
    Return the function in words, and whether they say all of it.
    """
    whole = space.diagrams.either(node, space.impossible)
    found = cover(space.diagrams, node, space.impossible, most=MAX_CASES)
    worded = [wording for box in found.boxes for wording, _part in word_box(space, box, whole)]
    return worded, found.rest == FALSE


def _size(entry: dict[str, object]) -> int:
    known = entry["known_actions"]
    return known["count"] if isinstance(known, dict) else 0


def _services(compiled: Compiled) -> list[dict[str, object]]:
    """
    Count the known actions of each service by verdict, leaving out services that are allowed throughout.
    """
    known = _known(compiled)
    listed: list[dict[str, object]] = []
    for service, actions in catalog().services.items():
        counts = {verdict: (found & actions).bit_count() for verdict, found in known.items()}
        if counts[ALLOWED] != actions.bit_count():
            listed.append({"service": service, **counts})
    return listed
