"""
The file in which a running ``rooftree up`` says where it can be reached, so that other commands find it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from rooftree.errors import UnavailableError, UsageError
from rooftree.settings import PREFIX, Settings, load_settings

__all__ = ["Runtime", "connected_settings", "read_runtime", "runtime_path", "write_runtime"]

FILE_NAME: Final = "runtime.json"
OWNER_ONLY: Final = 0o600


@dataclass(frozen=True, slots=True)
class Runtime:
    """
    Where the parts of a running ``rooftree up`` are.
    """

    api: str
    kafka: str
    postgres: str
    token: str
    topics: dict[str, str]


def runtime_path(data_dir: Path) -> Path:
    """
    Return where the file stands.
    """
    return data_dir / FILE_NAME


def write_runtime(data_dir: Path, runtime: Runtime) -> None:
    """
    Write the file for its owner alone: it holds the token.
    """
    path = runtime_path(data_dir)
    draft = path.with_suffix(".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(runtime), file)
    draft.chmod(OWNER_ONLY)
    draft.replace(path)


def read_runtime(data_dir: Path) -> Runtime | None:
    """
    Read the file, or return None if nothing runs there.

    Raises:
        UsageError: It is no such file.
    """
    path = runtime_path(data_dir)
    try:
        return Runtime(**json.loads(path.read_text("utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise UsageError("not the run-time file of `rooftree up`", place=str(path)) from error


def connected_settings(data_dir: Path | None = None, overrides: Mapping[str, object] | None = None) -> Settings:
    """
    Return the settings with which a command reaches the service.

    Variables that are set go first; what they leave open comes from a running ``rooftree up``.

    Raises:
        UsageError: A setting is wrong.
        UnavailableError: There is neither a variable for the database nor a running ``rooftree up``.
    """
    chosen: dict[str, object] = {**({"data_dir": data_dir} if data_dir else {}), **(overrides or {})}
    settings = load_settings(chosen)
    runtime = read_runtime(settings.data_dir)
    if runtime is not None:
        found = {
            "postgres_dsn": runtime.postgres,
            "kafka_bootstrap": runtime.kafka,
            **{f"{role}_topic": name for role, name in runtime.topics.items()},
        }
        unset = {name: value for name, value in found.items() if not os.environ.get(f"{PREFIX}{name.upper()}")}
        return load_settings({**unset, **chosen})
    if not os.environ.get(f"{PREFIX}POSTGRES_DSN"):
        raise UnavailableError(
            f"nothing runs in `{settings.data_dir}` and ROOFTREE_POSTGRES_DSN is not set;"
            " start `rooftree up`, name its --data-dir, or read a snapshot with --org FILE"
        )
    return settings
