"""Parquet files, read by DuckDB row group by row group and decoded from its Arrow stream."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from similia.collection.sources.arrow import CHUNK_BYTES, capsule_batches, declared_types, rows_of
from similia.collection.sources.arrow_array import Field
from similia.collection.sources.chunk import CHUNK_ROWS, Chunk
from similia.collection.sources.compression import PlainFile, file_identity
from similia.errors import SourceError

MEMORY_LIMIT = "512MB"
"""What DuckDB may hold."""


def duckdb_connection(*, temporary: str = "") -> Any:
    """A DuckDB that keeps to itself: bounded memory, one thread, no extensions from the network.

    Args:
        temporary: the folder where it may put what does not fit in memory; none without one.
    """
    import duckdb

    config = {
        "memory_limit": MEMORY_LIMIT,
        "threads": 1,
        "temp_directory": temporary,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "enable_external_file_cache": False,  # the system's own cache does, and gives way to other needs
    }
    connection = duckdb.connect(":memory:", config=config)
    # It would pull whole columns of a row group into memory, which may be gigabytes.
    connection.execute("SET disable_parquet_prefetching = true")
    connection.execute("SET enable_progress_bar = false")
    return connection


class Parquet:
    """A Parquet file of any size; dates, decimals, lists and structs become what the Arrow decoder says."""

    notes: Sequence[str] = ()

    def __init__(self, path: Path, name: str) -> None:
        self.path, self.name = path, name
        self.declared: Mapping[str, str] = {}
        self._file = PlainFile(path, name)

    def read(self, skip: int = 0) -> Iterator[Chunk]:
        """The rows from number ``skip`` on."""
        import duckdb

        file = self._file.path()
        with file.open("rb") as head:
            if head.read(4) != b"PAR1":
                raise SourceError("is no Parquet file: it does not begin with PAR1", source=self.name)
        try:
            with duckdb_connection() as connection:
                rows = self._batch_rows(connection, file)
                relation = connection.sql(
                    "SELECT * FROM read_parquet(?, hive_partitioning = false) OFFSET ?", params=[[_literal(file)], skip]
                )
                first = skip + 1
                json_columns = {
                    name for name, kind in zip(relation.columns, relation.types, strict=True) if kind == "JSON"
                }
                for kind, node in capsule_batches(_Stream(relation, rows)):
                    kind = _with_json(kind, json_columns)
                    self.declared = declared_types(kind)
                    yield from rows_of(kind, node, self.name, 0, first)
                    first += node.length
        except duckdb.Error as error:
            raise SourceError(f"is no readable Parquet file ({_first_line(error)})", source=self.name) from None
        except RuntimeError as error:  # what an Arrow stream raises when DuckDB stops in the middle
            raise SourceError(f"cannot be read to its end ({_first_line(error)})", source=self.name) from None

    def _batch_rows(self, connection: Any, file: Path) -> int:
        """Rows that make a batch of some megabytes on average."""
        query = """
            SELECT (SELECT sum(total_uncompressed_size) FROM parquet_metadata($1)),
                   (SELECT sum(num_rows) FROM parquet_file_metadata($1))
        """
        found = connection.execute(query, [_literal(file)]).fetchall()[0]
        size, rows = int(found[0] or 0), int(found[1] or 0)
        return max(1, min(CHUNK_ROWS, CHUNK_BYTES * rows // max(size, 1)))

    def identity(self) -> str:
        """A hash of the file's name and bytes."""
        return file_identity(self.path, self.name)

    def close(self) -> None:
        """Remove the unpacked file, if there is one."""
        self._file.close()


def _with_json(kind: Field, columns: Collection[str]) -> Field:
    """Mark the columns that hold JSON, which the Arrow stream of DuckDB gives as plain text."""
    if not columns:
        return kind
    marked = [replace(child, extension="arrow.json") if child.name in columns else child for child in kind.children]
    return replace(kind, children=marked)


class _Stream:
    """A relation's Arrow stream in small batches.

    The public stream has 131,072 rows a batch, which for long texts is no bounded memory; DuckDB 2 takes the size only
    through the method behind it.
    """

    def __init__(self, relation: Any, rows: int) -> None:
        self._relation, self._rows = relation, rows

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> Any:
        submit = getattr(self._relation, "_submit", None)
        if submit is None:
            return self._relation.__arrow_c_stream__(requested_schema)
        return submit("stream", self._rows).arrow_capsule()


def _literal(path: Path) -> str:
    """The path with the characters quoted that DuckDB would take for a pattern."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in str(path.absolute()))


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
