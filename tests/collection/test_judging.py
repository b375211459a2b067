"""Judgments of a collection: given by hand, from files and one by one; kept through whatever happens to the items."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from similia import Collection
from similia.collection.judging_input import made_of
from similia.collection.store.judgments import Judgment
from similia.errors import InputError, SimiliaError, SourceError, UnknownItem, UnknownSense
from similia.evaluate import evaluate

ROWS = [
    {"id": "p1", "title": "Finding copies of images"},
    {"id": "p2", "title": "Copy detection at scale"},
    {"id": "p3", "title": "Fusing rankings"},
    {"id": "p4", "title": "Cats and dogs"},
]


@pytest.fixture
def papers(tmp_path: Path) -> Iterator[Collection]:
    with Collection.open(tmp_path / "papers", create=True) as made:
        made.add(ROWS, key="id", text="title", encoder="hashing:16")
        yield made


def test_one_judgment_after_another(papers: Collection) -> None:
    report = papers.judgments.add("  copies ", "p1", 3)
    assert (report.added, report.replaced, report.skipped, report.unknown) == (1, 0, 0, ())
    assert papers.judgments.add("copies", "p1", 2, note="an afterthought").replaced == 1
    papers.judgments.add(None, "p2", 1, like="p1", sense="topic")
    assert len(papers.judgments) == 2
    assert papers.judgments.qrels() == {"copies": {"p1": 2.0}}
    assert papers.judgments.qrels(like=True) == {"p1": {"p2": 1.0}}
    assert papers.judgments.queries() == ["copies"]
    assert [row.command for row in papers.log(2)] == ["judge", "judge"]
    one = next(iter(papers.judgments))
    assert (one.grade, one.note, one.source, one.sense, one.like) == (2.0, "an afterthought", "cli", None, False)
    assert one.time.endswith("+00:00")
    papers.undo()
    assert papers.judgments.qrels(like=True) == {}
    assert repr(papers.judgments) == "Judgments(1 of 1 queries)"
    assert papers.check().ok


def test_search_and_judgments_make_an_evaluation(papers: Collection) -> None:
    papers.judgments.add_many(
        [{"query": "cats", "item": "p4", "grade": 1}, {"query": "rankings", "item": "p3", "grade": 2}]
    )
    qrels = papers.judgments.qrels()
    run = {query: {hit.key: hit.score for hit in papers.search(query)} for query in qrels}
    assert evaluate(run, qrels, ["mrr"]).mean("mrr") == 1.0


def test_which_judgments_hold_in_a_sense(papers: Collection) -> None:
    papers.senses.add("short", text="title", encoder="hashing:8")
    papers.judgments.add("q", "p1", 3, sense="topic")
    papers.judgments.add("q", "p1", 1)
    papers.judgments.add("q", "p2", 2, sense="short")
    papers.judgments.add("q", "p3", 1, source="click")
    papers.judgments.add("q", "p4", 2, source="page")
    papers.judgments.add("q", "p4", 0, source="file")
    assert papers.judgments.qrels("topic") == {"q": {"p1": 3.0, "p4": 0.0}}, (
        "what is of the sense before what is of any"
    )
    assert papers.judgments.qrels("short") == {"q": {"p1": 1.0, "p2": 2.0, "p4": 0.0}}
    assert papers.judgments.qrels() == {"q": {"p1": 1.0, "p2": 2.0, "p4": 0.0}}, "clicks are asked for"
    assert papers.judgments.qrels(sources=None)["q"]["p3"] == 1.0
    assert papers.judgments.qrels(sources=["click"]) == {"q": {"p3": 1.0}}
    assert papers.judgments.qrels(sources=["page"]) == {"q": {"p4": 2.0}}
    with pytest.raises(InputError, match="source 'clicks' is not one of cli, page, click, file"):
        papers.judgments.qrels(sources=["clicks"])
    with pytest.raises(InputError, match="sources is 'click'; give several"):
        papers.judgments.qrels(sources="click")


def test_an_item_that_is_deleted_keeps_its_judgments(papers: Collection) -> None:
    papers.judgments.add("q", "p1", 3)
    papers.judgments.add("q", "p2", 1)
    papers.judgments.add(None, "p2", 1, like="p1")
    papers.delete(["p1"])
    assert papers.judgments.qrels() == {"q": {"p2": 1.0}}
    assert papers.judgments.qrels(like=True) == {}
    assert papers.judgments.qrels(missing=True) == {"q": {"p1": 3.0, "p2": 1.0}}
    assert [(one.query, one.item) for one in papers.judgments.missing()] == [("q", "p1"), ("p1", "p2")]
    assert "2 do not count until the items that they name are in the collection" in " ".join(
        str(papers.judgments).split()
    )
    assert papers.check().ok
    papers.add([{"id": "p1", "title": "Back"}], key="id")
    assert papers.judgments.qrels() == {"q": {"p1": 3.0, "p2": 1.0}}
    assert papers.judgments.missing() == []


def test_items_that_are_not_there(papers: Collection) -> None:
    rows = [{"query": "q", "item": key, "grade": 1} for key in ("p1", "p11", "zebra")]
    said = (
        r"2 of 3 judgments are about items that collection 'papers' does not have: 'p11' \(did you mean 'p1'\?\), "
        "'zebra'; nothing was stored: keep them for when the items are added, or skip them"
    )
    with pytest.raises(UnknownItem, match=said):
        papers.judgments.add_many(rows)
    with pytest.raises(UnknownItem, match=r"the judgment is about an item that .*: 'p22' \(did you mean 'p2'\?\); n"):
        papers.judgments.add(None, "p1", 1, like="p22")
    assert len(papers.judgments) == 0
    report = papers.judgments.add_many(rows, unknown="skip")
    assert (report.added, report.skipped, report.unknown) == (1, 2, ("p11", "zebra"))
    assert "not in the collection: p11, zebra (left out)" in str(report)
    report = papers.judgments.add_many(rows, unknown="keep")
    assert (report.added, report.replaced, report.skipped) == (2, 1, 0)
    assert papers.judgments.qrels() == {"q": {"p1": 1.0}}
    papers.add([{"id": "zebra", "title": "Stripes"}], key="id")
    assert papers.judgments.qrels() == {"q": {"p1": 1.0, "zebra": 1.0}}
    with pytest.raises(UnknownSense, match="has no sense 'topc'; did you mean 'topic'"):
        papers.judgments.add("q", "p1", 1, sense="topc")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"query": "q", "item": "p1", "grade": -1}, "judgment 2: the grade is -1; it must be a number of at least 0"),
        ({"query": "q", "item": "p1", "grade": float("nan")}, "the grade is nan"),
        ({"query": "q", "item": "p1", "grade": "2"}, "the grade is '2'"),
        ({"query": "q", "item": "p1", "grade": True}, "the grade is True"),
        ({"query": " ", "item": "p1", "grade": 1}, "the query is ' '; it must be a text that is not blank"),
        ({"query": 7, "item": "p1", "grade": 1}, "the query is 7; it must be a text"),
        ({"query": "q", "like": "p1", "item": "p1", "grade": 1}, "needs a query, a text, or like"),
        ({"item": "p1", "grade": 1}, "needs a query, a text, or like"),
        ({"query": "q", "grade": 1}, "needs an item and a grade"),
        ({"query": "q", "item": "p1", "grade": 1, "source": "me"}, "source 'me' is not one of cli, page, click, file"),
        ({"query": "q", "item": "p1", "grades": 1}, "judgment 2 has 'grades'; a judgment has query, like, item"),
        (("q", "p1", 1), "judgment 2 is tuple; give a mapping"),
        ({"query": "\ud800", "item": "p1", "grade": 1}, "Unicode"),
    ],
)
def test_one_that_cannot_be_stores_nothing(papers: Collection, row: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        papers.judgments.add_many([{"query": "q", "item": "p1", "grade": 1}, row])
    assert len(papers.judgments) == 0
    assert len(papers.log()) == 1


def test_remove(papers: Collection) -> None:
    rows = [{"query": q, "item": key, "grade": 1} for q in ("a", "b") for key in ("p1", "p2", "p3")]
    papers.judgments.add_many(rows)
    papers.judgments.add(None, "p1", 1, like="a", unknown="keep")
    assert papers.judgments.remove("a ", ["p1", "p2", "p9"]) == 2
    assert papers.log(1)[0].arguments == {"query": "a", "items": ["p1", "p2", "p9"]}
    assert papers.judgments.remove(item="p3") == 2
    assert papers.judgments.qrels() == {"b": {"p1": 1.0, "p2": 1.0}}
    papers.undo()
    assert papers.judgments.qrels() == {"a": {"p3": 1.0}, "b": {"p1": 1.0, "p2": 1.0, "p3": 1.0}}
    assert papers.judgments.remove(like="a") == 1
    assert papers.judgments.remove("nothing") == 0
    with pytest.raises(InputError, match="say which judgments to remove"):
        papers.judgments.remove()
    assert papers.judgments.remove(source="cli") == 4
    assert len(papers.judgments) == 0


def test_tables(papers: Collection) -> None:
    papers.judgments.add("cats", "p4", 2, note="good")
    papers.judgments.add(None, "p2", 0.5, like="p1", sense="topic")
    first, second = papers.judgments.to_dicts()
    assert {**first, "time": ""} == {
        "query": "cats", "like": None, "sense": None, "item": "p4", "grade": 2.0, "source": "cli", "time": "",
        "note": "good",
    }  # fmt: skip
    assert (second["query"], second["like"], second["sense"]) == (None, "p1", "topic")
    shown = str(papers.judgments)
    assert "cats" in shown
    assert "like p1" in shown
    assert "2 judgments of 2 queries" in shown
    assert "<table" in papers.judgments._repr_html_()
    frame = papers.judgments.to_pandas()
    assert frame["grade"].tolist() == [2.0, 0.5]
    assert str(frame["time"].dtype) == "datetime64[us]"
    assert papers.judgments.to_polars()["item"].to_list() == ["p4", "p2"]
    assert papers.judgments.to_arrow().num_rows == 2


FILES = {
    "a.csv": "query,item,grade\ncats,p4,2\ncopies,p1,1\n",
    "a.tsv": "query\titem\tgrade\tsource\ncats\tp4\t2\tpage\ncopies\tp1\t1\t\n",
    "a.jsonl": '{"query": "cats", "item": "p4", "grade": 2}\n{"query": "copies", "item": "p1", "grade": 1}\n',
    "a.qrels": "7 0 p4 2\n8 0 p1 1\n",
    "beir/qrels/test.tsv": "query-id\tcorpus-id\tscore\n7\tp4\t2\n8\tp1\t1\n",
}


@pytest.mark.parametrize("name", FILES)
def test_files(papers: Collection, tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text(FILES[name])
    (tmp_path / "a.queries.tsv").write_text("7\tcats\n8\tcopies\n9\tunjudged\n")
    (tmp_path / "beir").mkdir(exist_ok=True)
    (tmp_path / "beir" / "queries.jsonl").write_text('{"_id": "7", "text": "cats"}\n{"_id": "8", "text": "copies"}\n')
    report = papers.judgments.add_file(tmp_path / ("beir" if "/" in name else name))
    assert report.added == 2
    assert papers.judgments.qrels() == {"cats": {"p4": 2.0}, "copies": {"p1": 1.0}}
    assert [one.source for one in papers.judgments] == ["page" if name == "a.tsv" else "file", "file"]
    assert papers.log(1)[0].arguments["judgments"] == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("query,item,grade\ncats,p4,2\ncats,p1,-1\n", r"a\.csv, line 3: the grade -1 is below 0"),
        ("query,item,grade,source\ncats,p4,2,me\n", r"a\.csv, line 2: source 'me' is not one of"),
        ("query,item,grade,time\ncats,p4,2,yesterday\n", "line 2: the time 'yesterday' is not a date and time"),
        ("query,item,grade\ncats,p4,2\n\ncats,p4,1\n", "line 4: item 'p4' has the grade 1 here and 2 in line 2"),
        (
            "query_id,item,grade\n7,p4,2\n",
            r"line 2: names its query by the id '7': give the texts .* \(--queries FILE\)",
        ),
    ],
)
def test_a_malformed_file_stores_nothing(papers: Collection, tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(SourceError, match=said):
        papers.judgments.add_file(tmp_path / "a.csv")
    assert len(papers.judgments) == 0
    assert len(papers.log()) == 1


def test_texts_of_queries_that_are_named_by_id(papers: Collection, tmp_path: Path) -> None:
    (tmp_path / "a.qrels").write_text("7 0 p4 2\n")
    with pytest.raises(SourceError, match="names its query by the id '7'"):
        papers.judgments.add_file(tmp_path / "a.qrels")
    with pytest.raises(SourceError, match="line 1: query '7' is not among the texts"):
        papers.judgments.add_file(tmp_path / "a.qrels", queries={"8": "cats"})
    (tmp_path / "topics.txt").write_text("7\tcats\n")
    papers.judgments.add_file(tmp_path / "a.qrels", queries=tmp_path / "topics.txt")
    assert papers.judgments.qrels() == {"cats": {"p4": 2.0}}


TEXTS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12).map(str.strip).filter(bool)
ONES = st.builds(
    Judgment,
    query=TEXTS,
    item=st.sampled_from(["p1", "p2", "p3"]),
    grade=st.floats(0, 1e9),
    sense=st.sampled_from([None, "topic"]),
    source=st.sampled_from(["cli", "page", "click", "file"]),
    note=TEXTS | st.just(""),
    like=st.booleans(),
)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Collection, Collection, Path]]:
    place = tmp_path_factory.mktemp("two")
    with Collection.open(place / "one", create=True) as one, Collection.open(place / "two", create=True) as other:
        one.add(ROWS, key="id", text="title", encoder="hashing:16")
        other.add(ROWS, key="id", text="title", encoder="hashing:16")
        yield one, other, place


@settings(deadline=None, max_examples=25)
@given(judged=st.lists(ONES, max_size=6), name=st.sampled_from(["j.csv", "j.tsv", "j.jsonl", "j.jsonl.gz"]))
def test_what_is_exported_is_read_again(
    two: tuple[Collection, Collection, Path], judged: list[Judgment], name: str
) -> None:
    one, other, place = two
    for shelf in two[:2]:
        for source in ("cli", "page", "click", "file"):
            shelf.judgments.remove(source=source)
    one.judgments.add_many(judged, unknown="keep")
    assert one.judgments.export(place / name) == len(one.judgments)
    other.judgments.add_file(place / name, unknown="keep")
    assert list(other.judgments) == list(one.judgments)


def test_export_as_trec_and_back(papers: Collection, tmp_path: Path) -> None:
    papers.judgments.add("cats", "p4", 2)
    papers.judgments.add("two words", "p9", 1, unknown="keep")
    papers.judgments.add("two words", "p1", 1, source="click")
    assert papers.judgments.export(tmp_path / "j.qrels") == 2
    assert (tmp_path / "j.qrels").read_text() == "q1 0 p4 2\nq2 0 p9 1\n"
    assert (tmp_path / "j.queries.tsv").read_text() == "q1\tcats\nq2\ttwo words\n"
    papers.judgments.remove(source="cli")
    papers.judgments.add_file(tmp_path / "j.qrels", unknown="keep")
    assert papers.judgments.qrels(missing=True) == {"cats": {"p4": 2.0}, "two words": {"p9": 1.0}}


def test_judgments_survive_a_backup(papers: Collection, tmp_path: Path) -> None:
    papers.judgments.add("cats", "p4", 2)
    papers.backup(tmp_path / "b")
    Collection.restore(tmp_path / "b", tmp_path / "again")
    with Collection.open(tmp_path / "again") as again:
        assert list(again.judgments) == list(papers.judgments)
        assert again.search("cats", k=1).keys == ["p4"]


def test_an_object_is_checked_as_a_mapping_is() -> None:
    with pytest.raises(InputError, match="the grade is -1"):
        made_of(Judgment("q", "a", -1), 1, None, "cli")
    assert made_of(Judgment("q", "a", 1, source="page", like=True), 1, "topic", "cli").about == (
        "like", "q", "topic", "a", "page",
    )  # fmt: skip


def test_everything_said_is_an_error_of_ours(papers: Collection) -> None:
    for call in (
        lambda: papers.judgments.add(None, "p1", 1),
        lambda: papers.judgments.add("q", "p1", 1, unknown="maybe"),
        lambda: papers.judgments.remove("q", like="p1"),
        lambda: papers.judgments.add("q", "p1", 1, note="\ud800"),
        lambda: papers.judgments.session("q", like="p1"),
        lambda: papers.judgments.session("q", sense="none"),
        lambda: papers.judgments.export(papers.path / "a.xlsx"),
        lambda: papers.judgments.add_file(papers.path / "none.csv"),
        lambda: papers.judgments.add_file(papers.path / "none.csv", format="xml"),
    ):
        with pytest.raises(SimiliaError):
            call()
    assert json.loads(json.dumps(papers.judgments.to_dicts())) == []
