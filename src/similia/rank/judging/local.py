"""A causal language model on this machine as a judge, by the logits of Yes and No."""

from __future__ import annotations

import importlib.util
import json
import time
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from similia.encode.base import as_texts, fingerprint
from similia.encode.files import sha256
from similia.errors import InputError, ModelError
from similia.rank.judging.base import Float64, Tally, order_by

YES, NO = ("Yes", "yes", " Yes", " yes"), ("No", "no", " No", " no")
PROMPT_VERSION = 1
PARTS = ("*.json", "*.safetensors", "*.bin", "*.gguf", "*.model")


class LocalJudge:
    """Asks a language model whether an item meets the query, and reads how much more likely Yes is than No.

    The grade is e^yes / (e^yes + e^no), with the logits of the model's next token. It is one pass through the model a
    pair, and nothing is written by it. Needs the extra ``learn``.

    Args:
        folder: what transformers can load: a model with its tokenizer.
        criterion: what counts, in words, besides the query.
        batch: pairs that are run together.
        max_tokens: of query and item; the item is cut.
        gguf: the file in the folder, if the weights are in that format.

    Raises:
        ModelError: no model there, or the extra is missing.

    Source:
        Gu et al., UniME-V2: MLLM-as-a-Judge for Universal Multimodal Embedding Learning (AAAI 2026, arXiv 2510.13515).
    """

    def __init__(
        self,
        folder: Path | str,
        *,
        criterion: str = "",
        batch: int = 8,
        max_tokens: int = 1024,
        gguf: str | None = None,
    ) -> None:
        self.folder = Path(folder).expanduser()
        for package in ("torch", "transformers"):
            if importlib.util.find_spec(package) is None:
                raise ModelError(f"LocalJudge needs {package}; run: pip install 'similia[learn]'")
        if not self.folder.is_dir():
            raise ModelError(f"there is no folder {self.folder}; expected that of a causal language model")
        if batch < 1 or max_tokens < 64:
            raise InputError(f"batch {batch}, max_tokens {max_tokens}: at least 1 and 64 are needed")
        self.criterion = criterion
        self.batch = batch
        self.max_tokens = max_tokens
        self.gguf = gguf
        self.tally = Tally()

    @property
    def name(self) -> str:
        return self.folder.name

    @cached_property
    def fingerprint(self) -> str:
        files = sorted({path for pattern in PARTS for path in self.folder.glob(pattern)})
        return fingerprint(
            kind="yes or no",
            files={path.name: sha256(path) for path in files},
            prompt=PROMPT_VERSION,
            criterion=self.criterion,
            max_tokens=self.max_tokens,
            gguf=self.gguf,
        )

    @cached_property
    def _loaded(self) -> tuple[Any, Any, list[int], list[int]]:
        """Tokenizer, model, and the tokens that mean yes and no."""
        from transformers import AutoModelForCausalLM, AutoTokenizer  # type: ignore[import-not-found, unused-ignore]

        options = {"local_files_only": True, **({"gguf_file": self.gguf} if self.gguf else {})}
        try:
            tokenizer = AutoTokenizer.from_pretrained(str(self.folder), **options)
            model = AutoModelForCausalLM.from_pretrained(str(self.folder), **options).eval()
        except Exception as error:  # noqa: BLE001  (whatever a damaged model makes transformers raise)
            raise ModelError(f"{self.folder} cannot be loaded as a language model ({str(error)[:200]})") from None
        yes, no = (_single(tokenizer, words) for words in (YES, NO))
        if not yes or not no:
            raise ModelError(f"the tokenizer of {self.folder} has no single token for Yes and for No")
        return tokenizer, model, yes, no

    def grade(self, query: str, items: Sequence[str]) -> Float64:
        """See `Judge`."""
        texts, asked = as_texts(items), as_texts([query])[0]
        grades = np.full(len(texts), np.nan)
        started = time.perf_counter()
        order = np.argsort([-len(text) for text in texts], kind="stable")
        for start in range(0, len(texts), self.batch):
            places = order[start : start + self.batch]
            grades[places] = self._run(asked, [texts[place] for place in places])
        self.tally.milliseconds += 1000 * (time.perf_counter() - started)
        unusable = int(np.isnan(grades).sum())
        if unusable:
            self.tally.failures += unusable
            self.tally.last_error = "the model gave a logit that is not a number"
        return grades

    def order(self, query: str, items: Sequence[str]) -> list[int] | None:
        """See `Judge`."""
        grades = self.grade(query, items)
        return None if grades.size and np.isnan(grades).all() else order_by(grades)

    def prompt(self, query: str, item: str) -> list[int]:
        """The tokens that the model is given for a pair; its next one is to be Yes or No."""
        tokenizer = self._loaded[0]
        # The item is cut by tokens, so that the question after it is always whole.
        room = self.max_tokens - len(tokenizer.encode(self._question(query, ""), add_special_tokens=False))
        ids = tokenizer.encode(item, add_special_tokens=False)
        shown = item if len(ids) <= room else tokenizer.decode(ids[: max(1, room)])
        question = self._question(query, shown)
        if getattr(tokenizer, "chat_template", None):
            written = tokenizer.apply_chat_template(
                [{"role": "user", "content": question}], add_generation_prompt=True, tokenize=False
            )
            return list(tokenizer.encode(written, add_special_tokens=False))
        return list(tokenizer.encode(f"{question}\nAnswer:"))

    def _question(self, query: str, item: str) -> str:
        counts = f" What counts: {self.criterion}" if self.criterion else ""
        data = json.dumps({"query": query, "item": item}, ensure_ascii=False)
        return f"{data}\nDoes the item meet what the query asks for?{counts} Answer Yes or No."

    def _run(self, query: str, items: Sequence[str]) -> Float64:
        import torch

        tokenizer, model, yes, no = self._loaded
        rows = [self.prompt(query, item) for item in items]
        width = max(map(len, rows))
        padding = next((p for p in (tokenizer.pad_token_id, tokenizer.eos_token_id) if p is not None), 0)
        ids = torch.tensor([[padding] * (width - len(row)) + row for row in rows])
        mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows])
        self.tally.calls += 1
        with torch.inference_mode():
            # Padded on the left, so that the last column is the last token of every pair.
            positions = (mask.cumsum(dim=1) - 1).clamp(min=0)
            logits = model(input_ids=ids, attention_mask=mask, position_ids=positions).logits[:, -1].double()
            for_yes, for_no = (torch.logsumexp(logits[:, tokens], dim=1) for tokens in (yes, no))
            grades: Float64 = torch.sigmoid(for_yes - for_no).numpy()
        return grades


def _single(tokenizer: Any, words: Sequence[str]) -> list[int]:
    """The tokens that stand for one of the words as a whole."""
    unknown = tokenizer.unk_token_id
    found = (tokenizer.encode(word, add_special_tokens=False) for word in words)
    return sorted({ids[0] for ids in found if len(ids) == 1 and ids[0] != unknown})
