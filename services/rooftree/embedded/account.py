"""
The system account under which PostgreSQL runs, which refuses to be root.
"""

from __future__ import annotations

import os
import pwd
import stat
from pathlib import Path

from rooftree.errors import UnavailableError
from rooftree.telemetry.logs import Action, log

__all__ = ["open_tree", "open_way", "unprivileged_account"]

_CANDIDATES = ("postgres", "nobody")


def unprivileged_account(folder: Path) -> tuple[int, int] | None:
    """
    Choose the user and group id for a server whose data is in *folder*.

    The owner of the data goes first, then an account that every system has; none is created.

    Returns:
        The ids, or ``None`` if this process is not root and the server runs as it does.

    Raises:
        UnavailableError: This process is root and there is no such account.
    """
    if os.geteuid() != 0:
        return None
    if folder.exists() and folder.stat().st_uid != 0:
        found = folder.stat()
        return found.st_uid, found.st_gid
    for name in _CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return entry.pw_uid, entry.pw_gid
    raise UnavailableError("PostgreSQL does not run as root, and there is no account `postgres` or `nobody`")


def open_way(target: Path, account: tuple[int, int]) -> None:
    """
    Let *account* reach *target*: each folder on the way becomes traversable, though not readable, where it is not.

    Said in the log for each folder, since it changes what others on the machine may do.
    """
    for folder in reversed(target.resolve().parents):
        status = folder.stat()
        if not _may_traverse(status, account):
            folder.chmod(stat.S_IMODE(status.st_mode) | stat.S_IXOTH)
            log().warning(Action.FOLDER_OPENED, folder=str(folder), mode="o+x")


def open_tree(top: Path) -> None:
    """
    Let everyone read and run what is below *top*: programs installed under a strict umask.
    """
    for path in [top, *top.rglob("*")]:
        mode = stat.S_IMODE(path.stat().st_mode)
        runnable = path.is_dir() or mode & stat.S_IXUSR
        path.chmod(mode | stat.S_IROTH | (stat.S_IXOTH if runnable else 0))


def _may_traverse(status: os.stat_result, account: tuple[int, int]) -> bool:
    user, group = account
    if status.st_uid == user:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == group:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)
