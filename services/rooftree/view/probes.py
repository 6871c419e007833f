"""
The probes of an organization, each with the decision that consumers were told of last.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from rooftree.organization.probes import UNKNOWN, Finding, Probe
from rooftree.view.patch import ProbePatch, ProbeState
from rooftree.view.watching import account_of, accounts_of

__all__ = ["Flip", "Probes", "as_expected"]


def as_expected(probe: Probe, finding: Finding) -> bool | None:
    """
    Tell whether a probe is decided as expected; None where that is not known.
    """
    return None if finding.verdict == UNKNOWN else finding.verdict == probe.expect


@dataclass(frozen=True, slots=True)
class Flip:
    """
    A probe that is decided otherwise than before.

    Attributes:
        before: The decision before.
    """

    before: str
    after: ProbeState

    def as_json(self) -> dict[str, object]:
        """
        Return the flip as it stands in an audit event.
        """
        finding = self.after.finding
        return {
            **self.after.probe.to_json(),
            "before": self.before,
            "after": finding.decision,
            "as_expected": self.after.as_expected,
            "blocked_by": list(finding.blocked_by),
            "decided_by": list(finding.decided_by),
            "missing": list(finding.missing),
        }


class Probes:
    """
    The probes as they stand.
    """

    def __init__(self, states: Iterable[ProbeState] = ()) -> None:
        self._states = {state.probe.name: state for state in states}
        self._accounts = {name: accounts_of(state.probe) for name, state in self._states.items()}

    def __len__(self) -> int:
        return len(self._states)

    def touched(self, accounts: Collection[str] | None) -> list[str]:
        """
        Return the probes on which the policies of *accounts* have a say, ordered; all for None.
        """
        if accounts is None:
            return sorted(self._states)
        return sorted(name for name, own in self._accounts.items() if not own.isdisjoint(accounts))

    def renew(
        self,
        names: Iterable[str],
        current: Callable[[str], Probe | None],
        find: Callable[[Probe], Finding],
        *,
        time: datetime,
        cause_event_id: str,
    ) -> tuple[ProbePatch, list[Flip]]:
        """
        Decide probes anew; return what is to be stored, and those that are decided otherwise than before.

        Args:
            names: The probes.
            current: Returns a probe as it is by now, if it is watched.
            find: Decides it.
            time: When the change took effect.
            cause_event_id: The event behind it.
        """
        states, gone, flips = [], [], []
        for name in sorted(set(names)):
            before, probe = self._states.get(name), current(name)
            if probe is None:
                if before is not None:
                    gone.append(name)
                    del self._states[name], self._accounts[name]
                continue
            finding = find(probe)
            state = _state(before, probe, finding, time, cause_event_id)
            if state == before:
                continue
            states.append(state)
            self._states[name], self._accounts[name] = state, accounts_of(probe)
            if before is not None and before.probe == probe and before.finding.verdict != finding.verdict:
                flips.append(Flip(before.finding.decision, state))
        return ProbePatch(tuple(states), tuple(gone)), flips


def _state(
    before: ProbeState | None, probe: Probe, finding: Finding, time: datetime, cause_event_id: str
) -> ProbeState:
    stays = before is not None and before.probe == probe and before.finding.verdict == finding.verdict
    if before is not None and stays:
        time, cause_event_id = before.since, before.cause_event_id
    return ProbeState(
        probe=probe,
        account_id=account_of(probe),
        finding=finding,
        as_expected=as_expected(probe, finding),
        since=time,
        cause_event_id=cause_event_id,
    )
