"""
Where settings become pools, clients and workers: nothing else makes them.

`roles` is where to begin: each role of a deployment is one function there, and `all_in_one` is all of them in one
process. `workers` and `web` make what those run, `commands` what a command needs for a moment.
"""

from __future__ import annotations
