from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from io import StringIO
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from similia.collection import Collection
from similia.demo import papers, pydocs
from similia.demo.screen import Screen, quoted
from similia.demo.subject import Subject
from similia.demo.tour import take
from similia.encode import load
from similia.errors import DatasetMissing, FingerprintMismatch, InputError
from similia.evaluate import datasets
from similia.types import Dense

Take = Callable[..., str]


@pytest.fixture
def tour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Take:
    """Take a tour in a folder of its own, without a model, and return what it showed."""
    monkeypatch.setenv("SIMILIA_ENCODER", "hashing")

    def go(subject: Subject, width: int = 80) -> str:
        shown = StringIO()
        console = Console(file=shown, width=width, markup=False, highlight=False, color_system=None)
        path = take(subject, tmp_path / "demo", Screen(console))
        assert path == tmp_path / "demo" / f"{subject.name}-report.html"
        assert path.read_text(encoding="utf-8").rstrip().endswith("</html>")
        return shown.getvalue()

    return go


def _changes(folder: Path) -> int:
    with Collection.open(folder) as collection:
        return collection.info().changes


def test_the_tour_shows_everything_and_leaves_a_collection(tour: Take, tmp_path: Path) -> None:
    shown = tour(pydocs.subject(150, ["json", "textwrap", "re"]))
    for part in ("1 Read", "2 Make", "3 Search", "4 Compare", "5 Label", "6 Near", "7 Draw", "8 Now", "file://"):
        assert part in shown
    with Collection.open(tmp_path / "demo" / "pydocs") as collection:
        assert len(collection) == len((tmp_path / "demo" / "pydocs.jsonl").read_text(encoding="utf-8").splitlines())
        assert list(collection.senses) == ["topic", "signature"]
        assert collection.fields["package"] == "category"
        assert collection["json.loads"]["signature"].startswith("loads(s, *, cls=None")


def test_the_commands_that_it_shows_work(tour: Take, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import shlex

    from similia.cli import main

    shown = tour(pydocs.subject(80, ["json", "textwrap"]), width=1_000)
    commands = [line[2:] for line in shown.splitlines() if line.startswith("$ similia ") and str(tmp_path) in line]
    assert len(commands) >= 8
    for command in commands:
        if " add " in command or " serve " in command:
            continue
        with pytest.raises(SystemExit) as ended:
            main(shlex.split(command)[1:])
        assert ended.value.code == 0, command
        assert json.loads(capsys.readouterr().out)


def test_a_second_time_uses_what_the_first_made(tour: Take, tmp_path: Path) -> None:
    subject = pydocs.subject(60, ["json", "textwrap"])
    tour(subject)
    before = _changes(tmp_path / "demo" / "pydocs")
    assert "Both were there already" in tour(subject)
    assert _changes(tmp_path / "demo" / "pydocs") == before
    tour(pydocs.subject(10, ["json", "textwrap"]))
    with Collection.open(tmp_path / "demo" / "pydocs") as collection:
        assert len(collection) == 10


def test_an_interrupted_tour_goes_on(tour: Take, tmp_path: Path) -> None:
    subject = pydocs.subject(60, ["json", "textwrap"])
    tour(subject)
    with Collection.open(tmp_path / "demo" / "pydocs") as collection:
        collection.senses.drop("signature")
        collection.delete(where="kind = 'method'")
        half = len(collection)
    tour(subject)
    whole = len((tmp_path / "demo" / "pydocs.jsonl").read_text(encoding="utf-8").splitlines())
    with Collection.open(tmp_path / "demo" / "pydocs") as collection:
        assert len(collection) == whole > half > 0
        assert collection.senses["signature"].count == whole


class Earlier:
    """An encoder of the same name as the one that is there, from before it changed."""

    name, dimension, fingerprint = "hashing", 32, "0" * 64

    def encode(self, items: Sequence[str], *, side: str = "item") -> Dense:
        return load("hashing:32").encode(items)


def test_a_collection_of_another_encoder_is_made_anew(tour: Take, tmp_path: Path) -> None:
    subject = pydocs.subject(30, ["json", "textwrap"])
    tour(subject)
    folder = tmp_path / "demo" / "pydocs"
    Collection.remove(folder)
    with Collection.open(folder, create=True) as old:
        old.add(str(tmp_path / "demo" / "pydocs.jsonl"), key="key", text=["name", "summary"], encoder=Earlier())
    with Collection.open(folder) as old, pytest.raises(FingerprintMismatch):
        old.search("anything", mode="dense")
    tour(subject)
    with Collection.open(folder) as collection:
        assert len(collection.search("decode JSON", mode="dense", k=3)) == 3


@pytest.mark.parametrize("width", [60, 80])
def test_lines_fit_the_terminal(tour: Take, width: int) -> None:
    shown = tour(pydocs.subject(60, ["json", "textwrap"]), width)
    lines = [line for line in shown.splitlines() if not line.startswith("$ ") and "file://" not in line]
    assert max(map(cell_len, lines)) <= width


def test_nothing_that_is_not_installed_is_promised() -> None:
    with pytest.raises(InputError, match="none of these is installed"):
        pydocs.subject(10, ["no_such_package"])


def test_papers_are_toured_where_they_are(tour: Take, tmp_path: Path) -> None:
    try:
        datasets.info("papers").source()
    except DatasetMissing as missing:
        pytest.skip(str(missing))
    shown = tour(papers.subject(40))
    assert re.search(r"40 of [\d,]+ arXiv abstracts, 20\d\d-", shown)
    with Collection.open(tmp_path / "demo" / "papers") as collection:
        assert len(collection) == 40
        assert collection.senses["method"].about == papers.subject().other.about


def test_papers_that_are_not_here_are_asked_for(
    tour: Take, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from similia.cli import main
    from similia.evaluate.datasets import places

    monkeypatch.setattr(places, "data_folders", lambda: [tmp_path / "nothing"])
    monkeypatch.setenv("SIMILIA_DATA", str(tmp_path / "nothing"))
    try:
        datasets.info("papers").source()
        pytest.skip("the papers are beside this checkout")
    except DatasetMissing:
        pass
    with pytest.raises(SystemExit) as ended:
        main(["demo", "papers", "--into", str(tmp_path / "demo")])
    assert ended.value.code == 1
    assert "SIMILIA_DATA" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["plain", "two words", "package = 'python'", 'a "b" c', "$HOME `x` !", "a\\b", ""])
def test_quoted_text_is_one_word_of_a_shell(text: str) -> None:
    import shlex
    import subprocess

    said = subprocess.run(["bash", "-c", f"printf %s {quoted(text)}"], capture_output=True, text=True, check=True)
    assert said.stdout == text
    assert shlex.split(quoted(text)) == [text]
