"""What every benchmark needs: costs, peak memory, and results written where the documentation shows them."""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
IMAGES = RESULTS.parents[1] / "docs" / "img"


@dataclass
class Cost:
    """Wall and CPU seconds of a block, this process and its finished children together."""

    wall: float = 0.0
    cpu: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.wall + other.wall, self.cpu + other.cpu)


def _cpu() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


@contextmanager
def cost() -> Iterator[Cost]:
    """Measure the block."""
    spent = Cost()
    wall, cpu = time.perf_counter(), _cpu()
    try:
        yield spent
    finally:
        spent.wall, spent.cpu = time.perf_counter() - wall, _cpu() - cpu


def command(module: str) -> str:
    """How this process was started, for who wants to run it again."""
    return " ".join(["python -m", f"benchmarks.{module}", *sys.argv[1:]])


def peak_mebibytes(*, children: bool = False) -> float:
    """The largest resident size so far of this process, or of its largest finished child, in MiB."""
    status = Path("/proc/self/status")
    if not children and status.exists():  # getrusage counts what the process was forked from, too
        (peak,) = (line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(peak) / 1024
    return resource.getrusage(resource.RUSAGE_CHILDREN if children else resource.RUSAGE_SELF).ru_maxrss / 1024


def run(module: str, *arguments: str) -> dict[str, Any]:
    """Run ``python -m module`` in a fresh process; its last line of output is JSON."""
    done = subprocess.run([sys.executable, "-m", module, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{module} {' '.join(arguments)} failed:\n{done.stderr[-3000:]}")
    answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


def machine() -> dict[str, Any]:
    """The machine, in words that name nobody."""
    model = (
        next(
            (
                line.split(":", 1)[1].strip()
                for line in Path("/proc/cpuinfo").read_text().splitlines()
                if "model name" in line
            ),
            platform.processor(),
        )
        if Path("/proc/cpuinfo").exists()
        else platform.processor()
    )
    return {"processor": model, "cores": os.cpu_count(), "python": platform.python_version()}


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as a Markdown table."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    lines = ["| " + " | ".join(columns) + " |", "| " + " | ".join("---" for _ in columns) + " |"]
    lines += ["| " + " | ".join(_cell(row.get(name, "")) for name in columns) + " |" for row in rows]
    return "\n".join(lines)


def _cell(value: object) -> str:
    return (
        f"{value:,.3g}"
        if isinstance(value, float) and abs(value) < 1000
        else f"{value:,.0f}"
        if isinstance(value, float)
        else f"{value:,}"
        if isinstance(value, int)
        else str(value)
    )


def write(name: str, title: str, command: str, rows: Sequence[Mapping[str, Any]], notes: str = "") -> None:
    """Write ``results/name.json`` and ``results/name.md`` and print the table."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(
        json.dumps(
            {"title": title, "command": command, "machine": machine(), "rows": list(rows), "notes": notes}, indent=1
        )
        + "\n"
    )
    text = f"## {title}\n\n`{command}`\n\n{table(rows)}\n" + (f"\n{notes}\n" if notes else "")
    (RESULTS / f"{name}.md").write_text(text)
    print(text)
