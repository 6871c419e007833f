"""
Waiting for the view.
"""

from __future__ import annotations

import asyncio
import time as clock
from collections.abc import Sequence
from typing import Final

from rooftree.cli.output import steps
from rooftree.errors import UnavailableError
from rooftree.reading.reader import Reader

__all__ = ["until_seen"]

POLL_SECONDS: Final = 0.1


async def until_seen(
    reader: Reader, organization_id: str, source: str, event_ids: Sequence[str], *, patience: float
) -> None:
    """
    Wait until the view holds events of one source.

    Raises:
        UnavailableError: It made no progress for as many seconds as there is *patience*.
    """
    applied, since = 0, clock.monotonic()
    with steps("applying", total=len(event_ids)) as progress:
        while applied < len(event_ids):
            found = await reader.count_seen(organization_id, source, event_ids)
            if found > applied:
                progress.advance(found - applied)
                applied, since = found, clock.monotonic()
                continue
            if clock.monotonic() - since > patience:
                raise UnavailableError(
                    f"all events are sent, but the view holds {applied} of {len(event_ids)} and makes no progress;"
                    " is a projector running?"
                )
            await asyncio.sleep(POLL_SECONDS)
