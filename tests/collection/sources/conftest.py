from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from similia.collection.sources import Scan, open_source


def _plain(value: Any) -> Any:
    """NumPy arrays as lists, NaN as something equal to itself."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, float) and math.isnan(value):
        return "<NaN>"
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return value


@pytest.fixture(scope="session")
def plain() -> Callable[[Any], Any]:
    """Values in a form in which == means what it should."""
    return _plain


@pytest.fixture(scope="session")
def load() -> Callable[..., tuple[Scan, list[dict[str, Any]]]]:
    """Open, scan and read everything."""

    def read(what: Any, *, key: str | None = None, **options: Any) -> tuple[Scan, list[dict[str, Any]]]:
        with open_source(what, **options) as source:
            scan = source.scan(key=key)
            rows = [_plain(row) for batch in source.batches(7) for row in batch]
        assert len(rows) == scan.rows
        return scan, rows

    return read


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    """Write a file and return its path."""

    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write
