from __future__ import annotations

import gzip
import io
import os
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from similia.collection.sources import open_source
from similia.collection.sources.html import visible_text
from similia.collection.sources.images import image_size
from similia.errors import SourceError


def make_pdf(*pages: str, title: str | None = None, password: str | None = None) -> bytes:
    """A PDF file with one line of text a page."""
    from pypdf import PdfWriter
    from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

    writer = PdfWriter()
    for text in pages:
        page = writer.add_blank_page(300, 300)
        font = DictionaryObject(
            {
                NameObject("/Type"): NameObject("/Font"),
                NameObject("/Subtype"): NameObject("/Type1"),
                NameObject("/BaseFont"): NameObject("/Helvetica"),
            }
        )
        fonts = DictionaryObject({NameObject("/F1"): writer._add_object(font)})
        page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
        content = DecodedStreamObject()
        content.set_data(f"BT /F1 12 Tf 20 200 Td ({text}) Tj ET".encode("latin-1"))
        page[NameObject("/Contents")] = writer._add_object(content)
    if title:
        writer.add_metadata({"/Title": title})
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def make_image(kind: str, size: tuple[int, int]) -> bytes:
    image = pytest.importorskip("PIL.Image")
    out = io.BytesIO()
    image.new("RGB", size, (200, 30, 60)).save(out, kind)
    return out.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "notes"
    (root / "sub" / ".git").mkdir(parents=True)
    (root / "a.txt").write_text("plain text")
    (root / "empty.txt").write_text("")
    (root / "b.md").write_text("---\ntitle: no\n---\n```\n# code\n```\n\n# The *title* #\n\ntext\n")
    (root / "c.html").write_text("<title> Page\n one </title><body><p>See <b>this</b>.<script>var x</script>")
    (root / "d.pdf").write_bytes(make_pdf("First line", "Second page", title="A paper"))
    (root / "e.pdf").write_bytes(make_pdf("Only line"))
    (root / "sub" / "f.txt.gz").write_bytes(gzip.compress("zusammengedrückt".encode()))
    (root / "sub" / "README").write_text("read me")
    (root / "sub" / ".hidden.txt").write_text("hidden")
    (root / "sub" / ".git" / "g.txt").write_text("hidden")
    (root / "sub" / "code.py").write_text("pass")
    (root / "sub" / "program").write_bytes(b"\x7fELF\0\0")
    (root / "z.png").write_bytes(make_image("png", (3, 2)))
    return root


def test_a_folder_of_everything(folder: Path, load: Any) -> None:
    scan, rows = load(folder, key="path")
    found = {row["path"]: row for row in rows}
    assert list(found) == [
        "a.txt",
        "b.md",
        "c.html",
        "d.pdf",
        "e.pdf",
        "empty.txt",
        "sub/README",
        "sub/f.txt.gz",
        "z.png",
    ]
    assert found["a.txt"]["text"] == "plain text"
    assert found["a.txt"]["size"] == 10
    assert (found["empty.txt"]["text"], found["empty.txt"]["size"]) == ("", 0)
    assert found["b.md"]["text"].startswith("---")
    assert found["c.html"]["text"] == "See this."
    assert found["d.pdf"]["text"] == "First line\n\nSecond page"
    assert found["sub/f.txt.gz"]["text"] == "zusammengedrückt"
    titles = {path: row["title"] for path, row in found.items()}
    assert titles == {
        "a.txt": "a.txt",
        "b.md": "The *title*",
        "c.html": "Page one",
        "d.pdf": "A paper",
        "e.pdf": "Only line",
        "empty.txt": "empty.txt",
        "sub/README": "README",
        "sub/f.txt.gz": "f.txt.gz",
        "z.png": "z.png",
    }
    assert {key: value for key, value in found["z.png"].items() if key not in ("size", "modified")} == {
        "path": "z.png",
        "title": "z.png",
        "kind": "image",
        "width": 3,
        "height": 2,
    }
    assert scan.types == {
        "path": "text",
        "title": "text",
        "text": "text",
        "kind": "category",
        "size": "integer",
        "modified": "datetime",
        "width": "integer",
        "height": "integer",
    }
    assert scan.unique["path"] is True
    assert scan.duplicate is None
    assert scan.notes == ("files of other kinds were left out: .py (1), without suffix (1)",)


def test_a_single_document_is_one_item(folder: Path, load: Any) -> None:
    assert load(folder / "d.pdf")[1][0]["title"] == "A paper"
    assert load(folder / "a.txt")[1][0]["path"] == "a.txt"
    (folder / "x.csv").write_text("a,b\n1,2\n")
    assert load(folder / "x.csv", format="text")[1][0]["text"] == "a,b\n1,2\n"


def test_a_folder_of_tables_is_read_as_one_table(tmp_path: Path, load: Any) -> None:
    (tmp_path / "1.jsonl").write_text('{"a": 1}\n')
    (tmp_path / "2.csv").write_text("a,b\n2,x\n")
    (tmp_path / "notes.py").write_text("")
    assert load(tmp_path)[1] == [{"a": 1}, {"a": 2, "b": "x"}]
    (tmp_path / "n.md").write_text("# hello")
    assert [row["path"] for row in load(tmp_path)[1]] == ["n.md"]
    assert load(tmp_path)[0].notes == ("files of other kinds were left out: .jsonl (1), .csv (1), .py (1)",)


def test_several_folders_keep_their_names(tmp_path: Path, load: Any) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_text(name)
    scan, rows = load([tmp_path / "one", tmp_path / "two"], key="path")
    assert [row["path"] for row in rows] == ["one/a.txt", "two/a.txt"]
    assert scan.duplicate is None


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("x.pdf", b"%PDF-1.4 broken", "is damaged or no PDF"),
        ("x.pdf", b"", "is damaged or no PDF"),
        ("x.pdf", make_pdf("secret", password="open"), "needs a password"),
        ("x.txt", b"caf\xe9", "is not valid UTF-8"),
        ("x.png", b"\x89PNG\r\n\x1a\n", "is damaged or no image"),
        ("x.md.gz", gzip.compress(b"text" * 100)[:20], "damaged or cut short"),
    ],
)
def test_what_cannot_be_read_is_named_or_left_out(
    name: str, content: bytes, reason: str, folder: Path, load: Any
) -> None:
    path = folder / "sub" / name
    path.write_bytes(content)
    with pytest.raises(SourceError, match=reason) as caught:
        open_source(folder).scan()
    assert str(path) in str(caught.value)
    assert "--on-error skip" in str(caught.value)
    scan, rows = load(folder, on_error="skip")
    assert scan.rows == len(rows) == 9
    assert str(path) in scan.notes[0]
    assert reason in scan.notes[0]


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that nobody can read, root included")
def test_files_that_the_system_refuses_to_read_are_named(folder: Path, load: Any) -> None:
    (folder / "b.txt").symlink_to("/proc/self/mem")
    with pytest.raises(SourceError, match=r"b\.txt: cannot be read \(Input/output error\)"):
        open_source(folder).scan()
    assert load(folder, on_error="skip")[0].rows == 9


def test_names_that_are_no_text_are_named(folder: Path, load: Any) -> None:
    os.close(os.open(os.fsencode(folder) + b"/\xff.txt", os.O_CREAT | os.O_WRONLY))
    with pytest.raises(SourceError, match=r"\\xff\.txt.*not UTF-8"):
        open_source(folder).scan()
    assert r"\xff.txt" in load(folder, on_error="skip")[0].notes[0]


def test_links_are_followed_once_and_never_in_circles(folder: Path, load: Any) -> None:
    (folder / "sub" / "up").symlink_to(folder)
    (folder / "self").symlink_to(folder / "self")
    (folder / "gone.txt").symlink_to(folder / "nothing.txt")
    (folder / "again.txt").symlink_to(folder / "a.txt")
    scan, rows = load(folder)
    assert scan.rows == 10
    assert next(row for row in rows if row["path"] == "again.txt")["text"] == "plain text"
    assert any("gone.txt was left out: it is a link to nothing" in note for note in scan.notes)


def test_an_empty_folder_has_no_rows(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no rows: there is nothing in it$"):
        open_source(tmp_path).scan()
    (tmp_path / "a.py").write_text("")
    with pytest.raises(SourceError, match=r"no rows.*files of other kinds were left out: \.py"):
        open_source(tmp_path).scan()


def test_a_text_has_a_limit(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from similia.collection.sources import folder as module

    monkeypatch.setattr(module, "MAX_RECORD", 9)
    with pytest.raises(SourceError, match="is larger than"):
        open_source(folder).scan()


def test_pages_in_other_encodings(tmp_path: Path, load: Any) -> None:
    (tmp_path / "a.html").write_bytes('<meta charset="windows-1252"><p>caf\xe9 \x80'.encode("latin-1"))
    (tmp_path / "b.html").write_bytes("<p>caf\xe9".encode("latin-1"))
    (tmp_path / "c.html").write_bytes("<p>日本".encode())
    (tmp_path / "d.html").write_bytes("<p>日本".encode("utf-16"))
    assert [row["text"] for row in load(tmp_path)[1]] == ["café €", "café", "日本", "日本"]


@pytest.mark.parametrize(
    ("page", "title", "text"),
    [
        ("", None, ""),
        ("plain", None, "plain"),
        ("<h1>Head <i>line</i></h1>a<p>b</p>c", "Head line", "Head line\na\nb\nc"),
        ("<title></title><h1></h1><p>x", None, "x"),
        ("a <b>b</b><br>c&nbsp;d&lt;", None, "a b\nc d<"),
        ("<pre>  x\n    y</pre>", None, "  x\n    y"),
        ("<table><tr><td>1<td>2<tr><td>3</table>", None, "1\n2\n3"),
        ("<p hidden>no<p aria-hidden=true>no<style>no</style><p>yes<!-- no -->", None, "yes"),
        ("<frameset><frame></frameset>", None, ""),
        ("<svg><text>no</text></svg><p>yes", None, "yes"),
    ],
)
def test_what_is_visible_of_a_page(page: str, title: str | None, text: str) -> None:
    assert visible_text(page) == (title, text)


def test_pages_may_be_nested_as_deep_as_they_like() -> None:
    assert visible_text("<div>" * 5_000 + "x")[1] == "x"


@given(st.text())
def test_no_page_is_too_odd(page: str) -> None:
    title, text = visible_text(page)
    assert title is None or title == title.strip()
    assert "\n\n" not in text


@pytest.mark.parametrize("kind", ["png", "jpeg", "gif", "webp", "bmp", "tiff"])
@pytest.mark.parametrize("size", [(1, 1), (640, 3), (7, 300)])
def test_sizes_of_images(kind: str, size: tuple[int, int]) -> None:
    assert image_size(io.BytesIO(make_image(kind, size))) == (kind, *size)


def test_sizes_of_images_with_much_before_the_header() -> None:
    jpeg = make_image("jpeg", (5, 4))
    padded = jpeg[:2] + b"\xff\xe1" + struct.pack(">H", 60_002) + b"x" * 60_000 + jpeg[2:]
    assert image_size(io.BytesIO(padded)) == ("jpeg", 5, 4)


@given(
    st.binary(max_size=60),
    st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF1234WEBPVP8X", b"II*\0", b"BM", b"GIF89a"]),
)
def test_no_header_is_too_odd(rest: bytes, magic: bytes) -> None:
    found = image_size(io.BytesIO(magic + rest))
    assert found is None or len(found) == 3


def test_compressed_webp_kinds() -> None:
    image = pytest.importorskip("PIL.Image")
    for options in ({"lossless": True}, {"quality": 50}, {"lossless": True, "exact": True, "icc_profile": b"x" * 10}):
        out = io.BytesIO()
        image.new("RGBA", (33, 9), (1, 2, 3, 4)).save(out, "webp", **options)
        assert image_size(io.BytesIO(out.getvalue())) == ("webp", 33, 9)
