"""
``rooftree lint``: what is wrong or risky about policies, before they are attached.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rooftree.cli.files import read_bytes
from rooftree.cli.options import Json
from rooftree.cli.output import print_json, print_line
from rooftree.policy.document import PolicyKind
from rooftree.policy.lint import Finding, lint_policy

__all__ = ["add_commands"]

ERRORS_FOUND = 1
ERROR = "error"


def add_commands(app: typer.Typer) -> None:
    """
    Add the commands of this module.
    """
    app.command()(lint)


def lint(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE…", help="Policy documents in JSON, or `-`.", show_default=False)
    ],
    kind: Annotated[PolicyKind, typer.Option("--type", help="What the policies are for.")] = PolicyKind.SERVICE_CONTROL,
    as_json: Json = False,
) -> None:
    """
    Report errors and risks in policies; exit with 1 if there is an error.
    """
    findings = [(path, finding) for path in files for finding in lint_policy(read_bytes(path), kind)]
    if as_json:
        print_json([_document(path, finding) for path, finding in findings])
    else:
        for path, finding in findings:
            place = f"{path}: {finding.place}" if finding.place else str(path)
            print_line(f"{place}: {finding.severity} {finding.code}: {finding.message}")
    if any(finding.severity == ERROR for _, finding in findings):
        raise typer.Exit(ERRORS_FOUND)


def _document(path: Path, finding: Finding) -> dict[str, object]:
    return {
        "file": str(path),
        "severity": str(finding.severity),
        "code": finding.code,
        "place": finding.place,
        "message": finding.message,
    }
