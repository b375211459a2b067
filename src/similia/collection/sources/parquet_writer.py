"""Parquet through DuckDB: batches are staged in a temporary Arrow file, and the column types chosen at the end.

Only after the last row is it known whether all numbers fit in a float, all lists hold strings, all vectors are 32-bit.
Scalars are staged as text, vectors as arrays, and DuckDB casts them while it writes.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from similia.collection.sources.compression import disk_error
from similia.collection.sources.parquet import duckdb_connection
from similia.collection.sources.values import INT64
from similia.collection.sources.writers import KEY, is_odd, text_of
from similia.errors import InputError, StorageError, StorageFull
from similia.types import Float32

GROUP_BYTES = 32 << 20
"""Bytes of a row group, about; readers hold one at a time."""

PIECE_BYTES = 8 << 20
"""Bytes of rows that are staged as one batch, unless a single row has more."""

_CASTS = {"integer": "BIGINT", "boolean": "BOOLEAN", "date": "DATE", "datetime": "TIMESTAMP"}
_DIGITS = range(-(10**38) + 1, 10**38)


def write_parquet(path: Path, fields: Mapping[str, str], batches: Iterator[Any]) -> int:
    """Write checked batches to ``path`` and return the number of rows."""
    import duckdb

    with tempfile.TemporaryDirectory(prefix="similia-export-") as folder:
        try:
            with _Stage(Path(folder) / "stage.arrows", fields) as stage:
                for batch in batches:
                    stage.append(batch)
            with duckdb_connection(temporary=folder) as connection:
                stage.copy_to(path, connection)
            return stage.rows
        except duckdb.Error as error:
            message = str(error).splitlines()[0]
            if "No space left" in str(error):
                raise StorageFull(f"{path.parent}: the disk is full; make room, or set TMPDIR elsewhere") from None
            raise StorageError(f"{path.parent}: DuckDB could not write the Parquet file ({message})") from None
        except OSError as error:
            raise disk_error(error, str(path.parent)) from None


class _Column:
    """One column: how it is staged, and what was seen of its values."""

    def __init__(self, name: str, kind: str) -> None:
        self.name, self.kind = name, kind
        self.kinds: set[type] = set()
        self.exact_floats = self.exact_integers = self.finite = self.single = self.in_int64 = True
        self.floats = False

    def texts(self, values: Sequence[Any]) -> list[str | None]:
        """The values as text, remembering what decides on the type."""
        if self.kind == "number":
            self._see_numbers([value for value in values if value is not None])
        elif self.kind in ("list", "json"):
            for value in values:
                self._see_nested(value)
        return [None if value is None else text_of(value, self.kind) for value in values]

    def see_vectors(self, rows: Sequence[Any]) -> None:
        """Remember whether 32 bits are enough."""
        with np.errstate(over="ignore"):
            self.single = self.single and all(bool((row.astype(np.float32) == row).all()) for row in rows)

    def _see_numbers(self, values: Sequence[int | float]) -> None:
        for value in values:
            if type(value) is float:
                self.floats = True
            else:
                self.exact_floats = self.exact_floats and abs(value) <= 2**1023 and int(float(value)) == value
                self.exact_integers = self.exact_integers and int(value) in _DIGITS

    def _see_nested(self, value: Any) -> None:
        if isinstance(value, list) and self.kind == "list":
            self.kinds.update(map(type, value))
            numbers = [inner for inner in value if type(inner) in (int, float)]
            self._see_numbers(numbers)
            self.in_int64 = self.in_int64 and all(inner in INT64 for inner in numbers if type(inner) is int)
        if value is not None and self.finite:
            # Big integers are JSON; NaN and infinities are not.
            self.finite = not is_odd(value) or not _holds_non_finite(value)

    def expression(self) -> str:
        """What makes the column of the file out of the staged one."""
        name = _quoted(self.name)
        if self.kind == "vector":
            return f"CAST({name} AS FLOAT[]) AS {name}" if self.single else name
        if self.kind in _CASTS:
            return f"CAST({name} AS {_CASTS[self.kind]}) AS {name}"
        if self.kind == "number":
            kind = "DOUBLE" if self.exact_floats else "DECIMAL(38,0)" if self._whole() else "VARCHAR"
            return f"CAST({name} AS {kind}) AS {name}"
        if self.kind == "list":
            return f"{self._list_cast().format(name)} AS {name}"
        if self.kind == "json":
            return f"CAST({name} AS JSON) AS {name}" if self.finite else name
        return name

    def _whole(self) -> bool:
        return not self.floats and self.exact_integers

    def _list_cast(self) -> str:
        kinds = self.kinds - {type(None)}
        if kinds == {bool}:
            return "CAST({} AS BOOLEAN[])"
        if kinds == {int} and self.in_int64:
            return "CAST({} AS BIGINT[])"
        if kinds == {float}:
            return "CAST({} AS DOUBLE[])"
        if kinds == {str}:
            return "CAST(CAST({} AS JSON) AS VARCHAR[])"
        return "CAST({} AS JSON)" if self.finite else "{}"


def _holds_non_finite(value: Any) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return True
    return False


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


class _Stage:
    """An Arrow stream on disk in which rows wait for the types of their columns."""

    def __init__(self, file: Path, fields: Mapping[str, str]) -> None:
        self._file, self._fields = file, fields
        self._columns: list[_Column] | None = None
        self._writer: Any = None
        self.rows = 0

    def __enter__(self) -> _Stage:
        from nanoarrow.ipc import StreamWriter

        self._writer = StreamWriter.from_path(str(self._file))
        return self

    def __exit__(self, *_: object) -> None:
        if self._columns is None:
            self._append([], [], {})
        self._writer.close()

    def append(self, batch: Any) -> None:
        """Write one batch, in pieces of bounded size, since DuckDB handles a piece at a time."""
        keys, records, vectors = batch
        if self._columns is None:
            self._begin(vectors)
        self._append(keys, records, vectors)

    def _begin(self, vectors: Mapping[str, Float32]) -> list[_Column]:
        columns = [_Column(name, kind) for name, kind in self._fields.items()]
        columns += [_Column(name, "sense") for name in vectors]
        folded = [column.name.lower() for column in columns]
        twice = next((name for place, name in enumerate(folded) if name in folded[:place]), None)
        if twice is not None:
            raise InputError(f"two columns are called {twice!r} but for capitals, which many readers do not tell apart")
        self._columns = columns
        return columns

    def _append(
        self, keys: Sequence[str], records: Sequence[Mapping[str, Any]], vectors: Mapping[str, Float32]
    ) -> None:
        import nanoarrow

        columns = self._columns if self._columns is not None else self._begin(vectors)
        made = [_array(column, keys, records, vectors) for column in columns]
        size = sum(len(array.view().buffer(place)) for _, array in made for place in range(array.n_buffers))
        if size > PIECE_BYTES and len(keys) > 1:
            for part in (slice(0, len(keys) // 2), slice(len(keys) // 2, None)):
                self._append(keys[part], records[part], {name: array[part] for name, array in vectors.items()})
            return
        # A place holder, since a table of no columns has no rows.
        kind, array = _strings([""] * len(keys))
        kinds = {column.name: kind for column, (kind, _) in zip(columns, made, strict=True)} or {"": kind}
        arrays = [array for _, array in made] or [array]
        table = nanoarrow.c_array_from_buffers(nanoarrow.struct(kinds), len(keys), [None], children=arrays)
        self._writer.write_array(table)
        self.rows += len(keys)

    def copy_to(self, path: Path, connection: Any) -> None:
        """Write the Parquet file."""
        columns = self._columns or []
        chosen = ", ".join(column.expression() for column in columns) or "*"
        target = str(path).replace("'", "''")
        # With one thread rows stay in order; without the promise DuckDB may end a row group when it is large enough.
        connection.execute("SET preserve_insertion_order = false")
        connection.from_arrow(_Staged(self._file)).create_view("stage")
        options = f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE_BYTES {GROUP_BYTES}"
        # Names are quoted and the path is escaped; COPY takes no parameters.
        connection.execute(f"COPY (SELECT {chosen} FROM stage) TO '{target}' ({options})")  # noqa: S608


class _Staged:
    """The staged rows, read from the beginning each time they are asked for."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> Any:
        from nanoarrow import c_array_stream
        from nanoarrow.ipc import InputStream

        return c_array_stream(InputStream.from_path(str(self._file))).__arrow_c_stream__()


def _array(
    column: _Column, keys: Sequence[str], records: Sequence[Mapping[str, Any]], vectors: Mapping[str, Float32]
) -> tuple[Any, Any]:
    """The values of one column as an Arrow type and array."""
    if column.kind == "sense":
        return _vectors([None if np.isnan(row).any() else row for row in vectors[column.name]], np.float32)
    values = list(keys) if column.name == KEY else [record.get(column.name) for record in records]
    if column.kind != "vector":
        return _strings(column.texts(values))
    rows = [None if value is None else np.asarray(value, np.float64) for value in values]
    column.see_vectors([row for row in rows if row is not None])
    return _vectors(rows, np.float64)


def _strings(values: Sequence[str | None]) -> tuple[Any, Any]:
    import nanoarrow

    encoded = [b"" if value is None else value.encode() for value in values]
    offsets = np.zeros(len(values) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, encoded), np.int64, len(encoded)), out=offsets[1:])
    kind = nanoarrow.large_string()
    return kind, nanoarrow.c_array_from_buffers(kind, len(values), [_validity(values), offsets, b"".join(encoded)])


def _vectors(rows: Sequence[Any], dtype: Any) -> tuple[Any, Any]:
    import nanoarrow

    offsets = np.zeros(len(rows) + 1, np.int64)
    np.cumsum([0 if row is None else len(row) for row in rows], out=offsets[1:])
    present = [row for row in rows if row is not None]
    numbers = np.concatenate(present).astype(dtype) if present else np.empty(0, dtype)
    inner = nanoarrow.float32() if dtype is np.float32 else nanoarrow.float64()
    kind = nanoarrow.large_list(inner)
    child = nanoarrow.c_array_from_buffers(inner, len(numbers), [None, numbers])
    return kind, nanoarrow.c_array_from_buffers(kind, len(rows), [_validity(rows), offsets], children=[child])


def _validity(values: Sequence[Any]) -> Any:
    present = np.fromiter((value is not None for value in values), np.bool_, len(values))
    return None if present.all() else np.packbits(present, bitorder="little")
