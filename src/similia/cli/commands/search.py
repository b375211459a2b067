"""``similia search``: find items by meaning, by words, or like another item."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from typing import Annotated

import typer

from similia.cli import options, output
from similia.cli.help import Command, new_app
from similia.errors import InputError

app = new_app()

EXAMPLES = """\
similia search papers "finding copies of images"
similia search papers "copy detection" --where "year >= 2020" -k 3
similia search papers --like p1 --sense topic
similia search papers "for images" --like p1 --unlike p2
similia search papers "cheese sandwich" --min-relevance 0.5
similia search papers "cats" --mode text --explain
similia search papers "cats" --fields title,year --format csv"""


class Mode(StrEnum):
    """Which views are asked: meaning, words, or both."""

    HYBRID = "hybrid"
    DENSE = "dense"
    TEXT = "text"


@app.command(cls=Command, epilog=EXAMPLES)
def search(
    collection: options.CollectionName,
    query: Annotated[
        str | None, typer.Argument(metavar="QUERY", help="What to look for; - reads it from standard input.")
    ] = None,
    like: Annotated[
        list[str] | None,
        typer.Option("--like", metavar="KEY", help="Look for what is like this item; alone, again, or with a QUERY."),
    ] = None,
    unlike: Annotated[
        list[str] | None, typer.Option("--unlike", metavar="KEY", help="And not like this one; may be given again.")
    ] = None,
    sense: options.Sense = "topic",
    mode: Annotated[Mode, typer.Option("--mode", help="By meaning (dense), by words (text), or both.")] = Mode.HYBRID,
    where: options.Where = None,
    k: Annotated[int, typer.Option("-k", min=1, max=10_000, help="How many results.")] = 10,
    offset: Annotated[int, typer.Option("--offset", min=0, help="How many results to pass over.")] = 0,
    page: Annotated[int, typer.Option("--page", min=1, help="Which page of K results.")] = 1,
    least: Annotated[
        float | None,
        typer.Option(
            "--min-relevance",
            metavar="P",
            min=0,
            max=1,
            help="Leave out what is relevant with a lower probability; all, where there is nothing on the query.",
        ),
    ] = None,
    rerank: Annotated[
        str | None,
        typer.Option(
            "--rerank",
            metavar="JUDGE",
            help="Let a model read the first hits: pair:FOLDER, pair:hub:OWNER/NAME, chat:ADDRESS#MODEL, local:FOLDER.",
        ),
    ] = None,
    top: Annotated[int, typer.Option("--rerank-top", min=1, max=10_000, help="How many hits it reads.")] = 20,
    evidence: Annotated[
        int, typer.Option("--evidence", metavar="N", min=0, max=100, help="Show N sentences that speak for each hit.")
    ] = 0,
    fields: Annotated[
        str | None, typer.Option("--fields", metavar="NAMES", help="The fields to show, as in title,year.")
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show rank and score in each view, weights, filter, time and evidence.")
    ] = False,
    form: options.Output = None,
) -> None:
    """Find items by meaning, by words, or like another item.

    Words that are put in and items to be like are looked for together; --min-relevance learns from the judgments that
    similia judge keeps. A filter compares fields: year >= 2020 AND area IN ('cs.CL', 'cs.LG') AND title LIKE '%copy%'.

    As json: an object with query, sense, mode, where, k, offset, total, seconds, weights, note and results, each with
    rank, key, score, item, and ranks and scores by view (dense, text); presence, stages, and relevance and evidence of
    each where they were asked for. As jsonl and csv: one flat row a result with
    _rank, _key, _score, _dense_rank, _dense_score, _text_rank, _text_score and the fields of the item.
    """
    # One query does not keep several threads of BLAS busy, and those that wait spin: a fifth of this process's time.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from similia.cli import hits
    from similia.collection import Collection
    from similia.collection.naming import field_names

    if query == "-":
        query = sys.stdin.read().strip()
    if page > 1 and offset:
        raise InputError("--page and --offset both say where to begin; give one of them")
    if query is None and not like:
        raise InputError(
            'there is nothing to look for: give a QUERY, as in similia search papers "cats", or --like KEY'
        )
    with Collection.open(collection) as opened:
        results = opened.search(
            query,
            like=like or None,
            unlike=unlike or None,
            sense=sense,
            mode=mode.value,
            where=where,
            k=k,
            offset=offset or (page - 1) * k,
            min_relevance=least,
            rerank=rerank,
            rerank_top=top,
            evidence=max(evidence, int(explain)),
        )
        shown = field_names(fields, opened.fields) if fields is not None else None
    if not output.write(hits.as_json(results, shown), hits.as_rows(results, shown), form):
        hits.show(results, shown, explain=explain)
