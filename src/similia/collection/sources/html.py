"""The visible text of HTML pages."""

from __future__ import annotations

import re
from typing import Any

_HIDDEN = "script, style, noscript, template, svg, math, iframe, object, select, [hidden], [aria-hidden=true]"
_BLOCK_NAMES = (
    "address article aside blockquote body br caption center dd details dialog dir div dl dt fieldset "
    "figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr html li main menu nav ol option p pre "
    "section summary table tbody td tfoot th thead title tr ul"
)
_BLOCKS = frozenset(_BLOCK_NAMES.split())
_SPACES = re.compile(r"[ \t\r\n\f]+")
_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([A-Za-z0-9_:.-]+)""", re.IGNORECASE)


def charset(data: bytes) -> str | None:
    """Return the encoding that a page declares in its first bytes, if any.

    Examples:
        >>> charset(b'<meta http-equiv="content-type" content="text/html; charset=ISO-8859-1">')
        'ISO-8859-1'
    """
    match = _CHARSET.search(data[:2048])
    return match[1].decode("ascii") if match else None


def visible_text(page: str) -> tuple[str | None, str]:
    r"""Return the title and the visible text of a page.

    Scripts, styles and what is marked hidden are left out; white space is folded as browsers do, and each block
    (paragraph, heading, list item, table cell) has a line of its own. The title is ``<title>``, or the first
    ``<h1>``, or None.

    Examples:
        >>> visible_text("<title>Menu</title><p>Fish &amp; <b>chips</b><script>x</script><ul><li>peas<li>gravy</ul>")
        ('Menu', 'Fish & chips\npeas\ngravy')
    """
    from selectolax.lexbor import LexborHTMLParser

    tree = LexborHTMLParser(page)
    title = next((found for tag in ("title", "h1") if (found := _first(tree, tag))), None)
    body = tree.body
    if body is None:
        return title, ""
    for node in body.css(_HIDDEN):
        node.decompose()
    return title, _text(body)


def _first(tree: Any, tag: str) -> str | None:
    node = tree.css_first(tag)
    return (_fold(node.text()).strip() or None) if node is not None else None


def _fold(text: str) -> str:
    return _SPACES.sub(" ", text)


def _text(body: Any) -> str:
    """Walk the tree without recursion, since pages may be nested as deeply as they like."""
    parts: list[str] = []
    node, depth, preformatted = body, 0, 0
    while True:
        if node.tag == "-text":
            text = node.text_content or ""
            parts.append(text if preformatted else _fold(text))
        elif node.tag in _BLOCKS:
            parts.append("\n")
            preformatted += node.tag == "pre"
        if node.child is not None:
            node, depth = node.child, depth + 1
            continue
        while True:
            if node.tag in _BLOCKS:
                parts.append("\n")
                preformatted -= node.tag == "pre"
            if not depth:
                return _tidy("".join(parts))
            if node.next is not None:
                node = node.next
                break
            node, depth = node.parent, depth - 1


def _tidy(text: str) -> str:
    """Drop empty lines and the spaces at line ends; what is indented by more than a space was preformatted."""
    lines = (line.rstrip() if line[:2] == "  " else line.strip() for line in text.replace("\xa0", " ").split("\n"))
    return "\n".join(line for line in lines if line.strip())
