"""Systems at equal recall: settings come from other queries than the timed ones, and every number is accounted for."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from similia.errors import InputError, MissingDependency
from similia.evaluate.speed import Comparison, Maker, Point, System, compare, plot
from similia.evaluate.speed.building import build
from similia.evaluate.speed.drawing import frontier
from similia.evaluate.speed.peers import EXACT, GRAPHS
from similia.evaluate.speed.systems import GRAPH, SCAN
from similia.index import ExactIndex, kernels

RNG = np.random.default_rng(0)


def unit(count: int) -> np.ndarray:
    points = RNG.normal(size=(count, 16)).astype(np.float32)
    return points / np.linalg.norm(points, axis=1, keepdims=True)


BASE, ASKED = unit(600), unit(40)
TRUTH = ExactIndex(BASE).search(ASKED, 10).ids


def partial(name: str) -> System:
    """Finds as many of the true ten as its effort says, and remembers whom it was asked for."""

    def search(queries: np.ndarray, k: int, effort: int) -> np.ndarray:
        found = ExactIndex(BASE).search(queries, k).ids
        found[:, effort:] = -1
        return found

    return System(name, search, (2, 5, 10), BASE.nbytes)


def compared(**options: object) -> Comparison:
    return compare(
        [partial("ours"), partial("theirs")],
        {"in": ASKED, "out": ASKED},
        {"in": TRUTH, "out": TRUTH},
        count=len(BASE),
        targets=(0.4, 0.9),
        rounds=2,
        **options,  # type: ignore[arg-type]
    )


def test_the_least_effort_that_is_enough_is_taken() -> None:
    said: list[str] = []
    found = compared(told=said.append)
    for system in found.systems:
        assert {job: (point.effort, point.recall) for job, point in system.reached.items()} == {
            (kind, target): at for kind in ("in", "out") for target, at in ((0.4, (5, 0.5)), (0.9, (10, 1.0)))
        }
    rows = found.rows()
    assert [row["system"] for row in rows] == ["ours", "theirs"]
    assert rows[0]["ratio at 0.9 out"] == 1.0
    assert rows[1]["ratio at 0.9 out"] == pytest.approx(rows[1]["µs at 0.9 out"] / rows[0]["µs at 0.9 out"])
    assert len(said) == 4
    assert found.to_dict()["rows"] == rows


def test_what_is_never_reached_is_left_open() -> None:
    weak = System("weak", lambda q, k, effort: np.full((len(q), k), -1, np.int64), (1,), 0)
    found = compare([weak, partial("ours")], {"": ASKED}, {"": TRUTH}, count=600, targets=(0.9,), rounds=1)
    assert found.rows()[0]["µs at 0.9"] is None
    assert found.rows()[1]["ratio at 0.9"] is None
    assert found.rows()[1]["recall at 0.9"] == 1.0


def test_wrong_use_is_named() -> None:
    with pytest.raises(InputError, match="no system"):
        compare([], {"": ASKED}, {"": TRUTH}, count=600)
    with pytest.raises(InputError, match="3 queries and 3 answers"):
        compare([partial("a")], {"": ASKED[:3]}, {"": TRUTH[:3]}, count=600)
    with pytest.raises(InputError, match="no curve"):
        plot(Comparison([], 1, 1, 10, (), ()), "a.svg")
    with pytest.raises(InputError, match=r"ends in \.gif"):
        plot(compared(curve=True), "a.gif")


def test_the_frontier_keeps_what_nothing_beats() -> None:
    points = [Point(1, 0.5, 9.0), Point(2, 0.7, 5.0), Point(3, 0.9, 20.0), Point(4, 0.85, 30.0)]
    assert [point.effort for point in frontier(points)] == [2, 3]


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_a_plot_is_drawn(tmp_path: Path, kind: str) -> None:
    pytest.importorskip("matplotlib")
    found = compared(curve=True)
    assert [point.effort for point in found.systems[0].curve["in"]] == [2, 5, 10]
    plot(found, tmp_path / f"a.{kind}")
    written = (tmp_path / f"a.{kind}").read_bytes()
    assert written[:4] == (b"\x89PNG" if kind == "png" else b"<?xm")
    if kind == "svg":
        assert b"600 vectors of 16 dimensions" in written or b"<path" in written


def test_without_matplotlib_the_command_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingDependency, match="pip install matplotlib"):
        plot(compared(curve=True), tmp_path / "a.svg")


def test_what_is_not_installed_is_left_out() -> None:
    said: list[str] = []
    absent = Maker("absent", "no_such_module_anywhere", lambda base: partial("absent"))
    systems, seconds = build([absent, *EXACT[:1]], BASE, told=said.append)
    assert [system.name for system in systems] == list(seconds) == [EXACT[0].name]
    assert said[0] == "not installed, so left out: no_such_module_anywhere"


@pytest.mark.parametrize("maker", [GRAPH, SCAN, *EXACT, *GRAPHS], ids=lambda maker: maker.name)
def test_every_system_finds_neighbours(maker: Maker) -> None:
    if not maker.there or (maker.needs == "numba" and not kernels.usable()):
        pytest.skip(f"{maker.needs} is not installed")
    base = np.concatenate([BASE] * 10) + 0.05 * RNG.normal(size=(6_000, 16)).astype(np.float32)
    base = (base / np.linalg.norm(base, axis=1, keepdims=True)).astype(np.float32)
    truth = ExactIndex(base).search(ASKED, 10).ids
    system = maker.make(base)
    found = system.search(ASKED, 10, system.efforts[-1])
    assert found.shape == truth.shape
    assert np.mean([np.isin(one, other).mean() for one, other in zip(truth, found, strict=True)]) > 0.8
