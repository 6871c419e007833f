"""
The policies that AWS attaches by itself, known without being listed.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_evaluation.html
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from rooftree.policy.document import parse_policy
from rooftree.policy.kinds import PolicyKind

__all__ = [
    "BUILTIN_CONTENT",
    "BUILTIN_KINDS",
    "BUILTIN_NAMES",
    "FULL_AWS_ACCESS",
    "FULL_AWS_ACCESS_ID",
    "RCP_FULL_AWS_ACCESS",
    "RCP_FULL_AWS_ACCESS_ID",
]

FULL_AWS_ACCESS_ID: Final = "p-FullAWSAccess"
RCP_FULL_AWS_ACCESS_ID: Final = "p-RCPFullAWSAccess"

BUILTIN_CONTENT: Final[Mapping[str, Mapping[str, object]]] = MappingProxyType(
    {
        FULL_AWS_ACCESS_ID: {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
        },
        RCP_FULL_AWS_ACCESS_ID: {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}],
        },
    }
)
"""By policy id."""

BUILTIN_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {FULL_AWS_ACCESS_ID: "FullAWSAccess", RCP_FULL_AWS_ACCESS_ID: "RCPFullAWSAccess"}
)
BUILTIN_KINDS: Final[Mapping[str, PolicyKind]] = MappingProxyType(
    {FULL_AWS_ACCESS_ID: PolicyKind.SERVICE_CONTROL, RCP_FULL_AWS_ACCESS_ID: PolicyKind.RESOURCE_CONTROL}
)

FULL_AWS_ACCESS: Final = parse_policy(BUILTIN_CONTENT[FULL_AWS_ACCESS_ID])
RCP_FULL_AWS_ACCESS: Final = parse_policy(BUILTIN_CONTENT[RCP_FULL_AWS_ACCESS_ID], PolicyKind.RESOURCE_CONTROL)
