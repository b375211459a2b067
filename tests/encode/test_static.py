from __future__ import annotations

import json

import numpy as np
import pytest

from similia.encode import TokenEncoder, load
from similia.encode.safetensors import read_safetensors
from similia.errors import ModelError

TEXTS = ["the cat sat", "zebra cat zebra", "", "zebra", "dog dog cat", "the cat sat"]
UNKNOWN = 1


def naive(text, vocabulary, vectors, *, known_only=True):
    ids = [vocabulary.get(word, UNKNOWN) for word in text.split()]
    total = np.zeros(vectors.shape[1])
    for number in ids:
        if number != UNKNOWN or not known_only:
            total += vectors[number]
    length = np.linalg.norm(total)
    return total / length if length else total


@pytest.fixture
def table():
    return np.random.default_rng(3).normal(size=(26, 8)).astype(np.float32)


@pytest.fixture
def make(tmp_path, write_tokenizer, write_safetensors):
    """Write a static model with the tensors given; returns the folder and the vocabulary."""

    def write(config=None, **tensors):
        vocabulary = write_tokenizer(tmp_path / "tokenizer.json")
        (tmp_path / "config.json").write_text(json.dumps(config or {"model_type": "model2vec", "normalize": True}))
        write_safetensors(tmp_path / "model.safetensors", **tensors)
        return tmp_path, vocabulary

    return write


def test_vectors_are_the_means_of_known_tokens(make, table):
    folder, vocabulary = make(embeddings=table)
    encoder = load(str(folder))
    expected = [naive(text, vocabulary, table) for text in TEXTS]
    np.testing.assert_allclose(encoder.encode(TEXTS).vectors, expected, atol=1e-6)
    assert encoder.dimension == 8
    assert encoder.encode([]).vectors.shape == (0, 8)


def test_weights_and_mapping_are_applied(make, table):
    mapping = (np.arange(26) % 5).astype(np.int64)
    weights = np.linspace(0.1, 2, 26)
    folder, vocabulary = make(embeddings=table[:5], mapping=mapping, weights=weights)
    vectors = table[:5][mapping] * weights[:, None]
    expected = [naive(text, vocabulary, vectors) for text in TEXTS]
    np.testing.assert_allclose(load(str(folder)).encode(TEXTS).vectors, expected, atol=1e-6)


def test_vectors_keep_their_length_where_the_model_says_so(make, table):
    folder, vocabulary = make({"model_type": "model2vec", "normalize": False}, embeddings=table)
    mean = table[[vocabulary[word] for word in ("the", "cat", "sat")]].mean(axis=0)
    np.testing.assert_allclose(load(str(folder)).encode(["the cat sat"]).vectors[0], mean, atol=1e-6)


def test_sentence_transformers_static_module_counts_unknown_tokens(make, table):
    folder, vocabulary = make({"hidden_dim": 8}, **{"embedding.weight": table})
    modules = [
        {"type": "sentence_transformers.models.StaticEmbedding"},
        {"type": "sentence_transformers.models.Normalize"},
    ]
    (folder / "modules.json").write_text(json.dumps(modules))
    expected = [naive(text, vocabulary, table, known_only=False) for text in TEXTS]
    np.testing.assert_allclose(load(str(folder)).encode(TEXTS).vectors, expected, atol=1e-6)


def test_half_precision_tables_are_read(make, table, tmp_path, write_safetensors):
    folder, vocabulary = make(embeddings=table.astype(np.float16))
    expected = [naive(text, vocabulary, table.astype(np.float16)) for text in TEXTS]
    np.testing.assert_allclose(load(str(folder)).encode(TEXTS).vectors, expected, atol=1e-5)
    brain = (table.view(np.uint32) >> 16).astype(np.uint16)
    write_safetensors(tmp_path / "brain.safetensors", embeddings=brain)
    found = read_safetensors(tmp_path / "brain.safetensors")["embeddings"]
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, table, rtol=2**-7)


def test_an_array_beside_a_tokenizer_is_a_model(tmp_path, table, write_tokenizer):
    vocabulary = write_tokenizer(tmp_path / "tokenizer.json")
    np.save(tmp_path / "vectors.npy", table)
    expected = [naive(text, vocabulary, table) for text in TEXTS]
    np.testing.assert_allclose(load(str(tmp_path)).encode(TEXTS).vectors, expected, atol=1e-6)


def test_tokens_have_unit_vectors(make, table):
    folder, vocabulary = make(embeddings=table)
    encoder = load(str(folder))
    assert isinstance(encoder, TokenEncoder)
    tokens = encoder.encode_tokens(["cat zebra dog", "", "zebra"])
    assert tokens.offsets.tolist() == [0, 2, 2, 2]
    cat = table[vocabulary["cat"]]
    np.testing.assert_allclose(tokens.vectors[0], cat / np.linalg.norm(cat), atol=1e-6)


def test_blocks_do_not_change_vectors(make, table, monkeypatch):
    encoder = load(str(make(embeddings=table)[0]))
    whole = encoder.encode(TEXTS).vectors
    monkeypatch.setattr("similia.encode.static.BLOCK", 2)
    np.testing.assert_array_equal(encoder.encode(TEXTS).vectors, whole)


def test_the_fingerprint_is_of_the_content_not_of_the_place(make, table, tmp_path):
    folder, _ = make(embeddings=table)
    first = load(str(folder)).fingerprint
    moved = folder.rename(tmp_path.parent / f"{tmp_path.name}-moved")
    assert load(str(moved)).fingerprint == first
    table[0, 0] += 1
    make_again = moved / "model.safetensors"
    content = bytearray(make_again.read_bytes())
    content[-1] ^= 1
    make_again.write_bytes(content)
    assert load(str(moved)).fingerprint != first


@pytest.mark.parametrize(
    "harm",
    [
        lambda content: b"",
        lambda content: content[:7],
        lambda content: content[:40],
        lambda content: content[:-1],
        lambda content: b"\xff" * 8 + content[8:],
        lambda content: content.replace(b'"F32"', b'"F99"'),
        lambda content: content.replace(b"[26, 8]", b"[26, 9]"),
        lambda content: content.replace(b"[26, 8]", b'"26x8"'),
        lambda content: content.replace(b"embeddings", b"embeddungs"),
        lambda content: (2).to_bytes(8, "little") + b"[]" + content,
        lambda content: content[:-4] + np.float32("nan").tobytes(),
    ],
)
def test_a_damaged_table_is_refused(make, table, harm):
    folder, _ = make(embeddings=table)
    path = folder / "model.safetensors"
    path.write_bytes(harm(path.read_bytes()))
    with pytest.raises(ModelError, match=r"model\.safetensors"):
        load(str(folder)).encode(["cat"])


@pytest.mark.parametrize(
    "tensors",
    [
        {"mapping": np.array([0, 99], np.int64)},
        {"mapping": np.array([0, -1], np.int64)},
        {"mapping": np.array([0.0, 1.0])},
        {"weights": np.ones(3)},
    ],
)
def test_mapping_and_weights_must_fit(make, table, tensors):
    folder, _ = make(embeddings=table, **tensors)
    with pytest.raises(ModelError, match=r"mapping|weights"):
        load(str(folder)).encode(["cat"])


def test_a_table_that_is_smaller_than_the_vocabulary_is_refused(make, table):
    folder, _ = make(embeddings=table[:4])
    with pytest.raises(ModelError, match="only 4"):
        load(str(folder)).encode(["the cat sat"])


@pytest.mark.parametrize("content", [b"", b"not an array", b"\x93NUMPY\x01\x00"])
def test_a_damaged_array_is_refused(tmp_path, write_tokenizer, content):
    write_tokenizer(tmp_path / "tokenizer.json")
    (tmp_path / "vectors.npy").write_bytes(content)
    with pytest.raises(ModelError, match=r"vectors\.npy"):
        load(str(tmp_path)).encode(["cat"])


def test_a_pickle_is_never_opened(tmp_path, write_tokenizer):
    write_tokenizer(tmp_path / "tokenizer.json")
    np.save(tmp_path / "vectors.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ModelError, match=r"vectors\.npy"):
        load(str(tmp_path)).encode(["cat"])
