"""``similia evaluate``: how good searches are, by judgments, with intervals, tests and a report."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from similia.cli import console, options, output
from similia.cli.faults import INTERRUPTED, say
from similia.cli.help import Command, new_app
from similia.errors import InputError, SimiliaError

if TYPE_CHECKING:
    from similia.collection.evaluated import CollectionEvaluation
    from similia.collection.settings import Setting
    from similia.evaluate.datasets import RetrievalDataset

app = new_app()

EXAMPLES = """\
similia evaluate papers
similia evaluate papers --queries q.tsv --judgments qrels.txt
similia evaluate papers --setting dense --setting near=mode:dense,recall:1
similia evaluate papers --report report.html --save-run out.csv
similia evaluate --run out.dense.csv --run out.text.csv --judgments own.csv
similia evaluate --dataset cranfield"""


@app.command(cls=Command, epilog=EXAMPLES)
def evaluate(
    collection: Annotated[
        Path | None,
        typer.Argument(
            metavar="COLLECTION", help="Its folder; left out with --dataset, or with --run alone.", show_default=False
        ),
    ] = None,
    queries: Annotated[
        Path | None,
        typer.Option("--queries", metavar="FILE", help="Queries: id, tab, text a line; CSV, JSONL or a BEIR folder."),
    ] = None,
    judgments: Annotated[
        Path | None,
        typer.Option(
            "--judgments",
            metavar="FILE",
            help="Which items are relevant: TREC, CSV, TSV, JSONL or a BEIR folder. [default: those of the collection]",
            show_default=False,
        ),
    ] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option(
            "--setting",
            metavar="NAME=OPTIONS",
            help="A way to search, as in near=mode:dense,recall:1; may be given again, and the first is what others "
            "are tested against. [default: hybrid, dense, text]",
            show_default=False,
        ),
    ] = None,
    run: Annotated[
        list[str] | None,
        typer.Option("--run", metavar="[NAME=]FILE", help="What another system found; may be given again."),
    ] = None,
    metrics: Annotated[
        str,
        typer.Option("--metrics", metavar="NAMES", help="ndcg, ndcg_exp, map, mrr, precision, recall, each with @K."),
    ] = "ndcg@10,map,mrr,recall@100",
    k: Annotated[int, typer.Option("-k", min=1, max=10_000, help="Results a query.")] = 100,
    sense: options.Sense = "topic",
    where: options.Where = None,
    relevant_from: Annotated[
        float | None,
        typer.Option(
            "--relevant-from", metavar="GRADE", help="From which grade on an item is relevant. [default: > 0]"
        ),
    ] = None,
    drop_unknown: Annotated[
        bool,
        typer.Option("--drop-unknown", help="Leave judged items out that are not there; else they count as missed."),
    ] = False,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Only so many of the queries.")] = None,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE", help="Write a report with plots, one .html file.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE", help="Draw means and recall: .svg, .png or .pdf.")
    ] = None,
    save_run: Annotated[
        Path | None,
        typer.Option("--save-run", metavar="FILE", help="Write what was found: .run, .csv, .tsv or .jsonl."),
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option("--dataset", metavar="NAME", help="Make a collection of a public data set, and measure on it."),
    ] = None,
    keep: Annotated[
        Path | None, typer.Option("--keep", metavar="FOLDER", help="Keep the collection of --dataset there.")
    ] = None,
    encoder: options.Encoder = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of intervals and tests.")] = 0,
    form: options.Output = None,
) -> None:
    """Measure how good searches are, by judgments of which items are relevant.

    Settings are asked the same queries and set side by side: means with 95 % intervals, tests against the first, the
    queries that differ most, and where the vectors lose relevant items. Make judgments with similia judge.

    As json: everything. As jsonl and csv: one row a query and setting. Interrupted, it shows what was finished.
    """
    _check(collection, run, dataset, keep, encoder, judgments, queries, save_run)
    _check_targets(report, plot, save_run, by_text=judgments is None and dataset is None)
    how: dict[str, Any] = {
        "metrics": [name.strip() for name in metrics.split(",") if name.strip()],
        "k": k,
        "relevant_from": relevant_from,
        "limit": limit,
        "seed": seed,
    }
    runs: dict[str, Any] = _named_runs(run)
    if collection is None and dataset is None:
        from similia.collection.evaluating import evaluate_runs

        if setting or where is not None or drop_unknown:
            raise InputError("--setting, --where and --drop-unknown are about a collection: name the COLLECTION")
        assert judgments is not None
        found = evaluate_runs(runs, judgments, queries, **how)
    else:
        from similia.collection import Collection
        from similia.collection.dataset_items import fill
        from similia.collection.evaluating import evaluate_collection

        settings = _settings(setting)
        how.update(settings=settings, runs=runs, sense=sense, where=where, drop_unknown=drop_unknown)
        with ExitStack() as stack:
            if dataset is None:
                assert collection is not None
                opened = stack.enter_context(Collection.open(collection))
                found = evaluate_collection(opened, queries, judgments, **how)
            else:
                data = _dataset(dataset)
                folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory())) / data.name.replace("/", "-")
                opened = stack.enter_context(Collection.open(folder, create=True))
                fill(opened, data, encoder=encoder)
                texts = dict(zip(data.query_ids, data.queries, strict=True))
                found = replace(evaluate_collection(opened, texts, data.qrels, **how), name=data.name)
    _tell(found, form, [(report, found.write_html), (plot, found.plot), (save_run, found.write_runs)])


def _tell(
    found: CollectionEvaluation,
    form: options.Format | None,
    files: Sequence[tuple[Path | None, Callable[[Path], Path | list[Path]]]],
) -> None:
    """Show what was found and write the files; a file that cannot be written costs nothing but itself.

    Raises:
        SimiliaError, OSError: one could not be written.
        Exit: it ended before all was done.
    """
    if not output.write(found.to_dict(), found.to_dicts(), form):
        console.out().print(found)
    failed: list[Exception] = []
    for target, write in files:
        if target is not None:
            try:
                written = write(target)
                for path in written if isinstance(written, list) else [written]:
                    say(f"Wrote {path}.")
            except (SimiliaError, OSError) as error:
                failed.append(error)
    if failed:
        raise failed[0]
    if found.partial:
        say(f"similia: {found.notes[0]}")
        raise typer.Exit(INTERRUPTED if found.ended == "interrupted" else 1)


def _check(
    collection: Path | None,
    run: list[str] | None,
    dataset: str | None,
    keep: Path | None,
    encoder: str | None,
    judgments: Path | None,
    queries: Path | None,
    save_run: Path | None,
) -> None:
    """Refuse what does not go together.

    Raises:
        InputError: two things to measure on, or none.
    """
    if dataset is not None:
        if collection is not None:
            raise InputError(f"--dataset makes a collection of its own: leave {collection} out, or give --keep FOLDER")
        if judgments is not None or queries is not None:
            raise InputError("--dataset brings its own queries and judgments: leave --queries and --judgments out")
        return
    for name, given in (("--keep", keep), ("--encoder", encoder)):
        if given is not None:
            raise InputError(f"{name} is for the collection that --dataset makes: give --dataset NAME")
    if collection is not None:
        return
    if not run:
        raise InputError(
            "there is nothing to measure: name a COLLECTION, or give --dataset NAME, or --run FILE of another system"
        )
    if judgments is None:
        raise InputError("--run without a COLLECTION needs judgments: give --judgments FILE")
    if save_run is not None:
        raise InputError("--save-run writes what a COLLECTION found; without one there is nothing to write")


def _check_targets(report: Path | None, plot: Path | None, save_run: Path | None, *, by_text: bool) -> None:
    """Refuse files that could not be written, before any work is done; ``by_text``: queries are called by their texts.

    Raises:
        InputError: a suffix that does not say what to write, or a folder that is not there.
    """
    if report is not None and report.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"--report {report}: a report ends in .html")
    if plot is not None:
        from similia.evaluate.trial_plot import check_plot

        check_plot(plot)
    for name, target in (("--report", report), ("--plot", plot), ("--save-run", save_run)):
        if target is not None and (target.is_dir() or not target.parent.is_dir()):
            what = "it is a folder; name a file in it" if target.is_dir() else f"there is no folder {target.parent}"
            raise InputError(f"{name} {target}: {what}")
    if save_run is not None:
        from similia.evaluate.formats.runs import FORMATS, SUFFIXES
        from similia.evaluate.formats.tables import format_to_write

        if format_to_write(save_run, None, {**SUFFIXES, ".tsv": "tsv"}, FORMATS) == "trec" and by_text:
            raise InputError(
                f"--save-run {save_run}: the judgments of a collection call queries by their texts, which a TREC run "
                "cannot hold; write .csv or .jsonl"
            )


def _settings(given: list[str] | None) -> dict[str, Setting] | None:
    """Settings by name; a bare mode is a setting of that name.

    Raises:
        InputError: a name twice, or a setting that is none.
    """
    from similia.collection.asked import MODES
    from similia.collection.settings import Setting

    found: dict[str, Setting] = {}
    for one in given or ():
        name, equals, text = (part.strip() for part in one.partition("="))
        if not equals:
            if name not in MODES:
                raise InputError(
                    f"--setting {one}: expected NAME=OPTIONS, as in near=mode:dense, or one of " + ", ".join(MODES)
                )
            text = f"mode:{name}"
        if name in found:
            raise InputError(f"--setting {name} is given twice; call one of them otherwise")
        found[name] = Setting.parse(text)
    return found or None


def _named_runs(given: list[str] | None) -> dict[str, Path]:
    """Files by the name of the run: what stands before =, else the file's own name.

    Raises:
        InputError: a name twice.
    """
    found: dict[str, Path] = {}
    for one in given or ():
        name, equals, path = one.partition("=")
        if not equals or Path(one).exists():
            path = one
            name = Path(one).name
            while Path(name).suffix.lower() in (
                ".run",
                ".trec",
                ".res",
                ".txt",
                ".csv",
                ".tsv",
                ".jsonl",
                ".gz",
                ".xz",
                ".zst",
            ):
                name = Path(name).stem
        if name in found:
            raise InputError(f"--run {one}: two runs are called {name!r}; name them, as in --run mine={path}")
        found[name] = Path(path)
    return found


def _dataset(name: str) -> RetrievalDataset:
    """A data set of queries and judgments, ``NAME`` or ``NAME/SPLIT``.

    Raises:
        InputError: there is none of that name, or it is none of this kind.
        DatasetMissing: it is not on this machine; says how to get it.
    """
    import warnings

    from similia.collection.naming import listed, nearest
    from similia.evaluate import datasets

    base, _, split = name.partition("/")
    known = datasets.names("retrieval")
    if base not in known:
        raise InputError(
            f"--dataset {base}: not a data set with queries and judgments"
            f"{nearest(base, known) or '; there are ' + listed(known, 40)}"
        )
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", datasets.UnverifiedDataWarning)
        found = datasets.retrieval(base, split or None)
    for one in told:
        say(f"Note: {one.message}.")
    return found
