"""The corrections of a collection against hubness: learning one for a sense, looking at it, dropping it."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from similia.collection.by_sense import BySense
from similia.collection.corrected import FORMAT, KINDS, Banks, biases_of, fits, left_out, path_of
from similia.collection.naming import listed, nearest
from similia.collection.showing import Sheet, Shown
from similia.collection.tables import jsonable
from similia.errors import InputError
from similia.progress import bar

if TYPE_CHECKING:
    from similia.collection.store import SenseRow
    from similia.measure.hubness import Hubness


@dataclass(frozen=True)
class CorrectionReport(Shown):
    """The correction of a sense, and what it did when it was learnt.

    Attributes:
        sense: its name.
        items: that have a vector.
        corrected: whether searches of the sense are corrected.
        kind: of the correction; see `similia.rank.HubnessCorrector`.
        strength: 0 to 1.
        settings: all settings.
        asked: the queries that it was learnt from, for people.
        queries: how many there were.
        held_out: how many others hubness was measured on.
        before, after: hubness of the ten nearest without and with it; see `similia.measure.hubness.Hubness`.
        judged: judged queries that it was tested on, none of which it was chosen by.
        gain: by how much their mean reciprocal rank rose; None without judgments.
        low, high: the interval of the gain.
        notes: what a reader has to know, one sentence each.
    """

    sense: str
    items: int
    corrected: bool
    kind: str = ""
    strength: float = 0.0
    settings: Mapping[str, Any] = field(default_factory=dict)
    asked: str = ""
    queries: int = 0
    held_out: int = 0
    before: Hubness | None = None
    after: Hubness | None = None
    judged: int = 0
    gain: float | None = None
    low: float | None = None
    high: float | None = None
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return jsonable(asdict(self))  # type: ignore[no-any-return]

    def _sheets(self) -> list[Sheet]:
        title, notes = f"{self.sense}: {self.items:,} items, ", " ".join(self.notes)
        if not self.kind:
            return [Sheet((), [], f"{title}not corrected", notes or "similia correct COLLECTION fit learns how to.")]
        title += f"corrected by {self.kind}" if self.corrected else f"not corrected ({self.kind} was tried)"
        rows = [
            (name, one.k, one.skewness, one.largest, f"{one.never:.1%}")
            for name, one in (("before", self.before), ("after", self.after))
            if one is not None
        ]
        columns = ("hubness", "places#", "skewness#", "most often found#", "never found#")
        note = f"strength {self.strength:g} · learnt from {self.queries:,} and measured on {self.held_out:,} others: "
        gain = "" if self.gain is None else (
            f"On {self.judged:,} judged queries the mean reciprocal rank rose by {self.gain:.4f} "
            f"[{self.low:.4f}, {self.high:.4f}]."
        )  # fmt: skip
        return [
            Sheet(columns, rows, title, note + self.asked),
            *([Sheet((), [], note=" ".join(filter(None, (gain, notes))))] if gain or notes else []),
        ]


class Corrections(BySense[CorrectionReport]):
    """How each sense of a collection is corrected for hubness, by name of the sense; ``collection.corrections``.

    In a sense with hubs a few items are near to every query. A correction subtracts from each score what the item
    scores with anyone's query. It helps most where queries and items come from different sources; where it was measured
    on text and one encoder for both, it hardly did, so give judgments, and it is kept only if it helps.

    Examples:
        >>> import tempfile
        >>> from similia import Collection
        >>> rows = [{"title": f"{one} {other}"} for one in ("red", "blue", "old") for other in ("tea", "cup", "car")]
        >>> with tempfile.TemporaryDirectory() as folder, Collection.open(folder + "/c", create=True) as shelf:
        ...     report = shelf.add(rows, encoder="hashing")
        ...     report = Corrections(shelf._space).fit(queries=["red", "tea cup", "cars", "blue", "old tea", "cup"])
        ...     print(report.corrected, report.kind, report.before.k)
        True csls 9
    """

    def __repr__(self) -> str:
        return f"Corrections({listed([name for name, one in self.items() if one.corrected]) or 'none'})"

    def __getitem__(self, name: str) -> CorrectionReport:
        with self._space.reading() as state:
            row = state.sense(name)
            stored = state.store.correction(name)
        if stored is None:
            return CorrectionReport(name, row.count, corrected=False)
        if not fits(stored, row):
            return CorrectionReport(name, row.count, corrected=False, notes=(left_out(row) + ".",))
        return _told(row, stored.settings)

    def fit(
        self,
        sense: str = "topic",
        *,
        queries: Sequence[str] | npt.ArrayLike | Path | None = None,
        kind: str | None = None,
        strength: float | None = None,
        judged: bool | Mapping[str, Mapping[str, float]] = True,
        force: bool = False,
        seed: int = 0,
        progress: bool | None = None,
    ) -> CorrectionReport:
        """Learn a correction for a sense, and correct its searches from now on.

        Half of the queries are learnt from; on the others hubness is measured. Where there are judged queries, half of
        them choose kind and strength, and the correction is kept only if the others surely find more with it. Items
        that are added later are corrected, too. One change: it is in the log, and can be undone.

        Args:
            sense: its name.
            queries: such as will be asked, texts, a file with one a line, or vectors (q, d), at least 4. By default
                short phrases out of the items; without an encoder, items.
            kind: ``csls``, ``is``, ``nnn`` or ``dualis``, see `similia.rank.HubnessCorrector`; by default what judged
                queries choose, or csls.
            strength: 0 to 1; by default what judged queries choose, or 1.
            judged: whether the judgments of the collection are used; or known pairs: query -> item -> grade.
            force: keep it even if it does not help.
            seed: how queries are halved.
            progress: True or False to show what is being done or not; by default on a terminal.

        Returns:
            what was measured; ``corrected`` is False where it did not help, and all is as before.

        Raises:
            UnknownSense: there is no such sense.
            InputError: an unknown kind, too few queries, or such as do not fit.
        """
        from similia.collection.learning import Request, learn

        if kind is not None and kind not in KINDS:
            raise InputError(
                f"kind {kind!r:.40} is not one of {', '.join(KINDS)}, whose bias follows from the item alone"
                f"{nearest(str(kind), KINDS)}"
            )
        if strength is not None and not 0 < strength <= 1:
            raise InputError(f"strength is {strength!r}; it must be above 0 and at most 1")
        if judged is True:
            from similia.collection.judging import Judgments

            judged = Judgments(self._space).qrels(sense)
        request = Request(queries, kind, strength, judged or {}, seed)
        with self._space.reading() as state, bar("learning from queries", show=progress):
            row = state.ready(sense)
            found, report, banks = learn(state, row, request)
        report = replace(report, corrected=report.corrected or force)
        if report.corrected:
            self._keep(row, found, report, banks)
        return report

    def drop(self, sense: str = "topic") -> bool:
        """Correct a sense no longer. False if it was not."""
        with self._space.reading() as state:
            row = state.sense(sense)
            if state.store.correction(sense) is None:
                return False
        with self._space.store.change("correct drop", {"sense": sense}) as change, change.transaction():
            there = change.drop_correction(sense)
        with contextlib.suppress(OSError):
            path_of(self._space.folder, row).unlink()
        return there

    def _keep(self, row: SenseRow, settings: Mapping[str, Any], report: CorrectionReport, banks: Banks) -> None:
        told = {name: value for name, value in report.to_dict().items() if name not in _PRESENT}
        stored = {
            "format": FORMAT,
            "fingerprint": row.fingerprint,
            "dimension": row.dimension,
            "corrector": dict(settings),
            "report": told,
        }
        said = {"sense": row.name, "kind": report.kind, "strength": report.strength, "queries": report.asked}
        with self._space.store.change("correct", said) as change:
            with self._space.reading() as state:
                state.sense(row.name)
            with change.transaction():
                change.correct(row.name, stored, banks.stored())
        with self._space.reading() as state:
            if row.name in state.senses:
                biases_of(state, state.sense(row.name))  # and the file is there for the next process


_PRESENT = ("sense", "items", "corrected", "settings")
"""What a report tells of the present, not of the time when it was learnt."""


def _told(row: SenseRow, stored: Mapping[str, Any]) -> CorrectionReport:
    from similia.measure.hubness import Hubness

    told = dict(stored["report"])
    for name in ("before", "after"):
        told[name] = Hubness(**told[name])
    told["notes"] = tuple(told["notes"])
    return CorrectionReport(row.name, row.count, corrected=True, settings=stored["corrector"], **told)
