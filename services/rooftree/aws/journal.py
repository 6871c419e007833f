"""
The answers of a walk that was interrupted, so that the next one need not ask again.

One line of JSON an answer, in a file that its owner alone can read: it holds names and addresses. A walk asks the same
in the same order wherever the same is answered, so it goes on where the answers end. It still speaks of the moment at
which the first of them was given.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TextIO

from rooftree.errors import InputError, UsageError
from rooftree.organization.timestamps import format_time, parse_time

__all__ = ["Journal"]

OWNER_ONLY: Final = 0o600
FORMAT: Final = 1

_Answers = list[Mapping[str, Any]]


class Journal:
    """
    What AWS has answered so far.

    Attributes:
        began: The moment that the walk speaks of; None while nothing was answered.
    """

    def __init__(self, path: Path, *, who: str, max_age: float) -> None:
        """
        Open the journal of *who*, or a new one if there is none, or none that is young enough.

        Raises:
            UsageError: The folder cannot be written.
        """
        self._path = path
        self._who = who
        self._answers: dict[str, _Answers] = {}
        self.began: datetime | None = None
        lines = self._lines()
        if lines and _fits(lines[0], who=who, max_age=max_age):
            self.began = parse_time(str(lines[0]["began"]))
            self._answers = {str(line["call"]): line["answers"] for line in lines[1:]}
        else:
            lines = []
        self._file = self._open()
        for line in lines:
            # Written again, since the end of the last line may be missing.
            self._write(line)

    @classmethod
    def in_folder(cls, folder: Path, *, who: str, max_age: float) -> Journal:
        """
        Open the journal of *who* in a folder.
        """
        return cls(folder / f"aws-{hashlib.sha256(who.encode()).hexdigest()[:12]}.ndjson", who=who, max_age=max_age)

    @property
    def remembered(self) -> int:
        """
        How many answers there are.
        """
        return len(self._answers)

    def find(self, operation: str, parameters: Mapping[str, str]) -> Sequence[Mapping[str, Any]] | None:
        """
        Return what was answered to a call; None if it was not made yet.
        """
        return self._answers.get(_name(operation, parameters))

    def record(
        self,
        operation: str,
        parameters: Mapping[str, str],
        answers: Sequence[Mapping[str, Any]],
        *,
        began: datetime | None,
    ) -> None:
        """
        Keep an answer.
        """
        if self.began is None:
            self.began = began or datetime.now(UTC)
            self._write({"format": FORMAT, "who": self._who, "began": format_time(self.began)})
        name = _name(operation, parameters)
        self._answers[name] = list(answers)
        self._write({"call": name, "answers": self._answers[name]})

    def close(self) -> None:
        """
        Close the file; what is in it stays for the next walk.
        """
        self._file.close()

    def finish(self) -> None:
        """
        Remove the file: all that it could save was used.
        """
        self.close()
        self._path.unlink(missing_ok=True)

    def _write(self, line: Mapping[str, object]) -> None:
        # Nothing is read of times but the beginning, so they may become text.
        self._file.write(json.dumps(line, default=str, separators=(",", ":")) + "\n")
        self._file.flush()

    def _open(self) -> TextIO:
        draft = self._path.with_suffix(".new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            draft.unlink(missing_ok=True)
            file = os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY), "w", encoding="utf-8")
            draft.replace(self._path)
        except OSError as error:
            raise UsageError((error.strerror or "cannot be written").lower(), place=str(self._path)) from error
        return file

    def _lines(self) -> list[dict[str, Any]]:
        try:
            text = self._path.read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            return []
        found = []
        for line in text.splitlines(keepends=True):
            try:
                # A line without its end was being written when the walk was interrupted.
                found.append(dict(json.loads(line)) if line.endswith("\n") else {})
            except (ValueError, TypeError):
                return []
        return [line for line in found if line]


def _name(operation: str, parameters: Mapping[str, str]) -> str:
    return json.dumps([operation, parameters], sort_keys=True, separators=(",", ":"))


def _fits(line: Mapping[str, Any], *, who: str, max_age: float) -> bool:
    try:
        began = parse_time(str(line["began"]))
    except (KeyError, InputError):
        return False
    is_young = datetime.now(UTC) - began <= timedelta(seconds=max_age)
    return line.get("format") == FORMAT and line.get("who") == who and is_young
