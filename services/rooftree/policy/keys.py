"""
What is known of global condition keys, all in lower case.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "ABSENT_FOR_OTHERS",
    "ABSENT_FOR_SERVICES",
    "ALWAYS_SENT",
    "BOOLEAN",
    "MEMBER_KEYS",
    "MULTIVALUED",
    "SINGLE_VALUED",
    "may_lack",
]

ALWAYS_SENT: Final = frozenset(
    {
        "aws:currenttime",
        "aws:epochtime",
        "aws:principaltype",
        "aws:requestedregion",
        "aws:securetransport",
        "aws:useragent",
        "aws:viaawsservice",
    }
)
"""In every request, whoever sends it."""

MEMBER_KEYS: Final = frozenset(
    {
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalisawsservice",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:userid",
    }
)
"""In every request of a principal of a member account, which are those that service control policies see."""

MULTIVALUED: Final = frozenset(
    {
        "aws:calledvia",
        "aws:principalorgpaths",
        "aws:principalservicenameslist",
        "aws:resourceorgpaths",
        "aws:sourceorgpaths",
        "aws:tagkeys",
    }
)
"""Keys that hold several values."""

BOOLEAN: Final = frozenset(
    {
        "aws:multifactorauthpresent",
        "aws:principalisawsservice",
        "aws:securetransport",
        "aws:viaawsservice",
    }
)
"""Keys that hold ``true`` or ``false``."""

ABSENT_FOR_SERVICES: Final = frozenset(
    {"aws:principalaccount", "aws:principalarn", "aws:principalorgid", "aws:principalorgpaths", "aws:username"}
)
"""Keys that tell of a principal of an account; no request that a service principal sends by itself holds them."""

ABSENT_FOR_OTHERS: Final = frozenset(
    {
        "aws:principalservicename",
        "aws:principalservicenameslist",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceorgid",
        "aws:sourceorgpaths",
    }
)
"""Keys that only requests hold which a service principal sends by itself."""

SINGLE_VALUED: Final = (ALWAYS_SENT | MEMBER_KEYS - MULTIVALUED) | {
    "aws:multifactorauthage",
    "aws:multifactorauthpresent",
    "aws:resourceaccount",
    "aws:resourceorgid",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceip",
    "aws:sourceorgid",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:username",
}
"""Keys of which it is known that they hold one value."""


def may_lack(key: str, *, member: bool) -> bool:
    """
    Tell whether a request may come without *key*, in any case.

    *member* says that the request is one of a principal of a member account.
    """
    return key.lower() not in (ALWAYS_SENT | MEMBER_KEYS if member else ALWAYS_SENT)
