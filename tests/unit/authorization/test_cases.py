from __future__ import annotations

import json

import pytest
from tests.cases.simulation_cases import FOLDER, SimulationCase, simulation_cases

from rooftree.authorization import Authorizer
from rooftree.contracts.simulation import answer_document, read_simulation


@pytest.mark.parametrize("case", simulation_cases(), ids=str)
def test_every_case_is_decided_as_expected(case: SimulationCase) -> None:
    """
    With all reasons and without.
    """
    simulation = read_simulation(case.line)
    authorizer = Authorizer(simulation.policies)
    answer = authorizer.explain(simulation.request)

    case.check(answer_document(answer))
    assert answer.decision is authorizer.decide(simulation.request)


def test_every_question_names_the_pages_that_answer_it() -> None:
    """
    A case without a source is an opinion.
    """
    for path in FOLDER.glob("*.json"):
        question = json.loads(path.read_text(encoding="utf-8"))

        assert question["question"].endswith("?")
        assert question["pages"]
        assert all(page.startswith("https://docs.aws.amazon.com/") for page in question["pages"])
