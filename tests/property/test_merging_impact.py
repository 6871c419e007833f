from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.generators.histories import History, histories
from tests.generators.shelf import Shelf

from rooftree import permissions
from rooftree.authorization import AccessRequest, Authorizer, PolicySet, parse_principal
from rooftree.authorization.surroundings import Surroundings
from rooftree.contracts import decode_change
from rooftree.organization.changes import PrincipalChange
from rooftree.organization.directory import Directory
from rooftree.policy.context import Context
from rooftree.policy.evaluate import Decision
from rooftree.policy.patterns import compile_glob
from rooftree.policy.variables import Piece
from rooftree.view.overlap import globs_meet, surely_covers
from rooftree.view.watching import attached_policy

# One request for each thing that the policies of generated histories decide about.
REQUESTS = [
    (action, region)
    for action in (
        "athena:GetQueryResults",
        "cloudtrail:StopLogging",
        "ec2:RunInstances",
        "organizations:LeaveOrganization",
        "s3:PutBucketPublicAccessBlock",
        "s3:GetObject",
    )
    for region in ("eu-west-1", "us-east-1", "ap-south-1")
]


class State:
    """What full evaluation says of an organization as it is stored."""

    def __init__(self, shelf: Shelf) -> None:
        view = shelf.load(permissions)
        self.directory: Directory = view.principals.directory
        self._surroundings = Surroundings(view.organization)

    def allows(self, arn: str, action: str, resource: str, context: Mapping[str, Any]) -> bool:
        """Whether a request is allowed, for a resource of the principal's account that has no policy of its own."""
        principal = parse_principal(arn)
        account_id = principal.account or ""
        policies = PolicySet(service_control=self._surroundings.service_control(account_id))
        for grants in self.directory.grants(account_id).values():
            if grants.principal.arn == arn:
                boundary = [grants.boundary] if grants.boundary else []
                policies = replace(
                    policies,
                    identity=tuple(attached_policy(self.directory, grants, policy) for policy in grants.policies),
                    permissions_boundaries=tuple(attached_policy(self.directory, grants, one) for one in boundary),
                )
        place = self._surroundings.membership(account_id)
        request = AccessRequest(
            principal=principal,
            action=action,
            resource=resource,
            resource_account=account_id,
            context=Context.from_json(context),
            caller=place,
            owner=place,
        )
        return Authorizer(policies).decide(request) is Decision.ALLOW

    def callers(self, account_id: str) -> dict[str, bool]:
        """The users and roles of an account by ARN, and whether all of their policies are known."""
        grants = self.directory.grants(account_id).values()
        return {one.principal.arn: not one.missing for one in grants if one.principal.kind != "group"}


def told_by(data: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Each principal of an audit event with a direction and a witness."""
    if "principal" in data:
        for change in data["changes"]:
            if change["witness"] is not None:
                yield data["principal"]["arn"], change["direction"], change["witness"]
    for group in (data.get("principals") or {"touched": []})["touched"]:
        for change in group["changes"]:
            for arn in group["arns"]:
                yield arn, change["direction"], change["witness"]


@settings(max_examples=25, deadline=None)
@given(history=histories(changes=150, principals=24))
def test_what_is_told_of_principals_is_what_one_request_after_another_shows(history: History) -> None:
    """Witnesses are decided as said before and after, and no request of a principal that is not named is decided anew."""
    shelf = Shelf(history.organization_id)
    view = shelf.load(permissions)
    for event in history.events:
        before = State(shelf)
        change = decode_change(event.to_bytes())
        patch = view.apply(change)
        shelf.write(patch)
        after = State(shelf)
        named = set()
        for audit in patch.audit:
            for arn, direction, witness in told_by(audit.data):
                named.add(arn)
                if not before.callers(audit.account_id or "").get(arn, True):
                    continue  # compared with what was known of it earlier
                allowed = [
                    state.allows(arn, witness["action"], witness["resource"], witness["context"])
                    for state in (before, after)
                ]
                assert ([True, False] if direction == "denied" else [False, True]) == allowed
            named |= {audit.data["principal"]["arn"]} if "principal" in audit.data else set()
        told = {audit.account_id or "" for audit in patch.audit if audit.type == "rooftree.decision.changed.v1"}
        accounts = {change.data.account_id} if isinstance(change.data, PrincipalChange) else told
        for account_id in accounts & shelf.accounts.keys():
            _check_silence(account_id, named, before, after)


def _check_silence(account_id: str, named: set[str], before: State, after: State) -> None:
    known = before.callers(account_id)
    for arn, is_known in after.callers(account_id).items():
        if arn in named or not is_known or not known.get(arn):
            continue
        for action, region in REQUESTS:
            allowed = [state.allows(arn, action, "*", {"aws:RequestedRegion": region}) for state in (before, after)]
            assert allowed[0] == allowed[1]


@given(history=histories(changes=150, principals=24))
def test_every_user_and_role_of_an_account_is_counted(history: History) -> None:
    """Touched, untouched and unknown ones are all there are."""
    shelf = Shelf(history.organization_id)
    view = shelf.load(permissions)
    for event in history.events:
        patch = view.apply(decode_change(event.to_bytes()))
        shelf.write(patch)
        for audit in patch.audit:
            impact: Any = audit.data.get("principals")
            if impact is not None:
                counts = [impact[f"{name}_count"] for name in ("touched", "untouched", "unknown")]
                assert len(State(shelf).callers(audit.account_id or "")) == sum(counts)
                assert sum(len(group["arns"]) for group in impact["touched"]) == counts[0]


PATTERNS = st.text(alphabet="ab*?", max_size=5)
TEXTS = st.text(alphabet="ab", max_size=6)


@settings(max_examples=500)
@given(one=PATTERNS, other=PATTERNS, text=TEXTS)
def test_patterns_that_do_not_meet_have_no_text_in_common(one: str, other: str, text: str) -> None:
    """What is left out of a comparison could not have mattered."""
    matches = [compile_glob((Piece(pattern),)).matches(text) for pattern in (one, other)]
    if not globs_meet(one, other):
        assert not all(matches)
    if surely_covers(one, other) and matches[1]:
        assert matches[0]
