"""Tensors that are not small begin at a cache line (64 bytes), and their memory is still theirs alone."""
import copy
import io

import numpy as np
import pytest

import kobai

N = 70  # 70 x 70 float32 are more than `LEAST` bytes


def begins_at(t):
    return t.detach().data_ptr() % 64


MAKERS = {
    "zeros": lambda: kobai.zeros(N, N), "ones": lambda: kobai.ones(N, N), "empty": lambda: kobai.empty(N, N),
    "full": lambda: kobai.full((N, N), 2.5), "zeros_like": lambda: kobai.zeros_like(kobai.zeros(N, N)),
    "new_ones": lambda: kobai.zeros(1).new_ones(N, N), "randn": lambda: kobai.randn(N, N),
    "rand": lambda: kobai.rand(N, N), "arange": lambda: kobai.arange(5000), "tensor": lambda: kobai.tensor(np.ones((N, N))),
    "converted": lambda: kobai.tensor(np.ones((N, N)), dtype=kobai.float32),
    "weight": lambda: kobai.nn.Linear(N, N).weight, "copy": lambda: copy.deepcopy(kobai.nn.Linear(N, N)).weight,
    "bfloat16": lambda: kobai.zeros(2 * N, N, dtype=kobai.bfloat16),
}


@pytest.mark.parametrize("name", MAKERS)
def test_they_begin_at_a_line(name):
    kept = [MAKERS[name]() for _ in range(5)]  # one of them would by chance
    assert [begins_at(t) for t in kept] == [0] * 5


def test_values_and_types_are_those_of_numpy():
    assert kobai.full((N, N), 3, dtype=kobai.int64)._data.tolist() == np.full((N, N), 3).tolist()
    a = np.arange(N * N, dtype=np.float64).reshape(N, N)
    for given in (a, a.T, a[::2, 1:]):
        t = kobai.tensor(given)
        assert t.numpy().tolist() == given.tolist() and t.dtype == kobai.float64
        assert kobai.tensor(given, dtype=kobai.int32).numpy().tolist() == given.tolist()
    assert kobai.zeros(0, 5000).shape == (0, 5000) and kobai.ones(5000, 0).sum() == 0


def test_the_memory_of_views_is_that_of_the_tensor():
    x = kobai.tensor(np.arange(N * N, dtype=np.float32))
    y = x[5:].view(-1)
    assert y.storage_offset() == 5 and y.untyped_storage().nbytes() == N * N * 4
    assert kobai.as_strided(y, (2, 2), (N, 1), 1).tolist() == [[1.0, 2.0], [N + 1.0, N + 2.0]]
    y[0] = -1
    assert x[5] == -1 and x.numpy()[5] == -1


def test_a_saved_tensor_is_as_long_as_its_numbers():
    file = io.BytesIO()
    kobai.save(kobai.zeros(N, N), file)
    assert len(file.getvalue()) < N * N * 4 + 2000
    file.seek(0)
    assert kobai.load(file).tolist() == [[0.0] * N] * N
