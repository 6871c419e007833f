from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from ipaddress import ip_network

import pytest

from rooftree.permissions.interval import address_interval, date_interval, interval_classes, number_interval
from rooftree.policy.values import parse_number


class TestNumbers:
    def test_comparisons_with_one_number_cut_three_classes(self) -> None:
        """
        Below, at and above a number are told apart, and each has a value.
        """
        five = Decimal(5)
        intervals = [number_interval("LessThan", five, "5"), number_interval("Equals", five, "5")]

        assert interval_classes("number", intervals) == [(0b00, "6"), (0b01, "4"), (0b10, "5")]

    def test_between_two_numbers_lies_another(self) -> None:
        """
        Numbers are decimals, so that the open range between neighbours is not empty.
        """
        intervals = [
            number_interval("GreaterThan", Decimal(5), "5"),
            number_interval("LessThan", Decimal(6), "6"),
        ]

        assert (0b11, "5.5") in interval_classes("number", intervals)

    def test_equal_intervals_written_differently_are_equal(self) -> None:
        """
        ``5`` and ``5.0`` bound the same numbers.
        """
        assert number_interval("Equals", Decimal(5), "5") == number_interval("Equals", Decimal("5.0"), "5.0")

    @pytest.mark.parametrize("text", ["1e99", "-1e99", "0.1", "1" * 60, "0." + "3" * 41])
    def test_each_class_has_a_value_that_can_be_read_back(self, text: str) -> None:
        """
        However large or fine a bound is, there is a number below it, at it and above it.
        """
        bound = Decimal(text)
        intervals = [number_interval("LessThan", bound, text), number_interval("Equals", bound, text)]

        for signature, value in interval_classes("number", intervals):
            read = parse_number(value)
            assert read is not None
            assert signature == (read < bound) + 2 * (read == bound)
        assert 3 == len(interval_classes("number", intervals))


class TestDates:
    def test_the_ends_of_time_are_bounds_like_others(self) -> None:
        """
        Before the first moment and after the last there is nothing.
        """
        first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
        intervals = [date_interval("LessThan", first, "0001"), date_interval("GreaterThan", last, "9999")]

        assert [0] == [signature for signature, _value in interval_classes("date", intervals)]

    def test_between_neighbouring_moments_lies_none(self) -> None:
        """
        Moments are told apart to the microsecond, and no finer.
        """
        moment = datetime(2026, 1, 1, tzinfo=UTC)
        following = moment + timedelta(microseconds=1)
        intervals = [date_interval("GreaterThan", moment, "a"), date_interval("LessThan", following, "b")]

        assert {0b01, 0b10} == {signature for signature, _value in interval_classes("date", intervals)}

    def test_a_moment_is_shown_as_text(self) -> None:
        """
        The value of a class is written as AWS writes moments.
        """
        moment = datetime(2026, 1, 1, tzinfo=UTC)

        assert (0b1, "2026-01-01T00:00:00Z") in interval_classes("date", [date_interval("Equals", moment, "2026")])


class TestAddresses:
    def test_halves_of_a_network_make_it_up(self) -> None:
        """
        No address of a network lies outside of its two halves.
        """
        blocks = ["10.0.0.0/8", "10.0.0.0/9", "10.128.0.0/9"]
        intervals = [address_interval(ip_network(block), block) for block in blocks]

        assert {0b000, 0b011, 0b101} == {signature for signature, _value in interval_classes("ip", intervals)}

    def test_the_families_do_not_mix(self) -> None:
        """
        All of IPv4 holds no IPv6 address.
        """
        blocks = ["0.0.0.0/0", "2001:db8::/32"]
        classes = dict(interval_classes("ip", [address_interval(ip_network(block), block) for block in blocks]))

        assert classes == {0b00: "::", 0b01: "0.0.0.0", 0b10: "2001:db8::"}
