"""Excision score: a repair is judged only where it, the reference or the original differ.

HumanEvalFix: 164 buggy Python functions with their repairs and tests. Predictions are made up (nothing done, the right
repair, renamed variables, unused lines, one-token mutants of both) and run with the tests in limited processes; a
measure is as good as its scores correlate with passing. They are no model outputs, so the paper's margins over SARI are
not claimed. Context is three unrelated functions. The quick sample takes 15 tasks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from similia.atlas.candidates import candidates
from similia.atlas.registry import Settings, SystemInfo
from similia.atlas.result import Claim, claim
from similia.atlas.sandbox import all_passes
from similia.evaluate import datasets, pearson
from similia.measure.edits import bleu, code_tokens, edit_ratio, excise, excision_score, sari
from similia.progress import bar

INFO = SystemInfo(
    number=44,
    name="Excision Score",
    title="Compares two revisions of a text only where they, or the original, differ",
    paper="Gruzinov, Sycheva, Barr and Bezzubov, Excision Score: Evaluating Edits with Surgical Precision "
    "(arXiv 2510.21537, 2025)",
    status="complete; the scoring of what remains is this project's reading of the abstract",
    rooms=("measure", "evaluate"),
    claims=(
        "Shared context does not change the score",
        "Doing nothing scores 0",
        "It follows test results better than BLEU and edit ratio do",
        "With context it follows them better than SARI does",
        "Without context it is level with SARI on made-up predictions",
    ),
    data=("humanevalpack",),
)
Tokens = list[str]
MEASURES: Mapping[str, Callable[[Tokens, Tokens, Tokens], float]] = {
    "excision score": excision_score,
    "excision score, by region": lambda o, a, b: excision_score(o, a, b, scope="region"),
    "excised edit ratio": excise(edit_ratio),
    "SARI": sari,
    "SARI, 0/0 = 1": lambda o, a, b: sari(o, a, b, empty=1.0),
    "BLEU": lambda o, a, b: bleu(a, b),
    "edit ratio": lambda o, a, b: edit_ratio(a, b),
}


class Case(NamedTuple):
    """One prediction for one task, as tokens."""

    task: int
    kind: str
    origin: Tokens
    reference: Tokens
    prediction: Tokens


def run(settings: Settings) -> list[Claim]:
    """See the module."""
    tasks = list(datasets.records("humanevalpack"))[: 15 if settings.quick else None]
    random = np.random.default_rng(settings.seed)
    cases, programs = [], []
    for number, task in enumerate(tasks):
        origin, reference = (code_tokens(task["declaration"] + task[f"{k}_solution"]) for k in ("buggy", "canonical"))
        for made in candidates(task, random):
            cases.append(Case(number, made.kind, origin, reference, code_tokens(made.code)))
            programs.append(f"{made.code}\n{task['test']}\n")
    with bar("running predictions", len(programs), show=settings.progress) as shown:
        passed = []
        for ended_well in all_passes(programs):
            passed.append(float(ended_well))
            shown.advance()
    outcome = np.array(passed)
    context = [code_tokens(task["declaration"] + task["canonical_solution"]) for task in tasks]
    alone = scores(cases)
    before = scores([prepended(case, context) for case in cases])
    return [
        invariance(cases, context, alone, before),
        doing_nothing(cases, alone),
        *correlations(cases, outcome, alone, before),
    ]


def scores(cases: Sequence[Case]) -> dict[str, npt.NDArray[np.float64]]:
    """Each measure of each case."""
    return {
        name: np.array([measure(case.origin, case.reference, case.prediction) for case in cases])
        for name, measure in MEASURES.items()
    }


def prepended(case: Case, context: Sequence[Tokens]) -> Case:
    """The case after three functions of other tasks."""
    unrelated = [token for step in (1, 2, 3) for token in context[(case.task + step) % len(context)]]
    return case._replace(
        origin=unrelated + case.origin,
        reference=unrelated + case.reference,
        prediction=unrelated + case.prediction,
    )


def invariance(
    cases: Sequence[Case],
    context: Sequence[Tokens],
    alone: Mapping[str, npt.NDArray[np.float64]],
    before: Mapping[str, npt.NDArray[np.float64]],
) -> Claim:
    """Claim 1: context before the edit, and between the edits of two functions."""
    shift = {name: np.abs(before[name] - alone[name]) for name in MEASURES}
    pairs = [(a, b) for a, b in zip(cases, cases[len(cases) // 2 :], strict=False) if a.task != b.task]
    joined: list[Case] = []
    split: list[Case] = []
    for a, b in pairs:
        unrelated = [token for step in (1, 2, 3) for token in context[(b.task + step) % len(context)]]
        joined.append(a._replace(**{side: getattr(a, side) + getattr(b, side) for side in Case._fields[2:]}))
        split.append(a._replace(**{side: getattr(a, side) + unrelated + getattr(b, side) for side in Case._fields[2:]}))
    middle = {
        name: np.abs(x - y).mean() for (name, x), y in zip(scores(joined).items(), scores(split).values(), strict=True)
    }
    ours = "excision score"
    return claim(
        1,
        INFO.claims[0],
        "change of the score <= 1e-9 with context before, and <= .02 in the mean with context between two edits",
        bool(shift[ours].max() <= 1e-9 and middle[ours] <= 0.02),
        measured={
            "largest change, context before": shift[ours].max(),
            "mean change, context between": middle[ours],
        },
        baseline={
            f"{name}, mean change, context {place}": values[name]
            for place, values in (("before", {n: s.mean() for n, s in shift.items()}), ("between", middle))
            for name in ("SARI", "BLEU", "edit ratio")
        },
        note=f"{len(cases):,} predictions, {len(pairs):,} pairs of them",
    )


def doing_nothing(cases: Sequence[Case], alone: Mapping[str, npt.NDArray[np.float64]]) -> Claim:
    """Claim 2."""
    idle = np.array([case.kind == "no-op" and case.origin != case.reference for case in cases])
    return claim(
        2,
        INFO.claims[1],
        "the score of the unchanged original is 0 wherever the reference changes a token",
        bool(alone["excision score"][idle].max() == 0),
        measured={"excision score, largest": alone["excision score"][idle].max()},
        baseline={f"{name}, mean": alone[name][idle].mean() for name in ("SARI", "BLEU", "edit ratio")},
    )


def correlations(
    cases: Sequence[Case],
    outcome: npt.NDArray[np.float64],
    alone: Mapping[str, npt.NDArray[np.float64]],
    before: Mapping[str, npt.NDArray[np.float64]],
) -> list[Claim]:
    """Claims 3 to 5."""
    other = np.array([case.kind != "gold" for case in cases])
    plain = {name: pearson(alone[name], outcome) for name in MEASURES}
    within = {name: pearson(before[name], outcome) for name in MEASURES}
    no_gold = {name: pearson(alone[name][other], outcome[other]) for name in MEASURES}
    ours = "excision score"
    mine = [name for name in MEASURES if name.startswith("exci")]
    return [
        claim(
            3,
            INFO.claims[2],
            "Pearson correlation with passing at least .25 above BLEU and above edit ratio",
            plain[ours] - max(plain["BLEU"], plain["edit ratio"]) >= 0.25,
            measured={
                **{name: plain[name] for name in mine},
                **{f"{name}, without the gold repairs": no_gold[name] for name in mine},
            },
            baseline={
                **{name: plain[name] for name in ("BLEU", "edit ratio")},
                **{f"{name}, without the gold repairs": no_gold[name] for name in ("BLEU", "edit ratio")},
            },
            note=f"{len(cases):,} predictions, {outcome.mean():.0%} pass",
        ),
        claim(
            4,
            INFO.claims[3],
            "with context before, Pearson correlation at least .08 above SARI",
            within[ours] - within["SARI"] >= 0.08,
            measured={name: within[name] for name in mine},
            baseline={name: within[name] for name in ("SARI", "SARI, 0/0 = 1", "BLEU", "edit ratio")},
            note="0/0 counts as 0 in the authors' SARI and as 1 in a version that many use; the former is judged",
        ),
        claim(
            5,
            INFO.claims[4],
            "without context, Pearson correlation not more than .03 below SARI",
            plain[ours] - plain["SARI"] >= -0.03,
            measured={ours: plain[ours], f"{ours}, without the gold repairs": no_gold[ours]},
            baseline={
                **{name: plain[name] for name in ("SARI", "SARI, 0/0 = 1")},
                "SARI, without the gold repairs": no_gold["SARI"],
            },
        ),
    ]
