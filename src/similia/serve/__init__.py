"""The collection in a browser and over HTTP.

`create_app` makes a FastAPI application of one or more collections: pages at ``/``, a JSON API at ``/api/v1``
with an OpenAPI document. `run` serves it until it is told to stop. Only this machine can reach it unless a host
is named, and then a token is needed.

    $ similia serve papers
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from similia._lazy import attach

if TYPE_CHECKING:
    from similia.serve.app import create_app as create_app
    from similia.serve.server import Ready as Ready
    from similia.serve.server import run as run
    from similia.serve.settings import Settings as Settings

__getattr__, __dir__, __all__ = attach(
    __name__, {"Ready": ".server", "Settings": ".settings", "create_app": ".app", "run": ".server"}
)
