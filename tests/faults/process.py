"""
A projector and a relay as a process of their own, to be killed.
"""

from __future__ import annotations

import asyncio

from rooftree.bootstrap import open_projector, open_relay, open_store
from rooftree.settings import load_settings
from rooftree.workers.supervisor import stop_on_signals, supervise


async def main() -> None:
    """
    Run both with the settings of the environment.
    """
    settings = load_settings()
    stop = asyncio.Event()
    with stop_on_signals(stop):
        async with (
            open_store(settings, "rooftree-killed") as database,
            open_projector(settings, database) as projector,
            open_relay(settings, database) as relay,
        ):
            workers = {"projector": projector, "relay": relay}
            await supervise(workers, stop=stop, drain_timeout=settings.drain_timeout)


if __name__ == "__main__":
    asyncio.run(main())
