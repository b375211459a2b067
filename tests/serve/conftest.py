"""A small collection with everything in it that could break a page."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from similia.collection import Collection
from similia.serve import create_app

sys.path.insert(0, str(Path(__file__).parent))  # for the module beside this one that is no test
from serve_helpers import HERE, rows


@pytest.fixture(scope="session")
def papers_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A collection that no test changes."""
    folder = tmp_path_factory.mktemp("serve") / "papers"
    with Collection.open(folder, create=True) as collection:
        collection.add(rows(), key="id", text=["title", "abstract"], encoder="hashing", schema={"area": "category"})
        collection.senses.add("heading", text=["title"], encoder="hashing:128")
    return folder


@pytest.fixture(scope="session")
def client(papers_folder: Path) -> Iterator[TestClient]:
    """A client of a server that shows it."""
    with TestClient(create_app(papers_folder), base_url=HERE, raise_server_exceptions=False) as one:
        yield one


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Collection]:
    """A collection to change: 30 items."""
    with Collection.open(tmp_path / "fresh", create=True) as collection:
        collection.add(rows(30)[8:], key="id", text=["title", "abstract"], encoder="hashing")
        yield collection
