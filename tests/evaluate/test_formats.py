"""Queries, judgments and runs in files: what was written is read, other readers agree, and a fault is a line."""

from __future__ import annotations

import gzip
import json
import lzma
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from similia.errors import InputError, SimiliaError, SourceError
from similia.evaluate import evaluate
from similia.evaluate.formats import (
    read_corpus,
    read_judgments,
    read_queries,
    read_run,
    write_judgments,
    write_queries,
    write_run,
)

TOKENS = st.text(st.characters(exclude_categories=("C", "Z"), exclude_characters="\ufeff"), min_size=1, max_size=8)
NAMES = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=8).filter(str.strip)
WHOLE = st.integers(0, 2**40).map(float)
GRADES = st.floats(0, 1e300)
SCORES = st.floats(-1e300, 1e300)


def tables(names: st.SearchStrategy[str], values: st.SearchStrategy[float]) -> Any:
    return st.dictionaries(names, st.dictionaries(names, values, min_size=1, max_size=4), max_size=4)


def there_and_back(value: Any, name: str, write: Callable[..., int], read: Callable[..., Any], **how: Any) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        write(value, Path(folder) / name, **how)
        assert [path.name for path in Path(folder).iterdir()] == [name]
        return read(Path(folder) / name, **how)


@given(tables(TOKENS, WHOLE))
def test_trec_judgments_come_back(qrels: Mapping[str, Mapping[str, float]]) -> None:
    assert there_and_back(qrels, "a.qrels", write_judgments, read_judgments) == qrels


@given(tables(NAMES, GRADES), st.sampled_from(["a.csv", "a.tsv", "a.jsonl", "a.csv.gz", "a.jsonl.xz", "a.tsv.zst"]))
@example({"item": {"grade": 1.0}, '"': {"\r.": 0.5, "\n\t,": 0.0}}, "a.tsv")
@example({"\x85x\u2028": {"\ufeffx": 3.0, "{": 1.0}}, "a.jsonl")
@example({}, "a.csv")
def test_judgments_in_tables_come_back(qrels: Mapping[str, Mapping[str, float]], name: str) -> None:
    assert there_and_back(qrels, name, write_judgments, read_judgments) == qrels


@given(tables(NAMES, GRADES))
def test_judgments_of_beir_come_back(qrels: Mapping[str, Mapping[str, float]]) -> None:
    assert there_and_back(qrels, "beir", write_judgments, read_judgments, format="beir", split="dev") == qrels


@given(tables(TOKENS, SCORES), st.sampled_from(["a.run", "a.trec.gz"]))
def test_trec_runs_come_back(run: Mapping[str, Mapping[str, float]], name: str) -> None:
    assert there_and_back(run, name, write_run, read_run) == run


@given(tables(NAMES, SCORES), st.sampled_from(["a.csv", "a.tsv", "a.jsonl", "a.jsonl.gz"]))
def test_runs_in_tables_come_back(run: Mapping[str, Mapping[str, float]], name: str) -> None:
    assert there_and_back(run, name, write_run, read_run) == run


LINES = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\t\r\n\ufeff"), min_size=1).filter(
    str.strip
)


@given(
    st.dictionaries(LINES, LINES, max_size=5).filter(
        lambda found: not {"id", "qid", "_id"} & set(map(str.lower, found))
    )
)
def test_topics_come_back(queries: Mapping[str, str]) -> None:
    assert there_and_back(queries, "topics.tsv", write_queries, read_queries, format="tsv") == queries


@given(st.dictionaries(NAMES, NAMES, max_size=5), st.sampled_from(["q.csv", "q.jsonl", "q.jsonl.zst"]))
def test_queries_in_tables_come_back(queries: Mapping[str, str], name: str) -> None:
    assert there_and_back(queries, name, write_queries, read_queries) == queries


def table(seed: int, values: list[float]) -> dict[str, dict[str, float]]:
    random = Random(seed)
    return {f"q-{n}": {f"d{random.randrange(999)}": random.choice(values) for _ in range(5)} for n in range(40)}


def test_ranx_reads_what_we_write_and_we_read_what_it_writes(tmp_path: Path) -> None:
    ranx = pytest.importorskip("ranx")
    qrels, run = table(1, [0.0, 1.0, 2.0, 3.0]), table(2, [0.1, -7.25, 1e-9, 3.0, 12345.678])
    write_judgments(qrels, tmp_path / "ours.qrels")
    write_run(run, tmp_path / "ours.run")
    assert ranx.Qrels.from_file(str(tmp_path / "ours.qrels"), kind="trec").to_dict() == qrels
    assert ranx.Run.from_file(str(tmp_path / "ours.run"), kind="trec").to_dict() == run
    whole = {query: {item: int(grade) for item, grade in one.items()} for query, one in qrels.items()}
    ranx.Qrels(whole).save(str(tmp_path / "theirs.qrels"), kind="trec")
    ranx.Run(run).save(str(tmp_path / "theirs.run"), kind="trec")
    assert read_judgments(tmp_path / "theirs.qrels") == qrels
    assert read_run(tmp_path / "theirs.run") == run


def test_what_is_read_can_be_evaluated(tmp_path: Path) -> None:
    (tmp_path / "r.qrels").write_text("q1 0 a 2\nq1\t0\tb\t0\nq2 0  c 1\n")
    (tmp_path / "mine.run").write_text("q1 Q0 b 1 0.9 x\nq1 Q0 a 2 0.8 x\nq2 Q0 c 1 0.5 x\n")
    found = evaluate(read_run(tmp_path / "mine.run"), read_judgments(tmp_path / "r.qrels"), ["mrr"])
    assert found["mrr"].tolist() == [0.5, 1.0]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.qrels", "q1 0 d1 2\nq2 0 d2 1\n"),
        ("a.txt", "q1\t0\td1\t2\r\nq2\t0\td2\t1\r\n\r\n"),
        ("a.tsv", "q1\t0\td1\t2\nq2\t0\td2\t1"),
        ("a.tsv", "query-id\tcorpus-id\tscore\nq1\td1\t2\nq2\td2\t1\n"),
        ("a.tsv", "Query_ID\tDoc_ID\tRelevance\nq1\td1\t2.0\nq2\td2\t1e0\n"),
        ("a.csv", "item,grade,query\nd1,2,q1\n\nd2,1,q2\n"),
        ("a.csv", "query_id,query,item,grade,note\nq1,cats,d1,2,\nq2,tea,d2,1,good\n"),
        ("a.jsonl", '{"query": "q1", "item": "d1", "grade": 2}\n\n{"qid": "q2", "docid": "d2", "rel": "1"}\n'),
        ("noname", '{"query": "q1", "item": "d1", "grade": 2}\n{"query": "q2", "item": "d2", "grade": 1}'),
        ("a.csv", "\ufeffquery,item,grade\r\nq1,d1,2\r\nq2,d2,1\r\nq2,d2,1\r\n"),
    ],
)
@pytest.mark.parametrize("pack", [None, gzip.compress, lzma.compress], ids=["plain", "gzip", "xz"])
def test_forms_that_are_known_by_name_or_first_line(
    tmp_path: Path, name: str, text: str, pack: Callable[[bytes], bytes] | None
) -> None:
    data = text.encode()
    (tmp_path / name).write_bytes(data if pack is None else pack(data))
    assert read_judgments(tmp_path / name) == {"q1": {"d1": 2.0}, "q2": {"d2": 1.0}}


def test_a_beir_folder(tmp_path: Path) -> None:
    (tmp_path / "qrels").mkdir()
    (tmp_path / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n7\t42\t1\n")
    (tmp_path / "queries.jsonl").write_text('{"_id": "7", "text": "why?", "metadata": {}}\n')
    (tmp_path / "corpus.jsonl").write_text('{"_id": "42", "title": "", "text": "So."}\n{"_id": 43, "text": "No."}\n')
    assert read_judgments(tmp_path) == {"7": {"42": 1.0}}
    assert read_queries(tmp_path) == {"7": "why?"}
    assert list(read_corpus(tmp_path)) == [("42", "", "So."), ("43", "", "No.")]
    with pytest.raises(SourceError, match=r"no judgments qrels/dev\.tsv \(splits that are there: test\)"):
        read_judgments(tmp_path, split="dev")
    assert write_queries({"a": "b"}, tmp_path / "new", format="beir") == 1
    assert write_judgments({"a": {"b": 1}}, tmp_path / "new") == 1
    assert (read_queries(tmp_path / "new"), read_judgments(tmp_path / "new")) == ({"a": "b"}, {"a": {"b": 1.0}})


QRELS = [
    ("q1 0 d1\n", "line 1: has 3 columns; TREC judgments have 4"),
    ("q1 0 d1 1\nq1 0 d2 high\n", "line 2: the grade 'high' is not a finite number"),
    ("q1 0 d1 nan\n", "line 1: the grade 'nan' is not a finite number"),
    ("q1 0 d1 1_0\n", "not a finite number"),
    ("q1 0 d1 1\n\nq1 0 d2 -2\n", "line 3: the grade -2 is below 0; write 0 for what is judged and not relevant"),
    ("q1 0 d1 1\nq1 0 d2 1\nq1 0 d1 2\n", "line 3: query 'q1', item 'd1': the grade is 2, and 1 in line 1"),
]
CSV = [
    ("query,item\nq,d\n", "line 2: has no grade"),
    ("question,item,grade\nq,d,1\n", "line 2: has no query"),
    ("query,item,grade\nq,,1\n", r"line 2: has no item \(column item, "),
    ("query,item,grade\nq, ,1\n", "line 2: the item is blank"),
    ("query,item,grade\nq,d\n", "line 2: has 2 cells, and the header has 3"),
    ('query,item,grade\n"two\nlines",d,1\nq,d,x\n', "line 4: the grade 'x'"),
    ('query,item,grade\nq,"d,1\n', "line 2: cannot be read as cells"),
]
JSONL = [
    ('{"query": "q", "item": "d", "grade": 1}\n{"query": \n', "line 2: is not JSON"),
    ('["q", "d", 1]\n', "line 1: holds list, not a JSON object"),
    ('{"query": "q", "item": "d", "grade": true}\n', "the grade True is not a finite number"),
    ('{"query": "q", "item": "d", "grade": NaN}\n', "the grade nan is not"),
    ('{"query": "q", "item": "d", "grade": 1' + 400 * "0" + "}\n", "is not a finite number"),
    ('{"query": {"a": 1}, "item": "d", "grade": 1}\n', "the query is {'a': 1}, not text"),
    ('{"query": "\\ud800", "item": "d", "grade": 1}\n', "is not Unicode text"),
    (5000 * "[" + "\n", "line 1: is not JSON"),
]
FAULTS = [
    *(("f.qrels", text, said) for text, said in QRELS),
    *(("f.csv", text, said) for text, said in CSV),
    *(("f.jsonl", text, said) for text, said in JSONL),
]


@pytest.mark.parametrize(("name", "text", "said"), FAULTS)
def test_a_fault_is_named_with_its_line(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(SourceError, match=said) as raised:
        read_judgments(tmp_path / name)
    assert str(tmp_path / name) in str(raised.value)
    assert raised.value.line is not None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("q Q0 d 1 0.5\n", "line 1: has 5 columns; a TREC run has 6"),
        ("q Q0 d 1 0.5 x\nq Q0 d 2 0.4 x\n", "line 2: query 'q', item 'd': the score is 0.4, and 0.5 in line 1"),
        ("q Q0 d 1 inf x\n", "the score 'inf' is not a finite number"),
    ],
)
def test_faults_of_runs(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.run").write_text(text)
    with pytest.raises(SourceError, match=said):
        read_run(tmp_path / "a.run")


def test_faults_of_queries(tmp_path: Path) -> None:
    for text, said in (
        ("q1 cats\n", "line 1: has no tab"),
        ("q1\tcats\nq1\tdogs\n", "line 2: query 'q1' stands before with another text"),
        ("q1\t \n", "the text is blank"),
    ):
        (tmp_path / "q.tsv").write_text(text)
        with pytest.raises(SourceError, match=said):
            read_queries(tmp_path / "q.tsv")
    (tmp_path / "q.tsv").write_text("query_id\tquery\nq1\tcats\t and dogs\n")
    assert read_queries(tmp_path / "q.tsv") == {"q1": "cats\t and dogs"}


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="there is no such file"):
        read_judgments(tmp_path / "none.qrels")
    (tmp_path / "latin.qrels").write_bytes(b"q 0 d 1\nq 0 caf\xe9 1\n")
    with pytest.raises(SourceError, match=r"line 2: byte 8 \(0xe9\) is not UTF-8; save the file as UTF-8"):
        read_judgments(tmp_path / "latin.qrels")
    (tmp_path / "cut.qrels.gz").write_bytes(gzip.compress(b"q 0 d 1\n" * 9000)[:-20])
    with pytest.raises(SourceError, match="is damaged"):
        read_judgments(tmp_path / "cut.qrels.gz")
    with pytest.raises(InputError, match="format 'xml' is not one of trec, beir"):
        read_judgments(tmp_path / "a.qrels", format="xml")
    (tmp_path / "empty.qrels").touch()
    (tmp_path / "empty.csv").touch()
    (tmp_path / "empty").touch()
    for name in ("empty.qrels", "empty.csv", "empty"):
        assert read_judgments(tmp_path / name) == read_run(tmp_path / name) == {}


def test_what_cannot_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "a.qrels"
    target.write_text("before")
    for qrels, said in (
        ({"two words": {"d": 1}}, "query 'two words' cannot stand in a TREC file"),
        ({"q": {"d\u00a0e": 1}}, "item 'd.xa0e' cannot stand"),
        ({"q": {"d": 0.5}}, "the grade 0.5 of item 'd' is not whole"),
        ({"q": {"d": -1}}, "the grade -1 is not a finite number of at least 0"),
        ({"q": {"d": float("nan")}}, "the grade nan is not"),
    ):
        with pytest.raises(InputError, match=said):
            write_judgments(qrels, target)
    with pytest.raises(InputError, match="half of a UTF-16 pair"):
        write_judgments({"\ud800": {"d": 1}}, tmp_path / "a.csv")
    with pytest.raises(InputError, match="the score nan is not finite"):
        write_run({"q": {"d": float("nan")}}, tmp_path / "a.run")
    for queries in ({"a": "b\nc"}, {"a\tb": "c"}, {"query_id": "query"}):
        with pytest.raises(InputError, match="cannot stand in topics"):
            write_queries(queries, tmp_path / "a.tsv")
    with pytest.raises(InputError, match="neither may be blank"):
        write_queries({"a": " "}, tmp_path / "a.csv")
    with pytest.raises(InputError, match="the suffix does not say"):
        write_judgments({}, tmp_path / "a.xlsx")
    for place in (tmp_path / "none" / "a.csv", tmp_path / "none" / "a.run"):
        with pytest.raises(InputError, match="there is no folder"):
            write_run({}, place)
    assert target.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["a.qrels"]


def test_order_of_a_run_is_that_of_its_scores(tmp_path: Path) -> None:
    write_run({"q": {"b": 0.5, "a": 0.5, "c": 2}}, tmp_path / "a.run", tag="mine")
    assert (tmp_path / "a.run").read_text() == "q Q0 c 1 2.0 mine\nq Q0 a 2 0.5 mine\nq Q0 b 3 0.5 mine\n"
    assert list(read_run(tmp_path / "a.run")["q"]) == ["c", "a", "b"]
    write_run({"q": {"b": 0.5, "c": 2}}, tmp_path / "a.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert rows[0] == {"query_id": "q", "item": "c", "rank": 1, "score": 2.0}


@given(st.binary(max_size=60), st.sampled_from(["a.qrels", "a.csv", "a.jsonl", "a.tsv", "a"]))
@example(b"\x1f\x8b\x08\x00", "a")
@example(b"\xff\xfeq\x00", "a.csv")
def test_bytes_that_are_nothing_are_an_error_of_ours(data: bytes, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / name).write_bytes(data)
        for read in (read_judgments, read_run, read_queries):
            with suppress(SimiliaError):
                read(Path(folder) / name)


def test_importing_it_loads_nothing_heavy() -> None:
    code = """
import sys, similia.evaluate.formats as formats
formats.read_judgments, formats.write_run
print([name for name in ("scipy", "rich", "apsw", "similia.collection") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
