"""Relevance: how probable it is that hits of a sense answer a query, and that anything in the collection does.

Two questions, since only the first has a good answer without judgments. *Is there anything on the query?* is told from
the best cosine alone, by queries about something else and salads of the collection's own words. *Which of the hits?* is
told once about 20 queries are judged. What was learned is kept in a derived file, and learned anew when the encoder or
the judgments are others, or more than a fifth of the items.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from similia.collection import upkeep
from similia.collection.judging import Judgments
from similia.collection.store import SenseRow
from similia.collection.workspace import State
from similia.errors import FingerprintMismatch, InputError
from similia.index.files import Column, open_verified, write
from similia.progress import bar
from similia.types import Float32

if TYPE_CHECKING:
    from similia.collection.relevance_fit import Grades, HitCurve
    from similia.index.where import Predicate
    from similia.rank.calibration import UnlabelledCalibrator

KIND = "relevance"
FORMAT = 1
"""Of the file, and of the way it is learned: what an earlier way made is not to be kept."""
FEWEST = 50
"""Items; among fewer the salads say too little (of CACM's queries 18 % were refused with 30 items, 9 % with 50)."""
JUDGED = 20
"""Queries with a relevant item that a fit needs: with 10, 20 and 40 judged queries the calibration error of the ten
best hits is .059, .052 and .042 in the mean of eight test collections."""
SHARE = 0.2
"""It is learned anew when more than this share of the items has changed."""
SEPARATES = 0.82
"""How often the best score of a salad must lie above that of a query about something else. Below, the collection is
about everything, and nothing is refused: salads of news do so in .80 of cases, and 14 % of queries for news would be
refused; on ten test collections it is .85 to .99, and at most .004 of recall@10 is lost."""
WORDS = 64
"""Of a longer query nobody expects all words to stand in one item."""
_learning = threading.Lock()


@dataclass(frozen=True, eq=False)
class Relevance:
    """What is known of a sense: `presence` of anything on a query, and with judgments `probabilities` of hits.

    Attributes:
        judged: judged queries that it was fitted to; 0 where it was estimated without judgments.
        error: expected calibration error of the ten best hits of these queries, each told by a fit to others; None
            without judgments.
        items: how many there were when it was made.

    Source:
        `similia.rank.UnlabelledCalibrator`, and `similia.rank.Calibrator` on cosine and place; how well they do on test
        collections is measured by ``python -m benchmarks.calibration``.

    Examples:
        >>> import tempfile
        >>> from similia import Collection
        >>> rows = [{"title": f"{what} of {where}"} for what in ("theory", "practice", "cost", "history", "future")
        ...         for where in "graphs queries indexes vectors words rankings tables keys joins trees".split()]
        >>> with tempfile.TemporaryDirectory() as folder, Collection.open(folder + "/c", create=True) as shelf:
        ...     report = shelf.add(rows, text="title", encoder="hashing")
        ...     with shelf._space.reading() as state:
        ...         relevance = Relevance.of(state, state.ready("topic"))
        >>> relevance.said, relevance.items
        ('estimated without judgments', 50)
        >>> [round(relevance.presence(np.array([best], np.float32), 50)) for best in (0.05, 0.7)]
        [0, 1]
    """

    judged: int
    error: float | None
    items: int
    _presence: UnlabelledCalibrator
    _hits: HitCurve | None

    @property
    def said(self) -> str:
        """What it rests on, for people."""
        return f"{self.judged:,} judged queries" if self.judged else "estimated without judgments"

    @property
    def tells(self) -> bool:
        """Whether queries about something else can be told at all here; if not, the presence is always 1."""
        return self._presence.separation_ >= SEPARATES

    @classmethod
    def of(cls, state: State, row: SenseRow, *, progress: bool | None = None) -> Relevance | None:
        """What is known of a sense in this state: kept in memory, kept in the derived file, or learned now.

        Learning encodes 300 short queries and up to 1,000 judged ones, reads up to 2,000 items, and compares with up to
        100,000 of them: seconds with the bundled encoder.

        Args:
            state: of the collection.
            row: a sense that is ready.
            progress: as in `similia.progress.bar`.

        Returns:
            None where the sense has no encoder for text, or fewer than 50 items, or items without any word.

        Raises:
            ModelError, FingerprintMismatch: the encoder of the sense is not here, or is another.
        """
        key = (KIND, row.id)
        known: _Kept | None = state.space.remembered(key)
        if known is not None and known.version >= state.version:
            return known.relevance
        with _learning:
            known = state.space.remembered(key)
            if known is None or known.version < state.version:
                known = _brought(state, row, known, progress)
                state.space.remember(key, known)
        return known.relevance

    def presence(self, cosines: npt.ArrayLike, items: int) -> float:
        """How probable it is that there is anything on the query; below .5 an answer is best left out.

        Args:
            cosines: (m,) of the query with the nearest items; the best one counts.
            items: how many were searched (those that pass the filter).

        Returns:
            0 to 1; 0 where nothing was found.

        Raises:
            InputError: NaN among the cosines.
        """
        nearest = np.asarray(cosines, np.float64).reshape(1, -1)
        if items < 1 or not (nearest > -np.inf).any():
            return 0.0
        told = float(self._presence.presence(nearest, items=items)[0])
        return told if self.tells else 1.0

    def probabilities(
        self, cosines: npt.ArrayLike, nearest: npt.ArrayLike, *, items: int | None = None, present: float | None = None
    ) -> Float32 | None:
        """How probable it is that hits are relevant; None without judgments, where nothing good can be said.

        A presence below .5 lessens them; above, the doubt is that of the judged queries, and is in them already.

        Args:
            cosines: (h,) of the query with the hits, in any order; -inf where there is none.
            nearest: (m,) of the query with the nearest items, best first, about 100: for the place that a hit has among
                them, and the presence.
            items: how many were searched; by default as many as when it was made.
            present: the presence, where it is known otherwise (1 where an item holds every word of the query).

        Returns:
            float32 (h,), rising with the cosine.

        Raises:
            InputError: NaN among the cosines.
        """
        if self._hits is None:
            return None
        there = self.presence(nearest, self.items if items is None else items) if present is None else present
        found: Float32 = (self._hits.transform(cosines, nearest) * min(2 * there, 1.0)).astype(np.float32)
        return found

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON, all that is needed to make it again."""
        return {
            "judged": self.judged,
            "error": self.error,
            "items": self.items,
            "presence": self._presence.to_dict(),
            "hits": None if self._hits is None else self._hits.to_dict(),
        }

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Relevance:
        """Read what `to_dict` wrote.

        Raises:
            InputError: it is something else, or of another version.
        """
        from similia.collection.relevance_fit import HitCurve
        from similia.rank.calibration import UnlabelledCalibrator

        try:
            error, hits = stored["error"], stored["hits"]
            return cls(
                int(stored["judged"]),
                None if error is None else float(error),
                int(stored["items"]),
                UnlabelledCalibrator.from_dict(stored["presence"]),
                None if hits is None else HitCurve.from_dict(hits),
            )
        except (KeyError, TypeError, ValueError) as fault:
            raise InputError(f"this is no stored relevance ({type(fault).__name__}: {fault})") from None


def holds_all_words(state: State, query: str, fields: Sequence[str], *, where: Predicate | None = None) -> bool:
    """Whether one item holds every telling word of a query in these fields, whatever its cosine: a code, a name.

    Words are those of the full text, stemmed; words that say nothing ("how", "the") count only where there are no
    others. Scripts without spaces stand in the full text as whole runs, and are compared so.

    Args:
        state: of the collection.
        query: any text; one of no word, or of more than 64, is held by nothing.
        fields: text or category fields to look in; none of them holds anything.
        where: a filter that the item has to pass.

    Raises:
        InputError: a field without full text.

    Examples:
        >>> import tempfile
        >>> from similia import Collection
        >>> with tempfile.TemporaryDirectory() as folder, Collection.open(folder + "/c", create=True) as shelf:
        ...     report = shelf.add([{"title": "Pump XJ-900"}, {"title": "Valve"}], text="title", encoder="hashing")
        ...     with shelf._space.reading() as state:
        ...         [holds_all_words(state, query, ["title"]) for query in ("the xj-900", "XJ-901", "pump valve")]
        [True, False, False]
    """
    from similia.collection.store.textsearch import folded
    from similia.rank.stems import STOP

    words = folded(query)
    telling = [word for word in words if word not in STOP] or words
    return 0 < len(telling) <= WORDS and state.store.holds_all(telling, fields=fields, where=where)


@dataclass(frozen=True, eq=False)
class _Kept:
    """What was learned, as it holds at a version; ``changed`` items since it was made, ``judgments`` it was made of."""

    version: int
    relevance: Relevance | None
    changed: int = 0
    judgments: str = ""


def _path(state: State, row: SenseRow) -> Path:
    return state.store.folder / "derived" / f"{KIND}-{row.id}"


def _brought(state: State, row: SenseRow, known: _Kept | None, progress: bool | None) -> _Kept:
    """What holds in this state: what is known, else what the file holds, else what is learned now."""
    encoder = state.space.encoder_of(row)
    if encoder is None or row.count < FEWEST:
        return _Kept(state.version, None)
    grades = _grades(state, row)
    judgments = _digest(grades)
    for kept in (known, _read(state, row)):
        if kept is None or kept.relevance is None or kept.version > state.version or kept.judgments != judgments:
            continue
        changed = kept.changed + _changed(state, row, kept.version, SHARE * kept.relevance.items - kept.changed)
        if changed <= SHARE * kept.relevance.items:
            if kept.version < state.version:
                kept = replace(kept, version=state.version, changed=changed)
                _write(state, row, kept)
            return kept
    made = _Kept(state.version, _learned(state, row, grades, progress), 0, judgments)
    _write(state, row, made)
    return made


def _learned(state: State, row: SenseRow, grades: Grades, progress: bool | None) -> Relevance | None:
    from similia.collection import relevance_fit as fit
    from similia.rank.calibration import EVERYDAY

    encoder = state.space.encoder_of(row)
    assert encoder is not None
    total = len(EVERYDAY) + fit.SALADS + min(len(grades), fit.QUERIES)
    with bar("learning what is relevant", total, unit="queries", show=progress) as shown:
        presence = fit.fit_presence(state, row, encoder, shown)
        if presence is None:
            return None
        scores, labels = fit.judged_lists(state, row, encoder, grades, shown) if grades else (np.zeros((0, 0)),) * 2
    if np.isnan(labels).all():
        return Relevance(0, None, row.count, presence, None)
    error = fit.held_out_error(scores, labels)
    hits = fit.HitCurve.fit(scores, labels, row.fingerprint)
    return Relevance(len(scores), None if np.isnan(error) else error, row.count, presence, hits)


def _grades(state: State, row: SenseRow) -> Grades:
    """The judgments to learn from; none where too few queries have a relevant item."""
    grades = Judgments(state.space).qrels(row.name)
    found = sum(any(grade > 0 for grade in one.values()) for one in grades.values())
    return grades if found >= JUDGED else {}


def _digest(grades: Grades) -> str:
    """What tells these judgments from others; "" of none."""
    if not grades:
        return ""
    text = json.dumps([[name, sorted(one.items())] for name, one in sorted(grades.items())])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _changed(state: State, row: SenseRow, version: int, most: float) -> int:
    """How many items were deleted, added or replaced since a version; more than ``most`` where nobody knows."""
    if version == state.version:
        return 0
    deleted = state.store.deleted_since(version)
    if deleted is None:
        return int(most) + row.count + 1
    count = int(deleted.size)
    for ids, _ in state.store.vector_batches(row.name, since=version):
        count += ids.size
        if count > most:
            break
    return count


def _read(state: State, row: SenseRow) -> _Kept | None:
    """What the file holds, if it is whole and of this sense."""
    file = open_verified(_path(state, row))
    if file is None or not upkeep.belongs(file, state.store, row):
        return None
    header = file.header
    if header.get("similia") != KIND or header.get("format") != FORMAT or "fitted" not in file.arrays:
        return None
    try:
        relevance = Relevance.from_dict(json.loads(file.arrays["fitted"].tobytes()))
        relevance._presence.check(row.fingerprint)
        if relevance._hits is not None:
            relevance._hits.calibrator.check(row.fingerprint)
        return _Kept(header["version"], relevance, int(header["changed"]), str(header["judgments"]))
    except (InputError, FingerprintMismatch, KeyError, TypeError, ValueError):
        return None


def _write(state: State, row: SenseRow, kept: _Kept) -> None:
    """Keep it in the file; where the folder cannot be written, it is kept in memory alone."""
    if kept.relevance is None:
        return
    text = json.dumps(kept.relevance.to_dict()).encode()
    header = {
        **upkeep.header(state.store, row, kept.version),
        "similia": KIND,
        "format": FORMAT,
        "items": kept.relevance.items,
        "changed": kept.changed,
        "judgments": kept.judgments,
    }
    with contextlib.suppress(OSError):
        write(_path(state, row), header, {"fitted": Column.of(np.frombuffer(text, np.uint8))})
