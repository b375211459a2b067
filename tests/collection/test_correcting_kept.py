"""What is kept of a correction: it is undone, dropped, copied and verified with the rest of the collection."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import apsw
import numpy as np
import pytest

from similia import Collection
from similia.errors import CollectionDamaged

ROWS, D = 300, 12
RNG = np.random.default_rng(0)
POINTS = RNG.normal(size=(ROWS, D)).astype(np.float32)
TOWARDS = RNG.normal(size=D).astype(np.float32)
POINTS[:12] = TOWARDS + 0.3 * POINTS[:12]  # hubs: they lie where all queries lie
ASKED = (0.5 * RNG.normal(size=(60, D)) + TOWARDS).astype(np.float32)


@pytest.fixture
def points(tmp_path: Path) -> Iterator[Collection]:
    rows = [{"id": f"k{n:03d}", "v": POINTS[n].tolist()} for n in range(ROWS)]
    with Collection.open(tmp_path / "points", create=True) as made:
        made.add(rows, key="id", vectors="v")
        yield made


def answers(shelf: Collection) -> list[tuple[list[str], list[float]]]:
    found = [shelf.search(query, mode="dense", k=20) for query in ASKED[:6]]
    return [(one.keys, one.scores.round(5).tolist()) for one in found]


def test_undo_drop_backup_and_restore(points: Collection, tmp_path: Path) -> None:
    raw = answers(points)
    first = points.corrections.fit(queries=ASKED)
    once = answers(points)
    assert points.corrections.fit(queries=ASKED, kind="nnn").kind == "nnn"
    twice = answers(points)
    points.backup(tmp_path / "kept")
    points.undo()
    assert (answers(points), points.corrections["topic"]) == (once, first)
    assert points.corrections.drop() is True
    assert answers(points) == raw
    assert not points.corrections["topic"].corrected
    points.undo()
    assert answers(points) == once
    assert points.corrections.drop() is True
    assert points.corrections.drop() is False
    Collection.restore(tmp_path / "kept", tmp_path / "again")
    with Collection.open(tmp_path / "again") as again:
        assert answers(again) == twice
        assert again.check().ok
    assert points.check().ok
    assert [row.command for row in points.log(2)] == ["correct drop", "correct drop"]


def test_a_correction_goes_with_its_sense_and_comes_back_with_it(tmp_path: Path) -> None:
    with Collection.open(tmp_path / "c", create=True) as shelf:
        titles = [{"id": str(n), "title": f"{one} {other}"} for n, (one, other) in enumerate(PAIRS)]
        shelf.add(titles, key="id", encoder="hashing:64")
        shelf.senses.add("other", text="title", encoder="hashing:32")
        shelf.corrections.fit("other")
        found = shelf.search("red tea", sense="other", mode="dense").scores.tolist()
        assert [one.corrected for one in shelf.corrections.values()] == [False, True]
        shelf.senses.drop("other")
        shelf.undo()
        assert shelf.search("red tea", sense="other", mode="dense").scores.tolist() == found
        shelf.senses.drop("other")
        shelf.senses.add("other", text="title", encoder="hashing:32")
        assert not shelf.corrections["other"].corrected
        assert not list((shelf.path / "derived").glob("correction-*"))
        assert shelf.check().ok


PAIRS = [(one, other) for one in ("red", "blue", "old", "new", "hot") for other in ("tea", "cup", "car", "sun", "day")]


def test_older_software_takes_a_correction_back(points: Collection) -> None:
    """It knows nothing of corrections: these are the statements that it gives to the database."""
    first = points.corrections.fit(queries=ASKED)
    points.corrections.fit(queries=ASKED, kind="nnn")
    db = apsw.Connection(str(points.path / "collection.db"))
    db.config(apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
    db.execute("BEGIN; UPDATE changes SET state = 'undone' WHERE number = 3; COMMIT")
    assert points.corrections["topic"] == first
    db.execute("INSERT INTO changes(number, command, arguments, state, started) VALUES (4, 'x', '{}', 'done', '')")
    db.execute("UPDATE senses SET state = 'dropped' WHERE name = 'topic'")
    assert db.execute("SELECT count(*) FROM corrections").fetchall() == [(0,)]
    db.execute("UPDATE changes SET state = 'undone' WHERE number = 4; UPDATE senses SET state = 'ready'")
    assert db.execute("PRAGMA user_version").fetchall() == [(1,)]
    db.close()
    assert points.corrections["topic"] == first


def test_what_was_changed_from_outside_is_named(points: Collection) -> None:
    points.corrections.fit(queries=ASKED)
    db = apsw.Connection(str(points.path / "collection.db"))
    db.execute("UPDATE corrections SET bank = zeroblob(length(bank)); DROP TRIGGER corrections_undone")
    db.close()
    shutil.rmtree(points.path / "derived")
    with Collection.open(points.path) as again:
        with pytest.raises(CollectionDamaged, match="the correction of sense 'topic' was changed from outside"):
            answers(again)
        said = again.check()
        assert not said.ok
        assert any("triggers of the corrections" in one for one in said.mended)
        again.corrections.fit(queries=ASKED)
        assert again.check().ok


def test_a_collection_from_before_there_were_corrections(points: Collection) -> None:
    db = apsw.Connection(str(points.path / "collection.db"))
    names = "SELECT name FROM sqlite_schema ORDER BY name"
    before = db.execute(names).fetchall()
    assert not points.corrections["topic"].corrected
    assert points.corrections.drop() is False
    answers(points)
    assert db.execute(names).fetchall() == before, "looking makes nothing"
    db.close()
