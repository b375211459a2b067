"""Corrections for hubness: what is found is what scoring all items gives, in whatever state the files are."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from similia import Collection
from similia.collection import corrected, lifted
from similia.collection.corrected import biases_of, ids_of, learnt
from similia.collection.store import SenseRow
from similia.index.files import open_verified

ROWS, D = 300, 12
RNG = np.random.default_rng(0)
POINTS = RNG.normal(size=(ROWS + 100, D)).astype(np.float32)
TOWARDS = RNG.normal(size=D).astype(np.float32)
POINTS[:12] = TOWARDS + 0.3 * POINTS[:12]  # hubs: they lie where all queries lie
ASKED = (0.5 * RNG.normal(size=(60, D)) + TOWARDS).astype(np.float32)


def rows(start: int, stop: int) -> list[dict[str, Any]]:
    return [{"id": f"k{n:03d}", "title": f"n{n}", "part": n % 10, "v": POINTS[n].tolist()} for n in range(start, stop)]


@pytest.fixture
def points(tmp_path: Path) -> Iterator[Collection]:
    with Collection.open(tmp_path / "points", create=True) as made:
        made.add(rows(0, ROWS), key="id", vectors="v")
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


def expected(query: npt.NDArray[Any], bias: dict[str, float], keys: Sequence[str]) -> dict[str, float]:
    """Every one of the keys with its corrected score, best first: the oracle."""
    scores = cosines(query[None], POINTS[[number(key) for key in keys]])[0]
    scored = {key: score - bias[key] for key, score in zip(keys, scores.tolist(), strict=True)}
    return dict(sorted(scored.items(), key=lambda one: -one[1]))


def assert_same(shelf: Collection, keys: Sequence[str], *, k: int = 10, where: str | None = None) -> None:
    bias = biases(shelf)
    for query in ASKED[:12]:
        found = shelf.search(query, mode="dense", k=k, where=where)
        wanted = expected(query, bias, keys)
        assert found.keys == list(wanted)[:k]
        np.testing.assert_allclose(found.scores, list(wanted.values())[:k], atol=2e-6)
        assert found.note == "a vector was given: searched by vectors alone" or not found.note


def answers(shelf: Collection) -> list[tuple[list[str], list[float]]]:
    found = [shelf.search(query, mode="dense", k=20) for query in ASKED[:6]]
    return [(one.keys, one.scores.round(5).tolist()) for one in found]


def file_of(shelf: Collection) -> Path:
    (found,) = (shelf.path / "derived").glob("correction-*")
    return found


EVERY = [f"k{n:03d}" for n in range(ROWS)]
WAYS = ("all at once", "deeper and deeper", "lifted")


def search_by(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have corrected searches done in one of the ways in which they can be."""
    monkeypatch.setattr(corrected, "FEW", 2_000 if way == "all at once" else 0)
    monkeypatch.setattr(corrected, "SHALLOW", (2, 5))
    monkeypatch.setattr(lifted, "SOON", -1 if way == "lifted" else 10**9)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", ["csls", "is", "nnn", "dualis"])
def test_what_is_found_is_what_scoring_all_items_gives(
    points: Collection, kind: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    search_by(way, monkeypatch)
    raw = answers(points)
    report = points.corrections.fit(queries=ASKED, kind=kind, strength=0.8)
    assert (report.corrected, report.kind, report.strength, report.items) == (True, kind, 0.8, ROWS)
    assert answers(points) != raw
    assert_same(points, EVERY)
    assert_same(points, EVERY, k=1)
    assert_same(points, EVERY, k=400)
    assert_same(points, [key for key in EVERY if number(key) % 10 < 3], where="part < 3")
    assert_same(points, [key for key in EVERY if number(key) % 10 == 3], where="part = 3", k=50)
    many = points.search_many(ASKED[:6], mode="dense", k=20)
    for one, (keys, scores) in zip(many, answers(points), strict=True):
        assert one.keys == keys
        np.testing.assert_allclose(one.scores, scores, atol=2e-5)


@pytest.mark.parametrize("way", WAYS)
def test_like_leaves_the_item_out_and_corrects_the_others(
    points: Collection, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    search_by(way, monkeypatch)
    points.corrections.fit(queries=ASKED)
    bias = biases(points)
    for key in ("k000", "k005", "k100"):
        others = [one for one in EVERY if one != key]
        wanted = expected(POINTS[number(key)], bias, others)
        assert points.similar(key, k=15).keys == list(wanted)[:15]
        few = [one for one in others if number(one) % 10 < 2]
        assert points.similar(key, k=15, where="part < 2").keys == list(expected(POINTS[number(key)], bias, few))[:15]


def test_pages_are_pages_of_one_ranking(points: Collection) -> None:
    points.corrections.fit(queries=ASKED)
    whole = points.search(ASKED[0], mode="dense", k=60).keys
    pages = [points.search(ASKED[0], mode="dense", k=7, offset=offset).keys for offset in range(0, 56, 7)]
    assert [key for page in pages for key in page] == whole[:56]


def test_items_come_go_and_change(points: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    points.corrections.fit(queries=ASKED)
    before = biases(points)
    asked: list[int] = []

    def counted(settings: Any, banks: Any, ids: Any, vectors: Any) -> Any:
        asked.append(ids.size)
        return learnt(settings, banks, ids, vectors)

    monkeypatch.setattr(corrected, "learnt", counted)
    points.add(rows(ROWS, ROWS + 40), key="id")
    points.delete(["k000", "k007"])
    moved = {**rows(20, 21)[0], "v": POINTS[390].tolist()}
    points.add([moved], key="id", on_duplicate="replace")
    keys = [*(key for key in EVERY if key not in ("k000", "k007")), *(f"k{n:03d}" for n in range(ROWS, ROWS + 40))]
    after = biases(points)
    assert asked == [41], "only what is new or has another vector is computed"
    assert list(after) == keys
    stay = [key for key in keys if key in before and key != "k020"]
    assert [after[key] for key in stay] == [before[key] for key in stay]
    assert after["k020"] != before["k020"]
    shutil.rmtree(points.path / "derived")
    with Collection.open(points.path) as again:
        assert asked == [41]
        anew = biases(again)
        assert asked == [41, len(keys)]
        np.testing.assert_allclose(list(anew.values()), list(after.values()), atol=1e-6)
        keys.remove("k020")
        points.delete(["k020"])
        assert_same(again, keys)
    assert asked == [41, len(keys) + 1], "deleting computes nothing"
    points.undo()
    assert "k020" in biases(points)


def test_lifted_rows_follow_what_is_added_and_deleted(points: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    search_by("lifted", monkeypatch)
    points.corrections.fit(queries=ASKED)
    keys = list(EVERY)
    assert_same(points, keys)
    with points._space.reading() as state:
        before, _ = biases_of(state, state.ready("topic"))
    points.delete(["k000", "k007"])
    points.add(rows(ROWS, ROWS + 30), key="id")
    keys = [*(key for key in keys if key not in ("k000", "k007")), *(f"k{n:03d}" for n in range(ROWS, ROWS + 30))]
    assert_same(points, keys)
    assert_same(points, [key for key in keys if number(key) % 10 < 3], where="part < 3")
    points.delete(["k001", f"k{ROWS}"])
    keys = [key for key in keys if key not in ("k001", f"k{ROWS}")]
    assert_same(points, keys)
    with points._space.reading() as state:
        after, _ = biases_of(state, state.ready("topic"))
    assert before is not None
    assert after is not None
    assert after.lifted is before.lifted, "rows that stay are not made again"
    points.undo()
    points.corrections.fit(queries=ASKED, kind="nnn", strength=0.3)
    assert_same(points, ["k001", *keys[:-29], f"k{ROWS}", *keys[-29:]])


def damage_delete(path: Path) -> None:
    path.unlink()


def damage_cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def damage_flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-100] ^= 4
    path.write_bytes(data)


def damage_foreign(path: Path) -> None:
    shutil.copy(next(path.parent.glob("vectors-*")), path)


def damage_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES = [damage_delete, damage_cut, damage_flip, damage_foreign, damage_folder]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_damaged_file_is_made_again(points: Collection, damage: Callable[[Path], None]) -> None:
    points.corrections.fit(queries=ASKED)
    before, path = answers(points), file_of(points)
    damage(path)
    assert answers(points) == before
    with Collection.open(points.path) as again:
        assert answers(again) == before
        assert (open_verified(path) is not None) is (damage is not damage_folder)


def test_a_file_of_another_correction_or_time_is_not_taken(points: Collection) -> None:
    points.corrections.fit(queries=ASKED)
    old, path = file_of(points).read_bytes(), file_of(points)
    points.corrections.fit(queries=ASKED, kind="nnn", strength=0.5)
    second = answers(points)
    path.write_bytes(old)
    with Collection.open(points.path) as again:
        assert answers(again) == second
    newer = path.read_bytes()
    points.undo()  # the first correction holds again; the file is of the second
    path.write_bytes(newer)
    with Collection.open(points.path) as again:
        assert answers(again) == answers(points)
        assert again.corrections["topic"].kind == "csls"
    assert points.check().ok


def test_an_old_file_is_brought_up_to_date(points: Collection) -> None:
    points.corrections.fit(queries=ASKED)
    old, path = file_of(points).read_bytes(), file_of(points)
    points.add(rows(ROWS, ROWS + 40), key="id")
    points.delete(where="part = 2")
    expected_ = answers(points)
    path.write_bytes(old)
    with Collection.open(points.path) as again:
        assert answers(again) == expected_


READ = """
import json, sys
import numpy as np
from similia import Collection
with Collection.open(sys.argv[1]) as shelf:
    found = [shelf.search(np.array(q, np.float32), mode="dense", k=20) for q in json.loads(sys.argv[2])]
    print(json.dumps([[one.keys, one.scores.round(5).tolist()] for one in found]))
"""


def test_another_process_finds_the_same(points: Collection) -> None:
    import json

    points.corrections.fit(queries=ASKED)
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", READ, str(points.path), json.dumps(ASKED[:6].tolist())],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert [tuple(one) for one in json.loads(done.stdout)] == answers(points)
        shutil.rmtree(points.path / "derived", ignore_errors=True)


def test_a_folder_that_cannot_be_written_is_read(points: Collection) -> None:
    points.corrections.fit(queries=ASKED)
    before = answers(points)
    shutil.rmtree(points.path / "derived")
    (points.path / "derived").write_text("in the way")
    with Collection.open(points.path) as again:
        assert answers(again) == before
        assert again.corrections["topic"].corrected


def test_a_correction_of_other_vectors_is_left_out_with_a_note(
    points: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = answers(points)
    points.corrections.fit(queries=ASKED)
    monkeypatch.setattr(corrected, "FORMAT", 2)
    assert answers(points) == raw
    assert "fit it again" in points.search(ASKED[0], mode="dense").note
    report = points.corrections["topic"]
    assert not report.corrected
    assert "fit it again" in report.notes[0]


def test_what_cannot_be_proven_is_noted(points: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    points.corrections.fit(queries=ASKED)
    monkeypatch.setattr(corrected, "FEW", 0)
    monkeypatch.setattr(corrected, "SHALLOW", (1, 1))
    monkeypatch.setattr(lifted, "SOON", 10**9)
    monkeypatch.setattr(corrected, "DEEPER", (1,))
    assert "among the 5 nearest: others may be missing" in points.search(ASKED[0], mode="dense", k=5).note


def test_biases_follow_ids_whatever_the_parts(points: Collection) -> None:
    points.corrections.fit(queries=ASKED)
    points.add(rows(ROWS, ROWS + 3), key="id")
    with points._space.reading() as state:
        row: SenseRow = state.ready("topic")
        vectors = state.vectors(row)
        assert len(vectors.parts) == 2
        ids = ids_of(vectors)
        np.testing.assert_array_equal(ids, np.sort(vectors.all()[0]))
        found, _ = biases_of(state, row)
        assert found is not None
        np.testing.assert_array_equal(found.ids, ids)
