"""The server: an address, a token where one is needed, a line that says so, and a graceful stop."""

from __future__ import annotations

import secrets
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

import uvicorn

from similia.errors import InputError, SimiliaError
from similia.serve.app import create_app
from similia.serve.guard import is_loopback
from similia.serve.shelf import Served

GRACE = 15
"""Seconds that requests under way have to be answered when the server is told to stop."""

PORT = 8765


class AddressTaken(SimiliaError):
    """Another program listens at the address, or this machine does not have it."""

    exit_code = 1


@dataclass(frozen=True)
class Ready:
    """Where a server that has started can be reached.

    Examples:
        >>> print(Ready("127.0.0.1", 8765, None))
        http://127.0.0.1:8765/
        >>> Ready("::", 80, "t" * 12).login
        'http://localhost:80/login#tttttttttttt'
    """

    host: str
    port: int
    token: str | None

    @property
    def url(self) -> str:
        """Address for a browser on this machine, or for another one if the host is named."""
        host = "localhost" if self.host in ("0.0.0.0", "::", "") else self.host  # noqa: S104 - recognised, not bound
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}/"

    @property
    def login(self) -> str:
        """Address that logs in: what follows the # is read by the page and never sent in a request line."""
        return self.url if self.token is None else f"{self.url}login#{self.token}"

    def __str__(self) -> str:
        return self.url


def announce(ready: Ready) -> None:
    """Say where the server is: ``ready URL`` on the first line, for programs, then what people need."""
    lines = [f"ready {ready.url}"]
    if ready.token is not None:
        lines += [f"token {ready.token}", f"open {ready.login}"]
    if sys.stdout.isatty():
        lines.append("Ctrl-C ends it.")
    print("\n".join(lines), flush=True)


def run(
    collections: Served | Iterable[Served],
    *,
    host: str = "127.0.0.1",
    port: int = PORT,
    token: str | None = None,
    allow_upload: bool = True,
    max_body: int | None = None,
    max_k: int | None = None,
    hosts: Iterable[str] = (),
    on_ready: Callable[[Ready], None] = announce,
) -> None:
    """Serve collections until SIGINT, SIGTERM or the end of the process.

    Requests under way are answered, an upload stops after its batch and can be gone on with.

    Args:
        collections: collections, or their folders.
        host: address to listen at. One that other machines can reach makes a token necessary.
        port: 0 takes a free one.
        token: what clients must show; made here where one is needed and none is given.
        allow_upload: False makes the server read-only.
        max_body: largest upload in bytes (256 MiB).
        max_k: most results of one search (1,000).
        hosts: further host names to answer to.
        on_ready: called once connections are accepted; by default `announce`.

    Raises:
        AddressTaken: the address cannot be listened at.
        CollectionNotFound: a folder is no collection.
        InputError: a setting that cannot be used.
    """
    if token is None and not is_loopback(host):
        token = secrets.token_urlsafe(24)
    app = create_app(collections, token=token, allow_upload=allow_upload, max_body=max_body, max_k=max_k, hosts=hosts)
    try:
        listener = _listen(host, port)
    except BaseException:
        app.state.context.shelf.close()
        raise
    ready = Ready(host, listener.getsockname()[1], token)
    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=256,
        timeout_keep_alive=10,
        timeout_graceful_shutdown=GRACE,
    )
    with listener:
        _Server(config, lambda: on_ready(ready)).run(sockets=[listener])


class _Server(uvicorn.Server):
    """Uvicorn's server, which says when it is ready, and ends without an error when it is asked to."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at SIGINT and SIGTERM; unlike uvicorn's own, do not raise them again once all is answered."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def stop(number: int, frame: FrameType | None) -> None:
            self.handle_exit(number, frame)

        before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _listen(host: str, port: int) -> socket.socket:
    if not 0 <= port <= 65_535:
        raise InputError(f"port is {port}; it must be from 0 (any free one) to 65535")
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise AddressTaken(f"the host {host!r} is not an address of this machine ({error.strerror})") from None
    try:
        if sys.platform != "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(place)
        listener.listen(256)
    except OSError as error:
        listener.close()
        raise AddressTaken(
            f"cannot listen at {host} port {port} ({error.strerror}); choose another with --port, or 0 for a free one"
        ) from None
    return listener
