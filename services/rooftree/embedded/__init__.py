"""
A PostgreSQL and a Kafka-compatible broker for one machine, from wheels, as children of this process.
"""

from __future__ import annotations

from rooftree.embedded.broker import EmbeddedBroker, embedded_broker
from rooftree.embedded.postgres import EmbeddedPostgres, embedded_postgres

__all__ = ["EmbeddedBroker", "EmbeddedPostgres", "embedded_broker", "embedded_postgres"]
