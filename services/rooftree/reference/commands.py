"""
The page of the commands, as ``--help`` tells of them.
"""

from __future__ import annotations

from collections.abc import Iterator

import typer
from typer.core import TyperGroup

from rooftree.cli.app import app

__all__ = ["command_lines"]


def command_lines() -> Iterator[str]:
    """
    Yield the lines of the page.
    """
    top = typer.main.get_group(app)
    yield "# Commands"
    yield ""
    yield str(top.help or "")
    yield ""
    yield "Results go to stdout, logs and progress to stderr."
    yield "The exit status is 0 for done, 1 for no (denied, different, errors found, record broken), 2 for bad input and 3"
    yield "for a server that cannot be reached."
    yield from _commands(top, "rooftree")


def _commands(group: TyperGroup, path: str) -> Iterator[str]:
    context = typer.Context(group)
    for name in sorted(group.list_commands(context)):
        command = group.get_command(context, name)
        inner = f"{path} {name}"
        if isinstance(command, TyperGroup):
            yield from _commands(command, inner)
        elif command is not None and not command.hidden:
            yield from _command(command, inner)


def _command(command: object, path: str) -> Iterator[str]:
    parameters = getattr(command, "params", [])
    arguments = [one for one in parameters if one.param_type_name == "argument"]
    options = [one for one in parameters if one.param_type_name == "option" and one.name != "help"]
    usage = " ".join([path, *(["[OPTIONS]"] if options else []), *(_metavar(one) for one in arguments)])
    yield ""
    yield f"## {path}"
    yield ""
    yield f"`{usage}`"
    yield ""
    yield " ".join(str(getattr(command, "help", "") or "").split())
    if parameters:
        yield ""
        yield "| | meaning | default |"
        yield "| --- | --- | --- |"
        for one in (*arguments, *options):
            named = _metavar(one) if one in arguments else _option(one)
            yield f"| `{_cell(named)}` | {_cell(one.help or '')} | {_default(one)} |"


def _metavar(argument: object) -> str:
    name = str(getattr(argument, "metavar", None) or getattr(argument, "name", "")).strip("[]")
    return name if getattr(argument, "required", True) else f"[{name}]"


def _option(option: object) -> str:
    names = ", ".join(getattr(option, "opts", ()))
    other = getattr(option, "secondary_opts", ())
    if other:
        return f"{names}/{', '.join(other)}"
    if getattr(option, "is_flag", False):
        return names
    kind = getattr(option, "type", None)
    value = getattr(option, "metavar", None) or str(getattr(kind, "name", "text")).upper()
    return f"{names} {value}"


def _default(parameter: object) -> str:
    told = getattr(parameter, "show_default", None)
    if isinstance(told, str):
        return told
    default = getattr(parameter, "default", None)
    shown = default is not None and told is not False and default is not False and not callable(default)
    return f"`{default}`" if shown else ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
