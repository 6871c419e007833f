"""
Small words: dates, counts, and who did something, as pages say them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from markupsafe import Markup, escape

from rooftree.errors import InputError

__all__ = [
    "actor",
    "ago",
    "breakable",
    "clock",
    "coded",
    "date",
    "decider",
    "decision",
    "is_recent",
    "log",
    "policy_type",
    "problem",
    "sentence",
    "some",
    "status",
    "themes",
    "verdict_mark",
]

FIELD = re.compile(r"\w+")
"""The field of a form at the head of a place."""

ARN_BREAKS = re.compile(r"(arn:(?:[^:]*:){4}|/(?!\*))")

SPACES = re.compile(r"((?<!\d) +| +(?!more\b))")
"""Where words part: not within ``29 more``."""

UNBROKEN = re.compile(r"(\d[\d,]* more\b|(?<![\w.-])[\w.]+(?:-[\w.]+)+(?![\w.-]))")
"""What goes to the next line whole: how many more there are, and a name with hyphens such as that of a region."""

UNBROKEN_LENGTH = 24
"""A longer name breaks at its hyphens."""

ID_LENGTH = 13
"""Characters of an id of Kafka: as many as fit into a line beside those of another, and tell it apart all the same."""

RECENT = timedelta(days=30)
"""What changed within it is marked as recent."""

DECISIONS = {
    "allow": ("allowed", "Allowed"),
    "implicit_deny": ("denied", "Denied, since nothing allows it"),
    "explicit_deny": ("denied", "Denied by a statement"),
    "unknown": ("quiet", "Not known"),
}

DECIDERS = {"allow": "Allowed by", "explicit_deny": "Denied by"}
"""The same with what decides behind it."""

VERDICTS = {
    "tightened": ("tightened", "Tightened"),
    "loosened": ("loosened", "Loosened"),
    "mixed": ("mixed", "Both ways"),
}

POLICY_TYPES = {
    "SERVICE_CONTROL_POLICY": ("SCP", "Service control policy"),
    "RESOURCE_CONTROL_POLICY": ("RCP", "Resource control policy"),
}


def date(moment: datetime) -> str:
    """
    Say a day.
    """
    return f"{moment:%Y-%m-%d}"


def clock(moment: datetime) -> str:
    """
    Say a moment to the minute, in UTC.
    """
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"


def coded(text: str) -> Markup:
    """
    Set what stands between backticks as code; a backtick without its other half stays as it is.
    """
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else escape(part) for number, part in enumerate(parts)
    )


def breakable(text: str) -> Markup:
    """
    Let a line break before the resource of an ARN and within its path, rather than anywhere in it or at a hyphen.
    """
    return Markup("").join(
        Markup("{}<wbr>").format(_unbroken(part)) if number % 2 else _unbroken(part)
        for word in re.split(SPACES, text)
        for number, part in enumerate(re.split(ARN_BREAKS, word) if "arn:" in word else [word])
    )


def _unbroken(text: str) -> Markup:
    return Markup("").join(
        Markup('<span class="nowrap">{}</span>').format(part)
        if number % 2 and len(part) <= UNBROKEN_LENGTH
        else escape(part)
        for number, part in enumerate(re.split(UNBROKEN, text))
    )


def sentence(words: str) -> str:
    """
    Begin words as a sentence begins.
    """
    return words[:1].upper() + words[1:]


def some(count: int, one: str, many: str | None = None) -> str:
    """
    Say how many.
    """
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def ago(moment: datetime, now: datetime) -> str:
    """
    Say how long ago something was, in its largest unit.
    """
    seconds = max((now - moment).total_seconds(), 0)
    for size, word in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {word} ago"
    return "just now"


def is_recent(moment: datetime, now: datetime) -> bool:
    """
    Tell whether something is recent enough to be marked.
    """
    return now - moment <= RECENT


def actor(arn: object) -> str:
    """
    Name who acted: of an ARN what people know them by.
    """
    if not isinstance(arn, str) or not arn:
        return "unknown"
    _, found, name = arn.rpartition(":")
    kind, _, rest = name.partition("/")
    if not found:
        return arn
    if kind == "assumed-role":
        role, _, session = rest.partition("/")
        return f"{session} as {role}" if session else role
    return rest or name


def decision(name: str) -> tuple[str, str]:
    """
    Return the mark and the words of a decision.
    """
    return DECISIONS.get(name, ("quiet", name))


def decider(name: str) -> str:
    """
    Return the words of a decision that lead to what decides it.
    """
    return DECIDERS.get(name) or decision(name)[1]


def verdict_mark(verdict: str | None) -> tuple[str, str] | None:
    """
    Return the mark and the word of a verdict.
    """
    return VERDICTS.get(verdict or "")


def log(log_id: str) -> str:
    """
    Name a log by as much of its ids as tells it from others.
    """
    parts = [part if len(part) <= ID_LENGTH else f"{part[: ID_LENGTH - 1]}…" for part in log_id.split("/")]
    return "/".join(parts)


def problem(error: InputError, labels: Mapping[str, str]) -> str:
    """
    Say what is wrong with a form, with its fields as the form calls them.
    """
    field = FIELD.match(error.place)
    name = field[0] if field else ""
    place = f"{labels.get(name, name)}{error.place[len(name) :]}"
    return f"{place}: {error.reason}" if place else sentence(error.reason)


def policy_type(kind: str) -> tuple[str, str]:
    """
    Return the short and the long name of a type of policies.
    """
    return POLICY_TYPES.get(kind, (kind.replace("_", " ").lower(), kind.replace("_", " ").capitalize()))


def status(name: str) -> tuple[str, str]:
    """
    Return the mark and the word of the status of an account.
    """
    return ("quiet" if name == "ACTIVE" else "warn", name.replace("_", " ").capitalize())


def themes(theme: str | None) -> list[tuple[str, str]]:
    """
    Return what the colours of pages can be switched to: the two that they are not by now.
    """
    known = (("light", "Light"), ("dark", "Dark"), ("auto", "As the system"))
    return [(name, words) for name, words in known if name != (theme or "auto")]
