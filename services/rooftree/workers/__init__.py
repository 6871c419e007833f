"""
The workers of the service, one loop each, and what starts them side by side, watches over them and stops them.
"""

from __future__ import annotations
