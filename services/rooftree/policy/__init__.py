"""
The IAM policy language: documents, patterns, conditions and the decision of one request.
"""

from __future__ import annotations
