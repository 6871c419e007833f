"""
What every process of the service has: log lines, spans, metrics, and an end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import start_http_server

import rooftree
from rooftree.errors import UsageError
from rooftree.settings import Settings, Traces
from rooftree.telemetry.logs import configure_logging
from rooftree.telemetry.metrics import METRICS_REGISTRY
from rooftree.telemetry.spans import traced
from rooftree.workers.supervisor import stop_on_signals

__all__ = ["metrics_server", "service_process"]


@contextmanager
def service_process(settings: Settings, name: str) -> Iterator[asyncio.Event]:
    """
    Be a process of the service for the time of the context; the event is set by the first signal to stop.

    Args:
        settings: What is logged, and whether spans are sent.
        name: What spans are to call it.

    Raises:
        UsageError: What sends spans is not installed.
    """
    configure_logging(level=settings.log_level, style=settings.log_format.value)
    stop = asyncio.Event()
    with _spans_sent(settings, name), stop_on_signals(stop):
        yield stop


@contextmanager
def metrics_server(settings: Settings) -> Iterator[None]:
    """
    Serve metrics for the time of the context, on a port of their own if the settings name one.
    """
    if not settings.metrics_port:
        yield
        return
    server, thread = start_http_server(settings.metrics_port, addr=settings.http_host, registry=METRICS_REGISTRY)
    try:
        yield
    finally:
        server.shutdown()
        thread.join()


@contextmanager
def _spans_sent(settings: Settings, name: str) -> Iterator[None]:
    # Which collector, and what share of the traces, the variables of OpenTelemetry itself tell:
    # OTEL_EXPORTER_OTLP_*, OTEL_TRACES_SAMPLER, OTEL_RESOURCE_ATTRIBUTES.
    if settings.traces is Traces.OFF:
        yield
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError as error:
        raise UsageError("`rooftree[otel]` is not installed", place="ROOFTREE_TRACES") from error
    described = {"service.namespace": "rooftree", "service.name": name, "service.version": rooftree.__version__}
    provider = TracerProvider(resource=Resource.create(described))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    try:
        with traced(provider):
            yield
    finally:
        provider.shutdown()
