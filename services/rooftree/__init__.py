"""Rooftree: exact decision changes for AWS Organizations."""

__version__ = "0.1.0"
