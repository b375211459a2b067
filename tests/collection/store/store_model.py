"""A plain dictionary that behaves as the store promises to, and random commands for both.

A command is a list of steps; each step is one transaction. The same command is given to the store and to the model.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np

from similia.collection.store import Change, Store
from similia.collection.store.schema import widen

DIMENSION = 6
WORDS = ["asymmetric", "similarity", "copy", "detection", "graph", "neural", "cable", "charger", "été", "漢字"]
TYPES = {"title": "text", "area": "category", "year": "integer", "score": "number", "open": "boolean", "day": "date"}
WIDER = [
    ("year", "number"),
    ("score", "text"),
    ("day", "datetime"),
    ("day", "json"),
    ("area", "text"),
    ("open", "json"),
]
SENSES = ("topic", "method", "looks")


def vector(sense: str, salt: int, key: str) -> np.ndarray:
    seed = [ord(letter) for letter in f"{sense}/{salt}/{key}"]
    return np.random.default_rng(seed).normal(size=DIMENSION).astype(np.float32)


def vectors(sense: str, salt: int, keys: list[str]) -> np.ndarray:
    return np.array([vector(sense, salt, key) for key in keys], np.float32).reshape(-1, DIMENSION)


@dataclass
class Model:
    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    senses: dict[str, dict[str, int]] = field(default_factory=dict)
    """sense -> key -> the salt that its vector was made with"""
    ready: set[str] = field(default_factory=set)
    fields: dict[str, str] = field(default_factory=dict)
    before: Model | None = None
    """the state that an undo goes back to"""
    unfinished: tuple[int, list[dict[str, Any]], int] | None = None
    """a command that was interrupted: its number, its steps, how many are done"""
    commands: int = 0

    def begin(self) -> None:
        """Called with the first step of a command."""
        self.before = None
        past = copy.deepcopy(self)
        past.unfinished = None
        self.before = past

    def undo(self) -> None:
        past = self.before
        assert past is not None
        self.items, self.senses, self.ready, self.fields = past.items, past.senses, past.ready, past.fields
        self.before = self.unfinished = None

    def apply(self, step: dict[str, Any]) -> None:
        kind = step["kind"]
        if kind == "put":
            self.declare({name: TYPES[name] for record in step["records"] for name in record})
            for key, record in zip(step["keys"], step["records"], strict=True):
                if key in self.items and step["on_duplicate"] == "skip":
                    continue
                self.items[key] = record
                for sense in self.senses.values():
                    sense[key] = step["salt"]
        elif kind == "put_fields":
            for key, value in zip(step["keys"], step["values"], strict=True):
                self.items[key] = {**self.items[key], step["field"]: value}
            self.declare({step["field"]: TYPES[step["field"]]})
        elif kind == "delete":
            for key in step["keys"]:
                del self.items[key]
                for sense in self.senses.values():
                    sense.pop(key, None)
        elif kind == "create":
            self.senses[step["sense"]] = {}
            if not self.items:
                self.ready.add(step["sense"])
        elif kind == "fill":
            self.senses[step["sense"]] |= dict.fromkeys(step["keys"], step["salt"])
        elif kind == "finish":
            self.ready.add(step["sense"])
        elif kind == "drop":
            del self.senses[step["sense"]]
            self.ready.discard(step["sense"])
        elif kind == "widen":
            self.declare(step["types"])

    def declare(self, types: dict[str, str]) -> None:
        self.fields |= {name: widen(self.fields.get(name, kind), kind) for name, kind in types.items()}


def write(store: Store, change: Change, step: dict[str, Any]) -> None:
    """Do one step in the store, inside a transaction."""
    kind = step["kind"]
    if kind == "put":
        change.set_fields({name: TYPES[name] for record in step["records"] for name in record})
        given = {name: vectors(name, step["salt"], step["keys"]) for name in store.senses()}
        change.put(step["keys"], step["records"], vectors=given, on_duplicate=step["on_duplicate"])
    elif kind == "put_fields":
        change.set_fields({step["field"]: TYPES[step["field"]]})
        change.put_fields(store.ids(step["keys"]), {step["field"]: step["values"]})
    elif kind == "delete":
        change.delete(store.ids(step["keys"]))
    elif kind == "create":
        change.create_sense(
            step["sense"], {"about": step["sense"]}, fingerprint="f", dimension=DIMENSION, precision="float32"
        )
    elif kind == "fill":
        change.put_vectors(step["sense"], store.ids(step["keys"]), vectors(step["sense"], step["salt"], step["keys"]))
    elif kind == "finish":
        change.finish_sense(step["sense"])
    elif kind == "drop":
        change.drop_sense(step["sense"])
    elif kind == "widen":
        change.set_fields(step["types"])


def plan(model: Model, random: Random, kinds: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """Return the steps of a random command that fits the state."""
    keys = sorted(model.items)
    possible = ["add", "add", "upsert", "skip"]
    if keys:
        possible += ["delete", "put_fields", "upsert"]
    if model.before is not None:
        possible += ["undo"] * 3
    if model.fields:
        possible += ["widen"]
    free = [name for name in SENSES if name not in model.senses]
    if free:
        possible += ["sense", "sense"]
    if model.senses:
        possible += ["drop"]
    kind = random.choice([name for name in possible if not kinds or name in kinds] or possible)
    salt = random.randrange(1_000_000)
    if kind in ("add", "upsert", "skip"):
        steps = []
        fresh = [key for number in range(40) if (key := f"{salt}-{number}") not in model.items]
        for _ in range(random.randint(1, 4)):
            chosen = [fresh.pop() for _ in range(random.randint(0 if kind == "upsert" else 1, 6)) if fresh]
            if kind != "add":
                chosen += random.sample(keys, min(len(keys), random.randint(1, 6)))
                random.shuffle(chosen)
            on_duplicate = {"add": "error", "upsert": "replace", "skip": "skip"}[kind]
            records = [_record(random) for _ in chosen]
            steps.append(
                {"kind": "put", "keys": chosen, "records": records, "on_duplicate": on_duplicate, "salt": salt}
            )
        return steps
    if kind == "delete":
        chosen = random.sample(keys, random.randint(1, max(1, len(keys) // 2)))
        half = len(chosen) // 2
        return [{"kind": "delete", "keys": part} for part in (chosen[:half], chosen[half:]) if part]
    if kind == "put_fields":
        chosen = random.sample(keys, random.randint(1, len(keys)))
        return [{"kind": "put_fields", "keys": chosen, "field": "area", "values": random.choices(WORDS, k=len(chosen))}]
    if kind == "sense":
        name = random.choice(free)
        steps = [{"kind": "create", "sense": name}]
        for start in range(0, len(keys), 8):
            steps.append({"kind": "fill", "sense": name, "keys": keys[start : start + 8], "salt": salt})
        return [*steps, {"kind": "finish", "sense": name}]
    if kind == "widen":
        return [{"kind": "widen", "types": dict(random.sample(WIDER, 2))}, *plan(model, random, ("upsert",))]
    if kind == "drop":
        return [{"kind": "drop", "sense": random.choice(sorted(model.senses))}]
    return [{"kind": "undo"}]


def _record(random: Random) -> dict[str, Any]:
    record: dict[str, Any] = {"title": " ".join(random.choices(WORDS, k=random.randint(0, 12)))}
    if random.random() < 0.5:
        record["year"] = random.choice([1969, 2024, -1, 2**63, None])
    if random.random() < 0.5:
        record["score"] = random.choice([0.5, -0.0, math.inf, None, 3])
    if random.random() < 0.3:
        record |= {"open": random.random() < 0.5, "day": "1931-05-07", "area": random.choice(WORDS)}
    return record


def run(
    store: Store,
    number: int,
    steps: list[dict[str, Any]],
    *,
    done: int = 0,
    said: Any = lambda *_: None,
    fail_after: int | None = None,
) -> None:
    """Give a command to the store, from step ``done`` on; ``said`` hears of every step that is committed."""
    if steps[0]["kind"] == "undo":
        store.undo()
        said(number, 1)
        return
    with store.change(f"command {number}", {"steps": len(steps)}, resume_key=str(number)) as change:
        assert change.resumed == (done > 0)
        assert change.progress == ({"done": done} if done else {})
        for place in range(done, len(steps)):
            if place == fail_after:
                raise Interrupted
            with change.transaction():
                write(store, change, steps[place])
                change.set_progress({"done": place + 1})
            said(number, place + 1)


class Interrupted(Exception):
    """Raised inside a change."""


def states(model: Model, number: int, steps: list[dict[str, Any]], done: int = 0) -> list[Model]:
    """Return the model as it is after each further step: [now, after one step, ...]."""
    found = [copy.deepcopy(model)]
    for place in range(done, len(steps)):
        after = copy.deepcopy(found[-1])
        if steps[place]["kind"] == "undo":
            after.undo()
        else:
            if place == 0:
                after.begin()
            after.apply(steps[place])
            after.unfinished = (number, steps, place + 1)
        found.append(after)
    return found


def difference(store: Store, model: Model) -> str:
    """Say what differs between store and model; "" if nothing does."""
    with store.snapshot():
        found = {key: record for _, keys, records in store.iterate() for key, record in zip(keys, records, strict=True)}
        if found != model.items:
            return f"items: {sorted(found.keys() ^ model.items.keys())}, or their records"
        if store.count() != len(model.items):
            return "count"
        senses = store.senses()
        if senses.keys() != model.senses.keys():
            return f"senses: {list(senses)} for {list(model.senses)}"
        for name, salts in model.senses.items():
            if (senses[name].state == "ready") != (name in model.ready):
                return f"sense {name} is {senses[name].state}"
            ids, there = store.vectors(name)
            keys = store.keys(ids)
            if set(keys) != salts.keys() or senses[name].count != len(salts):
                return f"sense {name}: vectors of {sorted(set(keys) ^ salts.keys())}"
            wanted = [vector(name, salts[key], key) for key in keys]
            if keys and not np.array_equal(there, np.array(wanted)):
                return f"sense {name}: other vectors"
        if {name: found.type for name, found in store.fields().items()} != model.fields:
            return f"fields: {store.fields()} for {model.fields}"
        for word in WORDS[:4]:
            hits = store.text_search(word, max(1, len(model.items)))
            got = set(store.keys(hits.ids[hits.ids >= 0]))
            if got != {key for key, record in model.items.items() if word in (record.get("title") or "").split()} | {
                key for key, record in model.items.items() if record.get("area") == word
            }:
                return f"full text of {word}"
    return ""
