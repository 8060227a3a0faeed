"""save and load: what comes back, shared memory, damaged files, what may be made."""
import io
import pickle

import numpy as np
import pytest

import kobai
from kobai import nn


def round_trip(obj, **options):
    file = io.BytesIO()
    kobai.save(obj, file)
    file.seek(0)
    return kobai.load(file, **options)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16", "int64", "int32", "int16", "int8",
                                   "uint8", "bool", "complex64", "complex128"])
def test_every_dtype(dtype):
    x = kobai.tensor([0, 1, 3]).to(getattr(kobai, dtype))
    y = round_trip({"x": x})["x"]
    assert y.dtype == x.dtype and y.tolist() == x.tolist()


@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (1,), (2, 1, 3)])
def test_every_shape(shape):
    x = kobai.ones(shape)
    assert round_trip(x).shape == x.shape


def test_views_share_their_memory_again():
    x = kobai.arange(12.0).reshape(3, 4)
    whole, row, turned = round_trip([x, x[1], x.T])
    whole[1, 2] = 100
    assert row[2] == 100 and turned[2, 1] == 100 and turned.stride() == (1, 4)


def test_parameters_and_containers():
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    p = nn.Parameter(kobai.ones(2), requires_grad=False)
    back = round_trip({"model": model.state_dict(), "p": p, "more": (1, [2.5, "text", None, {3}], kobai.float32)})
    assert list(back["model"]) == list(model.state_dict())
    assert isinstance(back["p"], nn.Parameter) and not back["p"].requires_grad
    assert back["more"] == (1, [2.5, "text", None, {3}], kobai.float32)
    model.load_state_dict(back["model"])


def test_a_flipped_bit_is_an_error():
    """facts: PyTorch loads such a file silently as a wrong number."""
    file = io.BytesIO()
    kobai.save(kobai.tensor([1.0, 5.0]), file)
    raw = bytearray(file.getvalue())
    raw[raw.find(np.float32(5).tobytes()) + 2] ^= 1
    with pytest.raises(RuntimeError, match="(?s)PytorchStreamReader failed.*damaged"):
        kobai.load(io.BytesIO(raw))
    with pytest.raises(RuntimeError, match="PytorchStreamReader failed"):
        kobai.load(io.BytesIO(raw[:100]))


def test_no_flipped_bit_goes_unnoticed():
    """Whatever bit of the file is wrong: an error, or the same values (times and the like)."""
    w = {"w": kobai.arange(6.0).reshape(2, 3), "step": kobai.tensor(7), "name": "net"}
    file = io.BytesIO()
    kobai.save(w, file)
    good, noticed = file.getvalue(), 0
    for place in range(0, len(good), 3):
        raw = bytearray(good)
        raw[place] ^= 1 << place % 8
        try:
            got = kobai.load(io.BytesIO(raw))
        except Exception:  # which one depends on the place
            noticed += 1
        else:
            assert got["w"].equal(w["w"]) and got["step"].equal(w["step"]) and got["name"] == "net"
    assert noticed > len(good) / 6


@pytest.mark.parametrize("offset, size, stride", [(0, (100,), (1,)), (2, (3,), (1,)), (0, (2,), (4,)), (0, (2,), (-1,)),
                                                  (-1, (2,), (1,)), (0, (2, 2), (1,))])
def test_a_tensor_must_lie_within_its_storage(offset, size, stride):
    """A file that was made on purpose has right checksums; it must not reach other memory either."""
    from kobai.pickled import _rebuild_tensor
    with pytest.raises(RuntimeError, match="the file is damaged"):
        _rebuild_tensor(np.zeros(4, np.float32), offset, size, stride)


def test_an_empty_file(tmp_path):
    (tmp_path / "empty.pt").write_bytes(b"")
    with pytest.raises(EOFError, match="Ran out of input"):
        kobai.load(tmp_path / "empty.pt")


def test_safe_globals():
    file = io.BytesIO()
    kobai.save(Payload(), file)
    with kobai.serialization.safe_globals([Payload]):
        file.seek(0)
        assert isinstance(kobai.load(file), Payload)
    file.seek(0)
    with pytest.raises(pickle.UnpicklingError):
        kobai.load(file)


class Payload:
    pass


def test_only_data_is_loaded_unless_asked():
    file = io.BytesIO()
    kobai.save(Payload(), file)
    file.seek(0)
    with pytest.raises(pickle.UnpicklingError, match="Weights only load failed"):
        kobai.load(file)
    file.seek(0)
    assert isinstance(kobai.load(file, weights_only=False), Payload)


def test_a_failed_save_leaves_the_old_file(tmp_path):
    path = tmp_path / "model.pt"
    kobai.save(kobai.ones(2), path)
    with pytest.raises(Exception, match="pickle"):
        kobai.save({"x": kobai.ones(2), "bad": lambda: 0}, path)
    assert kobai.load(path).tolist() == [1, 1] and [f.name for f in tmp_path.iterdir()] == ["model.pt"]
