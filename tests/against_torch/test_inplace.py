"""Changes in place, views and version counters: programs run with PyTorch and with kobai."""
import pytest

pytest.importorskip("torch")


def vector(torch, n=4):
    return torch.arange(1.0, n + 1, requires_grad=True)


# ------------------------------------------------------------------- history
def test_history_of_a_changed_tensor(torch):
    x = vector(torch)
    y = x * 2
    y.add_(1).mul_(3)
    y += x
    y /= 2
    y.sum().backward()
    return y, x.grad


@pytest.mark.parametrize("op", ["exp_", "sigmoid_", "tanh_", "relu_", "sqrt_", "neg_", "sin_", "reciprocal_", "abs_",
                                "log_", "zero_", "square_", "clamp_", "pow_", "fill_", "div_", "sub_", "addcmul_",
                                "lerp_", "masked_fill_", "copy_", "t_", "unsqueeze_", "transpose_", "cumsum_"])
def test_many_ops(torch, op):
    x = vector(torch).reshape(2, 2)
    x.retain_grad()
    y = x * 0.5
    w = torch.full((2, 2), 1.5, requires_grad=True)
    args = {"clamp_": (0.8, 1.6), "pow_": (3,), "fill_": (2.0,), "div_": (w,), "sub_": (w,), "addcmul_": (w, x),
            "lerp_": (w, 0.3), "masked_fill_": (x > 2, 7.0), "copy_": (w,), "unsqueeze_": (0,), "transpose_": (0, 1),
            "cumsum_": (0,)}
    z = getattr(y, op)(*args.get(op, ()))
    (y * torch.arange(4.0).view(2, 2)).sum().backward()
    return z is y, y.detach(), x.grad, w.grad, y.is_leaf


def test_change_where_the_old_value_is_needed_by_the_change_itself(torch):
    x, w = vector(torch), torch.full((4,), 2.0, requires_grad=True)
    y = x * 1
    y.mul_(w)
    y.add_(y)
    y.mul_(x)
    y.sub_(y.sum())
    y.sum().backward()
    return x.grad, w.grad


# ------------------------------------------------------------------- views
def test_change_of_a_view_reaches_the_base(torch):
    x = vector(torch)
    y = x * 1
    v = y[1:3]
    v.mul_(10)
    out = [y, v.detach(), type(y.grad_fn).__name__]
    (y * x).sum().backward()
    return [*out, x.grad]


def test_change_of_the_base_reaches_views(torch):
    x = vector(torch)
    y = x * 1
    v, t = y[1:3], y.view(2, 2).t()
    y.mul_(x)
    out = [v.detach(), t.detach()]
    (v.sum() + (t * t).sum()).backward()
    return [*out, x.grad]


def test_chains_of_views(torch):
    x = vector(torch, 12)
    y = x * 1
    v = y.view(3, 4)[1:].t().unsqueeze(0)[0, 1:3]
    w = y[2:8]
    v.sin_()
    w.add_(x[:6])
    v.mul_(2)
    y.view(4, 3)[:, 0] += 1
    (y * torch.arange(12.0)).sum().backward()
    return y.detach(), v.detach(), w.detach(), x.grad


def test_base_without_history_gets_one(torch):
    w = vector(torch, 2)
    base = torch.zeros(4)
    v = base[:2]
    v.add_(w)
    base[2:] = w * 2
    out = [base.requires_grad, v.requires_grad, base.is_leaf]
    (base * torch.tensor([1.0, 10.0, 100.0, 1000.0])).sum().backward()
    return [*out, w.grad]


def test_filling_a_buffer_row_by_row(torch):
    w = vector(torch, 2)
    rows = torch.zeros(3, 2)
    for i in range(3):
        rows[i] = w ** i
    rows.sum().backward()
    return w.grad, rows.detach()


def test_view_of_a_view_after_a_change(torch):
    x = vector(torch)
    y = x * 1
    v = y[:2]
    y.mul_(2)
    u = v[0]
    v.mul_(3)
    u.mul_(5)
    y.sum().backward()
    return x.grad, u.detach()


def test_detach_shares_memory_and_version(torch, attempt):
    x = vector(torch)
    y = x * 1
    z = y.exp()
    d = y.detach()
    s = y ** 2
    d.zero_()
    z.sum().backward()
    return y.detach(), attempt(lambda: s.sum().backward()), d.requires_grad, y._version, d._version, x.grad


def test_data_shares_memory_and_no_version(torch):
    x = vector(torch)
    y = x * 1
    s = y ** 2
    y.data.zero_()
    s.sum().backward()
    x.data = torch.zeros(4)
    return x.grad, y.detach(), y._version, x, x.is_leaf


def test_numpy_writes_are_not_noticed(torch):
    x = vector(torch)
    s = x ** 2
    x.detach().numpy()[0] = 100
    s.sum().backward()
    return x.grad


# ------------------------------------------------------------------- errors
def test_leaves(torch, attempt):
    x = vector(torch)
    out = [attempt(lambda: x.add_(1)), attempt(lambda: x[:2].add_(1)), attempt(lambda: x.__setitem__(0, 1.0)),
           attempt(lambda: x.view(2, 2).zero_()), attempt(lambda: x.t_()), attempt(lambda: x.copy_(torch.ones(4)))]

    def iadd():
        nonlocal x
        x += 1
    out.append(attempt(iadd))
    with torch.no_grad():
        x.add_(1)
        x[:2] = 7
        x -= 1
    out += [x, x.is_leaf, x._version]
    return out


@pytest.mark.parametrize("op", ["exp", "sin", "pow", "mul", "tanh", "matmul", "div", "softmax", "max", "cumprod", "norm"])
def test_saved_values(torch, attempt, op):
    x = vector(torch).reshape(2, 2) * 0.5
    w = torch.ones(2, 2, requires_grad=True)
    f = {"exp": lambda: x.exp(), "sin": lambda: x.sin(), "pow": lambda: x ** 2, "mul": lambda: x * w,
         "tanh": lambda: x.tanh(), "matmul": lambda: x @ w, "div": lambda: w / x, "softmax": lambda: x.softmax(1),
         "max": lambda: x.max(1).values, "cumprod": lambda: x.cumprod(0), "norm": lambda: x.norm()}[op]
    y = f()
    if op in ("exp", "tanh", "softmax", "norm"):
        z = f()
        x.add_(1)  # the input is not needed
        out = [op == "norm" or attempt(lambda: z.sum().backward())]
        y.mul_(2)  # the output is
        return [*out, attempt(lambda: y.sum().backward())]
    x.add_(1)
    return [attempt(lambda: y.sum().backward())]


def test_constants_that_were_saved(torch, attempt):
    x, c = vector(torch), torch.ones(4)
    y = x * c
    c.add_(1)
    z = torch.nn.functional.linear(x.view(1, 4), c.view(1, 4))
    c[0] = 3
    return attempt(lambda: y.sum().backward()), attempt(lambda: z.sum().backward())


def test_optimizer_step_between_forward_and_backward(torch, attempt):
    m = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 1))
    opt = torch.optim.SGD(m.parameters(), lr=0.1)
    y = m(torch.ones(1, 2))
    y.sum().backward(retain_graph=True)
    opt.step()
    return attempt(lambda: y.sum().backward())


def test_shapes(torch, attempt):
    x = torch.ones(3)
    return [attempt(lambda: x.add_(torch.ones(2, 3))), attempt(lambda: x.mul_(torch.ones(2))),
            attempt(lambda: torch.ones(3).expand(2, 3).add_(1)), attempt(lambda: torch.ones(2, dtype=torch.int64).add_(1.5)),
            attempt(lambda: torch.ones(2, dtype=torch.int64).div_(2)), attempt(lambda: x.exp_().shape == (3,)),
            attempt(lambda: torch.ones(2).copy_(torch.ones(3)))]


# ------------------------------------------------------------------- setitem and friends
@pytest.mark.parametrize("key", [0, slice(1, 3), (slice(None), 1), "mask", "list", "newaxis", "tensor", "pair", "neg"])
def test_setitem(torch, key):
    x = torch.arange(12.0).reshape(3, 4).requires_grad_()
    y = x * 1
    keys = {"mask": x > 5, "list": [0, 2], "newaxis": (None, 1), "tensor": torch.tensor([2, 0]),
            "pair": (torch.tensor([0, 1]), torch.tensor([3, 3])), "neg": (Ellipsis, slice(0, 4, 2))}
    k = keys.get(key, key) if isinstance(key, str) else key
    v = torch.full_like(y[k].detach(), 2.0).requires_grad_()
    y[k] = v * 3
    out = [y]
    (y * torch.arange(12.0).reshape(3, 4)).sum().backward()
    return [*out, x.grad, v.grad]


def test_setitem_broadcasts_and_casts(torch):
    x, v = vector(torch), torch.tensor(5.0, requires_grad=True, dtype=torch.float64)
    y = x * 1
    y[1:] = v
    y[0] = 3
    (y * x).sum().backward()
    return y, x.grad, v.grad


def test_index_ops(torch):
    x, v = torch.arange(12.0).reshape(3, 4).requires_grad_(), torch.ones(2, 4, requires_grad=True)
    i = torch.tensor([0, 2])
    out = []
    for name, args in (("index_add_", (0, i, v)), ("index_copy_", (0, i, v)), ("index_fill_", (0, i, 3.0)),
                       ("index_put_", ((i,), v)), ("index_put_", ((i,), v, True)),
                       ("scatter_", (0, torch.zeros(2, 4, dtype=torch.int64), v)),
                       ("scatter_add_", (0, torch.ones(2, 4, dtype=torch.int64), v)),
                       ("masked_scatter_", (x.detach() > 3, v.expand(4, 2, 4)[0:2].reshape(4, 4)))):
        y = x * 1
        getattr(y, name)(*args)
        out.append((y.detach(), torch.autograd.grad((y * x.detach()).sum(), (x, v), allow_unused=True)))
    return out


def test_copy_(torch):
    x, v = vector(torch), torch.full((1,), 3.0, requires_grad=True)
    y = x * 1
    y.copy_(v)
    y[:2].copy_(x[2:])
    (y * torch.arange(4.0)).sum().backward()
    return x.grad, v.grad


def test_versions(torch):
    x = torch.zeros(4)
    v = x[:2]
    out = [x._version]
    x.add_(1)
    v.add_(1)
    out += [x._version, v._version]
    x[0] = 1
    x.detach().mul_(2)
    out += [x._version, v._version]
    x.data.mul_(2)
    torch.add(x, 1, out=x)
    return [*out, x._version]


def test_views_know_their_base(torch):
    x = torch.zeros(4)
    v = x.view(2, 2)[0]
    return v._base is x, v._is_view(), x._is_view(), x._base, x.detach()._is_view(), x.clone()._is_view()


def test_running_statistics_under_no_grad(torch):
    x = torch.randn(5, 3, requires_grad=True)
    mean = torch.zeros(3)
    for _ in range(2):
        m = x.mean(0)
        with torch.no_grad():
            mean.mul_(0.9).add_(m * 0.1)
        (x - mean).pow(2).sum().backward()
    return x.grad, mean


def test_hidden_state_in_place(torch):
    w = torch.eye(2, requires_grad=True)
    h, outs = torch.ones(2), []
    for _ in range(3):
        h = h @ w
        h[0] = h[0] * 2
        outs.append(h.clone())
    torch.stack(outs).sum().backward()
    return w.grad


def test_relu_inplace_in_a_network(torch):
    m = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.ReLU(inplace=True), torch.nn.Linear(3, 1))
    m(torch.randn(4, 3)).sum().backward()
    return [p.grad for p in m.parameters()]


def test_swap_of_parameters(torch):
    m = torch.nn.Linear(2, 1)
    with torch.no_grad():
        for p in m.parameters():
            p.copy_(torch.ones_like(p))
            p.data.mul_(3)
            p.data[...] = p.data + 1
    m(torch.ones(1, 2)).backward()
    return m.weight, m.bias, m.weight.grad
