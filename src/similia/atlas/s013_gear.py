"""GeAR: a retriever trained together with a block that reads the document for the query, and so can point into it.

Frozen token states of the default encoder; linear heads for both sides; one block of cross-attention with 4 heads; in
place of the decoder a pointer to the document tokens of the sentence that was asked for. Documents are the beginnings
of MedQuAD's answers, a query is half of the words of one of their sentences with some replaced (lists of words written
for this, no thesaurus); foci of training, validation and test are apart. How sentence scores are pooled is chosen on
validation. TREC-QA's judged sentences, those of a question as one document, are located without training on them. The
momentum teacher is not built. The quick sample takes 120 and 60 documents and one seed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from similia.atlas.registry import Settings, SystemInfo
from similia.atlas.result import Claim, claim
from similia.atlas.sentence_queries import Asked, beginnings, judged_sentences, rewritten
from similia.atlas.timing import one_thread, processor_time
from similia.atlas.token_states import token_states
from similia.atlas.vectors import encode
from similia.encode import Encoder, load
from similia.encode.base import unit
from similia.index import ExactIndex
from similia.rank import Locator
from similia.rank.fusing import CrossFusion, Localizer, PlacedTokens, place_tokens, token_spans
from similia.rank.stems import words
from similia.types import Float32, Int64, MultiVector

INFO = SystemInfo(
    number=13,
    name="GeAR",
    title="A retriever that also points to the part of a document that answers, by attention trained to generate it",
    paper="Liu et al., GeAR: Generation Augmented Retrieval (ACL Findings 2025)",
    status="partial: one block over frozen token states, a pointer for the decoder; no momentum teacher",
    rooms=("encode", "index", "rank", "evaluate"),
    claims=(
        "Training to generate makes attention a far better localiser",
        "It leaves retrieval as it is",
        "A larger weight of generation does not make retrieval better",
        "Attention finds the sentence far above chance, and encodes no sentence",
        "Retrieval takes as long as with the plain encoder",
    ),
    data=("medquad_pairs", "trecqa"),
)
TRAINED = {
    "alpha 0": (0.0, True),
    "alpha 0.25": (0.25, True),
    "alpha 1": (1.0, True),
    "alpha 0, projected unlike": (0.0, False),
    "alpha 0.25, projected unlike": (0.25, False),
}
"""Weight of generation, and whether the block projects query and document alike before training.

Projected alike, attention starts near the cosine of tokens, which is what an untrained block has to be measured with;
projected unlike, it starts arbitrary, as in the publication, whose training data were a thousand times more.
"""
OURS = "alpha 0.25"
DEEP = 5
Scores: TypeAlias = dict[str, list[float]]
"""Name -> one number a seed."""


class Sizes(NamedTuple):
    """How many documents of each part, queries a training document, models and epochs."""

    train: int = 1200
    validation: int = 150
    test: int = 500
    queries: int = 3
    seeds: int = 3
    epochs: int = 4


QUICK = Sizes(120, 30, 60, 2, 1, 2)


class Read(NamedTuple):
    """Queries and documents as tokens."""

    asked: Asked
    queries: MultiVector
    items: PlacedTokens
    sentences: list[Int64]  # (s, 2) tokens of each sentence of each document

    def query(self, place: int) -> Float32:
        """The tokens of one query."""
        return self.queries.vectors[self.queries.offsets[place] : self.queries.offsets[place + 1]]

    def item(self, place: int) -> Float32:
        """The tokens of the document of one query."""
        own, tokens = int(self.asked.own[place]), self.items.tokens
        return tokens.vectors[tokens.offsets[own] : tokens.offsets[own + 1]]

    def spans(self, place: int) -> Int64:
        """The sentences of the document of one query."""
        return self.sentences[int(self.asked.own[place])]


def run(settings: Settings) -> list[Claim]:
    """See the module."""
    sizes = QUICK if settings.quick else Sizes()
    encoder = load("minilm")
    train, validation, test = (read(encoder, part, settings.progress) for part in parts(sizes, settings.seed))
    judged = read(encoder, judged_sentences(), settings.progress)
    found: dict[str, Scores] = {name: {} for name in ("global", "local", "mean", "sum", "pointer", "judged", "epoch")}
    fusion = CrossFusion()
    for name, (alpha, alike) in TRAINED.items():
        for seed in range(settings.seed, settings.seed + sizes.seeds):
            fusion = learnt(train, alpha, alike, seed, sizes.epochs, encoder, settings.progress)
            for measure, value in measured(fusion, validation, test, judged).items():
                found[measure].setdefault(name, []).append(value)
    others = {
        "MedQuAD": baselines(encoder, test, train, settings),
        "TREC-QA": baselines(encoder, judged, train, settings),
    }
    plain = recall(mean_vectors(test.queries), mean_vectors(test.items.tokens), test.asked.own)
    return [
        attention_is_trained(found, test),
        retrieval_stays(found, plain),
        more_is_not_better(found),
        beyond_chance(found, others, test, judged),
        as_fast(fusion, encoder, test),
    ]


# -- data


def parts(sizes: Sizes, seed: int) -> list[Asked]:
    """Training, validation and test queries over documents of different foci: 60 %, 10 % and 30 % of the foci."""
    documents = beginnings()
    random = np.random.default_rng(seed)
    names, focus = np.unique([document.focus for document in documents], return_inverse=True)
    share = (random.permutation(names.size) / names.size)[focus]
    wanted = (
        (sizes.train, share < 0.6, sizes.queries),
        (sizes.validation, (share >= 0.6) & (share < 0.7), 1),
        (sizes.test, share >= 0.7, 1),
    )
    found = []
    for count, part, queries in wanted:
        chosen = random.permutation(np.flatnonzero(part))[:count]
        found.append(rewritten([documents[place] for place in chosen.tolist()], focus[chosen], queries, random))
    return found


def read(encoder: Encoder, asked: Asked, progress: bool | None) -> Read:
    """Encode queries and documents token by token."""
    items = token_states(encoder, asked.texts, progress=progress)
    queries = token_states(encoder, asked.queries, side="query", progress=progress).tokens
    places = [token_spans(items.places_of(row), spans) for row, spans in enumerate(asked.sentences)]
    return Read(asked, queries, items, places)


# -- method


def learnt(
    train: Read, alpha: float, alike: bool, seed: int, epochs: int, encoder: Encoder, progress: bool | None
) -> CrossFusion:
    """Heads and block of one seed."""
    asked = train.asked
    targets = [train.spans(place)[np.argmax(right)] for place, right in enumerate(asked.right)]
    fusion = CrossFusion(alpha=alpha, alike=alike, seed=seed, epochs=epochs, encoder=encoder.fingerprint)
    return fusion.fit(train.queries, train.items.tokens, asked.own, targets, groups=asked.focus, progress=progress)


def measured(fusion: CrossFusion, validation: Read, test: Read, judged: Read) -> dict[str, float]:
    """Recall of the test documents, and how often the best sentence is right, by each way of scoring sentences."""
    chosen = {"local": Localizer(), "pointer": Localizer()}
    for localizer, weights in zip(chosen.values(), attentions(fusion, validation), strict=True):
        rows = range(len(weights))
        localizer.fit(weights, [validation.spans(row) for row in rows], [validation.asked.right[row] for row in rows])
    attention, chances = attentions(fusion, test)
    queries, items = fusion.query_vectors(test.queries), fusion.item_vectors(test.items.tokens)
    return {
        "global": recall(queries, items, test.asked.own),
        "local": first_right(test, attention, chosen["local"]),
        "mean": first_right(test, attention, Localizer("mean")),
        "sum": first_right(test, attention, Localizer("sum")),
        "pointer": first_right(test, chances, chosen["pointer"]),
        "judged": first_right(judged, attentions(fusion, judged)[0], chosen["local"]),
        "epoch": float(fusion.epoch_),
    }


def attentions(fusion: CrossFusion, data: Read) -> tuple[list[Float32], list[Float32]]:
    """What each query looks at in its document, and what the pointer says, a token each."""
    fused = [fusion(data.query(place), data.item(place)) for place in range(len(data.asked.queries))]
    return [each.weights for each in fused], [each.chances for each in fused]


def first_right(data: Read, weights: Sequence[Float32], localizer: Localizer) -> float:
    """Local recall at 1."""
    return share_right(data, [localizer(own, data.spans(place)) for place, own in enumerate(weights)])


def share_right(data: Read, scores: Sequence[Float32]) -> float:
    """The share of the queries whose best sentence is right."""
    return float(np.mean([right[np.argmax(own)] for own, right in zip(scores, data.asked.right, strict=True)]))


def recall(queries: Float32, items: Float32, own: Int64) -> float:
    """The share of the queries whose document is among the first five."""
    hits = ExactIndex(items).search(queries, min(DEEP, len(items)))
    return float((hits.ids == own[:, None]).any(axis=1).mean())


# -- baselines


def baselines(encoder: Encoder, data: Read, train: Read, settings: Settings) -> dict[str, float]:
    """Local recall at 1 without the block."""
    asked = data.asked
    cut = [[text[a:z] for a, z in spans.tolist()] for text, spans in zip(asked.texts, asked.sentences, strict=True)]
    vectors = encode(encoder, [text for own in cut for text in own], progress=settings.progress)
    starts = np.cumsum([0, *map(len, cut)])
    questions = encode(encoder, asked.queries, side="query", progress=settings.progress)
    idf = rarity(train.asked.texts)
    found: dict[str, list[Float32]] = {"sentence cosine": [], "MaxSim": [], "words by idf": []}
    for place, (query, own) in enumerate(zip(asked.queries, asked.own.tolist(), strict=True)):
        found["sentence cosine"].append(vectors[starts[own] : starts[own + 1]] @ questions[place])
        cosines = data.item(place) @ data.query(place).T
        best = [cosines[a:z].max(axis=0).sum() if a < z else -np.inf for a, z in data.spans(place).tolist()]
        found["MaxSim"].append(np.array(best, np.float32))
        ranked = Locator(idf=idf).locate(
            query, [{str(at): text for at, text in enumerate(cut[own])}], most=len(cut[own])
        )
        scores = np.full(len(cut[own]), -1.0, np.float32)
        for each in ranked[0]:
            # A long sentence may come in pieces: the best one counts.
            scores[int(each.field)] = max(scores[int(each.field)], each.score)
        found["words by idf"].append(scores)
    chance = float(np.mean([right.mean() for right in asked.right]))
    return {"random": chance, **{name: share_right(data, scores) for name, scores in found.items()}}


def rarity(texts: Sequence[str]) -> Mapping[str, float]:
    """Idf of stems."""
    counts = Counter(stem for text in texts for stem in {word.stem for word in words(text)})
    return {stem: float(np.log1p(len(texts) / count)) for stem, count in counts.items()}


def mean_vectors(tokens: MultiVector) -> Float32:
    """The mean of each text's tokens, of length 1."""
    return unit(np.add.reduceat(tokens.vectors, tokens.offsets[:-1], axis=0))


# -- claims


def attention_is_trained(found: Mapping[str, Scores], test: Read) -> Claim:
    """Claim 1."""
    ours, none = (np.array(found["local"][name]) for name in (OURS, "alpha 0"))
    means = {name: float(np.mean(values)) for name, values in found["local"].items()}
    pooled = {f"{name}, {way} pooling": float(np.mean(found[way][name])) for way in ("mean", "sum") for name in TRAINED}
    return claim(
        1,
        INFO.claims[0],
        "local R@1 with alpha .25 >= that with alpha 0 + .05 in the mean, and above it with every seed",
        float((ours - none).mean()) >= 0.05 and bool((ours > none).all()),
        measured={name: value for name, value in means.items() if not name.startswith("alpha 0,")}
        | _spread(OURS, ours),
        baseline={name: value for name, value in means.items() if name.startswith("alpha 0,")}
        | {"alpha 0": means["alpha 0"], **_spread("alpha 0", none), **pooled},
        note=f"{len(test.asked.queries):,} test queries; {len(ours)} seeds; the block of alpha 0 is not trained. "
        "Query and document are projected alike at first, so that it starts near the cosine of tokens, or unlike",
    )


def retrieval_stays(found: Mapping[str, Scores], plain: float) -> Claim:
    """Claim 2."""
    ours, none = (np.array(found["global"][name]) for name in (OURS, "alpha 0"))
    return claim(
        2,
        INFO.claims[1],
        "global R@5 with alpha .25 within .01 of that with alpha 0, in the mean",
        abs(float(ours.mean() - none.mean())) <= 0.01,
        measured={OURS: ours.mean(), **_spread(OURS, ours)},
        baseline={"alpha 0": none.mean(), **_spread("alpha 0", none), "untrained, mean of tokens": plain},
    )


def more_is_not_better(found: Mapping[str, Scores]) -> Claim:
    """Claim 3."""
    ours, more = (np.array(found["global"][name]) for name in (OURS, "alpha 1"))
    return claim(
        3,
        INFO.claims[2],
        "global R@5 with alpha 1 <= that with alpha .25, in the mean",
        float(more.mean()) <= float(ours.mean()),
        measured={"alpha 1": more.mean(), **_spread("alpha 1", more)},
        baseline={OURS: ours.mean(), **_spread(OURS, ours)},
    )


def beyond_chance(
    found: Mapping[str, Scores], others: Mapping[str, Mapping[str, float]], test: Read, judged: Read
) -> Claim:
    """Claim 4."""
    ours = float(np.mean(found["local"][OURS]))
    sentences = float(np.mean([len(right) for right in test.asked.right]))
    measured = {OURS: ours, f"{OURS}, texts encoded for a query": 1.0}
    measured |= {f"{name}, by the pointer": float(np.mean(found["pointer"][name])) for name in (OURS, "alpha 1")}
    measured |= {f"TREC-QA, {name}": float(np.mean(values)) for name, values in found["judged"].items()}
    baseline = {"sentence cosine, texts encoded for a query": 1 + sentences, **others["MedQuAD"]}
    return claim(
        4,
        INFO.claims[3],
        "local R@1 with alpha .25 >= 3 times that of a random sentence, where the tokens of the document are kept",
        ours >= 3 * others["MedQuAD"]["random"],
        measured=measured,
        baseline=baseline | {f"TREC-QA, {name}": value for name, value in others["TREC-QA"].items()},
        note=f"{sentences:.1f} sentences a document; TREC-QA: {len(judged.asked.queries)} test questions that have "
        "right and wrong sentences, with models and pooling of MedQuAD",
    )


def as_fast(fusion: CrossFusion, encoder: Encoder, test: Read) -> Claim:
    """Claim 5."""
    asked = test.asked.queries[:50]
    plain, ours = ExactIndex(mean_vectors(test.items.tokens)), ExactIndex(fusion.item_vectors(test.items.tokens))
    same = len(plain) == len(ours) and plain.dimension == ours.dimension

    def tokens() -> MultiVector:
        return place_tokens(encoder, asked, side="query").tokens

    with one_thread():
        spent = processor_time(
            {
                "plain": lambda: plain.search(mean_vectors(tokens()), DEEP),
                "ours": lambda: ours.search(fusion.query_vectors(tokens()), DEEP),
            }
        )
    milliseconds = {name: 1000 * seconds / len(asked) for name, seconds in spent.items()}
    return claim(
        5,
        INFO.claims[4],
        "vectors of one shape in one kind of index, and processor time a query <= 1.1 times the plain encoder's",
        same and spent["ours"] <= 1.1 * spent["plain"],
        measured={"milliseconds a query": milliseconds["ours"]},
        baseline={"milliseconds a query": milliseconds["plain"]},
        note=f"from the text of a query to its {DEEP} documents of {len(ours):,}, the queries encoded together",
    )


def _spread(name: str, values: np.ndarray) -> dict[str, float]:
    return {f"{name}, least of the seeds": values.min(), f"{name}, most": values.max()}
