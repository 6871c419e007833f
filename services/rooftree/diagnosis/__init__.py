"""
What is wrong with an installation, judged from what its servers say of themselves.
"""

from __future__ import annotations

from rooftree.diagnosis.finding import Finding, Level
from rooftree.diagnosis.kafka import KafkaFacts, PartitionFacts, TopicFacts, TopicRole, judge_kafka
from rooftree.diagnosis.postgres import OldestTransaction, PostgresFacts, judge_postgres
from rooftree.diagnosis.progress import ProgressFacts, judge_progress

__all__ = [
    "Finding",
    "KafkaFacts",
    "Level",
    "OldestTransaction",
    "PartitionFacts",
    "PostgresFacts",
    "ProgressFacts",
    "TopicFacts",
    "TopicRole",
    "judge_kafka",
    "judge_postgres",
    "judge_progress",
]
