"""Templates: fixed files of this package, everything escaped."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

HERE = Path(__file__).parent
STATIC = HERE / "static"


def address(collection: str, place: str = "", **parameters: Any) -> str:
    """Path of a page of ``collection``, with the parameters that are not empty.

    Examples:
        >>> address("my papers", "item", key="a/b c", sense=None)
        '/c/my%20papers/item?key=a%2Fb+c'
    """
    given = {name: value for name, value in parameters.items() if value not in (None, "")}
    return f"/c/{quote(collection, safe='')}/{place}" + (f"?{urlencode(given)}" if given else "")


def number(value: float | None, digits: int = 3) -> str:
    """A number for people.

    Examples:
        >>> number(1234567), number(0.12345), number(None)
        ('1,234,567', '0.123', '–')
    """
    if value is None or value != value:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.{digits}f}"


def moment(value: str | None) -> str:
    """An ISO date and time for people, to the minute.

    Examples:
        >>> moment("2026-01-31T23:59:01.5")
        '2026-01-31 23:59'
    """
    if not value:
        return "–"
    try:
        return datetime.fromisoformat(value).strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return value


def size(count: int) -> str:
    """A number of bytes for people.

    Examples:
        >>> size(999), size(12_345_678)
        ('999 B', '12.3 MB')
    """
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 100 else f"{amount:.1f} {unit}"
        amount /= 1000
    raise AssertionError


@cache
def environment() -> Environment:
    """The template environment: only files of this package, autoescape always on, unknown names an error."""
    templates = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    templates.globals.update(address=address)
    templates.filters.update(number=number, moment=moment, size=size)
    return templates


def page(
    request: Request,
    template: str,
    values: Mapping[str, Any],
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """Answer with a page.

    Args:
        request: what is answered.
        template: file name of a template; never made from what a client sent.
        values: what the template shows.
        status: HTTP status.
        headers: further headers.
    """
    context = request.app.state.context
    usual = {
        "collections": list(context.shelf),
        "collection": None,
        "place": "",
        "writable": context.settings.allow_upload,
        "guarded": context.settings.token is not None,
    }
    html = environment().get_template(template).render({**usual, **values})
    return HTMLResponse(html.encode("utf-8", "replace"), status_code=status, headers=dict(headers or {}))
