"""Learning a correction: from which queries, what it learns, and that it is refused where it does not help."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from similia import Collection
from similia.collection import corrected
from similia.collection.corrected import biases_of
from similia.errors import InputError, UnknownSense
from similia.types import Dense

ROWS, D = 300, 12
RNG = np.random.default_rng(0)
POINTS = RNG.normal(size=(ROWS, D)).astype(np.float32)
TOWARDS = RNG.normal(size=D).astype(np.float32)
POINTS[:12] = TOWARDS + 0.3 * POINTS[:12]  # hubs: they lie where all queries lie
ASKED = (0.5 * RNG.normal(size=(60, D)) + TOWARDS).astype(np.float32)
PAIRS = [(one, other) for one in ("red", "blue", "old", "new", "hot") for other in ("tea", "cup", "car", "sun", "day")]


@pytest.fixture
def points(tmp_path: Path) -> Iterator[Collection]:
    rows = [{"id": f"k{n:03d}", "v": POINTS[n].tolist()} for n in range(ROWS)]
    with Collection.open(tmp_path / "points", create=True) as made:
        made.add(rows, key="id", vectors="v")
        yield made


def cosines(queries: npt.NDArray[Any], vectors: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    def unit(rows: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        wide = rows.astype(np.float64)
        return wide / np.linalg.norm(wide, axis=1, keepdims=True)  # type: ignore[no-any-return]

    return unit(queries) @ unit(vectors).T


def biases(shelf: Collection) -> dict[str, float]:
    """Key -> what is subtracted from its scores."""
    with shelf._space.reading() as state:
        found, note = biases_of(state, state.ready("topic"))
        assert found is not None, note
        return dict(zip(state.store.keys(found.ids), found.subtracted.tolist(), strict=True))


def number(key: str) -> int:
    return int(key[1:])


@dataclass(frozen=True)
class Places:
    """An encoder whose texts are numbers of points, such as "n17"; queries lie elsewhere than items do."""

    name: str = "places"
    dimension: int = D
    fingerprint: str = "f" * 64
    shift: float = 1.0

    def encode(self, items: Sequence[str], *, side: str = "item") -> Dense:
        found = np.array([POINTS[int(text.split()[0][1:])] for text in items], np.float32).reshape(-1, D)
        if side == "query":
            noise = np.random.default_rng(len(items)).normal(size=found.shape)
            found = (found + self.shift * 2 * TOWARDS + 0.3 * noise).astype(np.float32)
        return Dense(found)


def test_the_bias_is_half_the_mean_of_the_nearest_queries(points: Collection) -> None:
    """CSLS by hand, from the half of the queries that the database keeps."""
    points.corrections.fit(queries=ASKED, kind="csls")
    with points._space.reading() as state:
        stored = state.store.correction("topic", bank=True)
    assert stored is not None
    bank = corrected.Banks.read(stored.bank).queries
    assert len(bank) == 30
    assert {tuple(row) for row in bank.tolist()} <= {tuple(row) for row in ASKED.tolist()}
    near = np.sort(cosines(bank, POINTS[:ROWS]), axis=0)[-10:].mean(axis=0) / 2
    np.testing.assert_allclose(list(biases(points).values()), near, atol=1e-6)


def test_an_item_is_not_marked_down_for_its_own_phrase(tmp_path: Path) -> None:
    with Collection.open(tmp_path / "places", create=True) as shelf:
        shelf.add([{"id": f"k{n:03d}", "title": f"n{n}"} for n in range(100)], key="id", encoder=Places())
        assert shelf.corrections.fit(kind="csls").asked == "short phrases out of the items"
        with shelf._space.reading() as state:
            stored = state.store.correction("topic", bank=True)
            assert stored is not None
            banks = corrected.Banks.read(stored.bank)
            own = [number(key) for key in state.store.keys(banks.query_items)]
        scores = cosines(banks.queries, POINTS[:100])
        scores[np.arange(len(own)), own] = -np.inf
        near = np.sort(scores, axis=0)[-10:].mean(axis=0) / 2
        np.testing.assert_allclose(list(biases(shelf).values()), near, atol=1e-6)


def test_hubs_give_way_and_the_report_says_so(points: Collection) -> None:
    report = points.corrections.fit(queries=ASKED, kind="nnn")
    assert report.before is not None
    assert report.after is not None
    assert (report.queries, report.held_out, report.before.k) == (30, 30, 10)
    assert report.after.skewness < report.before.skewness / 2
    assert report.after.largest < report.before.largest
    assert report.after.never < report.before.never
    assert report.gain is None
    assert "Nothing says whether searches get better" in str(report).replace("\n", " ")
    assert points.corrections["topic"] == report
    assert dict(points.corrections) == {"topic": report}
    assert report.to_dict()["before"]["skewness"] == report.before.skewness
    assert repr(points.corrections) == "Corrections(topic)"


def judged_places(path: Path, shift: float) -> Collection:
    made = Collection.open(path, create=True)
    made.add([{"id": f"k{n:03d}", "title": f"n{n}"} for n in range(ROWS)], key="id", encoder=Places(shift=shift))
    judged = [{"query": f"n{n} ?", "item": f"k{n:03d}", "grade": 1} for n in range(20, 220)]
    made.judgments.add_many(judged)
    return made


def test_judged_queries_choose_and_the_others_decide(tmp_path: Path) -> None:
    with judged_places(tmp_path / "c", shift=1.0) as shelf:
        report = shelf.corrections.fit()
        assert report.corrected
        assert report.judged == 100
        assert report.gain is not None
        assert report.low is not None
        assert report.gain > report.low > 0
        assert report.kind in ("csls", "is", "nnn")
        assert shelf.corrections["topic"] == report
        assert "rose by" in str(report)
        assert shelf.corrections.fit(kind="is", strength=0.5).settings["strength"] == 0.5
        assert shelf.corrections.fit(judged=False).gain is None
        pairs = {f"n{n} ?": {f"k{n:03d}": 1.0} for n in range(20, 60)}
        assert shelf.corrections.fit(judged=pairs).judged == 20


def test_what_does_not_help_is_refused_unless_forced(tmp_path: Path) -> None:
    with judged_places(tmp_path / "c", shift=0.0) as shelf:  # queries lie where their items lie: all is found already
        raw = shelf.search("n30 ?", mode="dense").scores.tolist()
        report = shelf.corrections.fit()
        assert not report.corrected
        assert "not surely above 0" in report.notes[-1]
        assert "not corrected" in str(report)
        assert shelf.search("n30 ?", mode="dense").scores.tolist() == raw
        assert [row.command for row in shelf.log(1)] == ["judge"]
        assert shelf.corrections.fit(force=True).corrected
        assert shelf.search("n30 ?", mode="dense").scores.tolist() != raw


def test_the_same_seed_gives_the_same(points: Collection) -> None:
    first = points.corrections.fit(seed=3)
    assert first.asked == "items"
    found = biases(points)
    assert points.corrections.fit(seed=3) == first
    assert biases(points) == found
    assert points.corrections.fit(seed=4) != first


def test_wrong_use_is_named(points: Collection, tmp_path: Path) -> None:
    fit = points.corrections.fit
    with pytest.raises(InputError, match="is not one of csls, is, nnn, dualis"):
        fit(kind="dis")
    with pytest.raises(InputError, match="strength is 0"):
        fit(strength=0)
    with pytest.raises(InputError, match="one string"):
        fit(queries="tea")
    with pytest.raises(InputError, match="no encoder for text"):
        fit(queries=["tea", "cup", "red", "sun"])
    with pytest.raises(InputError, match="3 queries"):
        fit(queries=ASKED[:3])
    with pytest.raises(InputError, match="queries"):
        fit(queries=ASKED[:, :3])
    with pytest.raises(InputError, match="cannot be read"):
        fit(queries=tmp_path / "absent.txt")
    with pytest.raises(UnknownSense):
        fit("tone")
    with pytest.raises(UnknownSense):
        points.corrections.drop("tone")
    assert "tone" not in points.corrections
    assert len(points.corrections) == 1


def test_hybrid_searches_are_corrected_too(tmp_path: Path) -> None:
    with Collection.open(tmp_path / "c", create=True) as shelf:
        shelf.add([{"id": str(n), "title": " ".join(pair)} for n, pair in enumerate(PAIRS)], encoder="hashing:64")
        shelf.corrections.fit()
        dense = shelf.search("red tea", mode="dense", k=25)
        hybrid = shelf.search("red tea", k=25)
        scores = dict(zip(dense.keys, dense.scores.tolist(), strict=True))
        told = dict(zip(hybrid.keys, hybrid.views["dense"].scores.tolist(), strict=True))
        assert told == pytest.approx(scores)
        assert not hybrid.note
