"""Run every benchmark, one after the other, each in a fresh process."""

import subprocess
import sys

for name in ("encode", "add", "latency", "growth", "retrieval_quality", "calibration", "evidence", "about", "engine"):
    print(f"== {name}", flush=True)
    subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=True)
