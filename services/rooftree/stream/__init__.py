"""
Kafka: the change log as it is read, the topics that are written.
"""

from __future__ import annotations

from rooftree.stream.consumer import KafkaChangeLog
from rooftree.stream.extent import topic_beginnings
from rooftree.stream.producer import KafkaPublisher
from rooftree.stream.topics import ensure_topics

__all__ = ["KafkaChangeLog", "KafkaPublisher", "ensure_topics", "topic_beginnings"]
