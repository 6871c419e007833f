"""
Metrics, and the registry that holds them.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

__all__ = ["METRICS_REGISTRY", "Metrics"]

METRICS_REGISTRY = CollectorRegistry()
"""
Where the metrics below live; ``/metrics`` prints it.
"""

_SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """
    Every metric, by its Prometheus name.
    """

    records = Counter(
        "rooftree_records_total",
        "Records taken from the changes topic, by outcome",
        ["outcome"],
        registry=METRICS_REGISTRY,
    )
    audit_events = Counter(
        "rooftree_audit_events_total", "Audit events committed, by verdict", ["verdict"], registry=METRICS_REGISTRY
    )
    batch_seconds = Histogram(
        "rooftree_batch_seconds", "Time of one batch, by step", ["step"], buckets=_SECONDS, registry=METRICS_REGISTRY
    )
    event_age_seconds = Histogram(
        "rooftree_event_age_seconds",
        "Time from the broker's timestamp of a change to its commit",
        buckets=_SECONDS,
        registry=METRICS_REGISTRY,
    )
    audit_age_seconds = Histogram(
        "rooftree_audit_age_seconds",
        "Time from the broker's timestamp of a change to when the broker had its audit event, for each of these",
        buckets=_SECONDS,
        registry=METRICS_REGISTRY,
    )
    lag = Gauge(
        "rooftree_lag_records", "Records not yet processed, by partition", ["partition"], registry=METRICS_REGISTRY
    )
    dead_letters = Counter(
        "rooftree_dead_letters_total", "Records that could not be processed", ["disposition"], registry=METRICS_REGISTRY
    )
    webhooks = Counter(
        "rooftree_webhooks_total",
        "Attempts at webhooks, by what came of them: accepted, again, given_up, gone",
        ["verdict"],
        registry=METRICS_REGISTRY,
    )
    sent = Counter("rooftree_sent_total", "Records sent, by kind", ["kind"], registry=METRICS_REGISTRY)
    outbox_age_seconds = Gauge(
        "rooftree_outbox_age_seconds", "Age of the oldest outbox row that is not sent", registry=METRICS_REGISTRY
    )
    pool_wait_seconds = Histogram(
        "rooftree_postgres_pool_wait_seconds",
        "Time until a connection to PostgreSQL was lent, or was not",
        buckets=_SECONDS,
        registry=METRICS_REGISTRY,
    )
    pool_in_use = Gauge(
        "rooftree_postgres_pool_connections_in_use",
        "Connections to PostgreSQL that are lent",
        registry=METRICS_REGISTRY,
    )
    pool_timeouts = Counter(
        "rooftree_postgres_pool_timeouts_total",
        "Times that no connection to PostgreSQL came free in time",
        registry=METRICS_REGISTRY,
    )
    statement_seconds = Histogram(
        "rooftree_postgres_statement_seconds",
        "Time of one statement, by its name",
        ["statement"],
        buckets=_SECONDS,
        registry=METRICS_REGISTRY,
    )
    slow_statements = Counter(
        "rooftree_postgres_slow_statements_total",
        "Statements that took as long as is told of in the log, by their name",
        ["statement"],
        registry=METRICS_REGISTRY,
    )
    probes = Gauge(
        "rooftree_probes",
        "Probes of all organizations by state: as_expected, not_as_expected, unknown",
        ["state"],
        registry=METRICS_REGISTRY,
    )
    reconciliations = Counter(
        "rooftree_reconciliations_total",
        "Comparisons of an organization with AWS, by result: done, failed",
        ["result"],
        registry=METRICS_REGISTRY,
    )
    reconciled_at = Gauge(
        "rooftree_reconciled_timestamp_seconds",
        "When the last comparison with AWS was done, in seconds since 1970",
        registry=METRICS_REGISTRY,
    )
    reconciliation_lost = Counter(
        "rooftree_reconciliation_lost_total",
        "Changes that no event had told and a comparison with AWS found, by their type",
        ["type"],
        registry=METRICS_REGISTRY,
    )
    rereads = Counter(
        "rooftree_rereads_total",
        "Requests to read something anew by the API of AWS, by outcome: answered, refused",
        ["outcome"],
        registry=METRICS_REGISTRY,
    )
    log_loss_partitions = Gauge(
        "rooftree_log_loss_partitions",
        "Partitions that no projector reads on, since the broker has lost unread records of them",
        registry=METRICS_REGISTRY,
    )
    verified_at = Gauge(
        "rooftree_verified_timestamp_seconds",
        "When the organization was verified that was verified longest ago, in seconds since 1970, by what was verified:"
        " audit, view",
        ["subject"],
        registry=METRICS_REGISTRY,
    )
    verification_failed = Gauge(
        "rooftree_verification_failed",
        "Organizations in which the last verification found something wrong, by what was verified: audit, view",
        ["subject"],
        registry=METRICS_REGISTRY,
    )
    failures = Counter(
        "rooftree_failures_total", "Failures that were survived, by action", ["action"], registry=METRICS_REGISTRY
    )
