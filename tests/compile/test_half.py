"""Half precision in compiled programs: each op computes in float32 and rounds once, as eagerly and as PyTorch does.

The references are float64, computed from the same rounded numbers.
"""
import numpy as np
import pytest

import kobai
import kobai.nn.functional as F

ROWS, COLS = 17, 1100
DTYPES = {"float16": 2.0**-11, "bfloat16": 2.0**-8}
OPS = {
    "cumsum": lambda x: x.cumsum(-1),
    "cumsum back": lambda x: x.flip(1).cumsum(1),
    "nansum": lambda x: kobai.nansum(x, -1),
    "logcumsumexp": lambda x: x.logcumsumexp(-1),
    "std": lambda x: x.std(),
    "var": lambda x: x.var(-1),
    "layer_norm": lambda x: F.layer_norm(x, (COLS,), x[0], x[1]),
    "group_norm": lambda x: F.group_norm(x, 11),
    "batch_norm": lambda x: F.batch_norm(x, None, None, training=True),
    "avg_pool": lambda x: F.avg_pool1d(x[None], 5),
    "index_add": lambda x: kobai.zeros(2, COLS, dtype=x.dtype).index_add(0, kobai.zeros(ROWS, dtype=kobai.int64), x),
    "scatter_add": lambda x: kobai.zeros(ROWS, 3, dtype=x.dtype).scatter_add(1, kobai.zeros(ROWS, COLS, dtype=kobai.int64), x),
    "column": lambda x: x[:, :30] @ x[0, :30, None],
    "small product": lambda x: x[:5, :40] @ x[5:9, :40].T,
    "small products": lambda x: kobai.bmm(x[None, :5, :40], x[None, 5:9, :40].mT),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", OPS)
def test_results_are_rounded_once(name, dtype):
    rng = np.random.default_rng(0)
    x = kobai.tensor(rng.standard_normal((ROWS, COLS)) + 0.25).to(getattr(kobai, dtype))
    exact = OPS[name](x.double()).numpy()
    run = kobai.compile(OPS[name])
    for y in (run(x), run(x), OPS[name](x)):
        assert y.dtype == x.dtype
        error = np.abs(y.double().numpy() - exact)
        assert (error <= 1.01 * DTYPES[dtype] * np.abs(exact) + 1e-5).all(), float(error.max())


@pytest.mark.parametrize("dtype", DTYPES)
def test_without_machine_code(dtype):
    """Where none is to be had, as on a CPU without instructions for float16, the graph itself is computed."""
    rng = np.random.default_rng(1)
    x = kobai.tensor(rng.standard_normal((ROWS, COLS))).to(getattr(kobai, dtype))
    run = kobai.compile(OPS["layer_norm"])
    run(x)
    run(x)
    y, = run._last.plan.interpret([x._data])
    exact = OPS["layer_norm"](x.double()).numpy()
    assert (np.abs(y.astype(float) - exact) <= 1.01 * DTYPES[dtype] * np.abs(exact) + 1e-5).all()


@pytest.mark.parametrize("size", [1, 3000])
@pytest.mark.parametrize("dtype", DTYPES)
def test_what_replaces_infinities_is_finite(dtype, size):
    """The largest numbers are those of the dtype; compiled, numbers of bfloat16 were left as they were."""
    x = kobai.tensor([float("nan"), float("inf"), -float("inf"), 2.0]).to(getattr(kobai, dtype)).repeat(size)
    most = kobai.finfo(x.dtype).max
    run = kobai.compile(kobai.nan_to_num)
    for y in (run(x), run(x), kobai.nan_to_num(x)):
        assert y[-4:].tolist() == [0, most, -most, 2]
    assert kobai.nan_to_num(x, 1, posinf=5)[-4:].tolist() == [1, 5, -most, 2]
