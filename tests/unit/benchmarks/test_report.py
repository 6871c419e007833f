from __future__ import annotations

import json
from pathlib import Path

from rooftree.benchmarks.measure import percentile, summed_up
from rooftree.benchmarks.report import write_report

SOME = [
    summed_up("fan-out", "few", "bare", [2.0, 4.0, 3.0], [1.0, 1.0, 1.0], size=10, aim=2.0),
    summed_up("fan-out", "many", "bare", [2.0, 4.0, 3.0], [1.0, 1.0, 1.0], size=100, aim=2.0),
]


def test_a_percentile_is_a_value_that_was_measured() -> None:
    """
    The smallest that so many do not exceed.
    """
    values = [float(number) for number in range(100, 0, -1)]

    assert (50.0, 99.0, 100.0) == (percentile(values, 0.5), percentile(values, 0.99), percentile(values, 1))
    assert 7.0 == percentile([7.0], 0.01)


def test_a_report_has_figures_plots_and_a_page(tmp_path: Path) -> None:
    """
    The page shows each plot, and marks what misses its aim.
    """
    write_report(tmp_path, {"processors": 2}, SOME)

    page = (tmp_path / "index.html").read_text()
    assert {"results.json", "index.html", "ratios.png", "fan-out.png"} == {path.name for path in tmp_path.iterdir()}
    assert all(f'src="{name}"' in page for name in ("ratios.png", "fan-out.png"))
    assert 2 == page.count('missed">3.00')
    assert [3.0, 3.0] == [one["ratio"] for one in json.loads((tmp_path / "results.json").read_text())["measurements"]]
