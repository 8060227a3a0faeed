"""autograd.Function in all its forms: programs run with PyTorch and with kobai."""
import pytest

pytest.importorskip("torch")


def square(torch, **more):
    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            x, = ctx.saved_tensors
            return 2 * x * g
    return Square


def test_plain(torch):
    x = torch.tensor([1.0, 3.0], requires_grad=True)
    y = square(torch).apply(x)
    out = [y, y.is_leaf, type(y.grad_fn).__name__, y.grad_fn.name(), type(y.grad_fn.next_functions[0][0]).__name__]
    y.sum().backward()
    return [*out, x.grad, square(torch).apply(torch.ones(2)), square(torch).apply(x.detach()).grad_fn]


def test_double_backward(torch):
    x = torch.tensor([1.0, 3.0], requires_grad=True)
    y = square(torch).apply(x).sum()
    g, = torch.autograd.grad(y, x, create_graph=True)
    h, = torch.autograd.grad(g.sum(), x)
    return g.detach(), g.requires_grad, h


def test_saving_the_output(torch):
    class Exp(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            y = x.exp()
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx, g):
            y, = ctx.saved_tensors
            return g * y
    x = torch.tensor([0.5, 1.0], requires_grad=True)
    y = Exp.apply(x)
    g, = torch.autograd.grad(y.sum(), x, create_graph=True)
    h, = torch.autograd.grad(g.sum(), x, create_graph=True)
    return g.detach(), h.detach(), torch.autograd.grad(h.sum(), x)


def test_saving_an_intermediate(torch):
    class SinSquare(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            s = x.sin()
            ctx.save_for_backward(s, x)
            return s * s

        @staticmethod
        def backward(ctx, g):
            s, x = ctx.saved_tensors
            return g * 2 * s * x.cos()
    x = torch.tensor([0.5, 1.0], requires_grad=True)
    SinSquare.apply(x).sum().backward()
    return x.grad


def test_several_inputs_and_outputs(torch):
    log = []

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, a, n, b, text="t"):
            ctx.n = n
            ctx.save_for_backward(a, b)
            log.append(ctx.needs_input_grad)
            return a * n, a + b, "text", b

        @staticmethod
        def backward(ctx, ga, gs, gt, gb):
            a, b = ctx.saved_tensors
            log.append((ctx.needs_input_grad, ga.clone(), gs.clone(), gt, gb.clone()))
            return ga * ctx.n + gs, None, gs + gb, None
    a, b = torch.tensor([1.0, 2.0], requires_grad=True), torch.tensor([3.0, 4.0])
    p, q, t, r = F.apply(a, 5, b)
    (p.sum() + q.sum() * 2).backward()
    out = [p, q, t, r, a.grad, b.grad]
    b.requires_grad_()
    p, q, t, r = F.apply(a, 5, b, "x")
    (r * 3).sum().backward()
    return [*out, r.requires_grad, r is b, a.grad, b.grad, log, p.output_nr, q.output_nr, r.output_nr,
            p.grad_fn is q.grad_fn]


def test_returning_the_input(torch):
    class Same(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x

        @staticmethod
        def backward(ctx, g):
            return -g
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = Same.apply(x)
    y.sum().backward()
    v = Same.apply(x.view(2, 1))
    return y is x, type(y.grad_fn).__name__, x.grad, v.data_ptr() == x.data_ptr(), v.requires_grad


def test_gradient_reversal(torch):
    class Reverse(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, alpha):
            ctx.alpha = alpha
            return x.view_as(x)

        @staticmethod
        def backward(ctx, g):
            return g.neg() * ctx.alpha, None
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    (Reverse.apply(x, 0.5) * 3).sum().backward()
    return x.grad


def test_mark_dirty(torch, attempt):
    class Double(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            x.mul_(2)
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 2
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 1
    before = y._version
    z = Double.apply(y)
    (y * 3).sum().backward()
    out = [z is y, y, x.grad, y._version - before, type(y.grad_fn).__name__]
    plain = torch.ones(2)
    Double.apply(plain)
    out += [plain, plain.requires_grad]
    out.append(attempt(Double.apply, x))
    h = (x * 1)
    e = h.exp()
    s = h ** 2
    Double.apply(h)
    out.append(attempt(s.sum().backward))
    e.sum().backward()
    return out


def test_mark_dirty_on_a_view(torch):
    class Zero(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            x.zero_()
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 0
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x * 2
    Zero.apply(y[1:])
    y.sum().backward()
    return x.grad, y.detach()


def test_mark_non_differentiable(torch):
    class Split(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            mask = (x > 1).float()
            index = x.argmax()
            ctx.mark_non_differentiable(mask, index)
            return x * 2, mask, index

        @staticmethod
        def backward(ctx, g, g_mask, g_index):
            return g * 2 + g_mask
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y, mask, index = Split.apply(x)
    y.sum().backward()
    return y.requires_grad, mask.requires_grad, index, x.grad


def test_integer_outputs_need_no_mark(torch):
    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2, x.long()

        @staticmethod
        def backward(ctx, g, gi):
            return g * 2
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y, i = F.apply(x)
    y.sum().backward()
    return i, x.grad


@pytest.mark.parametrize("materialize", [True, False])
def test_materialize_grads(torch, materialize):
    log = []

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(materialize)
            return x * 2, x * 3

        @staticmethod
        def backward(ctx, a, b):
            log.append((a, b))
            return (a if a is not None else 0) + (b if b is not None else 0)
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    F.apply(x)[1].sum().backward()
    return log, x.grad


def test_needs_input_grad(torch):
    log = []

    class Mul(torch.autograd.Function):
        @staticmethod
        def forward(ctx, a, b):
            ctx.save_for_backward(a, b)
            return a * b

        @staticmethod
        def backward(ctx, g):
            log.append(ctx.needs_input_grad)
            a, b = ctx.saved_tensors
            return (g * b if ctx.needs_input_grad[0] else None), (g * a if ctx.needs_input_grad[1] else None)
    a, b = torch.ones(2, requires_grad=True), torch.ones(2)
    Mul.apply(a, b).sum().backward()
    Mul.apply(b, a).sum().backward()
    Mul.apply(a, a).sum().backward()
    with torch.no_grad():
        y = Mul.apply(a, b)
    return log, a.grad, y.requires_grad


def test_once_differentiable(torch, attempt):
    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x ** 3

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx, g):
            x, = ctx.saved_tensors
            return 3 * x ** 2 * g
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    F.apply(x).sum().backward()
    g, = torch.autograd.grad(F.apply(x).sum(), x, create_graph=True)
    return x.grad, g.requires_grad, attempt(g.sum().backward)


def test_setup_context(torch):
    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(x, n):
            return x ** n, x * 2

        @staticmethod
        def setup_context(ctx, inputs, output):
            x, ctx.n = inputs
            ctx.save_for_backward(x, output[0])

        @staticmethod
        def backward(ctx, g, h):
            x, y = ctx.saved_tensors
            return g * ctx.n * y / x + 2 * h, None
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    a, b = Cube.apply(x, 3)
    (a + b).sum().backward()
    return x.grad, a.detach()


def test_errors_of_counts_and_shapes(torch, attempt):
    def with_result(result, inputs=1):
        class F(torch.autograd.Function):
            @staticmethod
            def forward(ctx, *args):
                return args[0] * 2

            @staticmethod
            def backward(ctx, g):
                return result(g)
        x = torch.ones(2, requires_grad=True)
        out = attempt(lambda: F.apply(x, *[3] * (inputs - 1)).sum().backward())
        return out, x.grad
    return [with_result(lambda g: (g, g)), with_result(lambda g: (g, None)), with_result(lambda g: (g, None, None)),
            with_result(lambda g: g, 2), with_result(lambda g: (g, g), 2), with_result(lambda g: None),
            with_result(lambda g: g.sum()), with_result(lambda g: torch.ones(3)), with_result(lambda g: torch.ones(4, 2)),
            with_result(lambda g: g.double()), with_result(lambda g: 3.0)]


def test_wrong_definitions(torch, attempt):
    class NoForward(torch.autograd.Function):
        pass

    class NoBackward(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2
    x = torch.ones(1, requires_grad=True)
    return [attempt(NoForward.apply, x), attempt(lambda: NoBackward.apply(x).backward()),
            NoBackward.apply(x.detach())]


def test_save_for_backward_errors(torch, attempt):
    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, what):
            ctx.save_for_backward(what)
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g, ctx.saved_tensors[0]
    x = torch.ones(1, requires_grad=True)
    y = F.apply(x, None)
    y.backward()
    return attempt(F.apply, x, 3), x.grad, attempt(lambda: y.grad_fn.saved_tensors)


def test_second_backward(torch, attempt):
    x = torch.ones(1, requires_grad=True)
    y = square(torch).apply(x)
    y.backward(retain_graph=True)
    y.backward()
    return x.grad, attempt(y.backward), attempt(lambda: y.grad_fn.saved_tensors)


def test_changed_after_saving(torch, attempt):
    x = torch.ones(2, requires_grad=True)
    h = x * 2
    y = square(torch).apply(h)
    h.add_(1)
    return attempt(y.sum().backward)


def test_view_outputs(torch, attempt):
    class View(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.view(-1)

        @staticmethod
        def backward(ctx, g):
            return g.view(2, 2) * 10
    x = torch.ones(2, 2, requires_grad=True)
    y = View.apply(x)
    y.sum().backward()
    return y.data_ptr() == x.data_ptr(), x.grad


def test_in_place_on_an_output(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = square(torch).apply(x)
    y.mul_(10)
    y.sum().backward()
    return x.grad


def test_tensors_in_containers_are_not_tracked(torch):
    log = []

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, ts):
            log.append(ctx.needs_input_grad)
            return ts[0] * 2

        @staticmethod
        def backward(ctx, g):
            return None
    x = torch.ones(1, requires_grad=True)
    return F.apply([x]).requires_grad, log


def test_outputs_in_lists(torch):
    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return [x * 2, x * 3]

        @staticmethod
        def backward(ctx, *gs):
            return gs[0] * 2 + gs[1] * 3
    x = torch.ones(1, requires_grad=True)
    out = F.apply(x)
    return type(out).__name__, len(out)


def test_attributes_on_ctx(torch):
    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.shape, ctx.list = x.shape, [1, 2]
            return x.sum()

        @staticmethod
        def backward(ctx, g):
            assert ctx.list == [1, 2]
            return g.expand(ctx.shape)
    x = torch.ones(2, 3, requires_grad=True)
    y = F.apply(x)
    y.backward()
    return x.grad, y.grad_fn.list


def test_inside_a_network(torch):
    class Ste(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return (x > 0).float()

        @staticmethod
        def backward(ctx, g):
            return torch.nn.functional.hardtanh(g)
    m = torch.nn.Linear(3, 2)
    Ste.apply(m(torch.randn(4, 3))).sum().backward()
    return m.weight.grad, m.bias.grad


def test_backward_through_functions_inside_backward(torch):
    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            with torch.enable_grad():
                x = x.detach().requires_grad_()
                y = x ** 3
            ctx.x, ctx.y = x, y
            return y.detach()

        @staticmethod
        def backward(ctx, g):
            out, = torch.autograd.grad(ctx.y, ctx.x, g)
            return out
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    F.apply(x).sum().backward()
    return x.grad


def test_forward_mode(torch):
    import importlib
    fwad = importlib.import_module(torch.__name__ + ".autograd.forward_ad")

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            ctx.save_for_forward(x, y)
            ctx.save_for_backward(x, y)
            return x * y, x + y

        @staticmethod
        def backward(ctx, g, h):
            x, y = ctx.saved_tensors
            return g * y + h, g * x + h

        @staticmethod
        def jvp(ctx, tx, ty):
            x, y = ctx.saved_tensors
            tx = torch.zeros_like(x) if tx is None else tx
            ty = torch.zeros_like(y) if ty is None else ty
            return tx * y + x * ty, tx + ty
    with fwad.dual_level():
        x = fwad.make_dual(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 0.5]))
        a, b = F.apply(x, torch.tensor([3.0, 4.0]))
        return fwad.unpack_dual(a).tangent, fwad.unpack_dual(b)


@pytest.mark.parametrize("how", ["generate", "static"])
def test_vmap(torch, how):
    class F(torch.autograd.Function):
        generate_vmap_rule = how == "generate"

        @staticmethod
        def forward(x, y):
            return x * y

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(*inputs)

        @staticmethod
        def backward(ctx, g):
            x, y = ctx.saved_tensors
            return g * y, g * x
    if how == "static":
        def vmap(info, in_dims, x, y):
            x = x.movedim(in_dims[0], 0) if in_dims[0] is not None else x
            y = y.movedim(in_dims[1], 0) if in_dims[1] is not None else y
            return F.apply(x, y), 0
        F.vmap = staticmethod(vmap)
    x, y = torch.randn(3, 2), torch.randn(2)
    out = torch.func.vmap(F.apply, in_dims=(0, None))(x, y)
    g = torch.func.vmap(torch.func.grad(lambda x, y: F.apply(x, y).sum()), in_dims=(0, None))(x, y)
    return out, g


def test_under_func_grad(torch):
    class F(torch.autograd.Function):
        @staticmethod
        def forward(x):
            return x ** 3

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(*inputs)

        @staticmethod
        def backward(ctx, g):
            x, = ctx.saved_tensors
            return 3 * x ** 2 * g
    x = torch.tensor(2.0)
    f = torch.func.grad(F.apply)
    return f(x), torch.func.grad(f)(x)


def test_is_traceable_names(torch):
    import importlib
    m = importlib.import_module(torch.__name__ + ".autograd.function")
    return [hasattr(m, n) for n in ("Function", "FunctionCtx", "once_differentiable", "InplaceFunction",
                                    "NestedIOFunction", "BackwardCFunction")]
