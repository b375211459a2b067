from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest

Inside = Callable[..., tuple[int, str, str]]

WRONG = [
    (("serach",), "did you mean 'search'?"),
    (("--versoin",), "did you mean '--version'?"),
    (("42",), "there is no command '42'; there are search"),
    (("search",), "COLLECTION is missing"),
    (("search", "papers"), "give a QUERY"),
    (("search", "papers", "--unlike", "p1"), "--like KEY"),
    (("search", "papers", "cats", "--like", "p1", "--unlike", "p1"), "wanted and unwanted"),
    (("search", "papers", "cats", "--rerank", "nobody"), "pair:FOLDER"),
    (("search", "papers", "cats", "--min-relevance", "2"), "--min-relevance"),
    (("search", "paper", "cats"), "paper"),
    (("search", "papers", "cats", "--sence", "topic"), "'--sense'"),
    (("search", "papers", "cats", "--sense", "topics"), "did you mean 'topic'?"),
    (("search", "papers", "cats", "--mode", "densy"), "--mode"),
    (("search", "papers", "cats", "-k", "0"), "-k"),
    (("search", "papers", "cats", "-k", "many"), "-k"),
    (("search", "papers", "cats", "--page", "2", "--offset", "3"), "--page and --offset"),
    (("search", "papers", "cats", "--where", "yaer > 2000"), "did you mean"),
    (("search", "papers", "cats", "--where", "year >"), "character"),
    (("search", "papers", "cats", "--where", "1; DROP TABLE items"), "character"),
    (("search", "papers", "cats", "--fields", "titel"), "did you mean 'title'?"),
    (("search", "papers", "cats", "--format", "xml"), "--format"),
    (("search", "papers", "--like", "p11"), "did you mean 'p1'"),
    (("search", "papers", "two", "words"), "too much is given: words"),
    (("search", "papers", " "), "blank"),
    (("compare", "papers", "p1"), "KEY is missing"),
    (("compare", "papers", "p1", "nope"), "nope"),
    (("label", "papers", "nothere.txt"), "nothere.txt"),
    (("label", "papers", "topics.txt", "--save", "year"), "year"),
    (("duplicates", "papers", "--threshold", "2"), "--threshold"),
    (("duplicates", "nowhere"), "nowhere"),
    (("add", "papers"), "SOURCES is missing"),
    (("add", "new", "nothing.csv"), "nothing.csv"),
    (("add", "new", "papers.jsonl", "--schema", "year"), "field=type"),
    (("add", "new", "papers.jsonl", "--schema", "year=int"), "did you mean 'integer'?"),
    (("add", "new", "papers.jsonl", "--schema", "yeer=integer"), "yeer"),
    (("add", "new", "papers.jsonl", "--key", "nokey"), "nokey"),
    (("add", "new", "papers.jsonl", "--text", "titel"), "titel"),
    (("add", "new", "papers.jsonl", "--on-duplicate", "ignore"), "--on-duplicate"),
    (("add", "new", "papers.jsonl", "--encoder", "no-such-model"), "no-such-model"),
    (("add", "new", "papers.jsonl", "--precision", "float8"), "--precision"),
    (("add", "papers", "papers.jsonl", "--key", "id"), "p1"),
    (("senses",), "COLLECTION is missing"),
    (("senses", "papers", "ad"), "did you mean 'add'?"),
    (("senses", "papers", "add"), "NAME is missing"),
    (("senses", "papers", "add", "a/b"), "a/b"),
    (("senses", "papers", "add", "topic"), "topic"),
    (("senses", "papers", "drop", "nosense"), "nosense"),
    (("delete", "papers"), "KEYS"),
    (("delete", "papers", "p1", "--where", "year > 2000"), "not both"),
    (("delete", "papers", "p1"), "--yes"),
    (("delete", "papers", "nope", "--yes"), "nope"),
    (("export", "papers"), "TARGET is missing"),
    (("export", "papers", "out.xlsx"), "out.xlsx"),
    (("export", "papers", "-", "--format", "parquet"), "needs a file"),
    (("info", "nowhere"), "nowhere"),
    (("info", "topics.txt"), "topics.txt"),
    (("log", "papers", "-n", "0"), "--limit"),
    (("undo", "nowhere"), "nowhere"),
    (("backup", "papers"), "TARGET is missing"),
    (("backup", "papers", "."), "."),
    (("restore", "papers.jsonl", "again"), "papers.jsonl"),
    (("restore", "papers", "papers"), "papers"),
    (("check", "nowhere"), "nowhere"),
    (("remove", "papers"), "--yes"),
    (("remove", ".", "--yes"), "."),
    (("serve",), "COLLECTION is missing"),
    (("serve", "nowhere"), "nowhere"),
    (("serve", "papers", "--port", "99999"), "--port"),
    (("serve", "papers", "--token", "short"), "token"),
    (("demo", "paper"), "papers"),
    (("demo", "papers", "--packages", "json"), "--packages"),
    (("demo", "--packages", "no_such_package"), "no_such_package"),
    (("demo", "--limit", "0"), "--limit"),
    (("atlas", "runn"), "did you mean 'run'?"),
    (("atlas", "run"), "NUMBER is missing"),
    (("atlas", "run", "999"), "999"),
    (("atlas", "list", "--results", "nowhere"), "nowhere"),
]


@pytest.mark.parametrize(("arguments", "hint"), WRONG, ids=[" ".join(arguments) for arguments, _ in WRONG])
def test_wrong_use_ends_with_one_helpful_sentence(
    inside: Inside, folder: Path, arguments: tuple[str, ...], hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("no terminal"))
    before = sorted(path.name for path in folder.iterdir())
    code, out, err = inside(*arguments)
    assert code == 2, err
    assert out == ""
    assert len(err.strip().splitlines()) == 1
    assert err.startswith("similia")
    assert hint in err
    assert "Traceback" not in err
    assert "should not happen" not in err
    assert len(err) < 400
    assert sorted(path.name for path in folder.iterdir() if path.name != "similia-demo") == before


def test_bytes_that_are_no_text_are_refused(inside: Inside) -> None:
    code, out, err = inside("search", "papers", "caf\udce9")
    assert (code, out) == (2, "")
    assert err == "similia: argument 3 (caf\\xe9) is not valid UTF-8; give it as UTF-8 text\n"


def test_an_error_that_should_not_happen_is_a_sentence_too(inside: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    from similia.collection import Collection

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("deep\ninside")

    monkeypatch.setattr(Collection, "info", broken)
    code, out, err = inside("info", "papers")
    assert (code, out) == (1, "")
    assert err.startswith("similia info: an error that should not happen (ZeroDivisionError: deep)")
    assert "SIMILIA_DEBUG=1" in err
    monkeypatch.setenv("SIMILIA_DEBUG", "1")
    from similia.cli import main

    with pytest.raises(ZeroDivisionError):
        main(["info", "papers"])


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (OSError(28, "No space left on device", "/x/y"), 1, "similia: No space left on device: /x/y\n"),
        (MemoryError(), 1, "not enough memory"),
        (KeyboardInterrupt(), 130, "run the same command again to go on"),
        (EOFError(), 1, "EOFError"),
    ],
)
def test_what_the_machine_refuses_is_a_sentence(
    inside: Inside, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, said: str
) -> None:
    from similia.collection import Collection

    def refusing(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(Collection, "info", refusing)
    found, out, err = inside("info", "papers")
    assert (found, out) == (code, "")
    assert said in err
