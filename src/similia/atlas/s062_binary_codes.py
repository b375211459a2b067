"""Binary paragraph vectors and disambiguated skip-gram: codes of documents and senses of words, learnt from text alone.

Codes: abstracts of cs.CL, cs.AI, cs.IR, cs.LG and cs.HC, at most 1,000 each, told apart by their first category; 400
are queries. The means of 3 seeds, each with its own sample. The settings of each layer were chosen by MAP on another
sample of these papers. Senses: 1,200 cs.IR abstracts and the first 160 words of 1,200 medical answers, in which 40
pairs of words are written as one; 3 seeds. The quick sample takes 60 papers a category, 40 queries, 32 bits, 160 texts
and one seed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from similia.atlas.itq import IterativeQuantisation
from similia.atlas.lsa import LatentSemanticAnalysis
from similia.atlas.pseudowords import judged_senses, merged, sentences
from similia.atlas.registry import Settings, SystemInfo
from similia.atlas.result import Claim, claim
from similia.encode.paragraphs import BinaryParagraphVector, DocumentCodes, Layer
from similia.encode.wordsenses import DisambiguatedSkipGram
from similia.evaluate import datasets
from similia.evaluate.metrics import average_precision
from similia.index import ExactIndex, HammingIndex
from similia.types import Bytes, Int64

INFO = SystemInfo(
    number=62,
    name="Binary Paragraph Vector and Disambiguated Skip-gram",
    title="Binary codes of documents and several vectors a word, both learnt end to end from raw text",
    paper="Grzegorczyk and Kurdziel, Binary Paragraph Vectors (RepL4NLP 2017, arXiv 1611.01116), and Disambiguated "
    "skip-gram model (EMNLP 2018, D18-1174)",
    status="partial: binary PV-DM, the word sense sets of SemEval and word similarity are not run",
    rooms=("encode", "index", "evaluate"),
    claims=(
        "Learnt codes find more than codes rounded from paragraph vectors",
        "They lose less from 128 to 32 bits",
        "Short codes choose, long vectors rank: little is lost and little is looked at",
        "Rounding in training beats rounding after it",
        "All bits are used",
        "The chosen sense tells the two words of a pseudo-word apart",
        "Without the drawn choice or without the reward of entropy senses are worse",
        "Pruning leaves one or two senses of usual words and two or more of pseudo-words",
        "Codes that were learnt on computing papers sort medical answers",
    ),
    data=("papers", "papers_ir", "medquad"),
    encoder=False,
)
AREAS = ("cs.CL", "cs.AI", "cs.IR", "cs.LG", "cs.HC")
SEEDS = 3
SHORT, REAL = 28, 100
"""Bits and length of the real-binary form; published with 300."""
RADIUS = 2
PAIRS = 40
WORDS = 160
"""Of a medical answer that are read."""
SENSES, LENGTH = 3, 50
RATE = 0.02
"""Adam's steps; 0.001, as for large corpora, would leave the rarer words where they start."""


@dataclass(frozen=True)
class Sizes:
    """How much is taken."""

    papers: int
    queries: int
    bits: tuple[int, int]
    texts: int
    seeds: int
    answers: int


FULL = Sizes(papers=1_000, queries=400, bits=(128, 32), texts=1_200, seeds=SEEDS, answers=1_200)
QUICK = Sizes(papers=60, queries=40, bits=(32, 16), texts=80, seeds=1, answers=80)


def run(settings: Settings) -> list[Claim]:
    """See the module."""
    sizes = QUICK if settings.quick else FULL
    seeds = range(settings.seed, settings.seed + sizes.seeds)
    codes = [measure_codes(sizes, seed, transfer=seed == settings.seed, settings=settings) for seed in seeds]
    found = {name: float(np.mean([row[name] for row in codes if name in row])) for name in codes[0]}
    senses = [measure_senses(sizes, seed, variants=seed == settings.seed, progress=settings.progress) for seed in seeds]
    first = senses[0]
    mean = {name: float(np.mean([row[name] for row in senses if name in row])) for name in first}
    lowest = [row["ARI"] for row in senses]
    long, short = sizes.bits
    return [
        better(found, long),
        shorter(found, long, short),
        two_stages(found),
        trained(found, long),
        used(found, long),
        told_apart(mean, lowest),
        needed(first),
        pruned(mean),
        transfers(codes[0]),
    ]


# -- documents


@dataclass(frozen=True)
class Documents:
    """Texts and areas of what is learnt from and of the queries."""

    texts: list[str]
    areas: Int64
    queries: list[str]
    wanted: Int64


def documents(sizes: Sizes, seed: int) -> Documents:
    """At most so many papers of each area, in a random order."""
    random = np.random.default_rng([seed, 62])
    papers = [paper for name in INFO.data[:2] for paper in datasets.records(name) if paper["primary"] in AREAS]
    area = np.array([AREAS.index(paper["primary"]) for paper in papers])
    chosen = np.concatenate([random.permutation(np.flatnonzero(area == a))[: sizes.papers] for a in range(len(AREAS))])
    chosen = random.permutation(chosen)
    texts = [f"{papers[i]['title']}\n{papers[i]['abstract']}" for i in chosen]
    asked = sizes.queries
    return Documents(texts[asked:], area[chosen[asked:]], texts[:asked], area[chosen[:asked]])


def measure_codes(sizes: Sizes, seed: int, *, transfer: bool, settings: Settings) -> dict[str, float]:
    """MAP and precision@10 of each kind of code, by name and bits; and what claims 3 and 5 need."""
    data = documents(sizes, seed)
    random = np.random.default_rng([seed, 1])
    lsa = LatentSemanticAnalysis(sizes.bits[0], seed=seed).fit(data.texts)
    items, queries = lsa.encode(data.texts), lsa.encode(data.queries)
    found: dict[str, float] = {}

    def judge(name: str, own: Bytes, asked: Bytes) -> None:
        found.update(judged(name, ranked_by_bits(own, asked), data))

    def learn(bits: int, layer: Layer, real: int | None = None) -> tuple[BinaryParagraphVector, DocumentCodes]:
        model = BinaryParagraphVector(bits, layer=layer, real=real, seed=seed, progress=settings.progress)
        return model, model.fit(data.texts).encode(data.queries)

    found.update(judged("cosine of TF-IDF-SVD", ExactIndex(items).search(queries, len(items)).ids, data))
    for bits in sizes.bits:
        judge(
            f"random {bits}", *(random.integers(0, 256, (n, bits // 8), np.uint8) for n in map(len, (items, queries)))
        )
        itq = IterativeQuantisation(bits, seed=seed).fit(items)
        judge(f"TF-IDF-SVD + ITQ {bits}", itq.encode(items), itq.encode(queries))
        plain, asked = learn(bits, "linear")
        own = plain.documents_
        middle = np.median(own.vectors, axis=0)
        judge(
            f"PV + sign {bits}", np.packbits(own.vectors > middle, axis=1), np.packbits(asked.vectors > middle, axis=1)
        )
        planes = random.normal(size=(bits, bits))
        sides = [np.packbits(each.vectors @ planes > 0, axis=1) for each in (own, asked)]
        judge(f"PV + hyperplanes {bits}", sides[0], sides[1])
        binary, asked = learn(bits, "straight-through")
        judge(f"BPV {bits}", binary.documents_.codes.codes, asked.codes.codes)
        found[f"bits used {bits}"] = share_used(binary.documents_)
        if bits == sizes.bits[0]:
            after, late = learn(bits, "sigmoid")
            judge(f"rounded after {bits}", after.documents_.codes.codes, late.codes.codes)
            if transfer:
                found.update(transferred(binary, sizes.answers, random))
    model, asked = learn(SHORT, "straight-through", REAL)
    found.update(in_two_stages(model.documents_, asked, data))
    return found


def ranked_by_bits(items: Bytes, queries: Bytes) -> Int64:
    """All items by the number of bits that differ; the order of the items, which decides ties, is already random."""
    return HammingIndex(items).search(queries, len(items)).ids


def judged(name: str, ranked: Int64, data: Documents) -> dict[str, float]:
    """MAP over all items and precision@10 of rankings (q, n)."""
    right = (data.areas[ranked] == data.wanted[:, None]).astype(np.float64)
    return {f"MAP, {name}": average_precision(right, right).mean(), f"P@10, {name}": right[:, :10].mean()}


def share_used(codes: DocumentCodes) -> float:
    """The share of the bits that are set for 10 % to 90 % of the documents."""
    bits = np.unpackbits(codes.codes.codes[codes.valid], axis=1).mean(axis=0)
    return float(((bits >= 0.1) & (bits <= 0.9)).mean())


def in_two_stages(own: DocumentCodes, asked: DocumentCodes, data: Documents) -> dict[str, float]:
    """Precision@10 by cosine over all, and over those whose code differs in at most 2 bits."""
    index = ExactIndex(own.vectors)
    near = HammingIndex(own.codes).range(asked.codes, RADIUS)
    inside = np.zeros((len(asked), len(own)), bool)
    inside[near.left, near.right] = True
    inside &= own.valid
    chosen = np.vstack([index.search(asked.vectors[[q]], 10, where=inside[q]).ids for q in range(len(asked))])
    whole = index.search(asked.vectors, 10).ids
    hit = (data.areas[whole] == data.wanted[:, None]) & (whole >= 0)
    right = (data.areas[np.where(chosen >= 0, chosen, 0)] == data.wanted[:, None]) & (chosen >= 0)
    return {
        "P@10, radius 2": float(right.mean()),
        "P@10, all": float(hit.mean()),
        "share looked at": float(inside.mean()),
        "share of queries with fewer than 10": float((chosen < 0).any(axis=1).mean()),
    }


def transferred(model: BinaryParagraphVector, count: int, random: np.random.Generator) -> dict[str, float]:
    """MAP of medical answers by their site, with codes learnt from computing papers."""
    medical = datasets.retrieval("medquad")
    picked = random.choice(len(medical.documents), count, replace=False)
    codes = model.encode([medical.documents[i] for i in picked])
    sites = np.unique([medical.document_ids[i].split("/")[0] for i in picked], return_inverse=True)[1]
    sites, bits = sites[codes.valid], codes.codes.codes[codes.valid]
    asked = min(200, len(bits) // 4)
    data = Documents([], sites[asked:], [], sites[:asked])
    chance = random.permutation(bits[asked:])
    return {
        **judged("answers", ranked_by_bits(bits[asked:], bits[:asked]), data),
        **judged("answers, shuffled codes", ranked_by_bits(chance, bits[:asked]), data),
        "answers without a known word": float((~codes.valid).mean()),
    }


# -- words


def measure_senses(sizes: Sizes, seed: int, *, variants: bool, progress: bool | None) -> dict[str, float]:
    """ARI over pseudo-words, of the model and of K-means, and how many senses are left."""
    random = np.random.default_rng([seed, 2])
    papers = [f"{paper['title']} {paper['abstract']}" for paper in datasets.records("papers_ir")]
    answers = [text for text in datasets.retrieval("medquad").documents if len(text.split()) > 60]
    texts = [papers[i] for i in random.permutation(len(papers))[: sizes.texts]]
    texts += [" ".join(answers[i].split()[:WORDS]) for i in random.permutation(len(answers))[: sizes.texts]]
    plain = sentences(texts)
    given, made = merged(plain, PAIRS, seed)
    found: dict[str, float] = {}
    kinds: dict[str, dict[str, bool | float | int]] = {"": {}}
    if variants:
        kinds |= {
            ", no draw": {"relaxed": False},
            ", no reward": {"entropy": 0.0},
            ", no pre-training": {"pretrain": 0},
        }
    for name, options in kinds.items():
        model = DisambiguatedSkipGram(SENSES, LENGTH, rate=RATE, seed=seed, progress=progress, **options)  # type: ignore[arg-type]
        model.fit(given)
        found.update({key + name: value for key, value in judged_senses(model, plain, given, made, seed).items()})
    return found


# -- claims


def shown(values: Mapping[str, float], *parts: str) -> dict[str, float]:
    """The numbers whose name has one of the parts."""
    return {name: value for name, value in values.items() if any(part in name for part in parts)}


def better(found: Mapping[str, float], bits: int) -> Claim:
    """Claim 1."""
    own, planes, sign = (found[f"MAP, {name} {bits}"] for name in ("BPV", "PV + hyperplanes", "PV + sign"))
    return claim(
        1,
        INFO.claims[0],
        f"MAP of {bits} bits >= 1.1 times that of paragraph vectors by hyperplanes, and >= that by sign",
        own >= 1.1 * planes and own >= sign,
        measured=shown(found, f"BPV {bits}"),
        baseline=shown(found, *(f"{n} {bits}" for n in ("hyperplanes", "sign", "ITQ", "random")), "cosine"),
        note="ties are broken by the random order of the documents",
    )


def shorter(found: Mapping[str, float], long: int, short: int) -> Claim:
    """Claim 2."""
    names = ("BPV", "PV + hyperplanes", "PV + sign", "TF-IDF-SVD + ITQ")
    lost = {name: 1 - found[f"MAP, {name} {short}"] / found[f"MAP, {name} {long}"] for name in names}
    return claim(
        2,
        INFO.claims[1],
        f"share of MAP lost from {long} to {short} bits below that of each baseline",
        all(lost["BPV"] < lost[name] for name in names[1:]),
        measured={"lost, BPV": lost["BPV"], **shown(found, f"BPV {short}")},
        baseline={
            **{f"lost, {name}": lost[name] for name in names[1:]},
            **shown(found, *(f"{name} {short}" for name in names[1:])),
        },
        note="below 0 where fewer bits find more: they hold the areas and not the papers",
    )


def two_stages(found: Mapping[str, float]) -> Claim:
    """Claim 3."""
    return claim(
        3,
        INFO.claims[2],
        f"P@10 by cosine among codes of {SHORT} bits within {RADIUS} >= .9 of that among all; <= .2 of them looked at",
        found["P@10, radius 2"] >= 0.9 * found["P@10, all"] and found["share looked at"] <= 0.2,
        measured=shown(found, "radius 2", "looked at", "fewer than 10"),
        baseline=shown(found, "P@10, all"),
        note=f"rows of {REAL} values; a place that is not filled counts as wrong",
    )


def trained(found: Mapping[str, float], bits: int) -> Claim:
    """Claim 4."""
    return claim(
        4,
        INFO.claims[3],
        f"MAP of {bits} bits above that of the same model with sigmoids, rounded at the end",
        found[f"MAP, BPV {bits}"] > found[f"MAP, rounded after {bits}"],
        measured=shown(found, f"BPV {bits}"),
        baseline=shown(found, "rounded after"),
    )


def used(found: Mapping[str, float], bits: int) -> Claim:
    """Claim 5."""
    return claim(
        5,
        INFO.claims[4],
        "at least .8 of the bits are set for 10 % to 90 % of the documents",
        found[f"bits used {bits}"] >= 0.8,
        measured=shown(found, "bits used"),
    )


def told_apart(found: Mapping[str, float], by_seed: Sequence[float]) -> Claim:
    """Claim 6."""
    return claim(
        6,
        INFO.claims[5],
        "adjusted Rand index of the likeliest sense and the true word >= .4, in the mean over words and seeds",
        found["ARI"] >= 0.4,
        measured={"ARI": found["ARI"], "ARI, lowest seed": min(by_seed), "ARI, highest seed": max(by_seed)},
        baseline={name: found[name] for name in ("ARI, K-means 3", "ARI, K-means 2")},
        note="K-means groups the same context vectors of the same model, told how many groups there are",
    )


def needed(found: Mapping[str, float]) -> Claim:
    """Claim 7: worse by .02 at least, or collapsed: priors of less than half the entropy."""
    spread = "entropy of priors, share of log K"
    worse = {
        name: found[f"ARI, {name}"] <= found["ARI"] - 0.02 or found[f"{spread}, {name}"] < 0.5
        for name in ("no draw", "no reward")
    }
    names = ("ARI", spread, "senses of usual words")
    return claim(
        7,
        INFO.claims[6],
        "without the draw, and without the reward, ARI lower by .02 or priors of less than half the highest entropy",
        all(worse.values()),
        measured={name: found[name] for name in names},
        baseline={
            f"{n}, {kind}": found[f"{n}, {kind}"] for kind in ("no draw", "no reward", "no pre-training") for n in names
        },
        note="one seed",
    )


def pruned(found: Mapping[str, float]) -> Claim:
    """Claim 8."""
    return claim(
        8,
        INFO.claims[7],
        "senses with a prior of .05 or more: between 1 and 2 in the mean of usual words, 2 or more of pseudo-words",
        1 <= found["senses of usual words"] <= 2 <= found["senses of pseudo-words"],
        measured={name: found[name] for name in ("senses of usual words", "senses of pseudo-words")},
        note=f"of {SENSES} that there can be",
    )


def transfers(found: Mapping[str, float]) -> Claim:
    """Claim 9."""
    return claim(
        9,
        INFO.claims[8],
        "MAP of medical answers by their site more than twice that of shuffled codes",
        found["MAP, answers"] > 2 * found["MAP, answers, shuffled codes"],
        measured={name: found[name] for name in ("MAP, answers", "P@10, answers", "answers without a known word")},
        baseline={name: found[f"{name}, answers, shuffled codes"] for name in ("MAP", "P@10")},
        note="one seed; nine sites, two of which hold two thirds of the answers",
    )
