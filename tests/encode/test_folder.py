from __future__ import annotations

import importlib.util
import json
import shutil

import numpy as np
import pytest

from similia.encode import StaticEncoder, TransformerEncoder, load
from similia.encode.folder import from_folder, prompts_of
from similia.errors import ModelError


@pytest.fixture
def model(write_model, tmp_path):
    return write_model(tmp_path / "model").folder


def change(path, **entries):
    path.write_text(json.dumps({**json.loads(path.read_text()), **entries}))


def test_a_folder_says_how_its_model_is_used(model):
    settings = load(str(model)).settings
    assert (settings.max_tokens, settings.pooling, settings.normalise, settings.dimension) == (12, "mean", True, 16)
    assert dict(settings.prompts) == {}


@pytest.mark.parametrize(("pooling", "normalise"), [("cls", True), ("mean", False)])
def test_pooling_and_normalisation_are_read(write_model, tmp_path, pooling, normalise):
    settings = load(str(write_model(tmp_path / "m", pooling=pooling, normalise=normalise).folder)).settings
    assert (settings.pooling, settings.normalise) == (pooling, normalise)


def test_the_new_way_of_writing_pooling_is_read(model):
    (model / "1_Pooling" / "config.json").write_text('{"embedding_dimension": 16, "pooling_mode": "cls"}')
    settings = load(str(model)).settings
    assert (settings.pooling, settings.dimension) == ("cls", 16)


def test_a_bare_onnx_folder_is_taken_with_mean_pooling(model):
    for name in (
        "modules.json",
        "1_Pooling/config.json",
        "sentence_bert_config.json",
        "config_sentence_transformers.json",
    ):
        (model / name).unlink()
    (model / "onnx" / "model.onnx").rename(model / "model_O3.onnx")
    encoder = load(str(model))
    assert (encoder.settings.pooling, encoder.settings.normalise, encoder.settings.max_tokens) == ("mean", True, 512)
    assert np.linalg.norm(encoder.encode(["a cat"]).vectors) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"prompts": {"query": "q: ", "document": "d: "}}, {"query": "q: ", "item": "d: "}),
        ({"prompts": {"query": "q: ", "passage": "p: "}}, {"query": "q: ", "item": "p: "}),
        ({"prompts": {"query": "q: ", "document": ""}}, {"query": "q: "}),
        ({"prompts": {"x": "x: "}, "default_prompt_name": "x"}, {"query": "x: ", "item": "x: "}),
        ({"prompts": {"x": "x: "}}, {}),
        ({"prompts": None}, {}),
    ],
)
def test_prompts_are_taken_by_side(tmp_path, config, expected):
    (tmp_path / "config_sentence_transformers.json").write_text(json.dumps(config))
    assert prompts_of(tmp_path) == expected


def test_the_length_is_the_least_that_is_stated(model):
    change(model / "config.json", max_position_embeddings=10)
    (model / "tokenizer_config.json").write_text('{"model_max_length": 1e30}')
    assert load(str(model)).settings.max_tokens == 10


def test_weights_outside_the_onnx_file_count_for_the_fingerprint(model):
    before = load(str(model)).fingerprint
    data = model / "onnx" / "model.onnx_data"
    data.write_bytes(b"one")
    one = load(str(model)).fingerprint
    data.write_bytes(b"other")
    assert len({before, one, load(str(model)).fingerprint}) == 3


def test_a_moved_folder_keeps_its_fingerprint(model, tmp_path):
    moved = shutil.copytree(model, tmp_path / "elsewhere")
    assert load(str(moved)).fingerprint == load(str(model)).fingerprint


def unusual_layer(folder):
    modules = json.loads((folder / "modules.json").read_text())
    (folder / "modules.json").write_text(json.dumps([*modules, {"type": "sentence_transformers.models.Dense"}]))


def unusual_pooling(folder):
    change(folder / "1_Pooling" / "config.json", pooling_mode_max_tokens=True)


def unusual_case(folder):
    change(folder / "sentence_bert_config.json", do_lower_case=True)


def no_onnx(folder):
    shutil.rmtree(folder / "onnx")
    (folder / "model.safetensors").write_bytes(b"weights")


@pytest.mark.skipif(importlib.util.find_spec("sentence_transformers") is not None, reason="the extra is installed")
@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (unusual_layer, "has a Dense layer"),
        (unusual_pooling, "pooling_mode_max_tokens"),
        (unusual_case, "lower-cases"),
        (no_onnx, "has no ONNX file"),
    ],
)
def test_what_only_pytorch_can_run_says_so(model, harm, reason):
    harm(model)
    with pytest.raises(ModelError, match=reason) as caught:
        load(str(model))
    assert "pip install 'similia[learn]'" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [("modules.json", "{"), ("modules.json", "[1]"), ("config.json", "nonsense"), ("tokenizer.json", "{}")],
)
def test_damaged_files_are_named(model, name, content):
    (model / name).write_text(content)
    with pytest.raises(ModelError, match=name):
        load(str(model)).encode(["a cat"])


def test_a_folder_without_a_dimension_is_refused(model):
    (model / "1_Pooling" / "config.json").unlink()
    (model / "config.json").write_text("{}")
    with pytest.raises(ModelError, match="hidden_size"):
        load(str(model))


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(ModelError, match="holds no model"):
        load(str(tmp_path))


def test_a_static_folder_that_lacks_its_table_is_refused(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "model2vec"}')
    with pytest.raises(ModelError, match=r"lacks tokenizer\.json"):
        load(str(tmp_path))


def test_a_name_can_be_given(model):
    assert from_folder(model, name="hub:a/b").name == "hub:a/b"
    assert load(str(model)).name == str(model)
    assert isinstance(load(str(model)), TransformerEncoder)
    assert not isinstance(load(str(model)), StaticEncoder)
