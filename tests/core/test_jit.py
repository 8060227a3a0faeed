"""torch.jit as with PYTORCH_JIT=0, storages of files."""
import zipfile

import numpy as np
import pytest

import kobai


def test_marks_and_compilers_give_the_function_itself():
    def f(x):
        return x + 1
    jit = kobai.jit
    for same in (jit.script(f), jit.trace(f, (kobai.ones(1),)), jit.unused(f), jit.export(f), jit.ignore(f), jit.ignore()(f),
                 jit.ignore(drop=True)(f), jit.script_if_tracing(f)):
        assert same is f
    assert not jit.is_scripting() and not jit.is_tracing()
    assert jit.isinstance([1], list[int]) and not jit.isinstance(3, str)
    with pytest.raises(RuntimeError, match="only implemented for modules in eval mode"):
        jit.freeze(kobai.nn.Linear(1, 1))


def test_scripted_modules_are_saved_and_loaded(tmp_path):
    model, x = kobai.nn.Sequential(kobai.nn.Linear(2, 3), kobai.nn.Tanh()), kobai.ones(1, 2)
    for number, scripted in enumerate([kobai.jit.script(model), kobai.jit.trace(model, x)]):
        path = tmp_path / f"{number}.pt"
        scripted.save(str(path))
        loaded = kobai.jit.load(str(path), map_location="cpu")
        assert kobai.equal(loaded(x), model(x)) and loaded is not model
    assert list(model.state_dict()) == ["0.weight", "0.bias"]


def test_archives_of_torchscript_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "m.pt", "w") as archive:
        archive.writestr("m/code/__torch__.py", "")
    with pytest.raises(RuntimeError, match="archive of TorchScript"):
        kobai.jit.load(str(tmp_path / "m.pt"))


@pytest.mark.parametrize("shared", [True, False])
def test_the_storage_of_a_file(tmp_path, shared):
    path = tmp_path / "bytes"
    np.arange(6, dtype=np.float32).tofile(path)
    storage = kobai.UntypedStorage.from_file(str(path), shared, 24)
    x = kobai.asarray(storage[8:], dtype=kobai.uint8).view(kobai.float32)
    assert x.tolist() == [2, 3, 4, 5]
    x[0] = 7.0
    assert np.fromfile(path, np.float32)[2] == (7 if shared else 2)
    assert kobai.asarray(storage[24:], dtype=kobai.uint8).view(kobai.float64).tolist() == []


def test_programs_may_ask_for_scripted_modules():
    """As with PYTORCH_JIT=0: modules and functions stay what they are."""
    jit, nn = kobai.jit, kobai.nn

    class Old(jit.ScriptModule):
        @jit.script_method
        def forward(self, x):
            return x + 1

    layer = jit.script(nn.Linear(1, 1))
    assert type(layer) is nn.Linear and not isinstance(layer, jit.ScriptModule)
    assert not isinstance(jit.script(lambda x: x), jit.ScriptFunction)
    assert Old()(kobai.tensor(1.0)).item() == 2
