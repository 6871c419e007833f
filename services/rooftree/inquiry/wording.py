"""
Decision changes in plain words.

The dashboard, the command line and the report for reviewers all speak through this module,
so one change reads the same wherever it is met. What comes in is the data of an audit event.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from rooftree.policy.builtin import BUILTIN_NAMES

__all__ = [
    "blame_words",
    "cause_words",
    "change_words",
    "condition_words",
    "conditions_words",
    "direction_words",
    "flip_words",
    "flips_headline",
    "headline",
    "impact_words",
    "is_of_organization",
    "names_then",
    "organization_words",
    "permission_lines",
    "place_words",
    "probe_words",
    "reach_words",
    "set_words",
    "side_words",
    "unless_words",
    "verdict_words",
    "witness_words",
]

OWN_POLICIES: Final = {"identity": "its own policies", "boundary": "its permissions boundary"}
"""Where the policies of a principal hang."""

VERDICTS: Final = {
    "tightened": "may do less than before",
    "loosened": "may do more than before",
    "mixed": "may do less in one place and more in another",
    "equivalent": "may do the same as before",
}

RELATIONS: Final = {
    "StringEquals": "is",
    "StringEqualsIgnoreCase": "is (in any case)",
    "StringLike": "is like",
    "NumericEquals": "equals",
    "NumericLessThan": "is less than",
    "NumericLessThanEquals": "is at most",
    "NumericGreaterThan": "is greater than",
    "NumericGreaterThanEquals": "is at least",
    "DateEquals": "is at",
    "DateLessThan": "is before",
    "DateLessThanEquals": "is not after",
    "DateGreaterThan": "is after",
    "DateGreaterThanEquals": "is not before",
    "Bool": "is",
    "BinaryEquals": "is",
    "IpAddress": "is within",
    "ArnEquals": "is like",
    "ArnLike": "is like",
}

NEGATIONS: Final = {
    "StringNotEquals": ("is not", "is neither"),
    "StringNotEqualsIgnoreCase": ("is not (in any case)", "is (in any case) neither"),
    "StringNotLike": ("is not like", "is like neither"),
    "NumericNotEquals": ("does not equal", "equals neither"),
    "DateNotEquals": ("is not at", "is at neither"),
    "NotIpAddress": ("is not within", "is within neither"),
    "ArnNotEquals": ("is not like", "is like neither"),
    "ArnNotLike": ("is not like", "is like neither"),
}
"""In words for one value and for several."""

SHOWN: Final = 6
"""Longer lists are cut in words; the event itself holds all of them."""

WHOLE: Final = 60
"""The same where a list is what was asked for."""


def place_words(path: Sequence[str], names: Mapping[str, str]) -> str:
    """
    Say where an account stands: the units above it, from the root down.

    Args:
        path: The nodes from the root to the account.
        names: Names of units by their ids; an id without one stands for itself.
    """
    return " / ".join(names.get(unit, unit) for unit in path[1:-1]) or "the root"


def verdict_words(verdict: str) -> str:
    """
    Say what a verdict means for the account.
    """
    return VERDICTS.get(verdict, verdict)


def headline(data: Mapping[str, object]) -> str:
    """
    Say in one line what happened to an account.
    """
    name = data.get("account_name") or data.get("account_id")
    return f"{name} {verdict_words(str(data.get('verdict')))}"


def is_of_organization(event_type: str) -> bool:
    """
    Tell whether an event is about a whole organization, and not about decisions.
    """
    return event_type.startswith("rooftree.organization.")


def organization_words(event_type: str) -> str:
    """
    Say what an event about a whole organization means.
    """
    if event_type.startswith("rooftree.organization.incomplete"):
        return "Something is missing: the view may be wrong"
    if event_type.startswith("rooftree.organization.complete"):
        return "Nothing is missing any more"
    return event_type


def impact_words(impacts: Iterable[object]) -> str | None:
    """
    Say how many users and roles of some accounts a change touches, and name one with what it loses or gains.
    """
    told = [_mapping(impact) for impact in impacts]
    counts = reach_words(told)
    groups = (_mapping(group) for impact in told for group in _sequence(impact.get("touched")))
    group = next(groups, None)
    if counts is None or group is None:
        return counts
    change = _mapping(_sequence(group.get("changes"))[0])
    example = f"{direction_words(change)} {witness_words(change)}"
    return f"{counts}, such as {_sequence(group.get('arns'))[0]}: {example}"


def reach_words(impacts: Iterable[object]) -> str | None:
    """
    Say how many users and roles of some accounts a change touches; None where none of them is known.
    """
    told = [_mapping(impact) for impact in impacts]
    if not told:
        return None
    touched, untouched, unknown = (
        sum(int(str(impact.get(f"{name}_count") or 0)) for impact in told)
        for name in ("touched", "untouched", "unknown")
    )
    open_ends = f", {unknown} are not known well enough" if unknown else ""
    return f"touches {touched} of {touched + untouched + unknown} users and roles{open_ends}"


def flips_headline(flips: Sequence[Mapping[str, object]]) -> str:
    """
    Say in one line what happened to probes.
    """
    if len(flips) == 1:
        return f"Probe {flips[0].get('name')} is {_expectation(flips[0])}"
    wrong = sum(flip.get("as_expected") is not True for flip in flips)
    return f"{len(flips)} probes are decided otherwise, {wrong} of them not as expected"


def flip_words(flip: Mapping[str, object]) -> str:
    """
    Say what became of a probe: what it asks, how that was decided, how it is now.
    """
    reasons = [_mapping(reason) for reason in _sequence(flip.get("decided_by"))]
    named = dict.fromkeys(f"{reason.get('policy_name')} ({reason.get('statement')})" for reason in reasons)
    lacking = ", ".join(str(kind).replace("_", " ") for kind in _sequence(flip.get("blocked_by")))
    because = f", by {', '.join(named)}" if named else f", for lack of an Allow: {lacking}" if lacking else ""
    decisions = f"was {flip.get('before')}, is {flip.get('after')}{because}"
    return f"probe {flip.get('name')} is {_expectation(flip)}: {probe_words(flip)} {decisions}"


def probe_words(probe: Mapping[str, object]) -> str:
    """
    Say what a probe asks for.
    """
    context = _mapping(probe.get("context"))
    pairs = ", ".join(f"{key}={_value(value)}" for key, value in sorted(context.items()))
    asked = f"{probe.get('action')} on {probe.get('resource')} by {probe.get('principal')}"
    return f"{asked}{f' with {pairs}' if pairs else ''}"


def _expectation(probe: Mapping[str, object]) -> str:
    match probe.get("as_expected"):
        case True:
            return "as expected"
        case False:
            return "not as expected"
        case _:
            return "not known any more"


def cause_words(data: Mapping[str, object]) -> str:
    """
    Say in one line what caused a change and by whose hand.
    """
    cause = _mapping(data.get("cause"))
    summary = cause.get("summary") or cause.get("event_type") or "an unknown change"
    actor = cause.get("actor")
    return f"{summary}, by {actor}" if actor else str(summary)


def names_then(data: Mapping[str, object], names: Mapping[str, str]) -> dict[str, str]:
    """
    Return names as an event is to say them: as they were then, with what is called otherwise by now.

    Args:
        data: The data of the event, which knows what its own subjects were called.
        names: Names of policies and nodes by their ids, as they are now.
    """
    then = {subject: str(name) for subject, name in _mapping(_mapping(data.get("cause")).get("names")).items()}
    told = {
        subject: name if names.get(subject, name) == name else f"{name} (now {names[subject]})"
        for subject, name in then.items()
    }
    return {**names, **told}


def direction_words(change: Mapping[str, object]) -> str:
    """
    Say which way a change goes.
    """
    return "now allowed" if change.get("direction") == "allowed" else "now denied"


def change_words(change: Mapping[str, object]) -> str:
    """
    Say which requests are allowed or denied now that were not before.
    """
    direction = direction_words(change)
    if change.get("policy_type") == "resource_control":
        direction += " to anybody, on its resources"
    actions = set_words(change.get("actions"), everything="every action")
    resources = set_words(change.get("resources"), everything="")
    where = f" on {resources}" if resources else ""
    when = conditions_words(change.get("conditions"))
    told = change.get("exact", True) or change.get("unless")
    exact = "" if told else " (not exactly: more is said than is so)"
    return f"{direction}: {actions}{where}{f', when {when}' if when else ''}{exact}"


def witness_words(change: Mapping[str, object]) -> str:
    """
    Show one request of the change in one line.
    """
    witness = _mapping(change.get("witness"))
    context = _mapping(witness.get("context"))
    pairs = ", ".join(f"{key}={_value(value)}" for key, value in sorted(context.items()))
    resource = witness.get("resource")
    return f"{witness.get('action')} on {resource}{f' with {pairs}' if pairs else ''}"


def blame_words(change: Mapping[str, object], names: Mapping[str, str] | None = None) -> str:
    """
    Name the statements without which nothing would have changed.

    Args:
        change: One entry of ``changes``.
        names: Names of policies and nodes by their ids; an id without one stands for itself.
    """
    entries = [_mapping(entry) for entry in _sequence(change.get("statements"))]
    verbs = [_verb(entry, change) for entry in entries]
    return "; ".join(_cut(_statements_words(entries, verbs, names))) or "no statement: nothing allows it"


def side_words(change: Mapping[str, object], side: str, names: Mapping[str, str] | None = None) -> list[str]:
    """
    Name the statements that decide on one side of a change, without what they do: the decision beside them says it.

    Args:
        change: One entry of ``changes``.
        side: ``before`` or ``after``.
        names: Names of policies and nodes by their ids; an id without one stands for itself.
    """
    entries = [_mapping(entry) for entry in _sequence(change.get("statements"))]
    here = [entry for entry in entries if (entry.get("side") or "after") == side]
    return _cut(_statements_words(here, [""] * len(here), names))


def unless_words(change: Mapping[str, object], names: Mapping[str, str] | None = None) -> str:
    """
    Name the statements that deny some of the requests both before and after; empty where there are none.

    Args:
        change: One entry of ``changes``.
        names: Names of policies and nodes by their ids; an id without one stands for itself.
    """
    entries = [_mapping(entry) for entry in _sequence(change.get("unless"))]
    verb = "denied already" if change.get("direction") == "denied" else "still denies"
    return "; ".join(_cut(_statements_words(entries, [verb] * len(entries), names)))


def _statements_words(
    entries: Sequence[Mapping[str, object]], verbs: Sequence[str], names: Mapping[str, str] | None
) -> list[str]:
    """
    Name statements with what they do, and the nodes on which each hangs.
    """
    known = names or {}
    targets: dict[tuple[str, str], list[str]] = {}
    for entry, verb in zip(entries, verbs, strict=True):
        policy, target, label = (str(entry.get(name) or "") for name in ("policy_id", "target_id", "statement"))
        statement = f"{_called(policy, known)}{f' ({label})' if label else ''}"
        targets.setdefault((statement, verb), []).append(_called(target, known))
    return [f"{statement} on {', '.join(_cut(nodes))} {verb}".rstrip() for (statement, verb), nodes in targets.items()]


def _called(identifier: str, names: Mapping[str, str]) -> str:
    if identifier.startswith("r-"):
        return "the root"
    if identifier.startswith("arn:"):
        return identifier.rpartition("/")[2]
    return names.get(identifier) or OWN_POLICIES.get(identifier) or BUILTIN_NAMES.get(identifier, identifier)


def _verb(entry: Mapping[str, object], change: Mapping[str, object]) -> str:
    before = entry.get("side") == "before"
    denies = change.get("before" if before else "after") == "explicit_deny"
    return f"{'no longer ' if before else ''}{'denies' if denies else 'allows'}"


def conditions_words(conditions: object) -> str:
    """
    Say conditions that hold together.
    """
    return " and ".join(condition_words(_mapping(condition)) for condition in _sequence(conditions))


def condition_words(condition: Mapping[str, object]) -> str:
    """
    Say one condition, for example ``aws:RequestedRegion is neither eu-west-1 nor eu-central-1``.
    """
    key = str(condition.get("key"))
    operator = str(condition.get("operator"))
    values = [str(value) for value in _sequence(condition.get("values"))]
    quantifier, _, bare = operator.rpartition(":")
    base = bare.removesuffix("IfExists")
    if base == "Null":
        return f"{key} is absent" if [value.lower() for value in values] == ["true"] else f"{key} is present"
    said = f"{key} {_relation(base, _cut(values))}"
    if quantifier == "ForAllValues":
        said = f"every value of {said}"
    elif quantifier == "ForAnyValue":
        said = f"some value of {said}"
    return f"{said} (or absent)" if bare.endswith("IfExists") else said


def set_words(chosen: object, *, everything: str, shown: int = SHOWN) -> str:
    """
    Say a set of patterns given as what it includes and what it leaves out.
    """
    parts = _mapping(chosen)
    alternatives = _sequence(parts.get("alternatives"))
    if alternatives:
        return ", or ".join(set_words(one, everything=everything, shown=shown) for one in alternatives)
    included = [str(pattern) for pattern in _sequence(parts.get("any_of"))]
    excluded = [str(pattern) for pattern in _sequence(parts.get("none_of"))]
    narrowed = [str(pattern) for pattern in _sequence(parts.get("all_of"))]
    base = everything if included in ([], ["*"]) else ", ".join(_cut(included, shown))
    if narrowed:
        base = " and ".join([*([base] if base else []), *_cut(narrowed, shown)])
    if not excluded:
        return base
    return f"{base or 'everything'} except {', '.join(_cut(excluded, shown))}"


def permission_lines(summary: Mapping[str, object]) -> list[str]:
    """
    Say maximum permissions line by line: what is always allowed, never allowed, and allowed under conditions.
    """
    of_resources = _mapping(summary.get("resource_control"))
    if of_resources:
        own = permission_lines({name: value for name, value in summary.items() if name != "resource_control"})
        return [*own, "on its resources, anybody may at most:", *permission_lines(of_resources)]
    if summary.get("unlimited"):
        return ["everything: no service control policy limits this account"]
    if summary.get("allowed") is None and summary.get("denied") is None and not summary.get("conditional"):
        return ["too tangled to be said: these policies hold too many patterns that overlap"]
    lines = []
    for name in ("allowed", "denied"):
        group = _mapping(summary.get(name))
        if group:
            lines.append(f"{name}: {_group_words(group)}")
    for entry in _sequence(summary.get("conditional")):
        lines.extend(_conditional_lines(_mapping(entry)))
    return [*lines, *_service_lines(summary)]


def _group_words(group: Mapping[str, object]) -> str:
    count = _mapping(group.get("known_actions")).get("count", 0)
    actions = set_words(group.get("actions"), everything="every action", shown=WHOLE)
    return f"{actions} ({count} known {'action' if count == 1 else 'actions'})"


def _conditional_lines(entry: Mapping[str, object]) -> list[str]:
    name = "denied_if" if "denied_if" in entry else "allowed_if"
    lead = "denied" if name == "denied_if" else "allowed only"
    lines = [f"depends: {_group_words(entry)}"]
    for case in _sequence(entry.get(name)):
        resources = set_words(_mapping(case).get("resources"), everything="", shown=WHOLE)
        when = conditions_words(_mapping(case).get("conditions"))
        lines.append(
            "  - " + " ".join([lead, *([f"on {resources}"] if resources else []), *([f"when {when}"] if when else [])])
        )
    return lines


def _service_lines(summary: Mapping[str, object]) -> list[str]:
    listed = [_mapping(service) for service in _sequence(summary.get("services"))]
    throughout: dict[str, list[str]] = {"denied": [], "conditional": []}
    mixed = []
    for entry in listed:
        counts = {name: entry.get(name) for name in ("allowed", "conditional", "denied") if entry.get(name)}
        only = next(iter(counts)) if len(counts) == 1 else None
        if only is None:
            mixed.append(f"  {entry.get('service')}: " + ", ".join(f"{n} {name}" for name, n in counts.items()))
        else:
            throughout[only].append(str(entry.get("service")))
    lines = [
        f"services {name} throughout ({len(found)}): {', '.join(_cut(found, WHOLE))}"
        for name, found in throughout.items()
        if found
    ]
    return [*lines, *(["services in part:", *mixed] if mixed else [])]


def _relation(base: str, values: Sequence[str]) -> str:
    if base in NEGATIONS:
        single, several = NEGATIONS[base]
        return f"{single if len(values) == 1 else several} {' nor '.join(values)}"
    return f"{RELATIONS.get(base, base)} {' or '.join(values)}"


def _value(value: object) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(str(part) for part in value) + "]"
    return str(value)


def _cut(values: Iterable[str], shown: int = SHOWN) -> list[str]:
    listed = list(values)
    return listed if len(listed) <= shown else [*listed[: shown - 1], f"{len(listed) - shown + 1} more"]


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _sequence(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()
