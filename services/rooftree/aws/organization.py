"""
One organization in AWS, as the rest of the service sees it.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from rooftree.aws.calls import Calls, Progress
from rooftree.aws.journal import Journal
from rooftree.aws.limits import Limits
from rooftree.aws.principals import Details, Identity, read_identity, read_principals
from rooftree.aws.session import AwsAccess, AwsClients
from rooftree.aws.walk import Walk, walk_organization
from rooftree.settings import Settings

__all__ = ["AwsOrganization"]


class AwsOrganization:
    """
    The organization that some credentials lead to.

    Every method may raise `UnavailableError` when AWS does not answer, `RefusedCallError` when it does not do what it
    is asked, and `UsageError` where there are no usable credentials. None changes anything in AWS.
    """

    def __init__(self, clients: AwsClients, *, rate_share: float = 1) -> None:
        self._clients = clients
        self._limits = Limits(share=rate_share)
        self._identity: Identity | None = None

    @classmethod
    def open(cls, settings: Settings) -> AwsOrganization:
        """
        Return the organization that the settings lead to; nothing is asked yet.

        Raises:
            UsageError: The AWS configuration of this machine is wrong.
        """
        return cls(AwsClients(AwsAccess.of(settings)), rate_share=settings.aws_rate_share)

    def journal(self, folder: Path, *, max_age: float) -> Journal:
        """
        Open what an interrupted walk of the same access has left in a folder, or an empty journal.
        """
        return Journal.in_folder(folder, who=self._clients.access.name, max_age=max_age)

    async def walk(self, *, journal: Journal | None = None, progress: Progress | None = None) -> Walk:
        """
        Read all of the organization.
        """
        return await walk_organization(await self._calls(journal=journal, progress=progress))

    async def principals(self, account_id: str) -> Details:
        """
        Read the principals of an account.
        """
        if self._identity is None:
            self._identity = await read_identity(self._clients)
        return await read_principals(self._clients, self._identity, account_id)

    async def _calls(self, *, journal: Journal | None = None, progress: Progress | None = None) -> Calls:
        client = await asyncio.to_thread(self._clients.client, "organizations")
        return Calls(client, self._limits, journal=journal, progress=progress)
