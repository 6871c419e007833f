"""
Whether work is done: what waits, what was lost, and who works.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rooftree.diagnosis.finding import Finding

__all__ = ["ProgressFacts", "judge_progress"]

MUCH_LAG: Final = 1_000
LATE_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class ProgressFacts:
    """
    What the stores hold of work in hand; None where the user that asks may not read it.

    Attributes:
        ends: The first and the next offset of each partition of the changes topic; None where Kafka does not tell.
        read: The next offset to read of each; a partition that was never read is not there.
        losses: Partitions that are not read on since records of them were lost, each with the reason.
        letters: Dead letters that wait, by organization; the empty name is for those that tell none.
        incomplete: Organizations that miss something, each with the reason.
        unsent: How many records wait for a relay, and for how many seconds the oldest has.
        roles: How many connections to PostgreSQL each role has, by its name there.
    """

    ends: Mapping[int, tuple[int, int]] | None
    read: Mapping[int, int] | None
    losses: Mapping[int, str] | None
    letters: Mapping[str, int] | None
    incomplete: Mapping[str, str] | None
    unsent: tuple[int, float] | None
    roles: Mapping[str, int]


def judge_progress(facts: ProgressFacts) -> Iterator[Finding]:
    """
    Yield what there is to say about work in hand.
    """
    yield from _workers(facts)
    if facts.ends is not None and facts.read is not None:
        yield _log(facts.ends, facts.read)
        yield _lag(facts.ends, facts.read)
    if facts.losses is not None:
        yield _losses(facts.losses)
    if facts.unsent is not None:
        yield _outbox(*facts.unsent)
    if facts.letters is not None:
        yield _letters(facts.letters)
    if facts.incomplete is not None:
        yield _completeness(facts.incomplete)


def _workers(facts: ProgressFacts) -> Iterator[Finding]:
    everything = facts.roles.get("rooftree", 0)
    for role, does in (("projector", "no change is processed"), ("relay", "no audit event is sent")):
        if everything or facts.roles.get(f"rooftree-{role}", 0):
            yield Finding.ok(f"workers.{role}", "is connected to PostgreSQL")
        else:
            yield Finding.problem(
                f"workers.{role}", f"no {role} is connected to PostgreSQL: {does}", f"start `rooftree {role}`"
            )


def _log(ends: Mapping[int, tuple[int, int]], read: Mapping[int, int]) -> Finding:
    gone = [number for number, (first, _) in ends.items() if read.get(number, first) < first]
    short = [number for number, (_, end) in ends.items() if read.get(number, end) > end]
    if gone or short:
        return Finding.problem(
            "changes.log",
            f"the broker no longer holds what was not read yet, in {_partitions([*gone, *short])}",
            "see 'When the broker has forgotten something' in docs/operations.md",
        )
    return Finding.ok("changes.log", "holds everything that is not read yet")


def _lag(ends: Mapping[int, tuple[int, int]], read: Mapping[int, int]) -> Finding:
    lag = {number: end - read.get(number, first) for number, (first, end) in ends.items()}
    total = sum(count for count in lag.values() if count > 0)
    if total < MUCH_LAG:
        return Finding.ok("changes.lag", f"{total} changes wait")
    worst = sorted(lag, key=lambda number: -lag[number])[:3]
    return Finding.warning(
        "changes.lag",
        f"{total} changes wait, most of them in {_partitions(worst)}",
        "if the number does not fall: the log of the projectors says why; more of them help up to one a partition",
    )


def _losses(losses: Mapping[int, str]) -> Finding:
    if not losses:
        return Finding.ok("changes.loss", "every partition is read on")
    reason = next(iter(losses.values()))
    return Finding.problem(
        "changes.loss",
        f"projectors have stopped reading {_partitions([*losses])}: {reason}",
        "see 'When the broker has forgotten something' in docs/operations.md",
    )


def _outbox(unsent: int, oldest: float) -> Finding:
    if oldest < LATE_SECONDS:
        return Finding.ok("outbox", f"{unsent} records wait to be sent")
    return Finding.problem(
        "outbox",
        f"{unsent} records wait to be sent, the oldest for {oldest:.0f} seconds",
        "look for `relay.record_too_large` and `worker.server_away` in the log of the relay",
    )


def _letters(letters: Mapping[str, int]) -> Finding:
    total = sum(letters.values())
    if not total:
        return Finding.ok("dead_letters", "none waits")
    whose = ", ".join(f"{count} of {organization or 'no organization'}" for organization, count in letters.items())
    return Finding.problem(
        "dead_letters",
        f"{total} changes could not be processed: {whose}",
        "`rooftree dead-letter list` says why; then `rooftree dead-letter replay`, or import a snapshot",
    )


def _completeness(incomplete: Mapping[str, str]) -> Finding:
    if not incomplete:
        return Finding.ok("completeness", "no organization misses anything that is known of")
    told = "; ".join(f"{name}: {reason}" for name, reason in list(incomplete.items())[:3])
    return Finding.problem(
        "completeness",
        f"{len(incomplete)} organizations miss something: {told}",
        "replay their dead letters, or import a snapshot of each by `rooftree import`",
    )


def _partitions(numbers: Sequence[int]) -> str:
    named = ", ".join(str(number) for number in sorted(numbers))
    return f"partition{'s' if len(numbers) != 1 else ''} {named}"
