"""Bytes of text files as valid UTF-8, whatever they came in."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from similia.collection.sources.chunk import BLOCK
from similia.collection.sources.compression import ByteStream
from similia.errors import SourceError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def check_encoding(encoding: str | None) -> str | None:
    """Return Python's name of an encoding.

    Examples:
        >>> check_encoding("Latin1")
        'iso8859-1'
        >>> check_encoding("latin-eleven")
        Traceback (most recent call last):
        similia.errors.SourceError: 'latin-eleven' is no encoding; for instance utf-8, utf-16, latin-1,
            cp1252 or shift_jis
    """
    if encoding is None:
        return None
    try:
        codec = codecs.lookup(encoding)
        "".encode(codec.name)
    except LookupError:
        raise SourceError(
            f"{encoding!r} is no encoding; for instance utf-8, utf-16, latin-1, cp1252 or shift_jis"
        ) from None
    return codec.name


def detect(head: bytes, encoding: str | None, name: str) -> tuple[str, int]:
    r"""Return the encoding of a text file and the length of its byte order mark.

    Args:
        head: the first bytes (some kilobytes).
        encoding: what the caller says, if anything; a byte order mark of the same family is still taken off.
        name: the file, for messages.

    Examples:
        >>> detect(b"\xff\xfea\x00", None, "a.csv")
        ('utf-16-le', 2)
    """
    for mark, found in _MARKS:
        if head.startswith(mark) and (encoding is None or found.startswith(encoding)):
            return found, len(mark)
    if encoding is not None:
        return encoding, 0
    for parity, guess in ((1, "utf-16-le"), (0, "utf-16-be")):
        half, other = head[parity:400:2], head[1 - parity : 400 : 2]
        if len(half) >= 4 and half.count(0) > len(half) * 0.4 and other.count(0) < len(other) * 0.1:
            reason = f"looks like UTF-16 without a byte order mark; say so with --encoding {guess}"
            raise SourceError(reason, source=name)
    return "utf-8", 0


def decoded(blocks: Iterator[bytes], name: str, encoding: str | None) -> Iterator[tuple[bytes, str]]:
    """Check and decode a text file, in pieces: (its bytes, its text) where it is UTF-8, (b"", its text) otherwise.

    Raises:
        SourceError: with the offset of the first byte that does not belong to the encoding.
    """
    first = next(blocks, b"")
    encoding, mark = detect(first, encoding, name)
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    fed, block, final = mark, first[mark:], False
    while True:
        pending = len(decoder.getstate()[0])
        try:
            text = decoder.decode(block, final)
        except UnicodeDecodeError as error:
            raise _undecodable(error, encoding, fed - pending, name) from None
        if encoding != "utf-8":
            _refuse_surrogates(text, name)
        if text or block:
            yield (block if encoding == "utf-8" else b""), text
        if final:
            return
        fed += len(block)
        block = next(blocks, b"")
        final = not block


def _undecodable(error: UnicodeDecodeError, encoding: str, start: int, name: str) -> SourceError:
    offset = start + error.start
    if error.start < len(error.object):
        what = f"byte {offset:,} (0x{error.object[error.start]:02x})"
    else:  # pragma: no cover - no codec of the standard library reports so
        what = f"byte {offset:,}"
    way_out = "say which encoding it is, for instance --encoding latin-1, or convert the file to UTF-8"
    return SourceError(f"{what} is not valid {encoding.upper()} ({error.reason}); {way_out}", source=name)


def _refuse_surrogates(text: str, name: str) -> None:
    """Some encodings (UTF-7, escapes) can spell half a character."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        half = ord(text[error.start])
        raise SourceError(f"holds U+{half:04X}, half of a surrogate pair, which is no character", source=name) from None


def utf8_blocks(stream: ByteStream, name: str, encoding: str | None = None) -> Iterator[bytes]:
    """The file as UTF-8 bytes without byte order mark, checked; pieces may end inside a character."""
    for raw, text in decoded(stream.blocks(BLOCK), name, encoding):
        yield raw or text.encode()


def text_blocks(stream: ByteStream, name: str, encoding: str | None = None) -> Iterator[str]:
    """The file as text without byte order mark, in pieces."""
    for _, text in decoded(stream.blocks(BLOCK), name, encoding):
        yield text


def decode_all(data: bytes, name: str, encoding: str | None = None) -> str:
    r"""Decode the whole of a small file.

    Examples:
        >>> decode_all(b"caf\xe9", "menu.txt")
        Traceback (most recent call last):
        similia.errors.SourceError: menu.txt: byte 3 (0xe9) is not valid UTF-8 (unexpected end of data); say which
            encoding it is, for instance --encoding latin-1, or convert the file to UTF-8
    """
    return "".join(text for _, text in decoded(iter([data]), name, encoding))
