"""
Every error that Rooftree raises on purpose.

    RooftreeError
    ├── InputError            what was given is wrong; the message names the place
    │   ├── PolicyError       a policy document
    │   ├── SnapshotError     an organization snapshot
    │   ├── ChangeError       a change event
    │   └── UsageError        a command line or a setting
    ├── ForbiddenError        who asks is known, and may not do this
    ├── UnavailableError      a server could not be reached; trying again may help
    ├── RefusedCallError      AWS does not do what it was asked
    ├── RecordTooLargeError   the broker never takes a record of this size
    ├── RefusedRowError       the store does not take what a record leads to
    ├── StaleViewError        another writer has changed an organization since it was read
    ├── LostPartitionError    another worker has taken over this partition
    └── LogLossError          the broker no longer holds what was promised

Messages start in lower case, end without a full stop and quote what was given in backticks.
"""

from __future__ import annotations

from datetime import datetime

__all__ = [
    "ChangeError",
    "ForbiddenError",
    "InputError",
    "LogLossError",
    "LostPartitionError",
    "PolicyError",
    "RecordTooLargeError",
    "RefusedCallError",
    "RefusedRowError",
    "RooftreeError",
    "SnapshotError",
    "StaleViewError",
    "UnavailableError",
    "UsageError",
    "join_place",
]


def join_place(outer: str, inner: str) -> str:
    """
    Return the place *inner* as seen from *outer*: ``data`` and ``content.Statement[0]`` joined by a dot.
    """
    if not outer or not inner:
        return f"{outer}{inner}"
    if inner.startswith(("line ", "byte ")):
        # Inside of text that is no JSON there are no names.
        return f"{outer}, {inner}"
    return f"{outer}{inner}" if inner.startswith("[") else f"{outer}.{inner}"


class RooftreeError(Exception):
    """
    The base of all errors raised on purpose.
    """


class InputError(RooftreeError):
    """
    Something given from outside is wrong.

    Attributes:
        reason: What was expected, in one line.
        place: Where in the input, for example ``Statement[2].Effect``; empty for the whole of it.
    """

    def __init__(self, reason: str, *, place: str = "") -> None:
        super().__init__(f"{place}: {reason}" if place else reason)
        self.reason = reason
        self.place = place

    def within(self, place: str) -> InputError:
        """
        Return the same error seen from a level further out.
        """
        return type(self)(self.reason, place=join_place(place, self.place))


class PolicyError(InputError):
    """
    A policy document cannot be read as one.
    """


class SnapshotError(InputError):
    """
    An organization snapshot contradicts itself or lacks a part.
    """


class ChangeError(InputError):
    """
    A change event cannot be read as one.

    Attributes:
        disposition: ``undecodable`` (not the JSON of an event), ``unknown_schema`` (no type that is known),
            ``refused`` (its content is wrong) or ``too_large``.
        organization_id: The organization that misses this change, as far as the event or its key tells.
        time: When the change took effect, as far as the event tells.
    """

    def __init__(
        self,
        reason: str,
        *,
        place: str = "",
        disposition: str = "refused",
        organization_id: str | None = None,
        time: datetime | None = None,
    ) -> None:
        super().__init__(reason, place=place)
        self.disposition = disposition
        self.organization_id = organization_id
        self.time = time

    def within(self, place: str) -> ChangeError:
        """
        Return the same error seen from a level further out.
        """
        return ChangeError(
            self.reason,
            place=join_place(place, self.place),
            disposition=self.disposition,
            organization_id=self.organization_id,
            time=self.time,
        )


class UsageError(InputError):
    """
    A command, an option or a setting is wrong.
    """


class ForbiddenError(RooftreeError):
    """
    A caller may not do what they ask for.
    """


class UnavailableError(RooftreeError):
    """
    A server that is needed does not answer.
    """


class RefusedCallError(RooftreeError):
    """
    AWS does not do what it was asked: it is not allowed, or the object does not exist.

    Attributes:
        operation: The call.
        code: Why, as AWS spells it.
    """

    def __init__(self, operation: str, code: str, message: str) -> None:
        super().__init__(f"AWS: {operation}: {code}: {message}")
        self.operation = operation
        self.code = code


class RecordTooLargeError(RooftreeError):
    """
    The broker does not take a record of this size, at no attempt.
    """


class RefusedRowError(RooftreeError):
    """
    The store does not take a value: it breaks a constraint, a limit or an encoding, at every attempt.
    """


class StaleViewError(RooftreeError):
    """
    The stored organization is of another version than the one in memory.

    Attributes:
        organization_id: The organization to read anew.
    """

    def __init__(self, organization_id: str) -> None:
        super().__init__(f"`{organization_id}` was changed by another writer")
        self.organization_id = organization_id


class LostPartitionError(RooftreeError):
    """
    The stored offset has moved: another worker owns this partition now.
    """


class LogLossError(RooftreeError):
    """
    The broker no longer holds records that have not been read yet.
    """
