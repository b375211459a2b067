"""DBNorm: its pieces by hand, and its claims on vectors that have hubs by construction."""

from __future__ import annotations

import numpy as np
import pytest

from similia.atlas import s106_dbnorm as dbnorm
from similia.measure import normalise
from similia.rank.hubness import HubnessCorrector, correctors_of


def hubby(seed: int = 0, papers: int = 300) -> dbnorm.View:
    """Items, and queries that are their items seen through noise and moved to one side."""
    random = np.random.default_rng(seed)
    items = random.normal(size=(papers, 30)).astype(np.float32)
    queries = items + 1.2 * random.normal(size=items.shape).astype(np.float32) + 0.9
    return dbnorm.View(queries, items, *np.split(np.arange(papers), (120, 200)))


def test_quality_by_hand() -> None:
    scores = np.array([[0.9, 0.8, 0.7], [0.5, 0.5, 0.1], [0.3, 0.2, 0.1]], np.float32)
    found = dbnorm.quality(scores, np.array([0, 1, 2]))
    assert [found[name] for name in ("R@1", "R@5", "median rank", "mean rank")] == [1 / 3, 1, 2, 2]  # ties: lower first
    assert found["skewness"] == found["never found"] == 0


def test_the_ratio_is_written_out() -> None:
    scores, bank = np.array([[0.2, 0.1], [0.1, 0.4]]), np.array([[0.5, 0.3]])
    plain = dbnorm.ratios(scores, [bank], [2.0], dynamic=False)
    np.testing.assert_allclose(plain, scores - bank)
    gated = dbnorm.ratios(scores, [bank], [2.0], dynamic=True)  # only item 0 is active
    np.testing.assert_allclose(gated, [scores[0] - bank[0], scores[1]])


def test_regression_recovers_a_linear_map() -> None:
    random = np.random.default_rng(1)
    left, weights = random.normal(size=(200, 6)).astype(np.float32), random.normal(size=(6, 9))
    right = normalise(left @ weights)
    found = dbnorm.mapped(left, right, np.arange(120), np.arange(120, 160))
    assert float(np.mean((found[160:] @ right.T).argmax(axis=1) == np.arange(160, 200))) > 0.9


def test_queries_of_the_bank_are_left_out() -> None:
    view = hubby()
    view.queries[[150, 250]] = 2 * view.queries[[3, 4]]
    kept = view.apart()
    assert set(view.validation) - set(kept.validation) == {150}
    assert set(view.test) - set(kept.test) == {250}
    assert kept.reversed().queries is view.items


def test_claims_hold_where_there_are_hubs() -> None:
    view = hubby()
    fitted = {kind: view.chosen(kind, (1.0, 30.0)).corrector for kind in dbnorm.KINDS}
    own = {"raw": dbnorm.judged(view, None), **{kind: dbnorm.judged(view, c) for kind, c in fitted.items()}}
    two = {kind: fitted[kind] for kind in ("is", "dualis")}
    found = dict.fromkeys(("A", "B", "LSA", "A, abstracts ask"), own)
    first = dbnorm.hubs({"A": view, "LSA": view}, {"A": fitted, "LSA": two}, found, ["nnn"])
    assert dbnorm.better(own, "is")
    assert first.verdict == ("reproduced" if dbnorm.better(own, "dualis") else "not reproduced")
    both = {**own, "dualis": own["is"]}
    again = dbnorm.hubs({"A": view, "LSA": view}, {"A": fitted, "LSA": two}, dict.fromkeys(found, both), [])
    assert again.verdict == "reproduced"
    assert "validation queries of A: none" in again.note
    assert first.measured["is: R@1"] > first.baseline["raw: R@1"] + 0.05
    assert "nnn" in first.note
    assert dbnorm.both_banks({"A": fitted, "B": fitted}, found).verdict == "reproduced"
    assert dbnorm.additive(view, fitted).verdict == "reproduced"
    random = np.random.default_rng(3)
    away = {"elsewhere": (random.normal(size=(50, 30)) - 3, random.normal(size=(40, 30)) - 3)}
    strange = dbnorm.strangers(view, fitted, own, away)
    assert strange.measured["elsewhere, dis: R@1"] == pytest.approx(own["raw"]["R@1"], abs=0.02)
    assert strange.measured["elsewhere, is: R@1"] < own["raw"]["R@1"] - 0.02


def test_bias_of_another_item_breaks_the_equality(monkeypatch: pytest.MonkeyPatch) -> None:
    view = hubby()
    fitted = {c.kind: c for kind in ("is", "dis", "dualis", "dualdis") for c in correctors_of(kind, betas=(9,))[:1]}
    whole = HubnessCorrector.fit_banks

    def shifted(self, *args):  # type: ignore[no-untyped-def]
        whole(self, *args)
        self.biases_ = np.roll(self.biases_, 1, axis=1)
        return self

    monkeypatch.setattr(HubnessCorrector, "fit_banks", shifted)
    assert dbnorm.additive(view, fitted).verdict == "not reproduced"
