"""Pair models: a tiny one that is computed by hand, and a real one where there is one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from similia.encode.pairs import CrossEncoder, PairEncoder, load_pair
from similia.encode.pairs.base import fill, positive_label, probability
from similia.errors import InputError, ModelError

WORDS = str.split("the a cat dog sat ran on mat fast slow red blue query sentence :")
WIDTH = 8
REAL = os.environ.get("SIMILIA_TEST_PAIR_MODEL", "")


def make_tokenizer(path: Path) -> dict[str, int]:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    vocabulary = {word: number for number, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    tokenizer.enable_padding(length=40)  # what a file ships must not matter
    tokenizer.save(str(path))
    return vocabulary


def make_onnx(path: Path, table: np.ndarray, kinds: np.ndarray, head: np.ndarray, fixed: int | None) -> None:
    """h = tanh(table[ids] + kinds[types]), masked mean; x = left mean * right mean ... as one sum; logits = h W."""
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper, numpy_helper

    node = helper.make_node
    nodes = [
        node("Gather", ["table", "input_ids"], ["words"]),
        node("Gather", ["kinds", "token_type_ids"], ["types"]),
        node("Add", ["words", "types"], ["sum"]),
        node("Tanh", ["sum"], ["h"]),
        node("Cast", ["attention_mask"], ["kept"], to=TensorProto.FLOAT),
        node("Unsqueeze", ["kept", "last"], ["column"]),
        node("Mul", ["h", "column"], ["masked"]),
        node("ReduceSum", ["masked", "one"], ["total"], keepdims=0),
        node("Mul", ["total", "total"], ["square"]),
        node("MatMul", ["square", "head"], ["logits"]),
    ]
    constants = {"table": table, "kinds": kinds, "head": head, "last": np.array([2]), "one": np.array([1])}
    shape = ["b", fixed or "t"]
    inputs = ("input_ids", "attention_mask", "token_type_ids")
    graph = helper.make_graph(
        nodes,
        "pair",
        [helper.make_tensor_value_info(name, TensorProto.INT64, shape) for name in inputs],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["b", head.shape[1]])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(path))


def make_pair(folder: Path, *, labels: int = 1, limit: int = 16, fixed: int | None = None, config: object = None):
    """A folder in the layout of sentence-transformers, and its logits by hand."""
    (folder / "onnx").mkdir(parents=True)
    random = np.random.default_rng(3)
    vocabulary = make_tokenizer(folder / "tokenizer.json")
    table = (0.5 * random.normal(size=(len(vocabulary), WIDTH))).astype(np.float32)
    kinds = (0.5 * random.normal(size=(2, WIDTH))).astype(np.float32)
    head = (0.2 * random.normal(size=(WIDTH, labels))).astype(np.float32)
    make_onnx(folder / "onnx" / "model.onnx", table, kinds, head, fixed)
    stated = {"id2label": {str(i): f"LABEL_{i}" for i in range(labels)}, "max_position_embeddings": 512}
    (folder / "config.json").write_text(json.dumps(stated if config is None else config))
    (folder / "tokenizer_config.json").write_text(json.dumps({"model_max_length": limit}))

    def by_hand(left: str, right: str | None = None) -> np.ndarray:
        a = [vocabulary.get(word, 1) for word in left.lower().split()]
        b = [] if right is None else [vocabulary.get(word, 1) for word in right.lower().split()]
        ids = [2, *a, 3, *([*b, 3] if right is not None else [])]
        types = [0] * (len(a) + 2) + [1] * (len(ids) - len(a) - 2)
        total = np.tanh(table[ids].astype(float) + kinds[types]).sum(axis=0)
        return total**2 @ head

    return SimpleNamespace(folder=folder, by_hand=by_hand)


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    return make_pair(tmp_path_factory.mktemp("one") / "m")


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    return make_pair(tmp_path_factory.mktemp("two") / "m", labels=2)


@pytest.fixture(scope="module", params=["onnxruntime", "openvino"])
def runtime(request):
    if request.param == "openvino":
        pytest.importorskip("openvino")
    return request.param


PAIRS = [("the cat sat", "a dog"), ("red", "blue mat on the mat"), ("", "a"), ("cat", ""), ("dog ran fast", "dog ran")]


def test_logits_are_those_by_hand_in_the_order_given(one, runtime):
    model = load_pair(one.folder, runtime=runtime)
    found = model.logits(*zip(*PAIRS, strict=True))
    expected = np.array([one.by_hand(*pair) for pair in PAIRS])
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-4)
    np.testing.assert_allclose(model.score(*zip(*PAIRS, strict=True)), 1 / (1 + np.exp(-expected[:, 0])), atol=1e-4)
    assert isinstance(model, PairEncoder)


def test_two_labels_give_the_softmax_of_the_positive(two, runtime):
    left, right = zip(*PAIRS, strict=True)
    logits = np.array([two.by_hand(*pair) for pair in PAIRS])
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(load_pair(two.folder, runtime=runtime).score(left, right), shares[:, 1], atol=1e-4)
    np.testing.assert_allclose(
        load_pair(two.folder, positive=0, runtime=runtime).score(left, right), shares[:, 0], atol=1e-4
    )
    np.testing.assert_allclose(
        load_pair(two.folder, positive="label_0", runtime=runtime).score(left, right), shares[:, 0], atol=1e-4
    )


def test_the_side_matters(one):
    model = load_pair(one.folder)
    assert abs(model.score(["cat"], ["dog ran"]) - model.score(["dog ran"], ["cat"]))[0] > 1e-3


def test_a_template_makes_one_text_of_two(one):
    model = load_pair(one.folder, template="query : {left} sentence : {right}")
    found = model.logits(["the {right} cat"], ["a {left}"])
    # Braces are cut off words by the tokenizer and unknown to it.
    expected = one.by_hand("query : the x right x cat sentence : a x left x")
    np.testing.assert_allclose(found[0], expected, atol=1e-4)


@given(st.text(max_size=20), st.text(max_size=20))
def test_a_template_holds_both_texts_as_they_are(left, right):
    assert fill("<{left}|{right}>", left, right) == f"<{left}|{right}>"
    assert fill("<{right}|{left}>", left, right) == f"<{right}|{left}>"


def test_the_longer_text_is_cut_to_the_window(one):
    model = load_pair(one.folder, max_tokens=8)  # 3 special tokens, 5 others
    found = model.logits(["cat dog"], ["the a on mat red blue"])
    np.testing.assert_allclose(found[0], one.by_hand("cat dog", "the a on"), atol=1e-4)
    assert load_pair(one.folder).settings.max_tokens == 16
    long = load_pair(one.folder).logits(["cat " * 50_000], ["dog " * 50_000])
    assert np.isfinite(long).all()


def test_a_file_of_one_length_is_fed_that_length(tmp_path, runtime):
    model = make_pair(tmp_path / "m", fixed=12, limit=64)
    found = load_pair(model.folder, runtime=runtime)
    left, right = zip(*PAIRS, strict=True)
    np.testing.assert_allclose(found.logits(left, right), np.array([model.by_hand(*pair) for pair in PAIRS]), atol=1e-4)
    assert found.runtime.length == 12
    cut = found.logits(["cat"], [" ".join(["mat"] * 30)])
    np.testing.assert_allclose(cut[0], model.by_hand("cat", " ".join(["mat"] * 8)), atol=1e-4)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=30), st.text(max_size=30)), max_size=12), st.randoms())
def test_a_score_does_not_depend_on_the_pairs_beside_it(one, pairs, random):
    model = load_pair(one.folder)
    scores = model.score([a for a, _ in pairs], [b for _, b in pairs])
    assert scores.shape == (len(pairs),)
    assert ((scores >= 0) & (scores <= 1)).all()
    places = list(range(len(pairs)))
    random.shuffle(places)
    again = model.score([pairs[place][0] for place in places], [pairs[place][1] for place in places])
    np.testing.assert_allclose(again, scores[places], atol=1e-5)


def test_no_pairs_give_no_scores(one):
    model = load_pair(one.folder)
    assert model.score([], []).shape == (0,)
    assert model.logits([], []).shape == (0, 1)


def test_many_pairs_go_through_blocks(one, monkeypatch):
    monkeypatch.setattr("similia.encode.pairs.cross.BLOCK", 3)
    model = load_pair(one.folder)
    left, right = zip(*(PAIRS * 3), strict=True)
    np.testing.assert_allclose(model.score(left, right), load_pair(one.folder).score(left, right), atol=1e-5)


@pytest.mark.parametrize(("left", "right"), [(["a"], []), (["a", 3], ["b", "c"]), ("a", "b")])
def test_what_is_no_pair_is_refused(one, left, right):
    with pytest.raises(InputError):
        load_pair(one.folder).score(left, right)


def test_the_fingerprint_is_of_all_that_decides(one, two, tmp_path):
    import shutil

    base = load_pair(one.folder).fingerprint
    others = {
        load_pair(two.folder).fingerprint,
        load_pair(one.folder, template="{left} {right}").fingerprint,
        load_pair(one.folder, max_tokens=9).fingerprint,
        load_pair(two.folder, positive=0).fingerprint,
    }
    assert len({base, *others}) == 5
    assert load_pair(shutil.copytree(one.folder, tmp_path / "moved")).fingerprint == base


def test_probability_is_stable():
    assert probability(np.array([[900.0], [-900.0]], np.float32), -1).tolist() == [1.0, 0.0]
    np.testing.assert_allclose(probability(np.array([[900.0, -900.0, 900.0]], np.float32), 0), [0.5])
    with pytest.raises(ModelError, match="3 labels"):
        probability(np.zeros((1, 3), np.float32), -1)


@pytest.mark.parametrize(
    ("config", "chosen", "expected"),
    [
        ({"id2label": {"0": "LABEL_0"}}, None, 0),
        ({"id2label": {"0": "no", "1": "yes"}}, None, 1),
        ({"id2label": {"0": "entailment", "1": "not_entailment"}}, None, 0),
        ({"num_labels": 1}, None, 0),
        ({}, 1, 1),
        ({}, None, -1),
    ],
)
def test_the_positive_label_is_found(config, chosen, expected):
    assert positive_label(config, chosen, name="m") == expected


@pytest.mark.parametrize("chosen", [None, 3, -2, "sure"])
def test_a_positive_label_that_cannot_be_told_is_refused(chosen):
    config = {"id2label": {"0": "a", "1": "b", "2": "c"}}
    with pytest.raises(ModelError):
        positive_label(config, chosen, name="m")


def test_bad_folders_are_named(one, tmp_path, monkeypatch):
    with pytest.raises(ModelError, match="holds no pair model"):
        load_pair(tmp_path)
    with pytest.raises(ModelError, match="no pair model"):
        load_pair("")
    with pytest.raises(ModelError, match="hub:owner/name"):
        load_pair("hub:nothing")
    with pytest.raises(ModelError, match="is no pair model"):
        load_pair(7)
    with pytest.raises(InputError, match="once each"):
        load_pair(one.folder, template="{left}")
    with pytest.raises(ModelError, match="no such runtime"):
        load_pair(one.folder, runtime="abacus").score(["a"], ["b"])
    known = load_pair(one.folder)
    assert load_pair(known) is known


def test_an_encoder_is_no_pair_model(one, tmp_path):
    import shutil

    folder = shutil.copytree(one.folder, tmp_path / "m")
    (folder / "onnx" / "model.onnx").write_bytes(b"nonsense")
    with pytest.raises(ModelError, match="cannot be run"):
        load_pair(folder).score(["a"], ["b"])


def test_weights_alone_need_pytorch(one, tmp_path):
    import importlib.util
    import shutil

    folder = shutil.copytree(one.folder, tmp_path / "m")
    (folder / "onnx" / "model.onnx").unlink()
    (folder / "model.safetensors").write_bytes(b"weights")
    if importlib.util.find_spec("transformers") is None:
        with pytest.raises(ModelError, match="pip install"):
            load_pair(folder)
    else:
        with pytest.raises(ModelError, match="cannot be loaded"):
            load_pair(folder).score(["a"], ["b"])


def test_the_import_loads_nothing_heavy():
    code = (
        "import sys, similia.encode.pairs as p; p.load_pair, p.CrossEncoder, p.TorchCrossEncoder\n"
        "heavy = {'torch', 'onnxruntime', 'openvino', 'tokenizers', 'rich', 'scipy', 'transformers'} & {*sys.modules}\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.skipif(not REAL, reason="SIMILIA_TEST_PAIR_MODEL names no folder of a real pair model")
def test_a_real_model_puts_the_answer_first():
    model = load_pair(REAL, template=os.environ.get("SIMILIA_TEST_PAIR_TEMPLATE", "Query: {left}\nSentence: {right}"))
    assert isinstance(model, CrossEncoder)
    questions = {
        "What is the capital of France?": [
            "The capital of France is Paris.",
            "Bread is baked from flour, water and yeast.",
            "The cat slept on the sofa all day.",
        ],
        "How high is Mount Everest?": [
            "Mount Everest is 8,849 metres high.",
            "Stock prices fell on Monday.",
            "She plays the violin in an orchestra.",
        ],
    }
    for question, items in questions.items():
        scores = model.score([question] * 3, items)
        assert scores.argmax() == 0
        assert ((scores >= 0) & (scores <= 1)).all()
