"""
Who asks AWS: the credentials at hand, or a role that is assumed with them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import DeferredRefreshableCredentials
from botocore.exceptions import BotoCoreError

from rooftree.errors import UsageError
from rooftree.settings import Settings

__all__ = ["AwsAccess", "AwsClients"]

SESSION_NAME: Final = "rooftree"

Credentials = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class AwsAccess:
    """
    How AWS is reached.

    Attributes:
        profile: A profile of the AWS configuration; None for whatever credentials the AWS tools would find here.
        role_arn: A role to assume with them, in the management account or that of a delegated administrator.
        external_id: What the role asks for so that nobody is talked into assuming it for somebody else.
        region: The region of the endpoints: of Organizations and IAM, each partition has one.
        endpoint_url: Another address of AWS, for tests and proxies.
        iam_role_name: The role that is assumed in each account to read its principals.
    """

    profile: str | None = None
    role_arn: str | None = None
    external_id: str | None = None
    region: str = "us-east-1"
    endpoint_url: str | None = None
    iam_role_name: str = "OrganizationAccountAccessRole"

    @classmethod
    def of(cls, settings: Settings) -> AwsAccess:
        """
        Return what the settings say.
        """
        return cls(
            profile=settings.aws_profile,
            role_arn=settings.aws_role_arn,
            external_id=settings.aws_external_id,
            region=settings.aws_region,
            endpoint_url=settings.aws_endpoint_url,
            iam_role_name=settings.aws_iam_role_name,
        )

    @property
    def name(self) -> str:
        """
        What tells this access from another one.
        """
        return "|".join(part or "" for part in (self.profile, self.role_arn, self.region, self.endpoint_url))

    def within(self, role_arn: str) -> AwsAccess:
        """
        Return the access of a role that is assumed with this one.
        """
        return replace(self, role_arn=role_arn, external_id=None)


class AwsClients:
    """
    Clients of AWS for one access. Making one blocks; using one is safe in several threads.
    """

    def __init__(self, access: AwsAccess, *, session: Any = None) -> None:
        self.access = access
        self._session = _session(access) if session is None else session

    def client(self, service: str) -> Any:
        """
        Return a client of a service.

        Raises:
            UsageError: The AWS configuration of this machine is wrong, or no credentials are found.
        """
        return _client(self._session, service, self.access)

    def assuming(self, role_arn: str) -> AwsClients:
        """
        Return the clients of a role that is assumed with these credentials, in another account for example.

        The role is assumed when it is first used, and again before what it gives runs out.
        """
        access = self.access.within(role_arn)
        return AwsClients(access, session=_assumed(self._session, access))


def _session(access: AwsAccess) -> Any:
    try:
        session = boto3.Session(profile_name=access.profile, region_name=access.region)
        if session.get_credentials() is None:
            raise UsageError("AWS: no credentials were found; see `aws configure`, or name a --profile")
    except BotoCoreError as error:
        raise UsageError(f"AWS: {error}") from error
    return session if access.role_arn is None else _assumed(session, access)


def _client(session: Any, service: str, access: AwsAccess) -> Any:
    # The quick repetitions are botocore's, the patient ones those of `calls.py`.
    config = Config(
        retries={"mode": "standard", "total_max_attempts": 3},
        connect_timeout=10,
        read_timeout=30,
        user_agent_extra="rooftree",
    )
    try:
        return session.client(service, config=config, endpoint_url=access.endpoint_url, region_name=access.region)
    except (BotoCoreError, ValueError) as error:
        raise UsageError(f"AWS: {error}") from error


def _assumed(session: Any, access: AwsAccess) -> Any:
    assumed = botocore.session.Session()
    # There is no public way to give a session credentials that renew themselves; boto3 documents this one in its
    # own examples, and a walk over a large organization outlasts an hour's credentials.
    assumed._credentials = DeferredRefreshableCredentials(  # noqa: SLF001
        refresh_using=_assume(session, access), method="assume-role"
    )
    return boto3.Session(botocore_session=assumed, region_name=access.region)


def _assume(session: Any, access: AwsAccess) -> Callable[[], Credentials]:
    def assume() -> Credentials:
        told = {"ExternalId": access.external_id} if access.external_id else {}
        client = _client(session, "sts", access)
        given = client.assume_role(RoleArn=access.role_arn, RoleSessionName=SESSION_NAME, **told)["Credentials"]
        return {
            "access_key": given["AccessKeyId"],
            "secret_key": given["SecretAccessKey"],
            "token": given["SessionToken"],
            "expiry_time": given["Expiration"].isoformat(),
        }

    return assume
