from __future__ import annotations

import bz2
import gzip
import lzma
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from similia.collection.sources import open_source
from similia.errors import SourceError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "xz": lzma.compress,
    "bz2": bz2.compress,
    "zst": zstd.compress,
}
LINES = '{"id": 1, "t": "naïve 😀"}\n{"id": 2, "t": "עברית"}\n'
ROWS = [{"id": 1, "t": "naïve 😀"}, {"id": 2, "t": "עברית"}]


@pytest.mark.parametrize("kind", PACKERS)
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", LINES),
        ("a.json", "[" + LINES.replace("}\n{", "},{") + "]"),
        ("a.csv", "id,t\n1,naïve 😀\n2,עברית\n"),
    ],
)
def test_compressed_files_are_read_as_plain_ones(kind: str, name: str, content: str, file: Any, load: Any) -> None:
    _, rows = load(file(f"{name}.{kind}", PACKERS[kind](content.encode())))
    assert rows == ROWS


@pytest.mark.parametrize("kind", PACKERS)
def test_several_compressed_parts_in_one_file_are_all_read(kind: str, file: Any, load: Any) -> None:
    halves = [PACKERS[kind](line.encode() + b"\n") for line in LINES.splitlines()]
    assert load(file(f"a.jsonl.{kind}", b"".join(halves)))[1] == ROWS


def test_the_bytes_decide_on_compression_and_not_the_name(file: Any, load: Any) -> None:
    assert load(file("a.jsonl.gz", LINES))[1] == ROWS
    assert load(file("a.jsonl", gzip.compress(LINES.encode())))[1] == ROWS


@pytest.mark.parametrize("kind", PACKERS)
@pytest.mark.parametrize("harm", ["cut", "flipped"])
def test_a_damaged_file_is_named(kind: str, harm: str, file: Any) -> None:
    packed = bytearray(PACKERS[kind]((LINES * 2000).encode()))
    if harm == "cut":
        del packed[len(packed) // 2 :]
    else:
        packed[len(packed) // 2] ^= 0xFF
    path = file(f"a.jsonl.{kind}", bytes(packed))
    # Zstandard has no checksum by default: there the text itself shows the harm.
    with pytest.raises(SourceError, match=r"a\.jsonl.*(damaged or cut short|not valid)"):
        open_source(path).scan()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize(
    ("name", "content"),
    [("a.jsonl", LINES), ("a.csv", "id,t\n1,naïve 😀\n2,עברית\n"), ("a.json", f"[{LINES.splitlines()[0]}]")],
)
def test_byte_order_marks_are_understood(encoding: str, name: str, content: str, file: Any, load: Any) -> None:
    rows = load(file(name, content.encode(encoding)))[1]
    assert rows == ROWS[: len(rows)]


def test_the_first_wrong_byte_is_named_wherever_it_is(file: Any) -> None:
    good = ("é" * 700_001).encode()
    path = file("a.csv", b"t,u\n" + good + b",\xff\n")
    with pytest.raises(SourceError, match=f"byte {4 + len(good) + 1:,} \\(0xff\\) is not valid UTF-8") as caught:
        open_source(path).scan()
    assert "--encoding" in str(caught.value)


def test_a_character_that_is_cut_at_the_end_is_named(file: Any) -> None:
    with pytest.raises(SourceError, match="byte 11"):
        open_source(file("a.csv", b"t,u\nabcde,x\xc3")).scan()


def test_other_encodings_are_taken_when_named(file: Any, load: Any) -> None:
    path = file("a.csv", "id,t\n1,café\n".encode("latin-1"))
    assert load(path, encoding="latin-1")[1] == [{"id": 1, "t": "café"}]
    assert load(file("b.jsonl", '{"t": "日本"}'.encode("shift_jis")), encoding="shift-jis")[1] == [{"t": "日本"}]
    with pytest.raises(SourceError, match="no encoding"):
        open_source(path, encoding="klingon")


def test_utf16_without_a_mark_gets_a_hint(file: Any, load: Any) -> None:
    path = file("a.csv", "id,title\n1,hello\n".encode("utf-16-le"))
    with pytest.raises(SourceError, match="--encoding utf-16-le"):
        open_source(path).scan()
    assert load(path, encoding="utf-16-le")[1] == [{"id": 1, "title": "hello"}]


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"nothing\.jsonl.*no such file"):
        open_source(tmp_path / "nothing.jsonl").scan()
