from __future__ import annotations

from rooftree.benchmarks.algebra import ALGEBRA_STEPS, algebra_measurements
from rooftree.benchmarks.measure import Measurement, Subject, measure
from rooftree.benchmarks.policies import demo_policies


class TestMeasure:
    def test_subject_and_floor_run_by_turns(self) -> None:
        """
        Each run of the floor is followed by one of the subject, with its preparation before it.
        """
        order: list[str] = []
        subject = Subject("own", lambda: order.append("own"), prepare=lambda: order.append("prepare"))
        floor = Subject("floor", lambda: order.append("floor"))

        measured = measure(subject, floor, runs=5)

        assert ["floor", "prepare", "own"] == order[:3]
        assert order[:3] * 8 == order
        assert 5 == measured.runs

    def test_the_ratio_is_that_of_the_medians(self) -> None:
        """
        A figure is quoted as so many times its floor.
        """
        measured = Measurement("own", "floor", runs=5, median=0.4, p95=0.5, floor_median=0.1)

        assert 4.0 == measured.ratio
        assert 4.0 == measured.as_json()["ratio"]


class TestAlgebra:
    def test_every_step_is_measured_beside_its_floor(self) -> None:
        """
        Parsing, compiling and comparing each give a time and that of reading the same texts.
        """
        measurements = list(algebra_measurements(demo_policies(), runs=5, shapes=[(2, 2), (3, 1)]))

        assert ALGEBRA_STEPS == len(measurements)
        assert all(one.median > 0 and one.floor_median > 0 for one in measurements)
