"""That files larger than memory can be read: the peak does not grow with the number of rows."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

resource = pytest.importorskip("resource")

ROWS = 6_000, 60_000
"""Rows of the two files, of 800 bytes each: 5 and 48 MB."""

TOLERANCE = 16
"""Megabytes by which the peak may grow; the larger file alone has three times that."""

SCRIPT = """
import resource, sys
from similia.collection.sources import open_source

def rows(count):
    for place in range(count):
        yield {"id": place, "text": f"{place:08} " + "x" * 760}

def peak(what):
    with open_source(what) as source:
        scan = source.scan(key="id")
        assert scan.duplicate is None and scan.unique["id"], scan
        count = sum(map(len, source.batches(500)))
        assert count == scan.rows, count
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 if sys.platform != "darwin" else 1 << 20)

if sys.argv[1] == "iterator":
    print(peak(rows(int(sys.argv[2]))), peak(rows(int(sys.argv[3]))))
else:
    print(peak(sys.argv[2]), peak(sys.argv[3]))
"""


def _texts(count: int) -> Iterator[tuple[int, str]]:
    for place in range(count):
        yield place, f"{place:08} " + "x" * 760


def _write(path: Path, count: int) -> None:
    kind = path.name.split(".")[1]
    if kind in ("parquet", "arrow"):
        pa = pytest.importorskip("pyarrow")
        schema = pa.schema({"id": pa.int64(), "text": pa.string()})
        if kind == "parquet":
            from pyarrow import parquet

            writer: Any = parquet.ParquetWriter(path, schema)
        else:
            from pyarrow import ipc

            writer = ipc.new_file(path, schema, options=ipc.IpcWriteOptions(compression="lz4"))
        with writer:
            for start in range(0, count, 5000):
                ids = range(start, min(start + 5000, count))
                texts = [f"{place:08} " + "x" * 760 for place in ids]
                writer.write_table(pa.table({"id": list(ids), "text": texts}, schema))
        return
    with path.open("w") as file:
        if kind == "csv":
            file.write("id,text\n")
            file.writelines(f"{place},{text}\n" for place, text in _texts(count))
        elif kind == "jsonl":
            file.writelines(json.dumps({"id": place, "text": text}) + "\n" for place, text in _texts(count))
        else:
            file.write("[")
            file.writelines(
                ("," if place else "") + json.dumps({"id": place, "text": text}) for place, text in _texts(count)
            )
            file.write("]")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["jsonl", "json", "csv", "parquet", "arrow", "iterator"])
def test_the_peak_of_memory_does_not_grow_with_the_file(kind: str, tmp_path: Path) -> None:
    what = [str(count) for count in ROWS]
    if kind != "iterator":
        paths = [tmp_path / f"{count}.{kind}" for count in ROWS]
        for path, count in zip(paths, ROWS, strict=True):
            _write(path, count)
        what = list(map(str, paths))
    done = subprocess.run([sys.executable, "-c", SCRIPT, kind, *what], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    small, large = map(int, done.stdout.split())
    assert large - small < TOLERANCE, f"{small} MB for {ROWS[0]:,} rows, {large} MB for {ROWS[1]:,}"
