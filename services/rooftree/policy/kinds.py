"""
The kinds of policies, and which elements of the language each of them knows.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_syntax.html
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Final

__all__ = ["SIZE_QUOTAS", "ElementRules", "Need", "PolicyKind", "rules_of"]


class PolicyKind(StrEnum):
    """
    What a policy is attached to, and so what it may say.
    """

    SERVICE_CONTROL = "service_control"
    RESOURCE_CONTROL = "resource_control"
    IDENTITY = "identity"
    RESOURCE = "resource"
    TRUST = "trust"
    SESSION = "session"
    BOUNDARY = "boundary"
    VPC_ENDPOINT = "vpc_endpoint"


SIZE_QUOTAS: Final = {PolicyKind.SERVICE_CONTROL: 10_240, PolicyKind.RESOURCE_CONTROL: 5_120}
"""
Characters that AWS lets a policy of an organization have, white space included.
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
"""


class Need(Enum):
    """
    Whether an element must stand in a statement.
    """

    REQUIRED = "required"
    OPTIONAL = "optional"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class ElementRules:
    """
    What one kind of policy asks of its elements.

    Attributes:
        title: The kind in words, for messages.
        principal: Of Principal or NotPrincipal.
        resource: Of Resource or NotResource.
        id: Of Id at the top.
        deny_all_callers: Whether every statement must deny named actions to everybody, as in resource control policies.
    """

    title: str
    principal: Need = Need.REFUSED
    resource: Need = Need.REQUIRED
    id: Need = Need.REFUSED
    deny_all_callers: bool = False


_RULES: Final = {
    # the pages on SCPs and RCPs do not mention Id; what is not forbidden is read
    PolicyKind.SERVICE_CONTROL: ElementRules("a service control policy", id=Need.OPTIONAL),
    PolicyKind.RESOURCE_CONTROL: ElementRules(
        "a resource control policy", principal=Need.REQUIRED, id=Need.OPTIONAL, deny_all_callers=True
    ),
    PolicyKind.IDENTITY: ElementRules("an identity policy"),
    PolicyKind.SESSION: ElementRules("a session policy"),
    PolicyKind.BOUNDARY: ElementRules("a permissions boundary"),
    # some services let their resource policies leave Resource out
    PolicyKind.RESOURCE: ElementRules(
        "a resource policy", principal=Need.REQUIRED, resource=Need.OPTIONAL, id=Need.OPTIONAL
    ),
    PolicyKind.TRUST: ElementRules("a trust policy", principal=Need.REQUIRED, resource=Need.OPTIONAL, id=Need.OPTIONAL),
    PolicyKind.VPC_ENDPOINT: ElementRules("a VPC endpoint policy", principal=Need.REQUIRED, id=Need.OPTIONAL),
}


def rules_of(kind: PolicyKind) -> ElementRules:
    """
    Return what a kind of policy asks of its elements.
    """
    return _RULES[kind]
