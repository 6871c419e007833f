"""
What the charts draw, by the numbers in their markup.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from rooftree.api.pages.charts import Period, Shares, bar, flow, stack, timeline
from rooftree.api.pages.layers import LAYERS, Layer, Layers

START = datetime(2026, 1, 1, tzinfo=UTC)


def layers(*counts: int) -> Layers:
    """
    Return layers of some sizes.
    """
    return Layers(
        [Layer(name, title, note, count, "") for (name, title, note), count in zip(LAYERS, counts, strict=True)]
    )


def widths(drawn: str) -> list[float]:
    """
    Return the widths of what stands side by side on the ground.
    """
    return [float(width) for width in re.findall(r' x="[\d.]+%"[^>]* width="([\d.]+)%"', drawn)]


def test_a_bar_shows_shares_of_all_actions() -> None:
    """
    Half allowed, a quarter conditional in a pattern, a quarter denied.
    """
    drawn = bar(Shares(allowed=50, conditional=25, denied=25))

    assert [50, 25, 25] == widths(drawn)
    assert 'fill="url(#hatch)"' in drawn


def test_what_there_is_none_of_is_not_drawn() -> None:
    """
    A bar of nothing is its ground alone.
    """
    assert [100] == widths(bar(Shares(allowed=3, conditional=0, denied=0)))
    assert [] == widths(bar(Shares(allowed=0, conditional=0, denied=0)))
    assert [] == widths(stack(layers(0, 0, 0, 0, 0)))


def test_a_flow_leads_from_the_widths_above_to_those_here() -> None:
    """
    All was allowed; below, one half depends on the region and the other is denied.
    """
    drawn = flow(layers(10, 0, 0, 0, 0), layers(0, 0, 5, 0, 5))

    assert 'class="allowed-flow" d="M0.0 0H1000.0L0.0 1000H0.0z"' in drawn
    assert 'class="region-flow" d="M1000.0 0H1000.0L500.0 1000H0.0z"' in drawn
    assert 'class="denied-flow" d="M1000.0 0H1000.0L1000.0 1000H500.0z"' in drawn


def test_a_timeline_has_a_bar_for_each_period_and_a_pin_for_each_change() -> None:
    """
    Names from outside are text in it; the moment that is looked at is a line.
    """
    half = START + timedelta(days=5)
    periods = [Period(START, half, 0, "a <b>"), Period(half, None, 1, "now")]
    drawn = timeline(periods, [half], now=START + timedelta(days=10), at=half)

    assert [50, 50] == widths(drawn)
    assert 'class="pin" x="50.00%"' in drawn
    assert 'class="now" x1="50.00%"' in drawn
    assert "a &lt;b&gt;" in drawn


def test_a_timeline_of_nothing_is_empty() -> None:
    """
    An account without a history has no picture of one.
    """
    assert "" == timeline([], [], now=START, at=None)
