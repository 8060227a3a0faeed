"""Files of torch.save are read, and torch.load reads ours."""
import io
import warnings
from collections import OrderedDict

import numpy as np
import pytest

import kobai

torch = pytest.importorskip("torch")

DTYPES = ["float32", "float64", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool", "complex64",
          "complex128"]


def through(save, load, obj, **options):
    f = io.BytesIO()
    save(obj, f)
    f.seek(0)
    return load(f, **options)


def to_kobai(obj, **options):
    return through(torch.save, kobai.load, obj, **options)


def to_torch(obj, **options):
    return through(kobai.save, torch.load, obj, **options)


def numbers(t):
    return t.detach().float().numpy() if "bfloat16" in str(t.dtype) else t.detach().numpy()


@pytest.mark.parametrize("name", DTYPES)
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0, 2)])
def test_every_dtype_both_ways(name, shape):
    theirs = torch.arange(int(np.prod(shape))).reshape(shape).to(getattr(torch, name))
    ours = kobai.arange(int(np.prod(shape))).reshape(shape).to(getattr(kobai, name))
    for got, want in ((to_kobai(theirs), theirs), (to_torch(ours), ours)):
        assert str(got.dtype) == str(want.dtype) and tuple(got.shape) == shape
        assert np.array_equal(numbers(got), numbers(want))


@pytest.mark.parametrize("module, way", [(torch, to_kobai), (kobai, to_torch)])
def test_views_stay_views(module, way):
    base = module.arange(12.0).reshape(3, 4)
    got = way({"base": base, "row": base[1], "t": base.t(), "step": base[:, ::2], "again": base, "copy": base.clone()})
    assert got["again"] is got["base"]
    got["base"][1, 0] = 100
    assert got["row"][0] == 100 and got["t"][0, 1] == 100 and got["step"][1, 0] == 100 and got["copy"][1, 0] == 4
    assert got["t"].stride() == (1, 4) and got["step"].stride() == (4, 2)


@pytest.mark.parametrize("module, way", [(torch, to_kobai), (kobai, to_torch)])
def test_containers(module, way):
    obj = {"list": [1, 2.5, "text", None, True, 1 + 2j], "tuple": (module.ones(1), (module.zeros(1),)), 3: b"bytes",
           "set": {1, 2}, "ordered": OrderedDict(a=1, b=module.ones(2)), "size": module.ones(2, 3).shape,
           "dtype": module.float16, "big": 2 ** 70, "nested": {"x": {"y": [module.ones(1)]}}, "device": module.device("cpu")}
    got = way(obj)
    assert list(got) == list(obj)
    assert got["list"] == obj["list"] and got["set"] == {1, 2} and got[3] == b"bytes" and got["big"] == 2 ** 70
    assert type(got["ordered"]) is OrderedDict and str(got["dtype"]) == "torch.float16" and tuple(got["size"]) == (2, 3)
    assert got["tuple"][1][0].tolist() == [0.0] and str(got["device"]) == "cpu"


@pytest.mark.parametrize("module, way", [(torch, to_kobai), (kobai, to_torch)])
def test_parameters_and_requires_grad(module, way):
    p = module.nn.Parameter(module.tensor([1.0, 2.0]))
    q = module.nn.Parameter(module.ones(1), requires_grad=False)
    x = module.ones(2, requires_grad=True)
    got = way({"p": p, "q": q, "x": x, "y": (x * 2).detach(), "tied": p}, weights_only=True)
    assert type(got["p"]).__name__ == "Parameter" and got["p"].requires_grad and got["tied"] is got["p"]
    assert type(got["q"]).__name__ == "Parameter" and not got["q"].requires_grad
    assert type(got["x"]).__name__ == "Tensor" and got["x"].requires_grad and not got["y"].requires_grad


@pytest.mark.parametrize("module, way", [(torch, to_kobai), (kobai, to_torch)])
def test_attributes_buffers_and_sparse_tensors(module, way):
    t, p, b = module.ones(2), module.nn.Parameter(module.ones(2)), module.nn.Buffer(module.ones(2), persistent=False)
    t.note, p.note = "mine", {"a": [1]}
    s = module.sparse_coo_tensor(module.tensor([[0, 2]]), module.tensor([3.0, 4.0]), (4,))
    got = way({"t": t, "p": p, "b": b, "s": s})
    assert got["t"].note == "mine" and got["p"].note == {"a": [1]} and type(got["p"]).__name__ == "Parameter"
    assert isinstance(got["b"], {torch: kobai, kobai: torch}[module].nn.Buffer) and not got["b"].persistent
    assert got["s"].is_sparse and got["s"].to_dense().tolist() == [3, 0, 4, 0]


def test_conjugate_and_negative_views_of_torch():
    z = torch.tensor([1 + 2j, 3 - 1j])
    assert to_kobai(z.conj()).tolist() == z.conj().tolist()
    assert to_kobai(z.conj().imag).tolist() == z.conj().imag.tolist()


def make(module):
    module.manual_seed(0)
    return module.nn.Sequential(module.nn.Conv2d(1, 2, 3, bias=False), module.nn.BatchNorm2d(2), module.nn.Flatten(),
                                module.nn.Linear(8, 3), module.nn.LSTM(3, 2))


@pytest.mark.parametrize("one, other, way", [(torch, kobai, to_kobai), (kobai, torch, to_torch)])
def test_models_and_optimizers_go_on_in_the_other(one, other, way):
    def step(module, model, opt):
        x = module.arange(32.0).reshape(2, 1, 4, 4) / 32
        opt.zero_grad()
        model(x)[0].pow(2).sum().backward()
        opt.step()
    a, b = make(one), make(other)
    opt_a, opt_b = one.optim.Adam(a.parameters(), 0.1), other.optim.Adam(b.parameters(), 0.1)
    step(one, a, opt_a)
    got = way({"model": a.state_dict(), "opt": opt_a.state_dict(), "epoch": 3})
    b.load_state_dict(got["model"])
    opt_b.load_state_dict(got["opt"])
    step(one, a, opt_a)
    step(other, b, opt_b)
    for (name, p), q in zip(a.state_dict().items(), b.state_dict().values()):
        np.testing.assert_allclose(numbers(p), numbers(q), rtol=2e-3, atol=1e-5, err_msg=name)
    assert got["epoch"] == 3 and list(b.state_dict()) == list(a.state_dict())


def test_each_parameter_counts_its_own_steps():
    m = kobai.nn.Linear(2, 2)
    opt = kobai.optim.Adam(m.parameters())
    m(kobai.ones(1, 2)).sum().backward()
    opt.step()
    a, b = (s["step"] for s in to_torch(opt.state_dict())["state"].values())
    a += 1
    assert (a.item(), b.item()) == (2.0, 1.0)


def test_old_files(tmp_path):
    """The format before PyTorch 1.6."""
    base = torch.arange(6.0).reshape(2, 3)
    torch.save({"a": base, "b": base[1], "c": torch.ones(2, dtype=torch.int64)}, tmp_path / "old.pt",
               _use_new_zipfile_serialization=False)
    got = kobai.load(tmp_path / "old.pt")
    assert got["a"].tolist() == base.tolist() and got["b"].tolist() == [3, 4, 5] and got["c"].tolist() == [1, 1]
    got["a"][1, 0] = 9
    assert got["b"][0] == 9


def test_module_objects_of_ours():
    model = make(kobai)
    f = io.BytesIO()
    kobai.save(model, f)
    f.seek(0)
    with pytest.raises(Exception, match="Weights only load failed"):
        kobai.load(f)
    f.seek(0)
    got = kobai.load(f, weights_only=False)
    assert [n for n, _ in got.named_parameters()] == [n for n, _ in model.named_parameters()]


def test_classes_are_refused_as_in_pytorch():
    import fractions
    f = io.BytesIO()
    torch.save({"x": fractions.Fraction(1, 3)}, f)
    for module in (torch, kobai):
        f.seek(0)
        with pytest.raises(Exception, match="Weights only load failed"):
            module.load(f)
        f.seek(0)
        assert module.load(f, weights_only=False)["x"] == fractions.Fraction(1, 3)
        module.serialization.add_safe_globals([fractions.Fraction])
        f.seek(0)
        assert module.load(f)["x"] == fractions.Fraction(1, 3)
        module.serialization.clear_safe_globals()


def test_map_location_and_the_like(tmp_path):
    torch.save({"a": torch.ones(2)}, tmp_path / "f.pt")
    for option in ({"map_location": "cpu"}, {"map_location": kobai.device("cpu")}, {"map_location": {"cuda:0": "cpu"}},
                   {"map_location": lambda storage, location: storage}, {"mmap": True}, {"weights_only": True}):
        assert kobai.load(tmp_path / "f.pt", **option)["a"].tolist() == [1, 1]
    assert kobai.load(str(tmp_path / "f.pt"))["a"].tolist() == [1, 1]
    with open(tmp_path / "f.pt", "rb") as f:
        assert kobai.load(f)["a"].tolist() == [1, 1]


def test_files_of_a_gpu_load_on_the_cpu(tmp_path):
    """The location stands in the file's pickle; here it is changed by hand."""
    import zipfile
    torch.save(torch.ones(2), tmp_path / "cpu.pt")
    with zipfile.ZipFile(tmp_path / "cpu.pt") as old, zipfile.ZipFile(tmp_path / "gpu.pt", "w") as new:
        for n in old.namelist():
            data = old.read(n)
            new.writestr(n, data.replace(b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0") if n.endswith("pkl") else data)
    assert kobai.load(tmp_path / "gpu.pt", map_location="cpu").tolist() == [1, 1]
    with pytest.raises(RuntimeError, match="Attempting to deserialize object on a CUDA device but "
                                           r"torch.cuda.is_available\(\) is False"):
        kobai.load(tmp_path / "gpu.pt")


@pytest.mark.parametrize("module", [torch, kobai])
def test_what_torch_says_of_broken_files(module, tmp_path):
    (tmp_path / "empty.pt").write_bytes(b"")
    (tmp_path / "text.pt").write_bytes(b"hello world, this is no checkpoint")
    with pytest.raises(EOFError):
        module.load(tmp_path / "empty.pt")
    with pytest.raises(Exception):  # noqa: B017  (each has its own)
        module.load(tmp_path / "text.pt")
    with pytest.raises(FileNotFoundError):
        module.load(tmp_path / "none.pt")


def test_torch_accepts_strides_and_scalars_of_ours():
    x = kobai.arange(24.0).reshape(2, 3, 4).permute(2, 0, 1)
    got = to_torch({"x": x, "s": kobai.tensor(2.5).sum(), "e": kobai.ones(1, 3).expand(4, 3), "f": kobai.arange(3.0).flip(0)})
    assert got["x"].tolist() == x.tolist() and got["s"].item() == 2.5
    assert got["e"].tolist() == [[1.0] * 3] * 4 and got["f"].tolist() == [2.0, 1.0, 0.0]


def test_a_slice_of_something_large_saves_its_whole_storage_as_in_pytorch():
    sizes = []
    for module in (torch, kobai):
        f = io.BytesIO()
        module.save(module.zeros(10_000)[:2], f)
        g = io.BytesIO()
        module.save(module.zeros(10_000)[:2].clone(), g)
        sizes.append((len(f.getvalue()) > 40_000, len(g.getvalue()) < 4_000))
    assert sizes == [(True, True)] * 2


def test_warnings_are_none():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        to_torch({"a": kobai.ones(2)})
        to_kobai({"a": torch.ones(2)})
