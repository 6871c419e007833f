"""
What a principal loses or gains, shown by requests that the full evaluation decides as said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from rooftree.authorization import AccessRequest, Authorizer, Membership, PolicySet, parse_principal
from rooftree.authorization.services import demands_resource_policy
from rooftree.organization.directory import Grants
from rooftree.organization.principals import PrincipalKind
from rooftree.permissions import Comparison
from rooftree.policy.chain import AttachedPolicy
from rooftree.policy.context import Context
from rooftree.policy.document import PolicyKind, parse_policy
from rooftree.policy.evaluate import Decision
from rooftree.view.standing import Holdings, Place

__all__ = ["Alteration", "Confirmer", "Moment", "Touch", "Witness"]

TRIED: Final = 8
"""Witnesses of one direction that are tried; one that is not confirmed is rare, and the next differs much from it."""

AUTHORIZERS_KEPT: Final = 512
"""Principals with equal policies stand close together: in one account, or in accounts with the same roles."""

_OWN_KEYS: Final = frozenset(
    {
        *("aws:principalarn", "aws:principalaccount", "aws:principalorgid", "aws:principalorgpaths"),
        *("aws:principaltype", "aws:principalisawsservice", "aws:userid", "aws:username"),
    }
)
"""Keys that the principal settles, whatever a witness of the algebra has for them."""

_TAG: Final = "aws:PrincipalTag/"

Witness: TypeAlias = Mapping[str, Any]
"""An action, a resource and a context, as in an audit event."""


@dataclass(frozen=True, slots=True)
class Moment:
    """
    A principal before or after a change.
    """

    place: Place
    holdings: Holdings


@dataclass(frozen=True, slots=True)
class Alteration:
    """
    A principal before and after a change.
    """

    grants: Grants
    before: Moment
    after: Moment


@dataclass(frozen=True, slots=True)
class Touch:
    """
    One direction in which a principal is touched.

    Attributes:
        direction: ``denied`` or ``allowed``.
        witness: A request that is decided otherwise, without the keys that the principal settles.
    """

    direction: str
    before: Decision
    after: Decision
    witness: Witness

    def as_json(self) -> dict[str, object]:
        """
        Return the same as it stands in an audit event.
        """
        return {
            "direction": self.direction,
            "before": self.before.value,
            "after": self.after.value,
            "witness": dict(self.witness),
        }


class Confirmer:
    """
    Holds witnesses of the algebra against the full evaluation.
    """

    def __init__(self) -> None:
        self._authorizers: dict[tuple[object, ...], Authorizer] = {}

    def confirm(self, alteration: Alteration, direction: str, witness: Witness) -> Touch | None:
        """
        Return the direction with its witness, if the principal's request is decided as the direction says.
        """
        grants = alteration.grants
        before, after = (self._decide(grants, witness, each) for each in (alteration.before, alteration.after))
        if direction != _direction(before, after):
            return None
        context = {key: value for key, value in witness["context"].items() if not _is_own(key, grants)}
        return Touch(direction, before, after, {**witness, "context": context})

    def touches(self, alteration: Alteration, comparison: Comparison) -> list[Touch]:
        """
        Return the directions in which a principal is touched, each with a witness that is decided as said.

        There are fewer than the comparison says where no witness could be confirmed.
        """
        found: dict[str, Touch] = {}
        tried: Counter[str] = Counter()
        for change in comparison.all_changes:
            direction = change.direction
            tried[direction] += 1
            witness = change.as_json(alteration.after.place.account)["witness"]
            if direction in found or tried[direction] > TRIED or not isinstance(witness, dict):
                continue
            confirmed = self.confirm(alteration, direction, witness)
            if confirmed is not None:
                found[direction] = confirmed
        return list(found.values())

    def changes(self, alteration: Alteration, comparison: Comparison) -> list[dict[str, object]]:
        """
        Return all changes of a principal as they stand in an audit event; one without a confirmed witness is inexact.
        """
        told = []
        for change in comparison.all_changes:
            described = change.as_json(alteration.after.place.account)
            witness, conditions = described["witness"], described["conditions"]
            shown = self.confirm(alteration, change.direction, witness) if isinstance(witness, dict) else None
            assert isinstance(conditions, list), "as the algebra has them"
            described["conditions"] = [line for line in conditions if str(line["key"]).lower() not in _OWN_KEYS]
            described["witness"] = None if shown is None else shown.witness
            told.append({**described, "exact": False} if shown is None else described)
        return told

    def _decide(self, grants: Grants, witness: Witness, moment: Moment) -> Decision:
        account = moment.place.account
        place = Membership(account.organization_id, account.organization_path)
        request = AccessRequest(
            principal=parse_principal(grants.principal.arn),
            action=witness["action"],
            resource=witness["resource"],
            resource_account=account.account_id,
            context=_context(witness, grants),
            caller=place,
            owner=place,
        )
        return self._authorizer(moment, request).decide(request)

    def _authorizer(self, moment: Moment, request: AccessRequest) -> Authorizer:
        place, holdings = moment.place, moment.holdings
        # Where the policy of a resource must agree, it is taken to leave all to the account.
        owner = place.account.account_id if demands_resource_policy(request.action.lower(), request.resource) else ""
        key = (place.chain_id, owner, *holdings.digests)
        found = self._authorizers.get(key)
        if found is None:
            if len(self._authorizers) >= AUTHORIZERS_KEPT:
                self._authorizers.clear()
            found = self._authorizers[key] = Authorizer(
                PolicySet(
                    identity=holdings.identity,
                    permissions_boundaries=holdings.boundary or (),
                    resource=(_delegating(owner),) if owner else (),
                    service_control=place.chain.levels or (),
                    resource_control=place.chain.resource_levels or (),
                )
            )
        return found


def _direction(before: Decision, after: Decision) -> str | None:
    if (before is Decision.ALLOW) == (after is Decision.ALLOW):
        return None
    return "denied" if before is Decision.ALLOW else "allowed"


def _is_own(key: str, grants: Grants) -> bool:
    """
    Tell whether a key is settled by the principal; tags of a role may be set anew by each of its sessions.
    """
    lowered = key.lower()
    is_tag = lowered.startswith(_TAG.lower())
    return lowered in _OWN_KEYS or (is_tag and grants.principal.kind == PrincipalKind.USER)


def _context(witness: Witness, grants: Grants) -> Context:
    given = {key: value for key, value in witness["context"].items() if not _is_own(key, grants)}
    lowered = {key.lower() for key in given}
    tags = {f"{_TAG}{key}": value for key, value in grants.principal.tags if value}
    return Context.from_json({**{key: value for key, value in tags.items() if key.lower() not in lowered}, **given})


def _delegating(account_id: str) -> AttachedPolicy:
    statement = {"Effect": "Allow", "Principal": {"AWS": account_id}, "Action": "*", "Resource": "*"}
    document = parse_policy({"Version": "2012-10-17", "Statement": [statement]}, PolicyKind.RESOURCE)
    return AttachedPolicy("", "", document)
