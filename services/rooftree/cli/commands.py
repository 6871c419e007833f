"""
The commands by name, each in a module that is loaded once it is asked for: a command needs a part of the program alone,
and whoever calls one waits for that part.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperGroup

__all__ = ["COMMANDS", "Commands"]

_SECTIONS: Final[dict[str, dict[str, tuple[str, str]]]] = {
    "Ask": {
        "tree": ("nodes", "Show the organization, with the policies on its nodes."),
        "account": ("nodes", "Show an account, where it stands and which policies bind it."),
        "history": ("nodes", "Show what an account was, and from when to when."),
        "principals": ("principals", "Show the users, groups and roles of an account."),
        "permissions": ("decisions", "Show what an account may do at most, service by service."),
        "check": ("decisions", "Decide one request of an account."),
        "who-can": ("decisions", "List the accounts to which a request is open."),
        "simulate": ("simulating", "Decide requests under all policies that have a say."),
        "audit": ("auditing", "Print audit events, or verify that they are whole."),
    },
    "Before a change": {
        "what-if": ("supposing", "Show which decisions a change would touch."),
        "diff": ("comparing", "Compare two snapshots, or two times."),
        "lint": ("linting", "Report errors and risks in policies."),
        "probe": ("probes", "Watch decisions: requests with an expected answer."),
    },
    "Bring in": {
        "import": ("importing", "Bring in what is so by now, from files or from AWS."),
        "publish": ("feeding", "Send change events to the service."),
        "export": ("exporting", "Write an organization as a snapshot."),
        "aws": ("amazon", "Tell what Rooftree needs of AWS."),
    },
    "Run": {
        "up": ("running", "Run everything on this machine until Ctrl-C."),
        "migrate": ("running", "Bring the database to the schema of this version."),
        "projector": ("running", "Run a projector: changes from Kafka into the view."),
        "relay": ("running", "Run a relay: audit events from the view to Kafka."),
        "reconciler": ("running", "Run a reconciler: the view compared with AWS itself."),
        "webhooks": ("running", "Send audit events to those who subscribed by HTTP."),
        "api": ("running", "Serve the API and the dashboard."),
        "config": ("running", "List every setting with its variable."),
    },
    "Look after": {
        "doctor": ("diagnosing", "Look for what is wrong, and say what to do."),
        "dead-letter": ("letters", "See what could not be processed, and replay it."),
        "verify": ("verifying", "Work out every account anew, and compare."),
        "rebuild": ("rebuilding", "Compute the view anew."),
        "token": ("access", "Say who may use the API."),
        "access-log": ("access", "Show sign-ins, writes and refusals."),
        "webhook": ("webhooks", "Subscribe receivers to audit events by HTTP."),
        "bench": ("benchmarking", "Time the service beside floors of the same machine."),
    },
}
"""The module of each command and what it does, under headings, in the order of help."""

COMMANDS: Final = {name: module for section in _SECTIONS.values() for name, (module, _) in section.items()}
"""The module of each command."""


class Commands(TyperGroup):
    """
    The group of all commands.
    """

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002  # as a group is asked
        """
        Return the names of the commands.
        """
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """
        Return a command by its name; None if there is none.
        """
        if cmd_name not in self.commands and cmd_name in COMMANDS:
            part = typer.Typer(rich_markup_mode=None)
            import_module(f"rooftree.cli.{COMMANDS[cmd_name]}").add_commands(part)
            self.commands.update(typer.main.get_group(part).commands)
        return super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002  # as a group is asked
        """
        Write what there is to *formatter*, by the table alone.
        """
        for heading, commands in _SECTIONS.items():
            with formatter.section(heading):
                formatter.write_dl([(name, line) for name, (_, line) in commands.items()])
