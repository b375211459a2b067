"""How much may be asked: bodies are counted as they arrive, whatever their Content-Length says."""

from __future__ import annotations

import asyncio
import errno
import logging
import secrets

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from similia.serve.faults import answer
from similia.serve.settings import MAX_JSON, Settings

BODY_PATIENCE = 60.0
"""Seconds without a byte after which a body that is still due is given up."""

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not "no-referrer": browsers would then send "Origin: null" with our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "private, no-cache",
}

_log = logging.getLogger("similia.serve")


class _BodyRefusedError(Exception):
    """Ends the reading of a body that is too large or too slow."""


class SecureHeaders:
    """ASGI middleware that gives every answer `HEADERS`, unless it has its own."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, and add to its answer."""

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message.get("headers", [])}
                extra = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
                message = {
                    **message,
                    "headers": [*message.get("headers", []), *(pair for pair in extra if pair[0] not in given)],
                }
            await send(message)

        await self.app(scope, receive, dressed if scope["type"] == "http" else send)


class BodyLimit:
    """ASGI middleware that stops a body at its limit: ``max_body`` for uploads, ``MAX_JSON`` for all others."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, counting."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        limit = self._limit(request)
        declared = request.headers.get("content-length", "0")
        refused: tuple[int, str] | None = None
        too_large = 413, f"the body is larger than {_size(limit)}, the limit here"
        if not declared.isdecimal() or int(declared) > limit:
            refused = too_large if declared.isdecimal() else (400, "the Content-Length header is not a number")
            await answer(request, *refused, {"Connection": "close"})(scope, receive, send)
            return
        seen, complete, started = 0, False, False

        async def counted() -> Message:
            nonlocal seen, complete, refused
            if complete:
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), BODY_PATIENCE)
            except TimeoutError:
                refused = 408, f"no part of the body came for {BODY_PATIENCE:.0f} seconds"
                raise _BodyRefusedError from None
            seen += len(message.get("body", b""))
            complete = message["type"] != "http.request" or not message.get("more_body", False)
            if seen > limit:
                refused = too_large
                raise _BodyRefusedError
            return message

        async def watched(message: Message) -> None:
            nonlocal started
            if refused is None or started:  # what the application makes of a refused body is not sent
                started = True
                await send(message)

        try:
            await self.app(scope, counted, watched)
        except Exception:
            if refused is None:
                raise
        if refused is not None and not started:
            await answer(request, *refused, {"Connection": "close"})(scope, receive, send)

    def _limit(self, request: Request) -> int:
        return self.settings.max_body if request.url.path.endswith(("/uploads", "/upload")) else MAX_JSON


class LastResort:
    """ASGI middleware that turns what nobody expected into one sentence and a line in the server's log."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, and answer for it if it fails."""
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except _BodyRefusedError:
            raise
        except Exception as error:
            if scope["type"] != "http" or started:
                raise
            if isinstance(error, OSError) and error.errno == errno.ENOSPC:
                status, sentence = 507, "the disk of the server is full; nothing of this request was stored"
            else:
                reference = secrets.token_hex(4)
                _log.exception("request failed, reference %s", reference)
                status, sentence = 500, f"something went wrong here; the server's log tells more under {reference}"
            await answer(Request(scope), status, sentence)(scope, receive, send)


def _size(count: int) -> str:
    """``count`` bytes in words.

    Examples:
        >>> _size(4 * 1024 * 1024), _size(2000)
        ('4 MiB', '2,000 bytes')
    """
    return f"{count // 2**20:,} MiB" if count >= 2**20 else f"{count:,} bytes"
