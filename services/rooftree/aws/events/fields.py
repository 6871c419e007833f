"""
The fields of a CloudTrail record, read with care: each may be missing, null, masked or of another type.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, cast
from urllib.parse import unquote

from rooftree.errors import ChangeError, InputError, join_place
from rooftree.organization.timestamps import parse_time

__all__ = ["Fields", "moment"]

_MASK = re.compile(r"\*+|HIDDEN_DUE_TO_SECURITY_REASONS|value hidden due to security reasons\.?", re.IGNORECASE)

# https://docs.aws.amazon.com/organizations/latest/userguide/orgs_cloudtrail-integration.html shows times inside of
# records as text, with a space before AM or PM that newer Java writes as U+202F.
_AMERICAN = re.compile(
    r"(?P<month>[A-Z][a-z]{2})\s+(?P<day>\d{1,2}),\s+(?P<year>\d{4}),?\s+"
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2}):(?P<second>\d{2})\s*(?P<half>[AP])M"
)
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def moment(value: object) -> datetime | None:
    """
    Read a time inside of a record, which AWS writes in several ways, in UTC; None for what is no time.
    """
    if not isinstance(value, str):
        return None
    match = _AMERICAN.fullmatch(value)
    try:
        if match is None:
            return parse_time(value)
        hour = int(match["hour"]) % 12 + (12 if match["half"] == "P" else 0)
        month = _MONTHS.index(match["month"]) + 1
        date = int(match["year"]), month, int(match["day"])
        return datetime(*date, hour, int(match["minute"]), int(match["second"]), tzinfo=UTC)
    except (InputError, ValueError):
        return None


@dataclass(frozen=True, slots=True)
class Fields:
    """
    One object of a record.

    Attributes:
        content: What it holds; empty where the record has no such object.
        place: Where it stands in the record, for error messages.
    """

    content: Mapping[str, object]
    place: str = ""

    def __bool__(self) -> bool:
        return bool(self.content)

    def part(self, name: str) -> Fields:
        """
        Return the object of a name; an empty one where there is none.

        Raises:
            ChangeError: There is something else.
        """
        place = join_place(self.place, name)
        value = self.content.get(name)
        if value is None or (isinstance(value, str) and _MASK.fullmatch(value)):
            return Fields({}, place)
        if not isinstance(value, Mapping):
            raise ChangeError("expected an object", place=place)
        return Fields(cast("Mapping[str, object]", value), place)

    def items(self, name: str) -> Iterator[Fields]:
        """
        Yield the objects of a list; nothing where there is none.

        Raises:
            ChangeError: There is something else.
        """
        place = join_place(self.place, name)
        value = self.content.get(name)
        if value is None:
            return
        if not isinstance(value, list):
            raise ChangeError("expected a list", place=place)
        for index, item in enumerate(value):
            if not isinstance(item, Mapping):
                raise ChangeError("expected an object", place=f"{place}[{index}]")
            yield Fields(cast("Mapping[str, object]", item), f"{place}[{index}]")

    def text(self, name: str) -> str | None:
        """
        Return the text of a name; None where it is missing, empty or masked.

        Raises:
            ChangeError: There is something that is no text.
        """
        value = self.content.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise ChangeError("expected text", place=join_place(self.place, name))
        return None if _MASK.fullmatch(value) else value

    def texts(self, name: str) -> list[str] | None:
        """
        Return a list of texts; None where it is missing or any of them is masked.

        Raises:
            ChangeError: There is something else.
        """
        place = join_place(self.place, name)
        values = self.content.get(name)
        if values is None:
            return None
        if not isinstance(values, list):
            raise ChangeError("expected a list", place=place)
        found = [Fields({"": value}, f"{place}[{index}]").text("") for index, value in enumerate(values)]
        told = [text for text in found if text is not None]
        return told if len(told) == len(found) else None

    def flag(self, name: str) -> bool | None:
        """
        Return a truth value; None where it is missing.

        Raises:
            ChangeError: There is something else.
        """
        value = self.content.get(name)
        if value is None or isinstance(value, bool):
            return value
        if self.text(name) is None:
            return None
        raise ChangeError("expected `true` or `false`", place=join_place(self.place, name))

    def id(self, name: str, shape: str) -> str | None:
        """
        Return the id of a name; None where it is missing or masked.

        Raises:
            ChangeError: It has another shape.
        """
        value = self.text(name)
        if value is not None and re.match(shape, value) is None:
            expected = shape.replace(r"\Z", "$")
            raise ChangeError(
                f"expected text like `{expected}`, found `{value[:64]}`", place=join_place(self.place, name)
            )
        return value

    def document(self, name: str) -> object:
        """
        Return a policy as an object or as JSON text; None where it is missing or masked.

        Documents in answers of IAM are URL-encoded, those in requests are not.
        """
        value = self.content.get(name)
        if isinstance(value, Mapping):
            return dict(value)
        text = self.text(name)
        return unquote(text) if text is not None and text.startswith("%7B") else text
