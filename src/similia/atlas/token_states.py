"""Tokens of texts with their places, kept between runs as half floats in a folder that does not grow without end."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from similia.encode import Encoder, Side
from similia.evaluate.datasets import cache_folder
from similia.progress import bar
from similia.rank.fusing import PlacedTokens, place_tokens
from similia.types import MultiVector

BLOCK = 256
"""Texts to a file; an interrupted run goes on after the last whole one."""
LIMIT = 3 * 2**29
"""Bytes that the folder may hold, over all encoders; the files that were not read for longest go first."""


def token_states(
    encoder: Encoder, texts: Sequence[str], *, side: Side = "item", progress: bool | None = None
) -> PlacedTokens:
    """The tokens of texts, or what this encoder made of them before; see `similia.rank.fusing.place_tokens`.

    Vectors are rounded to half floats, read or new, so that a second run has the numbers of the first.
    """
    folder = cache_folder() / "tokens" / encoder.fingerprint[:32]
    vectors: list[np.ndarray] = [np.empty((0, encoder.dimension), np.float16)]
    places: list[np.ndarray] = [np.empty((0, 2), np.int64)]
    counts = [0]
    with bar("encoding tokens", len(texts), unit="texts", show=progress) as shown:
        for start in range(0, len(texts), BLOCK):
            block = list(texts[start : start + BLOCK])
            states, standing, lengths = _block(folder, encoder, block, side)
            vectors.append(states)
            places.append(standing)
            counts += lengths.tolist()
            shown.advance(len(block))
    return PlacedTokens(MultiVector(np.concatenate(vectors), np.cumsum(counts)), np.concatenate(places))


def _block(folder: Path, encoder: Encoder, texts: list[str], side: Side) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vectors float16, places, and the number of tokens of each text."""
    digest = hashlib.sha256(side.encode())
    for text in texts:
        digest.update(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())
    path = folder / f"{digest.hexdigest()[:40]}.npz"
    with contextlib.suppress(OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
        with np.load(path, allow_pickle=False) as known:
            vectors, places, counts = known["vectors"], known["places"], known["counts"]
        total = counts.sum() if counts.shape == (len(texts),) else -1
        if vectors.dtype == np.float16 and vectors.shape == (total, encoder.dimension) and places.shape == (total, 2):
            os.utime(path)
            return vectors, places, counts
    found = place_tokens(encoder, texts, side=side)
    states, lengths = found.tokens.vectors.astype(np.float16), np.diff(found.tokens.offsets)
    with contextlib.suppress(OSError):  # a cache that cannot be written costs time, not the result
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder, suffix=".part")
        with os.fdopen(handle, "wb") as file:
            np.savez(file, allow_pickle=False, vectors=states, places=found.places, counts=lengths)
        Path(name).replace(path)
        _shrink(folder.parent)
    return states, found.places, lengths


def _shrink(folder: Path) -> None:
    """Delete the files that were not read for longest, until the rest is within the limit."""
    files = sorted((path.stat().st_mtime, path.stat().st_size, path) for path in folder.rglob("*.npz"))
    total = sum(size for _, size, _ in files)
    for _, size, path in files:
        if total <= LIMIT:
            break
        path.unlink(missing_ok=True)
        total -= size
