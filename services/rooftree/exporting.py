"""
Where spans go: to a collector, if the settings say so.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import rooftree
from rooftree.errors import UsageError
from rooftree.settings import Settings, Traces
from rooftree.tracing import traced

__all__ = ["exporting"]


@contextmanager
def exporting(settings: Settings, role: str) -> Iterator[None]:
    """
    Send the spans of this process to a collector for the time of the context, if the settings say so.

    Which collector, and what share of the traces, the variables of OpenTelemetry itself tell: ``OTEL_EXPORTER_OTLP_*``,
    ``OTEL_TRACES_SAMPLER``, ``OTEL_RESOURCE_ATTRIBUTES``.

    Raises:
        UsageError: What sends them is not installed.
    """
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
    described = {"service.namespace": "rooftree", "service.name": role, "service.version": rooftree.__version__}
    provider = TracerProvider(resource=Resource.create(described))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    try:
        with traced(provider):
            yield
    finally:
        provider.shutdown()
