"""
A report of measurements: the figures as JSON, plots as PNG, and one HTML page with both.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from jinja2 import Environment

from rooftree.benchmarks.measure import Measurement
from rooftree.errors import UsageError

__all__ = ["document_of", "write_report"]

_CURVES: Final = ("latency", "fan-out", "start")
_OWN, _FLOOR, _AIM = "#1f5fa8", "#9aa5b1", "#c2410c"

_PAGE: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Rooftree: measurements</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; } caption { text-align: left; font-weight: bold; }
th, td { border-bottom: 1px solid #ccc; padding: .25rem .5rem; text-align: left; vertical-align: top; }
td.number { text-align: right; font-variant-numeric: tabular-nums; } .missed { color: #b91c1c; } img { max-width: 100%; }
</style>
<h1>Rooftree: measurements</h1>
<p>Each figure stands beside a floor that was measured in the same run, by turns: what counts is the ratio.</p>
{% for image, words in images %}<p><img src="{{ image }}" alt="{{ words }}"></p>{% endfor %}
<table><caption>Figures</caption>
<tr><th>Scenario<th>What<th>Runs<th>Median<th>p99<th>Floor<th>Its median<th>Ratio<th>Aim
{% for one in measurements %}<tr><td>{{ one.scenario }}<td>{{ one.name }}<td class="number">{{ one.runs }}
<td class="number{% if one.budget and one.median > one.budget %} missed{% endif %}">{{ one.median|seconds }}<td class="number">{{ one.p99|seconds }}<td>{{ one.floor }}
<td class="number">{{ one.floor_median|seconds }}
<td class="number{% if one.aim and one.ratio > one.aim %} missed{% endif %}">{{ "%.2f"|format(one.ratio) }}
<td class="number">{{ one.budget|seconds if one.budget else one.aim or "" }}
{% endfor %}</table>
<h2>Machine</h2>
<dl>{% for name, value in machine.items() %}<dt>{{ name }}<dd>{{ value }}{% endfor %}</dl>
</html>
"""


def document_of(machine: Mapping[str, object], measurements: Sequence[Measurement]) -> dict[str, object]:
    """
    Return figures with what they were measured on, good as JSON.
    """
    return {"machine": dict(machine), "measurements": [one.as_json() for one in measurements]}


def write_report(folder: Path, machine: Mapping[str, object], measurements: Sequence[Measurement]) -> None:
    """
    Write a report into a folder, which is made if need be.

    Raises:
        UsageError: Matplotlib is not installed, or the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "results.json").write_text(json.dumps(document_of(machine, measurements), indent=2))
        images = [("ratios.png", "How many times its floor each thing takes"), *_curves(folder, measurements)]
        _draw_ratios(folder / images[0][0], measurements)
        page = Environment(autoescape=True)
        page.filters["seconds"] = _in_words
        told = page.from_string(_PAGE).render(images=images, measurements=measurements, machine=machine)
        (folder / "index.html").write_text(told)
    except ImportError as error:
        raise UsageError("plots need matplotlib: install `rooftree[bench]`", place="--report") from error
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror or error}", place=str(folder)) from error


def _draw_ratios(path: Path, measurements: Sequence[Measurement]) -> None:
    from matplotlib.figure import Figure  # noqa: PLC0415  # an extra, and slow to import

    figure = Figure(figsize=(10, 1.2 + 0.32 * len(measurements)), layout="constrained")
    axes = figure.subplots()
    names = [f"{one.scenario}: {one.name}" for one in measurements]
    axes.barh(names, [one.ratio for one in measurements], color=_OWN)
    for row, one in enumerate(measurements):
        # Behind the line of the aim, which would go through it.
        end = max(one.ratio, one.aim or one.ratio)
        axes.annotate(f"{one.ratio:.1f}", (end, row), xytext=(4, -4), textcoords="offset points")
        if one.aim is not None:
            axes.plot([one.aim] * 2, [row - 0.4, row + 0.4], color=_AIM, linewidth=2)
    axes.set(xscale="log", xlabel="times the floor (a red line is the aim)")
    axes.axvline(1, color=_FLOOR)
    axes.set_xlim(right=2 * axes.get_xlim()[1])  # room for the words of the longest
    axes.invert_yaxis()
    figure.savefig(path, dpi=120)


def _curves(folder: Path, measurements: Sequence[Measurement]) -> list[tuple[str, str]]:
    """
    Draw the cost against the size, for each scenario with several sizes.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415  # an extra, and slow to import

    by_scenario: defaultdict[str, list[Measurement]] = defaultdict(list)
    for one in measurements:
        if one.scenario in _CURVES:
            by_scenario[one.scenario].append(one)
    drawn = []
    for scenario, some in by_scenario.items():
        if len(some) < 2:
            continue
        ordered = sorted(some, key=lambda one: one.size)
        sizes = [one.size for one in ordered]
        figure = Figure(figsize=(8, 4.5), layout="constrained")
        axes = figure.subplots()
        axes.plot(sizes, [one.median for one in ordered], "o-", color=_OWN, label="median")
        axes.plot(sizes, [one.floor_median for one in ordered], "s--", color=_FLOOR, label="its floor")
        axes.set(xscale="log", yscale="log", xlabel="accounts", ylabel="seconds", title=scenario)
        axes.grid(visible=True, which="both", alpha=0.2)
        axes.legend()
        figure.savefig(folder / f"{scenario}.png", dpi=120)
        drawn.append((f"{scenario}.png", f"{scenario}: seconds by number of accounts, beside the floor"))
    return drawn


def _in_words(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"{seconds * 1000:.3g} ms" if seconds < 1 else f"{seconds:.2f} s"
