"""What an ``about`` does to a sense: neighbours that share a method, or a task, of paper abstracts.

python -m benchmarks.about

700 abstracts of the data set ``papers`` whose titles name a method and a task (by the word lists below; titles are not
encoded). MAP@10 of neighbours that share a label of the aspect; parameters are chosen on the first half, and both
halves are shown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import product

import numpy as np
import numpy.typing as npt

from benchmarks.common import write
from similia import encode
from similia.encode.aspect import leaning
from similia.encode.base import unit
from similia.encode.sentences import sentences
from similia.evaluate import datasets
from similia.index import top_k

Float32 = npt.NDArray[np.float32]

COUNT = 700
SEED = 2
ABOUT = {
    "method": "the method that the paper proposes",
    "task": "the task or problem that the paper addresses",
}
WORDS = {
    "method": "reinforcement learning|policy optimi; diffusion; retrieval[- ]augment; benchmark;"
    "mixture[- ]of[- ]experts;"
    "graph neural|knowledge graph; distill; quantiz; contrastive; prompt; multi-agent; fine-?tuning; survey;"
    "tree search; lora|low-rank; steering; dataset|corpus; pruning; merging; speculative",
    "task": "translation; summari; question answering; recommend; speech|asr; segmentation; code generation|software;"
    "medical|clinical|health; math; legal|law; education|student; sentiment|emotion; bias|fairness; hallucination;"
    "jailbreak|safety; sql|table; financ; dialogue|conversation; entity|relation extraction; molecul|chemi|protein;"
    "visual|image|video; multilingual|low-resource; robot; time series; misinformation|fake news|fact-check",
}


def labelled() -> tuple[list[str], dict[str, npt.NDArray[np.bool_]]]:
    """Abstracts, and for each aspect bool (n, labels)."""
    patterns = {name: [re.compile(one.strip(), re.I) for one in words.split(";")] for name, words in WORDS.items()}
    records = list(datasets.records("papers"))
    texts: list[str] = []
    labels: dict[str, list[list[bool]]] = {name: [] for name in ABOUT}
    for place in np.random.default_rng(SEED).permutation(len(records)).tolist():
        found = {name: [bool(one.search(str(records[place]["title"]))) for one in patterns[name]] for name in ABOUT}
        if all(map(any, found.values())):
            texts.append(str(records[place]["abstract"]))
            for name, row in found.items():
                labels[name].append(row)
        if len(texts) == COUNT:
            break
    return texts, {name: np.array(rows) for name, rows in labels.items()}


def quality(vectors: Float32, labels: npt.NDArray[np.bool_], half: slice) -> float:
    """MAP@10 of the neighbours of one half, among all."""
    scores = vectors[half] @ vectors.T
    scores[np.arange(len(scores)), np.arange(len(vectors))[half]] = -np.inf
    near, _ = top_k(scores, 10)
    shared = (labels[half][:, None, :] & labels[near]).any(axis=2)
    precision = shared.cumsum(axis=1) / np.arange(1, 11)
    return float(((precision * shared).sum(axis=1) / 10).mean())


def main() -> None:
    """Run every conditioning and write the table."""
    encoder = encode.load()
    texts, labels = labelled()
    split = [sentences(text) or [text] for text in texts]
    whole = encoder.encode(texts).vectors
    about = {name: encoder.encode([words], side="query").vectors[0] for name, words in ABOUT.items()}
    single = encoder.encode([sentence for each in split for sentence in each]).vectors
    tokens = encoder.encode_tokens(texts)
    kinds = {
        "sentences": (single, np.repeat(np.arange(len(texts)), [len(each) for each in split])),
        "tokens": (tokens.vectors, np.repeat(np.arange(len(texts)), np.diff(tokens.offsets))),
    }
    made: dict[str, Mapping[str, Float32]] = {
        "none": dict.fromkeys(ABOUT, whole),
        "prefix: about, then the text": {
            name: encoder.encode([f"{words}: {text}" for text in texts]).vectors for name, words in ABOUT.items()
        },
        "projected on the aspect": {name: unit(whole + (whole @ a)[:, None] * a) for name, a in about.items()},
        "coordinates times the aspect's": {name: unit(whole * np.abs(a)) for name, a in about.items()},
    }
    for (kind, (parts, owner)), temperature in product(kinds.items(), (0.05, 0.1, 0.2)):
        turned = {name: leaning(parts, owner, a, temperature, len(texts)) for name, a in about.items()}
        for share in (0.3, 0.5, 1.0):
            made[f"{kind}, temperature {temperature}, share {share}"] = {
                name: unit(share * turned[name] + (1 - share) * whole) for name in ABOUT
            }
    halves = {"chosen on": slice(0, len(texts) // 2), "other half": slice(len(texts) // 2, None)}
    rows = [
        {
            "conditioning": how,
            **{
                f"{name}, {half}": quality(v[name], labels[name], part)
                for name in ABOUT
                for half, part in halves.items()
            },
        }
        for how, v in made.items()
    ]
    write(
        "about",
        "Turning a sense to an aspect",
        "python -m benchmarks.about",
        rows,
        f"MAP@10 of neighbours that share a {' or a '.join(ABOUT)}, on {len(texts)} paper abstracts.",
    )


if __name__ == "__main__":
    main()
