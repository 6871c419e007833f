"""
The icons, as inline SVG: drawn on a grid of 16, one stroke, in the colour of the text around.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from markupsafe import Markup

__all__ = ["ICONS", "icon"]

ICONS: Final = MappingProxyType(
    {
        "logo": '<path d="M2 7.5 8 2.5l6 5"/><path d="M8 6v7.5M8 9.5 4.5 12M8 9.5l3.5 2.5"/>',
        "organization": '<path d="M8 2.5v3M8 5.5H3.5v3M8 5.5h4.5v3"/><path d="M2 8.5h3v3H2zM11 8.5h3v3h-3z"/>',
        "audit": '<path d="M2.5 4h11M2.5 8h11M2.5 12h7"/>',
        "policy": '<path d="M4 1.75h5.5L12.5 5v9.25H4z"/><path d="M6.25 8h4M6.25 10.75h4"/>',
        "suppose": '<path d="M8 2.5v3.75M8 6.25 3.75 10v3.5M8 6.25 12.25 10v3.5"/>',
        "check": '<path d="m3 8.5 3.25 3.25L13 5"/>',
        "operations": '<path d="M2 8.5h2.75L6.5 4l3 8 1.75-3.5H14"/>',
        "search": '<circle cx="7" cy="7" r="4.25"/><path d="m10.25 10.25 3.25 3.25"/>',
        "filter": '<path d="M2.5 4h11M4.5 8h7M6.5 12h3"/>',
        "account": '<rect x="2.5" y="3.5" width="11" height="9" rx="1.5"/><path d="M2.5 6.5h11"/>',
        "unit": '<path d="M2 4.5h4l1.25 1.5H14v6.5H2z"/>',
        "root": '<path d="M2.5 13.5v-7L8 2.75l5.5 3.75v7z"/><path d="M6.5 13.5v-4h3v4"/>',
        "turn": '<path d="m6 4 4 4-4 4"/>',
        "allowed": '<circle cx="8" cy="8" r="5.75"/><path d="m5.5 8.25 1.75 1.75 3.25-3.75"/>',
        "conditional": '<circle cx="8" cy="8" r="5.75"/><path d="M8 2.25v11.5" /><path d="M8 5h3.75M8 8h5.5M8 11h3.75"/>',
        "denied": '<circle cx="8" cy="8" r="5.75"/><path d="m4 12 8-8"/>',
        "tightened": '<path d="M8 2.75v10.5M3.750 9 8 13.250 12.250 9"/>',
        "loosened": '<path d="M8 13.25V2.75M3.750 7 8 2.750 12.250 7"/>',
        "mixed": '<path d="M4.750 13V3M2 5.750 4.750 3 7.500 5.750M11.250 3v10M8.500 10.250 11.250 13 14 10.250"/>',
        "warning": '<path d="M8 2.5 14 13H2z"/><path d="M8 6.5v3M8 11.25v.01"/>',
        "info": '<circle cx="8" cy="8" r="5.75"/><path d="M8 7.5V11M8 5.25v.01"/>',
        "clock": '<circle cx="8" cy="8" r="5.75"/><path d="M8 4.75V8l2.25 1.5"/>',
        "waiting": '<path d="M4.5 2.5h7M4.5 13.5h7M5.5 2.5c0 3.5 5 4 5 5.5s-5 2-5 5.5M10.5 2.5c0 3.5-5 4-5 5.5s5 2 5 5.5"/>',
        "person": '<circle cx="8" cy="5.25" r="2.5"/><path d="M3 13.5c.5-3 2.5-4 5-4s4.500 1 5 4"/>',
        "theme-light": '<circle cx="8" cy="8" r="2.75"/><path d="M8 1.75v1M8 13.25v1M1.75 8h1M13.25 8h1M3.5 3.5l.75.75M11.75 11.75l.75.75M3.5 12.5l.75-.75M11.75 4.25l.75-.75"/>',
        "theme-dark": '<path d="M13.25 9.750A5.750 5.750 0 0 1 6.250 2.750a5.750 5.750 0 1 0 7 7z"/>',
        "theme-auto": '<circle cx="8" cy="8" r="5.75"/><path d="M8 2.25a5.75 5.75 0 0 0 0 11.5z" fill="currentcolor"/>',
        "keys": '<rect x="1.75" y="4" width="12.5" height="8.25" rx="1.5"/><path d="M4.500 7h.01M7 7h.01M9.500 7h.01M5.500 9.750h5"/>',
        "link": '<path d="M6.750 9.250 9.250 6.750M7.250 4.500l1-1a2.900 2.900 0 0 1 4.200 4.200l-1 1M8.750 11.500l-1 1a2.900 2.900 0 0 1-4.200-4.200l1-1"/>',
        "export": '<path d="M8 2.500v7.250M5 7l3 3 3-3M2.500 13.500h11"/>',
        "seal": '<path d="M8 1.750 13 4v4c0 3.250-2.250 5.250-5 6.250C5.250 13.250 3 11.250 3 8V4z"/><path d="m5.750 8 1.750 1.750L10.500 6.500"/>',
        "out": '<path d="M9.500 2.500H3v11h6.500M6.500 8H14M11.500 5.500 14 8l-2.500 2.500"/>',
        "letter": '<rect x="2" y="3.750" width="12" height="8.500" rx="1"/><path d="m2.500 4.500 5.500 4.250 5.500-4.250"/>',
    }
)


def icon(name: str) -> Markup:
    """
    Return an icon; it says nothing by itself, so words stand beside it.

    Raises:
        KeyError: There is none of this name.
    """
    # what is put together here is in this file
    return Markup(f'<svg class="icon" viewBox="0 0 16 16" aria-hidden="true">{ICONS[name]}</svg>')  # noqa: S704
