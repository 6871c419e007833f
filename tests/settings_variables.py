"""
Settings as the environment of a process.
"""

from __future__ import annotations

import os
from enum import Enum

from pydantic import SecretStr

from rooftree.settings import PREFIX, Settings

__all__ = ["as_environment"]


def as_environment(settings: Settings) -> dict[str, str]:
    """
    Return the variables of this process, and those that make these settings.
    """
    shown = {
        name: value.get_secret_value()
        if isinstance(value, SecretStr)
        else value.value
        if isinstance(value, Enum)
        else value
        for name, value in settings
        if value is not None
    }
    return {**os.environ, **{f"{PREFIX}{name.upper()}": str(value) for name, value in shown.items()}}
