"""
``rooftree dead-letter list``, ``show`` and ``replay``: what could not be processed, and another attempt at it.
"""

from __future__ import annotations

import asyncio
import sys
import time as clock
from collections.abc import Sequence
from typing import Annotated, Final

import typer

from rooftree.bootstrap.commands import open_letters
from rooftree.bootstrap.publishing import open_publisher
from rooftree.cli.options import DataDir, Json, OrganizationId
from rooftree.cli.output import print_json, print_line, print_table, say, steps
from rooftree.cli.runtime import connected_settings
from rooftree.errors import UnavailableError, UsageError
from rooftree.inquiry.documents import letter_answer, letter_record_answer
from rooftree.reading.reader import LetterRecord
from rooftree.store.letters import DatabaseLetters
from rooftree.stream import KafkaPublisher
from rooftree.workers.replays import replay_record

__all__ = ["add_commands"]

FAILED_AGAIN: Final = 1
CHUNK: Final = 100
POLL_SECONDS: Final = 0.2
SHOWN: Final = 2_000
"""Characters of a value that are shown to people; --raw writes all of it."""

LetterId = Annotated[int, typer.Argument(metavar="LETTER", min=1, help="The number that `list` prints.")]


def add_commands(app: typer.Typer) -> None:
    """
    Add the commands of this module.
    """
    group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="What could not be processed.")
    group.command(name="list")(list_letters)
    group.command()(show)
    group.command()(replay)
    app.add_typer(group, name="dead-letter")


def list_letters(
    *,
    resolved: Annotated[bool, typer.Option("--resolved", help="Also those that nobody misses any more.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 1000,
    organization: OrganizationId = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """
    List the records that could not be processed and wait, the oldest first.
    """
    asyncio.run(_list(organization, data_dir, resolved=resolved, limit=limit, as_json=as_json))


def show(
    letter: LetterId,
    *,
    raw: Annotated[bool, typer.Option("--raw", help="Write the value to stdout, byte for byte.")] = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """
    Show one record, why it could not be processed, and its bytes.
    """
    if raw and as_json:
        raise UsageError("choose one of --json and --raw", place="--raw")
    asyncio.run(_show(letter, data_dir, raw=raw, as_json=as_json))


def replay(
    letters: Annotated[
        list[int] | None,
        typer.Argument(metavar="[LETTER]…", help="The numbers that `list` prints.", show_default=False),
    ] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Replay all that wait, the oldest first.")] = False,
    patience: Annotated[float, typer.Option(min=1, help="Seconds to wait while nothing happens.")] = 60,
    organization: OrganizationId = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """
    Have the service process records again; exit with 1 if one could not be processed this time either.
    """
    if bool(letters) == every:
        raise UsageError("expected the numbers of letters, or --all", place="LETTER")
    if letters and organization is not None:
        raise UsageError("goes with --all only", place="--organization")
    found = asyncio.run(_replay(letters, organization, data_dir, patience=patience))
    if as_json:
        print_json({"letters": [letter_answer(letter).model_dump() for letter in found]})
    else:
        for letter in found:
            print_line(_outcome(letter))
        if not found:
            print_line("no letter waits")
    if any(letter.waits for letter in found):
        raise typer.Exit(FAILED_AGAIN)


async def _list(organization_id: str | None, data_dir: DataDir, *, resolved: bool, limit: int, as_json: bool) -> None:
    async with open_letters(connected_settings(data_dir)) as store:
        found = await store.letters(organization_id, resolved=resolved, limit=limit)
        losses = await store.losses()
    if as_json:
        print_json([letter_answer(letter).model_dump() for letter in found])
    elif found:
        print_table(
            ("LETTER", "ORGANIZATION", "FROM", "TRIED", "STATE", "REASON"),
            [
                (
                    letter.letter_id,
                    letter.organization_id or "unknown",
                    _origin(letter),
                    letter.attempts,
                    letter.resolution or letter.disposition,
                    _reason(letter),
                )
                for letter in found
            ],
        )
    for lost, reason in losses.items():
        if organization_id in (None, lost):
            say(f"{lost}: records are gone ({reason}); `rooftree import` makes its view complete")


async def _show(letter_id: int, data_dir: DataDir, *, raw: bool, as_json: bool) -> None:
    async with open_letters(connected_settings(data_dir)) as store:
        letter = (await store.find([letter_id])).get(letter_id)
        record = await store.record(letter_id)
    if letter is None or record is None:
        raise UsageError(f"no dead letter `{letter_id}`", place="LETTER")
    if raw:
        sys.stdout.buffer.write(record.value or b"")
    elif as_json:
        print_json(letter_record_answer(letter, record.key, record.value, record.headers).model_dump())
    else:
        for name, value in letter_answer(letter).model_dump().items():
            if value is not None:
                print_line(f"{name.replace('_', ' '):<17} {value}")
        _print_value(record.value or b"")


def _print_value(value: bytes) -> None:
    print_line()
    for line in value[: 4 * SHOWN].decode("utf-8", "backslashreplace")[:SHOWN].splitlines():
        print_line(line)
    if len(value) > SHOWN:
        print_line(f"… of {len(value)} bytes; --raw writes all")


async def _replay(
    letter_ids: Sequence[int] | None, organization_id: str | None, data_dir: DataDir, *, patience: float
) -> list[LetterRecord]:
    """
    Send letters again and wait for what becomes of them; returns each as it is then.
    """
    settings = connected_settings(data_dir, server="kafka_bootstrap")
    async with open_letters(settings) as store:
        chosen = await _chosen(store, letter_ids, organization_id)
        waiting = [letter for letter in chosen if letter.waits]
        if waiting:
            async with open_publisher(settings) as publisher:
                await _send(store, publisher, waiting)
            await _wait(store, waiting, patience=patience)
        after = await store.find(letter.letter_id for letter in chosen)
    return [after[letter.letter_id] for letter in chosen]


async def _chosen(
    store: DatabaseLetters, letter_ids: Sequence[int] | None, organization_id: str | None
) -> list[LetterRecord]:
    if letter_ids is None:
        return await store.letters(organization_id)
    found = await store.find(letter_ids)
    for letter_id in letter_ids:
        if letter_id not in found:
            raise UsageError(f"no dead letter `{letter_id}`", place="LETTER")
    return list(found.values())


async def _send(store: DatabaseLetters, publisher: KafkaPublisher, letters: Sequence[LetterRecord]) -> None:
    with steps("sending", total=len(letters)) as progress:
        for start in range(0, len(letters), CHUNK):
            chunk = letters[start : start + CHUNK]
            records = [(letter, await store.record(letter.letter_id)) for letter in chunk]
            await publisher.publish(
                [replay_record(letter.name, record) for letter, record in records if record is not None]
            )
            progress.advance(len(chunk))


async def _wait(store: DatabaseLetters, letters: Sequence[LetterRecord], *, patience: float) -> None:
    before = {letter.letter_id: letter.attempts for letter in letters}
    since = clock.monotonic()
    with steps("processing", total=len(before)) as progress:
        while before:
            now = await store.find(before)
            done = [each for each, letter in now.items() if letter.attempts > before[each] or not letter.waits]
            for letter_id in done:
                del before[letter_id]
            if done:
                progress.advance(len(done))
                since = clock.monotonic()
            elif clock.monotonic() - since > patience:
                raise UnavailableError(
                    f"all letters are sent, but {len(before)} of {len(letters)} were not tried yet;"
                    " is a projector running?"
                )
            else:
                await asyncio.sleep(POLL_SECONDS)


def _origin(letter: LetterRecord) -> str:
    return f"{letter.topic}/{letter.partition}@{letter.offset}"


def _reason(letter: LetterRecord) -> str:
    return f"{letter.place}: {letter.reason}" if letter.place else letter.reason


def _outcome(letter: LetterRecord) -> str:
    name = f"{letter.letter_id} ({_origin(letter)})"
    if letter.waits:
        return f"{name}: not processed: {_reason(letter)}"
    return f"{name}: processed" if letter.resolution == "replayed" else f"{name}: not needed, a snapshot told it anew"
