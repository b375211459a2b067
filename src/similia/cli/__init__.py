"""Similia at the command line: ``similia COMMAND``, one file a command in `similia.cli.commands`.

Results go to standard output, messages and progress to standard error. Wrong use ends with one sentence and exit code
2, a refusal of the machine with 1, an interruption with 130; a traceback is only shown where ``SIMILIA_DEBUG=1``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from similia._lazy import attach

if TYPE_CHECKING:
    from similia.cli.app import main as main

__getattr__, __dir__, __all__ = attach(__name__, {"main": ".app"})
