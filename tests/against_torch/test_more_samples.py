"""Samples of PyTorch's own op database other than those of the shared records: another seed, more for each dtype.

The conformance suite (record.py and replay.py) is looked for as .ci/run does. To look for more, by hand:

    KOBAI_SAMPLES=all KOBAI_SALT=tuesday python -m pytest tests/against_torch/test_more_samples.py
"""
import json
import os
import pathlib
import subprocess
import sys

import pytest

pytest.importorskip("torch")
ROOT = pathlib.Path(__file__).parents[2]
PLACES = [os.environ.get("CONFORMANCE"), ROOT / "shared" / "conformance", ROOT.parent / "shared" / "conformance"]
SUITE = next((pathlib.Path(p) for p in PLACES if p and (pathlib.Path(p) / "record.py").exists()), None)

# A few of each kind; all contain "in", which is what record.py is asked for.
OPS = ["einsum", "index_add", "index_put", "index_reduce.mean", "inner", "linalg.inv", "linalg.qr", "linalg.solve", "linspace",
       "linalg.vector_norm", "minimum", "nn.functional.binary_cross_entropy", "nn.functional.linear", "sinc", "unbind",
       "nn.functional.cosine_similarity"]
# What is known to differ, with the reason in docs/differences.md or in the test of the op.
KNOWN = {"linspace", "as_strided_scatter", "chalf", "special.bessel_j0", "special.bessel_y1", "scatter_reduce.amax",
         "scatter_reduce.amin"}

RECORD = """
import sys
sys.path.insert(0, sys.argv.pop(1))
salt, chosen = sys.argv.pop(1), sys.argv.pop(1)
import record
seed = record.seed
record.seed = lambda text: seed(text + salt)
if chosen != "all":
    record.op_db = [op for op in record.op_db if record.full_name(op) in chosen.split()]
record.main()
"""


@pytest.mark.skipif(SUITE is None, reason="no conformance suite: set CONFORMANCE to the folder with record.py")
def test_other_samples_of_the_op_database(tmp_path):
    records, result = tmp_path / "records.npz", tmp_path / "result.json"
    chosen = os.environ.get("KOBAI_SAMPLES", " ".join(OPS))
    only = [] if chosen == "all" else ["--only", "in"]
    run("-c", RECORD, SUITE, os.environ.get("KOBAI_SALT", "other"), chosen, "--out", records, "--per-dtype", "8", "--second", "2", *only)
    run(SUITE / "replay.py", records, "--package", "kobai", "--path", ROOT / "src", "--json", result)
    entries = json.loads(result.read_text())["entries"]
    assert len(entries) >= len(OPS)
    wrong = [f"{e['name']}: {e['status']} {e['why']}" for e in entries if e["status"] != "pass" and e["name"] not in KNOWN]
    assert not wrong, "\n".join(wrong)


def run(*command):
    done = subprocess.run([sys.executable, *map(str, command)], capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-2000:]
