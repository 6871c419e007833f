"""
Spans of what the service does, in the words of OpenTelemetry's conventions for messaging and HTTP.

Off unless a provider is given; then each of these is a look at one variable, and nothing else happens.

https://opentelemetry.io/docs/specs/semconv/messaging/kafka/
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final, TypeAlias

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode, Tracer, TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

__all__ = [
    "TRACEPARENT",
    "current_ids",
    "current_traceparent",
    "handling",
    "is_traced",
    "processing",
    "sending",
    "step",
    "telling",
    "traced",
]

TRACEPARENT: Final = "traceparent"

Headers: TypeAlias = Iterable[tuple[str, bytes]]

# A batch is as large as it is; what is looked at by a person is not.
_MOST_LINKS = 128

_PROPAGATOR = TraceContextTextMapPropagator()
_tracer: Tracer | None = None


@contextmanager
def traced(provider: TracerProvider) -> Iterator[None]:
    """
    Have spans made by *provider* while the context lasts.
    """
    global _tracer  # noqa: PLW0603 - one for the process, as its log lines are
    _tracer = provider.get_tracer("rooftree")
    try:
        yield
    finally:
        _tracer = None


def is_traced() -> bool:
    """
    Tell whether anybody looks at spans.
    """
    return _tracer is not None


def current_ids() -> Mapping[str, str]:
    """
    Return the ids of the span that is at work, for log lines; nothing where there is none.
    """
    if _tracer is None:
        return {}
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return {}
    return {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}


def current_traceparent() -> str | None:
    """
    Return the span that is at work as the header that tells others of it.
    """
    if _tracer is None:
        return None
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier)
    return carrier.get(TRACEPARENT)


@contextmanager
def processing(topic: str, partition: int, records: Callable[[], Sequence[Headers]]) -> Iterator[None]:
    """
    Be at work on records of a partition.

    One record alone is worked on as part of the trace that its header names; several are linked with theirs.

    Args:
        topic: Its name.
        partition: Its number.
        records: Gives the headers of each record; called only if somebody wants to know.
    """
    if _tracer is None:
        yield
        return
    headers = records()
    links = _links(headers)
    parent = _parent(links) if len(headers) == 1 else None
    attributes: dict[str, AttributeValue] = {
        **_messaging("process", topic),
        "messaging.destination.partition.id": str(partition),
        "messaging.batch.message_count": len(headers),
    }
    name = f"process {topic}"
    with _tracer.start_as_current_span(name, parent, SpanKind.CONSUMER, attributes, links):
        yield


@contextmanager
def step(name: str, kind: SpanKind = SpanKind.INTERNAL, **attributes: AttributeValue) -> Iterator[None]:
    """
    Be at work on a part of what is at work.

    Args:
        name: In the infinitive: ``project``, ``commit``.
        kind: Whether another process does the work.
        attributes: What else is known; a dot in a name is written as two underscores.
    """
    if _tracer is None:
        yield
        return
    told = {key.replace("__", "."): value for key, value in attributes.items()}
    with _tracer.start_as_current_span(name, kind=kind, attributes=told):
        yield


@contextmanager
def sending(records: Sequence[tuple[str, Headers]]) -> Iterator[None]:
    """
    Be at work on sending records, each given by its topic and its headers; linked with the work that made them, and
    part of its trace where all are of one and nothing else is at work.
    """
    if _tracer is None or not records:
        yield
        return
    topics = {topic for topic, _ in records}
    topic = topics.pop() if len(topics) == 1 else None
    attributes = {**_messaging("send", topic), "messaging.batch.message_count": len(records)}
    name = "send" if topic is None else f"send {topic}"
    links = _links([headers for _, headers in records])
    is_one = len(links) == 1 and all(TRACEPARENT in dict(headers) for _, headers in records)
    parent = _parent(links) if is_one and not _is_at_work() else None
    with _tracer.start_as_current_span(name, parent, SpanKind.PRODUCER, attributes, links):
        yield


@contextmanager
def telling(
    subscription: str, message_id: str, traceparent: str | None
) -> Iterator[Callable[[int | None, bool], None]]:
    """
    Be at work on telling a subscriber of one event; gives what takes the status of the answer, if there was one, and
    whether that took the event.

    It is linked with the work that made the event, and is part of its trace where it is part of no request.

    Args:
        subscription: Its id; an address may hold secrets.
        message_id: The id of the event.
        traceparent: The header that names the work that made it.
    """
    if _tracer is None:
        yield lambda _status, _accepted: None
        return
    links = _links([] if traceparent is None else [[(TRACEPARENT, traceparent.encode())]])
    parent = None if _is_at_work() else _parent(links)
    attributes: dict[str, AttributeValue] = {
        **_messaging("send", subscription, system="webhook"),
        "messaging.message.id": message_id,
    }
    with _tracer.start_as_current_span("send webhook", parent, SpanKind.PRODUCER, attributes, links) as span:
        yield lambda status, accepted: _told(span, status, accepted=accepted)


@contextmanager
def handling(method: str, path: str, traceparent: str | None) -> Iterator[Callable[[int, str | None], None]]:
    """
    Be at work on an HTTP request; gives what takes the status of the answer and the route.
    """
    if _tracer is None:
        yield lambda _status, _route: None
        return
    parent = None if traceparent is None else _PROPAGATOR.extract({TRACEPARENT: traceparent})
    attributes = {"http.request.method": method, "url.path": path}
    with _tracer.start_as_current_span(method, parent, SpanKind.SERVER, attributes) as span:
        yield lambda status, route: _answered(span, method, status, route)


def _answered(span: Span, method: str, status: int, route: str | None) -> None:
    span.set_attribute("http.response.status_code", status)
    if route is not None:
        span.update_name(f"{method} {route}")
        span.set_attribute("http.route", route)
    if status >= 500:
        span.set_status(Status(StatusCode.ERROR))


def _told(span: Span, status: int | None, *, accepted: bool) -> None:
    if status is not None:
        span.set_attribute("http.response.status_code", status)
    if not accepted:
        span.set_attribute("error.type", "_OTHER" if status is None else str(status))
        span.set_status(Status(StatusCode.ERROR))


def _messaging(operation: str, destination: str | None, *, system: str = "kafka") -> dict[str, AttributeValue]:
    attributes: dict[str, AttributeValue] = {
        "messaging.system": system,
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
    }
    return attributes if destination is None else {**attributes, "messaging.destination.name": destination}


def _is_at_work() -> bool:
    return trace.get_current_span().get_span_context().is_valid


def _parent(links: Sequence[Link]) -> Context | None:
    return trace.set_span_in_context(trace.NonRecordingSpan(links[0].context)) if links else None


def _links(records: Iterable[Headers]) -> list[Link]:
    told = {value.decode("ascii", "replace") for headers in records for name, value in headers if name == TRACEPARENT}
    contexts = (
        trace.get_current_span(_PROPAGATOR.extract({TRACEPARENT: each})).get_span_context()
        for each in sorted(told)[:_MOST_LINKS]
    )
    return [Link(context) for context in contexts if context.is_valid]
