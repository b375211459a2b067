"""Which correction to take, by how well validation queries find what is right for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.rank.hubness.banks import Bank, prepared
from similia.rank.hubness.corrector import DUAL, HubnessCorrector, Kind
from similia.types import Float32, Int64

GRID = tuple(float(f"{beta:.2g}") for beta in np.geomspace(1, 100, 9))
"""Values of beta that are tried: 1 to 100, evenly in the logarithm."""
_SCORES = 4 * 2**20  # scores that are held at a time


@dataclass(frozen=True)
class Trial:
    """How one setting did on the validation queries: the share found first, and the mean reciprocal rank."""

    settings: dict[str, Any]
    first: float
    reciprocal: float


@dataclass(frozen=True, eq=False)
class Choice:
    """What was chosen.

    Attributes:
        corrector: the best of those that were tried, fitted.
        raw: without any correction.
        trials: each setting that was tried, in the order given.
    """

    corrector: HubnessCorrector
    raw: Trial
    trials: tuple[Trial, ...]

    @property
    def best(self) -> Trial:
        """How the best of the settings did."""
        return max(self.trials, key=_merit)

    @property
    def helps(self) -> bool:
        """Whether that is better than raw scores; where it is not, leave them as they are."""
        return _merit(self.best) > _merit(self.raw)


def correctors_of(
    kind: Kind,
    *,
    betas: Sequence[float] = GRID,
    gallery_betas: Sequence[float] = GRID,
    neighbours: Sequence[int] = (1, 3, 10, 30, 100),
    strengths: Sequence[float] = (1.0,),
    **rest: Any,
) -> list[HubnessCorrector]:
    """Correctors of one kind over a grid of the settings that it has.

    Args:
        kind: as in `HubnessCorrector`.
        betas: of the query bank.
        gallery_betas: of the gallery bank, for the dual kinds.
        neighbours: for "csls" and "nnn".
        strengths: from 0 to 1.
        rest: further settings, the same for all.

    Examples:
        >>> [c.beta for c in correctors_of("is", betas=(10, 20))]
        [10.0, 20.0]
        >>> len(correctors_of("dualis")), len(correctors_of("nnn"))
        (81, 5)
    """
    grid: list[dict[str, Any]] = [{"strength": strength} for strength in strengths]
    if kind in ("csls", "nnn"):
        grid = [{**one, "neighbours": count} for one in grid for count in neighbours]
    else:
        grid = [{**one, "beta": beta} for one in grid for beta in betas]
    if kind in DUAL:
        grid = [{**one, "gallery_beta": beta} for one in grid for beta in gallery_betas]
    return [HubnessCorrector(kind, **one, **rest) for one in grid]


def choose_corrector(
    correctors: Sequence[HubnessCorrector],
    queries: npt.ArrayLike,
    right: npt.ArrayLike,
    query_bank: npt.ArrayLike,
    gallery: npt.ArrayLike,
    gallery_bank: npt.ArrayLike | None = None,
    *,
    query_pairs: npt.ArrayLike | None = None,
    gallery_pairs: npt.ArrayLike | None = None,
) -> Choice:
    """The corrector with which most validation queries find their right item first; equal ones by reciprocal rank.

    Time goes with validation queries x gallery x correctors; memory does not.

    Args:
        correctors: that are tried, of one metric, such as `correctors_of` gives.
        queries: (v, d), validation queries, none of which may be in the bank.
        right: int (v,), the position of the right item of each, or (v, r) where there may be several, -1 for none.
        query_bank: as in `HubnessCorrector.fit`, like what follows.
        gallery: of items.
        gallery_bank: needed where one of the correctors is dual.
        query_pairs: of the query bank.
        gallery_pairs: of the gallery bank.

    Raises:
        InputError: nothing to choose from or by, queries that the bank holds, or vectors that do not fit.

    Examples:
        >>> random = np.random.default_rng(0)
        >>> items = random.normal(size=(60, 8))
        >>> asked, bank = items + 0.4, random.normal(size=(200, 8)) + 0.4
        >>> choice = choose_corrector(correctors_of("is"), asked, np.arange(60), bank, items)
        >>> choice.best.first >= choice.raw.first
        True
    """
    if not correctors or len({c.metric for c in correctors}) > 1:
        raise InputError("there must be correctors to choose from, all of one metric")
    metric = correctors[0].metric
    asked = prepared(queries, metric, "queries")
    first = Bank(query_bank, gallery, metric, query_pairs, "query bank")
    second = None if gallery_bank is None else Bank(gallery_bank, gallery, metric, gallery_pairs, "gallery bank")
    wanted = _right(right, len(asked), len(first.items))
    _prepare(correctors, first, second)
    fitted = [c.fit_banks(first, second if c.kind in DUAL else None) for c in correctors]
    leaked = int(fitted[0].overlap(asked).sum())
    if leaked:
        raise InputError(f"{leaked} of the validation queries stand in the query bank; take other ones")
    ranks = np.empty((len(fitted) + 1, len(asked)))
    step = max(1, _SCORES // max(1, len(first.items)))
    for start in range(0, len(asked), step):
        part = slice(start, start + step)
        scores = _scores(asked[part], first)
        ranks[0, part] = _ranks(scores, wanted[part])
        for row, corrector in enumerate(fitted, 1):
            ranks[row, part] = _ranks(corrector.transform(scores), wanted[part])
    raw, *trials = (_trial(settings, row) for settings, row in zip([{}, *map(_settings, fitted)], ranks, strict=True))
    place = max(range(len(trials)), key=lambda at: _merit(trials[at]))
    return Choice(fitted[place], raw, tuple(trials))


def _prepare(correctors: Sequence[HubnessCorrector], first: Bank, second: Bank | None) -> None:
    """Compute what several correctors need in one pass over the gallery."""
    soft = [c for c in correctors if c.kind in ("is", "dis", *DUAL)]
    if len(first):
        first.soft_all([c.beta for c in soft])
    if any(c.kind in DUAL for c in soft):
        if second is None:
            raise InputError("a dual kind needs a gallery bank")
        if len(second):
            second.soft_all([c.gallery_beta for c in soft if c.kind in DUAL])


def _scores(asked: Float32, bank: Bank) -> Float32:
    """Raw scores of queries with all items."""
    step = 2**16
    starts = range(0, max(1, len(bank.items)), step)
    blocks = (prepared(bank.items[start : start + step], bank.metric, "gallery") for start in starts)
    return np.concatenate([asked @ block.T for block in blocks], axis=1)


def _ranks(scores: Float32, right: Int64) -> npt.NDArray[np.float64]:
    """The rank of the best right item of each query, from 1; equal scores come by lower position."""
    own = np.where(right >= 0, np.take_along_axis(scores, np.maximum(right, 0), axis=1), -np.inf)
    best = own.max(axis=1, keepdims=True)
    place = np.where((own == best) & (right >= 0), right, scores.shape[1]).min(axis=1, keepdims=True)
    before = (scores == best) & (np.arange(scores.shape[1]) < place)
    ranks: npt.NDArray[np.float64] = 1.0 + ((scores > best) | before).sum(axis=1)
    return ranks


def _right(right: npt.ArrayLike, queries: int, items: int) -> Int64:
    given = np.asarray(right)
    given = given[:, None] if given.ndim == 1 else given
    if given.ndim != 2 or len(given) != queries or not queries or given.dtype.kind not in "iu":
        raise InputError(f"right is {given.dtype} {given.shape}; it must be positions of items, a row for each query")
    if not ((given >= -1).all() and (given < items).all() and (given >= 0).any(axis=1).all()):
        raise InputError(f"right must hold positions from 0 to {items - 1}, at least one for each validation query")
    return given.astype(np.int64)


def _settings(corrector: HubnessCorrector) -> dict[str, Any]:
    return corrector.to_dict()


def _trial(settings: dict[str, Any], ranks: npt.NDArray[np.float64]) -> Trial:
    return Trial(settings, float(np.mean(ranks == 1)), float(np.mean(1 / ranks)))


def _merit(trial: Trial) -> tuple[float, float]:
    return trial.first, trial.reciprocal
