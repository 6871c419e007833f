"""
The dashboard: one module a page, each with the values that the page shows, made by functions that only compute.
"""

from __future__ import annotations

from rooftree.api.pages.routes import PAGE_QUESTIONS, as_pages, page_routes
from rooftree.api.pages.site import Site

__all__ = ["PAGE_QUESTIONS", "Site", "as_pages", "page_routes"]
