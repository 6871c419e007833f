"""
Log lines.
"""

from __future__ import annotations

import json
import logging

import pytest
import structlog

from rooftree.telemetry.logs import Action, configure_logging, log


@pytest.fixture(autouse=True)
def _restore_logging() -> None:
    """
    Put the handlers of the standard library back.
    """
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_line_is_json_with_its_action_and_what_is_bound(capsys: pytest.CaptureFixture[str]) -> None:
    """
    Standard error is no terminal here.
    """
    configure_logging()
    with structlog.contextvars.bound_contextvars(organization="o-exampleorg"):
        log().info(Action.BATCH_COMMITTED, records=3)

    captured = capsys.readouterr()
    line = json.loads(captured.err)

    assert "" == captured.out
    assert {
        "action": "projector.batch_committed",
        "organization": "o-exampleorg",
        "records": 3,
        "level": "info",
    }.items() <= line.items()


def test_lines_of_libraries_have_the_same_shape(capsys: pytest.CaptureFixture[str]) -> None:
    """
    A warning of the standard library is JSON, too.
    """
    configure_logging()
    logging.getLogger("some.library").warning("something %s", "odd")

    line = json.loads(capsys.readouterr().err)

    assert ("something odd", "warning") == (line["action"], line["level"])


def test_lines_below_the_level_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    """
    An operator chooses how much to read.
    """
    configure_logging(level="error")
    log().warning(Action.SERVER_AWAY)

    assert "" == capsys.readouterr().err


def test_every_action_is_a_subject_and_what_happened() -> None:
    """
    They can be searched by either.
    """
    assert all(action.value.count(".") == 1 for action in Action)
