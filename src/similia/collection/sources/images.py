"""Width and height of images from the bytes of their headers, without decoding them."""

from __future__ import annotations

import struct
from typing import BinaryIO

SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff")


def image_size(file: BinaryIO) -> tuple[str, int, int] | None:
    """Return format, width and height of PNG, JPEG, GIF, WebP, BMP and TIFF; None where it is no such image.

    Examples:
        >>> import io
        >>> image_size(io.BytesIO(b"GIF89a" + struct.pack("<HH", 3, 2)))
        ('gif', 3, 2)
    """
    head = file.read(32)
    try:
        if head.startswith(b"\x89PNG\r\n\x1a\n") and head[12:16] == b"IHDR":
            return ("png", *struct.unpack(">II", head[16:24]))
        if head[:6] in (b"GIF87a", b"GIF89a"):
            return ("gif", *struct.unpack("<HH", head[6:10]))
        if head[:2] == b"BM":
            return _bmp(head)
        if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
            return _webp(head)
        if head[:4] in (b"II*\0", b"MM\0*"):
            return _tiff(file, "<" if head[:2] == b"II" else ">")
        if head[:3] == b"\xff\xd8\xff":
            return _jpeg(file)
    except (struct.error, OSError):
        pass
    return None


def _bmp(head: bytes) -> tuple[str, int, int]:
    if struct.unpack("<I", head[14:18])[0] == 12:  # the header of OS/2
        return ("bmp", *struct.unpack("<HH", head[18:22]))
    width, height = struct.unpack("<ii", head[18:26])
    return "bmp", width, abs(height)  # rows from the top have a negative height


def _webp(head: bytes) -> tuple[str, int, int] | None:
    if head[12:16] == b"VP8 ":
        width, height = struct.unpack("<HH", head[26:30])
        return "webp", width & 0x3FFF, height & 0x3FFF
    if head[12:16] == b"VP8L":
        bits = struct.unpack("<I", head[21:25])[0]
        return "webp", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if head[12:16] == b"VP8X":
        return "webp", int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    return None


def _tiff(file: BinaryIO, order: str) -> tuple[str, int, int] | None:
    file.seek(4)
    file.seek(struct.unpack(order + "I", file.read(4))[0])
    sizes = {}
    for _ in range(struct.unpack(order + "H", file.read(2))[0]):
        entry = file.read(12)
        tag, kind = struct.unpack(order + "HH", entry[:4])
        if tag in (256, 257):
            sizes[tag] = struct.unpack(order + ("H" if kind == 3 else "I"), entry[8 : 10 if kind == 3 else 12])[0]
    return ("tiff", sizes[256], sizes[257]) if len(sizes) == 2 else None


def _jpeg(file: BinaryIO) -> tuple[str, int, int] | None:
    file.seek(2)
    while True:
        mark, code = struct.unpack("BB", file.read(2))
        while code == 0xFF:  # padding
            code = struct.unpack("B", file.read(1))[0]
        if mark != 0xFF or code in (0xD9, 0xDA):
            return None
        if code == 0x01 or 0xD0 <= code <= 0xD7:
            continue
        size = struct.unpack(">H", file.read(2))[0]
        if 0xC0 <= code <= 0xCF and code not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">xHH", file.read(5))
            return "jpeg", width, height
        file.seek(size - 2, 1)
