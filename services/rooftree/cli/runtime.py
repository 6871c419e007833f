"""
The file in which a running ``rooftree up`` says where it can be reached, so that other commands find it.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from rooftree.errors import UnavailableError, UsageError
from rooftree.settings import PREFIX, Settings, load_settings

__all__ = ["Runtime", "connected_settings", "is_set", "read_runtime", "runtime_path", "write_runtime"]

FILE_NAME: Final = "runtime.json"
OWNER_ONLY: Final = 0o600

Server: TypeAlias = Literal["postgres_dsn", "kafka_bootstrap"]


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

    @property
    def settings(self) -> dict[str, object]:
        """
        The settings that follow from it.
        """
        return {
            "postgres_dsn": self.postgres,
            "kafka_bootstrap": self.kafka,
            # The embedded broker knows no idempotence, and events have ids: one that is sent twice counts once.
            "kafka_idempotence": False,
            **{f"{role}_topic": name for role, name in self.topics.items()},
        }


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


def connected_settings(data_dir: Path | None = None, *, server: Server = "postgres_dsn") -> Settings:
    """
    Return the settings with which a command reaches the service.

    Variables that are set go first; what they leave open comes from a running ``rooftree up``.

    Args:
        data_dir: Where that keeps its data.
        server: The setting of the server that the command cannot do without.

    Raises:
        UsageError: A setting is wrong.
        UnavailableError: There is neither a variable for the server nor a running ``rooftree up``.
    """
    chosen: dict[str, object] = {"data_dir": data_dir} if data_dir else {}
    settings = load_settings(chosen)
    runtime = read_runtime(settings.data_dir)
    if runtime is not None:
        unset = {name: value for name, value in runtime.settings.items() if not is_set(name)}
        return load_settings({**unset, **chosen})
    if not is_set(server):
        raise UnavailableError(
            f"nothing runs in `{settings.data_dir}` and {PREFIX}{server.upper()} is not set;"
            " start `rooftree up`, name its --data-dir, or set the variable"
        )
    return settings


def is_set(name: str) -> bool:
    """
    Tell whether a setting is given by a variable.
    """
    return bool(os.environ.get(f"{PREFIX}{name.upper()}"))
