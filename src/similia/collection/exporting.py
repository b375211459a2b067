"""Export: the items of a collection, or those that pass a filter, to a file; with their vectors if wanted."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from similia.collection.definition import Definition
from similia.collection.workspace import State, Workspace
from similia.progress import bar
from similia.types import Float32

BATCH = 1_000


def export(
    space: Workspace,
    path: str | os.PathLike[str],
    *,
    format: str | None,
    where: str | None,
    vectors: bool,
    progress: bool | None,
) -> int:
    """See `similia.collection.Collection.export`."""
    from similia.collection.sources import write_table

    with space.reading() as state:
        predicate = state.predicate(where)
        columns = vector_columns(state) if vectors else {}
        fields = {"_key": "text", **state.fields}
        total = state.store.count(predicate)
        with bar("exporting", total, show=progress) as shown:

            def batches() -> Iterator[tuple[list[str], list[dict[str, Any]], dict[str, Float32]]]:
                for ids, keys, records in state.store.iterate(where=predicate, batch=BATCH):
                    made = {column: state.store.vectors_of(sense, ids) for column, sense in columns.items()}
                    yield keys, records, made
                    shown.advance(len(keys))

            return write_table(Path(path), format, fields, batches())


def vector_columns(state: State) -> dict[str, str]:
    """The column for the vectors of each sense: the field that they came from, else ``<sense>_vector``."""
    columns: dict[str, str] = {}
    for name, row in state.senses.items():
        column = Definition.read(row.definition).vectors or f"{name}_vector"
        while column in state.fields or column in columns:
            column += "_"
        columns[column] = name
    return columns
