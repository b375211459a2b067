"""The searching verbs of a collection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from similia.collection.results import Results
from similia.collection.workspace import Workspace

if TYPE_CHECKING:
    import numpy.typing as npt

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
