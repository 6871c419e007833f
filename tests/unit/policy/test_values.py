from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from ipaddress import ip_address, ip_network

import pytest

from rooftree.policy.values import (
    parse_address,
    parse_binary,
    parse_boolean,
    parse_date,
    parse_network,
    parse_number,
)


@pytest.mark.parametrize(("text", "value"), [("true", True), ("TRUE", True), ("False", False), ("1", None), ("", None)])
def test_booleans_are_read_in_any_case(text: str, *, value: bool | None) -> None:
    """
    Only the two words count, in whatever case.
    """
    assert value is parse_boolean(text)


@pytest.mark.parametrize(
    ("text", "value"), [("0", "0"), ("-12", "-12"), ("+1.50", "1.5"), (".5", "0.5"), ("5.", "5"), ("1e3", "1000")]
)
def test_numbers_are_read_exactly(text: str, value: str) -> None:
    """
    Integers and decimals compare as what they say, without binary rounding.
    """
    assert Decimal(value) == parse_number(text)


@pytest.mark.parametrize("text", ["", "NaN", "inf", "1_000", " 1", "1\n", "1e100", "0x10", "٣", "1" * 257])
def test_what_is_no_number_is_none(text: str) -> None:
    """
    Special values, other scripts, stray characters and endless digits are no numbers.
    """
    assert parse_number(text) is None


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-03", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-03-04", datetime(2026, 3, 4, tzinfo=UTC)),
        ("2026-03-04T05:06Z", datetime(2026, 3, 4, 5, 6, tzinfo=UTC)),
        ("2026-03-04T05:06:07Z", datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)),
        ("2026-03-04T05:06:07.25Z", datetime(2026, 3, 4, 5, 6, 7, 250_000, tzinfo=UTC)),
        ("2026-03-04T05:06:07+02:30", datetime(2026, 3, 4, 2, 36, 7, tzinfo=UTC)),
        ("2026-03-04T05:06:07-01:00", datetime(2026, 3, 4, 6, 6, 7, tzinfo=UTC)),
        ("2026-03-04T05:06:07", datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)),
        ("1772600767", datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)),
        ("1772600767.5", datetime(2026, 3, 4, 5, 6, 7, 500_000, tzinfo=UTC)),
        ("-1", datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_dates_are_read_in_all_their_forms(text: str, moment: datetime) -> None:
    """
    Partial forms mean their first moment, and numbers are seconds since 1970.
    """
    assert moment == parse_date(text)


@pytest.mark.parametrize(
    "text",
    ["", "soon", "2026-13", "2026-02-30", "2026-3-4", "2026-03-04 05:06:07Z", "2026-03-04T25:00Z", "9" * 15, "2026\n"],
)
def test_what_is_no_date_is_none(text: str) -> None:
    """
    Days that do not exist, other notations and years past counting are no dates.
    """
    assert parse_date(text) is None


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("10.1.2.3/8", "10.0.0.0/8"),
        ("192.0.2.1", "192.0.2.1/32"),
        ("2001:DB8::/32", "2001:db8::/32"),
        ("2001:db8::1", "2001:db8::1/128"),
    ],
)
def test_networks_are_read_in_cidr_notation(text: str, network: str) -> None:
    """
    A bare address is a network of one, and bits past the prefix do not count.
    """
    assert ip_network(network) == parse_network(text)


@pytest.mark.parametrize("text", ["", "10.0.0.0/33", "10.0.0.0/255.0.0.0", "fe80::1%eth0", "10.0.0", "*", "10.0.0.1\n"])
def test_what_is_no_network_is_none(text: str) -> None:
    """
    Masks written as addresses, zones and wildcards are not in the notation.
    """
    assert parse_network(text) is None


def test_an_address_is_one_of_its_own_family() -> None:
    """
    An IPv4 address in IPv6 notation stays an IPv6 address.
    """
    assert ip_address("192.0.2.1") == parse_address("192.0.2.1")
    assert ip_address("192.0.2.1") != parse_address("::ffff:192.0.2.1")
    assert parse_address("192.0.2.1/32") is None
    assert parse_address("fe80::1%eth0") is None


@pytest.mark.parametrize(("text", "value"), [("aGk=", b"hi"), ("", b""), ("aGk", None), ("a*k=", None), ("é", None)])
def test_binary_values_are_strict_base64(text: str, value: bytes | None) -> None:
    """
    Nothing outside of the alphabet is skipped.
    """
    assert value == parse_binary(text)
