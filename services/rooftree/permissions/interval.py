"""
Numbers, moments and network addresses: values in an order, and the classes that intervals cut them into.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from ipaddress import IPv4Network, IPv6Network, ip_address
from itertools import pairwise
from typing import Final

__all__ = ["Interval", "address_interval", "date_interval", "interval_classes", "number_interval"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_V6: Final = 1 << 32
"""IPv6 addresses are counted on after the last IPv4 address, so that both families lie on one line."""
_END: Final = _V6 + (1 << 128)


@dataclass(frozen=True, slots=True)
class Interval:
    """
    The values from *low* to *high*; ``None`` stands for no bound.

    Attributes:
        kind: ``number``, ``date`` or ``ip``.
        operator: The operator without negation that says it, for presentation; not compared.
        text: The value as the policy wrote it; not compared.
    """

    kind: str
    low: Decimal | None
    high: Decimal | None
    low_closed: bool = True
    high_closed: bool = True
    operator: str = field(compare=False, default="")
    text: str = field(compare=False, default="")

    def holds(self, value: Decimal) -> bool:
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
    return _related("number", f"Numeric{operator}", operator, value, text)


def date_interval(operator: str, value: datetime, text: str) -> Interval:
    """
    Return the moments that stand in a relation such as ``LessThan`` to *value*.
    """
    seconds = (value - _EPOCH) / timedelta(microseconds=1)
    return _related("date", f"Date{operator}", operator, Decimal(seconds) / 1_000_000, text)


def address_interval(network: IPv4Network | IPv6Network, text: str) -> Interval:
    """
    Return the addresses of a network.
    """
    base = 0 if network.version == 4 else _V6
    low, high = int(network.network_address) + base, int(network.broadcast_address) + base
    return Interval("ip", Decimal(low), Decimal(high), operator="IpAddress", text=text)


def _related(kind: str, name: str, operator: str, value: Decimal, text: str) -> Interval:
    low, high = {
        "Equals": (value, value),
        "LessThan": (None, value),
        "LessThanEquals": (None, value),
        "GreaterThan": (value, None),
        "GreaterThanEquals": (value, None),
    }[operator]
    closed = operator.endswith("Equals")
    return Interval(kind, low, high, low_closed=closed, high_closed=closed, operator=name, text=text)


def interval_classes(kind: str, intervals: Sequence[Interval]) -> list[tuple[int, str]]:
    """
    Return each class that is not empty: the intervals around it as a bit mask, and one value of it as text.
    """
    found: dict[int, str] = {}
    for value in _representatives(kind, intervals):
        signature = 0
        for index, interval in enumerate(intervals):
            if interval.holds(value):
                signature |= 1 << index
        found.setdefault(signature, _text(kind, value))
    return sorted(found.items())


def _representatives(kind: str, intervals: Iterable[Interval]) -> list[Decimal]:
    """
    Return values of which at least one lies in every class.
    """
    bounds = {bound for interval in intervals for bound in (interval.low, interval.high) if bound is not None}
    if kind == "ip":
        # an address is whole: a class begins at the start of an interval or just past its end
        starts = {interval.low for interval in intervals if interval.low is not None}
        ends = {interval.high + 1 for interval in intervals if interval.high is not None}
        return sorted(value for value in {*starts, *ends, Decimal(0), Decimal(_V6)} if value < _END)
    points = sorted(bounds)
    if not points:
        return [Decimal(0)]
    between = [(low + high) / 2 for low, high in pairwise(points)]
    return sorted({*points, *between, points[0] - 1, points[-1] + 1})


def _text(kind: str, value: Decimal) -> str:
    if kind == "number":
        return format(value.normalize(), "f")
    if kind == "date":
        return (_EPOCH + timedelta(microseconds=int(value * 1_000_000))).isoformat().replace("+00:00", "Z")
    number = int(value)
    return str(ip_address(number)) if number < _V6 else str(ip_address((number - _V6).to_bytes(16, "big")))
