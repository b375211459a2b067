"""Every path that this processor can run against NumPy, in processes of their own; forcing, caching, heaps."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from similia.errors import InputError
from similia.index.kernels import PATHS, features, usable

pytest.importorskip("numba")
AVX2 = {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+64bit,+sse4.2,+ssse3,+popcnt,+avx,+avx2,+fma,+bmi,+bmi2"}
PLAIN = {"NUMBA_CPU_NAME": "generic"}
X86 = platform.machine() in ("x86_64", "AMD64")


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("SIMILIA_", "NUMBA_CPU"))}
    return subprocess.run(
        [sys.executable, *command], env=kept | environment, capture_output=True, text=True, timeout=250, check=False
    )


@pytest.mark.slow
@pytest.mark.parametrize("asked", [*PATHS, "no AVX-512", "no AVX"])
def test_a_path_gives_the_integers_of_numpy(asked, tmp_path):
    if asked in PATHS:
        if not features._NEEDED[asked] <= features.target_features():
            pytest.skip(f"this processor has no {asked}")
        environment, expected = {"SIMILIA_KERNELS": asked}, asked
    else:
        if not X86 or (asked == "no AVX-512" and "avx2" not in features.target_features()):
            pytest.skip("for a processor with AVX2")
        environment, expected = (AVX2, "avx2") if asked == "no AVX-512" else (PLAIN, "llvm")
    script = str(Path(__file__).with_name("agreement.py"))
    done = run(script, **environment, NUMBA_CACHE_DIR=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [expected]


@pytest.mark.parametrize("mixed", [True, False])
def test_the_arm_path_compiles_to_its_dot_products(mixed):
    from llvmlite import binding, ir

    from similia.index.kernels import emit

    binding.initialize_all_targets()
    binding.initialize_all_asmprinters()
    try:
        target = binding.Target.from_triple("aarch64-unknown-linux-gnu")
    except RuntimeError:
        pytest.skip("this LLVM makes no code for ARM")
    module = ir.Module()
    built = ir.Function(module, ir.FunctionType(emit.I32, [emit.I64, emit.I64]), "built")
    builder, products = ir.IRBuilder(built.append_basic_block()), emit.Arm(mixed)
    x, q = built.args
    sums = products.step(builder, products.start(), products.rows(builder, x), products.repeated(builder, q))
    builder.ret(products.total(builder, sums))
    machine = target.create_target_machine(features="+neon,+dotprod,+i8mm" if mixed else "+neon,+dotprod")
    assembly = machine.emit_assembly(binding.parse_assembly(str(module)))
    assert assembly.count("usdot" if mixed else "\tsdot") == (4 if mixed else 12)


def test_a_path_that_is_not_there_is_refused():
    done = run("-c", "from similia.index.kernels import path; path()", SIMILIA_KERNELS="mmx")
    assert "InputError: SIMILIA_KERNELS is 'mmx'; kernels can be compiled here for" in done.stderr


def test_none_switches_compiled_code_off_and_looking_imports_nothing():
    look = "import sys; from similia.index.kernels import usable; print(usable(), 'numba' in sys.modules)"
    assert run("-c", look, SIMILIA_KERNELS="none").stdout.split() == ["False", "False"]
    assert run("-c", look).stdout.split() == ["True", "False"]
    assert usable()


@pytest.mark.parametrize("make", ["dot_u8s8", "dot_f32", "hamming"])
def test_lengths_that_do_not_fit_are_refused(make):
    from similia.index.kernels import dots

    for length in (0, -64, 60):
        with pytest.raises(InputError, match=make):
            getattr(dots, make)(length)


KEEP = """
import numpy as np
from similia.index.kernels.heap import drain
drain(np.zeros(3, np.int32), np.arange(3), 3)
print(sum(drain.stats.cache_hits.values()))
"""


def test_kernels_are_compiled_once_a_machine(tmp_path):
    hits = [run("-c", KEEP, NUMBA_CACHE_DIR=str(tmp_path)).stdout.split() for _ in range(2)]
    assert hits == [["0"], ["1"]]
    assert [part.name for part in tmp_path.iterdir()] == ["similia"]


def test_a_folder_that_cannot_be_written_breaks_nothing(tmp_path):
    blocked = tmp_path / "file"
    blocked.touch()
    done = run("-c", KEEP, NUMBA_CACHE_DIR=str(blocked / "below"), HOME=str(blocked), XDG_CACHE_HOME=str(blocked))
    assert done.returncode == 0, done.stderr


def test_a_folder_that_is_gone_by_the_time_of_writing_breaks_nothing(tmp_path):
    gone = "import shutil, sys; shutil.rmtree(sys.argv[1]); open(sys.argv[1], 'w').close()"
    lines = KEEP.replace("drain(np", f"{gone}\ndrain(np", 1)
    done = run("-c", lines, str(tmp_path / "cache"), NUMBA_CACHE_DIR=str(tmp_path / "cache"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "cache").is_file()


@settings(max_examples=60, deadline=None)
@given(scores=st.lists(st.integers(-5, 5), max_size=60), size=st.integers(1, 20))
def test_a_heap_keeps_the_best_and_of_equal_ones_the_first(scores, size):
    from similia.index.kernels.heap import drain, push

    kept, items, count = np.empty(size, np.int32), np.empty(size, np.int64), 0
    for item, score in enumerate(scores):
        if count < size or score > kept[0]:
            count = push(kept, items, count, score, item)
    drain(kept, items, count)
    best = sorted(range(len(scores)), key=lambda item: (-scores[item], item))[:size]
    assert (items[:count].tolist(), kept[:count].tolist()) == (best, [scores[item] for item in best])
