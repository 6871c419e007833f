"""
``rooftree doctor``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

import typer

from rooftree.bootstrap.doctor import examine
from rooftree.cli.options import DataDir, Json
from rooftree.cli.output import print_json, print_line
from rooftree.cli.runtime import connected_settings
from rooftree.diagnosis import Finding, Level
from rooftree.errors import UsageError
from rooftree.telemetry.logs import configure_logging

__all__ = ["add_commands"]

MARKS: Final = {Level.OK: "ok", Level.WARNING: "warning", Level.PROBLEM: "PROBLEM"}


def add_commands(app: typer.Typer) -> None:
    """
    Add the command of this module.
    """
    app.command()(doctor)


def doctor(*, data_dir: DataDir = None, as_json: Json = False) -> int:
    """
    Look at settings, servers, topics, rights, clocks and work in hand, and say what to do; exit with 1 if something is
    wrong.
    """
    configure_logging(level="error")
    try:
        settings = connected_settings(data_dir)
    except UsageError as error:
        findings = [
            Finding.problem("configuration", fault, "`rooftree config` lists every setting")
            for fault in str(error).split("; ")
        ]
    else:
        findings = asyncio.run(examine(settings))
    if as_json:
        print_json([{**asdict(finding), "level": finding.level.value} for finding in findings])
    else:
        _print(findings)
    return int(any(finding.level is Level.PROBLEM for finding in findings))


def _print(findings: Sequence[Finding]) -> None:
    for finding in findings:
        print_line(f"{MARKS[finding.level]:<8} {finding.check:<34} {finding.found}")
        if finding.advice:
            print_line(f"{'':<8} {'':<34} → {finding.advice}")
    wrong = [sum(finding.level is level for finding in findings) for level in (Level.PROBLEM, Level.WARNING)]
    print_line()
    print_line(f"{len(findings)} checks, {wrong[0]} problems, {wrong[1]} warnings")
