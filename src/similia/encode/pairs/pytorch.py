"""Pair models that only PyTorch runs, through transformers, where the extra ``learn`` is installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from similia.encode.base import fingerprint
from similia.encode.files import sha256
from similia.encode.pairs.base import as_pairs, check_template, fill, probability
from similia.encode.sentence_transformer import PARTS
from similia.errors import ModelError
from similia.types import Float32

BATCH = 32  # pairs that are run together


@dataclass(frozen=True)
class TorchCrossEncoder:
    """A sequence classifier of transformers, as cross-encoders of sentence-transformers are, on PyTorch.

    Attributes:
        name: what to call it.
        folder: the model's folder.
        max_tokens: tokens of both texts; the longer is cut first.
        positive: which label says that a pair fits.
        template: as in `similia.encode.pairs.PairSettings`.
    """

    name: str
    folder: Path
    max_tokens: int
    positive: int
    template: str | None = None

    @classmethod
    def open(
        cls, folder: Path, name: str, *, max_tokens: int, positive: int, template: str | None, reason: str
    ) -> TorchCrossEncoder:
        """Make sure that PyTorch is there; ``reason`` says why it is needed."""
        check_template(template)
        for package in ("torch", "transformers"):
            if importlib.util.find_spec(package) is None:
                raise ModelError(
                    f"{folder} {reason}, so it needs PyTorch; run: pip install 'similia[learn]', or take a folder "
                    "with onnx/model.onnx and tokenizer.json"
                )
        return cls(name, folder, max_tokens, positive, template)

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        """Tokenizer and model."""
        from transformers import (  # type: ignore[import-not-found, unused-ignore]
            AutoModelForSequenceClassification,
            AutoTokenizer,
        )

        try:
            tokenizer = AutoTokenizer.from_pretrained(str(self.folder), local_files_only=True)
            model = AutoModelForSequenceClassification.from_pretrained(str(self.folder), local_files_only=True)
        except Exception as error:  # noqa: BLE001  (whatever a damaged model makes transformers raise)
            raise ModelError(f"{self.folder} cannot be loaded as a cross-encoder ({str(error)[:200]})") from None
        return tokenizer, model.float().eval()

    @cached_property
    def fingerprint(self) -> str:
        files = sorted({path for pattern in PARTS for path in self.folder.rglob(pattern)})
        return fingerprint(
            kind="cross-encoder on PyTorch",
            files={path.relative_to(self.folder).as_posix(): sha256(path) for path in files},
            max_tokens=self.max_tokens,
            positive=self.positive,
            template=self.template,
        )

    def score(self, left: Sequence[str], right: Sequence[str]) -> Float32:
        """How well each pair fits: float32 (n,) in 0 to 1."""
        logits = self.logits(left, right)
        return probability(logits, self.positive) if len(logits) else logits[:, 0]

    def logits(self, left: Sequence[str], right: Sequence[str]) -> Float32:
        """What the model says of each pair, float32 (n, labels); (0, 1) where there is no pair."""
        first, second = as_pairs(left, right)
        if not first:
            return np.empty((0, 1), np.float32)
        import torch

        tokenizer, model = self._loaded
        written = [fill(self.template, a, b) for a, b in zip(first, second, strict=True)] if self.template else None
        order = np.argsort([-len(a) - len(b) for a, b in zip(first, second, strict=True)], kind="stable").tolist()
        parts: list[Float32] = []
        with torch.inference_mode():
            for start in range(0, len(order), BATCH):
                at = order[start : start + BATCH]
                texts = [written[i] for i in at] if written else [first[i] for i in at]
                batch = tokenizer(
                    texts,
                    text_pair=None if written else [second[i] for i in at],
                    padding=True,
                    truncation="longest_first",
                    max_length=self.max_tokens,
                    return_tensors="pt",
                )
                parts.append(model(**batch).logits.numpy())
        found = np.empty((len(order), parts[0].shape[1]), np.float32)
        found[order] = np.concatenate(parts)
        return found
