"""
Read compose files as the specification of Compose has them, or say what is wrong with one.
"""

from __future__ import annotations

import sys
from pathlib import Path

import yaml
from compose_spec import PyCompose


def main(paths: list[str]) -> int:
    """
    Return 1 if one of the files is no valid one.
    """
    status = 0
    for path in paths:
        try:
            # What is merged in by `<<` has to be there already: that is YAML's part of the work.
            merged = yaml.safe_dump(yaml.safe_load(Path(path).read_text(encoding="utf-8")), sort_keys=False)
            services = PyCompose.from_yaml(merged).service_names()
        except (ValueError, yaml.YAMLError) as error:
            sys.stderr.write(f"{path}: {error}\n")
            status = 1
        else:
            sys.stdout.write(f"{path}: {', '.join(services)}\n")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
