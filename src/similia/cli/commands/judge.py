"""``similia judge``: say how well items answer a query, and keep it with the collection."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from similia.cli import console, options, output
from similia.cli.faults import say
from similia.cli.help import Command, new_app
from similia.cli.text import counted, one_line
from similia.errors import InputError

if TYPE_CHECKING:
    from similia.collection import Collection, Hit, Results
    from similia.collection.judging_session import JudgingSession

app = new_app()

EXAMPLES = """\
similia judge papers "finding copies" --item p1 --item p2 --grade 3
similia judge papers "cats" --item p3 --grade 0 --note "none in it"
similia judge papers --export judged.csv
similia judge papers --file judged.csv
similia judge papers "cats" --list
similia judge papers "cats" --item p3 --remove"""

PROMPT = "0-3 grade, s skip, u undo, q quit"
SKIP = ("s", "\r", "\n", " ")
QUIT = ("q", "", "\x04")


class Unknown(StrEnum):
    """What to do with judgments about items that are not in the collection."""

    ERROR = "error"
    SKIP = "skip"
    KEEP = "keep"


@app.command(cls=Command, epilog=EXAMPLES)
def judge(
    collection: options.CollectionName,
    query: Annotated[str | None, typer.Argument(metavar="QUERY", help="The text that is asked.")] = None,
    like: Annotated[
        str | None, typer.Option("--like", metavar="KEY", help="Ask for what is like this item, instead of a QUERY.")
    ] = None,
    items: Annotated[
        list[str] | None, typer.Option("--item", metavar="KEY", help="The item to judge; may be given again.")
    ] = None,
    grade: Annotated[
        float | None,
        typer.Option("--grade", metavar="NUMBER", help="How well it answers: 0 not at all, more is better."),
    ] = None,
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="Anything to remember.", show_default=False)] = "",
    sense: Annotated[
        str | None, typer.Option("--sense", metavar="NAME", help="The sense in which this holds. [default: any]")
    ] = None,
    file: Annotated[
        str | None,
        typer.Option(
            "--file", metavar="FILE", help="Store the judgments of a TREC, CSV, TSV or JSONL file, or BEIR folder."
        ),
    ] = None,
    queries: Annotated[
        str | None,
        typer.Option("--queries", metavar="FILE", help="The texts of the queries, where --file names them by id."),
    ] = None,
    unknown: Annotated[
        Unknown, typer.Option("--unknown", help="What to do where an item is not in the collection.")
    ] = Unknown.ERROR,
    listing: Annotated[bool, typer.Option("--list", help="List the judgments.")] = False,
    export: Annotated[
        str | None, typer.Option("--export", metavar="FILE", help="Write them to a .qrels, .csv, .tsv or .jsonl file.")
    ] = None,
    remove: Annotated[
        bool, typer.Option("--remove", help="Remove judgments: of the QUERY, of --item, in --sense.")
    ] = False,
    where: options.Where = None,
    k: Annotated[int, typer.Option("-k", min=1, max=10_000, help="How many results to go through.")] = 10,
    form: options.Output = None,
    wait: options.Wait = 30.0,
) -> None:
    """Say how well items answer a query, and keep it with the collection.

    With only a QUERY, on a terminal: goes through the results one by one and reads a key for each. Every key is stored
    at once; similia undo takes all of them back. The latest judgment of an item counts. One whose item is deleted is
    kept, and counts again when an item with the same key is added.
    """
    from similia.collection import Collection

    _check(query, like, items, grade, file, listing, export, remove)
    with Collection.open(collection, wait=wait) as opened:
        judgments = opened.judgments
        if listing:
            _list(opened, query, like, form)
        elif export is not None:
            _export(opened, Path(export), sense)
        elif remove:
            count = judgments.remove(query, items, like=like, sense=sense)
            left = len(judgments)
            say(f"Removed {counted(count, 'judgment')}; {left:,} left. Bring back with: similia undo {collection}")
        elif file is not None:
            console.err().print(judgments.add_file(file, queries=queries, sense=sense, unknown=unknown.value))
        elif items:
            rows = [{"query": query, "like": like, "item": key, "grade": grade, "note": note} for key in items]
            console.err().print(judgments.add_many(rows, sense=sense, unknown=unknown.value))
        else:
            if not sys.stdin.isatty():
                raise InputError(
                    "there is no terminal to read grades from; give --item KEY --grade NUMBER, or --file FILE"
                )
            _go_through(opened, query, like, sense, where, k, collection)


def _check(
    query: str | None,
    like: str | None,
    items: list[str] | None,
    grade: float | None,
    file: str | None,
    listing: bool,
    export: str | None,
    remove: bool,
) -> None:
    """Refuse what does not go together.

    Raises:
        InputError: two things to do at once, or half of one.
    """
    todo = {"--list": listing, "--export": export is not None, "--remove": remove, "--file": file is not None}
    chosen = [name for name, wanted in todo.items() if wanted]
    if len(chosen) > 1:
        raise InputError(f"{' and '.join(chosen)} cannot be done at once; give one of them")
    if query is not None and like is not None:
        raise InputError("QUERY and --like both say what is asked; give one of them")
    if grade is not None and (chosen or not items):
        raise InputError(
            "--grade is for the items that are named: give --item KEY --grade NUMBER, and nothing else to do"
        )
    if chosen in (["--file"], ["--export"]) and (query is not None or like is not None or items):
        raise InputError(f"{chosen[0]} is about all queries: leave out QUERY, --like and --item")
    if not chosen and query is None and like is None:
        raise InputError(
            'there is nothing to judge for: give a QUERY, as in similia judge papers "cats", or --like KEY'
        )
    if not chosen and items and grade is None:
        raise InputError("--item needs --grade NUMBER: 0 for no answer, more is better")


def _list(opened: Collection, query: str | None, like: str | None, form: options.Format | None) -> None:
    from similia.collection.judging import as_dict, sheet
    from similia.collection.showing import rich_sheets

    asked = like if query is None else query.strip()
    kept = [one for one in opened.judgments if asked is None or (one.query == asked and one.like == (like is not None))]
    rows = [as_dict(one) for one in kept]
    if not output.write(rows, rows, form):
        gone = set(opened.judgments.missing())
        console.out().print(rich_sheets([sheet(kept, sum(one in gone for one in kept))]))


def _export(opened: Collection, target: Path, sense: str | None) -> None:
    from similia.collection.judging_input import beside
    from similia.evaluate.formats.files import plain_suffix
    from similia.evaluate.formats.judgments import SUFFIXES

    count = opened.judgments.export(target, sense=sense)
    say(f"Wrote {counted(count, 'judgment')} to {target}.")
    if plain_suffix(target) in SUFFIXES:
        say(f"The texts of the queries are in {beside(target)}.")
        if left := len(opened.judgments) - count:
            say(f"{counted(left, 'judgment')} left out: TREC has one grade for a text and an item, and no clicks.")


def _go_through(
    opened: Collection, query: str | None, like: str | None, sense: str | None, where: str | None, k: int, name: Path
) -> None:
    """Show the results one by one, and store what is said of each."""
    results = opened.search(query, like=like, sense=sense or "topic", where=where, k=k)
    if not len(results):
        say("Nothing found.")
        return
    with opened.judgments.session(query, like=like, sense=sense) as session:
        count = _session(results, session)
    if count:
        say(f"Judged {counted(count)}. Take back with: similia undo {name}")
    else:
        say("Nothing was judged.")


def _session(results: Results, session: JudgingSession) -> int:
    """Read a key for each result; returns how many are judged."""
    judged: dict[str, float] = {}
    place = 0
    while place < len(results):
        hit = results[place]
        _show(hit, results, session.grades().get(hit.key))
        key = _key()
        if key in QUIT:
            break
        if key in SKIP:
            place += 1
        elif key == "u":
            item = session.take_back()
            if item is None:
                say("  There is nothing to undo.")
            else:
                judged.pop(item, None)
                place = results.keys.index(item)
        elif key in ("0", "1", "2", "3"):
            session.judge(hit.key, int(key))
            judged[hit.key] = int(key)
            place += 1
        else:
            say(f"  {one_line(key)!r} means nothing here.")
    return len(judged)


def _show(hit: Hit, results: Results, grade: float | None) -> None:
    from rich.text import Text

    screen = console.err()
    head = Text.assemble(
        (f"{hit.rank} of {results.offset + len(results)}  ", "dim"), (one_line(hit.key, 60), "bold cyan")
    )
    screen.print(head)
    order = dict.fromkeys([*results.shown, *results.fields])
    texts = [hit.item.get(name) for name in order if results.fields.get(name) == "text"]
    for text in [text for text in texts if isinstance(text, str) and text.strip() and text != hit.key][:2]:
        screen.print(Text("  " + one_line(text, max(2 * screen.width - 8, 20))))
    now = "" if grade is None else f" [now {grade:g}]"
    print(f"  {PROMPT}{now}: ", end="", file=sys.stderr, flush=True)


def _key() -> str:
    """One key from the terminal, shown as it is pressed; "" where there is no more input."""
    import os
    import select
    import termios
    import tty

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    try:
        tty.setcbreak(terminal)
        pressed = os.read(terminal, 1)
        if pressed >= b"\x7f" or pressed == b"\x1b":  # the first byte of a letter or of an arrow: the rest is there too
            pressed += os.read(terminal, 15) if select.select([terminal], [], [], 0)[0] else b""
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
    key = pressed.decode("utf-8", "replace")
    say(one_line(key))
    return key
