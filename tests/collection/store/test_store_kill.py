"""kill -9 at random moments: nothing that was acknowledged is lost, nothing is half done, and the work can go on.

A process gives random commands to a collection (add, upsert, delete, set fields, create and drop senses, widen types,
undo) and says so after each commit; it is killed; the collection must then be as after the last step that it spoke of,
or one further. The next process goes on with the command that was cut short, or begins another one.
The rounds are 50, or what the environment variable SIMILIA_KILL_ROUNDS says.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

import apsw
import pytest
import store_model as sm

from similia.collection.store import Store

ROUNDS = int(os.environ.get("SIMILIA_KILL_ROUNDS", "50"))


def work(folder: Path, model: sm.Model, seed: int, resume: bool, speak: Connection) -> None:
    """Give random commands without end."""
    store = Store.open(folder)
    random = Random(seed)
    speak.send(("ready", 0, 0))
    while True:
        if resume and model.unfinished is not None:
            number, steps, done = model.unfinished
        else:
            model.commands += 1
            number, steps, done = model.commands, sm.plan(model, random), 0
        speak.send(("begin", number, (steps, done)))
        sm.run(store, number, steps, done=done, said=lambda *step: speak.send(("step", *step)))
        model = sm.states(model, number, steps, done)[-1]
        model.unfinished = None
        speak.send(("end", number, None))


def open_change(folder: Path, model: sm.Model) -> str:
    """Say what differs between the last change of the log and the command that was cut short; "" if nothing does."""
    db = apsw.Connection(str(folder / "collection.db"))
    last = db.execute("SELECT command, state, progress FROM changes ORDER BY number DESC LIMIT 1").fetchone()
    db.close()
    if model.unfinished is None:
        return "" if last is None or last[1] != "open" else f"{last} is open"
    number, steps, done = model.unfinished
    right = last[0] == f"command {number}" and json.loads(last[2]) == {"done": done}
    return "" if right and (last[1] == "open" or done == len(steps)) else f"{last} instead of step {done} of {number}"


@pytest.mark.slow
@pytest.mark.timeout(60 + 5 * ROUNDS)
def test_a_killed_writer_loses_nothing(tmp_path: Path) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["numpy", "apsw", "similia.collection.store.store", "store_model"])
    folder = tmp_path / "c"
    Store.create(folder).close()
    model = sm.Model()
    random = Random(int(os.environ.get("SIMILIA_SEED", "20250")))
    killed: Counter[str] = Counter()
    resumed = acknowledged = unspoken = 0
    for round_ in range(ROUNDS):
        if len(model.items) > 300:
            model = sm.Model(commands=model.commands)
            folder = tmp_path / f"c{round_}"
            Store.create(folder).close()
        resume = random.random() < 0.6
        hear, speak = context.Pipe(duplex=False)
        worker = context.Process(target=work, args=(folder, model, random.randrange(2**32), resume, speak))
        worker.start()
        speak.close()
        assert hear.recv()[0] == "ready"
        resumed += resume and model.unfinished is not None
        # Let it speak some times, then kill it somewhere in what it does next, however fast the machine is.
        said = []
        begun = time.monotonic()
        for _ in range(random.choice([0, 1, 1, 2, 2, 3, 4, 6, 9])):
            said.append(hear.recv())
        pace = (time.monotonic() - begun) / len(said) if said else 0.02
        time.sleep(random.uniform(0, 2 * pace))
        worker.kill()
        worker.join()
        assert worker.exitcode == -9, "the worker failed before it was killed"

        # Replay what it spoke of.
        kind, allowed = "between commands", [model]
        while hear.poll():
            try:
                said.append(hear.recv())
            except EOFError:
                break
        for what, number, detail in said:
            if what == "begin":
                steps, done = detail
                model.commands = number
                further = sm.states(model, number, steps, done)
                allowed = further[:2]
                kind = steps[0]["kind"] if done == 0 else f"resumed {steps[0]['kind']}"
            elif what == "step":
                acknowledged += 1
                model, allowed = allowed[1], further[detail - done : detail - done + 2]
            else:
                model.unfinished = None
                kind, allowed = "between commands", [model]
        hear.close()
        killed[kind] += 1

        with Store.open(folder) as store:
            differences = [sm.difference(store, state) or open_change(folder, state) for state in allowed]
            assert "" in differences, (round_, kind, differences)
            place = differences.index("")
            unspoken += place
            model = allowed[place]
            report = store.check(mend=False)
            assert report.ok, (round_, kind, report)
            if store.log(1) and store.log(1)[0].state != "open":
                model.unfinished = None  # its last step was done, and it closed before it was killed
    print(f"\n{ROUNDS} rounds, {acknowledged} acknowledged steps, {unspoken} committed and not acknowledged, "
          f"{resumed} commands resumed; killed in {dict(killed)}")  # fmt: skip
    assert acknowledged >= ROUNDS // 4
