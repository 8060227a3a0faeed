"""The recorded graph, `backward` and `autograd.grad`: programs run with PyTorch and with kobai."""
import pytest

pytest.importorskip("torch")


# ------------------------------------------------------------------- leaves and flags
def test_leaves(torch):
    a, b = torch.tensor(2.0), torch.tensor(3.0, requires_grad=True)
    c = a * 2
    d = b * 2
    e = d.detach()
    f = torch.ones(2, requires_grad=True).view(2, 1)
    return [(t.is_leaf, t.requires_grad, t.grad_fn, t.output_nr) for t in (a, b, c, d, e, f)]


def test_requires_grad_(torch, attempt):
    a = torch.ones(2)
    b = a.requires_grad_()
    c = b * 2
    out = [a is b, a.requires_grad, attempt(c.requires_grad_, False), attempt(c.requires_grad_, True)]
    out.append(attempt(torch.ones(2, dtype=torch.int64).requires_grad_, False))
    out.append(attempt(torch.ones(2, dtype=torch.complex64).requires_grad_))
    out.append(attempt(torch.tensor, [1], requires_grad=True))
    a.requires_grad = False
    out.append(a.requires_grad)
    out.append(attempt(setattr, c, "requires_grad", False))
    out.append(torch.ones(2, dtype=torch.bool).requires_grad)
    return out


def test_setting_requires_grad_on_a_detached_intermediate(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    h = (x * 3).detach().requires_grad_()
    y = (h ** 2).sum()
    y.backward()
    return h.is_leaf, h.grad, x.grad


def test_integer_results_need_no_grad(torch):
    x = torch.tensor([1.5, -2.0], requires_grad=True)
    return [(x > 0).requires_grad, x.argmax().requires_grad, x.long().requires_grad, x.sort().indices.requires_grad,
            x.sort().values.requires_grad, x.sign(), x.floor(), x.round(), (x == x)]


# ------------------------------------------------------------------- accumulation
def test_accumulates_into_the_same_tensor(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    (x * 2).sum().backward()
    first, p = x.grad, x.grad.data_ptr()
    (x * 3).sum().backward()
    return x.grad is first, x.grad.data_ptr() == p, x.grad, first, x.grad._version


def test_zero_dim_grad_is_the_same_object(torch):
    x = torch.tensor(1.0, requires_grad=True)
    (x * 2).backward()
    first = x.grad
    (x * 3).backward()
    return x.grad is first, first


def test_create_graph_makes_a_new_grad(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    (x ** 2).sum().backward(create_graph=True)
    first = x.grad
    (x ** 3).sum().backward(create_graph=True)
    return x.grad is first, first.detach(), x.grad.requires_grad, x.grad


def test_grad_none_then_create_graph(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    (x ** 3).sum().backward(create_graph=True)
    g = x.grad.sum()
    x.grad = None
    g.backward()
    return x.grad


@pytest.mark.parametrize("how", ["add", "sub", "same", "expand", "sum", "cat", "stack", "grad_arg"])
def test_grads_share_no_memory(torch, how):
    a = torch.ones(3, requires_grad=True)
    b = torch.ones(3, requires_grad=True)
    seed = torch.tensor([1.0, 2.0, 3.0])
    if how == "add":
        (a + b).backward(seed)
    elif how == "sub":
        (a - b).backward(seed)
    elif how == "same":
        (a + a + b).backward(seed)
    elif how == "expand":
        (a.sum() + b.sum()).backward()
    elif how == "sum":
        (a + b).sum().backward()
    elif how == "cat":
        torch.cat([a, b]).sum().backward()
    elif how == "stack":
        torch.stack([a, b]).sum().backward()
    else:
        torch.autograd.backward([a, b], [seed, seed])
    before = seed.clone()
    a.grad.mul_(10)
    return a.grad, b.grad, seed, before


def test_grad_of_the_gradient_argument_is_not_an_alias(torch):
    x = torch.ones(3, requires_grad=True)
    v = torch.tensor([1.0, 2.0, 3.0])
    (x * 1).backward(v)
    x.grad.zero_()
    y = torch.ones(3, requires_grad=True)
    y.backward(v)
    y.grad.zero_()
    return v


def test_grads_returned_by_grad_share_no_memory(torch):
    a, b = torch.ones(3, requires_grad=True), torch.ones(3, requires_grad=True)
    ga, gb = torch.autograd.grad((a + b).sum(), (a, b))
    ga = ga.clone()
    ga += 1
    return ga, gb


def test_strides_of_grads(torch):
    x = torch.ones(2, 3, requires_grad=True)
    (x.t() * torch.arange(6.0).view(3, 2)).sum().backward()
    y = torch.ones(3, 2).t().requires_grad_()
    (y * torch.arange(6.0).view(2, 3)).sum().backward()
    return x.grad, x.grad.is_contiguous(), y.grad


def test_grad_of_an_unused_leaf_is_none(torch):
    x, y = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    x.sum().backward()
    return x.grad, y.grad


def test_assigning_grad(torch, attempt):
    x = torch.ones(2, requires_grad=True)
    x.grad = torch.tensor([1.0, 2.0])
    (x * 2).sum().backward()
    out = [x.grad]
    out.append(attempt(setattr, x, "grad", torch.ones(3)))
    out.append(attempt(setattr, x, "grad", torch.ones(2, dtype=torch.float64)))
    out.append(attempt(setattr, x, "grad", 1.0))
    out.append(attempt(setattr, x, "grad", x))
    del x.grad
    out.append(x.grad)
    return out


def test_zero_grad(torch):
    m = torch.nn.Linear(2, 1)
    m(torch.ones(1, 2)).sum().backward()
    g = m.weight.grad
    m.zero_grad(set_to_none=False)
    kept = m.weight.grad is g, m.weight.grad
    m.zero_grad()
    return kept, m.weight.grad


# ------------------------------------------------------------------- retain_grad
def test_retain_grad(torch, attempt):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    y.retain_grad()
    y.retain_grad()
    z = (y ** 2).sum()
    out = [y.retains_grad, x.retains_grad, z.retains_grad]
    z.backward(retain_graph=True)
    out.append(y.grad.clone())
    z.backward()
    out.append(y.grad)
    out.append(attempt(torch.ones(2).retain_grad))
    x.retain_grad()
    out.append(x.retains_grad)
    return out


def test_retain_grad_of_one_of_several_outputs(torch):
    x = torch.arange(4.0, requires_grad=True)
    a, b = x.split(2)
    a.retain_grad()
    (a * 2 + b * 3).sum().backward()
    return a.grad, x.grad


def test_retained_grad_is_after_the_hooks(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    y.retain_grad()
    y.register_hook(lambda g: g * 10)
    y.sum().backward()
    return y.grad, x.grad


def test_retain_grad_then_in_place(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    y.retain_grad()
    y.mul_(3)
    y.sum().backward()
    return y.grad, x.grad


def test_grad_of_a_nonleaf_warns(torch):
    import warnings
    x = torch.tensor([1.0], requires_grad=True)
    y = x * 2
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        y.grad
        y.retain_grad()
        y.grad
    return len(seen), seen[0].category.__name__, str(seen[0].message)[:60]


# ------------------------------------------------------------------- the graph
def test_names_and_edges(torch):
    x = torch.ones(2, 3, requires_grad=True)
    w = torch.ones(3, 2, requires_grad=True)

    def tree(node):
        return None if node is None else (type(node).__name__, [(tree(n), i) for n, i in node.next_functions])
    a, b = (x @ w).relu().chunk(2)
    return [tree(t.grad_fn) for t in (x * 2, x - 2, x @ w, torch.cat([x, x]), x.sum(1), x[0], a, b,
                                      x.max(1).values, x.expand(4, 2, 3))]


def test_accumulate_grad_is_one_object(torch):
    x = torch.ones(2, requires_grad=True)
    y, z = x * 2, x + 1
    a, b = y.grad_fn.next_functions[0][0], z.grad_fn.next_functions[0][0]
    return a is b, a.variable is x, a.name(), a.next_functions, y.grad_fn.name(), y.grad_fn is y.grad_fn


def test_sequence_of_outputs(torch):
    x = torch.arange(6.0, requires_grad=True)
    parts = x.split(2)
    return [p.output_nr for p in parts], parts[0].grad_fn is parts[1].grad_fn, \
        [(n, i) for n, i in (parts[2] * 2).grad_fn.next_functions]


def test_metadata_and_saved(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x.exp()
    y.grad_fn.metadata["note"] = 3
    z = x * y
    return y.grad_fn.metadata["note"], y.grad_fn._saved_result, z.grad_fn._saved_self, z.grad_fn._saved_other, \
        z.grad_fn._saved_self is x


# ------------------------------------------------------------------- backward
def test_backward_with_gradient(torch, attempt):
    x = torch.ones(2, 2, requires_grad=True)
    y = x * torch.arange(4.0).view(2, 2)
    y.backward(torch.ones(2, 2), retain_graph=True)
    out = [x.grad.clone()]
    out.append(attempt(y.backward))
    out.append(attempt(y.backward, torch.ones(2)))
    out.append(attempt(torch.ones(2).sum().backward))
    out.append(attempt(torch.ones(1, dtype=torch.int64).backward))
    out.append(attempt(y.sum().backward, torch.ones(1)))
    out.append(attempt(y.sum().backward, torch.tensor(2.0, dtype=torch.float64)))
    out.append(x.grad)
    return out


def test_backward_of_one_element(torch):
    x = torch.ones(1, 1, requires_grad=True)
    (x * 3).backward()
    return x.grad


def test_backward_of_a_leaf(torch):
    x = torch.tensor(2.0, requires_grad=True)
    x.backward()
    x.backward()
    return x.grad


def test_second_backward(torch, attempt):
    x = torch.tensor(2.0, requires_grad=True)
    y = x ** 3
    y.backward()
    out = [attempt(y.backward), x.grad]
    z = x + 1  # nothing saved: PyTorch lets it pass
    z.backward()
    z.backward()
    out.append(x.grad)
    out.append(attempt(lambda: y.grad_fn._saved_self))
    return out


def test_second_backward_through_a_shared_part(torch, attempt):
    x = torch.tensor(2.0, requires_grad=True)
    h = x.exp()
    a, b = h * 2, h * 3
    a.backward()
    return attempt(b.backward), x.grad


def test_retain_graph(torch):
    x = torch.tensor(2.0, requires_grad=True)
    y = x ** 3
    y.backward(retain_graph=True)
    y.backward(retain_graph=True)
    y.backward()
    return x.grad


def test_backward_to_inputs(torch, attempt):
    x, w = torch.tensor(2.0, requires_grad=True), torch.tensor(3.0, requires_grad=True)
    y = x * w
    z = y ** 2
    z.backward(inputs=[x], retain_graph=True)
    out = [x.grad, w.grad]
    z.backward(inputs=[y, w], retain_graph=True)
    out += [y.grad, w.grad, x.grad]
    z.backward(inputs=w, retain_graph=True)
    out.append(w.grad)
    out.append(attempt(z.backward, inputs=[]))
    p, q = torch.arange(4.0, requires_grad=True).split(2)
    (p * q).sum().backward(inputs=[q, p])
    out += [p.grad, q.grad]
    return out


def test_backward_of_several(torch, attempt):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    a, b = x.sum(), x * 2
    torch.autograd.backward([a, b], [None, torch.ones(2)])
    out = [x.grad]
    out.append(attempt(torch.autograd.backward, [x.sum(), x * 2], [None]))
    out.append(attempt(torch.autograd.backward, [x.sum(), x * 2]))
    return out


def test_backward_inside_no_grad(torch):
    x = torch.tensor(2.0, requires_grad=True)
    y = x ** 2
    with torch.no_grad():
        y.backward()
    return x.grad, x.grad.requires_grad


# ------------------------------------------------------------------- autograd.grad
def test_grad(torch):
    x, y = torch.tensor(2.0, requires_grad=True), torch.tensor([1.0, 3.0], requires_grad=True)
    z = (x * y ** 2).sum()
    return torch.autograd.grad(z, (x, y)), x.grad, y.grad


def test_grad_unused(torch, attempt):
    x, y = torch.tensor(2.0, requires_grad=True), torch.tensor([1.0, 3.0], requires_grad=True)

    def z():
        return x * 2
    return [attempt(torch.autograd.grad, z(), (x, y)), torch.autograd.grad(z(), (x, y), allow_unused=True),
            torch.autograd.grad(z(), (x, y), materialize_grads=True),
            attempt(torch.autograd.grad, z(), (x, y), allow_unused=False, materialize_grads=True),
            attempt(torch.autograd.grad, z(), torch.tensor(1.0)),
            attempt(torch.autograd.grad, z(), [], ),
            attempt(torch.autograd.grad, torch.tensor(1.0), x)]


def test_grad_of_nonleaf_and_duplicates(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    h = x * 3
    y = (h ** 2).sum()
    return torch.autograd.grad(y, (h, x, h, x))


def test_grad_of_itself(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = (x * 3).sum()
    return torch.autograd.grad(y, (y, x)), torch.autograd.grad(x.sum(), x), torch.autograd.grad(x, x, torch.ones(2))


def test_grad_outputs(torch, attempt):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y, z = x ** 2, x ** 3
    v = torch.tensor([1.0, 10.0])
    out = [torch.autograd.grad(y, x, v, retain_graph=True), torch.autograd.grad((y, z), x, (v, v), retain_graph=True)]
    out.append(torch.autograd.grad((y.sum(), z), x, (None, v), retain_graph=True))
    out.append(attempt(torch.autograd.grad, y, x, torch.ones(3)))
    out.append(attempt(torch.autograd.grad, y, x))
    out.append(attempt(torch.autograd.grad, (y, z), x, (v,)))
    return out


def test_grad_of_one_output_of_several(torch):
    x = torch.arange(6.0, requires_grad=True)
    a, b, c = x.split(2)
    y = (a * b).sum() + (c ** 2).sum()
    return torch.autograd.grad(y, (a, c, b, x))


def test_grad_through_views_of_outputs(torch):
    x = torch.tensor([[3.0, 1.0], [2.0, 5.0]], requires_grad=True)
    v, i = x.sort(1)
    return torch.autograd.grad((v * torch.tensor([1.0, 10.0])).sum(), (v, x)), i


def test_grads_batched(torch):
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x ** 2 * x.sum()
    full = torch.autograd.grad(y, x, torch.eye(3), is_grads_batched=True, retain_graph=True)
    again = torch.autograd.grad(y, x, torch.eye(3), is_grads_batched=True, create_graph=True)
    return full, again[0].shape, torch.autograd.grad(again[0].sum(), x)


def test_grads_batched_unused(torch):
    x, z = torch.tensor([1.0, 2.0], requires_grad=True), torch.ones(3, requires_grad=True)
    return torch.autograd.grad(x ** 2, (x, z), torch.eye(2), is_grads_batched=True, allow_unused=True)


def test_gradient_edges(torch):
    from_edge = torch.autograd.graph.get_gradient_edge
    x = torch.arange(4.0, requires_grad=True)
    h = x ** 2
    a, b = h.split(2)
    y = (a * b).sum()
    e = from_edge(b)
    return torch.autograd.grad(y, (from_edge(h), e, from_edge(x), from_edge(a)), retain_graph=True), e.output_nr, \
        type(from_edge(x).node).__name__


def test_gradient_edge_outputs(torch):
    x = torch.arange(4.0, requires_grad=True)
    h = x ** 2
    e = torch.autograd.graph.get_gradient_edge(h)
    out = torch.autograd.grad(e, x, torch.ones(4), retain_graph=True)
    torch.autograd.backward(e, torch.ones(4), retain_graph=True)
    first = x.grad.clone()
    h.sum().backward(inputs=torch.autograd.graph.get_gradient_edge(x))
    return out, first, x.grad


def test_gradient_edge_errors(torch, attempt):
    return attempt(torch.autograd.graph.get_gradient_edge, torch.ones(2))


def test_grad_does_not_touch_dot_grad(torch):
    x = torch.tensor(2.0, requires_grad=True)
    x.grad = torch.tensor(7.0)
    return torch.autograd.grad(x ** 2, x), x.grad


# ------------------------------------------------------------------- higher orders
def test_third_derivative(torch):
    x = torch.tensor([0.3, 0.7], requires_grad=True)
    y = (x.sin() * x.exp()).sum()
    out = []
    for _ in range(3):
        y, = torch.autograd.grad(y, x, create_graph=True)
        out.append(y)
        y = y.sum()
    return out


def test_gradient_penalty(torch):
    m = torch.nn.Linear(3, 1)
    x = torch.randn(4, 3, requires_grad=True)
    g, = torch.autograd.grad(m(x).tanh().sum(), x, create_graph=True)
    ((g.norm(dim=1) - 1) ** 2).mean().backward()
    return m.weight.grad, m.bias.grad, x.grad


def test_hessian_vector_product(torch):
    x = torch.randn(3, requires_grad=True)
    v = torch.randn(3)
    g, = torch.autograd.grad((x ** 4).sum() * x[0], x, create_graph=True)
    return torch.autograd.grad(g @ v, x)


def test_double_backward_through_the_seed(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    v = torch.tensor([1.0, 1.0], requires_grad=True)
    g, = torch.autograd.grad(x ** 2, x, v, create_graph=True)
    return g, torch.autograd.grad(g.sum(), (x, v))


# ------------------------------------------------------------------- complex
def test_complex_gradients(torch):
    z = torch.tensor([1.0 + 2.0j, -0.5 + 1.0j], requires_grad=True)
    out = []
    for f in (lambda z: (z * z.conj()).real.sum(), lambda z: (z ** 2).real.sum(), lambda z: z.abs().sum(),
              lambda z: z.exp().imag.sum(), lambda z: (z * (2 + 1j)).abs().sum(), lambda z: z.angle().sum(),
              lambda z: (z.real * z.imag).sum(), lambda z: torch.view_as_real(z).pow(2).sum(),
              lambda z: (z.sin() / z).real.sum(), lambda z: torch.abs(z.sum())):
        out.append(torch.autograd.grad(f(z), z)[0])
    return out


def test_complex_and_real_together(torch, attempt):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    z = torch.tensor([1j, 2.0 + 1j], requires_grad=True)
    y = (x * z).abs().sum()
    out = [torch.autograd.grad(y, (x, z)), attempt((x * z).sum().backward), attempt((x * z).backward)]
    (x * z).backward(torch.tensor([1.0 + 1j, 2.0]))
    return [*out, x.grad, z.grad]


def test_complex_second_order(torch):
    z = torch.tensor([1.0 + 2.0j, -0.5 + 1.0j], requires_grad=True)
    g, = torch.autograd.grad((z ** 3).abs().sum(), z, create_graph=True)
    return torch.autograd.grad(g.abs().sum(), z)


# ------------------------------------------------------------------- copies
def test_deepcopy(torch, attempt):
    import copy
    x = torch.ones(2, requires_grad=True)
    (x * 2).sum().backward()
    y = copy.deepcopy(x)
    y.grad.add_(1)
    return attempt(copy.deepcopy, x * 2), y, y.grad, x.grad, y.is_leaf, copy.copy(x).requires_grad


def test_parameters(torch, attempt):
    p = torch.nn.Parameter(torch.ones(2))
    q = torch.nn.Parameter(torch.ones(2), requires_grad=False)
    y = p * 2
    types = [type(t).__name__ for t in (p.detach(), y, p.data, p.clone())]
    return p, q, p.is_leaf, types, isinstance(p, torch.Tensor), p.view(2, 1).requires_grad, \
        attempt(torch.nn.Parameter, torch.ones(2, dtype=torch.int64))


def test_parameter_of_a_nonleaf(torch):
    x = torch.ones(2, requires_grad=True)
    p = torch.nn.Parameter(x * 2)
    (p * 3).sum().backward()
    return p.is_leaf, p.grad, x.grad


# ------------------------------------------------------------------- old names
def test_variable(torch):
    v = torch.autograd.Variable(torch.ones(2), requires_grad=True)
    (v * 2).sum().backward()
    return v, v.grad, isinstance(v, torch.autograd.Variable)
