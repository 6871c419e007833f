"""
What statements cost, by their names, as metrics and as log lines about the slow ones.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from rooftree.store.queries import statements
from rooftree.telemetry.logs import Action, log
from rooftree.telemetry.metrics import Metrics

__all__ = ["statement_observer"]

_UNNAMED = "unnamed"
_OF_TRANSACTIONS = {"BEGIN", "COMMIT", "ROLLBACK"}


def statement_observer(*, slow: float) -> Callable[[Any], None]:
    """
    Return what a connection is to call after each statement.

    COPY is not among what it is called for; the driver says nothing of it.

    Args:
        slow: Seconds from which on a statement is told of in the log.
    """

    def observe(executed: Any) -> None:
        name = _name(executed.query)
        Metrics.statement_seconds.labels(name).observe(executed.elapsed)
        if executed.elapsed >= slow:
            Metrics.slow_statements.labels(name).inc()
            error = executed.exception
            log().warning(
                Action.SLOW_STATEMENT,
                statement=name,
                ms=round(executed.elapsed * 1000),
                failed=type(error).__name__ if error is not None else None,
            )

    return observe


def _name(text: str) -> str:
    word = text.partition(" ")[0].rstrip(";").upper()
    return word.lower() if word in _OF_TRANSACTIONS else _names().get(text, _UNNAMED)


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    return {text: name for name, text in statements().items()}
