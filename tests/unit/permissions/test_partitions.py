"""
Accounts outside the partition that nearly all are in: their principals and their examples bear its name.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rooftree.permissions import AccountBinding, compare, maximum_permissions
from rooftree.permissions.keys import principal_side
from rooftree.permissions.maximum import telling_apart
from rooftree.policy.chain import UNLIMITED, AttachedPolicy, Chain, Level
from rooftree.policy.context import Context
from rooftree.policy.document import PolicyKind, parse_policy
from rooftree.policy.evaluate import Decision, decide_chain
from rooftree.policy.partitions import PARTITIONS
from rooftree.policy.request import Request

HERE = AccountBinding("222222222222", "o-exampleorg", "o-exampleorg/r-ab12/")
OTHERS = [partition for partition in PARTITIONS if partition != "aws"]

Json = dict[str, Any]


def _in(partition: str, account_id: str = HERE.account_id) -> AccountBinding:
    return replace(HERE, account_id=account_id, side=principal_side(partition))


def _attached(number: int, *statements: Json) -> AttachedPolicy:
    document = parse_policy({"Version": "2012-10-17", "Statement": list(statements)})
    return AttachedPolicy(f"p-example{number}", f"example{number}", document)


def _chain(*denials: Json) -> Chain:
    everything = _attached(0, {"Effect": "Allow", "Action": "*", "Resource": "*"})
    own = [_attached(1, *({"Effect": "Deny", "Action": "*", "Resource": "*", **each} for each in denials))]
    return Chain((Level("r-ab12", (everything, *(own if denials else ()))),))


def _unless_admin(partition: str) -> Json:
    return {"Condition": {"ArnNotLike": {"aws:PrincipalArn": f"arn:{partition}:iam::*:role/Admin"}}}


def _changes(before: Chain, after: Chain, was: AccountBinding, now: AccountBinding) -> list[Any]:
    return compare(maximum_permissions(before, was), maximum_permissions(after, now)).changes(now)


def _decided(chain: Chain, account: AccountBinding, change: Json) -> str:
    witness = change["witness"]
    own = {
        "aws:PrincipalAccount": account.account_id,
        "aws:PrincipalOrgID": account.organization_id,
        "aws:PrincipalOrgPaths": [account.organization_path],
        "aws:PrincipalIsAWSService": "false",
    }
    request = Request(witness["action"], witness["resource"], Context.from_json({**own, **witness["context"]}))
    return str(decide_chain(chain, request).decision)


class TestPrincipals:
    @pytest.mark.parametrize("partition", PARTITIONS)
    def test_a_pattern_of_the_partition_names_principals_of_the_account(self, partition: str) -> None:
        """
        What is denied to all but a role is denied to others, and the example is one of them, by an ARN of its own.
        """
        account, after = _in(partition), _chain(_unless_admin(partition))

        (change,) = _changes(_chain(), after, account, account)

        line = {"operator": "ArnNotLike", "key": "aws:PrincipalArn", "values": [f"arn:{partition}:iam::*:role/Admin"]}
        assert [line] == change["conditions"]
        assert f"arn:{partition}:iam::222222222222:role/Example" == change["witness"]["context"]["aws:PrincipalArn"]
        assert ("allow", "explicit_deny") == (_decided(_chain(), account, change), _decided(after, account, change))
        assert "exact" not in change

    @pytest.mark.parametrize("partition", OTHERS)
    def test_a_pattern_of_another_partition_names_nobody(self, partition: str) -> None:
        """
        To deny all but a role that is elsewhere is to deny all.
        """
        (change,) = _changes(_chain(), _chain(_unless_admin("aws")), _in(partition), _in(partition))

        assert [] == change["conditions"]

    def test_a_pattern_that_leaves_the_partition_open_names_principals_in_all(self) -> None:
        """
        The same text in two partitions says the same of the principals of each.
        """
        for partition in PARTITIONS:
            changes = _changes(_chain(), _chain(_unless_admin("*")), _in(partition), _in(partition))
            assert [f"arn:{partition}:iam::222222222222:role/Example"] == [
                change["witness"]["context"]["aws:PrincipalArn"] for change in changes
            ]

    def test_accounts_that_a_pattern_of_the_partition_tells_apart_share_nothing(self) -> None:
        """
        A role of one account is named, so another account has permissions of its own.
        """
        chain = _chain(
            {"Condition": {"ArnNotLike": {"aws:PrincipalArn": "arn:aws-us-gov:iam::222222222222:role/Admin"}}}
        )
        one, other = (maximum_permissions(chain, _in("aws-us-gov", each)) for each in ("222222222222", "333333333333"))

        assert one.permissions_id != other.permissions_id
        [question] = telling_apart(chain, "aws-us-gov")
        assert question(one.account) != question(other.account)
        assert () == telling_apart(chain, "aws")

    def test_the_way_there_from_no_limits_is_shown_in_the_partition(self) -> None:
        """
        Where nothing limited an account before, or does after, the example is one of its own principals all the same.
        """
        account, limited = _in("aws-cn"), _chain(_unless_admin("aws-cn"))

        for before, after in ((UNLIMITED, limited), (limited, UNLIMITED)):
            (change,) = _changes(before, after, account, account)
            assert "arn:aws-cn:iam::222222222222:role/Example" == change["witness"]["context"]["aws:PrincipalArn"]


class TestNames:
    def test_permissions_in_two_partitions_have_two_names(self) -> None:
        """
        They are stored by name and worded once, and they speak of requests of other people.
        """
        names = {maximum_permissions(_chain(_unless_admin(each)), _in(each)).permissions_id for each in PARTITIONS}

        assert len(PARTITIONS) == len(names)

    def test_permissions_that_are_written_otherwise_have_one_name(self) -> None:
        """
        Within a partition the name is that of what is let through.
        """
        account = _in("aws-us-gov")
        names = {
            maximum_permissions(_chain(_unless_admin(each)), account).permissions_id for each in ("aws-us-gov", "*")
        }

        assert 1 == len(names)


class TestDeciding:
    @pytest.mark.parametrize(
        ("principal", "expected"),
        [
            ("arn:aws-us-gov:iam::222222222222:role/Admin", Decision.ALLOW),
            ("arn:aws-us-gov:iam::222222222222:role/Other", Decision.EXPLICIT_DENY),
            ("arn:aws:iam::222222222222:role/Admin", Decision.EXPLICIT_DENY),
        ],
    )
    def test_one_request_is_decided_as_the_evaluator_does(self, principal: str, expected: Decision) -> None:
        """
        A principal by an ARN of another partition is none of the account's, and is left to the evaluator.
        """
        chain, account = _chain(_unless_admin("aws-us-gov")), _in("aws-us-gov")
        context = {"aws:PrincipalAccount": account.account_id, "aws:PrincipalArn": principal}
        request = Request("s3:GetObject", "*", Context.from_json(context))

        assert expected is decide_chain(chain, request).decision
        assert expected is maximum_permissions(chain, account).decide(request)


class TestRequests:
    def test_examples_name_regions_and_resources_of_the_partition(self) -> None:
        """
        A request that the account can send has a region and a resource that exist there.
        """
        account = _in("aws-us-gov")
        denial = {
            "Action": "s3:GetObject",
            "Resource": "arn:*:s3:::*/*",
            "Condition": {"StringNotEquals": {"aws:RequestedRegion": "us-gov-west-1"}},
        }

        (change,) = _changes(_chain(), _chain(denial), account, account)

        assert change["witness"]["resource"].startswith("arn:aws-us-gov:s3:::")
        assert "us-gov-east-1" == change["witness"]["context"]["aws:RequestedRegion"]

    def test_those_who_ask_for_resources_are_in_the_partition_too(self) -> None:
        """
        Resource control policies that spare a role there spare it, and the example is somebody else.
        """
        spared = {"Principal": "*", **_unless_admin("aws-us-gov"), "Action": "s3:*"}
        before, after = (
            Chain(None, (Level("r-ab12", (_resource_policy(*some),)),))
            for some in ((), ({"Effect": "Deny", **spared},))
        )
        account = _in("aws-us-gov")

        changes = _changes(before, after, account, account)

        arns = {change["witness"]["context"].get("aws:PrincipalArn") for change in changes}
        assert "arn:aws-us-gov:iam::999999999999:role/Example" in arns
        assert all(arn is None or arn.startswith("arn:aws-us-gov:") for arn in arns)
        assert all("exact" not in change for change in changes)


def _resource_policy(*statements: Json) -> AttachedPolicy:
    everything = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    told = [everything, *({"Resource": "*", **each} for each in statements)]
    document = parse_policy({"Version": "2012-10-17", "Statement": told}, PolicyKind.RESOURCE_CONTROL)
    return AttachedPolicy("p-exampleres", "resources", document)


class TestLearning:
    """
    The partition becomes known after something was reported.
    """

    def test_what_was_taken_to_be_nobody_turns_out_to_be_somebody(self) -> None:
        """
        A role that a pattern was thought not to name was denied everything by what was reported, and is not.
        """
        chain, was, now = _chain(_unless_admin("aws-us-gov")), _in("aws"), _in("aws-us-gov")

        (change,) = _changes(chain, chain, was, now)

        assert ("allowed", "explicit_deny", "allow") == (change["direction"], change["before"], change["after"])
        assert "arn:aws-us-gov:iam::222222222222:role/Admin" == change["witness"]["context"]["aws:PrincipalArn"]
        assert "allow" == _decided(chain, now, change)
        assert "exact" not in change

    def test_it_is_shown_by_a_role_that_is_named_with_its_account_too(self) -> None:
        """
        The words for a role of this very account fit the example.
        """
        condition = {"ArnNotLike": {"aws:PrincipalArn": "arn:aws-us-gov:iam::222222222222:role/Admin"}}
        chain = _chain({"Condition": condition})

        (change,) = _changes(chain, chain, _in("aws"), _in("aws-us-gov"))

        assert "arn:aws-us-gov:iam::222222222222:role/Admin" == change["witness"]["context"]["aws:PrincipalArn"]
        assert "exact" not in change

    def test_what_was_taken_to_be_somebody_turns_out_to_be_nobody(self) -> None:
        """
        The words can name the role by the ARN alone that it has not got, so they are not said to be exact.
        """
        chain = _chain(_unless_admin("aws"))

        (change,) = _changes(chain, chain, _in("aws"), _in("aws-us-gov"))

        assert ("denied", "allow", "explicit_deny") == (change["direction"], change["before"], change["after"])
        assert "arn:aws-us-gov:iam::222222222222:role/Admin" == change["witness"]["context"]["aws:PrincipalArn"]
        assert change["exact"] is False

    @pytest.mark.parametrize("partition", ["*", "aws*"])
    def test_who_is_named_in_both_partitions_is_named_still(self, partition: str) -> None:
        """
        Nothing was reported wrongly of a principal whose ARN matched already.
        """
        chain = _chain(_unless_admin(partition))

        assert [] == _changes(chain, chain, _in("aws"), _in("aws-us-gov"))

    def test_policies_for_both_partitions_decide_as_before(self) -> None:
        """
        Whoever writes one policy for two partitions was told the right thing by chance.
        """
        names = ["arn:aws:iam::*:role/Admin", "arn:aws-us-gov:iam::*:role/Admin"]
        chain = _chain({"Condition": {"ArnNotLike": {"aws:PrincipalArn": names}}})

        assert [] == _changes(chain, chain, _in("aws"), _in("aws-us-gov"))

    def test_policies_that_name_no_principals_decide_as_before(self) -> None:
        """
        Nothing else depends on the partition.
        """
        chain = _chain({"Action": "ec2:*"})

        assert [] == _changes(chain, chain, _in("aws"), _in("aws-us-gov"))


def test_a_move_is_shown_by_a_request_from_where_the_account_was_and_is() -> None:
    """
    The path of the organization is the account's own: the one request is decided by it on each side.
    """
    statement = {
        "Condition": {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-exampleorg/r-ab12/ou-ab12-aaaaaaaa/*"}}
    }
    was, now = (
        replace(HERE, organization_path=f"o-exampleorg/r-ab12/ou-ab12-{unit}/") for unit in ("aaaaaaaa", "b" * 8)
    )

    (change,) = _changes(_chain(statement), _chain(statement), was, now)

    assert ("explicit_deny", "allow") == (
        _decided(_chain(statement), was, change),
        _decided(_chain(statement), now, change),
    )
    assert "exact" not in change
