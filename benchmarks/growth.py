"""How time and memory grow as a JSONL file grows to a million rows with vectors given: the pipeline alone.

python -m benchmarks.growth
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import cost, peak_mebibytes, run, write

DIMENSION = 64


def source(path: Path, rows: int) -> None:
    """Write ``rows`` records with a vector, a few words, a date and numbers."""
    rng = np.random.default_rng(0)
    words = [f"word{i}" for i in range(20_000)]
    with path.open("w") as file:
        for start in range(0, rows, 10_000):
            size = min(10_000, rows - start)
            vectors = np.round(rng.standard_normal((size, DIMENSION)), 4).tolist()
            chosen = rng.zipf(1.3, (size, 8)) % len(words)
            file.writelines(
                json.dumps(
                    {
                        "id": f"r{start + i}",
                        "title": " ".join(words[w] for w in chosen[i]),
                        "year": 1990 + (start + i) % 36,
                        "price": (start + i) * 0.01,
                        "vector": vectors[i],
                    }
                )
                + "\n"
                for i in range(size)
            )


def one(rows: int) -> dict[str, Any]:
    """Add a file of ``rows`` rows in this process, then search it."""
    from similia import Collection

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.jsonl"
        source(path, rows)
        before = peak_mebibytes()
        with Collection.open(Path(folder) / "rows", create=True) as items:
            with cost() as adding:
                items.add(path, key="id", text=["title"], vectors="vector")
            peak = peak_mebibytes()
            query = np.ones(DIMENSION, np.float32)
            with cost() as first:
                items.search(query, mode="dense", k=10)
            with cost() as warm:
                for _ in range(5):
                    items.search(query, mode="dense", where="year >= 2020", k=10)
        disk = sum(file.stat().st_size for file in (Path(folder) / "rows").rglob("*") if file.is_file())
        return {
            "rows": rows,
            "source MiB": path.stat().st_size / 2**20,
            "add wall s": adding.wall,
            "add CPU s": adding.cpu,
            "rows / CPU s": rows / adding.cpu,
            "peak MiB before add": before,
            "peak MiB in add": peak,
            "collection MiB": disk / 2**20,
            "first search s": first.wall,
            "filtered search ms (CPU)": warm.cpu / 5 * 1000,
        }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, help="one size, in this process")
    parser.add_argument("--sizes", default="10000,100000,1000000")
    arguments = parser.parse_args()
    if arguments.rows:
        print(json.dumps(one(arguments.rows)))
    else:
        write(
            "growth",
            "A JSONL file with vectors given, as it grows",
            "python -m benchmarks.growth",
            [run("benchmarks.growth", "--rows", size) for size in arguments.sizes.split(",")],
            f"Vectors of {DIMENSION} numbers, eight words of text, a year, a price; each size in a fresh process.",
        )
