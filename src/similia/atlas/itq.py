"""Iterative quantisation: principal axes turned so that rounding loses least (Gong and Lazebnik, CVPR 2011)."""

from __future__ import annotations

import numpy as np

from similia.types import Bytes, Float32

ROUNDS = 50


class IterativeQuantisation:
    """Vectors to one bit for each of the first principal axes, after a rotation.

    Args:
        bits: the length of a code, at most the number of dimensions.
        seed: for the rotation that is started from.

    Examples:
        >>> vectors = np.random.default_rng(0).normal(size=(50, 8)).astype(np.float32)
        >>> IterativeQuantisation(8).fit(vectors).encode(vectors).shape
        (50, 1)
    """

    def __init__(self, bits: int, *, seed: int = 0) -> None:
        self.bits = bits
        self.seed = seed

    def fit(self, vectors: Float32) -> IterativeQuantisation:
        """Learn mean, axes and rotation from vectors (n, d): min over rotations R of ``|sign(VR) - VR|``."""
        self.mean_ = vectors.mean(axis=0)
        centred = vectors - self.mean_
        axes = np.linalg.eigh(centred.T @ centred)[1][:, ::-1][:, : self.bits]
        short = centred @ axes
        turn = np.linalg.qr(np.random.default_rng(self.seed).normal(size=(self.bits, self.bits)))[0]
        for _ in range(ROUNDS):
            left, _, right = np.linalg.svd(np.sign(short @ turn).T @ short)
            turn = (left @ right).T
        self.axes_ = (axes @ turn).astype(np.float32)
        return self

    def encode(self, vectors: Float32) -> Bytes:
        """Codes uint8 (n, ceil(bits / 8))."""
        return np.packbits((vectors - self.mean_) @ self.axes_ > 0, axis=1)
