from __future__ import annotations

from dataclasses import replace

import pytest

from rooftree.diagnosis import (
    Finding,
    KafkaFacts,
    Level,
    OldestTransaction,
    PartitionFacts,
    PostgresFacts,
    ProgressFacts,
    TopicFacts,
    TopicRole,
    judge_kafka,
    judge_postgres,
    judge_progress,
)

MESSAGE = 8 * 1024 * 1024
KEPT = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1", "min.insync.replicas": "2"}
SAFE = PartitionFacts(3, 3, has_leader=True)
CHANGES = TopicFacts("changes", TopicRole.CHANGES, [SAFE], KEPT, frozenset({"READ", "WRITE", "DESCRIBE"}))
AUDIT = replace(CHANGES, name="audit", role=TopicRole.AUDIT)
STATES = replace(CHANGES, name="states", role=TopicRole.PERMISSIONS, settings={**KEPT, "cleanup.policy": "compact"})

POSTGRES = PostgresFacts(
    version=180_001,
    in_recovery=False,
    settings={"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"},
    missing_steps=(),
    edited_steps=(),
    roles=(),
    sees_all=True,
    sees_sessions=True,
    unreadable=(),
    unwritable=(),
    hidden=(),
    clock_skew=0.01,
    connections=20,
    max_connections=100,
    oldest=None,
)
PROGRESS = ProgressFacts(
    ends={0: (0, 100), 1: (0, 50)},
    read={0: 100, 1: 50},
    losses={},
    letters={},
    incomplete={},
    unsent=(0, 0.0),
    roles={"rooftree-projector": 2, "rooftree-relay": 1},
)
PROJECTOR = replace(POSTGRES, sees_all=False, sees_sessions=False, roles=["rooftree_projector"], hidden=["session"])
OLD = OldestTransaction(4711, "psql", "alice", "idle in transaction", 3600, None)


def _of_topic(topic: TopicFacts, *, brokers: int = 3) -> list[Finding]:
    facts = KafkaFacts(brokers=brokers, topics=[topic], missing={}, tells_topic_ids=True)
    return list(judge_kafka(facts, create_topics=True, message_bytes=MESSAGE))[1:]


@pytest.mark.parametrize("topic", [CHANGES, AUDIT, STATES], ids=lambda topic: topic.name)
def test_topics_as_they_should_be(topic: TopicFacts) -> None:
    """
    One line says so.
    """
    [finding] = _of_topic(topic)

    assert (Level.OK, f"kafka.topic.{topic.role}") == (finding.level, finding.check)


@pytest.mark.parametrize(
    ("topic", "check", "level"),
    [
        (replace(CHANGES, settings={**KEPT, "cleanup.policy": "compact"}), "changes.cleanup", Level.PROBLEM),
        (replace(AUDIT, settings={**KEPT, "cleanup.policy": "compact,delete"}), "audit.cleanup", Level.PROBLEM),
        (replace(STATES, settings={**KEPT, "cleanup.policy": "compact,delete"}), "permissions.cleanup", Level.PROBLEM),
        (replace(CHANGES, settings={**KEPT, "retention.ms": "604800000"}), "changes.retention", Level.WARNING),
        (replace(AUDIT, settings={**KEPT, "retention.bytes": "1"}), "audit.retention", Level.WARNING),
        (replace(AUDIT, settings={**KEPT, "max.message.bytes": "1000"}), "audit.message_bytes", Level.WARNING),
        (replace(AUDIT, settings={**KEPT, "min.insync.replicas": "1"}), "audit.min_insync", Level.WARNING),
        (
            replace(AUDIT, partitions=[PartitionFacts(1, 1, has_leader=True)], settings={}),
            "audit.replicas",
            Level.WARNING,
        ),
        (replace(AUDIT, partitions=[SAFE, PartitionFacts(3, 2, has_leader=True)]), "audit.replicas", Level.WARNING),
        (replace(AUDIT, partitions=[PartitionFacts(3, 1, has_leader=True)]), "audit.replicas", Level.PROBLEM),
        (replace(AUDIT, partitions=[PartitionFacts(3, 2, has_leader=False)]), "audit.replicas", Level.PROBLEM),
        (replace(AUDIT, operations=frozenset({"READ", "DESCRIBE"})), "audit.rights", Level.PROBLEM),
        (replace(CHANGES, operations=frozenset({"DESCRIBE"})), "changes.rights", Level.PROBLEM),
        (
            replace(CHANGES, settings={**KEPT, "unclean.leader.election.enable": "true"}),
            "changes.unclean",
            Level.WARNING,
        ),
    ],
)
def test_topics_that_are_not(topic: TopicFacts, check: str, level: Level) -> None:
    """
    One finding names the topic, and what to do.
    """
    [finding] = _of_topic(topic)

    assert (f"kafka.topic.{check}", level) == (finding.check, finding.level)
    assert topic.name in finding.found
    assert finding.advice


def test_one_broker_cannot_keep_three_replicas() -> None:
    """
    So it is not asked for.
    """
    alone = replace(AUDIT, partitions=[PartitionFacts(1, 1, has_leader=True)], settings={})

    assert [Level.OK] == [finding.level for finding in _of_topic(alone, brokers=1)]


@pytest.mark.parametrize(
    ("facts", "check"),
    [
        (replace(POSTGRES, version=130_012), "postgres.server"),
        (replace(POSTGRES, in_recovery=True), "postgres.server"),
        (replace(POSTGRES, settings={**POSTGRES.settings, "synchronous_commit": "off"}), "postgres.durability"),
        (replace(POSTGRES, missing_steps=["0009_x.sql"]), "postgres.schema"),
        (replace(POSTGRES, edited_steps=["0001_state.sql"]), "postgres.schema"),
        (replace(POSTGRES, sees_all=False), "postgres.rights"),
        (replace(POSTGRES, sees_all=False, unreadable=["account"]), "postgres.rights"),
        (replace(PROJECTOR, unreadable=["account"]), "postgres.rights"),
        (replace(PROJECTOR, unwritable=["account"]), "postgres.rights"),
        (replace(POSTGRES, clock_skew=-30), "clock.postgres"),
        (replace(POSTGRES, oldest=OLD), "postgres.transactions"),
    ],
)
def test_databases_with_a_problem(facts: PostgresFacts, check: str) -> None:
    """
    One of them, with what to do; a database without any is well throughout.
    """
    [problem] = [finding for finding in judge_postgres(facts) if finding.level is not Level.OK]

    assert (check, Level.PROBLEM) == (problem.check, problem.level)
    assert problem.advice
    assert all(finding.level is Level.OK for finding in judge_postgres(POSTGRES))


def test_a_user_that_may_what_its_worker_may_is_well() -> None:
    """
    What it rightly lacks is no fault, and what it cannot see is not said to be well.
    """
    found = {finding.check: finding for finding in judge_postgres(PROJECTOR)}

    assert {Level.OK} == {finding.level for finding in found.values()}
    assert found["postgres.rights"].found.startswith("this user may what rooftree_projector may; 1 tables and views")
    assert "of those that this user may see" in found["postgres.transactions"].found


def test_what_a_user_may_not_read_is_not_judged() -> None:
    """
    Neither as well nor as wrong.
    """
    blind = replace(PROGRESS, read=None, losses=None, letters=None, incomplete=None, unsent=None)

    assert {"workers.projector", "workers.relay"} == {finding.check for finding in judge_progress(blind)}


def test_the_oldest_transaction_says_who_and_how_to_end_it() -> None:
    """
    And whom it waits for.
    """
    finding = {found.check: found for found in judge_postgres(replace(POSTGRES, oldest=replace(OLD, waits_for=12)))}[
        "postgres.transactions"
    ]

    assert "process 4711 (`psql`, user alice, idle in transaction, which waits for process 12)" in finding.found
    assert "pg_terminate_backend(4711)" in finding.advice


@pytest.mark.parametrize(
    ("facts", "check", "level"),
    [
        (replace(PROGRESS, read={0: 100, 1: 60}), "changes.log", Level.PROBLEM),
        (replace(PROGRESS, ends={0: (100, 100), 1: (51, 90)}), "changes.log", Level.PROBLEM),
        (replace(PROGRESS, ends={0: (0, 5_000)}), "changes.lag", Level.WARNING),
        (replace(PROGRESS, losses={1: "records 3 to 9 are gone"}), "changes.loss", Level.PROBLEM),
        (replace(PROGRESS, unsent=(3, 120.0)), "outbox", Level.PROBLEM),
        (replace(PROGRESS, letters={"": 2, "o-exampleorg": 1}), "dead_letters", Level.PROBLEM),
        (replace(PROGRESS, incomplete={"o-exampleorg": "parent_id: …"}), "completeness", Level.PROBLEM),
        (replace(PROGRESS, roles={"rooftree-relay": 1}), "workers.projector", Level.PROBLEM),
        (replace(PROGRESS, roles={"rooftree-projector": 1}), "workers.relay", Level.PROBLEM),
    ],
)
def test_work_with_a_problem(facts: ProgressFacts, check: str, level: Level) -> None:
    """
    One of them, with what to do; `rooftree up` is both workers in one.
    """
    [finding] = [found for found in judge_progress(facts) if found.level is not Level.OK]

    assert (check, level) == (finding.check, finding.level)
    assert finding.advice
    assert all(found.level is Level.OK for found in judge_progress(PROGRESS))
    assert all(found.level is Level.OK for found in judge_progress(replace(PROGRESS, roles={"rooftree": 9})))


def test_a_partition_that_was_never_read_lags_from_its_beginning() -> None:
    """
    And what the broker removed before that is no loss.
    """
    facts = replace(PROGRESS, ends={0: (2_000, 3_500)}, read={})
    found = {finding.check: finding for finding in judge_progress(facts)}

    assert Level.OK is found["changes.log"].level
    assert "1500 changes wait, most of them in partition 0" == found["changes.lag"].found


def test_without_kafka_nothing_is_said_of_the_log() -> None:
    """
    Rather than that all is well.
    """
    checks = {finding.check for finding in judge_progress(replace(PROGRESS, ends=None))}

    assert not {"changes.log", "changes.lag"} & checks
