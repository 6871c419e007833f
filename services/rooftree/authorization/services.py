"""
What single services do differently, from their documentation.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "demands_resource_policy",
    "is_free_of_service_control",
    "needs_no_permission",
    "unlocks_resource_policy",
]

_FREE_OF_SERVICE_CONTROL: Final = frozenset({"awis", "mechanicalturk"})
"""
Services on which service control policies have no hold, as far as they have a prefix of their own.

The other exceptions are tasks, not actions, and cannot be told from a request.
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html#not-restricted-by-scp
"""

_TRUST_ACTIONS: Final = frozenset(
    {
        "sts:assumerole",
        "sts:assumerolewithsaml",
        "sts:assumerolewithwebidentity",
        "sts:setcontext",
        "sts:setsourceidentity",
        "sts:tagsession",
    }
)

_FREE: Final = frozenset({"sts:getcalleridentity", "sts:getsessiontoken"})

_UNLOCKING: Final = frozenset(
    {
        "s3:deletebucketpolicy",
        "s3:getbucketpolicy",
        "s3:putbucketpolicy",
        "sqs:getqueueattributes",
        "sqs:setqueueattributes",
    }
)


def is_free_of_service_control(action: str) -> bool:
    """
    Tell whether service control policies have no hold on an action, given in lower case.
    """
    return action.partition(":")[0] in _FREE_OF_SERVICE_CONTROL


def needs_no_permission(action: str) -> bool:
    """
    Tell whether whoever has credentials may do an action, given in lower case, even if a policy denies it.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
    """
    return action in _FREE


def demands_resource_policy(action: str, resource: str) -> bool:
    """
    Tell whether the policy of a resource must allow an action, given in lower case, within its own account too.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
    https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
    """
    if action.startswith("kms:"):
        return ":key/" in resource
    return action in _TRUST_ACTIONS and (action.startswith("sts:assumerole") or ":role/" in resource)


def unlocks_resource_policy(action: str) -> bool:
    """
    Tell whether the root user of the owner may do an action, given in lower case, whatever the resource's policy says.

    AWS documents it for buckets; of queues it says that a root session mends a policy that denies everybody.
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicy.html
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user-privileged-task.html
    """
    return action in _UNLOCKING
