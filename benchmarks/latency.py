"""Search latency on 25,000 paper abstracts: from Python, from a cold command line, over HTTP.

python -m benchmarks.latency [--collection FOLDER]    # a collection made by an earlier run is reused
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from benchmarks.add import abstracts
from benchmarks.common import Cost, cost, write

QUERIES = [
    "asymmetric similarity for copy detection",
    "rank fusion of dense and keyword retrieval",
    "language models that judge relevance",
    "speech recognition for low-resource languages",
    "graph neural networks for recommendation",
    "hallucination in summaries",
    "matching records without labels",
    "long context attention at lower cost",
    "protein structure",
    "mathematical reasoning by reinforcement learning",
]


def summary(what: str, costs: list[Cost]) -> dict[str, Any]:
    """Median and 90th percentile wall and median CPU, in milliseconds."""
    walls = sorted(c.wall * 1000 for c in costs)
    return {
        "what": what,
        "runs": len(costs),
        "median ms": statistics.median(walls),
        "p90 ms": walls[int(len(walls) * 0.9)],
        "CPU ms": statistics.median(c.cpu * 1000 for c in costs),
    }


def timed(call: Any, rounds: int) -> list[Cost]:
    """Costs of ``rounds`` passes over the queries."""
    costs = []
    for _ in range(rounds):
        for query in QUERIES:
            with cost() as spent:
                call(query)
            costs.append(spent)
    return costs


def main(folder: Path) -> None:
    """Measure and write."""
    from similia import Collection

    with Collection.open(folder, create=True) as papers:
        if len(papers) == 0:
            papers.add(list(abstracts(25_000)), text=["title", "abstract"], key="id")
        papers.search(QUERIES[0])
        rows = [
            summary(f"Python, {mode}", timed(lambda q, m=mode: papers.search(q, mode=m, k=10), 3))
            for mode in ("hybrid", "dense", "text")
        ]
        rows.append(summary("Python, hybrid, like an item", timed(lambda q: papers.similar("p7", k=10), 2)))
        count = len(papers)
    command = [str(Path(sys.executable).parent / "similia"), "search", str(folder)]
    cold = timed(lambda q: subprocess.run([*command, q, "-k", "10"], check=True, capture_output=True), 2)
    rows.append(summary("command line, cold process, hybrid", cold))
    rows.append(
        summary(
            "command line, cold process, text",
            timed(lambda q: subprocess.run([*command, q, "--mode", "text"], check=True, capture_output=True), 1),
        )
    )
    server = subprocess.Popen(
        [str(Path(sys.executable).parent / "similia"), "serve", str(folder), "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "NO_COLOR": "1"},
    )
    try:
        assert server.stdout is not None
        address = next(word for line in server.stdout for word in line.split() if word.startswith("http://"))
        root = f"{address.rstrip('/')}/api/v1"
        name = json.load(urllib.request.urlopen(f"{root}/collections"))["collections"][0]["name"]

        def get(query: str) -> bytes:
            parameters = urllib.parse.urlencode({"q": query, "k": 10})
            with urllib.request.urlopen(f"{root}/collections/{name}/search?{parameters}") as answer:
                content: bytes = answer.read()
            return content

        get(QUERIES[0])
        rows.append(summary("HTTP, hybrid", timed(get, 3)))
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)
    write(
        "latency",
        f"Search in {count:,} paper abstracts",
        "python -m benchmarks.latency",
        rows,
        "CPU of the command line includes its imports and the encoder; CPU of HTTP is the client's.",
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--collection", type=Path)
    arguments = parser.parse_args()
    if arguments.collection:
        main(arguments.collection)
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(Path(temporary) / "papers")
