"""
Access control lists of Amazon S3, as far as they still decide.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from rooftree.authorization.principal import Principal, PrincipalKind

__all__ = ["AccessControlList", "AclGrant", "ObjectOwnership", "Permission", "Scope", "scope_of"]


class ObjectOwnership(StrEnum):
    """
    Who owns what is put into a bucket; only where the writer may, ACLs take part.
    """

    BUCKET_OWNER_ENFORCED = "BucketOwnerEnforced"
    BUCKET_OWNER_PREFERRED = "BucketOwnerPreferred"
    OBJECT_WRITER = "ObjectWriter"


class Permission(StrEnum):
    """
    What an entry of an ACL permits.
    """

    READ = "READ"
    WRITE = "WRITE"
    READ_ACP = "READ_ACP"
    WRITE_ACP = "WRITE_ACP"
    FULL_CONTROL = "FULL_CONTROL"


class Scope(StrEnum):
    """
    What an ACL hangs on.
    """

    BUCKET = "bucket"
    OBJECT = "object"


_ACTIONS: Final = {
    "s3:listbucket": (Scope.BUCKET, Permission.READ),
    "s3:listbucketmultipartuploads": (Scope.BUCKET, Permission.READ),
    "s3:listbucketversions": (Scope.BUCKET, Permission.READ),
    "s3:putobject": (Scope.BUCKET, Permission.WRITE),
    "s3:getbucketacl": (Scope.BUCKET, Permission.READ_ACP),
    "s3:putbucketacl": (Scope.BUCKET, Permission.WRITE_ACP),
    "s3:getobject": (Scope.OBJECT, Permission.READ),
    "s3:getobjectversion": (Scope.OBJECT, Permission.READ),
    "s3:getobjectacl": (Scope.OBJECT, Permission.READ_ACP),
    "s3:getobjectversionacl": (Scope.OBJECT, Permission.READ_ACP),
    "s3:putobjectacl": (Scope.OBJECT, Permission.WRITE_ACP),
    "s3:putobjectversionacl": (Scope.OBJECT, Permission.WRITE_ACP),
}
"""https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#acl-access-policy-permission-mapping"""

_LOGGING: Final = "logging.s3.amazonaws.com"


def scope_of(action: str) -> Scope | None:
    """
    Return which ACL an action, given in lower case, asks; None for one that no ACL permits.
    """
    found = _ACTIONS.get(action)
    return None if found is None else found[0]


@dataclass(frozen=True, slots=True)
class AclGrant:
    """
    One entry of an ACL.

    Attributes:
        grantee: An account id, a canonical user id or the URI of one of Amazon S3's groups.
    """

    grantee: str
    permission: Permission


@dataclass(frozen=True, slots=True)
class AccessControlList:
    """
    The ACLs of a bucket and of the object in it that a request is about.

    Attributes:
        object_owner: The account that owns the object; None for the owner of the bucket.
    """

    object_ownership: ObjectOwnership
    object_owner: str | None = None
    bucket: tuple[AclGrant, ...] = ()
    object: tuple[AclGrant, ...] = ()

    @property
    def is_enabled(self) -> bool:
        """
        Whether the entries count at all.
        """
        return self.object_ownership is not ObjectOwnership.BUCKET_OWNER_ENFORCED

    def owner_for(self, action: str, bucket_owner: str | None) -> str | None:
        """
        Return whose permission an action, given in lower case, needs: the owner's of the object, or of the bucket.

        What the policy of a bucket allows of an object that another account owns does not count, by the page on the
        authorization of object operations; a table of the page on ACLs can be read otherwise.
        https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-auth-workflow-object-operation.html
        """
        if self.is_enabled and self.object_owner is not None and scope_of(action) is Scope.OBJECT:
            return self.object_owner
        return bucket_owner

    def permits(self, action: str, principal: Principal, canonical_user_id: str | None) -> AclGrant | None:
        """
        Return an entry that permits an action, given in lower case, to a principal, if there is one.
        """
        asked = _ACTIONS.get(action)
        if asked is None or not self.is_enabled:
            return None
        scope, permission = asked
        for grant in self.bucket if scope is Scope.BUCKET else self.object:
            if grant.permission in (permission, Permission.FULL_CONTROL) and _means(
                grant.grantee, principal, canonical_user_id
            ):
                return grant
        return None


def _means(grantee: str, principal: Principal, canonical_user_id: str | None) -> bool:
    match grantee:
        case "http://acs.amazonaws.com/groups/global/AllUsers":
            return True
        case "http://acs.amazonaws.com/groups/global/AuthenticatedUsers":
            return principal.kind is not PrincipalKind.ANONYMOUS
        case "http://acs.amazonaws.com/groups/s3/LogDelivery":
            return principal.text == _LOGGING
        case _:
            return principal.is_of_account and grantee in (principal.account, canonical_user_id)
