"""Encoded texts, kept between runs: an atlas run is repeated more often than its texts change."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from similia.encode import Encoder, Side
from similia.evaluate.datasets import cache_folder
from similia.progress import bar
from similia.types import Float32

BLOCK = 512
"""Texts to a file; an interrupted run goes on after the last whole one."""


def encode(encoder: Encoder, texts: Sequence[str], *, side: Side = "item", progress: bool | None = None) -> Float32:
    """Encode texts, or read what this encoder made of them before.

    Args:
        encoder: its fingerprint names the folder.
        texts: (n,) texts.
        side: whether they are items or queries.
        progress: as in `similia.progress.bar`.

    Returns:
        float32 (n, d).
    """
    folder = cache_folder() / "vectors" / encoder.fingerprint[:32]
    parts = []
    with bar("encoding", len(texts), unit="texts", show=progress) as shown:
        for start in range(0, len(texts), BLOCK):
            block = list(texts[start : start + BLOCK])
            parts.append(_block(folder, encoder, block, side))
            shown.advance(len(block))
    return np.concatenate(parts) if parts else np.empty((0, encoder.dimension), np.float32)


def _block(folder: Path, encoder: Encoder, texts: list[str], side: Side) -> Float32:
    digest = hashlib.sha256(side.encode())
    for text in texts:
        digest.update(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())
    path = folder / f"{digest.hexdigest()[:40]}.npy"
    with contextlib.suppress(OSError, ValueError, EOFError):
        known: Float32 = np.load(path, allow_pickle=False)
        if known.dtype == np.float32 and known.shape == (len(texts), encoder.dimension):
            return known
    vectors = encoder.encode(texts, side=side).vectors
    with contextlib.suppress(OSError):  # a cache that cannot be written costs time, not the result
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder, suffix=".part")
        with os.fdopen(handle, "wb") as file:
            np.save(file, vectors)
        Path(name).replace(path)
    return vectors
