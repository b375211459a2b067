"""Help pages: every one has examples, and every example is run as it stands, by a shell."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from similia import __version__
from similia.cli.app import COMMANDS
from similia.errors import DatasetMissing
from similia.evaluate import datasets

PAGES = [
    *((name,) for name in COMMANDS),
    ("senses", "papers", "add"),
    ("senses", "papers", "drop"),
    ("senses", "papers", "list"),
    ("index", "papers", "info"),
    ("index", "papers", "build"),
    ("index", "papers", "tune"),
    ("index", "papers", "bench"),
    ("index", "papers", "drop"),
    ("correct", "papers", "info"),
    ("correct", "papers", "fit"),
    ("correct", "papers", "drop"),
    ("atlas", "list"),
    ("atlas", "run"),
    ("atlas", "report"),
]
Inside = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize("page", PAGES, ids=" ".join)
def test_every_command_explains_itself_with_examples_in_80_columns(inside: Inside, page: tuple[str, ...]) -> None:
    code, out, err = inside(*page, "--help")
    assert (code, err) == (0, "")
    text, _, examples = out.partition("\nExamples:\n")
    assert examples.strip()
    assert all(f"similia {page[0]} " in f"{line} " for line in examples.strip().splitlines())
    assert max(map(len, out.splitlines())) <= 80
    assert "[]" not in text
    assert "<str>" not in text


def test_the_top_names_every_command(inside: Inside) -> None:
    code, out, _ = inside("--help")
    assert code == 0
    for name, (_, about) in COMMANDS.items():
        assert f"  {name}" in out
        assert about in out
    assert max(map(len, out.splitlines())) <= 80


def test_no_command_shows_the_help(inside: Inside) -> None:
    assert inside() == inside("--help")


def test_version(inside: Inside) -> None:
    assert inside("--version") == (0, f"similia {__version__}\n", "")


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["serve", "--help"], ["serach"], ["search"]])
def test_help_and_wrong_use_load_nothing_heavy(arguments: list[str]) -> None:
    code = f"""
import sys
from similia.cli import main
try:
    main({arguments!r})
except SystemExit:
    pass
heavy = ["numpy", "rich", "apsw", "duckdb", "openvino", "onnxruntime", "sqlglot", "scipy", "fastapi", "uvicorn"]
print([name for name in heavy if name in sys.modules], file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr.splitlines()[-1] == "[]"


def test_a_shell_can_complete_commands_and_options() -> None:
    asked = {**os.environ, "_SIMILIA_COMPLETE": "complete_bash", "COMP_WORDS": "similia sea", "COMP_CWORD": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "similia.cli"], env=asked, capture_output=True, text=True, check=False, timeout=60
    )
    assert "search" in done.stdout


# What has to be there before the examples of a page, and what keeps a long one short.
BEFORE = {
    ("evaluate",): [
        'similia judge papers "cats" --item p4 --item p5 --grade 2',
        'similia judge papers "copies of images" --item p1 --item p2 --grade 1',
        "similia judge papers --export own.csv",
        r"""printf 'q1\tcats\nq2\tcopies of images\n' > q.tsv""",
        r"""printf 'q1 0 p4 2\nq1 0 p3 0\nq2 0 p1 1\n' > qrels.txt""",
    ],
    ("restore",): ["similia backup papers papers-backup"],
    ("remove",): ["similia backup papers papers-backup", "similia restore papers-backup papers-again"],
    ("senses", "papers", "drop"): ["similia senses papers add short --text title"],
    ("index", "papers", "tune"): ["similia index papers build --force"],
    ("index", "papers", "bench"): [
        """for n in $(seq 200); do echo "{\\"id\\": \\"x$n\\", \\"title\\": \\"item $n\\"}"; done > more.jsonl""",
        "similia add papers more.jsonl",
    ],
}
SHORTENED = {
    "similia evaluate --dataset cranfield": " --limit 5",
    "similia demo": " --packages json,re --limit 60",
    "similia demo papers": " --limit 30",
    "similia serve": " --port 0",
}
FRESH = {("add",)}  # these pages begin without a collection
LEAVES = {
    ("evaluate",): ["report.html", "out.hybrid.csv"],
    ("add",): ["papers", "piped", "typed"],
    ("backup",): ["papers-backup/collection.db"],
    ("restore",): ["papers-again/collection.db"],
    ("export",): ["papers.parquet", "recent.csv"],
    ("demo",): ["similia-demo/pydocs-report.html", "small-demo/pydocs-report.html"],
    ("atlas", "report"): ["atlas.md"],
}


@pytest.fixture(scope="session")
def atlas_results(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Where the results of one run of the atlas are: made once, on the first call."""
    folder = tmp_path_factory.mktemp("atlas")

    def results() -> Path:
        if not any(folder.iterdir()):
            from similia import atlas

            atlas.run(4, out=folder, quick=True, progress=False)
        return folder

    return results


@pytest.mark.parametrize("page", PAGES, ids=" ".join)
def test_the_examples_run(
    page: tuple[str, ...],
    inside: Inside,
    folder: Path,
    tmp_path: Path,
    atlas_results: Callable[[], Path],
    make_environment: Callable[..., dict[str, str]],
) -> None:
    examples = inside(*page, "--help")[1].partition("\nExamples:\n")[2].splitlines()
    if page in FRESH:
        shutil.rmtree(folder / "papers")
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "similia").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m similia.cli "$@"\n')
    (programs / "similia").chmod(0o755)
    environment = make_environment(PATH=f"{programs}{os.pathsep}{os.environ['PATH']}")
    for line in [*BEFORE.get(page, []), *filter(None, map(str.strip, examples))]:
        if _lacks_data(line):
            pytest.skip(f"the data that {line} needs is not on this machine")
        if line.startswith("similia atlas report"):
            shutil.copytree(atlas_results(), folder / "atlas-results")
        line += next((SHORTENED[start] for start in sorted(SHORTENED, reverse=True) if _is(line, start)), "")
        if line.startswith("similia serve"):
            code, said = _until_ready(line, folder, environment)
        elif line.startswith("similia "):  # in this process: starting another one takes longer than most examples
            code, *shown = inside(*shlex.split(line)[1:])
            said = "".join(shown)
        else:
            code, said = _through(line, folder, environment)
        assert code == 0, f"{line}\n{said}"
        assert "Traceback" not in said
    for left in LEAVES.get(page, []):
        assert (folder / left).exists()


def _is(line: str, start: str) -> bool:
    return line == start or (start.startswith("similia serve") and line.startswith(start))


def _lacks_data(line: str) -> bool:
    """Whether an example needs a data set that is not on this machine."""
    texts = ["ag_news", "medquad"]
    needed = {
        "similia atlas run": texts,
        "similia atlas report": texts,
        "similia demo papers": ["papers"],
        "similia evaluate --dataset": ["cranfield"],
    }
    for start, names in needed.items():
        if line.startswith(start):
            try:
                for name in names:
                    datasets.info(name).source()
            except DatasetMissing:
                return True
    return False


def _through(line: str, folder: Path, environment: dict[str, str]) -> tuple[int, str]:
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line], cwd=folder, env=environment, capture_output=True, text=True,
        encoding="utf-8", timeout=240, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def _until_ready(line: str, folder: Path, environment: dict[str, str]) -> tuple[int, str]:
    with subprocess.Popen(
        ["bash", "-c", f"exec {line}"], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, encoding="utf-8",
    ) as server:  # fmt: skip
        assert server.stdout is not None
        first = server.stdout.readline()
        server.send_signal(signal.SIGINT)
        out, err = server.communicate(timeout=60)
    assert first.startswith("ready http://127.0.0.1:"), first + out + err
    return server.returncode, first + out + err
