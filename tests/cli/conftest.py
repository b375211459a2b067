"""A folder with something to work on, and ways to run the program in it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PAPERS: list[dict[str, Any]] = [
    {
        "id": "p1",
        "title": "Finding copies of images",
        "abstract": "A network finds edited copies of photographs. A crop is a copy of its photo, not the other way.",
        "year": 2021,
        "area": "cs.CV",
    },
    {
        "id": "p2",
        "title": "Copy detection at scale",
        "abstract": "We detect near-duplicate pictures with compact codes. Crops and filters are recognised.",
        "year": 2022,
        "area": "cs.CV",
    },
    {
        "id": "p3",
        "title": "Fusing rankings",
        "abstract": "Reciprocal rank fusion joins two rankings of documents. It needs no training.",
        "year": 2009,
        "area": "cs.IR",
    },
    {
        "id": "p4",
        "title": "What cats dream of",
        "abstract": "We watched sleeping cats for a year. 漢字と猫 \u001b[31mred\u001b[0m \u202egnorw\u202c.",
        "year": 2014,
        "area": "q-bio",
    },
    {
        "id": "p5",
        "title": "Cats and dogs",
        "abstract": "A comparison of cats and dogs as companions.",
        "year": 2020,
        "area": "q-bio",
    },
    {
        "id": "p6",
        "title": "Dense retrieval",
        "abstract": "Vectors of questions and passages are compared by inner product.",
        "year": 2020,
        "area": "cs.IR",
    },
]
TOPICS = "animals: cats, dogs\npictures: images, copies\nsearch: retrieval, rankings\n"
ENVIRONMENT = {
    "SIMILIA_ENCODER": "hashing",
    "COLUMNS": "80",
    "PYTHONWARNINGS": "error::ResourceWarning",
    "PYTHONIOENCODING": "utf-8",
}

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "SIMILIA_DEBUG", "TERM")}
    return {**kept, **ENVIRONMENT, **more}


def run_in(folder: Path, *arguments: str, stdin: str | None = None, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "similia.cli", *arguments], cwd=folder, env=environment(**more), input=stdin or "",
        capture_output=True, text=True, encoding="utf-8", timeout=120, check=False,
    )  # fmt: skip


@pytest.fixture(scope="session")
def _prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli")
    (folder / "papers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in PAPERS), encoding="utf-8")
    (folder / "topics.txt").write_text(TOPICS, encoding="utf-8")
    done = run_in(folder, "add", "papers", "papers.jsonl", "--text", "title,abstract", "--key", "id")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def folder(_prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own with papers.jsonl, topics.txt and the collection ``papers``; also the current folder."""
    copy = tmp_path / "work"
    shutil.copytree(_prepared, copy)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    for name in ("NO_COLOR", "SIMILIA_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(copy)
    return copy


@pytest.fixture
def run(folder: Path) -> Run:
    """Run ``similia`` in the folder as a program of its own."""

    def go(*arguments: str, stdin: str | None = None, **more: str) -> subprocess.CompletedProcess[str]:
        return run_in(folder, *arguments, stdin=stdin, **more)

    return go


@pytest.fixture
def inside(folder: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run ``similia`` in this process: (exit code, standard output, standard error)."""
    from similia.cli import main

    def go(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        said = capsys.readouterr()
        code = ended.value.code
        assert isinstance(code, int)
        return code, said.out, said.err

    return go


@pytest.fixture(scope="session")
def make_environment() -> Callable[..., dict[str, str]]:
    return environment
