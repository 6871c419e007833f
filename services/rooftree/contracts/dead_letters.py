"""
What the headers of dead letters say; key and value are those of the record that could not be processed.
"""

from __future__ import annotations

from pydantic import ConfigDict, Field

from rooftree.contracts.fields import Outbound

__all__ = ["DeadLetterHeaders"]


class DeadLetterHeaders(Outbound):
    """
    The headers that are added to those of the record itself. All are UTF-8 text.
    """

    model_config = ConfigDict(
        alias_generator=lambda name: f"rooftree-{name.replace('_', '-')}", extra="forbid", strict=True, frozen=True
    )

    topic: str = Field(description="The topic that the record was read from.")
    partition: str = Field(pattern="^[0-9]+$")
    offset: str = Field(pattern="^[0-9]+$")
    log: str = Field(description="The cluster and the topic by their ids.")
    reason: str = Field(description="Why the record could not be processed, in one line.")
    place: str = Field(description="Where in the record; empty for the whole of it.")
    disposition: str = Field(
        description="`undecodable`, `unknown_schema`, `refused`, `too_large` or `fault`; others may follow."
    )
    error_class: str
    organization: str = Field(description="The organization that misses the change; empty if nothing tells.")
    version: str = Field(description="The version of Rooftree that could not process it.")
    letter: str = Field(description="Names the letter: a record on the changes topic with this header replays it.")
    value_omitted: str | None = Field(
        default=None,
        pattern="^[0-9]+$",
        description="Bytes of a value that the broker does not take; the store has it.",
    )
    value_sha256: str | None = Field(default=None, pattern="^[0-9a-f]{64}$", description="Of the omitted value.")
