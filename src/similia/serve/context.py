"""What the routes of one server share, and how they ask for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Path
from starlette.requests import Request

from similia.collection import Collection
from similia.errors import SimiliaError
from similia.serve.memory import Memory
from similia.serve.settings import Settings
from similia.serve.shelf import Shelf
from similia.serve.uploads import Uploads


class ReadOnlyError(SimiliaError):
    """A change was asked of a server that shows only."""


@dataclass(frozen=True)
class Context:
    """Settings, collections and uploads of one server, and a few answers that it keeps."""

    settings: Settings
    shelf: Shelf
    uploads: Uploads
    facets: Memory = field(default_factory=lambda: Memory(512))
    maps: Memory = field(default_factory=lambda: Memory(8))


def _context(request: Request) -> Context:
    found: Context = request.app.state.context
    return found


Here = Annotated[Context, Depends(_context)]
Name = Annotated[str, Path(description="name of a collection", max_length=255)]


def _collection(name: Name, here: Here) -> Collection:
    return here.shelf[name]


Chosen = Annotated[Collection, Depends(_collection)]


def check_writable(here: Here) -> None:
    """Refuse a change where the server is read-only."""
    if not here.settings.allow_upload:
        raise ReadOnlyError("this server was started read-only: nothing can be added or changed")


Writable = Depends(check_writable)
