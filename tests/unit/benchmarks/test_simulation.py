from __future__ import annotations

from rooftree.benchmarks.simulation import (
    SIMULATION_STEPS,
    benchmark_policies,
    benchmark_requests,
    simulation_measurements,
)


def test_the_policies_are_of_the_size_that_is_said() -> None:
    """
    Ten identity statements, four levels of two service control policies.
    """
    identity, levels = benchmark_policies()

    assert 10 == sum(len(list(policy["Statement"])) for policy in identity if isinstance(policy["Statement"], list))
    assert [2, 2, 2, 2] == [len(level) for level in levels]


def test_no_request_is_asked_twice() -> None:
    """
    What is kept of one cannot answer another.
    """
    requests = benchmark_requests(500)

    assert 500 == len({str(request) for request in requests}) == len(requests)


def test_every_step_is_measured_beside_its_floor() -> None:
    """
    With how many decisions that makes in a second.
    """
    measurements = list(simulation_measurements(runs=5))

    assert SIMULATION_STEPS == len(measurements)
    assert all(one.floor_median > 0 and one.per_second == one.count / one.median for one in measurements)
