"""What the tests of the store share."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for the modules beside this one that are no tests

from similia.collection.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty collection."""
    made = Store.create(tmp_path / "papers")
    yield made
    made.close()


@pytest.fixture
def add(store: Store) -> Callable[..., Any]:
    """Adds items {key: record} to ``store`` in one change of one transaction; unknown fields become text."""

    def adding(items: dict[str, dict[str, Any]], types: dict[str, str] | None = None, **options: Any) -> Any:
        vectors = options.pop("vectors", {})
        with store.change("add", {}) as change, change.transaction():
            known = store.fields()
            found = {name: "text" for record in items.values() for name in record if name not in known}
            change.set_fields(found | (types or {}))
            return change.put(list(items), list(items.values()), vectors=vectors, **options)

    return adding
