"""
The Kafka adapters as far as they need no broker.
"""

from __future__ import annotations
