"""What machine code for small eager ops must leave to Python, or do as Python does: corners that once went wrong.

What is right is PyTorch's result, or what Python's functions give without machine code.
"""
import inspect
import os
import subprocess
import sys
import warnings

import pytest

import kobai
import kobai.nn.functional as F
from kobai import op as ops

apply = pytest.importorskip("kobai.backends.apply")
forms = pytest.importorskip("kobai.backends.forms")
try:
    NATIVE = apply.install()
except Exception:  # no LLVM
    NATIVE = False
pytestmark = pytest.mark.skipif(not NATIVE, reason="no machine code here")


@pytest.fixture(autouse=True, params=[True, False], ids=["machine code", "Python"])
def natively(request):
    apply.use(request.param)
    know_nothing()
    yield request.param
    apply.use(True)


def know_nothing():
    """Forget the forms that earlier tests used: a function learns only so many, and two of them may share a place."""
    forms.table[:] = 0
    for form in forms._kept:
        if isinstance(form, forms.Form):
            form.left = forms.MOST_LEARNED


CHANGES = {
    "add_": lambda a, v: a.add_(v), "+=": lambda a, v: a.__iadd__(v), "alpha": lambda a, v: a.add_(v, alpha=2.0),
    "copy_": lambda a, v: a.copy_(v), "slice": lambda a, v: a.__setitem__(slice(None), v), "one": lambda a, v: a.__setitem__(0, v[0]),
    "index_put_": lambda a, v: a.index_put_((kobai.tensor([0, 1, 2]),), v), "lerp_": lambda a, v: a.lerp_(v, 0.5),
    "masked_fill_": lambda a, v: a.masked_fill_(a == 0, v[0]), "fill_": lambda a, v: a.fill_(v[0]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_by_a_view_whose_base_has_a_history_by_now(change):
    """The view does not know yet that its base requires grad: the change was not recorded, and the gradient was lost."""
    for _ in range(4):
        w, base = kobai.ones(4, requires_grad=True), kobai.ones(4)
        view, a = base[:3], kobai.zeros(3)
        base.mul_(w)
        CHANGES[change](a, view)
        assert a.requires_grad and view.requires_grad
        a.sum().backward()
        assert w.grad[0] > 0
    with kobai.no_grad():
        a = kobai.zeros(3)
        CHANGES[change](a, view)
        assert not a.requires_grad and a[0] > 0


def test_what_a_view_whose_base_has_a_history_by_now_refuses():
    w, base = kobai.ones(4, requires_grad=True), kobai.ones(4)
    view = base[:3]
    base.mul_(w)
    with pytest.raises(RuntimeError, match="don't support automatic differentiation"):
        kobai.exp(kobai.ones(3), out=view)
    base = kobai.ones(4)
    view = base[:3]
    base.mul_(w)
    with pytest.raises(BufferError, match="require gradient"):
        view.__dlpack__()


def learned():
    """The ops of each form that is known."""
    return [objects for block, _, objects, _ in (v for v in forms._kept if isinstance(v, tuple)) if block[1]]


def test_a_warning_is_given_each_time_whoever_takes_it(monkeypatch):
    """What stands in the place of warnings.warn is a Python function: forms were learned as if nothing had been said."""
    said, x = [], kobai.ones(3, 5)
    monkeypatch.setattr(warnings, "warn", lambda *args, **kwargs: said.append(args[0]))
    for _ in range(5):
        F.softmax(x)
        F.mse_loss(x, x[:1])
    assert len(said) == 10


def test_what_runs_between_the_ops_counts(natively, monkeypatch):
    """A function through which a program's own code runs is not known by its form."""
    calls, x = [], kobai.ones(3, 7)

    def own(n):
        calls.append(n)
        return n * 2
    monkeypatch.setattr(kobai.ops.shape.math, "prod", lambda sizes: own(21) // 2)
    for _ in range(5):
        assert x.flatten().shape == (21,)
    assert len(calls) == 5


def test_positions_are_known_by_form_and_checked_each_time(natively):
    """gather and index_select look at positions only to say what is wrong with them, which their ops do, too."""
    x, index, count = kobai.arange(35).reshape(5, 7), kobai.tensor([[1, 2]]), len(learned())
    for _ in range(4):
        assert x.gather(1, index).tolist() == [[1, 2]] and x.index_select(0, index[0]).tolist() == x[1:3].tolist()
    assert len(learned()) - count >= 2 * natively
    for wrong in (7, -1):
        with pytest.raises(RuntimeError, match=f"index {wrong} is out of bounds for dimension 1 with size 7"):
            x.gather(1, kobai.tensor([[1, wrong]]))
        with pytest.raises(IndexError, match="index out of range in self"):
            x.index_select(0, kobai.tensor([1, wrong]))
        with pytest.raises(IndexError, match="index out of range in self"):
            kobai.tensor(3.0).index_select(0, kobai.tensor([wrong]))


def test_a_default_dtype_that_comes_back_is_known(natively):
    """Each change of it once made all forms unknown: a program that changes it in each step learned them for ever."""
    x, count = kobai.arange(11), len(learned())
    try:
        for _ in range(20):
            for dtype in (kobai.float64, kobai.float32):
                kobai.set_default_dtype(dtype)
                assert [x.clamp(0.5, 2.5).dtype for _ in range(3)] == [dtype] * 3
    finally:
        kobai.set_default_dtype(kobai.float32)
    assert len(learned()) - count == 2 * natively


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_process_forked_while_another_thread_learns():
    """It waited for a lock for ever, or applied no op by machine code any more."""
    done = subprocess.run([sys.executable, "-c", """
import os, signal, threading, kobai
from kobai import op as ops
from kobai.backends import apply, forms
apply.install()
begun, end = threading.Event(), threading.Event()
def learns():
    noted = forms._Noted()
    with apply._lock:
        noted.begin()
        begun.set()
        end.wait()
        noted.end()
other = threading.Thread(target=learns)
other.start()
begun.wait()
child = os.fork()
if not child:
    signal.alarm(60)
    x = kobai.ones(2, 3)
    for _ in range(4):
        x = x.exp().reshape(3, 2).T
    os._exit(ops.watched[0])
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), ops.watched[0])
end.set()
other.join()
print(ops.watched[0])
"""], capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == ["0", "1", "0"], done.stderr


def test_an_interrupt_while_a_form_is_learned(natively):
    """At any moment at which Python looks for signals: ops were left to Python from then on."""
    sizes, left = iter(range(100, 1000)), 0

    def call(frame, event, arg):
        nonlocal left
        left -= 1
        if not left:
            raise KeyboardInterrupt

    def learn():
        x = kobai.ones(next(sizes), 2)
        x.reshape(-1)
        sys.settrace(call)
        try:
            x.reshape(-1)
        finally:
            sys.settrace(before)
    before, reached = sys.gettrace(), 0
    for at in range(1, 60):
        left = at
        try:
            learn()
        except KeyboardInterrupt:
            reached = at
        assert ops.watched[0] == 0 and sys.getprofile() is None
    assert 5 < reached < 59


def test_forms_that_share_a_place_in_the_table_are_both_known(natively, monkeypatch):
    """Two that drove each other out were learned again and again, until their function learned no more."""
    if not natively:
        pytest.skip("Python has no table")
    places, own, size = {}, forms._slot, 100

    def slot(form):
        found = own(form)
        places.setdefault(found, set()).add(size)
        return found
    monkeypatch.setattr(forms, "_slot", slot)
    while not (shared := [sizes for sizes in places.values() if len(sizes) > 1]):
        size += 1
        if not size % forms.MOST_LEARNED:
            know_nothing()
            places.clear()
        for _ in range(2):
            kobai.ones(size, 2).mT
    count = len(learned())
    for _ in range(6):
        for n in shared[0]:
            assert kobai.ones(n, 2).mT.shape == (2, n)
    assert len(learned()) == count


def test_autocast_reaches_what_functions_are_made_of_when_machine_code_came_first():
    """They call copies of functions then, which ask no machine code: autocast had not heard of these."""
    program = """
import kobai, kobai.backends.apply as apply
x = kobai.ones(2, 2, 2)
attention = kobai.nn.MultiheadAttention(2, 1)
assert apply.install()
with kobai.autocast("cpu"):
    print(kobai.linalg.multi_dot([x[0], x[0], x[0]]).dtype, kobai.einsum("ij,kj->ik", x[0], x[0]).dtype, attention(x, x, x)[0].dtype)
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["torch.bfloat16"] * 3  # as PyTorch 2.13


def test_true_is_a_dimension_wherever_one_is_asked_for(natively):
    """NumPy takes no True as an axis, and machine code does: index_select depended on which of them was asked."""
    x, index = kobai.arange(6).reshape(2, 3), kobai.tensor([1])
    for _ in range(4):
        assert x.index_select(True, index).tolist() == [[1], [4]] and kobai.stack([x, x], True).shape == (2, 2, 3)


def test_ops_in_the_midst_of_leaving_them_to_python(natively, monkeypatch):
    """A finalizer's, or a signal's: they waited for the lock that their own thread had."""
    assert ops._lock.acquire(blocking=False) and ops._lock.acquire(blocking=False)
    ops._lock.release()
    ops._lock.release()

    class Interrupted(list):
        def append(self, who):
            super().append(who)
            if len(self) == 1:
                x = kobai.ones(17, len(seen) + 1)
                seen.append([x.reshape(-1).shape[0] for _ in range(3)])
    seen = []
    monkeypatch.setattr(ops, "_watching", Interrupted())
    x = kobai.ones(19, 2)
    assert [x.reshape(-1).shape[0] for _ in range(4)] == [38] * 4
    assert ops.watched[0] == 0 and bool(seen) == natively and all(v == [17 * (i + 1)] * 3 for i, v in enumerate(seen))


def test_a_traceback_shows_lines_of_the_function(natively):
    """The code of a door and of a function that is being learned stand where the function begins."""
    first, last = (inspect.getsourcelines(kobai.Tensor.unflatten)[1] + d for d in (0, 40))
    for _ in range(4):
        with pytest.raises(RuntimeError) as caught:
            kobai.ones(23).unflatten(0, (2, 3))
        lines = [t.lineno for t in caught.traceback if t.path.name == "shape.py"]
        assert lines and all(first <= n + 1 <= last for n in lines)
