"""The vectors that the engine is measured on: real short texts, encoded once by the bundled encoder and kept.

    python -m benchmarks.vectors [--wide]

Items: the summary of every Debian package (what ``apt-cache dumpavail`` knows), the gloss of every WordNet synset (the
Debian package ``wordnet-base``), and title and first sentence of every abstract of the data set ``papers``. Queries
like the items are held out of them; queries unlike them are single words and short phrases of WordNet. What is not on
the machine is left out, and said.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from similia.errors import DatasetMissing
from similia.evaluate import datasets
from similia.progress import bar

WORDNET = Path("/usr/share/wordnet")
SEED = 17
QUERIES = 2_000  # of each kind: the first half to tune on, the second to time


@dataclass(frozen=True)
class Vectors:
    """``base`` float32 (n, d), unit rows; ``inside`` and ``outside`` float32 (2000, d), queries like them or not."""

    base: npt.NDArray[np.float32]
    inside: npt.NDArray[np.float32]
    outside: npt.NDArray[np.float32]
    about: str


def load() -> Vectors:
    """The vectors, encoded now (some ten minutes on two cores) unless an earlier run kept them."""
    texts, outside, about = _texts()
    digest = hashlib.sha256("\n".join([*texts, *outside]).encode()).hexdigest()[:16]
    folder = datasets.cache_folder() / "benchmark-vectors"
    kept = folder / f"{digest}.npz"
    if not kept.exists():
        from similia import encode

        encoder = encode.load()
        parts = []
        everything = [*texts, *outside]
        with bar("encoding", len(everything)) as progress:
            for start in range(0, len(everything), 4096):
                block = everything[start : start + 4096]
                parts.append(encoder.encode(block).vectors)
                progress.advance(len(block))
        folder.mkdir(parents=True, exist_ok=True)
        vectors = np.concatenate(parts)
        writing = kept.with_suffix(".writing.npz")
        np.savez(writing, texts=vectors[: len(texts)], outside=vectors[len(texts) :])
        writing.rename(kept)
    with np.load(kept) as arrays:
        vectors, queries = arrays["texts"], arrays["outside"]
    order = np.random.default_rng(SEED).permutation(len(vectors))
    return Vectors(
        np.ascontiguousarray(vectors[order[QUERIES:]]),
        np.ascontiguousarray(vectors[order[:QUERIES]]),
        queries,
        f"{len(vectors) - QUERIES:,} texts ({about}), {vectors.shape[1]} dimensions",
    )


def load_wide(count: int = 100_000, dimension: int = 1_024) -> Vectors:
    """Vectors of more dimensions: latent semantic analysis of ``count`` of the same texts, learned from them alone.

    There is no sentence encoder of so many dimensions among the packages; these are real texts, and harder:
    their variance is spread over many more directions.
    """
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.preprocessing import normalize

    texts, words, about = _texts()
    order = np.random.default_rng(SEED).permutation(len(texts))
    inside, base = order[:QUERIES], order[QUERIES : QUERIES + count]
    digest = hashlib.sha256(f"{count} {dimension} {len(texts)} {words[:5]}".encode()).hexdigest()[:16]
    kept = datasets.cache_folder() / "benchmark-vectors" / f"wide-{digest}.npz"
    if not kept.exists():
        weights = TfidfVectorizer(sublinear_tf=True, min_df=2, dtype=np.float32)
        items = weights.fit_transform([texts[place] for place in base])
        axes = TruncatedSVD(dimension, n_iter=2, random_state=SEED).fit(items)

        def vectors(some: list[str]) -> npt.NDArray[np.float32]:
            found: npt.NDArray[np.float32] = normalize(axes.transform(weights.transform(some))).astype(np.float32)
            return found

        kept.parent.mkdir(parents=True, exist_ok=True)
        writing = kept.with_suffix(".writing.npz")
        np.savez(
            writing,
            base=vectors([texts[place] for place in base]),
            inside=vectors([texts[place] for place in inside]),
            outside=vectors(words),
        )
        writing.rename(kept)
    with np.load(kept) as arrays:
        parts = {name: arrays[name] for name in ("base", "inside", "outside")}
    known = {name: part[part.any(axis=1)] for name, part in parts.items()}  # texts without a known word have none
    return Vectors(
        known["base"],
        known["inside"],
        known["outside"],
        f"{len(known['base']):,} of these texts ({about}) by latent semantic analysis, {dimension:,} dimensions",
    )


def _texts() -> tuple[list[str], list[str], str]:
    sources = {"package summaries": _packages, "word glosses": _glosses, "sentences of abstracts": _abstracts}
    texts: dict[str, None] = {}
    said = []
    for name, source in sources.items():
        before = len(texts)
        texts.update(dict.fromkeys(source()))
        if len(texts) > before:
            said.append(f"{len(texts) - before:,} {name}")
    words = sorted(set(_words()))
    if len(texts) < 10 * QUERIES or len(words) < QUERIES:
        raise SystemExit("too few texts on this machine; on Debian: apt-get update && apt-get install wordnet-base")
    chosen = np.random.default_rng(SEED).choice(len(words), QUERIES, replace=False)
    return list(texts), [words[place] for place in chosen], ", ".join(said)


def _packages() -> Iterator[str]:
    try:
        shown = subprocess.run(["apt-cache", "dumpavail"], capture_output=True, text=True, check=False).stdout
    except FileNotFoundError:
        return
    for package in shown.split("\n\n"):
        name = re.search(r"^Package: (.+)$", package, re.MULTILINE)
        summary = re.search(r"^Description: (.+)$", package, re.MULTILINE)
        if name and summary:
            yield f"{name[1]}: {summary[1]}"


def _synsets() -> Iterator[tuple[list[str], str]]:
    for kind in ("noun", "verb", "adj", "adv"):
        path = WORDNET / f"data.{kind}"
        if not path.exists():
            continue
        for line in path.read_text("utf-8", errors="replace").splitlines():
            if line.startswith("  "):
                continue
            data, _, gloss = line.partition(" | ")
            parts = data.split()
            words = [parts[4 + 2 * place].replace("_", " ") for place in range(int(parts[3], 16))]
            yield words, gloss.strip()


def _glosses() -> Iterator[str]:
    for _, gloss in _synsets():
        yield gloss


def _words() -> Iterator[str]:
    for words, _ in _synsets():
        yield from words


def _abstracts() -> Iterator[str]:
    try:
        for record in datasets.records("papers"):
            yield str(record["title"])
            yield re.split(r"(?<=[.!?])\s", str(record["abstract"]).strip(), maxsplit=1)[0]
    except DatasetMissing as missing:
        print(missing)


if __name__ == "__main__":
    made = load_wide() if "--wide" in sys.argv else load()
    print(made.about)
