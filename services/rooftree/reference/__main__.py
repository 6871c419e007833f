"""
Write everything that is generated into a checkout, or say what there is out of date.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import rooftree
from rooftree.cli.output import print_line, say
from rooftree.reference.files import generated_files, release_files, stale_files

__all__ = ["main"]

USAGE = "usage: python -m rooftree.reference [--check | --release]"


def main(arguments: Sequence[str]) -> int:
    """
    Write the files, or with ``--check`` name those that are out of date and return 1.

    With ``--release``, keep what this version publishes as what later ones are compared with.
    """
    root = Path(rooftree.__file__).parents[2]
    match list(arguments):
        case []:
            written = stale_files(root)
            _write(root, generated_files(root))
        case ["--release"]:
            files = release_files()
            written = [*files]
            _write(root, files)
        case ["--check"]:
            stale = stale_files(root)
            for name in stale:
                say(f"{name} is out of date: run `make schemas`")
            return int(bool(stale))
        case _:
            say(USAGE)
            return 2
    for name in written:
        print_line(f"wrote {name}")
    return 0


def _write(root: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
