"""Text that came from somewhere else, made safe and fitting for a terminal."""

from __future__ import annotations

# C0 controls become their pictures (U+2400...), so that they are seen and do nothing; C1 controls, DEL and the
# characters that turn the direction of everything after them become U+FFFD.
_CONTROLS = {code: 0x2400 + code for code in range(32) if code not in (9, 10)}
_CONTROLS |= dict.fromkeys([0x7F, *range(0x80, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)], 0xFFFD)
_CONTROLS |= {0x2028: 0x20, 0x2029: 0x20}


def clean(text: str) -> str:
    r"""``text`` without anything that a terminal would obey; line ends and tabs stay.

    Examples:
        >>> clean("red: \x1b[31m!")
        'red: ␛[31m!'
    """
    return text.translate(_CONTROLS)


def one_line(text: str, limit: int | None = None) -> str:
    r"""``text`` cleaned and on one line, cut to ``limit`` terminal columns with an ellipsis.

    Examples:
        >>> one_line("a\n  long   text", 8)
        'a long …'
        >>> one_line("漢字漢字", 5)
        '漢字…'
    """
    line = " ".join(clean(text).split())
    if limit is None or width(line) <= limit:
        return line
    kept = line[: limit - 1]
    while width(kept) > limit - 1:
        kept = kept[:-1]
    return kept + "…"


def width(text: str) -> int:
    r"""How many terminal columns ``text`` takes: wide characters two, combining ones none.

    Examples:
        >>> width("abc"), width("漢字"), width("e\u0301")
        (3, 4, 1)
    """
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def counted(count: int, one: str = "item") -> str:
    """A number with its noun: ``1 item``, ``2,000 items``.

    Examples:
        >>> counted(1), counted(2000)
        ('1 item', '2,000 items')
    """
    return f"{count:,} {one}{'' if count == 1 else 's'}"
