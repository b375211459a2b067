"""A whole session with the program, compared with how it went before.

Run with ``SIMILIA_GOLDEN=write`` to write down how it goes now, and read the difference before keeping it.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

GOLDEN = Path(__file__).with_name("golden.txt")
SESSION = """\
add shelf papers.jsonl --text title,abstract --key id --precision float16
search shelf "finding copies of images" --format table -k 2
search shelf --like p5 --where "year >= 2020" --format table -k 1
search shelf "no such thing" --where "year > 3000" --format table
search shelf cats --mode text --explain --format table
compare shelf p4 p5 --format table
label shelf topics.txt --save theme --format table
senses shelf add titles --text title --encoder hashing:64
senses shelf --format table
duplicates shelf --threshold 0.999 --format table
info shelf --format table
delete shelf --where "area = 'cs.IR'" --yes
undo shelf
log shelf --format table
check shelf --format table
backup shelf copy
restore copy again
export again again.csv --where "year = 2009"
remove again --yes
info again
judge shelf "cats dream" --item p4 --item p5 --grade 2
judge shelf "cats dream" --item p55 --grade 1
judge shelf --like p1 --item p2 --grade 1 --note "the same task"
judge shelf --list --format table
judge shelf "cats dream" --item p5 --remove
undo shelf
judge shelf --export judged.qrels
log shelf -n 1 --format table
"""
CHANGING = [
    (re.compile(r"^sizes .*?(?=^changes)", re.MULTILINE | re.DOTALL), "sizes ...\n"),
    (re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d"), "TIME"),
    (re.compile(r"-?\d+\.\d+(e-\d+)?|\b\de-\d+"), "#.#"),
    (re.compile(r"\b[\d,]+ (ms|rows/s|kB|MB)"), r"# \1"),
    (re.compile(r"\d+ pages"), "# pages"),
    (re.compile(r"#\.# (ms|s|MB|kB)"), r"# \1"),
    (re.compile(r"[ \t]+$", re.MULTILINE), ""),
    (re.compile(r"─+"), "──"),
    (re.compile(r" {2,}"), "  "),
]


@pytest.fixture
def short(folder: Path) -> Iterator[Path]:
    """A folder whose name is short enough to stand in one line."""
    with tempfile.TemporaryDirectory(prefix="s-") as name:
        for file in ("papers.jsonl", "topics.txt"):
            shutil.copy(folder / file, name)
        yield Path(name).resolve()


def test_a_session_goes_as_it_went_before(
    folder: Path, make_environment: Callable[..., dict[str, str]], short: Path
) -> None:
    told = []
    for line in SESSION.splitlines():
        done = subprocess.run(
            [sys.executable, "-m", "similia.cli", *shlex.split(line)], cwd=short, env=make_environment(),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, encoding="utf-8", timeout=120, check=False,
        )  # fmt: skip
        text = f"$ similia {line}\n{done.stdout}{done.stderr}" + (f"[{done.returncode}]\n" if done.returncode else "")
        told.append("\n".join(part for part in text.splitlines() if part.strip()))
    shown = "\n\n".join(told).replace(str(short), "FOLDER") + "\n"
    for pattern, instead in CHANGING:
        shown = pattern.sub(instead, shown)
    if os.environ.get("SIMILIA_GOLDEN") == "write":
        GOLDEN.write_text(shown, encoding="utf-8")
    assert shown == GOLDEN.read_text(encoding="utf-8")
