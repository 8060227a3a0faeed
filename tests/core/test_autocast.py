"""torch.autocast on the CPU: which function computes in which dtype. The expected dtypes are PyTorch 2.13's."""
import inspect
import threading

import pytest

import kobai
from kobai.amp import custom_bwd, custom_fwd

F, bf16, f32 = kobai.nn.functional, kobai.bfloat16, kobai.float32
A, V, IMAGE = kobai.ones(2, 2), kobai.ones(2), kobai.ones(1, 2, 4)
Half, ONE = kobai.ones(2, 2, dtype=bf16), kobai.ones(1)

CASES = {
    "mm": (lambda: A @ A, bf16), "vector": (lambda: V @ V, bf16), "linear": (lambda: F.linear(A, A, V), bf16),
    "conv1d": (lambda: F.conv1d(IMAGE, kobai.ones(2, 2, 3)), bf16), "einsum": (lambda: kobai.einsum("ij,jk", A, A), bf16),
    "attention": (lambda: F.scaled_dot_product_attention(IMAGE, IMAGE, IMAGE), bf16),
    "outer": (lambda: kobai.einsum("i,j->ij", V, V), f32), "mv": (lambda: kobai.mv(A, V), f32),
    "softmax": (lambda: Half.softmax(0), bf16), "layer_norm": (lambda: F.layer_norm(Half, (2,), V, V), bf16),
    "mse": (lambda: F.mse_loss(Half, A), f32), "cross entropy": (lambda: F.cross_entropy(Half, kobai.tensor([0, 1])), f32),
    "prod": (lambda: Half.prod(), f32), "sum": (lambda: Half.sum(), bf16), "cat": (lambda: kobai.cat([Half, A]), f32),
    "index_copy": (lambda: Half[0].index_copy(0, kobai.tensor([0]), ONE), f32), "double": (lambda: A.double() @ A.double(), kobai.float64),
    "pad": (lambda: F.pad(Half[None], (1, 1), mode="reflect"), f32), "pad with zeros": (lambda: F.pad(Half, (1, 1)), bf16),
    "fft": (lambda: kobai.fft.fft(Half).real, f32), "solve": (lambda: kobai.linalg.inv(kobai.eye(2, dtype=bf16)), f32),
    "LSTM": (lambda: kobai.nn.LSTM(2, 3)(IMAGE.mT)[0], bf16), "GRU": (lambda: kobai.nn.GRU(2, 3)(IMAGE.mT)[0], f32),
    "LSTMCell": (lambda: kobai.nn.LSTMCell(2, 3)(A)[0], f32),
}


@pytest.mark.parametrize("name", CASES)
def test_dtypes(name):
    program, expected = CASES[name]
    with kobai.autocast("cpu"):
        assert program().dtype is expected


def test_outside_everything_is_as_before():
    with kobai.autocast("cpu"):
        pass
    assert (A @ A).dtype is f32
    assert list(inspect.signature(F.linear).parameters) == ["input", "weight", "bias"]
    with kobai.autocast("cpu"), kobai.autocast("cpu", enabled=False):
        assert (A @ A).dtype is f32
        assert not kobai.is_autocast_enabled("cpu")


def test_weights_are_cast_once_and_keep_their_dtype():
    layer = kobai.nn.Linear(2, 2)
    with kobai.autocast("cpu"):
        first, second = layer(A), layer(A)
    casts = [[e for e, _ in y.grad_fn.next_functions if e is not None][0] for y in (first, second)]
    assert casts[0] is casts[1]
    (first + second).sum().backward()
    assert layer.weight.grad.dtype is f32
    assert layer.weight.grad.tolist() == [[4, 4], [4, 4]]


def test_a_weight_that_was_changed_is_cast_again():
    w = kobai.ones(2, 2, requires_grad=True)
    with kobai.autocast("cpu"):
        assert (A @ w).sum().item() == 8
        with kobai.no_grad():
            w.mul_(2)
        assert (A @ w).sum().item() == 16


def test_a_weight_cast_without_grad_is_no_constant_later():
    """PyTorch's cache gives the graph-less weight again; here it is cast anew."""
    w = kobai.ones(2, 2, requires_grad=True)
    with kobai.autocast("cpu"):
        with kobai.no_grad():
            A @ w
        assert (A @ w).requires_grad


def test_only_this_thread_is_concerned():
    found = []
    with kobai.autocast("cpu"):
        thread = threading.Thread(target=lambda: found.append((A @ A).dtype))
        thread.start()
        thread.join()
    assert found == [f32]


def test_decorator_and_float16():
    @kobai.autocast("cpu", dtype=kobai.float16)
    def f():
        return A @ A, kobai.get_autocast_dtype("cpu")
    assert f()[0].dtype is kobai.float16
    assert f()[1] is kobai.float16
    assert kobai.get_autocast_dtype("cpu") is bf16


def test_other_dtypes_and_devices_are_refused_as_in_pytorch():
    with pytest.warns(UserWarning, match="the target dtype is not supported. Disabling autocast"), \
            kobai.autocast("cpu", dtype=kobai.float64):
        assert (A @ A).dtype is f32
    with pytest.warns(UserWarning, match="CUDA is not available"):
        kobai.autocast("cuda")
    with pytest.raises(ValueError, match="Expected `device_type` of type `str`"):
        kobai.autocast(3)
    with pytest.warns(FutureWarning, match="deprecated"):
        kobai.cpu.amp.autocast()


def test_functions_choose_their_own_dtype():
    class Square(kobai.autograd.Function):
        @staticmethod
        @custom_fwd(device_type="cpu", cast_inputs=f32)
        def forward(ctx, x):
            ctx.save_for_backward(x)
            ctx.inside = kobai.is_autocast_enabled("cpu")
            seen.append((x.dtype, ctx.inside))
            return x @ x

        @staticmethod
        @custom_bwd(device_type="cpu")
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            seen.append((g @ x).dtype)
            return g @ x.T + x.T @ g
    seen, x = [], kobai.ones(2, 2, dtype=bf16, requires_grad=True)
    with kobai.autocast("cpu"):
        Square.apply(x).sum().backward()
    assert seen == [(f32, False), f32]
    assert x.grad.dtype is bf16


def test_a_step_with_autocast_and_scaler_trains():
    kobai.manual_seed(0)
    model = kobai.nn.Sequential(kobai.nn.Linear(4, 16), kobai.nn.ReLU(), kobai.nn.Linear(16, 1))
    optimizer, scaler = kobai.optim.Adam(model.parameters(), lr=0.02), kobai.amp.GradScaler("cpu")
    x = kobai.randn(64, 4)
    y = x.sum(1, keepdim=True).tanh()
    losses = []
    for _ in range(60):
        optimizer.zero_grad()
        with kobai.autocast("cpu", dtype=kobai.float16):
            loss = F.mse_loss(model(x), y)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        losses.append(loss.item())
    assert loss.dtype is f32
    assert losses[-1] < losses[0] / 10
