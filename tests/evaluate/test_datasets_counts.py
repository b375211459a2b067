"""The sets on this machine hold what their keepers say; each test is skipped where its set is absent."""

from __future__ import annotations

import warnings
from collections import Counter

import numpy as np
import pytest

from similia.evaluate import datasets


def needs(name: str, split: str | None = None) -> None:
    if not datasets.available(name, split):
        pytest.skip(f"the data set {name}, split {split or 'default'}, is not on this machine")


# Documents, queries with a relevant document, judgments (a few are given twice, or of queries without a relevant one).
RETRIEVAL: dict[tuple[str, str], tuple[int, int, int]] = {
    ("adi", "all"): (82, 35, 170),
    ("cacm", "all"): (3204, 52, 796),
    ("cisi", "all"): (1460, 76, 3114),
    ("cranfield", "all"): (1400, 225, 1837),
    ("npl", "all"): (11_429, 93, 2083),
    ("medline", "all"): (1033, 30, 696),
    ("time", "all"): (423, 83, 324),
    ("nfcorpus", "dev"): (3193, 324, 11_385),
    ("limit_small", "all"): (46, 1000, 2000),
    ("medquad", "all"): (16_407, 14_979, 16_407),
    ("stackfaq", "all"): (125, 1249, 1249),
    ("trecqa", "train"): (4621, 83, 4624),
    ("trecqa", "dev"): (1038, 78, 1134),
    ("trecqa", "test"): (1393, 89, 1478),
    ("cosqa", "dev"): (552, 313, 313),
    ("semtab_glossary", "round1"): (2881, 141, 141),
    ("semtab_glossary", "round2"): (1192, 1181, 1181),
    ("library_books", "all"): (15_228, 3156, 3454),
    ("politifact", "all"): (16_253, 482, 583),
    ("corona_claims", "user"): (1158, 50, 66),
    ("corona_claims", "generated"): (1158, 6912, 7008),
    ("wikitable_questions", "train"): (2108, 14_152, 14_152),
    ("wikitable_questions", "seen"): (2108, 3537, 3537),
    ("wikitable_questions", "unseen"): (2108, 4344, 4344),
}


@pytest.mark.parametrize(("name", "split"), RETRIEVAL)
def test_counts_of_retrieval_sets(name: str, split: str) -> None:
    needs(name, split)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", datasets.UnverifiedDataWarning)
        found = datasets.retrieval(name, split)
    documents, queries, judged = RETRIEVAL[name, split]
    assert len(found.documents) == len(set(found.document_ids)) == documents
    assert len(found.queries) == len(set(found.query_ids)) == queries
    # A judgment given twice is one.
    assert judged - 10 <= sum(map(len, found.qrels.values())) <= judged
    known = set(found.document_ids)
    assert all(set(grades) <= known and max(grades.values()) > 0 for grades in found.qrels.values())
    assert list(found.qrels) == list(found.query_ids)
    assert all(text.strip() for text in found.queries)
    assert f"{documents:,} documents" in repr(found)


# Counts of pairs, and of those labelled 1 where people only said yes or no.
PAIRS: dict[tuple[str, str], int | tuple[int, int]] = {
    **{(f"stsb{language}", "train"): 5749 for language in ("", "_de", "_zh")},
    **{(f"stsb{language}", "dev"): 1500 for language in ("", "_de", "_zh")},
    **{(f"stsb{language}", "test"): 1379 for language in ("", "_de", "_zh")},
    ("sick", "train"): 4500,
    ("sick", "dev"): 500,
    ("sick", "test"): 4927,
    ("sts12", "train"): 1484,
    ("sts12", "test"): 2358,
    ("sts12", "MSRpar"): 750,
    ("sts13", "test"): 1500,
    ("sts14", "test"): 3750,
    ("sts15", "test"): 3000,
    ("sts16", "test"): 1186,
    ("sts16", "headlines"): 249,
    ("mrpc", "train"): (3576, 2407),
    ("mrpc", "dev"): (500, 346),
    ("mrpc", "test"): (1725, 1147),
    ("medical_question_pairs", "all"): (3048, 1524),
    ("word_similarity", "men"): 3000,
    ("word_similarity", "ws353"): 353,
    ("word_similarity", "ws353_similarity"): 203,
    ("word_similarity", "ws353_relatedness"): 252,
    ("word_similarity", "mturk287"): 287,
    ("word_similarity", "mturk771"): 771,
    ("word_similarity", "rg65"): 65,
    ("word_similarity", "mc30"): 30,
    ("word_similarity", "yp130"): 130,
    ("word_similarity", "verb143"): 144,
    ("word_similarity", "simlex999"): 999,
    ("word_similarity", "simverb3500"): 3500,
    ("word_similarity", "rw"): 2034,
    ("tabsim", "all"): 899,
    ("tabsim", "fold0"): 300,
    ("tabsim", "fold1"): 299,
    ("tabsim", "fold2"): 300,
    ("sugarcrepe_pp", "replace_att"): (3 * 788, 788),
    ("sugarcrepe_pp", "replace_rel"): (3 * 1406, 1406),
    ("sugarcrepe_pp", "swap_obj"): (3 * 245, 245),
}


@pytest.mark.parametrize(("name", "split"), PAIRS)
def test_counts_of_pairs(name: str, split: str) -> None:
    needs(name, split)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", datasets.UnverifiedDataWarning)
        found = datasets.pairs(name, split)
    wanted = PAIRS[name, split]
    count, same = wanted if isinstance(wanted, tuple) else (wanted, None)
    assert len(found) == len(found.left) == len(found.right) == len(found.scores) == count
    assert found.scores.dtype == np.float64
    assert found.low <= found.scores.min() <= found.scores.max() <= found.high
    assert all(found.left)
    assert all(found.right)
    if same is not None:
        assert set(found.scores.tolist()) == {0.0, 1.0}
        assert int(found.scores.sum()) == same


@pytest.mark.parametrize("year", ["12", "13", "14", "15", "16"])
def test_sources_of_a_year_make_up_its_test(year: str) -> None:
    name = f"sts{year}"
    needs(name)
    whole = datasets.pairs(name, "test")
    parts = [datasets.pairs(name, split) for split in datasets.info(name).splits if split not in ("test", "train")]
    assert Counter(zip(whole.left, whole.right, whole.scores, strict=True)) == sum(
        (Counter(zip(part.left, part.right, part.scores, strict=True)) for part in parts), Counter()
    )


def test_translations_keep_the_order_of_pairs() -> None:
    needs("stsb")
    assert (datasets.pairs("stsb").scores == datasets.pairs("stsb_de").scores).all()
    assert (datasets.pairs("stsb").scores == datasets.pairs("stsb_zh").scores).all()


def test_sugarcrepe_has_a_triplet_in_every_three() -> None:
    needs("sugarcrepe_pp")
    found = datasets.pairs("sugarcrepe_pp")
    assert (found.scores.reshape(-1, 3) == [1, 0, 0]).all()
    assert found.left[0::3] == found.left[1::3]
    assert found.right[0::3] == found.left[2::3]
    assert found.right[1::3] == found.right[2::3]


def test_trecqa_keeps_wrong_candidates() -> None:
    needs("trecqa", "test")
    found = datasets.retrieval("trecqa", "test")
    grades = Counter(grade for judged in found.qrels.values() for grade in judged.values())
    assert grades == {0.0: 1194, 1.0: 284}
    assert len(set(found.documents)) == len(found.documents)
    assert sum(map(len, map(found.candidates, found.query_ids))) == 1478


def test_medquad_pairs_are_those_of_medquad() -> None:
    needs("medquad_pairs")
    pairs = list(datasets.records("medquad_pairs"))
    whole = datasets.retrieval("medquad")
    assert tuple(pair["id"] for pair in pairs) == whole.document_ids
    assert tuple(pair["answer"] for pair in pairs) == whole.documents
    assert {pair["question"] for pair in pairs} == set(whole.queries)
    # Of 5,497 pages, 11 have no pair with an answer.
    assert len({pair["document"] for pair in pairs}) == 5486
    assert len({pair["source"] for pair in pairs}) == 9
    assert Counter(pair["kind"] for pair in pairs).most_common(1) == [("information", 4535)]
    assert {pair["document"] for pair in pairs if not pair["focus"]} == {
        f"9_CDC_QA/0000{page}" for page in (199, 423, 424)
    }


def test_ag_news() -> None:
    needs("ag_news")
    found = datasets.classification("ag_news")
    assert len(found) == len(found.labels) == 7600
    assert np.bincount(found.labels).tolist() == [1900] * 4
    assert found.classes == ("World", "Sports", "Business", "Sci/Tech")


@pytest.mark.parametrize(
    ("name", "split", "count"),
    [
        ("papers", "all", 24_318),
        ("papers_ir", "all", 6767),
        ("papers_archive", "cs.CL", 11_636),
        ("papers_archive", "cs.DB", 4738),
        ("papers_archive", "cs.IR", 6767),
        ("papers_archive", "cs.MM", 2442),
        ("papers_archive", "cs.SD", 3237),
        ("papers_archive", "cs.HC", 5027),
        ("papers_archive", "cs.DL", 2986),
        ("papers_archive", "physics.med-ph", 3359),
    ],
)
def test_papers(name: str, split: str, count: int) -> None:
    needs(name, split)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", datasets.UnverifiedDataWarning)
        found = datasets.records(name, split)
    records = list(found)
    assert len(records) == len({r["id"] for r in records}) == count
    assert all(r["title"] and r["abstract"] and len(r["date"]) == 10 for r in records)
    assert next(found.records()) == records[0]
    if split != "all":
        assert all(split in record["categories"] for record in records)


@pytest.mark.parametrize(("split", "count"), [("inspec", 2000), ("www", 1330), ("kdd", 755), ("semeval2017", 493)])
def test_paper_keyphrases(split: str, count: int) -> None:
    needs("paper_keyphrases", split)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", datasets.UnverifiedDataWarning)
        records = list(datasets.records("paper_keyphrases", split))
    assert len(records) == len({record["id"] for record in records}) == count
    assert all(record["text"] and record["keyphrases"] for record in records)


def test_humanevalpack() -> None:
    needs("humanevalpack")
    assert len(list(datasets.records("humanevalpack"))) == 164
    rust = list(datasets.records("humanevalpack", "rust"))
    assert len(rust) == 164
    assert rust[0]["task_id"].startswith("Rust")
