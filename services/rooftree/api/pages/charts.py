"""
The charts, as SVG made on the server: no script draws, and no style is inline.

Each takes numbers and gives markup; what a chart shows stands beside it in words, so it is hidden from screen readers
unless it is given a label.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from markupsafe import Markup, escape

__all__ = ["Layers", "Period", "Shares", "bar", "funnel", "timeline"]

WIDTH: Final = 1000
"""Of the drawing; the page stretches it."""


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

    def less(self, other: Shares) -> Shares:
        """
        Return what is more here than in *other*, share by share.
        """
        return Shares(self.allowed - other.allowed, self.conditional - other.conditional, self.denied - other.denied)

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
class Layers:
    """
    How many known actions are left at a level: untouched, restricted by one policy, by several; and how many are not.
    """

    allowed: int
    once: int
    several: int
    denied: int

    @property
    def total(self) -> int:
        """
        All of them.
        """
        return self.allowed + self.once + self.several + self.denied

    @property
    def words(self) -> str:
        """
        The same in words.
        """
        told = (
            (self.allowed, "allowed"),
            (self.once, "restricted by one policy"),
            (self.several, "by several"),
            (self.denied, "denied"),
        )
        return ", ".join(f"{count:,} {words}" for count, words in told if count) or "nothing"


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


def bar(shares: Shares, *, height: int = 12, kind: str = "chart") -> Markup:
    """
    Draw the shares side by side: full for allowed, hatched for conditional, full in another colour for denied.

    A spark is pressed into a few pixels, which takes the pattern with it: it has a pattern that was stretched before.
    """
    hatch = "hatch-small" if "spark" in kind else "hatch"
    parts = [f'<rect class="ground" width="{WIDTH}" height="{height}"/>']
    left = 0.0
    for name, width in _widths(shares):
        fill = f' fill="url(#{hatch})"' if name == "conditional" else f' class="{name}"'
        parts.append(f'<rect{fill} x="{left:.1f}" width="{width:.1f}" height="{height}"/>')
        left += width
    return _svg(parts, height=height, kind=kind)


def funnel(above: Layers | None, here: Layers) -> Markup:
    """
    Draw what is left of what came from above: each layer flows from its width there to its width here, then the bar.
    """
    gap, height = 26, 48
    left, parts = 0.0, [f'<rect class="ground" y="{gap}" width="{WIDTH}" height="{height - gap}"/>']
    edges_above = _edges(above) if above else None
    edges = _edges(here)
    if edges_above is not None:
        parts.extend(
            f'<path class="{name}-flow flow" d="M{start:.1f} 0H{end:.1f}L{edges[number + 1]:.1f} {gap}H{edges[number]:.1f}z"/>'
            for number, (name, start, end) in enumerate(
                zip(("allowed", "once", "several"), edges_above, edges_above[1:], strict=False)
            )
        )
    for name, right in zip(("allowed", "once", "several"), edges[1:], strict=True):
        fill = {"once": ' fill="url(#hatch)"', "several": ' fill="url(#dense)"'}.get(name, f' class="{name}"')
        if right > left:
            parts.append(f'<rect{fill} x="{left:.1f}" y="{gap}" width="{right - left:.1f}" height="{height - gap}"/>')
        left = right
    parts.append(f'<rect class="edge" y="{gap}" width="{WIDTH}" height="{height - gap}"/>')
    return _svg(parts, height=height, kind="chart")


def _edges(layers: Layers) -> list[float]:
    scale = WIDTH / (layers.total or 1)
    marks, reached = [0.0], 0
    for count in (layers.allowed, layers.once, layers.several):
        reached += count
        marks.append(scale * reached)
    return marks


def timeline(periods: Sequence[Period], marks: Sequence[datetime], *, now: datetime, at: datetime | None) -> Markup:
    """
    Draw periods along time, a pin for each change of decisions, and a line at the time that is looked at.
    """
    if not periods:
        return Markup()
    start = min(period.since for period in periods)
    span = max((now - start).total_seconds(), 1.0)

    def place(moment: datetime) -> float:
        return 8 + (WIDTH - 16) * min(max((moment - start).total_seconds() / span, 0.0), 1.0)

    parts = []
    for period in periods:
        left, right = place(period.since), place(period.until or now)
        other = " other" if period.kind % 2 else ""
        title = f"<title>{escape(period.label)}</title>"
        width = max(right - left, 2.0)
        parts.append(
            f'<rect class="span{other}" x="{left:.1f}" y="18" width="{width:.1f}" height="16" rx="2">{title}</rect>'
        )
    parts.extend(f'<path class="pin" d="M{place(mark):.1f} 17l-4-8h8z"/>' for mark in marks)
    if at is not None:
        parts.append(f'<path class="now" d="M{place(at):.1f} 4V38" fill="none"/>')
    return _svg(parts, height=40, kind="chart timeline")


def _widths(shares: Shares) -> list[tuple[str, float]]:
    total = shares.total or 1
    return [
        (name, WIDTH * count / total)
        for name, count in (
            ("allowed", shares.allowed),
            ("conditional", shares.conditional),
            ("denied", shares.denied),
        )
        if count
    ]


def _svg(parts: Sequence[str], *, height: int, kind: str) -> Markup:
    # numbers and what was escaped above, nothing else
    return Markup(  # noqa: S704
        f'<svg class="{kind}" viewBox="0 0 {WIDTH} {height}" height="{height}" preserveAspectRatio="none"'
        f' aria-hidden="true">{"".join(parts)}</svg>'
    )
