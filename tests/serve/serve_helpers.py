"""Items that could break a page, and a server in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = "http://127.0.0.1"
EVIL = [
    "<script>document.title='broken'</script>",
    '"><img src=x onerror="document.title=\'broken\'">',
    "{{1234567*7}} ${1234567*7} <%= 1234567*7 %>",
    "' OR 1=1 --",
    "</textarea></title><svg onload=alert(1)>",
    "../../../../etc/passwd",
    "a\r\nSet-Cookie: stolen=1",
    "مرحبا \u202e 👩‍🔬 é",
]
AREAS = ["search", "audio", 'it\'s "quoted"', "<b>bold</b>", "{{1234567*7}}"]
TOPICS = [
    ("Fusing rankings of dense and lexical retrieval", "Reciprocal rank fusion joins two rankings of documents."),
    ("Speech recognition for small languages", "An acoustic model is trained with little transcribed speech."),
    ("Detecting copies of images", "Copy detection finds crops of photos; the similarity is not symmetric."),
    ("Matching companies without labels", "Records of companies are linked by blocking and comparison."),
    ("Graphs of co-purchases", "What is bought together belongs together: a graph of products."),
    ("Late interaction in search", "Token vectors of queries and documents are compared one by one."),
]


def rows(count: int = 60) -> list[dict[str, Any]]:
    """Items with text, categories, dates, numbers, booleans and lists; the first ones try to break out of a page."""
    made = []
    for number in range(count):
        title, abstract = TOPICS[number % len(TOPICS)]
        made.append(
            {
                "id": f"item-{number:03d}",
                "title": f"{title}, part {number // len(TOPICS) + 1}",
                "abstract": abstract + f" This is study number {number}.",
                "area": AREAS[number % len(AREAS)],
                "date": f"{2023 + number % 3}-{1 + number % 12:02d}-15",
                "pages": 4 + number % 9,
                "score": number / 7,
                "open": number % 2 == 0,
                "tags": ["alpha", "beta", "g'amma"][: 1 + number % 3],
            }
        )
    for number, text in enumerate(EVIL):
        made[number]["title"] = text
        made[number]["abstract"] = f"Rankings and {text}"
    for number, text in enumerate(EVIL[:6], start=len(EVIL)):
        made[number]["id"] = text
    return made


SCRIPT = "import sys, json; from similia.serve import run; run(json.loads(sys.argv[1]), **json.loads(sys.argv[2]))"


@contextmanager
def server(folder: Path, **options: object) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """A server in a process of its own, and the lines that it begins with."""
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, json.dumps([str(folder)]), json.dumps({"port": 0, **options})],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        said = dict([process.stdout.readline().strip().split(" ", 1)])
        if options.get("token") or options.get("host"):
            for _ in range(2):
                name, _, value = process.stdout.readline().strip().partition(" ")
                said[name] = value
        yield process, said
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=30)
