"""Small real models, made by the tests: a tokenizer, a one-layer transformer in ONNX, a static table."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

WORDS = str.split("the a cat dog sat ran on mat fast slow red blue query passage : . , method we use of paper")
DIMENSION = 16
POSITIONS = 64


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory):
    """The tests' own cache folder."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("SIMILIA_CACHE", str(folder))
        yield folder


def make_tokenizer(path: Path) -> dict[str, int]:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS]
    vocabulary = {word: number for number, word in enumerate(names)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    # What a file ships must not matter: this truncates and pads as the bundled tokenizer does.
    tokenizer.enable_truncation(12)
    tokenizer.enable_padding(length=12)
    tokenizer.save(str(path))
    return vocabulary


def make_onnx(path: Path, table: np.ndarray, positions: np.ndarray) -> None:
    """x = table[ids] + positions; out = x + softmax(x x' / sqrt(d) + mask) x, with PyTorch's guard against NaN."""
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper, numpy_helper

    def constant(name, value):
        return numpy_helper.from_array(np.asarray(value), name)

    node = helper.make_node
    nodes = [
        node("Gather", ["table", "input_ids"], ["words"]),
        node("Shape", ["input_ids"], ["shape"]),
        node("Gather", ["shape", "one"], ["length"]),
        node("Slice", ["positions", "start", "length", "axis"], ["places"]),
        node("Add", ["words", "places"], ["x"]),
        node("Transpose", ["x"], ["xt"], perm=[0, 2, 1]),
        node("MatMul", ["x", "xt"], ["raw"]),
        node("Mul", ["raw", "scale"], ["scaled"]),
        node("Cast", ["attention_mask"], ["kept"], to=TensorProto.FLOAT),
        node("Sub", ["kept", "unit"], ["gone"]),
        node("Mul", ["gone", "much"], ["flat"]),
        node("Unsqueeze", ["flat", "axis"], ["bias"]),
        node("Add", ["scaled", "bias"], ["scores"]),
        node("Softmax", ["scores"], ["soft"], axis=-1),
        node("IsNaN", ["soft"], ["nan"]),
        node("Where", ["nan", "zero", "soft"], ["weights"]),
        node("MatMul", ["weights", "x"], ["mixed"]),
        node("Add", ["x", "mixed"], ["last_hidden_state"]),
    ]
    constants = {
        "table": table,
        "positions": positions[None],
        "one": np.array([1], np.int64),
        "start": np.array([0], np.int64),
        "axis": np.array([1], np.int64),
        "scale": np.float32(DIMENSION**-0.5),
        "unit": np.float32(1),
        "much": np.float32(1e4),
        "zero": np.float32(0),
    }
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(n, TensorProto.INT64, ["b", "t"]) for n in ("input_ids", "attention_mask")],
        [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["b", "t", DIMENSION])],
        [constant(name, value) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(path))


def make_safetensors(path: Path, **tensors: np.ndarray) -> None:
    kinds = {"float32": "F32", "float16": "F16", "int32": "I32", "int64": "I64", "uint16": "BF16", "float64": "F64"}
    header, content = {"__metadata__": {"format": "pt"}}, b""
    for name, array in tensors.items():
        start = len(content)
        content += array.tobytes()
        offsets = [start, len(content)]
        header[name] = {"dtype": kinds[array.dtype.name], "shape": list(array.shape), "data_offsets": offsets}
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + content)


def make_model(folder: Path, *, pooling: str = "mean", normalise: bool = True, limit: int = 12, prompts=None):
    """A sentence-transformers folder, and what is needed to compute its vectors by hand."""
    (folder / "onnx").mkdir(parents=True)
    (folder / "1_Pooling").mkdir()
    rng = np.random.default_rng(5)
    vocabulary = make_tokenizer(folder / "tokenizer.json")
    table = rng.normal(size=(len(vocabulary), DIMENSION)).astype(np.float32)
    positions = (0.3 * rng.normal(size=(POSITIONS, DIMENSION))).astype(np.float32)
    make_onnx(folder / "onnx" / "model.onnx", table, positions)
    kinds = ["Transformer", "Pooling", *(["Normalize"] if normalise else [])]
    modules = [{"idx": i, "type": f"sentence_transformers.models.{kind}", "path": ""} for i, kind in enumerate(kinds)]
    pool = {
        "word_embedding_dimension": DIMENSION,
        "pooling_mode_cls_token": pooling == "cls",
        "pooling_mode_mean_tokens": pooling == "mean",
    }
    for name, content in {
        "modules.json": modules,
        "1_Pooling/config.json": pool,
        "config.json": {"hidden_size": DIMENSION},
        "sentence_bert_config.json": {"max_seq_length": limit, "do_lower_case": False},
        "config_sentence_transformers.json": {"prompts": prompts or {}, "default_prompt_name": None},
    }.items():
        (folder / name).write_text(json.dumps(content))

    def hidden(text: str) -> np.ndarray:
        """The vectors of [CLS], the words of a text that is not too long, and [SEP]."""
        ids = [2, *(vocabulary.get(word, 1) for word in text.lower().split()), 3]
        x = table[ids].astype(np.float64) + positions[: len(ids)]
        scores = x @ x.T / np.sqrt(DIMENSION)
        weights = np.exp(scores - scores.max(axis=1, keepdims=True))
        return x + weights / weights.sum(axis=1, keepdims=True) @ x

    return SimpleNamespace(folder=folder, hidden=hidden, vocabulary=vocabulary)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """A tiny sentence-transformers model: mean pooling, normalised, 12 tokens at most, a prompt for each side."""
    prompts = {"query": "query : ", "passage": "passage : "}
    return make_model(tmp_path_factory.mktemp("tiny") / "model", prompts=prompts)


@pytest.fixture(scope="session")
def minilm():
    from similia.encode import load

    return load("minilm")


@pytest.fixture(scope="session")
def write_model():
    return make_model


@pytest.fixture(scope="session")
def write_tokenizer():
    return make_tokenizer


@pytest.fixture(scope="session")
def write_safetensors():
    return make_safetensors
