"""
Log lines, and the words in them.
"""

from __future__ import annotations

import logging
import sys
from enum import StrEnum

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

from rooftree.telemetry.spans import current_ids

__all__ = ["Action", "configure_logging", "log"]

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


class Action(StrEnum):
    """
    The word under which a thing that happened is logged.

    Operators search and alert by these; they are not reworded.
    """

    MIGRATED = "database.migrated"
    MIGRATION_WAITS = "database.migration_waits"
    TOPIC_CREATED = "broker.topic_created"
    PARTITIONS_ASSIGNED = "consumer.partitions_assigned"
    PARTITION_LOST = "consumer.partition_lost"
    CONSUMER_REBUILT = "consumer.rebuilt"
    LOG_LOST = "consumer.log_lost"
    LOG_NEW = "consumer.log_new"
    READ_LENIENTLY = "consumer.read_leniently"
    STALLED = "consumer.stalled"
    BATCH_COMMITTED = "projector.batch_committed"
    BATCH_REPEATED = "projector.batch_repeated"
    RECORD_PARKED = "projector.record_parked"
    VIEW_LOADED = "projector.view_loaded"
    STATES_RESENT = "relay.states_resent"
    BATCH_SENT = "relay.batch_sent"
    LETTER_SHORTENED = "relay.letter_shortened"
    TOO_LARGE = "relay.record_too_large"
    OUTBOX_TRIMMED = "relay.outbox_trimmed"
    LISTENER_LOST = "relay.listener_lost"
    SLOW_STATEMENT = "database.slow_statement"
    SERVER_AWAY = "worker.server_away"
    WORKER_STARTED = "worker.started"
    WORKER_STOPPED = "worker.stopped"
    WORKER_FAILED = "worker.failed"
    STOP_REQUESTED = "worker.stop_requested"
    DRAIN_TIMED_OUT = "worker.drain_timed_out"
    EMBEDDED_STARTED = "embedded.started"
    EMBEDDED_STOPPED = "embedded.stopped"
    EMBEDDED_DIED = "embedded.died"
    FOLDER_OPENED = "embedded.folder_opened"
    RECONCILED = "reconciler.reconciled"
    CHANGE_LOST = "reconciler.change_lost"
    RECONCILIATION_FAILED = "reconciler.failed"
    REREAD = "reconciler.reread"
    REREAD_REFUSED = "reconciler.reread_refused"
    API_STARTED = "api.started"
    REQUEST_FAILED = "api.request_failed"
    ACCESS_NOT_LOGGED = "api.access_not_logged"
    WEBHOOK_NOT_ACCEPTED = "webhooks.not_accepted"


def log() -> structlog.stdlib.BoundLogger:
    """
    Return the logger; what is bound by ``structlog.contextvars`` goes into every line.
    """
    logger: structlog.stdlib.BoundLogger = structlog.get_logger("rooftree")
    return logger


def configure_logging(*, level: str = "info", style: str = "auto") -> None:
    """
    Send log lines to standard error: JSON, or coloured text on a terminal.

    Args:
        level: ``debug``, ``info``, ``warning`` or ``error``.
        style: ``auto``, ``json`` or ``console``.
    """
    as_json = style == "json" or (style == "auto" and not sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        _name_trace,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.StackInfoRenderer(),
    ]
    ending: list[Processor] = (
        [structlog.processors.format_exc_info, _name_action, structlog.processors.JSONRenderer(default=str)]
        if as_json
        else [
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
        ]
    )
    structlog.configure(
        processors=[*shared, *ending],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    _adopt_standard_logging(_LEVELS[level], [*shared, *ending])


def _name_trace(_: WrappedLogger, __: str, event_dict: EventDict) -> EventDict:
    event_dict.update(current_ids())
    return event_dict


def _name_action(_: WrappedLogger, __: str, event_dict: EventDict) -> EventDict:
    event_dict["action"] = event_dict.pop("event")
    return event_dict


def _adopt_standard_logging(level: int, processors: list[Processor]) -> None:
    # Libraries log by the standard library; their lines get the same shape. aiokafka repeats at each
    # attempt what our own lines say once, so only its errors pass.
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=processors[:-1],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, processors[-1]],
        )
    )
    handler.addFilter(_tells_no_credentials)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(level, logging.WARNING))
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL if level > logging.DEBUG else logging.DEBUG)
    logging.getLogger("asyncio").setLevel(logging.ERROR)


def _tells_no_credentials(record: logging.LogRecord) -> bool:
    # At the level of debugging aiokafka prints each request to a broker, the one with the password of PLAIN included.
    arguments = record.args if isinstance(record.args, tuple) else ()
    return not any(type(each).__name__.startswith("SaslAuthenticate") for each in arguments)
