"""
Commands are loaded one by one, and none is forgotten.
"""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pkgutil import iter_modules

import pytest
import typer

import rooftree.cli
from rooftree.cli.commands import COMMANDS

MODULES = [
    module.name
    for module in iter_modules(rooftree.cli.__path__)
    if hasattr(import_module(f"rooftree.cli.{module.name}"), "add_commands")
]


@pytest.mark.parametrize("module", MODULES)
def test_the_table_has_what_a_module_adds(module: str) -> None:
    """
    Each command of a module is found by its name, and nothing else leads there.
    """
    part = typer.Typer(rich_markup_mode=None)
    import_module(f"rooftree.cli.{module}").add_commands(part)

    listed = {name for name, place in COMMANDS.items() if place == module}
    assert listed == set(typer.main.get_group(part).commands)


def test_help_loads_no_command() -> None:
    """
    Whoever asks what there is does not wait for what it is made of.
    """
    code = "import sys; from rooftree.cli import main; main(['--help']); print('rooftree.settings' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert "False" == told.splitlines()[-1]


def test_a_question_loads_no_server() -> None:
    """
    Who asks a question of the stored view waits for neither the API nor the workers.
    """
    code = "import sys; import rooftree.cli.nodes; print(sorted(name for name in sys.modules if 'rooftree.' in name))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert not [name for name in ("rooftree.api", "rooftree.stream", "rooftree.workers") if f"'{name}'" in told]
