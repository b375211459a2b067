"""UCoFiA: its pieces by hand, and the levels on a small sample."""

from __future__ import annotations

import lzma
from pathlib import Path

import numpy as np
import pytest

from similia.atlas import s078_ucofia as ucofia
from similia.atlas.registry import Settings
from similia.errors import DatasetMissing
from similia.evaluate import datasets
from similia.evaluate.datasets import places
from similia.evaluate.datasets.library_books import library_books
from similia.evaluate.datasets.places import Source


def asked(seed: int, queries: int = 120, titles: int = 80, hub: float = 0.0) -> ucofia.Asked:
    """Two noisy views of which title is right; the first titles score too high everywhere."""
    random = np.random.default_rng(seed)
    right = random.integers(0, titles, queries)
    lift = np.where(np.arange(titles) < 8, hub, 0)
    levels = {
        level: (right[:, None] == np.arange(titles)) * 0.5 + 0.17 * random.normal(size=(queries, titles)) + lift
        for level in ucofia.LEVELS
    }
    return ucofia.Asked(levels, right)


def test_both_levels_of_texts() -> None:
    levels = ucofia.compared(["la casa gran 12 Rod", "...", "oceà"], ["La casa gran", "La platja", "L'oceà"])
    for matrix in levels.values():
        assert matrix.shape == (3, 3)
        assert matrix[[0, 2]].argmax(axis=1).tolist() == [0, 2]
        assert (matrix[1] == 0).all()  # no words: nothing but the whole, which is nothing
    assert levels["fine"][0, 0] > levels["coarse"][0, 0] - 0.5
    assert ucofia.tokens("Déu-n'hi-do! 613.2 Adr") == ["déu", "n", "hi", "do", "613", "2", "adr"]


def test_claims_hold_for_levels_that_add_up() -> None:
    test, validation, bank = (asked(seed, hub=0.2) for seed in (1, 2, 3))
    assert ucofia.together(asked(1), {}).verdict == "reproduced"
    second = ucofia.by_asked(test, validation)
    assert second.verdict == "reproduced"
    assert second.measured["fine: skewness"] < second.baseline["fine: skewness"]
    third = ucofia.by_others(test, validation, bank)
    assert third.verdict == "reproduced"
    assert third.measured["sum: R@1"] > third.baseline["sum: R@1"]


def test_words_are_grams() -> None:
    vectors = ucofia.hashed_grams(["biblioteca", "bibliotoca", "museu"])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-6)
    assert vectors[0] @ vectors[1] > 0.5 > 0.3 > vectors[0] @ vectors[2]
    found = ucofia.together(asked(1), {"again, ": asked(1)})
    assert found.measured["again, sum: R@1"] == found.measured["sum: R@1"]
    assert found.baseline["again, fine: R@1"] == found.baseline["fine: R@1"]


def test_pairs_of_the_bank_are_left_out() -> None:
    bank = asked(4)
    masked = bank.without_pairs("fine")
    assert np.isneginf(masked[np.arange(120), bank.right]).all()
    assert np.isfinite(masked).sum() == masked.size - 120
    assert np.isfinite(bank.levels["fine"]).all()


def test_interaction_where_few_parts_match(monkeypatch: pytest.MonkeyPatch) -> None:
    def sets(settings: Settings, random: np.random.Generator, count: int):  # type: ignore[no-untyped-def]
        titles = random.normal(size=(count, 16)).astype(np.float32)
        few = random.normal(size=(count, ucofia.PARTS, 16)).astype(np.float32)
        few[:, :2] = titles[:, None] + 0.5 * few[:, :2]
        every = (titles[:, None] + 0.01 * few).astype(np.float32)
        counted = np.ones((count, ucofia.PARTS), np.bool_)
        return {"few match": (titles / 16, few, counted), "all match": (titles / 16, every, counted)}

    monkeypatch.setattr(ucofia, "sentence_sets", sets)
    found = ucofia.interaction(Settings(quick=True), np.random.default_rng(0))
    assert found.verdict == "reproduced"
    assert found.measured["isa, few match"] > found.baseline["mean, few match"]


def test_the_library_on_a_small_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    if not datasets.available("library_books"):
        pytest.skip("the data set library_books is not on this machine")
    data = datasets.retrieval("library_books")
    assert (len(data.documents), len(data.queries)) == (15_228, 3_156)
    assert set(data.qrels) == set(data.query_ids)
    monkeypatch.setattr(ucofia, "interaction", lambda settings, random: ucofia.together(asked(1), {}))
    claims = ucofia.run(Settings(quick=True))
    assert [claim.number for claim in claims[:3]] == [1, 2, 3]
    assert claims[0].baseline["coarse: R@1"] > 0.7
    assert all(np.isfinite([*claim.measured.values(), *claim.baseline.values()]).all() for claim in claims)


def test_the_reader_links_spines_to_records(tmp_path: Path) -> None:
    spines = (
        "image_name,mask_id,title,author,ocr\n"
        "a.jpg,1,El  Mar ,Pla,EL MAR pla\na.jpg,1,Terra,,EL MAR pla\n"
        "a.jpg,2,,,xyz\na.jpg,3,El mar,Sala,MAR\nb.jpg,1,Terra,,\n"
    )
    catalogue = "title,author\nEl mar ,Pla\nTerra,\nel Mar,PLA\n"
    (tmp_path / "annotations_half_a.csv.xz").write_bytes(lzma.compress(spines.encode()))
    (tmp_path / "catalogue.csv").write_text(catalogue, "utf-8")
    data = library_books("books", Source(tmp_path, ("*",)), "all")
    assert data.documents == ("El mar\nPla", "Terra", "el Mar\nPLA")
    assert dict(zip(data.query_ids, data.queries, strict=True)) == {"a.jpg#1": "EL MAR pla"}
    assert data.qrels == {"a.jpg#1": {"0": 1.0, "2": 1.0, "1": 1.0}}


def test_missing_books_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "data_folders", lambda: [tmp_path])
    with pytest.raises(DatasetMissing, match="library_books"):
        ucofia.run(Settings(quick=True))
