"""A language model behind an endpoint that speaks OpenAI's chat protocol, as a judge."""

from __future__ import annotations

import hashlib
import json
import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from similia.encode.base import as_texts, fingerprint
from similia.errors import InputError
from similia.rank.judging import prompts
from similia.rank.judging.base import Float64, Tally
from similia.rank.judging.budget import Budget
from similia.rank.judging.permutation import average_order, named_grades, named_positions
from similia.rank.judging.transport import RequestFailed, chat_url, post_json, public_url

T = TypeVar("T")
LONGEST_PAUSE = 30.0  # seconds between two attempts, unless the server asks for more
KEPT = 1_000  # replies


@dataclass(frozen=True)
class Reply:
    """What a model wrote, kept since models behind an endpoint change.

    Attributes:
        prompt: SHA-256 of the messages.
        model: which model the endpoint says that it was.
        text: what it wrote.
    """

    prompt: str
    model: str
    text: str


class ChatJudge:
    """Asks a language model over HTTP: a verdict for each item (`grade`), or a ranking of all in one call (`order`).

    Any server will do that answers ``POST /chat/completions`` as OpenAI's does: a llama.cpp or vLLM server on this
    machine, or a paid service. Temperature is 0 and the seed is fixed. Failing requests are tried again with growing
    pauses; what stays without a usable answer is NaN or None, and is counted in ``tally``.

    Models favour items by their place in the list. Items are therefore shown in a shuffled order; with ``orders=2``
    also in the reverse of it, at twice the price, and the two answers are averaged.

    Args:
        endpoint: the base address, such as ``http://127.0.0.1:8080/v1``.
        model: which model to ask for.
        key: of a paid service. It is sent with each request, and is part of no file, error or fingerprint.
        criterion: what counts, in words, besides the query.
        orders: how many orders of the items a ranking is asked for.
        shuffle: whether items are shuffled; if not, they are shown as they come.
        window: the most items that are shown at once; later ones keep their place behind.
        longest: characters of an item or query that are shown.
        max_tokens: the most that the model may write for a request.
        timeout: seconds for one request.
        retries: further attempts after the first.
        pause: seconds before the second attempt; doubled for each further one.
        budget: what may be spent; None for no limit.
        seed: of the shuffling, and sent to the model.
        json_mode: whether ``response_format`` asks for a JSON object; left out where the server refuses it.

    Raises:
        InputError: an endpoint that is no address, or a setting out of range.

    Source:
        Wu et al., Chain-of-Thought Re-ranking for Image Retrieval Tasks (arXiv 2509.14746, 2025).

    Examples:
        >>> judge = ChatJudge("http://127.0.0.1:8080/v1", "qwen", key="secret", budget=Budget(calls=0))
        >>> judge
        ChatJudge('http://127.0.0.1:8080/v1/chat/completions', 'qwen')
        >>> judge.order("a query", ["one", "two"]) is None, judge.tally.last_error
        (True, 'the budget is spent')
    """

    batch = 1

    def __init__(
        self,
        endpoint: str,
        model: str,
        *,
        key: str | None = None,
        criterion: str = "",
        orders: int = 1,
        shuffle: bool = True,
        window: int = 20,
        longest: int = 2_000,
        max_tokens: int = 2_000,
        timeout: float = 60.0,
        retries: int = 3,
        pause: float = 1.0,
        budget: Budget | None = None,
        seed: int = 0,
        json_mode: bool = True,
    ) -> None:
        least = {"orders": 1, "window": 1, "longest": 1, "max_tokens": 1, "retries": 0, "pause": 0}
        given = {"orders": orders, "window": window, "longest": longest, "max_tokens": max_tokens}
        for name, value in {**given, "retries": retries, "pause": pause}.items():
            if not value >= least[name]:
                raise InputError(f"{name} is {value!r}; it must be at least {least[name]}")
        if not timeout > 0:
            raise InputError(f"timeout is {timeout!r}; it must be a number of seconds above 0")
        self._url = chat_url(endpoint)
        self._key = key
        self.model = model
        self.criterion = criterion
        self.orders = orders
        self.shuffle = shuffle
        self.window = window
        self.longest = longest
        self.max_tokens = max_tokens
        self.timeout = timeout
        self.retries = retries
        self.pause = pause
        self.budget = budget or Budget()
        self.seed = seed
        self.tally = Tally()
        self.replies: deque[Reply] = deque(maxlen=KEPT)
        self._json_mode = json_mode

    def __repr__(self) -> str:
        return f"ChatJudge({public_url(self._url)!r}, {self.model!r})"

    def __getstate__(self) -> dict[str, Any]:
        raise TypeError("a ChatJudge is not pickled, since it holds a key; make one in each process")

    @property
    def name(self) -> str:
        return f"{self.model} at {public_url(self._url)}"

    @property
    def fingerprint(self) -> str:
        return fingerprint(
            kind="chat",
            url=public_url(self._url),
            model=self.model,
            prompts=prompts.VERSION,
            criterion=self.criterion,
            orders=self.orders,
            shuffle=self.shuffle,
            window=self.window,
            longest=self.longest,
            max_tokens=self.max_tokens,
            seed=self.seed,
        )

    def grade(self, query: str, items: Sequence[str]) -> Float64:
        """The model's verdict on each item, one request each: 0, 1/3, 2/3 or 1; NaN where there is no usable one."""
        asked, shown = self._shown(query), [self._shown(item) for item in as_texts(items)]
        grades = np.full(len(shown), np.nan)
        for place, item in enumerate(shown):
            found = self._ask(prompts.pointwise(asked, item, self.criterion), _one_grade)
            if found is not None:
                grades[place] = found
        return grades

    def order(self, query: str, items: Sequence[str]) -> list[int] | None:
        """The model's ranking of all items, in ``orders`` requests; None where none of them had a usable answer."""
        asked, texts = self._shown(query), [self._shown(item) for item in as_texts(items)]
        count = min(len(texts), self.window)
        if count < 2:
            return list(range(len(texts)))
        places = list(range(count))
        if self.shuffle:
            # The seed is the query's too, or one unlucky order would be that of every query.
            digest = hashlib.sha256(asked.encode()).digest()[:8]
            random.Random(self.seed + int.from_bytes(digest, "big")).shuffle(places)  # noqa: S311
        found = []
        for turn in range(self.orders):
            shown = places if turn % 2 == 0 else places[::-1]
            messages = prompts.listwise(asked, [texts[place] for place in shown], self.criterion)
            ranked = self._ask(messages, lambda text: named_positions(text, count) or None)
            if ranked is not None:
                first = [shown[position] for position in ranked]
                found.append(first + [place for place in range(count) if place not in {*first}])
        return average_order(found) + list(range(count, len(texts))) if found else None

    def _shown(self, text: str) -> str:
        return as_texts([text])[0][: self.longest]

    def _ask(self, messages: list[dict[str, str]], usable: Callable[[str], T | None]) -> T | None:
        """What ``usable`` makes of the reply; None after all attempts failed."""
        reason = ""
        for attempt in range(self.retries + 1):
            if not self.budget.take():
                reason = "the budget is spent"
                break
            started = time.monotonic()
            wait = 0.0
            try:
                text = self._request(messages, self.seed + attempt)
                found = usable(text)
                if found is not None:
                    return found
                reason = f"no usable answer in the reply {text[:80]!r}"
            except RequestFailed as error:
                reason, wait = self._without_key(str(error)), error.wait
                if error.status == 400 and self._json_mode and "response_format" in reason:
                    self._json_mode = False
                elif not error.passing:
                    break
            finally:
                seconds = time.monotonic() - started
                self.budget.spend(seconds)
                self.tally.calls += 1
                self.tally.milliseconds += 1000 * seconds
            if attempt < self.retries:
                time.sleep(min(max(wait, min(self.pause * 2**attempt, LONGEST_PAUSE)), self.budget.seconds_left))
        self.tally.failures += 1
        self.tally.last_error = reason
        return None

    def _request(self, messages: list[dict[str, str]], seed: int) -> str:
        body: dict[str, Any] = {
            "model": self.model,
            "messages": messages,
            "temperature": 0,
            "seed": seed,
            "max_tokens": self.max_tokens,
        }
        if self._json_mode:
            body["response_format"] = {"type": "json_object"}
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        reply = post_json(self._url, body, headers, timeout=min(self.timeout, max(0.05, self.budget.seconds_left)))
        try:
            text = reply["choices"][0]["message"]["content"]
        except (KeyError, IndexError, TypeError):
            raise RequestFailed(f"the reply is not that of a chat: {str(reply)[:80]}") from None
        if not isinstance(text, str):
            raise RequestFailed("the reply holds no text")
        digest = hashlib.sha256(json.dumps(messages, sort_keys=True).encode("ascii")).hexdigest()
        self.replies.append(Reply(digest, str(reply.get("model", "")), text))
        return text

    def _without_key(self, text: str) -> str:
        """Some servers repeat the key in their errors."""
        return text.replace(self._key, "***") if self._key else text


def _one_grade(text: str) -> float | None:
    grade = named_grades(text, 1)[0]
    return None if np.isnan(grade) else float(grade)
