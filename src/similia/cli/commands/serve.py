"""``similia serve``: open collections in a browser and over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from similia.cli.help import Command, new_app

app = new_app()

EXAMPLES = """\
similia serve papers
similia serve papers --port 8080 --read-only"""


@app.command(cls=Command, epilog=EXAMPLES)
def serve(
    collections: Annotated[
        list[Path], typer.Argument(metavar="COLLECTION", help="One collection, or several.", show_default=False)
    ],
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="Where to listen; 0.0.0.0 lets other machines in.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65_535, help="Which port; 0 takes a free one.")] = 8765,
    token: Annotated[
        str | None,
        typer.Option(
            "--token",
            metavar="TEXT",
            envvar="SIMILIA_TOKEN",
            help="What clients must show; made and printed where other machines can reach the server.",
            show_default=False,
        ),
    ] = None,
    read_only: Annotated[bool, typer.Option("--read-only", help="Nothing can be added or changed.")] = False,
    max_body: Annotated[
        int | None, typer.Option("--max-body", metavar="BYTES", min=1, help="Largest upload. [default: 256 MiB]")
    ] = None,
    max_k: Annotated[
        int | None, typer.Option("--max-k", min=1, help="Most results of one search. [default: 1000]")
    ] = None,
    names: Annotated[
        list[str] | None, typer.Option("--name", metavar="HOST", help="A further host name to answer to.")
    ] = None,
) -> None:
    """Open collections in a browser and over HTTP, until Ctrl-C.

    Only this machine can reach the server unless --host says otherwise, and then clients need a token.
    """
    from similia.serve import run

    run(
        collections, host=host, port=port, token=token, allow_upload=not read_only, max_body=max_body, max_k=max_k,
        hosts=names or (),
    )  # fmt: skip
