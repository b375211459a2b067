"""A transformer as an encoder: tokenise, batch texts of one length together, run, pool, normalise."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np

from similia.encode.base import Side, as_texts, check_side, fingerprint, unit
from similia.encode.runtime import SHORT, Batch, Runtime, open_runtime
from similia.encode.windows import Tokens, tokenise
from similia.errors import InputError, ModelError
from similia.types import Dense, Float32, Int64, MultiVector, ragged

BLOCK = 2048  # texts that are tokenised and sorted together: bounds memory, and is enough to fill batches of one length
BUDGET = 1024  # tokens in a batch, padding included: what still fits the processor's second-level cache


@dataclass(frozen=True)
class TransformerSettings:
    """Everything that decides a transformer encoder's vectors.

    Attributes:
        name: what to call it.
        model: the ONNX file; ``model_sha256`` its SHA-256.
        tokenizer: the tokenizer.json; ``tokenizer_sha256`` its SHA-256.
        dimension: the length of a vector.
        max_tokens: tokens a window, special tokens included.
        windows: how many windows of a long text are read; what is beyond them is not. Its vector is the mean of the
            windows' by their tokens. With all-MiniLM-L6-v2, nDCG@10 for 1, 2, 8 windows of 256 tokens is .3826, .3832,
            .3838 on Cranfield, .4177, .4192, .4192 on CISI and .2915, .2940, .2936 on NFCorpus (dev), for 15, 4 and
            10 % more tokens; equal weights (.3457, .4119, .2640) are worse than reading one window.
        pooling: ``mean`` over tokens, or ``cls`` for the first token.
        normalise: whether vectors are brought to length 1.
        prompts: what is put before each text, by side.
    """

    name: str
    model: Path
    model_sha256: str
    tokenizer: Path
    tokenizer_sha256: str
    dimension: int
    max_tokens: int = 256
    windows: int = 8
    pooling: Literal["mean", "cls"] = "mean"
    normalise: bool = True
    prompts: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.max_tokens < 8 or self.windows < 1:
            raise InputError(f"max_tokens {self.max_tokens}, windows {self.windows}: at least 8 and 1 are needed")
        if self.pooling not in ("mean", "cls"):
            raise ModelError(f"{self.name}: pooling {self.pooling!r} is not known; expected mean or cls")


class TransformerEncoder:
    """Texts to vectors by a transformer; see `similia.encode.load`.

    The order of results is the order of the texts, and memory is bounded by a block of texts, not by their number.
    Neither files nor runtime are opened before the first text. A text's vector does not depend on the texts beside it,
    beyond rounding: the cosine of two encodings of it is at least .9995.

    Args:
        settings: what decides the vectors.
        runtime: ``openvino`` or ``onnxruntime``; None takes ``SIMILIA_ENCODER_RUNTIME``, else the fastest that works.
    """

    def __init__(self, settings: TransformerSettings, *, runtime: str | None = None) -> None:
        self.settings = settings
        self._runtime_name = runtime
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        return self.settings.name

    @property
    def dimension(self) -> int:
        return self.settings.dimension

    @cached_property
    def fingerprint(self) -> str:
        own = self.settings
        return fingerprint(
            kind="transformer",
            model=own.model_sha256,
            tokenizer=own.tokenizer_sha256,
            max_tokens=own.max_tokens,
            windows=own.windows,
            pooling=own.pooling,
            normalise=own.normalise,
            prompts=dict(own.prompts),
        )

    @cached_property
    def runtime(self) -> Runtime:
        """What runs the model; opened on first use."""
        return open_runtime(self.settings.model, runtime=self._runtime_name)

    @cached_property
    def _tokenizer(self) -> Any:
        from similia.encode.windows import open_tokenizer

        return open_tokenizer(self.settings.tokenizer)

    def encode(self, items: Sequence[str], *, side: Side = "item") -> Dense:
        """One vector a text: float32 (n, d), of length 1 unless the model says otherwise.

        Args:
            items: any strings; what is beyond the last window of a text is not read.
            side: which of the model's prompts, if it has any, is put before each text.

        Raises:
            InputError: an item that is not a string.
        """
        check_side(side)
        texts = as_texts(items)
        vectors = np.empty((len(texts), self.dimension), np.float32)
        for start in range(0, len(texts), BLOCK):
            vectors[start : start + BLOCK] = self._pooled(texts[start : start + BLOCK], side)
        return Dense(vectors)

    def stream(self, items: Iterable[str], *, batch: int = BLOCK, side: Side = "item") -> Iterator[Dense]:
        """Encode more texts than fit in memory: one `Dense` for each ``batch`` of them, in order."""
        if batch < 1:
            raise InputError(f"batch is {batch}; at least 1 is needed")
        iterator = iter(items)
        while block := list(islice(iterator, batch)):
            yield self.encode(block, side=side)

    def encode_tokens(self, items: Sequence[str], *, side: Side = "item") -> MultiVector:
        """The vectors of each text's tokens, brought to length 1; special tokens are left out, a prompt's are not."""
        check_side(side)
        texts = as_texts(items)
        parts: list[Float32] = []
        for start in range(0, len(texts), BLOCK):
            tokens = self._tokens(texts[start : start + BLOCK], side)
            found: list[Float32] = [np.empty((0, self.dimension), np.float32)] * len(tokens.lengths)
            for batch, hidden in self._run(tokens):
                for position, row in enumerate(batch.rows.tolist()):
                    found[row] = unit(hidden[position, tokens.prefix : tokens.lengths[row] - tokens.suffix])
            for item in range(tokens.count):
                own = [found[row] for row in np.flatnonzero(tokens.owner == item)]
                parts.append(np.concatenate(own) if own else np.empty((0, self.dimension), np.float32))
        return ragged(parts, self.dimension)

    def _tokens(self, texts: list[str], side: Side) -> Tokens:
        prompt = self.settings.prompts.get(side, "")
        return tokenise(
            self._tokenizer,
            [prompt + text for text in texts] if prompt else texts,
            max_tokens=self.settings.max_tokens,
            windows=self.settings.windows,
        )

    def _pooled(self, texts: list[str], side: Side) -> Float32:
        tokens = self._tokens(texts, side)
        sums = np.zeros((len(texts), self.dimension), np.float32)
        weights = np.zeros(len(texts), np.float32)
        for batch, hidden in self._run(tokens):
            pooled = pool(hidden, batch.mask, self.settings.pooling)
            if pooled.shape[1] != self.dimension:
                raise ModelError(f"{self.name} gives {pooled.shape[1]} dimensions, but {self.dimension} were declared")
            lengths = tokens.lengths[batch.rows].astype(np.float32)
            np.add.at(sums, tokens.owner[batch.rows], pooled * lengths[:, None])
            np.add.at(weights, tokens.owner[batch.rows], lengths)
        sums /= weights[:, None]
        return unit(sums) if self.settings.normalise else sums

    def _run(self, tokens: Tokens) -> Iterator[tuple[Batch, Float32]]:
        with self._lock:
            yield from self.runtime.run(batches(tokens, self.settings.max_tokens))


def batches(tokens: Tokens, most: int, budget: int = BUDGET) -> Iterator[Batch]:
    """Cut sequences, longest first and short ones apart, into batches of at most ``budget`` tokens or one sequence.

    No batch is longer than ``most`` tokens.
    """
    order = np.argsort(-tokens.lengths, kind="stable")
    start = 0
    while start < len(order):
        longest = min(rounded_length(int(tokens.lengths[order[start]])), most)
        rows: Int64 = order[start : start + max(1, budget // longest)]
        if longest > SHORT:
            rows = rows[tokens.lengths[rows] > SHORT]
        ids = np.full((len(rows), longest), tokens.padding, np.int64)
        mask = np.arange(longest)[None, :] < tokens.lengths[rows][:, None]
        ids[mask] = np.concatenate([tokens.sequences[row] for row in rows.tolist()])
        yield Batch(rows, ids, mask.astype(np.int64))
        start += len(rows)


def rounded_length(length: int) -> int:
    """A length of at most a sixteenth more, of which there are few: a runtime keeps code for every shape that it met.

    Examples:
        >>> [rounded_length(length) for length in (5, 31, 33, 100, 129)]
        [5, 31, 34, 100, 136]
    """
    step = 1 << max(0, length.bit_length() - 5)
    return -(-length // step) * step


def pool(hidden: Float32, mask: Int64, pooling: str = "mean") -> Float32:
    """One vector a sequence: the mean of its tokens' vectors, or the first one's.

    Args:
        hidden: (b, t, d).
        mask: (b, t), 1 for a token and 0 for padding.
        pooling: ``mean`` or ``cls``.

    Examples:
        >>> hidden = np.arange(12, dtype=np.float32).reshape(2, 3, 2)
        >>> pool(hidden, np.array([[1, 1, 0], [1, 0, 0]])).tolist()
        [[1.0, 2.0], [6.0, 7.0]]
    """
    if pooling == "cls":
        return np.ascontiguousarray(hidden[:, 0])
    weights = mask.astype(np.float32)
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)
    return np.asarray((weights[:, None, :] @ hidden)[:, 0])
