"""Disambiguated skip-gram: several vectors a word, and which one is meant is learnt with them.

Grzegorczyk and Kurdziel, *Disambiguated skip-gram model* (EMNLP 2018, D18-1174): the words around an occurrence choose
a sense by a relaxed one-hot draw (Gumbel-softmax; Jang, Gu and Poole, ICLR 2017), and the sense must predict them.
Here the softmax over the vocabulary is whole and not sampled, and steps are Adam's and not those of momentum.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from similia.encode.adam import Adam
from similia.encode.skipgram import (
    Parameters,
    context_vectors,
    gradients,
    gumbel,
    occurrences,
    sense_logits,
    softmax,
)
from similia.errors import InputError
from similia.progress import bar
from similia.types import Float32, Int64

PRUNED = 0.05
"""Senses with a lower prior do not count, as published."""
TEMPERATURES = (1.0, 0.5)
"""Of the choice of a sense: in the first epoch, and after it."""
BATCH = 1024


@dataclass(frozen=True, eq=False)
class Senses:
    """The senses of one word whose prior is not below `PRUNED`.

    Attributes:
        numbers: int64 (s,), which of the K senses these are.
        vectors: float32 (s, D).
        priors: float32 (s,), how often each is meant, as learnt.
    """

    numbers: Int64
    vectors: Float32
    priors: Float32

    def __len__(self) -> int:
        return len(self.numbers)


class DisambiguatedSkipGram:
    """Words to several vectors each, from sentences alone.

    Args:
        senses: K, the most senses a word can have; 1 gives the plain skip-gram.
        dimension: D, of a vector.
        window: words to each side that choose a sense and are predicted by it.
        least: how often a word must occur; rarer ones are left out and have no sense.
        epochs: passes over the sentences.
        pretrain: passes before, in which all words choose by the same weights.
        entropy: how much undecided choices are rewarded in these; 0.1 as published.
        relaxed: whether senses are drawn (Gumbel-softmax); otherwise they are mixed by a plain softmax.
        rate: the size of Adam's steps.
        seed: all randomness comes from it.
        progress: as in `similia.progress.bar`.

    Attributes:
        words_: word -> row.
        parameters_: what was learnt.
        priors_: float32 (V, K), the mean probability of each sense over all occurrences of its word.
        losses_: of each epoch, those before included, in nats a predicted word.

    Examples:
        >>> sentences = [["river", "bank", "water"], ["money", "bank", "loan"]] * 30
        >>> model = DisambiguatedSkipGram(senses=2, dimension=8, least=5).fit(sentences)
        >>> sorted(model.words_), len(model.senses("bank")) in (1, 2), model.senses("zebra")
        (['bank', 'loan', 'money', 'river', 'water'], True, None)
    """

    def __init__(
        self,
        senses: int = 5,
        dimension: int = 100,
        *,
        window: int = 5,
        least: int = 20,
        epochs: int = 3,
        pretrain: int = 1,
        entropy: float = 0.1,
        relaxed: bool = True,
        rate: float = 0.005,
        seed: int = 0,
        progress: bool | None = None,
    ) -> None:
        self.count = senses
        self.dimension = dimension
        self.window = window
        self.least = least
        self.epochs = epochs
        self.pretrain = pretrain
        self.entropy = entropy
        self.relaxed = relaxed
        self.rate = rate
        self.seed = seed
        self.progress = progress

    def fit(self, sentences: Iterable[Sequence[str]]) -> DisambiguatedSkipGram:
        """Learn from sentences, each a sequence of words as they are to be told apart (lower-cased, say).

        Raises:
            InputError: a sentence that is one string, no word that is frequent enough beside another, or settings out
                of range.
        """
        self._check()
        given = list(sentences)
        if any(isinstance(sentence, str) for sentence in given):
            raise InputError("a sentence is one string; expected a list of words each, such as ['a', 'sentence']")
        counts = Counter(word for sentence in given for word in sentence)
        known = sorted((w for w, n in counts.items() if n >= self.least), key=lambda w: (-counts[w], w))
        self.words_ = {word: row for row, word in enumerate(known)}
        words, contexts = occurrences([self._rows(sentence) for sentence in given], self.window)
        beside = (contexts >= 0).any(axis=1) if words.size else np.zeros(0, bool)
        if not beside.any():
            raise InputError(
                f"no word occurs {self.least} times beside another; more sentences or a lower least are needed"
            )
        words, contexts = words[beside], contexts[beside]
        random = np.random.default_rng(self.seed)
        self._learn(words, contexts, counts, random)
        self.priors_ = self._priors(words, contexts)
        return self

    def senses(self, word: str) -> Senses | None:
        """The senses of a word, most frequent first; None for one that was too rare to be learnt."""
        row = self._row(word)
        if row is None:
            return None
        priors = self.priors_[row]
        numbers = np.argsort(-priors, kind="stable")
        numbers = numbers[priors[numbers] >= min(PRUNED, priors.max())].astype(np.int64)
        return Senses(numbers, self.parameters_.senses[row, numbers].astype(np.float32), priors[numbers])

    def sense_in(self, word: str, context: Iterable[str]) -> int | None:
        """Which of its senses a word has among other words; None for one that was too rare to be learnt.

        Words of the context that are not known count for nothing; with none known, the choice is that of no context.
        """
        row, senses = self._row(word), self.senses(word)
        if row is None or senses is None:
            return None
        around = np.array([self._rows([w for w in context if w != word])], np.int64).reshape(1, -1)
        at = np.array([row])
        logits = sense_logits(at, context_vectors(around, self.parameters_.output), self.parameters_)
        return int(senses.numbers[np.argmax(logits[0, senses.numbers])])

    def average_similarity(self, a: str, b: str, *, weighted: bool = False) -> float | None:
        """avgSim: the mean cosine over all pairs of senses, weighted by their priors if asked; None if one is unknown.

        Examples:
            >>> model = DisambiguatedSkipGram(senses=2, dimension=8, least=2).fit([["a", "b", "c"]] * 9)
            >>> model.average_similarity("a", "zebra") is None
            True
        """
        one, other = self.senses(a), self.senses(b)
        if one is None or other is None:
            return None
        cosines = _unit(one.vectors) @ _unit(other.vectors).T
        if not weighted:
            return float(cosines.mean())
        return float(one.priors @ cosines @ other.priors / (one.priors.sum() * other.priors.sum()))

    def local_similarity(self, a: str, around_a: Iterable[str], b: str, around_b: Iterable[str]) -> float | None:
        """localSim: the cosine of the senses that two words have in their contexts; None if one is unknown."""
        one, other = self._vector_in(a, around_a), self._vector_in(b, around_b)
        return None if one is None or other is None else float(one @ other)

    def _vector_in(self, word: str, around: Iterable[str]) -> Float32 | None:
        row, sense = self._row(word), self.sense_in(word, around)
        return None if row is None or sense is None else _unit(self.parameters_.senses[row, sense].astype(np.float32))

    def _learn(self, words: Int64, contexts: Int64, counts: Counter[str], random: np.random.Generator) -> None:
        size, k, d = len(self.words_), self.count, self.dimension
        width = 0.5 / d / k
        frequency = np.array([counts[word] for word in self.words_], np.float32)
        start = Parameters(
            senses=random.uniform(-width, width, (size, k, d)).astype(np.float32),
            output=np.zeros((size, d), np.float32),
            bias=np.log(frequency / frequency.sum()),
            selectors=np.zeros((1, d, k), np.float32),
            offsets=np.zeros((1, k), np.float32),
        )
        self.losses_: list[float] = []
        with bar("learning senses", self.pretrain + self.epochs, unit="epochs", show=self.progress) as progress:
            for _ in range(self.pretrain):
                self._epoch(words, contexts, start, random, entropy=self.entropy)
                progress.advance()
            self.parameters_ = Parameters(
                start.senses,
                start.output,
                start.bias,
                np.repeat(start.selectors, size, axis=0),
                np.repeat(start.offsets, size, axis=0),
            )
            for epoch in range(self.epochs):
                temperature = TEMPERATURES[min(epoch, len(TEMPERATURES) - 1)]
                self._epoch(words, contexts, self.parameters_, random, temperature=temperature, drawn=self.relaxed)
                progress.advance()

    def _epoch(
        self,
        words: Int64,
        contexts: Int64,
        parameters: Parameters,
        random: np.random.Generator,
        *,
        temperature: float = 1.0,
        entropy: float = 0.0,
        drawn: bool = False,
    ) -> None:
        """One pass in random order; the parameters change in place."""
        steps = {name: Adam(getattr(parameters, name), self.rate) for name in Parameters.__dataclass_fields__}
        shared = len(parameters.selectors) == 1
        order = random.permutation(len(words))
        loss = 0.0
        for start in range(0, len(order), BATCH):
            chosen = order[start : start + BATCH]
            noise = gumbel(random, (len(chosen), self.count)) if drawn else None
            found = gradients(
                words[chosen], contexts[chosen], parameters, temperature=temperature, noise=noise, entropy=entropy
            )
            loss += found.loss * len(chosen)
            steps["senses"].step(found.senses, found.words)
            steps["selectors"].step(found.selectors, None if shared else found.words)
            steps["offsets"].step(found.offsets, None if shared else found.words)
            steps["output"].step(found.output)
            steps["bias"].step(found.bias)
        self.losses_.append(loss / len(order))

    def _priors(self, words: Int64, contexts: Int64) -> Float32:
        sums = np.zeros((len(self.words_), self.count), np.float64)
        for start in range(0, len(words), 16 * BATCH):
            at = words[start : start + 16 * BATCH]
            context = context_vectors(contexts[start : start + 16 * BATCH], self.parameters_.output)
            np.add.at(sums, at, softmax(sense_logits(at, context, self.parameters_)))
        total = sums.sum(axis=1, keepdims=True)
        return np.where(total > 0, sums / np.where(total > 0, total, 1), 1 / self.count).astype(np.float32)

    def _rows(self, words: Sequence[str]) -> list[int]:
        return [self.words_[word] for word in words if word in self.words_]

    def _row(self, word: str) -> int | None:
        if not hasattr(self, "priors_"):
            raise InputError("this model has learnt nothing yet; call fit(sentences) first")
        return self.words_.get(word)

    def _check(self) -> None:
        numbers: dict[str, tuple[object, int]] = {
            "senses": (self.count, 1),
            "dimension": (self.dimension, 1),
            "window": (self.window, 1),
            "least": (self.least, 1),
            "epochs": (self.epochs, 1),
            "pretrain": (self.pretrain, 0),
        }
        for name, (value, low) in numbers.items():
            if isinstance(value, bool) or not isinstance(value, int) or value < low:
                raise InputError(f"{name} is {value!r}; it must be a whole number, at least {low}")
        if not self.rate > 0 or not self.entropy >= 0:
            raise InputError(f"rate {self.rate}, entropy {self.entropy}: expected more than 0, and 0 or more")


def _unit(vectors: Float32) -> Float32:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1), np.float32)
