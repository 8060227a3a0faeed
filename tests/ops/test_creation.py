"""Tensors from data and shapes. Expected values: PyTorch 2.13's, or NumPy's."""
import numpy as np
import pytest

import kobai


@pytest.mark.parametrize("data, dtype", [
    (1, kobai.int64), (1.0, kobai.float32), (True, kobai.bool), (1j, kobai.complex64),
    ([1, 2.5], kobai.float32), ([True, 2], kobai.int64), ([1, 1j], kobai.complex64), ([], kobai.float32),
    (np.float64(1), kobai.float64), ([np.float64(1)], kobai.float64), ([np.int32(1), 2], kobai.int64),
    (np.arange(3, dtype=np.int16), kobai.int16), ([kobai.tensor(1.0), 2], kobai.float32), (range(3), kobai.int64),
])
def test_dtype_is_inferred(data, dtype):
    assert kobai.tensor(data).dtype is dtype


def test_default_dtype_decides_about_python_floats():
    kobai.set_default_dtype(kobai.float64)
    try:
        assert kobai.tensor(1.0).dtype is kobai.zeros(1).dtype is kobai.rand(1).dtype is kobai.float64
        assert kobai.tensor(1j).dtype is kobai.complex128
        assert kobai.arange(3).dtype is kobai.int64
    finally:
        kobai.set_default_dtype(kobai.float32)


@pytest.mark.parametrize("data, error, text", [
    ([[1, 2], [3]], ValueError, "expected sequence of length 2 at dim 1 (got 1)"),
    ([[1, 2], [3, 4, 5]], ValueError, "expected sequence of length 2 at dim 1 (got 3)"),
    ([[1, 2], 3], TypeError, "not a sequence"),
    (["a"], ValueError, "too many dimensions 'str'"),
    ("a", TypeError, "new(): invalid data type 'str'"),
    ([1, "a"], TypeError, "new(): invalid data type 'str'"),
    (None, RuntimeError, "Could not infer dtype of NoneType"),
    ([2**63], ValueError, "Overflow when unpacking long long"),
])
def test_bad_data(data, error, text):
    with pytest.raises(error) as e:
        kobai.tensor(data)
    first, *rest = str(e.value).splitlines()
    assert first == text
    assert any("fix:" in line for line in rest), "an error says what to do"


def test_integers_that_do_not_fit():
    with pytest.raises(RuntimeError, match="value cannot be converted to type uint8 without overflow"):
        kobai.tensor([300], dtype=kobai.uint8)
    assert kobai.tensor([-1], dtype=kobai.uint8).tolist() == [255]  # as in PyTorch
    assert kobai.tensor([1.7, -1.7], dtype=kobai.int64).tolist() == [1, -1]


def test_tensor_copies_and_from_numpy_shares():
    a = np.zeros(3)
    copied, shared, same = kobai.tensor(a), kobai.from_numpy(a), kobai.as_tensor(a)
    a[0] = 5
    assert copied.tolist() == [0, 0, 0]
    assert shared.tolist() == same.tolist() == [5, 0, 0]
    shared[1] = 7
    assert a.tolist() == [5, 7, 0]


def test_copy_construction_warns_and_forgets_history():
    x = kobai.ones(2, requires_grad=True)
    with pytest.warns(UserWarning, match="sourceTensor.detach().clone()".replace("(", r"\(").replace(")", r"\)")):
        y = kobai.tensor(x * 2)
    assert not y.requires_grad
    assert y.is_leaf


@pytest.mark.parametrize("args, want", [
    ((5,), [0, 1, 2, 3, 4]), ((1, 4), [1, 2, 3]), ((5, 0, -2), [5, 3, 1]), ((0, 1, 0.25), [0, 0.25, 0.5, 0.75]),
    ((3, 3), []), ((2.5,), [0, 1, 2]),
])
def test_arange(args, want):
    assert kobai.arange(*args).tolist() == want


def test_linspace_is_symmetric_and_ends_at_the_end():
    x = kobai.linspace(-0.3, 0.7, 11)
    assert x[-1].item() == pytest.approx(0.7)
    assert x.dtype is kobai.float32
    y = kobai.linspace(-1, 1, 10)
    assert (y + y.flip(0)).abs().max().item() == 0  # each half is counted from its own end


def test_seeded_numbers_are_pytorchs():
    kobai.manual_seed(0)  # torch.manual_seed(0); torch.rand(3), randn(3), randint(0, 100, (4,)), randperm(6)
    assert kobai.rand(3).tolist() == pytest.approx([0.4963, 0.7682, 0.0885], abs=5e-5)
    kobai.manual_seed(0)
    assert kobai.randn(3).tolist() == pytest.approx([1.5410, -0.2934, -2.1788], abs=5e-5)
    kobai.manual_seed(0)
    assert kobai.randint(0, 100, (4,)).tolist() == [44, 39, 33, 60]
    kobai.manual_seed(0)
    assert kobai.randperm(6).tolist() == [2, 5, 3, 0, 1, 4]


def test_generators_are_apart_from_the_default_one():
    kobai.manual_seed(1)
    state = kobai.get_rng_state()
    a = kobai.rand(2, generator=kobai.Generator().manual_seed(0))
    assert (kobai.get_rng_state() == state).all()
    kobai.manual_seed(0)
    assert (kobai.rand(2) == a).all()


def test_random_fills_write_in_place_and_count_versions():
    x = kobai.zeros(1000)
    view = x[:500]
    before = x._version
    x.uniform_(2, 3)
    assert x._version > before
    assert 2 <= view.min().item() <= view.max().item() < 3
    with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
        kobai.zeros(2, requires_grad=True).normal_()


def test_finfo_and_iinfo():
    assert kobai.finfo(kobai.float32).eps == 2.0**-23
    assert kobai.finfo(kobai.float64).max == np.finfo(float).max
    assert (kobai.iinfo(kobai.int8).min, kobai.iinfo(kobai.int8).max) == (-128, 127)
    with pytest.raises(TypeError, match="Use torch.finfo"):
        kobai.iinfo(kobai.float32)


def test_old_constructors():
    assert kobai.Tensor(2, 3).shape == (2, 3)
    assert kobai.Tensor([2, 3]).tolist() == [2.0, 3.0]
    assert kobai.LongTensor([1.5]).tolist() == [1]
    assert isinstance(kobai.ones(2), kobai.FloatTensor)
    assert not isinstance(kobai.ones(2), kobai.LongTensor)
    assert kobai.arange(2).new([1.5]).dtype is kobai.int64


@pytest.mark.parametrize("name", ["hann_window", "hamming_window", "blackman_window", "bartlett_window"])
def test_windows_are_numpys_when_symmetric(name):
    want = {"hann_window": np.hanning}.get(name) or getattr(np, name.removesuffix("_window"))
    np.testing.assert_allclose(getattr(kobai, name)(9, periodic=False, dtype=kobai.float64), want(9), atol=1e-12)


def test_a_read_only_array_is_copied():
    a = np.frombuffer(b"\x01\x02", np.uint8)
    with pytest.warns(UserWarning, match="not writable"):
        x = kobai.from_numpy(a)
    x.add_(1)
    assert x.tolist() == [2, 3]
    assert a.tolist() == [1, 2]


@pytest.mark.parametrize("start, end, steps, at, number", [  # PyTorch 2.13 on the CPU
    (10, -18, 36, 10, 1), (10, -18, 36, 20, -5), (-53, 43, 37, 18, -4), (3, -19, 21, 10, -7), (0, 10, 4, 1, 3),
])
def test_linspace_of_integers_rounds_once(start, end, steps, at, number):
    y = kobai.linspace(start, end, steps, dtype=kobai.int64)
    assert y[at] == number and y[0] == start and y[-1] == end


def test_named_dimensions_are_gone():
    with pytest.raises(TypeError, match=r"ones\(\) got an unexpected keyword argument 'names'"):
        kobai.ones(2, 3, names=("N", "C"))


@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_arrays_of_other_classes_are_plain_arrays_of_tensors(tmp_path):
    """A np.matrix multiplied as a matrix, and a np.memmap was shared where a copy was asked for."""
    matrix = np.matrix([[1.0, 2.0], [3.0, 4.0]])
    for make in (kobai.tensor, kobai.as_tensor, kobai.from_numpy, kobai.asarray):
        t = make(matrix)
        assert type(t._data) is np.ndarray and (t * t).tolist() == [[1, 4], [9, 16]] and t[0].shape == (2,)
    assert (kobai.ones(2, 2) * matrix).tolist() == matrix.tolist()
    mapped = np.memmap(tmp_path / "numbers", dtype=np.float32, mode="w+", shape=(3, 4))
    shared, copied = kobai.as_tensor(mapped), kobai.tensor(mapped)
    mapped[0, 0] = 7
    assert shared[0, 0] == 7 and copied[0, 0] == 0 and type(shared._data) is type(copied._data) is np.ndarray
    with pytest.raises(ValueError, match="stride in the given numpy array is negative"):
        kobai.from_numpy(mapped[::-1])
    assert kobai.ones(3)[np.matrix([[0, 1]])].shape == (1, 2)
