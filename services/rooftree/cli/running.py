"""
``rooftree up`` and the roles of a deployment.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Final

import typer
from pydantic import SecretStr

from rooftree.bootstrap.all_in_one import Addresses, run_all
from rooftree.bootstrap.database import run_migrate
from rooftree.bootstrap.publishing import open_publisher
from rooftree.bootstrap.reading import open_reader
from rooftree.bootstrap.roles import run_api, run_projector, run_reconciler, run_relay, run_webhooks
from rooftree.cli.arrival import until_seen
from rooftree.cli.options import DataDir, Json
from rooftree.cli.output import print_json, print_line, print_table, say
from rooftree.cli.runtime import Runtime, is_set, runtime_path, write_runtime
from rooftree.demo import ORGANIZATION_ID, SOURCE, demo_events
from rooftree.errors import UnavailableError, UsageError
from rooftree.settings import Settings, describe_settings, load_settings

__all__ = ["add_commands"]

LOCK_NAME: Final = "up.lock"

_DEMO_SECONDS: Final = 15.0
"""Without progress, until `up` goes on without the demo."""


def add_commands(app: typer.Typer) -> None:
    """
    Add the commands of this module.
    """
    for command in (up, projector, relay, webhooks, reconciler, api, migrate, config):
        app.command()(command)


def up(
    *,
    data_dir: DataDir = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="Port of the API.", show_default="a free one")
    ] = None,
    kafka: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Use this Kafka.", show_default="an embedded broker")
    ] = None,
    postgres: Annotated[
        str | None, typer.Option(metavar="DSN", help="Use this PostgreSQL.", show_default="an embedded one")
    ] = None,
    demo: Annotated[
        bool | None,
        typer.Option(
            "--demo/--no-demo",
            help="Bring in the demo organization.",
            show_default="if both servers are embedded and empty",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """
    Run everything on this machine until Ctrl-C: servers, migrations, projector, relay, API and dashboard.
    """
    given = {"data_dir": data_dir, "http_port": port, "kafka_bootstrap": kafka, "postgres_dsn": postgres}
    chosen: dict[str, object] = {name: value for name, value in given.items() if value is not None}
    if port is None and not is_set("http_port"):
        chosen["http_port"] = 0
    if not as_json and not is_set("log_level"):
        chosen["log_level"] = "warning"
    settings = load_settings(chosen)
    embed_kafka = kafka is None and not is_set("kafka_bootstrap")
    embed_postgres = postgres is None and not is_set("postgres_dsn")

    async def on_ready(addresses: Addresses) -> None:
        told = await _tell_demo(settings, addresses, wanted=demo, own=embed_kafka and embed_postgres)
        write_runtime(settings.data_dir, _runtime(addresses))
        _print_addresses(addresses, settings.data_dir, told=told, as_json=as_json)

    with _alone(settings.data_dir):
        try:
            asyncio.run(run_all(settings, embed_kafka=embed_kafka, embed_postgres=embed_postgres, on_ready=on_ready))
        finally:
            runtime_path(settings.data_dir).unlink(missing_ok=True)


def projector() -> None:
    """
    Run a projector: changes from Kafka into the view.
    """
    asyncio.run(run_projector(load_settings()))


def webhooks() -> None:
    """
    Send webhooks: audit events from the view to those who subscribed.
    """
    asyncio.run(run_webhooks(load_settings()))


def relay() -> None:
    """
    Run a relay: audit events and states from the view to Kafka.
    """
    asyncio.run(run_relay(load_settings()))


def reconciler() -> None:
    """
    Run a reconciler: what AWS itself says, compared with the view; what events have lost goes to Kafka.
    """
    asyncio.run(run_reconciler(load_settings()))


def api() -> None:
    """
    Serve the API and the dashboard.
    """
    asyncio.run(run_api(load_settings(), on_ready=lambda url: say(f"listening on {url}")))


def migrate() -> None:
    """
    Bring the database to the schema of this version.
    """
    for step in asyncio.run(run_migrate(load_settings())):
        print_line(f"applied {step}")


def config(*, as_json: Json = False) -> None:
    """
    List every setting with its variable; exit with 2 if one is wrong.
    """
    rows = [
        {
            "variable": setting.variable,
            "default": setting.default,
            "value": _value(setting.variable, secret=setting.secret),
            "description": setting.description,
        }
        for setting in describe_settings()
    ]
    if as_json:
        print_json(rows)
    else:
        print_table(
            ("VARIABLE", "VALUE", "MEANING"),
            [
                (
                    row["variable"],
                    row["default"] if row["value"] is None else f"{row['value']} (set)",
                    row["description"],
                )
                for row in rows
            ],
        )
    sys.stdout.flush()
    load_settings()


def _value(variable: str, *, secret: bool) -> str | None:
    value = os.environ.get(variable)
    return "…" if value and secret else value or None


@contextmanager
def _alone(data_dir: Path) -> Iterator[None]:
    """
    Keep a second ``rooftree up`` out of the folder while the context lasts.
    """
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        lock = (data_dir / LOCK_NAME).open("a", encoding="utf-8")
    except OSError as error:
        raise UsageError((error.strerror or "cannot be used").lower(), place=str(data_dir)) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UsageError("another `rooftree up` runs here", place=str(data_dir)) from error
        yield


async def _tell_demo(settings: Settings, addresses: Addresses, *, wanted: bool | None, own: bool) -> int:
    """
    Publish the demo if it is wanted, and wait until the view has it; returns how many events.

    Without being asked it goes into servers of our own alone, and only while nothing is in them.
    """
    if wanted is False or (wanted is None and not own):
        return 0
    reached = settings.model_copy(
        update={
            "kafka_bootstrap": addresses.kafka,
            "postgres_dsn": SecretStr(addresses.postgres),
            "kafka_idempotence": False,
        }
    )
    if wanted is None:
        async with open_reader(reached) as reader:
            if await reader.organizations():
                return 0
    events = demo_events()
    async with open_publisher(reached) as publisher:
        await publisher.publish_changes([(ORGANIZATION_ID, json.dumps(event).encode()) for event in events])
    # Whoever is told where to look finds it there, unless it takes uncommonly long.
    with suppress(UnavailableError):
        async with open_reader(reached) as reader:
            event_ids = [str(event["id"]) for event in events]
            await until_seen(reader, ORGANIZATION_ID, SOURCE, event_ids, patience=_DEMO_SECONDS)
    return len(events)


def _runtime(addresses: Addresses) -> Runtime:
    return Runtime(
        api=addresses.api,
        kafka=addresses.kafka,
        postgres=addresses.postgres,
        token=addresses.token,
        topics=addresses.topics,
    )


def _print_addresses(addresses: Addresses, data_dir: Path, *, told: int, as_json: bool) -> None:
    if as_json:
        document = {
            "api": addresses.api,
            "kafka": addresses.kafka,
            "postgres": addresses.postgres,
            "token": addresses.token,
            "topics": addresses.topics,
            "dashboard": addresses.login,
        }
        sys.stdout.write(json.dumps(document) + "\n")
    else:
        print_line("Rooftree runs. Ctrl-C stops it; the same command goes on from here.")
        print_line()
        print_line(f"  dashboard  {addresses.login}  (good for one visit)")
        print_line(f"  api        {addresses.api}/api/v1")
        print_line(f"  token      {addresses.token}")
        print_line(f"  kafka      {addresses.kafka}  {' '.join(addresses.topics.values())}")
        print_line(f"  postgres   {addresses.postgres}")
        print_line(f"  data       {data_dir}")
        if told:
            print_line(
                f"  demo       {told} changes published; look with `rooftree tree` and `rooftree audit --follow`"
            )
    sys.stdout.flush()
