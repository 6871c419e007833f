"""
An organization: its nodes, and the policies on them.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from rooftree.contracts.fields import Counted, JsonObject, Outbound, Time

__all__ = [
    "InheritedPolicy",
    "Node",
    "Organization",
    "OrganizationTree",
    "Policy",
    "PolicyDetail",
    "PolicyName",
    "PolicyVersion",
    "TreeNode",
]


class Organization(Outbound):
    """
    Where the view of one organization stands.
    """

    organization_id: str
    revision: Counted = Field(description="Counts the changes that put something on the audit topic.")
    complete: bool = Field(description="Whether nothing is known to be missing.")
    incomplete_since: Time | None
    incomplete_reason: str | None


class PolicyName(Outbound):
    """
    A policy by its id.
    """

    id: str
    name: str


class InheritedPolicy(PolicyName):
    """
    A policy that reaches a node from one above it.
    """

    attached_to: str = Field(description="The node on which it hangs.")


class TreeNode(Outbound):
    """
    A root or an organizational unit, with what stands below it.
    """

    id: str
    name: str
    policies: list[PolicyName]
    organizational_units: list[TreeNode]
    account_count: Counted = Field(description="Accounts directly under it; `/nodes/{node_id}/accounts` lists them.")


class OrganizationTree(Outbound):
    """
    The nodes of an organization below each other.
    """

    organization_id: str
    management_account_id: str | None
    partition: str = Field(description="The AWS partition; `aws` while nobody has told it.")
    root: TreeNode


class Node(Outbound):
    """
    A root, an organizational unit or an account, with the policies that bind it.
    """

    organization_id: str
    id: str
    kind: Literal["root", "organizational_unit", "account"]
    name: str
    parent_id: str | None
    path: list[str] = Field(description="The nodes from the root to this one, as far as they are known.")
    policies: list[PolicyName] = Field(description="Attached to the node itself.")
    inherited: list[InheritedPolicy] = Field(description="Attached above it, from the root down.")
    organizational_units: list[PolicyName] = Field(description="Directly under it.")
    account_count: Counted = Field(description="Accounts directly under it.")


class Policy(Outbound):
    """
    A policy and where it hangs.
    """

    organization_id: str
    id: str
    name: str
    type: str
    aws_managed: bool
    targets: list[str] = Field(description="The nodes on which it hangs; those of FullAWSAccess are not listed.")


class PolicyDetail(Policy):
    """
    A policy with its content.
    """

    content: JsonObject | None = Field(description="Null while the content is not known.")


class PolicyVersion(Outbound):
    """
    A content that a policy has or had where it hung.
    """

    digest: str = Field(description="SHA-256 of the content in its canonical form.")
    since: Time | None = Field(description="Since when some account was bound by it; null where that is not known.")
    content: JsonObject
