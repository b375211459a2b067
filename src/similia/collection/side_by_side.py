"""The same queries asked in several settings, a few at a time, so that what is finished is finished in all of them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from similia.collection.evaluation_input import Material
from similia.collection.results import Results
from similia.collection.settings import Setting
from similia.collection.workspace import State
from similia.errors import InputError, SimiliaError
from similia.progress import Progress

if TYPE_CHECKING:
    from similia.collection.collection import Collection

TOGETHER = 32
"""Queries that are asked in every setting before the next are."""


class Asking:
    """The queries, asked in every setting; what was found so far.

    Attributes:
        settings: those that can be.
        runs: setting -> query -> item -> score.
        relevance: the same with probabilities of relevance, for the queries for which a setting gives any.
        seconds: setting -> time.
        done: the queries that are finished in every setting.
        notes: what a reader has to know.
        ended: why it ended before all were; "" where it did not.
    """

    def __init__(
        self,
        collection: Collection,
        state: State,
        asked: Material,
        settings: Mapping[str, Setting],
        where: str | None,
        k: int,
        *,
        optional: bool,
    ) -> None:
        self.settings = dict(settings)
        self.runs: dict[str, dict[str, dict[str, float]]] = {name: {} for name in settings}
        self.relevance: dict[str, dict[str, dict[str, float]]] = {name: {} for name in settings}
        self.seconds = dict.fromkeys(settings, 0.0)
        self.done: list[str] = []
        self.notes: list[str] = []
        self.ended = ""
        self._collection, self._state, self._asked = collection, state, asked
        self._where, self.k, self._optional = where, k, optional
        self._said: Counter[tuple[str, str]] = Counter()

    def run(self, progress: Progress) -> None:
        """Ask all, or until somebody interrupts or the machine refuses; what is finished by then stays.

        Raises:
            InputError: a setting that cannot be; and whatever happens before the first queries are finished.
        """
        self._take_up()
        queries = list(self._asked.texts)
        for start in range(0, len(queries), TOGETHER):
            some = queries[start : start + TOGETHER]
            try:
                self._ask(some)
            except (KeyboardInterrupt, SimiliaError) as stopped:
                if not self.done:
                    raise
                self.ended = str(stopped) or "interrupted"
                break
            progress.advance(len(some))
        for (name, note), count in self._said.items():
            self.notes.append(f"{name}: {note} ({count:,} {'query' if count == 1 else 'queries'})")

    def _take_up(self) -> None:
        from similia.collection.losing import take_up

        for sense in {str(one.sense) for one in self.settings.values() if one.mode != "text"}:
            take_up(self._state.vectors(self._state.ready(sense)))

    def _ask(self, queries: Sequence[str]) -> None:
        """Ask some queries in every setting, and then take in what was found."""
        finished = {}
        for name, setting in list(self.settings.items()):
            began = time.perf_counter()
            try:
                found = self._found(setting, queries)
            except InputError as error:
                if not self._optional or self.done or len(self.settings) == 1:
                    raise InputError(f"setting {name!r}: {error}") from None
                self.notes.append(f"{name} is left out: {error}")
                del self.settings[name]
                continue
            finished[name] = (found, time.perf_counter() - began)
        for name, (found, seconds) in finished.items():
            self.seconds[name] += seconds
            for query, one in found.items():
                self.runs[name][query] = {} if isinstance(one, str) else run_of(one)
                if not isinstance(one, str) and one.relevance is not None:
                    self.relevance[name][query] = dict(zip(one.keys, one.relevance.tolist(), strict=True))
                note = f"nothing is found, as {one}" if isinstance(one, str) else one.note
                if note:
                    self._said[name, note] += 1
        self.done += queries

    def _found(self, setting: Setting, queries: Sequence[str]) -> dict[str, Results | str]:
        """What some queries find, or why one cannot be asked.

        Raises:
            InputError: none of the first queries can be asked, so that it is for the setting.
        """
        search = self._collection.search_many
        how: dict[str, Any] = {"where": self._where, "k": self.k, "progress": False, **setting.arguments()}
        texts = [self._asked.texts[query] for query in queries]
        try:
            return dict(zip(queries, search(texts, **how), strict=True))
        except InputError:
            found: dict[str, Results | str] = {}
            for query, text in zip(queries, texts, strict=True):
                try:
                    found[query] = search([text], **how)[0]
                except InputError as error:
                    found[query] = str(error)
            if not self.done and all(isinstance(one, str) for one in found.values()):
                raise
            return found


def run_of(results: Results) -> dict[str, float]:
    """Results as item -> score, falling strictly, so that whoever sorts by score gets the order that was shown.

    Of equal scores the later ones are lowered by the least step of float32, which other tools may compute in.
    """
    scores: dict[str, float] = {}
    last = np.float32(np.inf)
    for key, score in zip(results.keys, results.scores, strict=True):
        last = min(np.float32(score), np.nextafter(last, np.float32(-np.inf)))
        scores[key] = float(last)
    return scores
