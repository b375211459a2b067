"""Arrow's stream and file formats (.arrow, .feather, .ipc): messages to arrays.

nanoarrow reads these formats too, but (version 0.9) not the string views that polars writes by default, and it takes
compressed dictionaries for plain ones. So the messages are read here, after
https://arrow.apache.org/docs/format/Columnar.html#serialization-and-interprocess-communication-ipc, and nanoarrow
unpacks LZ4.
"""

from __future__ import annotations

import io
import struct
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, TypeAlias

import numpy as np

from similia.collection.sources.arrow_array import ArrowError, Buffer, Field, Node
from similia.collection.sources.flatbuffer import Table

MAGIC = b"ARROW1\0\0"

_CONTINUED = b"\xff\xff\xff\xff"
_SCHEMA, _DICTIONARY, _BATCH = 1, 2, 3
_LZ4, _ZSTD = 0, 1
_UNITS = "smun"
_SIMPLE = {1: "n", 4: "z", 5: "u", 6: "b", 12: "+l", 13: "+s", 17: "+m", 19: "Z", 20: "U", 21: "+L", 22: "+r"} | {
    23: "vz",
    24: "vu",
    25: "+vl",
    26: "+vL",
}


def batches(data: memoryview) -> Iterator[tuple[Field, Node]]:
    """The record batches of a file in the file or the stream format, each as a struct.

    Args:
        data: the whole file, mapped into memory.

    Raises:
        ArrowError: the bytes are no Arrow data, are cut short, or use a type that is not known.
    """
    head = bytes(data[:8])
    if head[:4] == b"FEA1":
        raise ArrowError("is Feather version 1; write it again with a newer library")
    decoder = _Decoder()
    messages = _indexed(data, decoder) if head[:6] == MAGIC[:6] else _consecutive(data)
    for header, message, body in messages:
        batch = decoder.take(header, message, body)
        if batch is not None:
            yield batch


class _Decoder:
    """The schema and the dictionaries that the batches need."""

    def __init__(self) -> None:
        self._schema: Field | None = None
        self._keyed: dict[int, Field] = {}
        self._dictionaries: dict[int, Node] = {}

    def begin(self, schema: Table) -> None:
        if schema.scalar(0, "h"):
            raise ArrowError("the data are big-endian; write them on a little-endian machine")
        self._schema = Field("+s", "", [_field(child) for child in schema.tables(1)])
        self._keyed = {field.key: field for field in _keyed(self._schema)}

    def take(self, header: int, message: Table, body: memoryview) -> tuple[Field, Node] | None:
        """Take in a message; a record batch is returned."""
        if header == _SCHEMA:
            self.begin(message)
        elif self._schema is None:
            raise ArrowError("the data do not begin with a schema")
        elif header == _DICTIONARY:
            self._add_dictionary(message, body)
        elif header == _BATCH:
            return self._schema, _Body(message, body, self._dictionaries).struct(self._schema.children)
        return None

    def _add_dictionary(self, message: Table, body: memoryview) -> None:
        key, record = message.scalar(0, "q"), message.table(1)
        values = self._keyed[key].dictionary if key in self._keyed else None
        if record is None or values is None:
            raise ArrowError("a dictionary belongs to no column")
        node = _Body(record, body, self._dictionaries).struct([values]).children[0]
        if message.scalar(2, "?"):
            node = _appended(values, self._dictionaries.get(key), node)
        self._dictionaries[key] = node


_Message: TypeAlias = tuple[int, Table, memoryview]


def _indexed(data: memoryview, decoder: _Decoder) -> Iterator[_Message]:
    """The messages of the file format, by the index at its end.

    Read in order it would nearly be a stream, but polars (2.1) leaves out the length of the schema at its beginning,
    and dictionaries may come after the batches that need them.
    """
    if bytes(data[-6:]) != MAGIC[:6] or len(data) < 18:
        raise ArrowError("the file does not end as an Arrow file does; is it cut short?")
    size = struct.unpack("<i", data[-10:-6])[0]
    if not 0 < size <= len(data) - 18:
        raise ArrowError("the index at the end of the file is damaged")
    footer = Table.root(bytes(data[-10 - size : -10]))
    schema = footer.table(1)
    if schema is None:
        raise ArrowError("the index at the end of the file has no schema")
    decoder.begin(schema)
    for offset, length, body in [*footer.structs(2, "qi4xq"), *footer.structs(3, "qi4xq")]:
        start = offset + (8 if bytes(data[offset : offset + 4]) == _CONTINUED else 4)
        yield _message(data[start : offset + length], data[offset + length : offset + length + body])


def _consecutive(data: memoryview) -> Iterator[_Message]:
    """The messages of the stream format."""
    at = 0
    while at < len(data):
        at += 4 if bytes(data[at : at + 4]) == _CONTINUED else 0
        prefix = bytes(data[at : at + 4])
        size = struct.unpack("<i", prefix)[0] if len(prefix) == 4 else -1
        if size == 0:
            return
        if not 0 < size < 1 << 30:
            raise ArrowError("the bytes are no Arrow data")
        metadata = data[at + 4 : at + 4 + size]
        length = Table.root(bytes(metadata)).scalar(3, "q")
        at += 4 + size + length
        yield _message(metadata, data[at - length : at])


def _message(metadata: memoryview, body: memoryview) -> _Message:
    message = Table.root(bytes(metadata))
    inner = message.table(2)
    if inner is None or len(body) < message.scalar(3, "q"):
        raise ArrowError("the data are cut short")
    return message.scalar(1, "B"), inner, body


def _keyed(field: Field) -> Iterator[Field]:
    """The fields below that have a dictionary."""
    if field.dictionary is not None:
        yield field
        yield from _keyed(field.dictionary)
    for child in field.children:
        yield from _keyed(child)


def _field(table: Table) -> Field:
    name = table.text(0)
    children = [_field(child) for child in table.tables(5)]
    form = _format(table.scalar(2, "B"), table.table(3), name, len(children))
    extension = next((pair.text(1) for pair in table.tables(6) if pair.text(0) == "ARROW:extension:name"), "")
    encoding = table.table(4)
    if encoding is None:
        return Field(form, name, children, extension=extension)
    index = encoding.table(1)
    return Field(
        "i" if index is None else _format(2, index, name, 0),
        name,
        dictionary=Field(form, name, children),
        extension=extension,
        key=encoding.scalar(0, "q"),
    )


def _format(code: int, kind: Table | None, name: str, children: int) -> str:
    """Return the format string of a type in the schema's encoding (Schema.fbs)."""
    if code in _SIMPLE:
        return _SIMPLE[code]
    if kind is None:
        raise ArrowError(f"the type of column {name!r} is missing")
    if code == 2:
        letters = "csil" if kind.scalar(1, "?") else "CSIL"
        return letters[{8: 0, 16: 1, 32: 2, 64: 3}[kind.scalar(0, "i")]]
    if code == 3:
        return "efg"[kind.scalar(0, "h")]
    if code == 7:
        return f"d:{kind.scalar(0, 'i')},{kind.scalar(1, 'i')},{kind.scalar(2, 'i', 128)}"
    if code == 8:
        return "tdm" if kind.scalar(0, "h", 1) else "tdD"
    if code == 9:
        return "tt" + _UNITS[kind.scalar(0, "h", 1)]
    if code == 10:
        return f"ts{_UNITS[kind.scalar(0, 'h')]}:{kind.text(1)}"
    if code == 11:
        return "ti" + "MDn"[kind.scalar(0, "h")]
    if code == 14:
        codes = [str(row[0]) for row in kind.structs(1, "i")] or [str(number) for number in range(children)]
        return ("+ud:" if kind.scalar(0, "h") else "+us:") + ",".join(codes)
    if code == 15:
        return f"w:{kind.scalar(0, 'i')}"
    if code == 16:
        return f"+w:{kind.scalar(0, 'i')}"
    if code == 18:
        return "tD" + _UNITS[kind.scalar(0, "h", 1)]
    raise ArrowError(f"column {name!r} is of a type that is not known (number {code} of the Arrow schema)")


class _Body:
    """The nodes and buffers of one batch, handed out field by field."""

    def __init__(self, record: Table, body: memoryview, dictionaries: dict[int, Node]) -> None:
        self._record, self._body, self._dictionaries = record, body, dictionaries
        self._nodes = iter(record.structs(1, "qq"))
        self._buffers = iter(record.structs(2, "qq"))
        self._variadic = iter(record.structs(4, "q"))
        compression = record.table(3)
        self._codec = None if compression is None else compression.scalar(0, "b")

    def struct(self, fields: Sequence[Field]) -> Node:
        try:
            return Node(self._record.scalar(0, "q"), children=[self._node(field) for field in fields])
        except StopIteration:
            raise ArrowError("a batch has fewer buffers than its columns need") from None

    def _node(self, field: Field) -> Node:
        length, _ = next(self._nodes)
        count = _buffer_count(field.format)
        if field.format[0] == "v":
            count += next(self._variadic)[0]
        buffers = [self._buffer() for _ in range(count)]
        dictionary = None
        if field.dictionary is not None:
            dictionary = self._dictionaries.get(field.key)
            if dictionary is None:
                raise ArrowError(f"the dictionary of column {field.name!r} does not come before its values")
        return Node(length, 0, buffers, [self._node(child) for child in field.children], dictionary)

    def _buffer(self) -> Buffer | None:
        offset, size = next(self._buffers)
        raw = self._body[offset : offset + size]
        if len(raw) < size:
            raise ArrowError("the data are cut short")
        if not size:
            return None
        if self._codec is None:
            return np.frombuffer(raw, np.uint8)
        length = struct.unpack("<q", raw[:8])[0]
        if length == -1:
            return np.frombuffer(raw[8:], np.uint8)
        return _unpacked(raw, length, self._codec)


def _buffer_count(form: str) -> int:
    if form in ("n", "+r"):
        return 0
    if form in ("+s",) or form[:2] in ("+w",) or form[:3] == "+us":
        return 1
    return 3 if form in ("u", "U", "z", "Z", "+vl", "+vL") else 2


def _unpacked(raw: memoryview, length: int, codec: int) -> Buffer:
    if codec == _ZSTD:
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd
        try:
            data = np.frombuffer(zstd.decompress(raw[8:]), np.uint8)
        except zstd.ZstdError as error:
            raise ArrowError(f"a compressed buffer is damaged ({error})") from None
    elif codec == _LZ4:
        data = _unpacked_lz4(raw, length)
    else:
        raise ArrowError(f"the compression (number {codec}) is not known; LZ4 and ZSTD are")
    if len(data) < length:
        raise ArrowError("a compressed buffer is shorter than it says")
    return data[:length]


def _unpacked_lz4(raw: memoryview, length: int) -> Buffer:
    """Unpack an LZ4 frame by handing nanoarrow a batch of one column of bytes, whose buffer it is."""
    from nanoarrow import c_array_stream
    from nanoarrow.ipc import InputStream

    padding = -len(raw) % 8
    metadata = _batch_of_bytes(length, len(raw), len(raw) + padding)
    message = struct.pack("<Ii", 0xFFFFFFFF, len(metadata)) + metadata
    packed = io.BytesIO(b"".join([_schema_of_bytes(), message, raw, b"\0" * padding, b"\xff\xff\xff\xff\0\0\0\0"]))
    try:
        with InputStream.from_readable(packed) as source, c_array_stream(source) as stream:
            batch = stream.get_next()  # owns the memory until it is copied
            return np.array(batch.view().child(0).buffer(1), np.uint8)
    except Exception as error:  # noqa: BLE001 - nanoarrow's own exception class has no public name
        raise ArrowError(f"a compressed buffer is damaged ({error})") from None


@cache
def _schema_of_bytes() -> bytes:
    import nanoarrow
    from nanoarrow.ipc import StreamWriter

    written = io.BytesIO()
    with StreamWriter.from_writable(written) as writer:
        writer.write_stream(nanoarrow.c_array_stream([], nanoarrow.struct({"bytes": nanoarrow.uint8()})))
    data = written.getvalue()
    return data[: 8 + struct.unpack_from("<i", data, 4)[0]]


def _batch_of_bytes(values: int, packed: int, body: int) -> bytes:
    """The FlatBuffer of a record batch: one column of ``values`` bytes without nulls, LZ4 to ``packed`` bytes.

    Written out by hand, with the place of every part; a table follows its vtable, and offsets count from where they
    stand.
    """
    message = struct.pack("<I6H", 16, 12, 24, 4, 6, 8, 16)  # at 0: the root, then Message's vtable
    message += struct.pack("<iHBxI4xq", 12, 4, _BATCH, 32, body)  # at 16: Message, version 5
    message += struct.pack("<6H4x", 12, 24, 16, 4, 8, 12)  # at 40: RecordBatch's vtable
    message += struct.pack("<i3Iq", 16, 24, 44, 80, values)  # at 56: RecordBatch
    message += struct.pack("<4xIqq", 1, values, 0)  # at 80: one node
    message += struct.pack("<4xI4q", 2, 0, 0, 0, packed)  # at 104: two buffers, the validity left out
    return message + struct.pack("<HHi", 4, 4, 4)  # at 144: BodyCompression, all defaults: LZ4


def _appended(values: Field, old: Node | None, new: Node) -> Any:
    """A dictionary that grew: the values of both, decoded already."""
    from similia.collection.sources.arrow_decode import decode

    before = [] if old is None else old.decoded if old.decoded is not None else decode(values, old)
    both = [*before, *decode(values, new)]
    return Node(len(both), decoded=both)
