"""Every code block of the README and the guide runs, in order, in a folder of its own."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^```(?P<info>[^\n]*)\n(?P<body>.*?)^```\s*$", re.MULTILINE | re.DOTALL)
MAKES_ITS_OWN_WORLD = ("make ", "git ", "cd ", "pip ", "python -m venv")


@dataclass(frozen=True)
class Block:
    language: str
    body: str
    line: int


def blocks(page: Path) -> list[Block]:
    """The runnable blocks of a page; a block marked ``no-run`` is for reading only."""
    text = page.read_text("utf-8")
    found = []
    for match in FENCE.finditer(text):
        words = match["info"].split()
        if words and words[0] in {"python", "console"} and "no-run" not in words:
            found.append(Block(words[0], match["body"], text.count("\n", 0, match.start()) + 2))
    return found


def environment() -> dict[str, str]:
    scripts = str(Path(sys.executable).parent)
    return {
        **os.environ,
        "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
        "SIMILIA_ENCODER": "hashing",
        "NO_COLOR": "1",
    }


def run_console(block: Block, folder: Path, page: Path) -> None:
    commands = [
        line[2:].split("  #")[0] for line in block.body.replace("\\\n", " ").splitlines() if line.startswith("$ ")
    ]
    assert commands, f"{page.name}:{block.line}: a console block without a '$ ' line"
    for command in commands:
        if command.startswith(MAKES_ITS_OWN_WORLD) or "serve" in shlex.split(command)[:2]:
            continue
        done = subprocess.run(
            command, shell=True, cwd=folder, env=environment(), capture_output=True, text=True, timeout=240
        )
        assert done.returncode == 0, (
            f"{page.name}:{block.line}: {command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        )


@pytest.mark.parametrize(
    "page", [page for page in PAGES if blocks(page)], ids=lambda page: page.relative_to(ROOT).as_posix()
)
def test_blocks_run(page: Path, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    for file in (ROOT / "examples").glob("*.*"):
        if file.suffix != ".py":
            shutil.copy(file, tmp_path / file.name)
    script: list[str] = []
    for block in blocks(page):
        if block.language == "console":
            if script:
                run_python(script, tmp_path, page)
                script = []
            run_console(block, tmp_path, page)
        else:
            script.append(f"# {page.name}:{block.line}\n{block.body}")
    if script:
        run_python(script, tmp_path, page)


def run_python(script: list[str], folder: Path, page: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-"],
        input="\n".join(script),
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, f"{page.name}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
