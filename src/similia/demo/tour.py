"""The tour itself: gather, add, search in two senses, compare, label, find near-duplicates, draw, report."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from similia import __version__
from similia.demo import report
from similia.demo.screen import Screen, quoted
from similia.demo.story import Alike, Found, Labelled, Points, Spread, Stage, Story
from similia.demo.subject import Gathered, Question, Subject

if TYPE_CHECKING:
    from similia.collection import Collection

SHOWN = 5  # results of a search
SUREST = 4  # items of a class that are named
PAIRS = 8  # near-duplicates that are shown
SAMPLE = 120  # items whose nearest neighbour the histogram shows
ANCHORS, OTHERS = 25, 60  # random pairs: so many items with so many others each
COLOURED = 11  # groups with a colour of their own on the map
TELLING = 3.0  # inverse document frequency from which a word says something
SEED = 0


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
    with _timed(story, "gather") as done:
        gathered = subject.gather(folder)
        done(0 if gathered.reused else gathered.count)
    story.lead = gathered.lead
    screen.say(gathered.lead)
    path = folder / subject.name
    with _collection(path, gathered) as collection:
        _add(collection, subject, gathered, path, story, screen)
        _searches(collection, subject, path, story, screen)
        _compare(collection, subject, path, story, screen)
        _label(collection, subject, folder, path, story, screen)
        _near_duplicates(collection, subject, path, story, screen)
        screen.heading("Draw the map and write the report")
        with _timed(story, "map and plots") as done:
            _points(collection, subject, story)
            _spreads(collection, subject, story)
            done(len(collection))
    story.next_steps = _next_steps(subject, path)
    written = report.write(story, folder / f"{subject.name}-report.html")
    _farewell(story, written, screen)
    return written


@contextmanager
def _timed(story: Story, name: str) -> Iterator[Any]:
    """Time a step; the block calls what it is given with the number of items that it worked on."""
    started = time.perf_counter()
    counted: list[int] = [0]
    yield lambda items: counted.__setitem__(0, items)
    story.stages.append(Stage(name, time.perf_counter() - started, counted[0]))


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


def _add(
    collection: Collection, subject: Subject, gathered: Gathered, path: Path, story: Story, screen: Screen
) -> None:
    other = subject.other
    screen.heading("Make a collection, with two senses of alike")
    screen.command(f"similia add {path} {gathered.path} --key {subject.key} --text {','.join(subject.text)}")
    with _timed(story, "add, and encode for the sense topic") as done:
        if len(collection) < gathered.count:
            added = collection.add(
                str(gathered.path), key=subject.key, text=list(subject.text), schema=dict(subject.schema),
                on_duplicate="skip",
            )  # fmt: skip
            done(added.added)
    extra = f" --encoder {other.encoder}" if other.encoder else ""
    extra += f" --about {quoted(other.about)}" if other.about else ""
    screen.command(f"similia senses {path} add {other.name} --text {','.join(other.text)}{extra}")
    with _timed(story, f"add the sense {other.name}") as done:
        if other.name not in collection.senses:
            collection.senses.add(other.name, text=list(other.text), encoder=other.encoder, about=other.about)
            done(len(collection))
    stages = [stage for stage in story.stages[-2:] if stage.items]
    speed = "; ".join(f"{stage.name}: {stage.items:,} in {stage.seconds:.1f} s" for stage in stages)
    screen.say(speed or f"Both were there already: {len(collection):,} items.")
    for kind, _ in collection.facets(subject.kind, limit=50):
        passing = f"{subject.kind} = '{kind}'"
        for group, count in collection.facets(subject.group, where=passing, limit=10_000):
            story.counts.setdefault(str(group), {})[str(kind)] = count


def _searches(collection: Collection, subject: Subject, path: Path, story: Story, screen: Screen) -> None:
    screen.heading(subject.searching)
    with _timed(story, "searches") as done:
        for question in subject.questions:
            found = _ask(collection, subject, question, path)
            if found is not None:
                story.searches.append(found)
                screen.found(found)
        done(len(story.searches))


def _ask(collection: Collection, subject: Subject, question: Question, path: Path) -> Found | None:
    like = next((key for key in question.like if key in collection), None)
    if question.query is None and like is None:
        return None
    command = f"similia search {path} " + (f"--like {quoted(like)}" if like else quoted(question.query or ""))
    command += "" if question.sense == "topic" else f" --sense {question.sense}"
    command += "" if question.mode == "hybrid" else f" --mode {question.mode}"
    command += f" --where {quoted(question.where)}" if question.where else ""
    results = collection.search(
        question.query, like=like, sense=question.sense, mode=question.mode, where=question.where, k=SHOWN
    )
    field = subject.other.shown if question.sense == subject.other.name else None
    hits = [
        {"key": hit.key, "score": hit.score, "note": str(hit.item.get(field, "")) if field else subject.note(hit.item)}
        for hit in results
    ]
    return Found(question.why, question.query or f"like {like}", question.sense, command, hits, results.seconds)


def _compare(collection: Collection, subject: Subject, path: Path, story: Story, screen: Screen) -> None:
    pair = next(((a, b) for a, b in subject.pairs if a in collection and b in collection), None)
    if pair is None:
        return
    screen.heading("Compare: in which sense are two items alike, and how much?")
    with _timed(story, "comparison"):
        comparison = collection.compare(*pair)
    sides = [{"key": key, "note": subject.note(collection[key])} for key in pair]
    senses = {
        name: (sense.similarity, None if np.isnan(sense.percentile) else sense.percentile)
        for name, sense in comparison.senses.items()
    }
    terms = [word for word, weight in comparison.shared_terms if weight > TELLING]
    command = f"similia compare {path} {quoted(pair[0])} {quoted(pair[1])}"
    story.comparison = Alike(sides[0], sides[1], senses, terms, command)
    screen.alike(story.comparison)


def _label(collection: Collection, subject: Subject, folder: Path, path: Path, story: Story, screen: Screen) -> None:
    screen.heading("Label: every item into one of a few described classes, without training")
    classes = folder / f"{subject.name}-classes.txt"
    classes.write_text(
        "".join(f"{name}: {', '.join(words)}\n" for name, words in subject.classes.items()), encoding="utf-8"
    )
    with _timed(story, "labels") as done:
        labels = collection.label(classes)
        done(len(labels))
    surest: dict[str, list[str]] = {name: [] for name in subject.classes}
    for place in np.argsort(-labels.confidence, kind="stable"):
        chosen = surest[labels.labels[place]]
        if len(chosen) < SUREST:
            chosen.append(labels.keys[place])
    for name, keys in surest.items():
        surest[name] = [
            str(item.get(subject.called, key)) for key, item in zip(keys, collection.get(keys), strict=True)
        ]
    counts = dict(sorted(labels.counts().items(), key=lambda pair: -pair[1]))
    story.labels = Labelled(counts, {name: surest[name] for name in counts}, f"similia label {path} {classes}")
    screen.labels(story.labels)


def _near_duplicates(collection: Collection, subject: Subject, path: Path, story: Story, screen: Screen) -> None:
    screen.heading("Near-duplicates: pairs that say nearly the same")
    with _timed(story, "near-duplicates") as done:
        pairs = collection.near_duplicates(threshold=subject.near, limit=2_000)
        done(len(collection))
    story.duplicate_command = f"similia duplicates {path} --threshold {subject.near}"
    seen: set[frozenset[str]] = set()
    room = {True: PAIRS // 2, False: PAIRS - PAIRS // 2}  # word for word the same, and nearly
    for left, right, score in pairs:
        if not any(room.values()):
            break
        one, other = collection.get([left, right])
        between = frozenset((str(one.get(subject.apart)), str(other.get(subject.apart))))
        same = one.get(subject.text[-1]) == other.get(subject.text[-1])
        if len(between) == 2 and between not in seen and room[same]:
            seen.add(between)
            room[same] -= 1
            story.duplicates.append({"left": left, "right": right, "score": score, "note": subject.note(one)})
    more = "" if pairs.complete else "at least "
    summary = f"{more}{len(pairs):,} pairs with a cosine of {subject.near} or more"
    screen.duplicates(story.duplicates, summary, story.duplicate_command)


def _points(collection: Collection, subject: Subject, story: Story) -> None:
    layout = collection.layout()
    notes, groups = [], []
    for start in range(0, len(layout.keys), 2_000):
        for item in collection.get(layout.keys[start : start + 2_000]):
            notes.append(subject.note(item))
            groups.append(str(item.get(subject.group, "?")))
    largest = sorted(story.counts, key=lambda name: -sum(story.counts[name].values()))
    named = largest if len(largest) <= COLOURED + 1 else [*largest[:COLOURED], "others"]
    number = {name: place for place, name in enumerate(named)}
    group = [number.get(name, len(named) - 1) for name in groups]
    story.points = Points(list(layout.keys), notes, layout.xy, group, named)


def _spreads(collection: Collection, subject: Subject, story: Story) -> None:
    """Cosines of random pairs, and of items with their nearest neighbour, in each sense."""
    rng = np.random.default_rng(SEED)
    keys = np.asarray(story.points.keys if story.points else [], dtype=object)
    if len(keys) < 2:
        return
    sample = keys[rng.choice(len(keys), min(SAMPLE, len(keys)), replace=False)]
    for name in collection.senses:
        nearest = [score for key in sample for score in collection.similar(key, sense=name, k=1).scores]
        random: list[float] = []
        for key in sample[:ANCHORS]:
            some = ", ".join("'" + str(one).replace("'", "''") + "'" for one in rng.choice(keys, OTHERS))
            random.extend(collection.similar(key, sense=name, where=f"{subject.key} IN ({some})", k=OTHERS).scores)
        story.spreads[name] = Spread(np.asarray(random, np.float32), np.asarray(nearest, np.float32))


def _next_steps(subject: Subject, path: Path) -> list[tuple[str, str]]:
    return [
        (f'similia search {path} "your own question"', "Ask more of this collection"),
        (f"similia serve {path}", "Look at it in a browser"),
        ("similia add notes ~/Documents", "Make one of your own files: text, Markdown, HTML and PDF"),
        ("similia add shop products.csv --key id --text title,description", "or of a table"),
        ('similia search notes "what I only half remember"', "and find in it"),
        ('similia senses notes add tone --about "the mood of the writer"', "in the sense that you mean"),
    ]


def _farewell(story: Story, written: Path, screen: Screen) -> None:
    seconds = sum(stage.seconds for stage in story.stages)
    screen.say(f"Done in {seconds:.0f} s. The report, with a map to explore: {written.resolve().as_uri()}")
    screen.heading("Now with your own")
    for command, what in story.next_steps:
        screen.say(f"{what}:")
        screen.command(command)
