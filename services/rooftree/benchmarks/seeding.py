"""
Organizations put into the database at once, as their changes would have made them.
"""

from __future__ import annotations

import json
from dataclasses import replace
from random import Random
from typing import Final

from rooftree.benchmarks.workload import OrganizationStream
from rooftree.contracts.decoding import read_change
from rooftree.ports.change_log import LogPartition
from rooftree.ports.projection import BatchCommit, OrganizationCommit
from rooftree.settings import Settings
from rooftree.store.database import open_database
from rooftree.store.projection import PostgresProjection
from rooftree.stream.identity import topic_identity
from rooftree.view.projection import OrganizationView

__all__ = ["ACTORS", "seeded"]

ACTORS: Final = tuple(
    f"arn:aws:sts::111122223333:assumed-role/OrganizationAdmin/person-{number}" for number in range(40)
)
"""By whose hands the changes after the first are, in turns."""


async def seeded(settings: Settings, *, accounts: int, number: int = 0, changes: int = 0) -> OrganizationStream:
    """
    Store an organization that has seen so many changes, with nothing left to be sent for it, and return the stream of
    those to come.
    """
    stream = OrganizationStream(f"o-load{number:08d}", number, accounts, Random(number))  # noqa: S311
    # A topic of its own: the service reads the one of changes from the beginning.
    log_id = (await topic_identity(settings, settings.permissions_topic)).log_id
    nowhere = LogPartition(log_id, "seeded", number)
    view = OrganizationView.load(stream.name)
    async with open_database(settings.postgres_dsn.get_secret_value()) as database:
        store = PostgresProjection(database, consumer_group=nowhere.topic, permissions_topic=settings.permissions_topic)
        for offset in range(1 + changes):
            # A snapshot of so many accounts would be too long for a record.
            change = read_change(json.loads(stream.change() if offset else stream.snapshot()))
            patch = view.apply(replace(change, actor=ACTORS[offset % len(ACTORS)] if offset else None))
            commit = OrganizationCommit(stream.name, offset, (patch,), (), None)
            await store.commit(BatchCommit(nowhere, offset, offset + 1, (commit,)))
            if offset in {0, changes}:
                # As the server does by itself after a minute: without it, the next changes are planned for empty tables.
                async with database.connection() as connection:
                    await connection.execute("vacuum (analyze)")
    return stream
