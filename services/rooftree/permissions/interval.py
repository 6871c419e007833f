"""
Numbers, moments and network addresses: values in an order, and the classes that intervals cut them into.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from ipaddress import IPv4Network, IPv6Network, ip_address
from itertools import pairwise
from typing import Final

from rooftree.permissions.bounds import MAX_CELLS, TooComplexError
from rooftree.policy.values import parse_address, parse_date, parse_number

__all__ = [
    "Interval",
    "address_interval",
    "date_interval",
    "interval_classes",
    "number_interval",
    "parted_intervals",
    "place_of",
]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_FIRST_MOMENT: Final = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
_LAST_MOMENT: Final = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
_V6: Final = 1 << 32
"""IPv6 addresses are counted on after the last IPv4 address, so that both families lie on one line."""
_LAST_ADDRESS: Final = _V6 + (1 << 128) - 1
_LARGE: Final = 10**15
"""Beyond this a step of one makes a number that is hard to read."""


@dataclass(frozen=True, slots=True, eq=False)
class Interval:
    """
    The values from *low* to *high*; ``None`` stands for no bound.

    Moments, counted in microseconds, and addresses are whole numbers, and their bounds belong to the interval.

    Attributes:
        kind: ``number``, ``date`` or ``ip``.
        operator: The operator without negation that says it, for presentation.
        text: The value as the policy wrote it.
        identity: A text that only equal intervals share; by it alone, and so by the bounds, they are compared.
    """

    kind: str
    low: Fraction | None
    high: Fraction | None
    low_closed: bool = True
    high_closed: bool = True
    operator: str = ""
    text: str = ""
    identity: str = field(init=False)

    def __post_init__(self) -> None:
        closed = f"{self.low_closed:d}{self.high_closed:d}"
        object.__setattr__(self, "identity", f"{self.kind}:{self.low}:{self.high}:{closed}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Interval) and self.identity == other.identity

    def __hash__(self) -> int:
        return hash(self.identity)

    def holds(self, value: Fraction) -> bool:
        """
        Tell whether *value* lies inside.
        """
        if self.low is not None and (value < self.low or (value == self.low and not self.low_closed)):
            return False
        return self.high is None or value < self.high or (value == self.high and self.high_closed)


def number_interval(operator: str, value: Decimal, text: str) -> Interval:
    """
    Return the numbers that stand in a relation such as ``LessThan`` to *value*.
    """
    number = Fraction(value)
    low, high = _BOUNDS[operator]
    return Interval(
        "number",
        number if low else None,
        number if high else None,
        low_closed=operator.endswith("Equals"),
        high_closed=operator.endswith("Equals"),
        operator=f"Numeric{operator}",
        text=text,
    )


def date_interval(operator: str, value: datetime, text: str) -> Interval:
    """
    Return the moments that stand in a relation such as ``LessThan`` to *value*.
    """
    moment = (value - _EPOCH) // _MICROSECOND
    low, high = _BOUNDS[operator]
    step = 0 if operator.endswith("Equals") else 1
    return Interval(
        "date",
        Fraction(moment + step) if low else None,
        Fraction(moment - step) if high else None,
        operator=f"Date{operator}",
        text=text,
    )


def address_interval(network: IPv4Network | IPv6Network, text: str) -> Interval:
    """
    Return the addresses of a network.
    """
    base = 0 if network.version == 4 else _V6
    low, high = int(network.network_address) + base, int(network.broadcast_address) + base
    return Interval("ip", Fraction(low), Fraction(high), operator="IpAddress", text=text)


_BOUNDS: Final = {
    # operator -> whether the value bounds from below, and from above
    "Equals": (True, True),
    "LessThan": (False, True),
    "LessThanEquals": (False, True),
    "GreaterThan": (True, False),
    "GreaterThanEquals": (True, False),
}


def interval_classes(kind: str, intervals: Sequence[Interval]) -> list[tuple[int, str]]:
    """
    Return each class that is not empty: the intervals around it as a bit mask, and one value of it as text.

    Raises:
        TooComplexError: If there are too many of them.
    """
    values = _numbers(intervals) if kind == "number" else _whole_values(kind, intervals)
    if len(values) * len(intervals) > MAX_CELLS:
        raise TooComplexError
    found: dict[int, str] = {}
    for value in values:
        signature = 0
        for index, interval in enumerate(intervals):
            if interval.holds(value):
                signature |= 1 << index
        found.setdefault(signature, _text(kind, value))
    return sorted(found.items())


def place_of(kind: str, text: str) -> Fraction | None:
    """
    Return where a value lies among all of its kind; ``None`` if it cannot be read.
    """
    if kind == "number":
        number = parse_number(text)
        return None if number is None else Fraction(number)
    if kind == "date":
        moment = parse_date(text)
        return None if moment is None else Fraction((moment - _EPOCH) // _MICROSECOND)
    address = parse_address(text)
    return None if address is None else Fraction(int(address) + (0 if address.version == 4 else _V6))


def parted_intervals(
    kind: str, intervals: Sequence[Interval], parts: Mapping[int, int]
) -> list[tuple[tuple[str, str], int]]:
    """
    Return where the parts begin, in order, each with its number; equal partitions give equal lists but for numbers.

    *parts* holds the part of each signature, as `interval_classes` gives them.
    """
    cells: list[tuple[tuple[str, str], Fraction]]
    if kind == "number":
        values = _numbers(intervals)
        bounds = {bound for interval in intervals for bound in (interval.low, interval.high) if bound is not None}
        before = ["", *(str(value) for value in values)]
        # a number is a cell by itself where it is a bound, and otherwise stands for what follows the one before
        cells = [
            (("at", str(value)) if value in bounds else ("after", before[number]), value)
            for number, value in enumerate(values)
        ]
    else:
        first = Fraction(_FIRST_MOMENT if kind == "date" else 0)
        starts = {interval.low for interval in intervals if interval.low is not None}
        ends = {interval.high + 1 for interval in intervals if interval.high is not None}
        last = _LAST_MOMENT if kind == "date" else _LAST_ADDRESS
        cells = [(("at", str(value)), value) for value in sorted({first, *starts, *ends}) if first <= value <= last]
    found: list[tuple[tuple[str, str], int]] = []
    for start, value in cells:
        part = parts[sum(interval.holds(value) << bit for bit, interval in enumerate(intervals))]
        if not found or found[-1][1] != part:
            found.append((start, part))
    return found


def _numbers(intervals: Sequence[Interval]) -> list[Fraction]:
    """
    Return numbers of which at least one lies in every class: the bounds, one between each two, and one outside.
    """
    points = sorted({bound for interval in intervals for bound in (interval.low, interval.high) if bound is not None})
    if not points:
        return [Fraction(0)]
    first, last = points[0], points[-1]
    below = first - 1 if abs(first) < _LARGE else min(Fraction(0), first * 2)
    above = last + 1 if abs(last) < _LARGE else max(Fraction(0), last * 2)
    return sorted({*points, *((low + high) / 2 for low, high in pairwise(points)), below, above})


def _whole_values(kind: str, intervals: Sequence[Interval]) -> list[Fraction]:
    """
    Return values of which at least one lies in every class: each begins with an interval or just past its end.
    """
    first, last = (_FIRST_MOMENT, _LAST_MOMENT) if kind == "date" else (0, _LAST_ADDRESS)
    starts = {interval.low for interval in intervals if interval.low is not None}
    ends = {interval.high + 1 for interval in intervals if interval.high is not None}
    fixed = {Fraction(first)} if kind == "date" else {Fraction(first), Fraction(_V6)}
    if kind == "date":
        # the year 1 is a moment that nobody expects: one shortly before the first bound will do
        fixed |= {start - 1_000_000 for start in starts | ends}
    return sorted(
        (value for value in {*starts, *ends, *fixed} if first <= value <= last),
        key=lambda value: (value == first, value),
    )


def _text(kind: str, value: Fraction) -> str:
    if kind == "number":
        return _decimal_text(value)
    if kind == "date":
        return (_EPOCH + int(value) * _MICROSECOND).isoformat().replace("+00:00", "Z")
    number = int(value)
    return str(ip_address(number)) if number < _V6 else str(ip_address((number - _V6).to_bytes(16, "big")))


def _decimal_text(value: Fraction) -> str:
    """
    Write a number that is a decimal, or half the sum of two, without loss; long runs of zeros as an exponent.
    """
    digits, exponent = value, 0
    while digits.denominator != 1:
        digits, exponent = digits * 10, exponent - 1
    plain = Decimal((int(digits < 0), tuple(int(digit) for digit in str(abs(digits.numerator))), exponent))
    short = str(plain).rstrip("0").rstrip(".") if "." in str(plain) and "E" not in str(plain) else str(plain)
    zeros = len(str(abs(digits.numerator))) - len(str(abs(digits.numerator)).rstrip("0"))
    if exponent == 0 and zeros > 15:
        return f"{'-' if digits < 0 else ''}{str(abs(digits.numerator))[:-zeros]}E{zeros}"
    return short
