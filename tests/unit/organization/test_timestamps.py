from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rooftree.errors import InputError
from rooftree.organization.timestamps import format_time, parse_time


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-31T12:00:00Z", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("2026-01-31t12:00:00z", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("2026-01-31T12:00:00.5Z", datetime(2026, 1, 31, 12, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-01-31T12:00:00.123456789Z", datetime(2026, 1, 31, 12, 0, 0, 123_456, tzinfo=UTC)),
        ("2026-01-31T12:00:00+02:00", datetime(2026, 1, 31, 10, tzinfo=UTC)),
        ("2026-01-31T12:00:00-00:30", datetime(2026, 1, 31, 12, 30, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", datetime(2016, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)),
    ],
)
def test_times_of_rfc_3339_are_read_as_utc(text: str, expected: datetime) -> None:
    """Offsets are taken out, fractions are cut to the microsecond, a leap second is the end of the second before."""
    assert expected == parse_time(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-01-31",
        "2026-01-31 12:00:00Z",
        "2026-01-31T12:00:00",
        "2026-02-30T12:00:00Z",
        "2026-01-31T24:00:00Z",
        "2026-01-31T12:00:61Z",
        "2026-01-31T12:00:00+24:00",
        "2026-01-31T12:00:00Z\n",
        "0001-01-01T00:00:00+01:00",
        "٢٠٢٦-01-31T12:00:00Z",
    ],
)
def test_what_is_no_time_of_rfc_3339_is_refused(text: str) -> None:
    """Days alone, times without an offset and days that no calendar has are refused."""
    with pytest.raises(InputError):
        parse_time(text)


@pytest.mark.parametrize("text", ["2026-01-31T12:00:00Z", "2026-01-31T12:00:00.000001Z", "0999-01-01T00:00:00Z"])
def test_times_are_written_as_they_are_read(text: str) -> None:
    """A fraction stands only where there is one."""
    assert text == format_time(parse_time(text))
