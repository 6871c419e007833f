"""
Everything that others may rely on, written down from the code itself: schemas, topics, the API, pages of the manual.

``python -m rooftree.reference`` writes all of it into a checkout.
"""

from __future__ import annotations
