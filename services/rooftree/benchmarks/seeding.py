"""
Organizations put into the database at once, as their snapshots would have made them.
"""

from __future__ import annotations

import json
from random import Random

from rooftree.benchmarks.workload import OrganizationStream
from rooftree.contracts.changes import SnapshotData
from rooftree.organization.changes import Change, ChangeType
from rooftree.organization.timestamps import parse_time
from rooftree.ports.change_log import LogPartition
from rooftree.ports.projection import BatchCommit, OrganizationCommit
from rooftree.settings import Settings
from rooftree.store.database import open_database
from rooftree.store.projection import PostgresProjection
from rooftree.stream.identity import topic_identity
from rooftree.view.projection import OrganizationView

__all__ = ["seeded"]


async def seeded(settings: Settings, *, accounts: int, number: int = 0) -> OrganizationStream:
    """
    Store an organization, with nothing left to be sent for it, and return the stream of its changes.
    """
    stream = OrganizationStream(f"o-load{number:08d}", number, accounts, Random(number))  # noqa: S311
    event = json.loads(stream.snapshot())
    change = Change(
        event_id=event["id"],
        source=event["source"],
        type=ChangeType.SNAPSHOT.value,
        time=parse_time(event["time"]),
        sequence=event["sequence"],
        organization_id=stream.name,
        actor=None,
        data=SnapshotData.model_validate(event["data"]).to_change(),
    )
    # A topic of its own: the service reads the one of changes from the beginning.
    log_id = (await topic_identity(settings, settings.permissions_topic)).log_id
    nowhere = LogPartition(log_id, "seeded", 0)
    patch = OrganizationView.load(stream.name).apply(change)
    async with open_database(settings.postgres_dsn.get_secret_value()) as database:
        store = PostgresProjection(database, consumer_group=nowhere.topic, permissions_topic=settings.permissions_topic)
        commit = OrganizationCommit(stream.name, 0, (patch,), (), ())
        await store.commit(BatchCommit(nowhere, number, number + 1, (commit,)))
        async with database.connection() as connection:
            await connection.execute("vacuum (analyze)")
    return stream
