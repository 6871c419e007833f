from __future__ import annotations

from typing import Any

import pytest

from rooftree.permissions import AccountBinding, Comparison, compare, maximum_permissions
from rooftree.policy.chain import UNLIMITED, AttachedPolicy, Chain, Level
from rooftree.policy.document import parse_policy

ACCOUNT = AccountBinding("222222222222", "o-exampleorg", "o-exampleorg/r-ab12/ou-ab12-aaaaaaaa/")
OTHER = AccountBinding("333333333333", "o-exampleorg", "o-exampleorg/r-ab12/ou-ab12-aaaaaaaa/")
ALLOW_ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def _policy(name: str, *statements: dict[str, Any], version: str = "2012-10-17") -> AttachedPolicy:
    return AttachedPolicy(f"p-{name}", name, parse_policy({"Version": version, "Statement": list(statements)}))


def _chain(*statements: dict[str, Any], account: AccountBinding = ACCOUNT) -> Chain:
    """
    Return a chain in which everything is allowed and one policy hangs on the unit.
    """
    full = _policy("FullAWSAccess", ALLOW_ALL)
    own = (_policy("own", *statements),) if statements else ()
    return Chain(
        (
            Level("r-ab12", (full,)),
            Level("ou-ab12-aaaaaaaa", (full, *own)),
            Level(account.account_id, (full,)),
        )
    )


def _deny(**elements: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": "*", "Resource": "*", **elements}


def _compare(before: Chain, after: Chain, account: AccountBinding = ACCOUNT) -> Comparison:
    return compare(maximum_permissions(before, account), maximum_permissions(after, account))


def _changes(before: Chain, after: Chain, account: AccountBinding = ACCOUNT) -> list[Any]:
    return _compare(before, after, account).changes(account)


REGION = {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1"]}}


class TestVerdict:
    def test_a_new_denial_tightens(self) -> None:
        """
        What was allowed and is denied makes a change tightening.
        """
        assert _compare(_chain(), _chain(_deny())).verdict == "tightened"

    def test_a_denial_taken_away_loosens(self) -> None:
        """
        What was denied and is allowed makes a change loosening.
        """
        assert _compare(_chain(_deny()), _chain()).verdict == "loosened"

    def test_both_at_once_are_mixed(self) -> None:
        """
        A change that denies some and allows other requests is mixed.
        """
        assert _compare(_chain(_deny(Action="s3:*")), _chain(_deny(Action="ec2:*"))).verdict == "mixed"


class TestRewrites:
    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ([_deny(Action=["s3:Get*", "s3:*"])], [_deny(Action="S3:*")]),
            ([_deny(Action=["s3:*", "ec2:*"])], [_deny(Action="ec2:*"), _deny(Action="s3:*")]),
            ([_deny(Action="s3:*"), _deny(Action="s3:Get*", Condition=REGION)], [_deny(Action="s3:*")]),
            (
                [
                    _deny(
                        Condition={
                            "NumericLessThan": {"aws:MultiFactorAuthAge": "1e9"},
                            "Null": {"aws:MultiFactorAuthAge": "maybe"},
                        }
                    )
                ],
                [],
            ),
            (
                [_deny(Condition={"IpAddress": {"aws:SourceIp": ["10.0.0.0/9", "10.128.0.0/9"]}})],
                [_deny(Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})],
            ),
            (
                [_deny(Condition={"StringNotEquals": {"aws:RequestedRegion": ["a", "b"]}})],
                [_deny(Condition={"StringNotLike": {"AWS:requestedregion": ["b", "a"]}})],
            ),
            (
                [_deny(Condition={"StringNotEqualsIfExists": {"aws:RequestTag/x": "1"}})],
                [_deny(Condition={"StringNotEquals": {"aws:RequestTag/X": "1"}})],
            ),
            (
                [_deny(Condition={"Bool": {"aws:MultiFactorAuthPresent": ["true", "false"]}})],
                [_deny(Condition={"Null": {"aws:MultiFactorAuthPresent": "false"}})],
            ),
            (
                [_deny(Condition={"StringEquals": {"aws:PrincipalAccount": "222222222222"}})],
                [_deny(Condition={"StringEquals": {"aws:PrincipalOrgID": "o-exampleorg"}})],
            ),
        ],
    )
    def test_what_decides_alike_is_no_change(self, before: list[Any], after: list[Any]) -> None:
        """
        Order, case, splitting, redundancy and another spelling change no decision.
        """
        assert _compare(_chain(*before), _chain(*after)).verdict == "equivalent"


class TestChanges:
    def test_a_region_denial_is_told_as_it_was_written(self) -> None:
        """
        One statement is one change, with its exceptions and its condition, the statement to blame and a witness.
        """
        statement = _deny(Sid="Regions", NotAction=["iam:*", "sts:*"], Condition=REGION)
        del statement["Action"]

        (change,) = _changes(_chain(), _chain(statement))

        assert change["actions"] == {"any_of": ["*"], "none_of": ["iam:*", "sts:*"]}
        assert change["conditions"] == [
            {"operator": "StringNotEquals", "key": "aws:RequestedRegion", "values": ["eu-west-1"]}
        ]
        assert (change["direction"], change["before"], change["after"]) == ("denied", "allow", "explicit_deny")
        assert change["witness"] == {
            "action": "ec2:RunInstances",
            "resource": "*",
            "context": {"aws:RequestedRegion": "us-east-1"},
        }
        assert change["statements"] == [
            {"policy_id": "p-own", "statement": "Regions", "target_id": "ou-ab12-aaaaaaaa", "side": "after"}
        ]

    def test_overlapping_denials_are_told_apart(self) -> None:
        """
        Two statements on overlapping actions make two changes, not one for each part of the overlap.
        """
        mfa = {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}
        changes = _changes(
            _chain(), _chain(_deny(Action="ec2:*", Condition=REGION), _deny(Action="ec2:Run*", Condition=mfa))
        )

        assert len(changes) == 2

    def test_only_what_accounts_for_a_change_is_to_blame(self) -> None:
        """
        A statement that denies all of it is named, and not one that happens to deny a part as well.
        """
        part = _deny(Sid="Part", Action="s3:GetObject", Condition={"Null": {"aws:SourceIp": "true"}})
        both = _changes(_chain(), _chain(_deny(Sid="All", Action="s3:*"), part))

        assert [["All"]] == [[blame["statement"] for blame in change["statements"]] for change in both]

    def test_a_lost_allow_is_an_implicit_denial_and_names_what_allowed(self) -> None:
        """
        Where nothing allows any more, the statement that did is to blame, on the side before.
        """
        before = _chain()
        narrow = _policy("narrow", {"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
        after = Chain((*(before.levels or ())[:2], Level("222222222222", (narrow,))))

        (change,) = _changes(before, after)

        assert change["after"] == "implicit_deny"
        assert change["actions"] == {"any_of": ["*"], "none_of": ["s3:*"]}
        assert [(blame["policy_id"], blame["target_id"], blame["side"]) for blame in change["statements"]] == [
            ("p-FullAWSAccess", "222222222222", "before")
        ]

    def test_a_variable_makes_a_change_inexact_unless_the_account_fixes_it(self) -> None:
        """
        A pattern that relates two keys is marked; one that the account fills in is exact.
        """
        free = _changes(_chain(), _chain(_deny(Resource="arn:aws:s3:::home/${aws:username}/*")))
        fixed = _changes(_chain(), _chain(_deny(Resource="arn:aws:sqs:*:${aws:PrincipalAccount}:*")))

        assert [change.get("exact", True) for change in free] == [False]
        assert [change.get("exact", True) for change in fixed] == [True]
        assert free[0]["witness"] is not None

    def test_numbers_but_some_are_not_told_of_requests_without_the_key(self) -> None:
        """
        A negated operator holds where the key is absent, so that its presence is asked for beside it.
        """
        key = "aws:MultiFactorAuthAge"

        (change,) = _changes(_chain(_deny()), _chain(_deny(Condition={"NumericEqualsIfExists": {key: ["0", "5"]}})))

        assert sorted((line["operator"], line["values"]) for line in change["conditions"]) == [
            ("Null", ["false"]),
            ("NumericNotEquals", ["0"]),
            ("NumericNotEquals", ["5"]),
        ]

    def test_a_placeholder_that_was_never_filled_in_matches_nothing(self) -> None:
        """
        No request has a key without a service prefix, so an exception for such a principal excepts nobody.
        """
        condition = {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::${Account}:role/[PRIVILEGED_ROLE]"}}

        (change,) = _changes(_chain(), _chain(_deny(Condition=condition)))

        assert change["conditions"] == []
        assert change.get("exact", True)

    def test_tangled_policies_are_told_roughly_and_marked(self) -> None:
        """
        Where patterns cannot be told apart in time, the statement that differs is reported as inexact.
        """
        letters = "abcdefghijklmnopqrst"
        patterns = [f"s3:*{one}*{other}*" for one, other in zip(letters, reversed(letters), strict=True)]

        (change,) = _changes(_chain(), _chain(_deny(Action=patterns)))

        assert change["exact"] is False
        assert change["after"] == "explicit_deny"
        assert sorted(patterns) == sorted(change["actions"]["any_of"])


class TestAccountBound:
    def test_an_exception_for_one_account_binds_the_others_alone(self) -> None:
        """
        A statement that excepts an account by its id changes nothing for that account.
        """
        statement = _deny(Condition={"StringNotEquals": {"aws:PrincipalAccount": "222222222222"}})

        assert _compare(_chain(), _chain(statement)).verdict == "equivalent"
        assert _compare(_chain(account=OTHER), _chain(statement, account=OTHER), OTHER).verdict == "tightened"

    def test_a_role_of_another_account_is_no_exception_here(self) -> None:
        """
        A principal pattern of another account matches no principal of this one.
        """
        condition = {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::333333333333:role/Admin"}}

        (here,) = _changes(_chain(), _chain(_deny(Condition=condition)))
        (there,) = _changes(_chain(account=OTHER), _chain(_deny(Condition=condition), account=OTHER), OTHER)

        assert here["conditions"] == []
        assert there["conditions"][0]["values"] == ["arn:aws:iam::333333333333:role/Admin"]

    def test_a_move_that_changes_only_the_organization_path_is_seen(self) -> None:
        """
        The same chain of policies decides differently under another path of the organization.
        """
        statement = _deny(
            Condition={"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-exampleorg/r-ab12/ou-ab12-aaaaaaaa/*"}}
        )
        moved = AccountBinding("222222222222", "o-exampleorg", "o-exampleorg/r-ab12/ou-ab12-bbbbbbbb/")

        before = maximum_permissions(_chain(statement), ACCOUNT)
        after = maximum_permissions(_chain(statement), moved)

        assert compare(before, after).verdict == "loosened"

    def test_service_linked_roles_are_not_bound(self) -> None:
        """
        A statement about service-linked roles alone changes nothing, since SCPs do not reach them.
        """
        condition = {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/aws-service-role/*"}}

        assert _compare(_chain(), _chain(_deny(Condition=condition))).verdict == "equivalent"

    def test_accounts_with_equal_chains_share_one_result(self) -> None:
        """
        Two accounts under one unit get the same object, unless a policy tells them apart.
        """
        shared = [maximum_permissions(_chain(_deny(), account=account), account) for account in (ACCOUNT, OTHER)]
        statement = _deny(Condition={"StringEquals": {"aws:PrincipalAccount": "222222222222"}})
        apart = [maximum_permissions(_chain(statement, account=account), account) for account in (ACCOUNT, OTHER)]

        assert shared[0] is shared[1]
        assert apart[0].permissions_id != apart[1].permissions_id

    def test_nothing_limits_an_unlimited_chain(self) -> None:
        """
        The management account and accounts without SCPs may do everything.
        """
        assert _compare(UNLIMITED, _chain(_deny())).verdict == "tightened"
        assert _compare(UNLIMITED, _chain()).verdict == "equivalent"
        assert maximum_permissions(UNLIMITED, ACCOUNT).summary(ACCOUNT)["unlimited"] is True


class TestSummary:
    def test_actions_are_grouped_by_what_decides_them(self) -> None:
        """
        Actions are allowed everywhere, denied everywhere, or denied under conditions.
        """
        chain = _chain(_deny(Action="organizations:LeaveOrganization"), _deny(Action="ec2:*", Condition=REGION))

        summary: Any = maximum_permissions(chain, ACCOUNT).summary(ACCOUNT)

        assert summary["denied"]["actions"] == {"any_of": ["organizations:LeaveOrganization"], "none_of": []}
        assert summary["allowed"]["actions"] == {
            "any_of": ["*"],
            "none_of": ["ec2:*", "organizations:LeaveOrganization"],
        }
        assert summary["conditional"][0]["actions"]["any_of"] == ["ec2:*"]
        assert [REGION["StringNotEquals"]["aws:RequestedRegion"]] == [
            line["values"] for line in summary["conditional"][0]["denied_if"][0]["conditions"]
        ]

    def test_every_known_action_has_a_verdict(self) -> None:
        """
        Known actions are allowed, denied or conditional.
        """
        verdicts = maximum_permissions(
            _chain(_deny(Action="sqs:*"), _deny(Action="ec2:*", Condition=REGION)), ACCOUNT
        ).verdicts()

        assert verdicts["sqs", "SendMessage"] == "denied"
        assert verdicts["ec2", "RunInstances"] == "conditional"
        assert verdicts["s3", "GetObject"] == "allowed"


def test_no_pattern_at_all_is_not_the_pattern_of_the_empty_text() -> None:
    """
    An ARN pattern without fields matches nothing, whatever a string beside it matches.
    """
    nothing = _deny(Condition={"ArnEquals": {"aws:RequestTag/Team": ""}})
    empty = _deny(Condition={"StringNotEqualsIfExists": {"aws:RequestTag/Team": ""}})

    assert "equivalent" == _compare(_chain(), _chain(nothing)).verdict
    (change,) = _changes(_chain(), _chain(nothing, empty))
    assert [
        {"operator": "StringNotEquals", "key": "aws:RequestTag/Team", "values": [""]},
    ] == change["conditions"]


@pytest.mark.parametrize("operator", ["ArnNotLike", "ArnLike"])
@pytest.mark.parametrize("variable", ["${aws:username}", "${aws:PrincipalTag/team}"])
def test_whom_a_variable_names_is_asked_for_by_an_arn_of_the_account(operator: str, variable: str) -> None:
    """
    What a policy leaves to the request does not make a principal out of a word.
    """
    named = {operator: {"aws:PrincipalArn": f"arn:*:iam::*:user/{variable}"}}
    [change] = _changes(_chain(), _chain(_deny(Condition=named)))
    assert change["witness"]["context"]["aws:PrincipalArn"].startswith(f"arn:aws:iam::{ACCOUNT.account_id}:")
