"""
By whose hand, out of the identity in a CloudTrail record.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
"""

from __future__ import annotations

from rooftree.aws.events.fields import Fields

__all__ = ["actor_of"]


def actor_of(identity: Fields) -> str | None:
    """
    Return the ARN of who called, and the service by way of which, if there was one; None where nothing is told.

    Of a role it is the ARN of the session, whose name says more of the person than the role does.
    """
    service = identity.text("invokedBy")
    arn = identity.text("arn") or _issuer(identity) or _account(identity)
    if service is None:
        return arn
    if arn is None or identity.text("type") in (None, "AWSService"):
        return service
    return f"{arn} via {service}"


def _issuer(identity: Fields) -> str | None:
    return identity.part("sessionContext").part("sessionIssuer").text("arn")


def _account(identity: Fields) -> str | None:
    kind, account = identity.text("type"), identity.text("accountId")
    if kind is None or account is None:
        return None
    name = identity.text("userName") or identity.text("principalId")
    if kind == "Root":
        return f"arn:aws:iam::{account}:root"
    return f"{kind} {name} of {account}" if name else f"{kind} of {account}"
