"""
One organization in AWS, as the rest of the service sees it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rooftree.aws.calls import Calls, Progress
from rooftree.aws.journal import Journal
from rooftree.aws.limits import Limits
from rooftree.aws.observing import observe_objects
from rooftree.aws.principals import Identity, read_identity, read_principals
from rooftree.aws.session import AwsAccess, AwsClients
from rooftree.aws.walk import walk_organization
from rooftree.errors import SnapshotError
from rooftree.organization.observation import Observation
from rooftree.organization.snapshot_reader import parse_snapshot
from rooftree.ports.reconciliation import AccountDetails, WholeOrganization
from rooftree.settings import Settings

__all__ = ["AwsOrganization"]


class AwsOrganization:
    """
    The port `OrganizationApi` on AWS: the organization that some credentials lead to.

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

    async def organization_id(self) -> str:
        """
        Return which organization it is.
        """
        told = await (await self._calls()).ask("DescribeOrganization")
        with _understood():
            return str(told["Organization"]["Id"])

    async def read_organization(
        self, *, journal: Journal | None = None, progress: Progress | None = None
    ) -> WholeOrganization:
        """
        Read all of it.

        Raises:
            SnapshotError: What AWS tells cannot be understood; the place begins with ``AWS``.
        """
        calls = await self._calls(journal=journal, progress=progress)
        with _understood():
            found = await walk_organization(calls)
        try:
            snapshot = await asyncio.to_thread(parse_snapshot, found.document)
        except SnapshotError as error:
            raise SnapshotError(error.reason, place=f"AWS: {error.place}") from error
        return WholeOrganization(snapshot, found.document, found.began)

    async def read_objects(self, objects: Iterable[tuple[str, str]]) -> Observation:
        """
        Read some objects, each given by a `RereadKind` and its id.

        Raises:
            SnapshotError: What AWS tells cannot be understood; the place begins with ``AWS``.
        """
        calls = await self._calls()
        with _understood():
            return await observe_objects(calls, objects)

    async def principals(self, account_id: str) -> AccountDetails:
        """
        Read the principals of an account.
        """
        with _understood():
            if self._identity is None:
                self._identity = await read_identity(self._clients)
            return await read_principals(self._clients, self._identity, account_id)

    async def _calls(self, *, journal: Journal | None = None, progress: Progress | None = None) -> Calls:
        client = await asyncio.to_thread(self._clients.client, "organizations")
        return Calls(client, self._limits, journal=journal, progress=progress)


@contextmanager
def _understood() -> Iterator[None]:
    """
    Turn what is missing in an answer into an error that says so: AWS changes without us.
    """
    try:
        yield
    except (KeyError, IndexError) as error:
        raise SnapshotError(f"expected {error} in an answer", place="AWS") from error
