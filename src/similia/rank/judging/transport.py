"""One JSON request over HTTP, with an end in time, and errors that say whether to try again."""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from similia.errors import InputError, SimiliaError

LARGEST = 8 * 2**20  # bytes of a reply
PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529})
"""Statuses after which the same request may succeed."""
PATIENCE = 60.0  # seconds; the longest wait that a server may ask for


class RequestFailed(SimiliaError):
    """A request that brought no usable reply.

    Args:
        message: why.
        status: the HTTP status; 0 where there was none.
        passing: whether the same request may succeed later.
        wait: seconds that the server asks to wait.
    """

    exit_code = 1

    def __init__(self, message: str, *, status: int = 0, passing: bool = True, wait: float = 0.0) -> None:
        super().__init__(message)
        self.status = status
        self.passing = passing
        self.wait = wait


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would take the key to another host."""

    def redirect_request(self, *_: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirect)


def chat_url(endpoint: str) -> str:
    """Where chat requests go, from the base address of an API.

    Raises:
        InputError: no address of http or https.

    Examples:
        >>> chat_url("http://127.0.0.1:8080/v1/")
        'http://127.0.0.1:8080/v1/chat/completions'
    """
    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError(f"endpoint {public_url(endpoint)!r} is no address; expected one such as http://host:8080/v1")
    path = parts.path.rstrip("/")
    path = path if path.endswith("/chat/completions") else f"{path}/chat/completions"
    return urlunsplit(parts._replace(path=path, fragment=""))


def public_url(url: str) -> str:
    """An address without what may be secret: user, password and query.

    Examples:
        >>> public_url("https://me:secret@host/v1?key=1")
        'https://host/v1'
    """
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def post_json(url: str, body: Mapping[str, Any], headers: Mapping[str, str], *, timeout: float) -> Any:
    """Send a JSON object and return the JSON reply.

    Args:
        url: of http or https.
        body: what to send.
        headers: besides the content type.
        timeout: seconds until the whole reply must be there.

    Raises:
        RequestFailed: no connection, no reply in time, an error status, or a reply that is not JSON.
    """
    ends = time.monotonic() + timeout
    request = urllib.request.Request(  # noqa: S310  (the scheme was checked by `chat_url`)
        url,
        data=json.dumps(body).encode("ascii"),
        headers={"Content-Type": "application/json", "Accept": "application/json", **headers},
        method="POST",
    )
    try:
        with _OPENER.open(request, timeout=timeout) as response:
            content = _read(response, ends)
    except urllib.error.HTTPError as error:
        with error:
            raise _refused(error) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, TimeoutError):
            raise RequestFailed(f"no reply within {timeout:g} s") from None
        raise RequestFailed(f"no reply ({type(reason).__name__}: {str(reason)[:200]})") from None
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise RequestFailed(f"the reply is not JSON: {content[:80]!r}") from None


def _read(response: Any, ends: float) -> bytes:
    """The body, unless it drips too slowly or grows too large; the connection's own timeout bounds each part."""
    parts, size = [], 0
    while part := response.read1(65_536):
        parts.append(part)
        size += len(part)
        if size > LARGEST:
            raise ValueError(f"more than {LARGEST:,} bytes")
        if time.monotonic() > ends:
            raise TimeoutError
    stated = response.headers.get("Content-Length")
    if stated is not None and stated.isdigit() and size < int(stated):
        raise ConnectionError(f"cut off after {size:,} of {int(stated):,} bytes")
    return b"".join(parts)


def _refused(error: urllib.error.HTTPError) -> RequestFailed:
    try:
        said = error.read(2_000).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException):
        said = ""
    asked = error.headers.get("Retry-After", "") if error.headers else ""
    wait = min(float(asked), PATIENCE) if asked.isdigit() else 0.0
    return RequestFailed(
        f"HTTP {error.code} {error.reason}: {' '.join(said.split())[:200]}",
        status=error.code,
        passing=error.code in PASSING,
        wait=wait,
    )
