"""A cross-encoder with PyTorch weights only, made by the test."""

from __future__ import annotations

import numpy as np
import pytest

from similia.encode.pairs import TorchCrossEncoder, load_pair

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")


WORDS = str.split("the a cat dog sat ran on mat fast slow red blue")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("torch") / "model"
    path.mkdir()
    (path / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]))
    transformers.BertTokenizerFast(vocab=str(path / "vocab.txt")).save_pretrained(path)
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=5 + len(WORDS),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=32,
        num_labels=1,
        initializer_range=0.5,
    )
    transformers.BertForSequenceClassification(config).save_pretrained(path)
    return path


def test_scores_are_those_of_transformers(folder):
    model = load_pair(folder)
    assert isinstance(model, TorchCrossEncoder)
    left, right = ["the cat sat", "red"], ["a dog", "blue mat on the mat"]
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    plain = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    with torch.inference_mode():
        expected = [
            plain(**tokenizer(a, b, return_tensors="pt")).logits[0].numpy() for a, b in zip(left, right, strict=True)
        ]
    np.testing.assert_allclose(model.logits(left, right), expected, atol=1e-4)
    np.testing.assert_allclose(model.score(left, right), 1 / (1 + np.exp(-np.array(expected)[:, 0])), atol=1e-4)
    assert model.score([], []).shape == (0,)
    assert len(model.fingerprint) == 64
    assert load_pair(folder, template="{left} {right}").fingerprint != model.fingerprint


def test_a_template_is_one_text(folder):
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    plain = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    with torch.inference_mode():
        expected = plain(**tokenizer("the cat on red", return_tensors="pt")).logits.numpy()
    found = load_pair(folder, template="the {left} on {right}").logits(["cat"], ["red"])
    np.testing.assert_allclose(found, expected, atol=1e-4)
