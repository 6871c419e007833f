"""
The layers on the page, and the layers that are held.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| (`\w+`(?:, `\w+`)*) \| ", re.MULTILINE)


def test_the_page_has_the_layers_that_are_held_and_their_order() -> None:
    """
    The linter knows of a package that stands in no layer; what it does not know is the page.
    """
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    configuration = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contract = configuration["tool"]["importlinter"]["contracts"][0]
    held = [set(layer.split(" | ")) for layer in contract["layers"]]

    assert contract["exhaustive"]
    assert held == [set(re.findall(r"\w+", row)) for row in ROW.findall(page)]
