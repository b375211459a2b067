"""Learning a correction against hubness: from which queries, of what kind, and whether it helps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from similia.collection.asking import PHRASES, phrases
from similia.collection.corrected import Banks, Biases, corrected, ids_of, learnt, places_in
from similia.collection.correcting import CorrectionReport
from similia.collection.store import SenseRow
from similia.collection.vectors import Vectors, normalised, positions
from similia.collection.workspace import State
from similia.errors import InputError
from similia.types import Float32, Int64, as_vectors

if TYPE_CHECKING:
    from similia.rank.gate import Decision
    from similia.rank.hubness import HubnessCorrector

LEAST = 4
"""Queries that are needed: half to learn from, half to measure on."""
MOST = 4_096
"""Queries that are learnt from; of more, so many are drawn."""
JUDGED = 20
"""Judged queries that are needed to choose by."""
ALIKE = 0.9999
"""From this cosine on a query that is learnt from is one of those that are judged, and left out."""
K = 10
"""Places that hubness is measured in."""
DEPTH = 100
"""Places in which relevant items are looked for."""
BETAS, OTHER_BETAS, NEIGHBOURS, STRENGTHS = (10.0, 20.0, 40.0), (3.0, 10.0), (3, 10, 30), (0.5, 1.0)


@dataclass(frozen=True)
class Request:
    """What is to be learnt; the arguments of `similia.collection.correcting.Corrections.fit`, checked."""

    queries: Sequence[str] | npt.ArrayLike | Path | None
    kind: str | None
    strength: float | None
    judged: Mapping[str, Mapping[str, float]]
    seed: int


@dataclass(frozen=True, eq=False)
class Asked:
    """Queries: vectors (q, d), the id of the item that each was taken from or -1, and what they are, for people."""

    vectors: Float32
    items: Int64
    told: str

    def some(self, rows: npt.NDArray[Any]) -> Asked:
        """Those of some rows."""
        return Asked(self.vectors[rows], self.items[rows], self.told)

    def __len__(self) -> int:
        return len(self.vectors)


@dataclass(frozen=True, eq=False)
class Judged:
    """Judged queries: vectors (q, d), and ids of what is relevant (q, r), -1 where there are fewer."""

    vectors: Float32
    relevant: Int64

    def some(self, rows: npt.NDArray[Any]) -> Judged:
        """Those of some rows."""
        return Judged(self.vectors[rows], self.relevant[rows])

    def __len__(self) -> int:
        return len(self.vectors)


def learn(state: State, row: SenseRow, request: Request) -> tuple[dict[str, Any], CorrectionReport, Banks]:
    """Choose and measure a correction: its settings, a report, and what it is learnt from.

    Raises:
        InputError: too few queries, or such as do not fit.
    """
    from similia.measure.hubness import hub_statistics

    rng = np.random.default_rng(request.seed)
    notes: list[str] = []
    vectors, judged = state.vectors(row), _judged(state, row, request.judged, notes)
    asked = _apart(_asked(state, row, request.queries), judged)
    if len(asked) < LEAST:
        raise InputError(f"there are {len(asked)} queries to learn from; at least {LEAST} are needed")
    order = rng.permutation(len(asked))
    half = min(MOST, (len(asked) + 1) // 2)
    bank, held_out = asked.some(order[:half]), asked.some(order[half : half + MOST])
    banks = _banks(bank, vectors, rng)
    order = rng.permutation(len(judged))
    chosen = _chosen(vectors, banks, judged.some(order[::2]), request)
    ids, settings = ids_of(vectors), chosen.to_dict()
    biases = Biases.of(state.version, 0, settings, ids, learnt(settings, banks, ids, vectors))
    raw, new = vectors.search(held_out.vectors, K), corrected(vectors, biases, held_out.vectors, K)[0]
    decision = _decided(vectors, biases, judged.some(order[1::2]), request.seed) if len(judged) else None
    if decision is None:
        notes.append("Nothing says whether searches get better: judge some queries (similia judge) and fit again.")
    elif not decision.keep:
        notes.append(f"Whether it helps: {decision.reason}.")
    report = CorrectionReport(
        row.name,
        row.count,
        decision is None or decision.keep,
        chosen.kind,
        chosen.strength,
        settings,
        asked.told,
        len(bank),
        len(held_out),
        hub_statistics(places_in(ids, raw.ids), ids.size),
        hub_statistics(places_in(ids, new.ids), ids.size),
        judged=0 if decision is None else decision.queries,
        gain=None if decision is None else decision.gain,
        low=None if decision is None else decision.low,
        high=None if decision is None else decision.high,
        notes=tuple(notes),
    )
    return settings, report, banks


def _asked(state: State, row: SenseRow, queries: Sequence[str] | npt.ArrayLike | Path | None) -> Asked:
    """The queries that are given, or phrases of the items, or items."""
    if isinstance(queries, str):
        raise InputError("queries are one string; give a list of texts, the Path of a file, or vectors")
    texts: list[str] | None = None
    items: list[int] | None = None
    if isinstance(queries, Path):
        texts = lines_of(queries)
    elif isinstance(queries, Sequence) and queries and all(isinstance(one, str) for one in queries):
        texts = [str(one) for one in queries]
    elif queries is not None:
        given = as_vectors(queries, name="queries", dimension=row.dimension)
        return _pointing(Asked(given, np.full(len(given), -1), f"{len(given):,} given queries"))
    encoder = state.space.encoder_of(row)
    if encoder is None:
        if texts is not None:
            raise InputError(f"sense {row.name!r} has vectors that were given and no encoder for text: give vectors")
        ids = ids_of(state.vectors(row))
        drawn = np.sort(np.random.default_rng(0).choice(ids, min(PHRASES, ids.size), replace=False))
        return _pointing(Asked(state.vectors(row).of(drawn), drawn, "items"))
    told = "short phrases out of the items" if texts is None else f"{len(texts):,} given queries"
    if texts is None:
        texts, items = phrases(state, row)
    if len(texts) < LEAST:
        raise InputError(f"there are {len(texts)} queries to learn from; at least {LEAST} are needed")
    made = encoder.encode(texts, side="query").vectors
    return _pointing(Asked(made, np.full(len(made), -1) if items is None else np.array(items, np.int64), told))


def _pointing(asked: Asked) -> Asked:
    return asked.some(np.flatnonzero(asked.vectors.any(axis=1)))


def _judged(state: State, row: SenseRow, qrels: Mapping[str, Mapping[str, float]], notes: list[str]) -> Judged:
    """The judged queries for which something relevant is there; none where they are too few, which is noted."""
    none = Judged(np.empty((0, row.dimension), np.float32), np.empty((0, 1), np.int64))
    relevant = {query: [item for item, grade in grades.items() if grade > 0] for query, grades in qrels.items()}
    names = sorted({item for items in relevant.values() for item in items})
    number = dict(zip(names, state.store.ids(names).tolist(), strict=True))
    known = {query: [number[item] for item in items if number[item] >= 0] for query, items in relevant.items()}
    known = {query: items for query, items in known.items() if items}
    encoder = state.space.encoder_of(row) if known else None
    if encoder is None or len(known) < JUDGED:
        if known:
            few = f"{len(known):,} judged queries are too few to choose by: at least {JUDGED} are needed."
            notes.append("Judged queries are texts, and the sense has no encoder." if encoder is None else few)
        return none
    table = np.full((len(known), max(map(len, known.values()))), -1, np.int64)
    for place, items in enumerate(known.values()):
        table[place, : len(items)] = items
    made = encoder.encode(list(known), side="query").vectors
    pointing = np.flatnonzero(made.any(axis=1))
    return Judged(made, table).some(pointing) if pointing.size >= JUDGED else none


def _apart(asked: Asked, judged: Judged) -> Asked:
    """The queries that are none of those by which the correction is judged."""
    if not len(judged) or not len(asked):
        return asked
    nearest = (normalised(asked.vectors) @ normalised(judged.vectors).T).max(axis=1)
    return asked.some(np.flatnonzero(nearest < ALIKE))


def _banks(bank: Asked, vectors: Vectors, rng: np.random.Generator) -> Banks:
    ids = ids_of(vectors)
    drawn = np.sort(rng.choice(ids, min(PHRASES, ids.size), replace=False))
    return Banks(bank.vectors, bank.items, vectors.of(drawn), drawn)


def _chosen(vectors: Vectors, banks: Banks, judged: Judged, request: Request) -> HubnessCorrector:
    """What is asked for, and where that leaves a choice and queries are judged, what is best for them."""
    from similia.rank.hubness import HubnessCorrector, choose_corrector, correctors_of
    from similia.rank.hubness.corrector import DUAL

    if not len(judged):
        strength = 1.0 if request.strength is None else request.strength
        return HubnessCorrector(request.kind or "csls", strength=strength)  # type: ignore[arg-type]
    kinds: tuple[Any, ...] = ("csls", "is", "nnn") if request.kind is None else (request.kind,)
    how: dict[str, Any] = {"betas": BETAS, "gallery_betas": OTHER_BETAS, "neighbours": NEIGHBOURS}
    strengths = STRENGTHS if request.strength is None else (request.strength,)
    tried = [one for kind in kinds for one in correctors_of(kind, strengths=strengths, **how)]
    ids, table = vectors.all()
    right = places_in(ids, judged.relevant)
    dual = any(one.kind in DUAL for one in tried)
    return choose_corrector(
        tried,
        judged.vectors,
        right,
        banks.queries,
        table,
        banks.others if dual else None,
        query_pairs=positions(ids, banks.query_items),
        gallery_pairs=positions(ids, banks.other_items) if dual else None,
    ).corrector


def _decided(vectors: Vectors, biases: Biases, judged: Judged, seed: int) -> Decision:
    """Whether judged queries find what is relevant earlier, by the reciprocal rank of its first."""
    from similia.rank.gate import keep_better

    raw = vectors.search(judged.vectors, DEPTH).ids
    new = corrected(vectors, biases, judged.vectors, DEPTH)[0].ids
    return keep_better(_reciprocal(raw, judged.relevant), _reciprocal(new, judged.relevant), seed=seed)


def _reciprocal(found: Int64, relevant: Int64) -> npt.NDArray[np.float64]:
    """1 / the place of the first relevant item of each query, 0 where none is found."""
    right = (found[:, :, None] == relevant[:, None, :]).any(axis=2) & (found >= 0)
    places = right.argmax(axis=1) + 1.0
    return np.where(right.any(axis=1), 1 / places, 0.0)


def lines_of(path: Path) -> list[str]:
    """The queries of a file, one a line.

    Raises:
        InputError: it cannot be read, is not UTF-8, or holds no query.
    """
    try:
        lines = [line.strip() for line in path.read_text("utf-8-sig").split("\n")]
    except OSError as error:
        raise InputError(f"{path}: the file of queries cannot be read ({error.strerror}); one query a line") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: byte {error.start} is not UTF-8; save the file of queries as UTF-8") from None
    found = [line for line in lines if line]
    if not found:
        raise InputError(f"{path} holds no query; it has one a line")
    return found
