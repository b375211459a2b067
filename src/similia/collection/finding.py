"""The searching verbs of a collection."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from similia.collection.results import Results
from similia.collection.workspace import Workspace

if TYPE_CHECKING:
    import numpy.typing as npt

    from similia.collection.evaluated import CollectionEvaluation
    from similia.collection.settings import Setting
    from similia.evaluate.judged import Qrels, Run
    from similia.rank import Judge


class Finding:
    """Finds items; `similia.Collection` is one."""

    _space: Workspace

    def search(
        self,
        query: object = None,
        *,
        like: object = None,
        unlike: object = None,
        sense: str = "topic",
        mode: Literal["hybrid", "dense", "text"] = "hybrid",
        where: str | None = None,
        k: int = 10,
        offset: int = 0,
        recall: float | None = None,
        min_relevance: float | None = None,
        rerank: Judge | str | None = None,
        rerank_top: int = 20,
        evidence: int = 0,
    ) -> Results:
        """Find the k items most similar to a text, a vector or an item; fewer where fewer pass the filter.

        Args:
            query: a text, a mapping of texts to their weights (below 0 for what is not wanted), or a vector (d,).
            like: the key of an item or several, instead of a query or beside it; they are left out themselves.
            unlike: keys of items that hits should not be like; left out as well.
            sense: in which to search.
            mode: ``dense`` compares vectors, ``text`` looks for words (BM25), ``hybrid`` blends both.
            where: a filter, such as ``year >= 2020 AND area IN ('search', 'audio')``.
            k: how many, 1 to 10,000.
            offset: how many of the best to pass over.
            recall: the share of the nearest vectors to be found where there is an index (see `indexes`), 1 for all.
            min_relevance: leave out what is relevant with less probability; nothing is found where the collection
                holds nothing on the query. Learnt from `judgments` where there are some.
            rerank: a judge that reads the first hits, or the name of one, such as ``pair:FOLDER`` (a cross-encoder) or
                ``chat:ADDRESS#MODEL``; see `similia.collection.reranking.judge_of`.
            rerank_top: how many it reads.
            evidence: how many sentences are to be shown that speak for each hit.

        Raises:
            InputError: nothing to look for, a blank query, a number out of range, a vector that does not fit, a filter
                that does not parse, or ``dense`` for a text in a sense without an encoder.
            UnknownSense, UnknownItem: no such sense or item; names the nearest.
            FingerprintMismatch: the encoder here is another than the one that made the sense.
        """
        from similia.collection.answering import search

        asked: dict[str, Any] = {"sense": sense, "mode": mode, "where": where, "k": k, "offset": offset}
        asked |= {"min_relevance": min_relevance, "rerank": rerank, "rerank_top": rerank_top, "evidence": evidence}
        return search(self._space, query, like=like, unlike=unlike, recall=recall, **asked)

    def search_many(
        self,
        queries: Sequence[str] | npt.ArrayLike,
        *,
        where: str | Sequence[str | None] | None = None,
        **how: Any,
    ) -> list[Results]:
        """Search for many texts or vectors (q, d) at once: the same results, faster than one by one.

        Arguments and errors are those of `search`; ``where`` is one filter for all, or one for each query. There are no
        ``like``, ``unlike`` and ``offset``; ``progress`` shows a bar or hides it.
        """
        from similia.collection.together import search_many

        return search_many(self._space, queries, where=where, **how)

    def similar(
        self,
        key: object,
        *,
        sense: str = "topic",
        mode: Literal["hybrid", "dense", "text"] = "dense",
        where: str | None = None,
        k: int = 10,
        offset: int = 0,
    ) -> Results:
        """The nearest neighbours of an item, without it: `search` with ``like=key`` and ``mode="dense"``."""
        return self.search(like=key, sense=sense, mode=mode, where=where, k=k, offset=offset)

    def evaluate(
        self,
        queries: Mapping[str, str] | Sequence[str] | str | os.PathLike[str] | None = None,
        judgments: Qrels | str | os.PathLike[str] | None = None,
        *,
        settings: Mapping[str, Setting] | None = None,
        runs: Mapping[str, Run | str | os.PathLike[str]] | None = None,
        metrics: Sequence[str] = ("ndcg@10", "map", "mrr", "recall@100"),
        k: int = 100,
        sense: str = "topic",
        where: str | None = None,
        relevant_from: float | None = None,
        drop_unknown: bool = False,
        limit: int | None = None,
        seed: int = 0,
        progress: bool | None = None,
    ) -> CollectionEvaluation:
        """Measure how good ways to search are, by judgments of which items are relevant.

        Interrupted, it gives what was finished in every setting, and says so (``partial``).

        Args:
            queries: id -> text, a list of texts, or a file; where None, those of the judgments.
            judgments: query -> key of an item -> grade, or a file; where None, `judgments` in this sense.
            settings: name -> way to search, the first of which the others are tested against; where None: hybrid,
                dense and text, as far as the sense can.
            runs: name -> what another system found, query -> key -> score, or a file.
            metrics: as in `similia.evaluate.evaluate`.
            k: results a query; more where a metric looks deeper.
            sense: of settings that name none.
            where: a filter for all; relevant items that do not pass count as missed.
            relevant_from: the grade from which an item is relevant, for all but nDCG; above 0 where None.
            drop_unknown: leave judged items out that are not there; else they count as missed where relevant.
            limit: only so many of the queries, the first.
            seed: of intervals and tests.
            progress: as in `add`.

        Raises:
            InputError: nothing is judged, nothing is relevant, none of the judged items is here, or a setting that
                cannot be.
            SourceError: a file that cannot be read; names the line.
            UnknownSense: no such sense.

        Examples:
            >>> import tempfile
            >>> from similia import Collection
            >>> rows = [{"id": "a", "title": "Ranking by fusion"}, {"id": "b", "title": "Tea and cake"}]
            >>> qrels = {"fused rankings": {"a": 1}, "tea": {"b": 1}}
            >>> with tempfile.TemporaryDirectory() as folder, Collection.open(folder + "/c", create=True) as shelf:
            ...     report = shelf.add(rows, key="id", text="title", encoder="hashing")
            ...     found = shelf.evaluate(None, qrels, metrics=["mrr"])
            >>> found.trial.evaluations["hybrid"].mean("mrr")
            1.0
        """
        from similia.collection.evaluating import evaluate_collection

        how: dict[str, Any] = {"settings": settings, "runs": runs, "metrics": metrics, "k": k, "sense": sense}
        how |= {"where": where, "relevant_from": relevant_from, "drop_unknown": drop_unknown, "limit": limit}
        return evaluate_collection(self, queries, judgments, seed=seed, progress=progress, **how)  # type: ignore[arg-type]
