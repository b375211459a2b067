"""The application: pages, API, static files, and the guards around them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.staticfiles import StaticFiles

from similia import __version__
from similia.serve import faults
from similia.serve.api import changing, judging, models, reading
from similia.serve.context import Context
from similia.serve.guard import Guard
from similia.serve.limits import BodyLimit, LastResort, SecureHeaders
from similia.serve.pages import browsing, entering
from similia.serve.pages import judging as judging_pages
from similia.serve.render import STATIC
from similia.serve.settings import Settings
from similia.serve.shelf import Served, Shelf
from similia.serve.uploads import Uploads

DESCRIPTION = """Finds what is alike, in the sense you mean.

Scores are higher for what is more similar. Errors are `{"detail": "one sentence"}`. Where the server asks for a token,
send it as `Authorization: Bearer TOKEN`."""

PROBLEMS: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": models.Problem, "description": "what is wrong with the request"},
    "5XX": {"model": models.Problem, "description": "what the server could not do; 503 says when to try again"},
}


def create_app(
    collections: Served | Iterable[Served],
    *,
    token: str | None = None,
    allow_upload: bool = True,
    max_body: int | None = None,
    max_k: int | None = None,
    hosts: Iterable[str] = (),
) -> FastAPI:
    """Make an ASGI application that shows one or more collections.

    Without a token it answers only to the names of this machine itself, whatever address it is bound to.

    Args:
        collections: collections, or their folders; folders are closed when the application stops.
        token: what clients must show, at least 12 visible ASCII characters.
        allow_upload: False makes it read-only.
        max_body: largest upload in bytes (256 MiB).
        max_k: most results of one search (1,000).
        hosts: further host names to answer to, for instance behind a proxy.

    Raises:
        CollectionNotFound: a folder is no collection.
        InputError: a setting that cannot be used.

    Examples:
        >>> from fastapi.testclient import TestClient
        >>> import similia, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     papers = similia.Collection.open(f"{folder}/papers", create=True)
        ...     report = papers.add([{"id": "a", "title": "Fusing rankings"}], key="id", encoder="hashing")
        ...     with papers, TestClient(create_app(papers), base_url="http://localhost") as client:
        ...         found = client.get("/api/v1/collections/papers/search?q=rankings").json()
        >>> [hit["key"] for hit in found["hits"]]
        ['a']
    """
    settings = Settings.of(token=token, allow_upload=allow_upload, max_body=max_body, max_k=max_k, hosts=hosts)
    shelf = Shelf(collections)
    uploads = Uploads(shelf)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        if await run_in_threadpool(uploads.close):
            shelf.close()

    app = FastAPI(
        title="Similia",
        version=__version__,
        description=DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        openapi_url="/api/v1/openapi.json",
        docs_url=None,  # the usual pages load scripts from elsewhere
        redoc_url=None,
        lifespan=lifespan,
        redirect_slashes=False,  # such a redirect would repeat the Host that a client sent
        # Versions of FastAPI that can report to OpenTelemetry must not; others take no notice of it.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.state.context = Context(settings, shelf, uploads)
    faults.install(app)
    for routes in (reading.router, changing.router, judging.router):
        app.include_router(routes, prefix="/api/v1", tags=["Similia"], responses=PROBLEMS)
    app.include_router(entering.router, include_in_schema=False)
    app.include_router(browsing.router, include_in_schema=False)
    app.include_router(judging_pages.router, include_in_schema=False)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    # The last one added is the first one to see a request.
    app.add_middleware(LastResort)
    app.add_middleware(BodyLimit, settings=settings)
    app.add_middleware(Guard, settings=settings)
    app.add_middleware(SecureHeaders)
    if token is not None:
        _describe_token(app)
    return app


def _describe_token(app: FastAPI) -> None:
    document = app.openapi()  # made once and kept by the application
    document.setdefault("components", {})["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"token": []}]
