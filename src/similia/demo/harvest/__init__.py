"""Find out what the Python packages on this machine can do: every documented function, class and method as a record.

Source files are read as syntax, never run; compiled modules on a short list are imported in a process of their own.
"""

from __future__ import annotations

from similia.demo.harvest.records import SCHEMA, Harvest, harvest

__all__ = ["SCHEMA", "Harvest", "harvest"]
