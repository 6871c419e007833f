"""
The shapes of the ids that AWS Organizations gives out.

https://docs.aws.amazon.com/organizations/latest/APIReference/API_Organization.html and its neighbours.
"""

from __future__ import annotations

import re

__all__ = [
    "ACCOUNT_ID",
    "NODE_ID",
    "ORGANIZATION_ID",
    "OU_ID",
    "PARENT_ID",
    "POLICY_ID",
    "RESOURCE_CONTROL_POLICY",
    "ROOT_ID",
    "SERVICE_CONTROL_POLICY",
    "is_account",
    "is_organization",
    "is_ou",
    "is_root",
]

_ROOT = r"r-[0-9a-z]{4,32}"
_OU = r"ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}"
_ACCOUNT = r"[0-9]{12}"

ORGANIZATION_ID = r"^o-[a-z0-9]{10,32}\Z"
ROOT_ID = rf"^{_ROOT}\Z"
OU_ID = rf"^{_OU}\Z"
ACCOUNT_ID = rf"^{_ACCOUNT}\Z"
PARENT_ID = rf"^(?:{_ROOT}|{_OU})\Z"
NODE_ID = rf"^(?:{_ROOT}|{_OU}|{_ACCOUNT})\Z"
POLICY_ID = r"^p-[0-9a-zA-Z_]{8,128}\Z"

SERVICE_CONTROL_POLICY = "SERVICE_CONTROL_POLICY"
RESOURCE_CONTROL_POLICY = "RESOURCE_CONTROL_POLICY"

_ORGANIZATION_RE = re.compile(ORGANIZATION_ID)
_ROOT_RE = re.compile(ROOT_ID)
_OU_RE = re.compile(OU_ID)


def is_organization(text: str) -> bool:
    """
    Tell whether *text* has the shape of an organization id.
    """
    return _ORGANIZATION_RE.match(text) is not None


def is_root(text: str) -> bool:
    """
    Tell whether *text* has the shape of a root id.
    """
    return text.startswith("r-") and _ROOT_RE.match(text) is not None


def is_ou(text: str) -> bool:
    """
    Tell whether *text* has the shape of an organizational unit id.
    """
    return _OU_RE.match(text) is not None


def is_account(text: str) -> bool:
    """
    Tell whether *text* has the shape of an account id.
    """
    # Asked some ten times for each account that a change touches.
    return len(text) == 12 and text.isascii() and text.isdigit()
