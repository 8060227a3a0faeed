"""Programs that random search (test_random_text.py) found to be otherwise when compiled, as small as they could be made.

The expected results are those of the same function run eagerly.
"""

import pytest
from eager_and_compiled import attempt, check, xs

import kobai as torch
import kobai.nn.functional as F
from kobai import nn

T = torch.tensor


def case_constant_that_the_caller_changes(compile):
    f = compile(lambda x: (T([1., 2.]), torch.ones_like(x)))
    out = []
    for x in xs():
        a, b = f(x)
        out += [a.clone(), b.clone()]
        a.add_(1)
        b.mul_(3)
    return out


def case_constant_beside_gradients(compile):
    w = torch.randn(3, 3, requires_grad=True)
    f, out = compile(lambda: (w @ w, torch.ones_like(w))), []
    for _ in range(8):
        a, b = f()
        out += [a, b.clone()]
        b.add_(1)
    return out


def case_gradient_replaced(compile):
    w = torch.randn(3, requires_grad=True)
    f, out = compile(lambda x: (x * 2, w.grad)), []
    for i, x in enumerate(xs(12)):
        if i > 3:
            w.grad = torch.ones(3) * i if i % 4 else None
        out.append([v if v is None else v.clone() for v in f(x)])
    return out


def case_whether_there_is_a_gradient(compile):
    w = torch.randn(3, requires_grad=True)

    def f(x):
        return x * 2 if w.grad is None else x * 3
    f, out = compile(f), []
    for i, x in enumerate(xs(16)):
        if i % 4 == 3:
            w.grad = None if i % 8 == 3 else torch.ones(3)
        out.append(f(x))
    return out


def case_gradient_of_an_argument(compile):
    f, out = compile(lambda x: x.grad * 2), []
    for i in range(6):
        x = torch.ones(2, requires_grad=True)
        x.grad = torch.ones(2) * i
        out.append(f(x))
    return out


def case_argument_on_the_array_of_a_parameter(compile):
    w = torch.randn(3, 3)

    def f(x):
        y = w.sum() * 2
        x[1:] = x[:-1].clone()
        return y
    f, out = compile(f), []
    for i, x in enumerate(xs(10, (3, 3))):
        out += [f(w.data if i in (0, 1, 5) else x), w.clone()]
    return out


def case_argument_that_is_a_variable_too(compile):
    w = torch.randn(3)
    f = compile(lambda x: x + w * 2)
    return [f(w if i < 4 else x) for i, x in enumerate(xs())]


def case_two_variables_on_one_array(compile):
    w = torch.randn(3)
    v = w.data
    f, out = compile(lambda x: x * w + v), []
    for i, x in enumerate(xs()):
        if i == 5:
            w.data = torch.ones(3)
        out.append(f(x))
    return out


def case_shape_of_a_tensor_it_does_not_compute_with(compile):
    w = torch.randn(3, 3)
    f, out = compile(lambda x: x.sum() + torch.ones_like(w).sum() + w.shape[0]), []
    for i, x in enumerate(xs()):
        if i == 5:
            w.data = torch.randn(4, 3)
        out.append(attempt(f, x))
    return out


def case_normal_in_half_precision(compile):
    f = compile(lambda x: torch.empty_like(x, dtype=torch.bfloat16).normal_() + x)
    return [[f(x), torch.rand(1)] for x in xs(6, (18,))]


def case_normal_of_a_number(compile):
    f = compile(lambda x: x + torch.empty_like(x).normal_() * 0.1)
    return [f(x) for x in torch.randn(6)]


def case_transform_around_a_graph(compile):
    w = torch.randn(3, requires_grad=True)
    f = compile(lambda x: torch.func.vmap(torch.func.grad(lambda q: (q ** 3).sum()))(w * x))
    return [(y, torch.autograd.grad(y.sum(), w)[0]) for x in xs() for y in [f(x)]]


def case_hessian_at_a_parameter(compile):
    w = torch.randn(3, requires_grad=True)
    f = compile(lambda x: torch.func.hessian(lambda q: (q ** 3 * x).sum())(w))
    return [(y, torch.autograd.grad(y.sum(), w)[0]) for x in xs() for y in [f(x)]]


def case_history_of_a_buffer_that_had_one(compile):
    w, buffer = torch.randn(3, requires_grad=True), torch.zeros(3)
    f, out = compile(lambda x: buffer.sub_(w, alpha=0.1)), []
    for i, x in enumerate(xs(9)):
        f(x if i < 4 else x.sum())
        out += [buffer.detach().clone(), buffer._version]
    return out


def case_set(compile):
    def f(x, y):
        x.set_(torch.stack([x, y]))
    f, out = compile(f), []
    for x in xs():
        f(x, x + 1)
        out.append(x)
    return out


def case_parameter_made_of_a_tensor(compile):
    w = torch.randn(3)
    f, out = compile(lambda x: nn.Parameter(w.detach()) * x), []
    for i, x in enumerate(xs()):
        if i == 5:
            w.data = torch.ones(3)
        out.append(f(x))
    return out


def case_made_unseen_and_kept(compile):
    def f(x):
        places = torch.nonzero_static(x > 0, size=2)
        return places, places + 1
    f = compile(f)
    return [f(x) for x in xs()]


def case_variable_that_gets_another_history(compile):
    w = torch.randn(3, requires_grad=True)
    u = w * 2
    f, out = compile(lambda x: u * x), []
    for i, x in enumerate(xs(10)):
        if i % 3 == 2:
            u.mul_(-1)
        y = f(x)
        out += [y, torch.autograd.grad(y.sum(), w, retain_graph=True)[0]]
    return out


def case_backward_that_would_fail(compile):
    w = torch.randn(3, 3, requires_grad=True)

    def f(x):
        y = w.amax(0)
        y.flatten()[0] = 3.0
        return y + x
    f = compile(f)
    return [[y, attempt(torch.autograd.grad, y.sum(), w)] for x in xs() for y in [f(x)]]


def case_view_written_beside_gradients(compile):
    w = torch.randn(3, 3, requires_grad=True)

    def f(x):
        a = x < 0.2
        b = a.t()
        b[..., -1] = x[0, 0]
        return b, w * x, a
    f = compile(f)
    return [[*y, torch.autograd.grad(y[1].sum(), w)[0]] for x in xs(8, (3, 3)) for y in [f(x)]]


def case_normal_in_another_order(compile):
    f = compile(lambda x: [x.repeat_interleave(2, 0).normal_(), x.t().contiguous().t().clone().uniform_(), x.t().normal_() * 1])
    return [f(x) for x in xs(6, (2, 3))]


def case_argument_computed_from_a_parameter(compile):
    w = torch.randn(3, requires_grad=True)
    f, out = compile(lambda x: x.sin() + w * w * 0.5), []
    for i in range(8):
        g, = torch.autograd.grad(f(w[i % 3]).sin().sum(), w, create_graph=True)
        out += [g, torch.autograd.grad(g.square().sum(), w)[0]]
    return out


def case_results_on_one_memory(compile):
    def f(x):
        y = x * 2
        return y[1], y.view(-1), y, y.detach(), y.t()
    f, out = compile(f), []
    for x in xs(6, (2, 3)):
        y = f(x)
        y[1].add_(1)
        out.append(y)
    return out


def case_results_side_by_side(compile):
    f = compile(lambda x: (x * 2).chunk(2, 1))
    return [f(x) for x in xs(6, (3, 6))]


def one_cycle(make):
    """A case of training with OneCycleLR, which changes the momentum on each step too."""
    def case(compile):
        m = nn.Linear(3, 2)
        opt = make(m.parameters())
        scheduler = torch.optim.lr_scheduler.OneCycleLR(opt, max_lr=0.1, total_steps=14)

        def f(x):
            opt.zero_grad()
            loss = m(x).square().sum()
            loss.backward()
            opt.step()
            return loss
        f, out = compile(f), []
        for x in xs(13):
            out.append(f(x))
            scheduler.step()
        return out, m.weight
    return case


case_one_cycle_sgd = one_cycle(lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9))
case_one_cycle_nesterov = one_cycle(lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.1))
case_one_cycle_adam = one_cycle(lambda p: torch.optim.Adam(p, lr=0.1))
case_one_cycle_adamw = one_cycle(lambda p: torch.optim.AdamW(p, lr=0.1))
case_one_cycle_rmsprop = one_cycle(lambda p: torch.optim.RMSprop(p, lr=0.1, momentum=0.9))


def case_momentum_that_is_set(compile):
    w = torch.randn(3, requires_grad=True)
    opt = torch.optim.SGD([w], lr=0.1, momentum=0.5)

    def f(x):
        opt.zero_grad()
        (w * x).sum().backward()
        opt.step()
    f, out = compile(f), []
    for i, x in enumerate(xs(16)):
        if i in (4, 6, 9, 12):
            opt.param_groups[0]["momentum"] = [0.9, 0.1, 0, 0.3][i % 4]
        f(x)
        out.append(w.clone())
    return out


def case_one_tensor_for_two_arguments(compile):
    f = compile(lambda x, y: (x * 2 + y, y))
    return [f(x, x if i < 5 else x + 1) for i, x in enumerate(xs(10))]


def case_two_tensors_and_then_one(compile):
    w = torch.randn(3, requires_grad=True)
    f, out = compile(lambda x, y: x * w + y * y), []
    for i, x in enumerate(xs(10)):
        x.requires_grad_()
        y = f(x, x if i > 4 else x.detach().clone().requires_grad_())
        out += [y, *torch.autograd.grad(y.sum(), [x, w])]
    return out


def checkpointed(use_reentrant):
    """A case of training with dropout in a checkpoint."""
    def case(compile):
        a, b = nn.Linear(3, 4), nn.Linear(4, 2)
        opt = torch.optim.SGD([*a.parameters(), *b.parameters()], lr=0.1)

        def f(x):
            opt.zero_grad()
            h = torch.utils.checkpoint.checkpoint(lambda v: F.dropout(a(v).tanh(), 0.3), x, use_reentrant=use_reentrant)
            loss = b(h).square().sum()
            loss.backward()
            opt.step()
            return loss
        f = compile(f)
        return [f(x.requires_grad_(i % 4 < 2)) for i, x in enumerate(xs(12, (2, 3)))], a.weight, b.weight
    return case


case_checkpoint = checkpointed(False)


def case_checkpoint_reentrant(compile):
    w = torch.randn(3, requires_grad=True)
    f = compile(lambda x: torch.utils.checkpoint.checkpoint(lambda v: v * w, x, use_reentrant=True).sum() + w.sum())
    return [(y, torch.autograd.grad(y, w)[0]) for x in xs() for y in [f(x)]]


def case_checkpoint_that_counts(compile):
    count = torch.zeros(1)
    w = torch.randn(3, requires_grad=True)

    def g(x):
        count.add_(1)
        return (x * w).exp()

    def f(x):
        w.grad = None
        torch.utils.checkpoint.checkpoint(g, x, use_reentrant=False).sum().backward()
        return w.grad * 1
    f = compile(f)
    return [(f(x), count.clone()) for x in xs()]


def case_generator(compile):
    g = torch.Generator().manual_seed(3)
    f = compile(lambda x: x + torch.randn(3, generator=g) + torch.empty(3).uniform_(generator=g))
    out = []
    for i, x in enumerate(xs(10)):
        if i == 6:
            g.manual_seed(5)
        out.append(f(x))
    return out, torch.rand(2, generator=g), torch.rand(2)


def case_gamma(compile):
    f = compile(lambda x: torch.distributions.Gamma(x.abs() + 0.5, 2.0).rsample())
    return [(y, torch.autograd.grad(y.sum(), x)[0]) for x in xs() for y in [f(x.requires_grad_())]]


def case_dirichlet(compile):
    f = compile(lambda x: torch.distributions.Dirichlet(x.abs() + 0.5).sample())
    return [f(x) for x in xs()], torch.rand(1)


def case_binomial(compile):
    f = compile(lambda x: torch.distributions.Binomial(5, x.sigmoid()).sample())
    return [f(x) for x in xs()], torch.rand(1)


def case_argument_written_after_its_use(compile):
    w = torch.randn(3, requires_grad=True)

    def f(x):
        y = torch.where(x > w, x * 2, w * w)
        x.add_(1)
        return y
    f, out = compile(f), []
    for x in xs(8):
        g, = torch.autograd.grad(f(x).sin().sum(), w, create_graph=True)
        out += [g, torch.autograd.grad(g.square().sum(), w)[0], x]
    return out


def case_draw_into_a_leaf(compile):
    w = torch.randn(3, 3, requires_grad=True)
    f, out = compile(lambda x: x.normal_() * 2), []
    for i, x in enumerate(xs(10, (3, 3))):
        out += [attempt(f, w.t() if i % 3 == 1 else x), torch.rand(1)]
    return out


def case_state_of_an_optimizer_that_keeps_none(compile):
    w = torch.randn(3, requires_grad=True)
    opt, out = torch.optim.SGD([w], lr=0.1), []

    def f(x):
        opt.zero_grad()
        (w * x).sum().backward()
        opt.step()
    f = compile(f)
    for x in xs():
        f(x)
        out.append([len(opt.state), w.detach().clone()])
    return out


def numbers(fn, *makes):
    """A case for a function whose results' shape, or parameters, come from the numbers of its arguments."""
    def case(compile):
        f = compile(fn)
        return [f(*[make() for make in makes]) for _ in range(8)]
    return case


def indices(n, *shape):
    return lambda: torch.randint(0, n, shape)


case_histc = numbers(lambda x: torch.histc(x, 4), lambda: torch.randn(9))
case_histogram = numbers(lambda x: torch.histogram(x, 4), lambda: torch.randn(9))
case_one_hot = numbers(F.one_hot, indices(4, 6))
case_one_hot_of_five = numbers(lambda i: F.one_hot(i, 5), indices(5, 6))
case_embedding_bag = numbers(lambda i, w, o: F.embedding_bag(i, w, torch.cat([torch.zeros_like(o), o])), indices(4, 6),
                             lambda: torch.randn(4, 3), indices(6, 1))
case_embedding_bag_padded = numbers(lambda i, w: F.embedding_bag(i, w, padding_idx=1), indices(4, 3, 2),
                                    lambda: torch.randn(4, 3))
case_embedding_max_norm = numbers(lambda i, w: F.embedding(i, w, max_norm=1.0), indices(4, 3),
                                  lambda: torch.randn(4, 3) * torch.rand(()) * 3)
case_ctc = numbers(lambda x, t, n: F.ctc_loss(x.log_softmax(-1), t + 1, 8 - n, 3 - n), lambda: torch.randn(8, 2, 5),
                   indices(4, 2, 3), indices(2, 2))


def case_one_hot_outside(compile):
    f = compile(lambda i: F.one_hot(i, 3))
    return [attempt(f, T([0, 2, k])) for k in (1, 2, 0, 1, 2, 3, -1, 1)]


def case_dropout_of_what_is_transposed(compile):
    w = T([[0.5, -1.0, 2.0]] * 4)

    def step(x):
        return F.dropout((x * 2).t().tanh(), 0.5), F.dropout((x @ w.t()).t().relu().softmax(-1), 0.4)
    step = compile(step)
    return [step(torch.arange(12.0).view(4, 3) * k) for k in range(1, 6)]


def case_values_made_again_from_values_made_again(compile):
    """The compiler met a value whose group was gone."""
    p = [torch.randn(*s, requires_grad=True) for s in ((1, 1), (1,), (2, 16, 1), (1, 1), (1, 1), (1,), (1, 1))]

    @compile
    def f(x, c):
        q = F.linear(x, p[0], p[1]).view(2, 48, 1, 1).transpose(1, 2)
        k = F.linear(p[2], p[3]).view(2, 16, 1, 1).transpose(1, 2)
        v = F.linear(p[2], p[4], p[5]).view(2, 16, 1, 1).transpose(1, 2)
        s = torch.relu(q @ k.transpose(-1, -2)) ** 2 * 0.1
        extra = s.mean()
        o = s @ v
        y = x + (o * torch.sigmoid(o)).permute(0, 2, 1, 3).flatten(2) @ p[6]
        y = y + extra
        return y, *torch.autograd.grad((y * c).sum(), [x, *p])
    return [f(torch.randn(2, 48, 1, requires_grad=True), torch.randn(2, 48, 1)) for _ in range(5)]


CASES = {name.removeprefix("case_"): fn for name, fn in list(globals().items()) if name.startswith("case_")}
EAGERLY = {
    "checkpoint_that_counts": "changes tensors",
    "backward_that_would_fail": "its backward pass fails",
    "gradient_of_an_argument": "gradient of an argument", "set": "set_()", "made_unseen_and_kept": "a tensor was made",
    "argument_on_the_array_of_a_parameter": "by another name",
    "history_of_a_buffer_that_had_one": "gets a history", "histc": "without a range",
    "histogram": "without a range", "one_hot": "without num_classes", "embedding_bag": "with offsets",
    "embedding_bag_padded": "with padding_idx", "embedding_max_norm": "max_norm", "ctc": "ctc_loss",
}


@pytest.mark.parametrize("name", CASES)
def test_case(name):
    check(CASES[name], eagerly=EAGERLY.get(name))
