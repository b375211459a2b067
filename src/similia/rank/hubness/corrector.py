"""A bias for each item, so that items that are near to every query do not win everywhere."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.index.topk import check_k
from similia.measure.sinkhorn import check_scaling
from similia.rank.hubness.banks import Bank, Metric, check_metric, prepared
from similia.rank.hubness.pool import settled
from similia.types import Bool, Float32, Hits, Int64

Kind: TypeAlias = Literal["is", "dis", "dualis", "dualdis", "csls", "nnn", "sinkhorn"]
Float64: TypeAlias = npt.NDArray[np.float64]

DUAL = ("dualis", "dualdis")
DYNAMIC = ("dis", "dualdis")
FORMAT = 1
"""Version of the stored form."""


class HubnessCorrector:
    """Subtracts from each score what the item would score with anyone's query.

    A corrected score is ``score - strength * bias_[item]``, in units of the score. With P the similarities of a bank of
    queries (none of those that are asked) to the items, and T those of a bank of other items:

    - ``is``: inverted softmax; the bias is ``log(mean(exp(beta P))) / beta`` over the bank.
    - ``dis``: dynamic inverted softmax (QB-Norm); the same, but only for queries whose most similar item is active: it
      is among the k best of some query of the bank. Other queries keep their scores.
    - ``dualis``: both banks; ``(log(mean(exp(beta P))) + log(mean(exp(gallery_beta T)))) / (beta + gallery_beta)``.
    - ``dualdis``: both banks, each only for queries whose most similar item is active in that bank.
    - ``csls``: half the mean of the item's ``neighbours`` largest similarities to the bank.
    - ``nnn``: nearest neighbour normalisation; that mean as a whole. Its alpha is ``strength``.
    - ``sinkhorn``: the bias that balances the bank's scores at temperature 1 / beta, see `similia.measure.sinkhorn`.

    The published ratios are these up to a factor a query, which changes no ranking.

    Args:
        kind: one of those above.
        beta: how much the closest of the bank count, for cosines 1 to 100; 20 is a fair start, better to choose it
            (`choose_corrector`).
        gallery_beta: the same for the bank of items.
        k: how many items of each vector of a bank are active.
        neighbours: for "csls" and "nnn".
        strength: 0 (no correction) to 1; less than 1 is kinder to items that are popular with reason.
        rounds: of "sinkhorn".
        metric: of the scores, "cosine" or "dot".

    Attributes:
        biases_: float32 (parts, n): one part, or for "dualdis" one a bank, of the scores' unit.
        actives_: bool (parts, n) for the dynamic kinds, else None.

    Raises:
        InputError: a setting out of its range.

    Source:
        Wang, Jian and Xue, Balance Act: Mitigating Hubness in Cross-Modal Retrieval with Query and Gallery Banks (EMNLP
        2023). Smith et al., Offline bilingual word vectors (ICLR 2017), is. Bogolin et al., Cross Modal Retrieval with
        Querybank Normalisation (CVPR 2022), dis. Conneau et al., Word translation without parallel data (ICLR 2018),
        csls. Chowdhury et al., Nearest Neighbor Normalization Improves Multimodal Retrieval (EMNLP 2024), nnn.

    Examples:
        >>> items = [[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]]
        >>> bank = [[0.9, 0.5], [0.7, 0.7], [0.6, 0.9]]
        >>> corrector = HubnessCorrector("is", beta=20).fit(bank, items)
        >>> int(corrector.bias_.argmax())
        1
        >>> corrector.transform([[0.90, 0.92, 0.10]]).argmax(axis=1).tolist()
        [0]
    """

    def __init__(
        self,
        kind: Kind = "is",
        *,
        beta: float = 20.0,
        gallery_beta: float = 3.0,
        k: int = 1,
        neighbours: int = 10,
        strength: float = 1.0,
        rounds: int = 4,
        metric: Metric = "cosine",
    ) -> None:
        if kind not in get_args(Kind):
            raise InputError(f"kind {kind!r} is unknown; there are {', '.join(get_args(Kind))}")
        for name, value in (("beta", beta), ("gallery_beta", gallery_beta)):
            if not (np.isfinite(value) and value > 0):
                raise InputError(f"{name} is {value!r}; it must be a number above 0")
        if not 0 <= strength <= 1:
            raise InputError(f"strength is {strength!r}; it must be from 0 (no correction) to 1")
        check_k(k)
        check_k(neighbours)
        check_scaling(1 / beta, rounds)
        check_metric(metric)
        self.kind: Kind = kind
        self.beta, self.gallery_beta = float(beta), float(gallery_beta)
        self.k, self.neighbours, self.rounds = int(k), int(neighbours), int(rounds)
        self.strength = float(strength)
        self.metric: Metric = metric

    def fit(
        self,
        query_bank: npt.ArrayLike,
        gallery: npt.ArrayLike,
        gallery_bank: npt.ArrayLike | None = None,
        *,
        query_pairs: npt.ArrayLike | None = None,
        gallery_pairs: npt.ArrayLike | None = None,
    ) -> HubnessCorrector:
        """Learn the biases; takes bank x gallery similarities, and the memory of some of them.

        Args:
            query_bank: (b, d), queries like those that will be asked, but none that the correction is judged on.
            gallery: (n, d), all the items, in the order of their positions; a memory map will do.
            gallery_bank: (c, d), items like those of the gallery; for the dual kinds, and only for them.
            query_pairs: int (b,), the position of the right item of each query of the bank, -1 for none. Without it an
                item would be marked down for being the answer to a query.
            gallery_pairs: int (c,), the position in the gallery of each item of its bank, -1 for none.

        Warns:
            UserWarning: an empty bank; its biases are 0, which leaves raw scores.

        Raises:
            InputError: vectors that do not fit, or a gallery bank that is missing or of no use.
        """
        if (gallery_bank is None) == (self.kind in DUAL):
            need = "needs a gallery bank" if self.kind in DUAL else "takes no gallery bank; the dual kinds do"
            raise InputError(f"kind {self.kind!r} {need}")
        first = Bank(query_bank, gallery, self.metric, query_pairs, "query bank")
        second = (
            None if gallery_bank is None else Bank(gallery_bank, gallery, self.metric, gallery_pairs, "gallery bank")
        )
        return self.fit_banks(first, second)

    def fit_banks(self, queries: Bank, others: Bank | None = None) -> HubnessCorrector:
        """`fit` from banks that may have been used before, which keep what was computed."""
        for bank, name in ((queries, "query"), (others, "gallery")):
            if bank is not None and not len(bank):
                warnings.warn(f"the {name} bank is empty; scores stay as they are on its side", stacklevel=3)
        used = [(bank, beta) for bank, beta in ((queries, self.beta), (others, self.gallery_beta)) if bank]
        total = sum(beta for _, beta in used)
        biases = [self._bias(bank, beta) * (beta / total) for bank, beta in used]
        if self.kind not in DYNAMIC:
            biases = [np.sum(biases, axis=0)] if biases else []
        if not biases:
            biases = [np.zeros(len(queries.items))]
        self.biases_: Float32 = np.array(biases, np.float32)
        self.actives_: Bool | None = None
        if self.kind in DYNAMIC:
            led = [bank.led(self.k) for bank, _ in used]
            self.actives_ = np.array(led or [np.zeros(len(queries.items), np.bool_)])
        self._bank = _digests(queries.vectors)
        self._orders: dict[bytes, Int64] = {}
        return self

    def _bias(self, bank: Bank, beta: float) -> Float64:
        if self.kind == "csls":
            return bank.mean_of_best(self.neighbours) / 2
        if self.kind == "nnn":
            return bank.mean_of_best(self.neighbours)
        if self.kind == "sinkhorn":
            return bank.balanced(beta, self.rounds)
        return bank.soft(beta)

    @property
    def bias_(self) -> Float32:
        """What is subtracted at strength 1, float32 (n,); of the dynamic kinds, where all of it applies."""
        bias: Float32 = self._fitted().sum(axis=0)
        return bias

    @property
    def active_(self) -> Bool | None:
        """Items that a query must be led to for any correction; bool (n,); None where all are corrected."""
        self._fitted()
        return None if self.actives_ is None else np.logical_or.reduce(self.actives_)

    def transform(self, scores: npt.ArrayLike) -> Float32:
        """Corrected scores of all items, the definition: float32 (q, n).

        Args:
            scores: (q, n), or (n,) for one query, of the metric; -inf is an item that must not be found.

        Raises:
            InputError: another number of items, or NaN.
        """
        biases = self._fitted()
        raw = np.atleast_2d(np.asarray(scores, np.float32))
        if raw.ndim != 2 or raw.shape[1] != biases.shape[1]:
            raise InputError(f"scores are {raw.shape}; they must be (q, {biases.shape[1]}), one an item")
        if np.isnan(raw).any():
            raise InputError("scores hold NaN; they must be numbers, or -inf for what must not be found")
        if not raw.size:
            return raw.copy()
        corrected = raw.copy()
        step = max(1, 2**22 // raw.shape[1])
        for start in range(0, len(raw), step):
            part = slice(start, start + step)
            corrected[part] -= self._gates(raw[part].argmax(axis=1)) @ (np.float32(self.strength) * biases)
        return corrected

    def correct(self, hits: Hits, k: int) -> tuple[Hits, Bool]:
        """The k best of a pool after correction, and whether they are those of the whole collection.

        Args:
            hits: the raw best of each query, best first, found by exact search; ids are positions in the gallery. The
                deeper the pool, the more often the answer is certain.
            k: places a query.

        Returns:
            hits with corrected scores, equal ones by lower id; and bool (q,), True where no item outside of the pool
            can be among the k: even with the least bias of those, the lowest raw score of the pool stays below.

        Raises:
            InputError: a k below 1, or ids that are no positions of the gallery.

        Examples:
            >>> items = [[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]]
            >>> corrector = HubnessCorrector("nnn", neighbours=1).fit([[0.8, 0.6]], items)
            >>> found, certain = corrector.correct(Hits([[1, 0, 2]], [[0.98, 0.90, 0.44]]), k=1)
            >>> found.ids.tolist(), certain.tolist()
            ([[0]], [True])
        """
        check_k(k)
        biases = self._fitted()
        if hits.ids.size and int(hits.ids.max()) >= biases.shape[1]:
            raise InputError(f"hits hold the id {int(hits.ids.max())}; there are {biases.shape[1]} items, from 0 on")
        gates = self._gates(hits.ids[:, 0] if hits.k else np.full(len(hits), -1))
        return settled(hits, k, biases, gates, self._rising, self.strength)

    def augment_items(self, gallery: npt.ArrayLike) -> Float32:
        """The items with a coordinate more for each part of the bias: float32 (n, d + parts).

        Inner products of `augment_queries` with these are corrected scores, so a search by inner product needs no
        correction afterwards.

        Raises:
            InputError: another number of items than were learnt from.
        """
        biases = self._fitted()
        items = prepared(gallery, self.metric, "gallery")
        if len(items) != biases.shape[1]:
            raise InputError(f"gallery holds {len(items)} items; the biases are of {biases.shape[1]}")
        return np.concatenate((items, -np.float32(self.strength) * biases.T), axis=1)

    def augment_queries(self, queries: npt.ArrayLike, nearest: npt.ArrayLike | None = None) -> Float32:
        """The queries with coordinates 1, or 0 where a part does not apply to a query: float32 (q, d + parts).

        Args:
            queries: (q, d).
            nearest: int (q,), the position of each one's most similar item by raw score; the dynamic kinds need it.

        Raises:
            InputError: positions that are missing where they are needed, or out of range.
        """
        count = self._fitted().shape[1]
        asked = prepared(queries, self.metric, "queries")
        if self.actives_ is not None:
            if nearest is None:
                raise InputError(f"kind {self.kind!r} needs the most similar item of each query to know if it applies")
            leaders = np.asarray(nearest)
            if leaders.shape != (len(asked),) or leaders.dtype.kind not in "iu" or not (leaders < count).all():
                raise InputError(f"nearest must be positions ({len(asked)},) from 0 to {count - 1}, or -1 for none")
            return np.concatenate((asked, self._gates(leaders)), axis=1)
        return np.concatenate((asked, np.ones((len(asked), len(self.biases_)), np.float32)), axis=1)

    def overlap(self, queries: npt.ArrayLike) -> Bool:
        """Which queries stand in the query bank, bool (q,): on those a correction must not be judged."""
        self._fitted()
        return np.isin(_digests(prepared(queries, self.metric, "queries")), self._bank)

    def _rising(self, gates: Float32) -> Int64:
        """The items in the order of the bias that some gates let through, the least first; kept from call to call."""
        key = gates.tobytes()
        if key not in self._orders:
            self._orders[key] = np.argsort(gates @ self.biases_, kind="stable").astype(np.int64)
        return self._orders[key]

    def _gates(self, leaders: npt.ArrayLike) -> Float32:
        """Which parts apply to each query, 1 or 0, (q, parts); -1 leads to none."""
        at = np.asarray(leaders, np.int64)
        parts = len(self.biases_)
        if self.actives_ is None:
            return np.ones((len(at), parts), np.float32)
        if not self.actives_.shape[1]:
            return np.zeros((len(at), parts), np.float32)
        return np.where(at >= 0, self.actives_[:, at], False).T.astype(np.float32)

    def _fitted(self) -> Float32:
        if not hasattr(self, "biases_"):
            raise InputError("the corrector has learnt no biases yet; call fit first")
        return self.biases_

    def to_dict(self) -> dict[str, Any]:
        """The settings, JSON-ready; what was learnt is in `arrays`."""
        names = ("kind", "beta", "gallery_beta", "k", "neighbours", "strength", "rounds", "metric")
        return {"format": FORMAT, **{name: getattr(self, name) for name in names}}

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """What was learnt, to be stored as it is: ``biases``, ``bank`` and, for the dynamic kinds, ``actives``."""
        found: dict[str, npt.NDArray[Any]] = {"biases": self._fitted(), "bank": self._bank}
        return found if self.actives_ is None else {**found, "actives": self.actives_}

    @classmethod
    def from_dict(
        cls, stored: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]] | None = None
    ) -> HubnessCorrector:
        """What `to_dict` and `arrays` gave; without arrays, one that has still to learn.

        Raises:
            InputError: another format, or settings or arrays that are missing or do not fit.

        Examples:
            >>> corrector = HubnessCorrector("dis").fit([[1.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]])
            >>> HubnessCorrector.from_dict(corrector.to_dict(), corrector.arrays()).active_.tolist()
            [True, False]
        """
        settings = dict(stored)
        if settings.pop("format", None) != FORMAT:
            raise InputError(f"a corrector stored in format {stored.get('format')!r}; this version reads {FORMAT}")
        try:
            made = cls(**settings)
        except TypeError as error:
            raise InputError(f"the stored settings of a corrector do not fit this version ({error})") from None
        if arrays is None:
            return made
        missing = {"biases", "bank", *(["actives"] if made.kind in DYNAMIC else [])} - {*arrays}
        if missing:
            raise InputError(f"the stored corrector lacks {', '.join(sorted(missing))}")
        made.biases_ = np.ascontiguousarray(arrays["biases"], np.float32)
        made.actives_ = np.asarray(arrays["actives"], np.bool_) if made.kind in DYNAMIC else None
        made._bank = np.asarray(arrays["bank"], np.int64)
        made._orders = {}
        if made.biases_.ndim != 2 or (made.actives_ is not None and made.actives_.shape != made.biases_.shape):
            raise InputError(f"the stored biases have shape {made.biases_.shape}; they and actives must be (parts, n)")
        return made

    def __repr__(self) -> str:
        fitted = f", {self.biases_.shape[1]:,} items" if hasattr(self, "biases_") else ""
        return f"HubnessCorrector({self.kind!r}, beta={self.beta:g}, strength={self.strength:g}{fitted})"


def _digests(vectors: Float32) -> Int64:
    """A number for each vector, equal for equal ones, rounded so that it does not go by the last digits: (m,)."""
    steps = np.rint(vectors * 2.0**12).astype(np.int64)
    factors = np.random.default_rng(0).integers(1, 2**62, size=vectors.shape[1], dtype=np.int64) | 1
    with np.errstate(over="ignore"):
        return np.asarray((steps * factors).sum(axis=1), np.int64)
