"""
One request under all policies: what AWS would decide, and why.

An `Authorizer` holds the policies, an `AccessRequest` is what it is asked.
"""

from __future__ import annotations

from rooftree.authorization.answer import Answer, Layer, Outcome, Reason
from rooftree.authorization.authorizer import Authorizer
from rooftree.authorization.binding import PolicyType
from rooftree.authorization.policies import PolicySet
from rooftree.authorization.principal import Principal, PrincipalKind, parse_principal
from rooftree.authorization.request import AccessRequest, Membership

__all__ = [
    "AccessRequest",
    "Answer",
    "Authorizer",
    "Layer",
    "Membership",
    "Outcome",
    "PolicySet",
    "PolicyType",
    "Principal",
    "PrincipalKind",
    "Reason",
    "parse_principal",
]
