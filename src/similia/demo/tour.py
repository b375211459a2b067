"""The tour itself: gather, add, search in two senses, compare, label, find near-duplicates, draw, report."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from similia import __version__
from similia.demo import drawing, report
from similia.demo.screen import Screen, quoted
from similia.demo.story import Alike, Found, Labelled, Stage, Story
from similia.demo.subject import Gathered, Question, Subject

if TYPE_CHECKING:
    from similia.collection import Collection

SHOWN = 5  # results of a search
SUREST = 4  # items of a class that are named
PAIRS = 8  # near-duplicates that are shown
TELLING = 3.0  # inverse document frequency from which a word says something


@dataclass(frozen=True)
class Tour:
    """What every step works with: where it is, what it is about, what is found and where it is shown."""

    subject: Subject
    collection: Collection
    path: Path
    story: Story
    screen: Screen

    @contextmanager
    def timed(self, name: str) -> Iterator[Callable[[int], None]]:
        """Time a step; the block calls what it is given with the number of items that it worked on."""
        with timed(self.story, name) as done:
            yield done

    def command(self, verb: str, *words: str, **options: str | None) -> str:
        """A command line of ``similia`` on the collection of the tour; options that are None are left out."""
        parts = ["similia", verb, quoted(str(self.path)), *words]
        for name, value in options.items():
            parts += [] if value is None else [f"--{name}", quoted(value)]
        return " ".join(parts)


def take(subject: Subject, folder: Path, screen: Screen) -> Path:
    """Go through the whole tour in ``folder`` and return the path of its report.

    What an earlier run finished is used again: items that were gathered, a collection that is complete.

    Raises:
        SimiliaError: of the collection, or of what gathers the items.
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    story = Story(subject.title, "", subject.unit, subject.group_name, f"{datetime.now():%Y-%m-%d %H:%M}", __version__)
    screen.heading(subject.gathering)
    with timed(story, "gather") as done:
        gathered = subject.gather(folder)
        done(0 if gathered.reused else gathered.count)
    story.lead = gathered.lead
    screen.say(gathered.lead)
    path = folder / subject.name
    with _collection(path, gathered) as collection:
        tour = Tour(subject, collection, path, story, screen)
        _add(tour, gathered)
        _searches(tour)
        _compare(tour)
        _label(tour, folder / f"{subject.name}-classes.txt")
        _near_duplicates(tour)
        screen.heading("Draw the map and write the report")
        with timed(story, "map and plots") as done:
            story.points = drawing.points(collection, subject, story.counts)
            story.spreads = drawing.spreads(collection, subject, story.points.keys)
            done(len(collection))
    story.next_steps = _next_steps(tour)
    written = report.write(story, folder / f"{subject.name}-report.html")
    _farewell(tour, written)
    return written


@contextmanager
def timed(story: Story, name: str) -> Iterator[Callable[[int], None]]:
    """Time a step for ``story``; the block calls what it is given with the number of items that it worked on."""
    started = time.perf_counter()
    counted: list[int] = []
    yield counted.append
    story.stages.append(Stage(name, time.perf_counter() - started, sum(counted)))


def _collection(path: Path, gathered: Gathered) -> Collection:
    """The collection of the tour; one of other items or from another encoder is made anew: it is the tour's own."""
    from similia.collection import Collection
    from similia.errors import CollectionNotFound, FingerprintMismatch, InputError

    def removed() -> Collection:
        with suppress(CollectionNotFound):
            Collection.remove(path)
        return Collection.open(path, create=True)

    if not gathered.reused:
        return removed()
    collection = Collection.open(path, create=True)
    for name in collection.senses:
        try:
            collection.search("anything", sense=name, mode="dense", k=1)
        except FingerprintMismatch:
            collection.close()
            return removed()
        except InputError:  # adding it was interrupted, and goes on
            continue
    return collection


def _add(tour: Tour, gathered: Gathered) -> None:
    collection, subject, other = tour.collection, tour.subject, tour.subject.other
    tour.screen.heading("Make a collection, with two senses of alike")
    text = ",".join(subject.text)
    tour.screen.command(tour.command("add", quoted(str(gathered.path)), key=subject.key, text=text))
    with tour.timed("add, and encode for the sense topic") as done:
        if len(collection) < gathered.count:
            added = collection.add(
                str(gathered.path), key=subject.key, text=list(subject.text), schema=dict(subject.schema),
                on_duplicate="skip",
            )  # fmt: skip
            done(added.added)
    options = {"text": ",".join(other.text), "encoder": other.encoder, "about": other.about}
    tour.screen.command(tour.command("senses", "add", other.name, **options))
    with tour.timed(f"add the sense {other.name}") as done:
        if other.name not in collection.senses or collection.senses[other.name].state != "ready":
            collection.senses.add(other.name, text=list(other.text), encoder=other.encoder, about=other.about)
            done(len(collection))
    stages = [stage for stage in tour.story.stages[-2:] if stage.items]
    speed = "; ".join(f"{stage.name}: {stage.items:,} in {stage.seconds:.1f} s" for stage in stages)
    tour.screen.say(speed or f"Both were there already: {len(collection):,} items.")
    for kind, _ in collection.facets(subject.kind, limit=50):
        passing = f"{subject.kind} = '{kind}'"
        for group, count in collection.facets(subject.group, where=passing, limit=10_000):
            tour.story.counts.setdefault(str(group), {})[str(kind)] = count


def _searches(tour: Tour) -> None:
    tour.screen.heading(tour.subject.searching)
    with tour.timed("searches") as done:
        for question in tour.subject.questions:
            found = _ask(tour, question)
            if found is not None:
                tour.story.searches.append(found)
                tour.screen.found(found)
                done(1)


def _ask(tour: Tour, question: Question) -> Found | None:
    like = next((key for key in question.like if key in tour.collection), None)
    if question.query is None and like is None:
        return None
    results = tour.collection.search(
        question.query, like=like, sense=question.sense, mode=question.mode, where=question.where, k=SHOWN
    )
    command = tour.command(
        "search",
        *([quoted(question.query)] if question.query is not None else []),
        like=like,
        sense=None if question.sense == "topic" else question.sense,
        mode=None if question.mode == "hybrid" else question.mode,
        where=question.where,
    )
    field = tour.subject.other.shown if question.sense == tour.subject.other.name else None
    note = tour.subject.note
    hits = [
        {"key": hit.key, "score": hit.score, "note": str(hit.item.get(field, "")) if field else note(hit.item)}
        for hit in results
    ]
    return Found(question.why, question.sense, command, hits)


def _compare(tour: Tour) -> None:
    pair = next((pair for pair in tour.subject.pairs if all(key in tour.collection for key in pair)), None)
    if pair is None:
        return
    tour.screen.heading("Compare: in which sense are two items alike, and how much?")
    with tour.timed("comparison"):
        comparison = tour.collection.compare(*pair)
    left, right = ({"key": key, "note": tour.subject.note(tour.collection[key])} for key in pair)
    senses = {
        name: (sense.similarity, None if np.isnan(sense.percentile) else sense.percentile)
        for name, sense in comparison.senses.items()
    }
    terms = [word for word, weight in comparison.shared_terms if weight > TELLING]
    tour.story.comparison = Alike(left, right, senses, terms, tour.command("compare", *map(quoted, pair)))
    tour.screen.alike(tour.story.comparison)


def _label(tour: Tour, classes: Path) -> None:
    tour.screen.heading("Label: every item into one of a few described classes, without training")
    lines = (f"{name}: {', '.join(words)}\n" for name, words in tour.subject.classes.items())
    classes.write_text("".join(lines), encoding="utf-8")
    with tour.timed("labels") as done:
        labels = tour.collection.label(classes)
        done(len(labels))
    keys: dict[str, list[str]] = {name: [] for name in tour.subject.classes}
    for place in np.argsort(-labels.confidence, kind="stable"):
        chosen = keys[labels.labels[place]]
        if len(chosen) < SUREST:
            chosen.append(labels.keys[place])
    surest = {name: [str(item.get(tour.subject.called)) for item in tour.collection.get(keys[name])] for name in keys}
    counts = dict(sorted(labels.counts().items(), key=lambda pair: -pair[1]))
    tour.story.labels = Labelled(counts, surest, tour.command("label", quoted(str(classes))))
    tour.screen.labels(tour.story.labels)


def _near_duplicates(tour: Tour) -> None:
    subject, story = tour.subject, tour.story
    tour.screen.heading("Near-duplicates: pairs that say nearly the same")
    with tour.timed("near-duplicates") as done:
        pairs = tour.collection.near_duplicates(threshold=subject.near, limit=2_000)
        done(len(tour.collection))
    story.duplicate_command = tour.command("duplicates", threshold=str(subject.near))
    seen: set[frozenset[str]] = set()
    room = {True: PAIRS // 2, False: PAIRS - PAIRS // 2}  # word for word the same, and nearly
    for left, right, score in pairs:
        if not any(room.values()):
            break
        one, other = tour.collection.get([left, right])
        between = frozenset((str(one.get(subject.apart)), str(other.get(subject.apart))))
        same = one.get(subject.text[-1]) == other.get(subject.text[-1])
        if len(between) == 2 and between not in seen and room[same]:
            seen.add(between)
            room[same] -= 1
            story.duplicates.append({"left": left, "right": right, "score": score, "note": subject.note(one)})
    more = "" if pairs.complete else "At least "
    summary = f"{more}{len(pairs):,} pairs with a cosine of {subject.near} or more."
    tour.screen.duplicates(story.duplicates, summary, story.duplicate_command)


def _next_steps(tour: Tour) -> list[tuple[str, str]]:
    return [
        (tour.command("search", '"your own question"'), "Ask more of this collection"),
        (tour.command("serve"), "Look at it in a browser"),
        ("similia add notes ~/Documents", "Make one of your own files: text, Markdown, HTML and PDF"),
        ("similia add shop products.csv --key id --text title,description", "or of a table"),
        ('similia search notes "what I only half remember"', "and find in it"),
        ('similia senses notes add tone --about "the mood of the writer"', "in the sense that you mean"),
    ]


def _farewell(tour: Tour, written: Path) -> None:
    seconds = sum(stage.seconds for stage in tour.story.stages)
    tour.screen.say(f"Done in {seconds:.0f} s. The report, with a map to explore: {written.resolve().as_uri()}")
    tour.screen.heading("Now with your own")
    for command, what in tour.story.next_steps:
        tour.screen.say(f"{what}:")
        tour.screen.command(command)
