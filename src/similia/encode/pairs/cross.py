"""A cross-encoder from an ONNX file: both texts in one sequence, batches of one length, logits out."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from similia.encode.base import fingerprint
from similia.encode.pairs.base import LAST, as_pairs, check_template, fill, probability
from similia.encode.pairs.runtime import PairRuntime, open_pair_runtime
from similia.encode.transformer import batches
from similia.encode.windows import CHARACTERS, Tokens, open_tokenizer
from similia.errors import InputError, ModelError
from similia.progress import bar
from similia.types import Float32, Int64

BLOCK = 2048  # pairs that are tokenised and sorted together
BUDGET = 2048  # tokens in a batch, padding included


@dataclass(frozen=True)
class PairSettings:
    r"""Everything that decides a cross-encoder's scores.

    Attributes:
        name: what to call it.
        model: the ONNX file; ``model_sha256`` its SHA-256.
        tokenizer: the tokenizer.json; ``tokenizer_sha256`` its SHA-256.
        max_tokens: tokens of both texts, special tokens included; beyond them the longer text is cut first.
        positive: which label says that a pair fits; -1 for the last of one or two.
        template: how both texts are written as one, such as ``"Query: {left}\nSentence: {right}"``, for a model that
            was trained so; None gives them as the two texts that the tokenizer knows to join.
    """

    name: str
    model: Path
    model_sha256: str
    tokenizer: Path
    tokenizer_sha256: str
    max_tokens: int = 512
    positive: int = LAST
    template: str | None = None

    def __post_init__(self) -> None:
        check_template(self.template)
        if self.max_tokens < 8:
            raise InputError(f"max_tokens is {self.max_tokens}; at least 8 are needed")


class CrossEncoder:
    """Pairs of texts to scores by a transformer that reads both; see `similia.encode.pairs.load_pair`.

    The order of results is that of the pairs, whatever the batches; neither files nor runtime are opened before the
    first pair.

    Args:
        settings: what decides the scores.
        runtime: ``openvino`` or ``onnxruntime``; None takes ``SIMILIA_ENCODER_RUNTIME``, else the first that works.
        progress: as in `similia.progress.bar`.
    """

    def __init__(self, settings: PairSettings, *, runtime: str | None = None, progress: bool | None = None) -> None:
        self.settings = settings
        self._runtime_name = runtime
        self._progress = progress
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        return self.settings.name

    @cached_property
    def fingerprint(self) -> str:
        own = self.settings
        return fingerprint(
            kind="cross-encoder",
            model=own.model_sha256,
            tokenizer=own.tokenizer_sha256,
            max_tokens=own.max_tokens,
            positive=own.positive,
            template=own.template,
        )

    @cached_property
    def runtime(self) -> PairRuntime:
        """What runs the model; opened on first use."""
        return open_pair_runtime(self.settings.model, runtime=self._runtime_name)

    @cached_property
    def _tokenizer(self) -> Any:
        tokenizer = open_tokenizer(self.settings.tokenizer)
        most = min(self.settings.max_tokens, self.runtime.length or self.settings.max_tokens)
        tokenizer.enable_truncation(most, strategy="longest_first")
        return tokenizer

    def score(self, left: Sequence[str], right: Sequence[str]) -> Float32:
        """How well each pair fits: float32 (n,) in 0 to 1, the model's own activation of `logits`.

        Raises:
            InputError: sides of different lengths, or an item that is not a string.
        """
        logits = self.logits(left, right)
        return probability(logits, self.settings.positive) if len(logits) else logits[:, 0]

    def logits(self, left: Sequence[str], right: Sequence[str]) -> Float32:
        """What the model says of each pair, float32 (n, labels); (0, 1) where there is no pair."""
        first, second = as_pairs(left, right)
        if not first:
            return np.empty((0, 1), np.float32)
        parts: list[Float32] = []
        with bar("reading pairs", len(first), unit="pairs", show=self._progress) as shown:
            for start in range(0, len(first), BLOCK):
                parts.append(self._block(first[start : start + BLOCK], second[start : start + BLOCK]))
                shown.advance(len(parts[-1]))
        return np.concatenate(parts)

    def _block(self, left: list[str], right: list[str]) -> Float32:
        with self._lock:
            tokens, kinds = self._tokens(left, right)
            found: Float32 | None = None
            for rows, feed in self._feeds(tokens, kinds):
                logits = self.runtime.run(feed)
                if found is None:
                    found = np.empty((len(left), logits.shape[1]), np.float32)
                found[rows] = logits
        if found is None or not np.isfinite(found).all():
            raise ModelError(f"{self.name} gave a logit that is not a finite number")
        return found

    def _tokens(self, left: list[str], right: list[str]) -> tuple[Tokens, list[Int64]]:
        """The token sequence of each pair, and which of the two texts each token is of."""
        template, limit = self.settings.template, CHARACTERS * self.settings.max_tokens
        cut = [(a[:limit], b[:limit]) for a, b in zip(left, right, strict=True)]
        written: list[Any] = [fill(template, a, b) for a, b in cut] if template else list(cut)
        encodings = self._tokenizer.encode_batch(written)
        sequences = [np.array(each.ids, np.int64) for each in encodings]
        kinds = [np.array(each.type_ids, np.int64) for each in encodings]
        lengths = np.array([each.size for each in sequences], np.int64)
        padding = next((p for p in map(self._tokenizer.token_to_id, ("[PAD]", "<pad>")) if p is not None), 0)
        return Tokens(sequences, lengths, np.arange(len(left)), len(left), 0, 0, padding), kinds

    def _feeds(self, tokens: Tokens, kinds: list[Int64]) -> Iterator[tuple[Int64, dict[str, Int64]]]:
        """Batches of sequences of similar length, as the model takes them."""
        fixed = self.runtime.length
        for batch in batches(tokens, self.settings.max_tokens, BUDGET):
            types = np.zeros_like(batch.ids)
            types[batch.mask == 1] = np.concatenate([kinds[row] for row in batch.rows.tolist()])
            feed = {"input_ids": batch.ids, "attention_mask": batch.mask, "token_type_ids": types}
            if fixed is not None:
                missing = ((0, 0), (0, fixed - batch.ids.shape[1]))
                fill_by = {"input_ids": tokens.padding, "attention_mask": 0, "token_type_ids": 0}
                feed = {name: np.pad(array, missing, constant_values=fill_by[name]) for name, array in feed.items()}
            yield batch.rows, feed
