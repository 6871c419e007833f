"""
Which log a topic is, as brokers of different ages tell it.
"""

from __future__ import annotations

from io import BytesIO

import pytest
from aiokafka.errors import LeaderNotAvailableError
from aiokafka.protocol.metadata import MetadataResponse_v1, MetadataResponse_v5

from rooftree.stream.identity import TopicIdentity, _numbers, _older, _TopicMetadataRequest, _TopicMetadataResponse

BROKERS = [(1, "kafka", 9092, None)]


def partition(number: int) -> tuple[object, ...]:
    """
    Return a partition as version 5 tells it.
    """
    return (0, number, 1, [1], [1], [])


def test_both_ids_name_a_log() -> None:
    """
    A topic that was made anew, or one of the same name in another cluster, is another log.
    """
    assert "cluster/topic" == TopicIdentity("cluster", "topic", (0,)).log_id
    assert "cluster" == TopicIdentity("cluster", "", (0,)).log_id


def test_an_older_broker_tells_no_id_of_the_topic() -> None:
    """
    The log is known by its cluster then.
    """
    answer = MetadataResponse_v5(0, BROKERS, "cluster", 1, [(0, "changes", False, [partition(1), partition(0)])])

    assert TopicIdentity("cluster", "", (0, 1)) == _older(answer)


def test_a_very_old_broker_tells_no_id_at_all() -> None:
    """
    It has one name, like every other of its age.
    """
    answer = MetadataResponse_v1(BROKERS, 1, [(0, "changes", False, [(0, 0, 1, [1], [1])])])

    assert TopicIdentity("unnamed", "", (0,)) == _older(answer)


def test_a_topic_that_is_not_there_has_no_partitions() -> None:
    """
    It is no error to ask for one.
    """
    assert () == _numbers(3, [])


def test_another_error_is_an_error() -> None:
    """
    To take it for a topic without partitions would be a guess.
    """
    with pytest.raises(LeaderNotAvailableError):
        _numbers(5, [])


def test_the_newer_request_is_that_of_the_protocol() -> None:
    """
    Byte by byte: one topic, with no id, of this name; none is to be made; then three ends of lists.
    """
    request = _TopicMetadataRequest("changes").prepare({3: (0, 13)})

    assert b"\x02" + bytes(16) + b"\x08changes\x00" + b"\x00\x00\x00" == request.encode()


def test_the_newer_answer_is_read() -> None:
    """
    A broker, the cluster, and a topic with its id and one partition.
    """
    told = b"".join(
        (
            b"\x00\x00\x00\x00",  # not throttled
            b"\x02\x00\x00\x00\x01\x06kafka\x00\x00\x23\x84\x00\x00",  # one broker, without a rack
            b"\x08cluster\x00\x00\x00\x01",  # the cluster and its controller
            b"\x02\x00\x00\x08changes" + bytes(range(16)) + b"\x00",  # one topic
            b"\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00",  # one partition
            b"\x02\x00\x00\x00\x01\x02\x00\x00\x00\x01\x01\x00",  # its replicas
            b"\x80\x00\x00\x00\x00\x00",  # no list of what is allowed
        )
    )
    answer = _TopicMetadataResponse.decode(BytesIO(told))
    [(code, name, topic_id, internal, partitions, *_)] = answer.topics

    assert ("cluster", 0, "changes", bytes(range(16)).hex(), False) == (
        answer.cluster_id,
        code,
        name,
        topic_id,
        internal,
    )
    assert (0,) == _numbers(code, partitions)
