"""
What must hold for every request under all policy types.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.property.authorization_strategies import DENY_ALL, HOME, Scene, asked_within, requests, scenes
from tests.property.plain_authorization import decide_plainly

from rooftree.authorization import Authorizer, Membership, PolicySet, PrincipalKind, parse_principal
from rooftree.authorization.binding import PolicyType, idle_types
from rooftree.authorization.request import AccessRequest, determined_keys
from rooftree.authorization.services import demands_resource_policy, needs_no_permission
from rooftree.policy.chain import AttachedPolicy, Level
from rooftree.policy.context import Context
from rooftree.policy.evaluate import Decision, statement_matches
from rooftree.policy.model import Effect
from rooftree.policy.request import Request

LAYERS = ["identity", "permissions_boundaries", "session", "resource", "vpc_endpoint"]
CHAINS = ["service_control", "resource_control"]
LINKED = parse_principal(f"arn:aws:iam::{HOME}:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX")


def decide(scene: Scene) -> Decision:
    """
    Decide afresh.
    """
    return Authorizer(scene.policies).decide(scene.request)


def is_allowed(scene: Scene) -> bool:
    """
    Tell whether the request is allowed.
    """
    return decide(scene) is Decision.ALLOW


def in_every_policy(policies: PolicySet, change: Callable[[AttachedPolicy], AttachedPolicy]) -> PolicySet:
    """
    Return the same policies, each changed.
    """
    layers = {name: tuple(change(one) for one in getattr(policies, name)) for name in LAYERS}
    chains = {
        name: tuple(Level(one.target_id, tuple(change(policy) for policy in one.policies)) for one in levels)
        for name in CHAINS
        for levels in [getattr(policies, name)]
    }
    return replace(policies, **layers, **chains)


@settings(max_examples=300)
@given(scenes())
def test_the_evaluation_is_the_one_that_the_documentation_tells(scene: Scene) -> None:
    """
    Written down a second time, without anything compiled.
    """
    assert decide_plainly(scene) is decide(scene)


@settings(max_examples=100)
@given(scenes())
def test_reasons_belong_to_the_decision(scene: Scene) -> None:
    """
    What is told with reasons is what is decided without, and every reason is a statement that applies.
    """
    answer = Authorizer(scene.policies).explain(scene.request)
    request = scene.request
    context = Context(dict(determined_keys(request, request.resource_account)))

    assert decide(scene) is answer.decision
    assert (answer.decision is Decision.ALLOW) is not bool(answer.blocked_by)
    assert answer.decision is not Decision.IMPLICIT_DENY or not answer.decided_by
    effect = Effect.DENY if answer.decision is Decision.EXPLICIT_DENY else Effect.ALLOW
    for reason in answer.decided_by:
        if reason.statement is None:
            assert PolicyType.ACL is reason.policy_type
            continue
        assert effect is reason.statement.effect
        # the version of the document decides on variables, which both ways of reading cover
        assert any(
            statement_matches(reason.statement, Request(request.action, request.resource, context), variables=variables)
            for variables in (True, False)
        )


@given(scenes(), st.sampled_from(["identity", "permissions_boundaries", "session", "service_control"]))
def test_deny_wins(scene: Scene, name: str) -> None:
    """
    Whatever else there is, one Deny of everything among policies that bind is final.
    """
    request = scene.request
    given_policies = getattr(scene.policies, name)
    added = (Level("r-1", (DENY_ALL,)),) if name in CHAINS else (DENY_ALL,)
    policies = replace(scene.policies, **{name: (*given_policies, *added)})
    binds = name not in idle_types(request, request.action.lower(), request.resource_account)

    assert binds is (decide(Scene(request, policies)) is Decision.EXPLICIT_DENY) or not binds


@given(requests())
def test_default_is_deny(request_: AccessRequest) -> None:
    """
    Without any policy a root user may act in its account, and nobody else anywhere, but for what needs no permission.
    """
    assume(not needs_no_permission(request_.action.lower()))
    is_owner = request_.principal.kind is PrincipalKind.ROOT_USER and request_.resource_account == HOME
    expected = is_owner and not demands_resource_policy(request_.action.lower(), request_.resource)

    assert expected is (Authorizer(PolicySet()).decide(request_) is Decision.ALLOW)


@given(scenes())
def test_order_and_repetition_do_not_matter(scene: Scene) -> None:
    """
    Statements, policies and levels in any order, as often as you like.
    """

    def turned(policy: AttachedPolicy) -> AttachedPolicy:
        document = policy.document
        return replace(policy, document=replace(document, statements=document.statements[::-1] * 2, digest="turned"))

    policies = in_every_policy(scene.policies, turned)
    policies = replace(policies, **{name: getattr(policies, name)[::-1] * 2 for name in LAYERS + CHAINS})

    assert decide(scene) is decide(Scene(scene.request, policies))


@given(scenes(), scenes(), st.sampled_from(LAYERS + CHAINS))
def test_adding_a_deny_never_widens(scene: Scene, other: Scene, name: str) -> None:
    """
    A policy that only denies, added to any kind of policies that is there.
    """

    def denying(policy: AttachedPolicy) -> AttachedPolicy:
        kept = tuple(one for one in policy.document.statements if one.effect is Effect.DENY)
        return replace(policy, document=replace(policy.document, statements=kept, digest="denying"))

    there, more = getattr(scene.policies, name), getattr(in_every_policy(other.policies, denying), name)
    assume(there)
    policies = replace(scene.policies, **{name: (*there, *more)})

    assert is_allowed(scene) or not is_allowed(Scene(scene.request, policies))


@given(scenes(), st.integers(0, 3))
def test_removing_an_allow_never_widens(scene: Scene, index: int) -> None:
    """
    From all policies at once, or from those that have so many.
    """

    def without(policy: AttachedPolicy) -> AttachedPolicy:
        kept = tuple(
            one for number, one in enumerate(policy.document.statements) if number != index or one.effect is Effect.DENY
        )
        return replace(policy, document=replace(policy.document, statements=kept, digest=f"without-{index}"))

    narrowed = Scene(scene.request, in_every_policy(scene.policies, without))

    assert is_allowed(scene) or not is_allowed(narrowed)


@given(scenes(), st.sampled_from(["permissions_boundaries", "session", "vpc_endpoint", *CHAINS]))
def test_what_only_limits_never_widens(scene: Scene, name: str) -> None:
    """
    Taking all boundaries, session policies, endpoint policies or control policies away allows no less.

    A session that may do nothing without a session policy is another matter.
    """
    assume(name != "session" or not scene.request.principal.needs_session_policy)
    opened = Scene(scene.request, replace(scene.policies, **{name: ()}))

    assert is_allowed(opened) or not is_allowed(scene)


@given(scenes())
def test_service_control_never_binds_the_management_account(scene: Scene) -> None:
    """
    Wherever such policies hang.
    """
    assume(scene.request.principal.is_of_account)
    managed = replace(scene.request, caller=Membership("o-exampleorg", is_management=True))
    without = replace(scene.policies, service_control=())

    assert decide(Scene(managed, scene.policies)) is decide(Scene(managed, without))


@given(scenes())
def test_control_policies_never_bind_a_service_linked_role(scene: Scene) -> None:
    """
    Neither kind of them.
    """
    linked = replace(scene.request, principal=LINKED)
    without = replace(scene.policies, service_control=(), resource_control=())

    assert decide(Scene(linked, scene.policies)) is decide(Scene(linked, without))


@given(scenes())
def test_resource_control_never_binds_the_management_account(scene: Scene) -> None:
    """
    Resources of it, whoever asks.
    """
    managed = replace(scene.request, owner=Membership("o-exampleorg", is_management=True))
    without = replace(scene.policies, resource_control=())

    assert decide(Scene(managed, scene.policies)) is decide(Scene(managed, without))


@given(scenes())
def test_what_is_allowed_across_accounts_is_allowed_within_one(scene: Scene) -> None:
    """
    Two sides that must allow are never easier to satisfy than either of them.
    """
    assume(scene.request.principal.is_of_account and scene.policies.acl is None)
    across = replace(
        scene.request, resource_account="333333333333", context=asked_within(scene.request, "333333333333")
    )
    within = replace(across, resource_account=HOME)

    assert is_allowed(Scene(within, scene.policies)) or not is_allowed(Scene(across, scene.policies))


@given(scenes())
def test_an_authorizer_may_be_asked_again(scene: Scene) -> None:
    """
    What it keeps of one request changes nothing for the next.
    """
    authorizer = Authorizer(scene.policies)
    first = authorizer.decide(scene.request)
    authorizer.explain(replace(scene.request, resource="*", action="s3:GetObject"))

    assert first is authorizer.decide(scene.request)
