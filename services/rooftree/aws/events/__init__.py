"""
AWS's own events as changes: pure, from the bytes of a record to what it states and what it leaves open.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_cloudtrail-integration.html
"""

from __future__ import annotations

from rooftree.aws.events.decoding import AwsRecords, decode_record
from rooftree.aws.events.placing import place
from rooftree.aws.events.record import AwsRecord
from rooftree.aws.events.translation import is_relevant, translate

__all__ = ["AwsRecord", "AwsRecords", "decode_record", "is_relevant", "place", "translate"]
