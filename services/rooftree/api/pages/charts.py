"""
The charts, as SVG made on the server: no script draws, and no style is inline.

Each takes numbers and gives markup; what a chart shows stands beside it in words, so it is hidden from screen readers
unless it is given a label.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import Final

from markupsafe import Markup, escape

from rooftree.api.pages.layers import Layers

__all__ = ["Period", "Shares", "bar", "flow", "stack", "timeline"]

WIDTH: Final = 1000
"""Of a drawing that the page stretches."""

PATTERNS: Final = {"conditional": "hatch", "principal": "hatch", "region": "dense"}
"""What is filled with a pattern of the page; the rest has a colour of the style sheet."""


@dataclass(frozen=True, slots=True)
class Shares:
    """
    How many known actions are allowed, allowed under conditions, and denied.
    """

    allowed: int
    conditional: int
    denied: int

    @property
    def total(self) -> int:
        """
        All of them.
        """
        return self.allowed + self.conditional + self.denied

    @property
    def words(self) -> str:
        """
        The shares in words.
        """
        told = [
            f"{count:,} {word}"
            for word, count in (("allowed", self.allowed), ("conditional", self.conditional), ("denied", self.denied))
            if count
        ]
        return ", ".join(told) or "no known action"


@dataclass(frozen=True, slots=True)
class Period:
    """
    From when to when an account was as it was.

    Attributes:
        until: None while it holds.
        kind: Periods of one kind are drawn alike, for example those with the same permissions.
    """

    since: datetime
    until: datetime | None
    kind: int
    label: str


def bar(shares: Shares, *, height: int = 8, kind: str = "chart") -> Markup:
    """
    Draw the shares side by side: full for allowed, hatched for conditional, full in another colour for denied.
    """
    counts = (("allowed", shares.allowed), ("conditional", shares.conditional), ("denied", shares.denied))
    return _row(counts, shares.total, height=height, kind=kind)


def stack(layers: Layers, *, height: int = 22) -> Markup:
    """
    Draw layers side by side, the allowed ones first.
    """
    return _row([(part.name, part.count) for part in layers.parts], layers.total, height=height, kind="chart")


def flow(above: Layers, here: Layers) -> Markup:
    """
    Draw how what is left of *above* becomes what is left *here*: each layer flows from its width to its new one.

    The page stretches the drawing, so that it leads from one level to the next whatever stands beside it.
    """
    edges_above, edges = _edges(above), _edges(here)
    parts = [
        f'<path class="{part.name}-flow" d="M{edges_above[number]:.1f} 0H{edges_above[number + 1]:.1f}'
        f'L{edges[number + 1]:.1f} {WIDTH}H{edges[number]:.1f}z"/>'
        for number, part in enumerate(here.parts)
    ]
    return Markup(  # noqa: S704  # numbers and the names of layers, nothing else
        f'<svg class="chart flow" viewBox="0 0 {WIDTH} {WIDTH}" preserveAspectRatio="none" aria-hidden="true">'
        f"{''.join(parts)}</svg>"
    )


def _edges(layers: Layers) -> list[float]:
    scale = WIDTH / (layers.total or 1)
    return [scale * reached for reached in accumulate((part.count for part in layers.parts), initial=0)]


def _row(counts: Iterable[tuple[str, int]], total: int, *, height: int, kind: str) -> Markup:
    # shares of the width rather than a stretched drawing: patterns keep their angles
    parts, reached = [f'<rect class="ground" width="100%" height="{height}"/>'], 0.0
    for name, count in counts:
        width = 100 * count / (total or 1)
        if count:
            fill = f'fill="url(#{PATTERNS[name]})"' if name in PATTERNS else f'class="{name}"'
            parts.append(f'<rect {fill} x="{reached:.2f}%" width="{width:.2f}%" height="{height}"/>')
        reached += width
    return _svg(parts, height=height, kind=kind)


def timeline(periods: Sequence[Period], marks: Sequence[datetime], *, now: datetime, at: datetime | None) -> Markup:
    """
    Draw periods along time, a pin for each change of decisions, and a line at the time that is looked at.
    """
    if not periods:
        return Markup()
    start = min(period.since for period in periods)
    span = max((now - start).total_seconds(), 1.0)

    def place(moment: datetime) -> float:
        return 100 * min(max((moment - start).total_seconds() / span, 0.0), 1.0)

    parts = []
    for period in periods:
        left, right = place(period.since), place(period.until or now)
        other = " other" if period.kind % 2 else ""
        title = f"<title>{escape(period.label)}</title>"
        parts.append(
            f'<rect class="span{other}" x="{left:.2f}%" y="18" width="{max(right - left, 0.2):.2f}%" height="16" rx="2">'
            f"{title}</rect>"
        )
    parts.extend(
        f'<svg class="pin" x="{place(mark):.2f}%" overflow="visible"><path d="M0 17l-4-8h8z"/></svg>' for mark in marks
    )
    if at is not None:
        parts.append(f'<line class="now" x1="{place(at):.2f}%" x2="{place(at):.2f}%" y1="4" y2="38"/>')
    return _svg(parts, height=40, kind="chart timeline")


def _svg(parts: Sequence[str], *, height: int, kind: str) -> Markup:
    # numbers and what was escaped above, nothing else
    return Markup(  # noqa: S704
        f'<svg class="{kind}" width="100%" height="{height}" aria-hidden="true">{"".join(parts)}</svg>'
    )
