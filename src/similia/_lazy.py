"""Names that a room hands out without importing what stands behind them."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any


def attach(package: str, exports: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Return ``__getattr__``, ``__dir__`` and ``__all__`` for a package whose names load on first use.

    Args:
        package: the package's ``__name__``.
        exports: public name -> module that defines it, relative to the package (``".exact"``).

    Heavy modules (OpenVINO, DuckDB, FastAPI) are then paid for by those who use them, and ``import similia`` stays
    instant. A room's ``__init__`` repeats its exports under ``TYPE_CHECKING`` so that type checkers see them.

    Examples:
        >>> get, names, public = attach("similia", {"Hits": ".types"})
        >>> get("Hits").__name__
        'Hits'
        >>> public
        ['Hits']
    """

    def load(name: str) -> Any:
        if name not in exports:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(exports[name], package), name)
        setattr(sys.modules[package], name, value)
        return value

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *exports})

    return load, names, sorted(exports)
