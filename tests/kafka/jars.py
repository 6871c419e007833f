"""
The jars of Apache Kafka, fetched once by Maven into the user's cache.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from rooftree.errors import UnavailableError

__all__ = ["kafka_jars", "require_java"]

POM = Path(__file__).with_name("pom.xml")
JAVA = 17


def require_java() -> str:
    """
    Return the program that runs Apache Kafka.

    Raises:
        UnavailableError: There is none on the path, or it is too old.
    """
    program = shutil.which("java")
    if program is None:
        raise UnavailableError(f"Apache Kafka needs Java {JAVA} or newer: there is no `java` on the path")
    told = subprocess.run([program, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', told)
    if version is None or int(version[1]) < JAVA:
        raise UnavailableError(f"Apache Kafka needs Java {JAVA} or newer: `{program}` is {told.splitlines()[:1]}")
    return program


def kafka_jars() -> Path:
    """
    Return the folder with all jars of a broker; Maven fetches them if they are not there.

    Raises:
        UnavailableError: They are not there, and Maven is missing or fails.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    # What the folder holds follows from the file alone: another version has another folder.
    folder = cache / "rooftree" / f"kafka-{hashlib.sha256(POM.read_bytes()).hexdigest()[:12]}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Maven's own folder is not made for several of it at once.
    with (folder.parent / "fetching.lock").open("w") as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        if not folder.is_dir():
            _fetch(folder)
    return folder


def _fetch(folder: Path) -> None:
    program = shutil.which("mvn")
    if program is None:
        raise UnavailableError(f"Apache Kafka is fetched by Maven: there is no `mvn` on the path, nor is `{folder}`")
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="fetching-") as unfinished:
        jars = Path(unfinished) / "jars"
        # The plugin of the pom, by its name: a copy of the file, so that nothing is written beside it.
        pom = shutil.copy(POM, unfinished)
        fetched = subprocess.run(
            [
                *(program, "--batch-mode", "--quiet", "--file", pom, "dependency:copy-dependencies"),
                *("-DincludeScope=runtime", f"-DoutputDirectory={jars}"),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if fetched.returncode:
            raise UnavailableError(f"Maven does not get Apache Kafka: {fetched.stdout.strip()[-2000:]}")
        jars.rename(folder)
