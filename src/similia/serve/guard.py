"""Who may ask: the Host, the Origin and the token of a request, checked before anything else reads it."""

from __future__ import annotations

import asyncio
import ipaddress
import re
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from similia.serve.faults import answer
from similia.serve.settings import Settings

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
OPEN_PATHS = ("/static/", "/login")
WRONG_TOKEN_DELAY = 0.3
"""Seconds that a wrong token waits, so that guessing is slow as well as hopeless."""

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?")


@dataclass(frozen=True)
class Refusal:
    """Why a request is not answered: an HTTP status and one sentence."""

    status: int
    sentence: str
    headers: dict[str, str] = field(default_factory=dict)


def is_loopback(host: str) -> bool:
    """Whether ``host`` (a name or an address) can only be this machine.

    Examples:
        >>> [is_loopback(host) for host in ("localhost", "127.0.0.1", "::1", "0.0.0.0", "example.org")]
        [True, True, True, False, False]
    """
    host = host.lower().rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def host_refusal(header: str | None, settings: Settings) -> Refusal | None:
    """Refuse a Host that is not this server's, so that a foreign page cannot rebind its name to this machine.

    Examples:
        >>> host_refusal("127.0.0.1:8765", Settings()) is None
        True
        >>> host_refusal("evil.example", Settings()).status
        421
    """
    match = _HOST.fullmatch(header or "")
    if match is None:
        return Refusal(400, "the Host header is missing or not a host name")
    host = match[1].strip("[]").lower().rstrip(".")
    if is_loopback(host) or host in settings.hosts:
        return None
    if settings.token is not None and (not settings.hosts or _is_address(host)):
        return None  # a rebound name has no session: the token protects, and an address cannot be rebound
    return Refusal(421, f"this server does not answer to the host name {host[:80]!r}; name it with --name to allow it")


def origin_refusal(method: str, headers: Headers) -> Refusal | None:
    """Refuse a change that another site's page asks for.

    Browsers send Origin with every change that a page asks for; programs send none, and carry no cookies of ours.

    Examples:
        >>> here = {"host": "localhost:8765", "origin": "http://localhost:8765"}
        >>> origin_refusal("POST", Headers(here)) is None
        True
        >>> origin_refusal("POST", Headers({**here, "origin": "https://evil.example"})).status
        403
    """
    if method in SAFE_METHODS:
        return None
    refused = Refusal(403, "the request comes from another site's page; use this server's own pages or the API")
    origin = headers.get("origin")
    if origin is None:
        return None if headers.get("sec-fetch-site", "none") in ("same-origin", "none") else refused
    parts = urlsplit(origin)
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    here = _HOST.fullmatch(headers.get("host", ""))
    there = _HOST.fullmatch(parts.netloc)
    if usual is None or here is None or there is None:
        return refused
    same = here[1].lower() == there[1].lower() and int(here[2] or usual) == int(there[2] or usual)
    return None if same else refused


def has_token(request: Request, settings: Settings) -> bool:
    """Whether a request shows the token, in its Authorization header or by the session cookie."""
    kind, _, shown = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and settings.is_token(shown.strip()):
        return True
    return settings.is_cookie(request.cookies.get(settings.cookie_name, ""))


class Guard:
    """ASGI middleware that lets only those requests through that may ask."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check one request, then pass it on."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        refusal = host_refusal(request.headers.get("host"), self.settings)
        refusal = refusal or origin_refusal(request.method, request.headers)
        if refusal is not None:
            await answer(request, refusal.status, refusal.sentence, refusal.headers)(scope, receive, send)
        elif self._is_open(request) or has_token(request, self.settings):
            await self.app(scope, receive, send)
        else:
            await self._ask(request, scope, receive, send)

    def _is_open(self, request: Request) -> bool:
        return self.settings.token is None or request.url.path.startswith(OPEN_PATHS)

    async def _ask(self, request: Request, scope: Scope, receive: Receive, send: Send) -> None:
        if "authorization" in request.headers:
            await asyncio.sleep(WRONG_TOKEN_DELAY)
        path = request.url.path
        if path.startswith("/api/") or request.method not in SAFE_METHODS:
            response = answer(
                request,
                401,
                "a token is needed: send it as 'Authorization: Bearer TOKEN', or log in at /login",
                {"WWW-Authenticate": "Bearer"},
            )
            await response(scope, receive, send)
            return
        wanted = path + (f"?{request.url.query}" if request.url.query else "")
        login = "/login" if wanted == "/" else f"/login?next={quote(wanted, safe='')}"
        await RedirectResponse(login, 303)(scope, receive, send)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
