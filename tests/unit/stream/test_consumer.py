"""
What the client of Kafka is asked, and when it had better not be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aiokafka import TopicPartition

from rooftree.stream.consumer import _ends

FIRST, SECOND = TopicPartition("changes", 0), TopicPartition("changes", 1)


class Client:
    """
    A client whose partitions are taken away while the broker answers.
    """

    def __init__(self, ends: Mapping[TopicPartition, int], *, left: Mapping[TopicPartition, int | None]) -> None:
        self._ends = ends
        self._left = left

    async def end_offsets(self, places: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """
        Answer as the broker does.
        """
        return {place: self._ends[place] for place in places}

    def assignment(self) -> set[TopicPartition]:
        """
        Return what is left.
        """
        return set(self._left)

    def highwater(self, place: TopicPartition) -> int | None:
        """
        Answer as aiokafka does: what was not assigned must not be asked for.
        """
        assert place in self._left, "Partition is not assigned"
        return self._left[place]


async def test_a_partition_that_a_rebalance_takes_away_is_no_defect() -> None:
    """
    What the broker says of its end is all that can be said.
    """
    client = Client({FIRST: 3, SECOND: 7}, left={FIRST: None})

    assert {FIRST: 3, SECOND: 7} == await _ends(client, [FIRST, SECOND])


async def test_what_came_with_the_records_goes_before_a_smaller_answer() -> None:
    """
    The embedded broker counts its last batch as one record.
    """
    client = Client({FIRST: 3}, left={FIRST: 9})

    assert {FIRST: 9} == await _ends(client, [FIRST])
