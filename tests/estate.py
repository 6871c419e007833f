"""
An organization that is built and changed by calls to AWS.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from tests.amazon import Amazon

from rooftree.organization.documents import accept_content
from rooftree.organization.snapshot import Snapshot
from rooftree.policy.document import PolicyKind

__all__ = ["Call", "Estate", "told"]

SERVICE_CONTROL: Final = PolicyKind.SERVICE_CONTROL
SCP: Final = "SERVICE_CONTROL_POLICY"
FULL_ACCESS: Final = "p-FullAWSAccess"


@dataclass(frozen=True)
class Call:
    """
    A call that AWS has taken, with what it answered.
    """

    operation: str
    parameters: dict[str, Any]
    answer: dict[str, Any]


@dataclass
class Estate:
    """
    The builder of an organization, who remembers what there is and each call that was made.
    """

    amazon: Amazon
    random: Random
    on_call: Callable[[Call], None] = lambda _call: None
    units: list[str] = field(default_factory=list)
    accounts: dict[str, str] = field(default_factory=dict)
    policies: list[str] = field(default_factory=list)
    # in the order in which they were attached: AWS makes ids up, and a seed is to tell what is chosen
    hanging: dict[tuple[str, str], None] = field(default_factory=dict)
    count: int = 0

    def __post_init__(self) -> None:
        self.client = self.amazon.client("organizations")
        told = self.client.create_organization(FeatureSet="ALL")["Organization"]
        self.organization_id: str = told["Id"]
        self.root_id: str = self.client.list_roots()["Roots"][0]["Id"]
        self.client.enable_policy_type(RootId=self.root_id, PolicyType=SCP)

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """
        Make a call and remember it.
        """
        method = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in operation)[1:]
        answer: dict[str, Any] = getattr(self.client, method)(**parameters)
        answer.pop("ResponseMetadata", None)
        self.on_call(Call(operation, parameters, answer))
        return answer

    def build(self, *, units: int, accounts: int, policies: int) -> None:
        """
        Build so many units, accounts and policies, and attach some of them.
        """
        for make, times in ((self.create_unit, units), (self.create_policy, policies), (self.create_account, accounts)):
            for _ in range(times):
                make()
        for _ in range(accounts // 3):
            self.move_account()
        for _ in range(policies * 3):
            self.attach()

    def change(self) -> None:
        """
        Change something.
        """
        self.random.choice(
            (
                *(self.attach, self.attach, self.detach, self.detach, self.update_policy, self.update_policy),
                *(self.move_account, self.move_account, self.create_account, self.close_account),
                *(self.create_unit, self.rename_unit, self.delete_unit, self.create_policy, self.delete_policy),
                *(self.swap_full_access, self.remove_account),
            )
        )()

    def nodes(self) -> list[str]:
        """
        Return everything that policies can hang on.
        """
        return [self.root_id, *self.units, *self.accounts]

    def create_unit(self) -> None:
        """
        Create an organizational unit.
        """
        parent = self.random.choice([self.root_id, *self.units[:4]])
        told = self.call("CreateOrganizationalUnit", ParentId=parent, Name=f"unit-{self._next()}")
        self.units.append(told["OrganizationalUnit"]["Id"])

    def rename_unit(self) -> None:
        """
        Give an organizational unit another name.
        """
        if self.units:
            unit = self.random.choice(self.units)
            self.call("UpdateOrganizationalUnit", OrganizationalUnitId=unit, Name=f"unit-{self._next()}")

    def delete_unit(self) -> None:
        """
        Delete an organizational unit that nothing stands under, and that nothing but FullAWSAccess hangs on.
        """
        used = {self.call_parent(unit) for unit in self.units} | set(self.accounts.values())
        used |= {target for _, target in self.hanging}
        free = [unit for unit in self.units if unit not in used]
        if free:
            unit = self.random.choice(free)
            self.call("DeleteOrganizationalUnit", OrganizationalUnitId=unit)
            self.units.remove(unit)

    def call_parent(self, node_id: str) -> str:
        """
        Return the parent of a node.
        """
        return str(self.client.list_parents(ChildId=node_id)["Parents"][0]["Id"])

    def create_account(self) -> None:
        """
        Create an account at the root.
        """
        number = self._next()
        told = self.call("CreateAccount", AccountName=f"account-{number}", Email=f"aws+{number}@example.com")
        self.accounts[told["CreateAccountStatus"]["AccountId"]] = self.root_id

    def move_account(self) -> None:
        """
        Move an account to another parent.
        """
        account = self.random.choice(list(self.accounts))
        source = self.accounts[account]
        target = self.random.choice([node for node in [self.root_id, *self.units] if node != source] or [source])
        self.call("MoveAccount", AccountId=account, SourceParentId=source, DestinationParentId=target)
        self.accounts[account] = target

    def close_account(self) -> None:
        """
        Close an account that is open.
        """
        account = self.random.choice(list(self.accounts))
        if self.client.describe_account(AccountId=account)["Account"]["Status"] == "ACTIVE":
            self.call("CloseAccount", AccountId=account)

    def remove_account(self) -> None:
        """
        Remove an account from the organization.
        """
        bare = [account for account in self.accounts if account not in {target for _, target in self.hanging}]
        if bare:
            account = self.random.choice(bare)
            self.call("RemoveAccountFromOrganization", AccountId=account)
            del self.accounts[account]

    def create_policy(self) -> None:
        """
        Create a policy.
        """
        self._create_policy(self._content())

    def deny_everything(self) -> None:
        """
        Hang a policy on the root that denies everything.
        """
        content = {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}
        pair = (self._create_policy(content), self.root_id)
        self.call("AttachPolicy", PolicyId=pair[0], TargetId=pair[1])
        self.hanging[pair] = None

    def update_policy(self) -> None:
        """
        Give a policy another content.
        """
        if self.policies:
            self.call("UpdatePolicy", PolicyId=self.random.choice(self.policies), Content=json.dumps(self._content()))

    def delete_policy(self) -> None:
        """
        Delete a policy that hangs nowhere.
        """
        idle = [policy for policy in self.policies if policy not in {policy for policy, _ in self.hanging}]
        if idle:
            policy = self.random.choice(idle)
            self.call("DeletePolicy", PolicyId=policy)
            self.policies.remove(policy)

    def attach(self) -> None:
        """
        Attach a policy to a node.
        """
        pair = (self.random.choice(self.policies), self.random.choice(self.nodes()))
        if pair not in self.hanging:
            self.call("AttachPolicy", PolicyId=pair[0], TargetId=pair[1])
            self.hanging[pair] = None

    def detach(self) -> None:
        """
        Detach a policy from a node.
        """
        if self.hanging:
            pair = self.random.choice(list(self.hanging))
            self.call("DetachPolicy", PolicyId=pair[0], TargetId=pair[1])
            del self.hanging[pair]

    def swap_full_access(self) -> None:
        """
        Put a policy in the place of FullAWSAccess, or the other way round.
        """
        target = self.random.choice([*self.units, *self.accounts])
        attached = {
            policy["Id"] for policy in self.client.list_policies_for_target(TargetId=target, Filter=SCP)["Policies"]
        }
        if FULL_ACCESS not in attached:
            self.call("AttachPolicy", PolicyId=FULL_ACCESS, TargetId=target)
        elif len(attached) > 1:
            self.call("DetachPolicy", PolicyId=FULL_ACCESS, TargetId=target)

    def truth(self) -> dict[str, Any]:
        """
        Return what AWS says at this moment, read by other calls than Rooftree makes.
        """
        accounts = {}
        for node in [self.root_id, *self.units]:
            for account in self._children(node, "ACCOUNT"):
                told = self.client.describe_account(AccountId=account)["Account"]
                accounts[account] = (told["Name"], told["State"], node, self._attached(account))
        units = {
            unit: (
                self.client.describe_organizational_unit(OrganizationalUnitId=unit)["OrganizationalUnit"]["Name"],
                self.call_parent(unit),
                self._attached(unit),
            )
            for unit in self.units
        }
        contents = {
            policy: accept_content(self.client.describe_policy(PolicyId=policy)["Policy"]["Content"], SERVICE_CONTROL)
            for policy in self.policies
        }
        arn = self.client.describe_organization()["Organization"]["Arn"]
        found = {"accounts": accounts, "units": units, "policies": contents, "root": self._attached(self.root_id)}
        return {**found, "partition": arn.split(":")[1]}

    def _children(self, node_id: str, kind: str) -> list[str]:
        return [child["Id"] for child in self.client.list_children(ParentId=node_id, ChildType=kind)["Children"]]

    def _attached(self, node_id: str) -> frozenset[str]:
        told = self.client.get_paginator("list_policies_for_target").paginate(TargetId=node_id, Filter=SCP)
        return frozenset(policy["Id"] for page in told for policy in page["Policies"])

    def _create_policy(self, content: dict[str, Any]) -> str:
        told = self.call(
            "CreatePolicy", Name=f"policy-{self._next()}", Description="", Type=SCP, Content=json.dumps(content)
        )
        self.policies.append(told["Policy"]["PolicySummary"]["Id"])
        return self.policies[-1]

    def _content(self) -> dict[str, Any]:
        service = self.random.choice(("ec2", "s3", "iam", "kms", "sqs", "organizations"))
        statement: dict[str, Any] = {
            "Sid": f"Deny{self._next()}",
            "Effect": "Deny",
            "Action": [f"{service}:{self.random.choice(('*', 'Delete*', 'Put*', 'Create*'))}"],
            "Resource": "*",
        }
        if self.random.random() < 0.5:
            region = self.random.choice(("eu-west-1", "us-east-1"))
            statement["Condition"] = {"StringNotEquals": {"aws:RequestedRegion": region}}
        return {"Version": "2012-10-17", "Statement": [statement]}

    def _next(self) -> int:
        self.count += 1
        return self.count


def told(snapshot: Snapshot) -> dict[str, Any]:
    """
    Return a snapshot in the words of `Estate.truth`.
    """

    def attached(node_id: str) -> frozenset[str]:
        return frozenset(each.policy_id for each in snapshot.attachments if each.target_id == node_id)

    return {
        "accounts": {
            each.id: (each.name, each.status, each.parent_id, attached(each.id)) for each in snapshot.accounts
        },
        "units": {each.id: (each.name, each.parent_id, attached(each.id)) for each in snapshot.organizational_units},
        "policies": {each.id: each.content for each in snapshot.policies},
        "root": attached(snapshot.root_id),
        "partition": snapshot.partition or "aws",
    }
