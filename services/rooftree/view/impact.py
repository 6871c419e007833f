"""
Which principals a change really touches: the decision changes of their account, as far as their own policies reach.

Principals that have the same policies, and that no pattern for principals tells apart, are looked at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from rooftree.organization.directory import Directory, Grants
from rooftree.organization.principals import PrincipalKind
from rooftree.permissions import Comparison
from rooftree.policy.chain import Level
from rooftree.policy.model import PolicyDocument, Statement
from rooftree.view.algebra import Algebra
from rooftree.view.confirming import Alteration, Confirmer, Moment, Touch
from rooftree.view.examples import Examples
from rooftree.view.overlap import changed_denials, may_overlap
from rooftree.view.patch import Reported
from rooftree.view.principals import PrincipalStep
from rooftree.view.standing import NOBODY, Holdings, Place, holdings_of, is_service_linked, pinned

__all__ = ["Impact", "ImpactFinder", "PrincipalImpact"]


DIRECTIONS: Final = {"tightened": "denied", "loosened": "allowed"}

MOST_NAMED: Final = 1000
"""Principals that one event names: an account may have 5,000 roles, and a record holds a megabyte."""

VERDICTS: Final = {("denied",): "tightened", ("allowed",): "loosened", ("allowed", "denied"): "mixed"}


@dataclass(slots=True)
class Impact:
    """
    What a change does to the principals of one account.

    Attributes:
        touched: Those that lose or gain something, with the witnesses of each.
        untouched: How many lose and gain nothing.
        unknown: How many have policies that are not known, or are touched as far as can be seen without a witness.
    """

    touched: list[tuple[str, list[Touch]]] = field(default_factory=list)
    untouched: int = 0
    unknown: int = 0

    def as_json(self) -> dict[str, object]:
        """
        Return the impact as it stands in an audit event: principals with the same witnesses together.
        """
        groups: dict[str, dict[str, Any]] = {}
        for arn, touches in self.touched[:MOST_NAMED]:
            changes = [touch.as_json() for touch in touches]
            verdict = VERDICTS[tuple(sorted({touch.direction for touch in touches}))]
            group = groups.setdefault(repr(changes), {"arns": [], "verdict": verdict, "changes": changes})
            group["arns"].append(arn)
        return {
            "touched": list(groups.values()),
            "touched_count": len(self.touched),
            "untouched_count": self.untouched,
            "unknown_count": self.unknown,
        }


@dataclass(frozen=True, slots=True)
class PrincipalImpact:
    """
    What becomes of one principal.

    Attributes:
        changes: As they stand in an audit event.
    """

    grants: Grants
    verdict: str
    changes: list[dict[str, object]]


@dataclass(frozen=True, slots=True)
class _Change:
    """
    What has changed for an account.

    Attributes:
        direction: The only one in which anybody can be touched; None where both are possible.
        statements: What alone the change speaks of; None where it may be anything: levels allow other things than
            before, or the account has become another one to its policies.
    """

    direction: str | None
    before: Place
    after: Place
    statements: tuple[Statement, ...] | None


class ImpactFinder:
    """
    Looks for principals that a change touches. Good for one change.
    """

    def __init__(self, algebra: Algebra, directory: Directory) -> None:
        self._algebra = algebra
        self._directory = directory
        self._confirmer = Confirmer()
        self._examples = Examples()

    def of_account(self, verdict: str, before: Place, after: Place) -> Impact | None:
        """
        Return what becomes of the principals of an account that is bound otherwise than before; None if none is known,
        or if only what anybody may do with its resources is another, which is not a matter of its principals alone.

        Args:
            verdict: What becomes of the account: nobody in it can lose where it gains, nor gain where it loses.
            before: The account before.
            after: The account after.
        """
        account_id = after.account.account_id
        callers = list(self._callers(account_id))
        nobody_is_known = not callers and not self._directory.is_whole(account_id)
        if nobody_is_known or before.binds_principals_like(after):
            return None
        impact = Impact()
        change = _Change(
            DIRECTIONS.get(verdict),
            before,
            after,
            changed_denials(before.chain, after.chain) if before.account == after.account else None,
        )
        for grants in callers:
            if is_service_linked(grants):
                impact.untouched += 1
                continue
            if grants.missing:
                impact.unknown += 1
                continue
            touches = self._touch(change, grants, holdings_of(self._directory, grants, Reported.of(grants)))
            if touches is None:
                impact.untouched += 1
            elif touches:
                impact.touched.append((grants.principal.arn, touches))
            else:
                impact.unknown += 1
        return impact

    def of_principal(self, place: Place, step: PrincipalStep) -> PrincipalImpact | None:
        """
        Return what becomes of a principal whose own policies have changed; None if no decision has.
        """
        above = place.above(step.grants)
        before, after = (
            Moment(above, NOBODY if told is None else holdings_of(self._directory, step.grants, told))
            for told in (step.before, step.after)
        )
        alteration = Alteration(step.grants, before, after)
        comparison = self._compare(alteration, _pin(alteration))
        if comparison.is_equivalent:
            return None
        return PrincipalImpact(step.grants, comparison.verdict, self._confirmer.changes(alteration, comparison))

    def _compare(self, alteration: Alteration, pin: tuple[Level, ...]) -> Comparison:
        return self._algebra.compare(
            *(
                self._algebra.maximum_permissions(moment.place.chain_of(moment.holdings, pin), moment.place.account)
                for moment in (alteration.before, alteration.after)
            )
        )

    def _callers(self, account_id: str) -> Iterator[Grants]:
        grants: Mapping[str, Grants] = self._directory.grants(account_id)
        return (one for one in grants.values() if one.principal.kind != PrincipalKind.GROUP)

    def _touch(self, change: _Change, grants: Grants, holdings: Holdings) -> list[Touch] | None:
        """
        Return the directions in which a principal is touched; None if it is not, none if that cannot be shown.
        """
        if change.statements is not None and not _can_be_reached(holdings, change.statements):
            return None
        before, after = (Moment(place.above(grants), holdings) for place in (change.before, change.after))
        alteration = Alteration(grants, before, after)
        pin = _pin(alteration)
        surroundings = (change.before.chain_id, change.after.chain_id, pin)
        if change.direction is not None:
            for witness in self._examples.of(surroundings, holdings):
                confirmed = self._confirmer.confirm(alteration, change.direction, witness)
                if confirmed is not None:
                    return [confirmed]
        comparison = self._compare(alteration, pin)
        if comparison.is_equivalent:
            return None
        touches = self._confirmer.touches(alteration, comparison)
        if change.direction is not None:
            for touch in touches:
                self._examples.learn(surroundings, holdings, touch.witness)
        return touches


def _pin(alteration: Alteration) -> tuple[Level, ...]:
    documents = (*_documents(alteration.before), *_documents(alteration.after))
    return pinned(documents, alteration.grants.principal.arn)


def _can_be_reached(holdings: Holdings, statements: tuple[Statement, ...]) -> bool:
    identity = (policy.document for policy in holdings.identity)
    if not may_overlap(identity, statements):
        return False
    return holdings.boundary is None or may_overlap((policy.document for policy in holdings.boundary), statements)


def _documents(moment: Moment) -> Iterator[PolicyDocument]:
    yield from moment.place.documents
    yield from moment.holdings.documents
