"""Items to files: JSON Lines, CSV and Parquet, from bounded batches, whole or not at all."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import orjson

from similia.collection.sources.chunk import nearest
from similia.collection.sources.compression import SUFFIXES, compressing, disk_error, plain_name
from similia.collection.sources.values import render
from similia.errors import InputError
from similia.types import Float32

Batch: TypeAlias = tuple[Sequence[str], Sequence[Mapping[str, Any]], Mapping[str, Float32]]

KEY = "_key"
"""The column that holds the keys, where ``fields`` names it."""

FORMATS = ("parquet", "jsonl", "csv", "tsv")

_SUFFIXES = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
}
_NUMPY = orjson.OPT_SERIALIZE_NUMPY
_INT64_BITS = 63


def write_table(path: str | Path, format: str | None, fields: Mapping[str, str], batches: Iterable[Batch]) -> int:
    r"""Write items to a file, which is there when all of it is, and not before.

    Args:
        path: the file; JSON Lines and CSV are compressed if it ends in .gz, .xz, .zst or .bz2.
        format: parquet, jsonl, csv or tsv; None goes by the name.
        fields: name -> type of the columns, in order. A column ``_key`` holds the keys.
        batches: keys, records, and vectors by column name, each float32 (n, d); a row of NaN is no vector.

    Returns:
        How many items were written.

    Raises:
        InputError: a format or a column that is not possible.
        StorageFull: the disk is full; what stood at ``path`` is unchanged, as after every error.

    What is read back is what was written, with these exceptions: CSV has one empty cell for null and for the empty
    string, no types (give the schema when reading), and nothing that tells a missing key from null; Parquet has null
    for missing keys, text for numbers that neither 64-bit floats nor integers of 38 digits hold, and the text of the
    JSON for nested values with NaN in them.

    Examples:
        >>> import tempfile
        >>> folder = tempfile.TemporaryDirectory()
        >>> path = Path(folder.name) / "items.jsonl"
        >>> write_table(path, None, {"_key": "text", "year": "integer"}, [(["a"], [{"year": 1999}], {})])
        1
        >>> path.read_text()
        '{"_key":"a","year":1999}\n'
        >>> folder.cleanup()
    """
    path = Path(path)
    format = format or _SUFFIXES.get(plain_name(path).suffix.lower())
    if format not in FORMATS:
        wanted = "has no known suffix" if format is None else f"cannot be written as {format!r}"
        raise InputError(f"{path} {wanted}; {nearest(format or '', FORMATS)}")
    packing = SUFFIXES.get(path.suffix.lower())
    if format == "parquet" and packing:
        raise InputError(f"{path}: Parquet is compressed inside; leave out {path.suffix}")
    with _replacing(path) as temporary:
        if format == "parquet":
            from similia.collection.sources.parquet_writer import write_parquet

            return write_parquet(temporary, fields, _checked(batches, fields))
        with temporary.open("wb") as file, compressing(file, packing) as stream:
            if format == "jsonl":
                return _write_lines(stream, fields, _checked(batches, fields))
            return _write_cells(stream, fields, _checked(batches, fields), "\t" if format == "tsv" else ",")


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A file beside ``path`` that takes its place at the end, and is removed where something goes wrong."""
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a file in it")
    if not path.parent.is_dir():
        raise InputError(f"{path}: there is no folder {path.parent}; make it first")
    temporary = path.with_name(f".{path.name[:100]}.{secrets.token_hex(4)}.part")
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise disk_error(error, str(path)) from None
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _checked(batches: Iterable[Batch], fields: Mapping[str, str]) -> Iterator[Batch]:
    columns: list[str] | None = None
    for keys, records, vectors in batches:
        if columns is None:
            columns = list(vectors)
            twice = next((name for name in columns if name in fields), None)
            if twice is not None:
                raise InputError(f"{twice!r} is a field and a column of vectors; give the vectors another name")
        sizes = {len(keys), len(records), *(len(vectors[name]) for name in vectors)}
        if len(sizes) > 1 or list(vectors) != columns:
            raise InputError("a batch must have as many keys as records and vectors, and the same vector columns")
        yield keys, records, {name: np.ascontiguousarray(array, np.float32) for name, array in vectors.items()}


def rows_of(batch: Batch, fields: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """The rows of a batch with the columns that are wanted; what is missing stays missing."""
    keys, records, vectors = batch
    for position, record in enumerate(records):
        row = {name: record[name] for name in fields if name in record}
        if KEY in fields:
            row = {name: keys[position] if name == KEY else row[name] for name in fields if name in row or name == KEY}
        for name, array in vectors.items():
            row[name] = None if np.isnan(array[position]).any() else array[position]
        yield row


def _write_lines(stream: Any, fields: Mapping[str, str], batches: Iterator[Batch]) -> int:
    count = 0
    for batch in batches:
        lines = [_line(row) for row in rows_of(batch, fields)]
        stream.write(_one_line_each(b"".join(lines)))
        count += len(lines)
    return count


def _one_line_each(lines: bytes) -> bytes:
    """JSON lines in which only line feeds end a line: str.splitlines and its like end one at three more characters."""
    for code in (0x85, 0x2028, 0x2029):
        lines = lines.replace(chr(code).encode(), f"\\u{code:04x}".encode())
    return lines


def _line(row: Mapping[str, Any]) -> bytes:
    if any(is_odd(value) for value in row.values()):
        plain = {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in row.items()}
        return json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    return orjson.dumps(row, option=_NUMPY) + b"\n"


def is_odd(value: Any) -> bool:
    """Whether a value holds what orjson cannot write: NaN, infinities, integers beyond 64 bits.

    Examples:
        >>> is_odd({"a": [0.5, float("inf")]}), is_odd(2**63)
        (True, False)
    """
    kind = type(value)
    if kind is float:
        return not math.isfinite(value)
    if kind is int:
        return int(value).bit_length() > _INT64_BITS and not 0 <= value < 2**64
    if kind is dict:
        return any(map(is_odd, value.values()))
    if kind is list:
        if set(map(type, value)) == {float}:
            return not all(map(math.isfinite, value))
        return any(map(is_odd, value))
    return False


def _write_cells(stream: Any, fields: Mapping[str, str], batches: Iterator[Batch], delimiter: str) -> int:
    count = 0
    text = io.TextIOWrapper(stream, encoding="utf-8", newline="", write_through=False)
    writer = csv.writer(text, delimiter=delimiter)
    names: list[str] | None = None
    for batch in batches:
        if names is None:
            names = [*fields, *batch[2]]
            writer.writerow(names)
        for row in rows_of(batch, fields):
            writer.writerow([text_of(row.get(name), fields.get(name, "vector")) for name in names])
            count += 1
    if names is None:
        writer.writerow(list(fields))
    text.flush()
    text.detach()
    return count


def text_of(value: Any, kind: str) -> str:
    """Return a value as the text that stands for it in a column of type ``kind``.

    Examples:
        >>> text_of("5", "text"), text_of("5", "json"), text_of(None, "json"), text_of([1], "list")
        ('5', '"5"', '', '[1]')
    """
    if value is None:
        return ""
    if isinstance(value, np.ndarray):
        return vector_text(value)
    if kind == "json" and isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)  # else it could not be told from a number or a list
    return render(value)


def vector_text(vector: npt.NDArray[Any]) -> str:
    """A vector as JSON, each number as short as it can be told from its neighbours."""
    return orjson.dumps(vector, option=_NUMPY).decode()
