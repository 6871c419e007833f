"""
What the HTTP API answers with: one model for each kind of document, of which the description of the API is made.
"""

from __future__ import annotations
