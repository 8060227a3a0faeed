"""Write down what TensorFlow computes for the cases of these tests.

    python tests/tensorflow/record.py        (with tensorflow 2.21 installed; CUDA_VISIBLE_DEVICES= TF_ENABLE_ONEDNN_OPTS=0)

Of large arrays the record holds some elements and the sum. What TensorFlow refuses is left out.
"""
import json
import os
import sys

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
KEPT = 12  # elements of each array


def digest(a):
    """What the record holds of an array: dtype, shape, some elements, and the sum of all."""
    if a is None:
        return None
    a = np.asarray(a)
    flat = a.reshape(-1)
    some = flat[:: max(len(flat) // KEPT, 1)][:KEPT]
    wide = some.astype(np.complex128 if a.dtype.kind == "c" else np.float64)
    total = flat.astype(wide.dtype).sum()
    return {"dtype": a.dtype.name, "shape": list(a.shape), "some": _plain(wide), "sum": _plain(np.array([total]))}


def _plain(values):
    if values.dtype.kind == "c":
        return [[float(v.real), float(v.imag)] for v in values]
    return [float(f"{v:.7g}") if np.isfinite(v) else repr(float(v)) for v in values]


def main():
    import tensorflow as tf
    sys.path.insert(0, HERE)
    import cases_of_keras
    import cases_of_operations

    found = {}
    for expression, names in cases_of_operations.CASES:
        try:
            parts = cases_of_operations.evaluate(tf, expression, names)
        except Exception as e:
            print("left out:", expression, names, type(e).__name__)
            continue
        found[f"{expression} of {' '.join(names)}"] = [[digest(a) for a in p] for p in parts]
    for key, run in cases_of_keras.all_cases():
        try:
            *parts, about = run(tf)
        except Exception as e:
            print("left out:", key, type(e).__name__, str(e)[:100])
            continue
        found[key] = [[digest(a) for a in p] for p in parts] + [about]
    with open(os.path.join(HERE, "record.json"), "w", encoding="utf-8") as file:
        file.write("{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v, separators=(',', ':'))}" for k, v in found.items())
                   + "\n}\n")


if __name__ == "__main__":
    main()
