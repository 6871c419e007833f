"""
The partitions of AWS: clouds apart from each other, each with accounts, regions and ARNs of its own.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["DEFAULT_PARTITION", "PARTITIONS", "partition_in"]

DEFAULT_PARTITION: Final = "aws"

PARTITIONS: Final[Mapping[str, tuple[str, ...]]] = {
    DEFAULT_PARTITION: ("us-east-1", "eu-west-1", "ap-southeast-2"),
    "aws-cn": ("cn-north-1", "cn-northwest-1"),
    "aws-eusc": ("eusc-de-east-1",),
    "aws-iso": ("us-iso-east-1", "us-iso-west-1"),
    "aws-iso-b": ("us-isob-east-1", "us-isob-west-1"),
    "aws-iso-e": ("eu-isoe-west-1",),
    "aws-iso-f": ("us-isof-south-1", "us-isof-east-1"),
    "aws-us-gov": ("us-gov-west-1", "us-gov-east-1"),
}
"""Each partition by the name that stands in ARNs, with some of its regions."""


def partition_in(arn: str) -> str:
    """
    Return the partition that an ARN names, whether it is known or not.
    """
    return arn.split(":", 2)[1]
