"""The tour over the documentation of the Python packages installed here."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from similia import __version__
from similia.demo.harvest import SCHEMA, harvest
from similia.demo.harvest.packages import installed
from similia.demo.subject import Gathered, OtherSense, Question, Subject
from similia.errors import InputError
from similia.progress import bar

LIMIT = 15_000  # at 150 texts a second, the slowest that was measured, encoding them takes 100 s

CLASSES = {
    "linear algebra": ("matrix", "eigenvalues", "singular value decomposition", "solve linear equations"),
    "statistics": ("probability distribution", "mean and variance", "statistical test", "random variable"),
    "signals and Fourier": ("Fourier transform", "filter a signal", "frequency spectrum", "window function"),
    "random numbers": ("random number generator", "random sample", "seed", "shuffle"),
    "text": ("string", "split text", "regular expression", "upper and lower case"),
    "dates and times": ("date", "time zone", "calendar", "clock", "timestamp"),
    "files and folders": ("open a file", "directory", "path name", "copy files", "permissions"),
    "networking": ("socket", "HTTP request", "server", "connection", "URL"),
    "databases": ("SQL query", "database connection", "table", "transaction", "cursor"),
    "concurrency": ("thread", "process", "lock", "asynchronous task", "event loop"),
    "compression and archives": ("compress data", "zip archive", "gzip file", "decompress"),
    "security": ("cryptographic hash", "encryption", "SSL certificate", "password"),
    "markup": ("HTML", "XML element", "parse a document", "template"),
    "errors": ("exception raised", "error class", "warning", "invalid value error"),
    "neural networks": ("ONNX model", "tensor operator", "inference session", "quantization"),
    "user interface": ("window", "button widget", "terminal colours", "key press", "mouse"),
}

QUESTIONS = (
    Question("By meaning and by words", "which day of the week is it"),
    Question("By meaning alone: no word needs to be the same", "delete a folder with everything in it", mode="dense"),
    Question("With a filter", "shortest path in a graph", where="kind = 'function' AND has_examples"),
    Question("Only the standard library", "wait for several tasks at once", where="package = 'python'"),
    Question("By how it is called", "(a, b, rtol=1e-05, atol=1e-08)", sense="signature", mode="dense"),
    Question("By how it is called", "(host, port, timeout=None)", sense="signature", mode="dense"),
    Question("What does the same as this?", like=("textwrap.wrap", "json.loads"), mode="dense"),
    Question("What is called in the same way?", like=("textwrap.wrap", "json.dump"), sense="signature", mode="dense"),
)


def _note(item: Mapping[str, Any]) -> str:
    return str(item.get("summary", ""))


def subject(limit: int = LIMIT, only: list[str] | None = None) -> Subject:
    """The tour, over at most ``limit`` items, of the packages ``only`` or of all.

    Raises:
        InputError: none of the packages that were named is here.
    """
    if only is not None and not installed(only):
        raise InputError(f"--packages {','.join(only)}: none of these is installed; python is the standard library")
    return Subject(
        name="pydocs",
        title="What your Python can do",
        unit="functions, classes and methods",
        group_name="packages",
        gather=lambda folder: gather(folder, limit, only),
        gathering="Read the documentation of the packages installed here",
        key="key",
        called="key",
        text=("name", "summary"),
        schema=SCHEMA,
        group="package",
        kind="kind",
        note=_note,
        other=OtherSense("signature", ("signature",), shown="signature", encoder="hashing"),
        searching="Search: by what it does, by how it is called, with a filter, like another",
        questions=QUESTIONS,
        pairs=(("re.sub", "str.replace"), ("json.dumps", "json.loads")),
        classes=CLASSES,
        apart="package",
        near=0.95,
    )


def gather(folder: Path, limit: int, only: list[str] | None) -> Gathered:
    """Write the records to ``folder``, or reuse those of an earlier run with the same packages and limit.

    Raises:
        InputError: the packages have no documentation.
        OSError: the folder cannot be written.
    """
    path, memo = folder / "pydocs.jsonl", folder / "pydocs.json"
    packages = installed(only)
    wanted = {"similia": __version__, "limit": limit, "packages": {one.name: one.version for one in packages}}
    known = known_records(memo, path)
    if known.get("wanted") == wanted:
        return Gathered(path, known["count"], known["lead"], reused=True)
    with bar("reading", len(packages), unit="packages") as progress:

        def tell(package: str, count: int) -> None:
            progress.describe(f"reading {package} ({count:,})")
            progress.advance()

        found = harvest(limit, only, tell=tell)
    if not found.records:
        raise InputError("no documentation was found in the packages that were named; leave --packages out to read all")
    write_text(path, "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in found.records))
    lead = _lead(len(found.records), found.found, found.left_out)
    write_text(memo, json.dumps({"wanted": wanted, "count": len(found.records), "lead": lead}))
    return Gathered(path, len(found.records), lead, reused=False)


def _lead(count: int, found: dict[str, int], left_out: list[str]) -> str:
    total = sum(found.values())
    lead = f"{count:,} functions, classes and methods of {len(found)} packages, arranged by what they do"
    if total > count or left_out:
        rest = f" and did not read {len(left_out)} packages" if left_out else ""
        lead += f" (the limit left out {total - count:,}{rest}; --limit raises it)"
    return lead + "."


def known_records(memo: Path, path: Path) -> dict[str, Any]:
    """What an earlier run noted about the items that it wrote to ``path``; empty where there are none."""
    try:
        known = json.loads(memo.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) and path.is_file() else {}


def write_text(path: Path, text: str) -> None:
    """Write a file in one step: it is there as a whole or not at all."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.part")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
