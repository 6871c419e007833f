"""
How fast the parts are, each held against what the same machine needs at the least in the same run.
"""

from __future__ import annotations

from rooftree.benchmarks.algebra import ALGEBRA_STEPS, algebra_measurements
from rooftree.benchmarks.guard import Accepted, read_accepted
from rooftree.benchmarks.machine import describe_machine
from rooftree.benchmarks.measure import Measurement
from rooftree.benchmarks.policies import demo_policies, large_policies, policies_in
from rooftree.benchmarks.report import document_of, write_report
from rooftree.benchmarks.scenarios import Scenario, Size, Wanted, measurements
from rooftree.benchmarks.simulation import SIMULATION_STEPS, simulation_measurements

__all__ = [
    "ALGEBRA_STEPS",
    "SIMULATION_STEPS",
    "Accepted",
    "Measurement",
    "Scenario",
    "Size",
    "Wanted",
    "algebra_measurements",
    "demo_policies",
    "describe_machine",
    "document_of",
    "large_policies",
    "measurements",
    "policies_in",
    "read_accepted",
    "simulation_measurements",
    "write_report",
]
