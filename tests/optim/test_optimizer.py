"""The base class: groups, state, checkpoints, hooks, messages. Expected texts are PyTorch 2.13's."""
import copy
import pickle
import re

import numpy as np
import pytest

import kobai
from kobai import optim
from kobai.optim.formula import m

DENSE = ["SGD", "Adam", "AdamW", "Adamax", "NAdam", "RAdam", "Adagrad", "Adadelta", "RMSprop", "Rprop",
         "ASGD", "Adafactor"]
MOMENTUM = {"SGD": dict(momentum=0.9)}


def make(name, params, **options):
    return getattr(optim, name)(params, lr=0.01, **{**MOMENTUM.get(name, {}), **options})


def values(params):
    return [p.detach().numpy().copy() for p in params]


def assert_same(params, others, **tolerance):
    for p, q in zip(params, others):
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), **tolerance)


# ---- groups ----------------------------------------------------------------------------------
def test_options_of_a_group_win_over_the_defaults(make_params, set_grads):
    a, b = make_params((2,), (2,))
    opt = optim.SGD([{"params": [a]}, {"params": b, "lr": 0.5}], lr=0.1)
    assert [g["lr"] for g in opt.param_groups] == [0.1, 0.5]
    before = values([a, b])
    set_grads([a, b], 1)
    opt.step()
    np.testing.assert_allclose(values([a])[0], before[0] - 0.1 * a.grad.numpy(), rtol=1e-6)
    np.testing.assert_allclose(values([b])[0], before[1] - 0.5 * b.grad.numpy(), rtol=1e-6)


def test_a_group_added_later_trains_too(make_params, set_grads):
    a, b = make_params((2,), (3,))
    opt = optim.Adam([a], lr=0.1)
    set_grads([a, b], 1)
    opt.step()
    opt.add_param_group({"params": [b], "lr": 0.2})
    before = values([b])[0]
    opt.step()
    np.testing.assert_allclose(before - values([b])[0], 0.2 * np.sign(b.grad.numpy()), rtol=1e-4)


def test_options_may_change_between_steps(make_params, set_grads):
    (p,) = make_params((2,))
    opt = optim.SGD([p], lr=0.1)
    p.grad = kobai.ones(2)
    opt.step()
    opt.param_groups[0]["lr"] = 1.0
    before = values([p])[0]
    opt.step()
    np.testing.assert_allclose(before - values([p])[0], 1.0, rtol=1e-6)
    opt.param_groups[0]["momentum"] = 0.5  # from now on something is kept
    opt.step()
    opt.step()
    np.testing.assert_allclose(before - values([p])[0], 1 + 1 + 1.5, rtol=1e-6)


def test_a_learning_rate_that_is_a_tensor_is_read_at_each_step(make_params):
    (p,) = make_params((2,))
    lr = kobai.tensor(0.1)
    opt = optim.SGD([p], lr=lr)
    p.grad = kobai.ones(2)
    start = values([p])[0]
    opt.step()
    lr.fill_(1.0)
    opt.step()
    np.testing.assert_allclose(start - values([p])[0], 1.1, rtol=1e-6)


@pytest.mark.parametrize("name", DENSE)
def test_numpy_numbers_as_options_do_not_widen_float32(name, make_params, set_grads):
    (p,) = make_params((2, 2))
    opt = getattr(optim, name)([p], lr=np.float64(0.01))
    set_grads([p], 1)
    opt.step()
    assert p.detach().numpy().dtype == np.float32
    assert {v.dtype for v in opt.state.get(p, {}).values()} <= {kobai.float32}


def test_named_parameters(make_params):
    a, b = make_params((2,), (2,))
    opt = optim.SGD([("w", a), ("b", b)], lr=0.1)
    assert opt.param_groups[0]["param_names"] == ["w", "b"]
    assert opt.param_groups[0]["params"][1] is b
    assert opt.state_dict()["param_groups"][0]["param_names"] == ["w", "b"]


def test_repr_is_pytorchs(make_params):
    opt = optim.Adam([{"params": make_params((1,))}, {"params": make_params((1,)), "lr": 0.5}])
    assert repr(opt).startswith("Adam (\nParameter Group 0\n    amsgrad: False\n    betas: (0.9, 0.999)\n"
                                "    capturable: False\n    decoupled_weight_decay: False\n")
    assert "Parameter Group 1\n" in repr(opt) and repr(opt).endswith("    weight_decay: 0\n)")


# ---- what is written where -------------------------------------------------------------------
def test_parameters_are_changed_in_place(make_params):
    (p,) = make_params((3,))
    memory, version, alias = p.detach().numpy(), p._version, p.detach()
    p.grad = kobai.ones(3)
    optim.SGD([p], lr=1.0).step()
    assert p.detach().numpy() is memory or np.shares_memory(p.detach().numpy(), memory)
    np.testing.assert_array_equal(alias.numpy(), memory)
    assert p._version > version


@pytest.mark.parametrize("name", DENSE)
def test_gradients_are_left_alone(name, make_params, set_grads):
    params = make_params((2, 3), (3,), ())
    opt = make(name, params, **({"weight_decay": 0.1} if name != "Rprop" else {}), maximize=True)
    for t in range(3):
        set_grads(params, t)
        before = [p.grad.numpy().copy() for p in params]
        opt.step()
        for p, g in zip(params, before):
            np.testing.assert_array_equal(p.grad.numpy(), g)


def test_a_parameter_without_gradient_stays_and_keeps_nothing(make_params, set_grads):
    a, b = make_params((2,), (2,))
    opt = optim.Adam([a, b], lr=0.1)
    set_grads([a], 1)
    before = values([b])[0]
    opt.step()
    np.testing.assert_array_equal(values([b])[0], before)
    assert b not in opt.state and a in opt.state


@pytest.mark.parametrize("name", DENSE)
def test_a_scalar_parameter(name, make_params, set_grads):
    """A number and a vector of one element take the same way."""
    x, v = kobai.tensor(2.0, requires_grad=True), kobai.tensor([2.0], requires_grad=True)
    a, b = make(name, [x]), make(name, [v])
    for g in (1.0, -0.5, 0.25):
        x.grad, v.grad = kobai.tensor(g), kobai.tensor([g])
        a.step(), b.step()
    assert x.shape == () and x.item() == pytest.approx(v.item(), rel=1e-6)


# ---- packs and pieces: how parameters are computed must not be seen --------------------------
@pytest.mark.parametrize("name", DENSE)
def test_parameters_together_and_alone_go_the_same_way(name, make_params, set_grads):
    shapes = [(3, 2), (4,), (), (1, 1, 5), (70, 300), (2,)]
    together, alone = make_params(*shapes), make_params(*shapes)
    one, many = make(name, together), [make(name, [p]) for p in alone]
    for t in range(4):
        set_grads(together, t), set_grads(alone, t)
        one.step()
        for opt in many:
            opt.step()
    assert_same(together, alone, rtol=1e-6, atol=1e-7)
    for p, q, opt in zip(together, alone, many):
        assert list(one.state[p]) == list(opt.state[q])
        for k, v in one.state[p].items():
            np.testing.assert_allclose(v.numpy(), opt.state[q][k].numpy(), rtol=1e-6, err_msg=k)


@pytest.mark.parametrize("name", DENSE)
def test_gradients_that_come_and_go(name, make_params, set_grads):
    together, alone = make_params((3,), (4,), (2, 2)), make_params((3,), (4,), (2, 2))
    one, many = make(name, together), [make(name, [p]) for p in alone]
    for t in range(6):
        set_grads(together, t), set_grads(alone, t)
        together[t % 3].grad = alone[t % 3].grad = None
        one.step()
        for opt in many:
            opt.step()
    assert_same(together, alone, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("shape", [(200, 100), (17_000,)])
@pytest.mark.parametrize("name", ["SGD", "Adam", "Rprop"])
def test_large_and_transposed_parameters(name, shape, set_grads):
    """Pieces, and an array that is not contiguous, give what each part gives by itself."""
    a = np.random.RandomState(0).randn(*shape).astype(np.float32)
    whole = kobai.from_numpy(a.copy()).requires_grad_()
    turned = kobai.from_numpy(np.asfortranarray(a)).requires_grad_()
    head = kobai.from_numpy(a[:10].copy()).requires_grad_()
    opts = [make(name, [p]) for p in (whole, turned, head)]
    for t in range(3):
        g = np.random.RandomState(t).randn(*shape).astype(np.float32)
        whole.grad, turned.grad = kobai.from_numpy(g), kobai.from_numpy(g)
        head.grad = kobai.from_numpy(g[:10].copy())
        for opt in opts:
            opt.step()
    assert_same([whole, whole[:10]], [turned, head], rtol=1e-6)


def test_complex_parameters_are_pairs_of_numbers(set_grads):
    rng = np.random.RandomState(0)
    for name in ("SGD", "Adam", "RMSprop", "Adagrad"):
        z = rng.randn(3) + 1j * rng.randn(3)
        p = kobai.tensor(z, requires_grad=True)
        q = kobai.tensor(np.stack([z.real, z.imag], -1), requires_grad=True)
        a, b = make(name, [p]), make(name, [q])
        for _ in range(3):
            g = rng.randn(3) + 1j * rng.randn(3)
            p.grad, q.grad = kobai.tensor(g), kobai.tensor(np.stack([g.real, g.imag], -1))
            a.step(), b.step()
        got = p.detach().numpy()
        np.testing.assert_allclose(np.stack([got.real, got.imag], -1), q.detach().numpy(), rtol=1e-12)


def test_state_can_be_changed_in_place_and_replaced(make_params):
    """What users see in `state` is what the next step uses, for packs too."""
    a, b = make_params((2,), (2,))
    opt = optim.SGD([a, b], lr=1.0, momentum=0.5)
    a.grad, b.grad = kobai.ones(2), kobai.ones(2)
    opt.step()
    opt.state[a]["momentum_buffer"].zero_()
    opt.state[b]["momentum_buffer"] = kobai.full((2,), 10.0)
    before = values([a, b])
    opt.step()
    after = values([a, b])
    np.testing.assert_allclose(before[0] - after[0], 1.0, rtol=1e-6)
    np.testing.assert_allclose(before[1] - after[1], 6.0, rtol=1e-6)
    np.testing.assert_allclose(opt.state[b]["momentum_buffer"].numpy(), 6.0)


def test_replaced_data_of_a_parameter_is_used(make_params, set_grads):
    a, b = make_params((2,), (2,))
    opt = optim.Adam([a, b], lr=0.1)
    set_grads([a, b], 1)
    opt.step()
    a.data = kobai.full((2,), 100.0)
    opt.step()
    assert values([a])[0].min() > 99


def test_parameters_that_become_float64_are_updated_in_float64(make_params):
    params = make_params((2,), (3,))
    opt = optim.Adam(params, lr=0.1)
    for dtype in (kobai.float32, kobai.float64):
        for p in params:
            p.data = p.data.to(dtype)
            p.grad = kobai.full(p.shape, 1 / 3, dtype=dtype)
        opt.step()
    assert all(p.dtype is kobai.float64 for p in params)
    assert opt.state[params[0]]["exp_avg"].dtype is kobai.float64


def test_empty_parameters(make_params, set_grads):
    for dtype in ("float32", "complex64"):
        params = make_params((0,), (2,), dtype=dtype)
        set_grads(params, 0)
        optim.Adam(params).step()


def test_each_parameter_counts_its_own_steps(make_params, set_grads):
    a, b = make_params((2,), (2,))
    opt = optim.Adam([a, b])
    for t in range(5):
        set_grads([a, b], t)
        if t >= 3:
            b.grad = None
        opt.step()
    assert (opt.state[a]["step"].item(), opt.state[b]["step"].item()) == (5.0, 3.0)


# ---- zero_grad, closures ---------------------------------------------------------------------
def test_zero_grad(make_params, set_grads):
    params = make_params((2,), (3,))
    opt = optim.SGD(params)
    set_grads(params, 0)
    grad = params[0].grad
    opt.zero_grad(set_to_none=False)
    assert params[0].grad is grad and not grad.numpy().any()
    opt.zero_grad()
    assert all(p.grad is None for p in params)


def test_a_closure_is_called_with_gradients_on_and_its_loss_returned():
    x = kobai.tensor([3.0], requires_grad=True)
    opt = optim.SGD([x], lr=0.1)

    def closure():
        opt.zero_grad()
        loss = (x * x).sum()
        loss.backward()
        return loss

    with kobai.no_grad():
        assert opt.step(closure).item() == 9.0
    assert x.item() == pytest.approx(2.4)
    assert opt.step() is None


# ---- checkpoints -----------------------------------------------------------------------------
@pytest.mark.parametrize("name", DENSE)
def test_training_goes_on_from_a_checkpoint(name, make_params, set_grads):
    params, others = make_params((2, 3), (3,), ()), make_params((2, 3), (3,), ())
    a, b = make(name, params), make(name, others)
    for t in range(3):
        set_grads(params, t)
        a.step()
    for p, q in zip(params, others):
        q.data.copy_(p.data)
    b.load_state_dict(copy.deepcopy(a.state_dict()))
    for t in range(3, 6):
        set_grads(params, t), set_grads(others, t)
        a.step(), b.step()
    assert_same(params, others, rtol=1e-6)


def test_a_loaded_state_is_a_copy(make_params, set_grads):
    params, others = make_params((2,), (3,)), make_params((2,), (3,))
    a, b = optim.Adam(params), optim.Adam(others)
    set_grads(params, 0)
    a.step()
    b.load_state_dict(a.state_dict())
    a.step()
    assert (a.state[params[0]]["step"].item(), b.state[others[0]]["step"].item()) == (2.0, 1.0)


def test_layout_of_a_state_dict(make_params, set_grads):
    a, b, c = make_params((2,), (2,), (2,))
    opt = optim.SGD([{"params": [a, b]}, {"params": [c], "lr": 1.0}], lr=0.1, momentum=0.9)
    set_grads([a, b, c], 0)
    opt.step()
    saved = opt.state_dict()
    assert list(saved) == ["state", "param_groups"] and list(saved["state"]) == [0, 1, 2]
    assert [g["params"] for g in saved["param_groups"]] == [[0, 1], [2]]
    assert list(saved["param_groups"][0]) == [
        "lr", "momentum", "dampening", "weight_decay", "nesterov", "maximize", "foreach", "differentiable",
        "fused", "params"]
    assert list(saved["state"][0]) == ["momentum_buffer"]


def test_an_old_checkpoint_gets_the_options_it_lacks(make_params, set_grads):
    params = make_params((2,))
    opt = optim.Adam(params)
    set_grads(params, 0)
    opt.step()
    saved = copy.deepcopy(opt.state_dict())
    del saved["param_groups"][0]["amsgrad"], saved["param_groups"][0]["maximize"]
    saved["state"][0]["step"] = 1  # a number, before PyTorch 1.12
    opt.load_state_dict(saved)
    opt.step()
    assert opt.param_groups[0]["amsgrad"] is False
    assert opt.state[params[0]]["step"].item() == 2.0


def test_adamw_stays_adamw_after_loading_adams_checkpoint(make_params):
    a, b = optim.Adam(make_params((1,))), optim.AdamW(make_params((1,)))
    b.load_state_dict(a.state_dict())
    assert b.param_groups[0]["decoupled_weight_decay"] is True


def test_pickled_and_copied_optimizers_go_on(make_params, set_grads):
    params = make_params((2,), (3,))
    opt = optim.Adam(params, lr=0.1)
    set_grads(params, 0)
    opt.step()
    for other in (pickle.loads(pickle.dumps(opt)), copy.deepcopy(opt)):
        theirs = other.param_groups[0]["params"]
        set_grads(theirs, 1)
        other.step()
        assert other.state[theirs[0]]["step"].item() == 2.0
    assert opt.state[params[0]]["step"].item() == 1.0


def test_load_state_dict_refuses_another_model(make_params):
    one, two = make_params((2,)), make_params((2,), (3,))
    opt = optim.SGD(one)
    with pytest.raises(ValueError, match="^loaded state dict has a different number of parameter groups\n"):
        opt.load_state_dict(optim.SGD([{"params": [p]} for p in two]).state_dict())
    with pytest.raises(ValueError, match="^loaded state dict contains a parameter group that doesn't match "
                                         "the size of optimizer's group\n"):
        opt.load_state_dict(optim.SGD(two).state_dict())


# ---- hooks -----------------------------------------------------------------------------------
def test_step_hooks_run_in_order_and_can_be_removed(make_params):
    opt = optim.SGD(make_params((1,)))
    seen = []
    handle = opt.register_step_pre_hook(lambda o, args, kwargs: seen.append("before"))
    opt.register_step_post_hook(lambda o, args, kwargs: seen.append("after"))
    everywhere = optim.optimizer.register_optimizer_step_pre_hook(lambda o, args, kwargs: seen.append("all"))
    opt.step()
    everywhere.remove()
    handle.remove()
    opt.step()
    assert seen == ["all", "before", "after", "after"]


def test_a_pre_hook_may_replace_the_arguments(make_params):
    opt = optim.SGD(make_params((1,)))
    opt.register_step_pre_hook(lambda o, args, kwargs: ((o, lambda: 42), {}))
    assert opt.step() == 42
    opt.register_step_pre_hook(lambda o, args, kwargs: 3)
    with pytest.raises(RuntimeError, match="must return None or a tuple of"):
        opt.step()


def test_hooks_surround_a_step_of_ones_own(make_params):
    class Mine(optim.Optimizer):
        def step(self, closure=None):
            seen.append("step")

    seen = []
    opt = Mine(make_params((1,)), {})
    opt.register_step_post_hook(lambda o, args, kwargs: seen.append("after"))
    opt.step()
    assert seen == ["step", "after"]


def test_state_dict_hooks(make_params):
    opt, seen = optim.SGD(make_params((1,))), []
    opt.register_state_dict_pre_hook(lambda o: seen.append("second"))
    opt.register_state_dict_pre_hook(lambda o: seen.append("first"), prepend=True)
    opt.register_state_dict_post_hook(lambda o, sd: {**sd, "extra": 1})
    opt.register_load_state_dict_pre_hook(lambda o, sd: {k: v for k, v in sd.items() if k != "extra"})
    opt.register_load_state_dict_post_hook(lambda o: seen.append("loaded"))
    saved = opt.state_dict()
    assert saved["extra"] == 1
    opt.load_state_dict(saved)
    assert seen == ["first", "second", "loaded"]


# ---- an optimizer of one's own, gradients through a step -------------------------------------
def test_an_optimizer_is_one_formula(make_params, set_grads):
    class Lion(optim.Optimizer):
        """Chen et al., Symbolic discovery of optimization algorithms, 2023."""

        def arrays(self, h):
            return ("momentum",)

        def update(self, h, p, g, mean):
            step = m.sign(0.9 * mean + 0.1 * g)
            return p - h.lr * step, 0.99 * mean + 0.01 * g

    params = make_params((3,), (2, 2))
    opt = Lion(params, dict(lr=0.5))
    before = values(params)
    set_grads(params, 0)
    opt.step()
    for p, old in zip(params, before):
        np.testing.assert_allclose(old - p.detach().numpy(), 0.5 * np.sign(p.grad.numpy()), rtol=1e-6)
        np.testing.assert_allclose(opt.state[p]["momentum"].numpy(), 0.01 * p.grad.numpy(), rtol=1e-6)


def test_gradients_flow_through_a_differentiable_step():
    """x' = x - 0.1 * 2 a x, so d(x'^2)/da = 2 x' * (-0.2 x)."""
    a = kobai.tensor(0.5, requires_grad=True)
    x = kobai.tensor(3.0, requires_grad=True)
    moving = x.clone()
    opt = optim.SGD([moving], lr=0.1, differentiable=True)
    (g,) = kobai.autograd.grad(a * x * x, x, create_graph=True)
    moving.grad = g
    opt.step()
    moved = 3.0 - 0.1 * 2 * 0.5 * 3.0
    assert moving.item() == pytest.approx(moved)
    (moving * moving).backward()
    assert a.grad.item() == pytest.approx(2 * moved * (-0.2 * 3.0), rel=1e-5)


# ---- messages --------------------------------------------------------------------------------
BAD = [
    ("SGD", dict(lr=-1.0), "Invalid learning rate: -1.0"),
    ("SGD", dict(momentum=-1.0), "Invalid momentum value: -1.0"),
    ("SGD", dict(weight_decay=-1.0), "Invalid weight_decay value: -1.0"),
    ("SGD", dict(nesterov=True), "Nesterov momentum requires a momentum and zero dampening"),
    ("Adam", dict(eps=-1.0), "Invalid epsilon value: -1.0"),
    ("Adam", dict(betas=(1.0, 0.9)), "Invalid beta parameter at index 0: 1.0"),
    ("NAdam", dict(betas=(0.9, 1.0)), "Invalid beta parameter at index 1: 1.0"),
    ("Adam", dict(betas=(0, 0.9)), "betas must be either both floats or both Tensors"),
    ("NAdam", dict(momentum_decay=-1.0), "Invalid momentum_decay value: -1.0"),
    ("Adagrad", dict(lr_decay=-1.0), "Invalid lr_decay value: -1.0"),
    ("Adagrad", dict(initial_accumulator_value=-1.0), "Invalid initial_accumulator_value value: -1.0"),
    ("Adadelta", dict(rho=2.0), "Invalid rho value: 2.0"),
    ("RMSprop", dict(alpha=-1.0), "Invalid alpha value: -1.0"),
    ("Rprop", dict(etas=(2, 3)), "Invalid eta values: 2, 3"),
    ("SparseAdam", dict(lr=0.0), "Invalid learning rate: 0.0"),
    ("Adafactor", dict(lr=-1.0), "Learning rate should be >= 0 but is: -1.0"),
    ("Adafactor", dict(beta2_decay=0.1), "beta2_decay should be <= 0 but is: 0.1"),
    ("Adafactor", dict(eps=(-1, 0.0)), "epsilon1 should be >= 0 but is: -1"),
    ("Adafactor", dict(d=0.5), "Clipping threshold d should be >= 1 but is: 0.5"),
    ("Muon", dict(adjust_lr_fn="x"), "Adjust learning rate function x is not supported"),
    ("Muon", dict(weight_decay=-1.0), "weight decay should be >= 0 but is: -1.0"),
]


@pytest.mark.parametrize(("name", "options", "message"), BAD)
def test_bad_options(name, options, message, make_params):
    with pytest.raises(ValueError, match="^" + re.escape(message) + r"(\n|$)"):
        getattr(optim, name)(make_params((2, 2)), **options)


@pytest.mark.parametrize("name", [*DENSE, "Muon", "LBFGS", "SparseAdam"])
def test_a_learning_rate_has_one_element(name, make_params):
    with pytest.raises(ValueError, match="^Tensor lr must be 1-element\n"):
        getattr(optim, name)(make_params((2, 2)), lr=kobai.ones(2))


def test_bad_parameters(make_params):
    a, b = make_params((2,), (2,))
    for params, kind, message in [
        ([], ValueError, "optimizer got an empty parameter list\n"),
        (a, TypeError, "params argument given to the optimizer should be an iterable of Tensors or dicts, "
                       "but got torch.FloatTensor\n"),
        ([1.0], TypeError, "optimizer can only optimize Tensors, but one of the params is float"),
        ([{"params": {a}}], TypeError, "optimizer parameters need to be organized in ordered collections, "
                                       "but the ordering of tensors in sets will change between runs"),
        ([a * 2], ValueError, "can't optimize a non-leaf Tensor\n"),
        ([{"params": [a]}, {"params": [a]}], ValueError,
         "some parameters appear in more than one parameter group"),
        ([("a", a), b], ValueError,
         "all optimizer params should be with/without names. Some param names are missing"),
        ([{"params": [("a", a)]}, {"params": [b]}], ValueError,
         "all optimizer param groups should be with/without names. cannot add param group without names to "
         "the optimizer"),
    ]:
        with pytest.raises(kind, match="^" + re.escape(message)):
            optim.SGD(params)
    with pytest.raises(TypeError, match="param_group must be a dict, but got <class 'int'>"):
        optim.SGD([a]).add_param_group(3)
    with pytest.raises(ValueError, match="parameter group didn't specify a value of required optimization"):
        optim.Optimizer([a], {"lr": optim.optimizer.required})
    with pytest.warns(UserWarning, match="duplicate parameters"):
        optim.SGD([a, a])
    with pytest.raises(ValueError, match="Muon only supports 2D parameters whereas we found a parameter with "
                                         r"size: torch.Size\(\[2\]\)"):
        optim.Muon([a])
    with pytest.raises(ValueError, match="LBFGS doesn't support per-parameter options"):
        optim.LBFGS([{"params": [a]}, {"params": [b]}])


def test_fused_and_foreach_exclude_each_other(make_params):
    with pytest.raises(RuntimeError, match="`fused` and `foreach` cannot be `True` together."):
        optim.SGD(make_params((1,)), fused=True, foreach=True)
    with pytest.raises(RuntimeError, match="`fused` does not support `differentiable`"):
        optim.Adam(make_params((1,)), fused=True, differentiable=True)


def test_dense_gradient_for_sparse_adam(make_params, set_grads):
    params = make_params((2, 2))
    set_grads(params, 0)
    with pytest.raises(RuntimeError, match="SparseAdam does not support dense gradients, please"):
        optim.SparseAdam(params).step()


@pytest.mark.parametrize("name", [*DENSE, "Muon"])
def test_on_tensors_the_formula_gives_the_same(name, make_params, set_grads):
    """The way the compiler takes: operations on Tensors, counters and all."""
    shapes = [(3, 2), (2, 2)] if name == "Muon" else [(3, 2), (4,), ()]
    arrays, tensors = make_params(*shapes), make_params(*shapes)
    a, b = make(name, arrays), make(name, tensors)
    for t in range(7):
        set_grads(arrays, t), set_grads(tensors, t)
        a.step()
        if t == 0:
            b.step()
        else:
            b._runners[id(b.param_groups[0])].step_on_tensors()
    assert_same(arrays, tensors, rtol=1e-5, atol=1e-6)
    for p, q in zip(arrays, tensors):
        for k, v in a.state[p].items():
            np.testing.assert_allclose(v.numpy(), b.state[q][k].numpy(), rtol=1e-5, atol=1e-6, err_msg=k)


@pytest.mark.parametrize("take", [lambda state: state.clear(), lambda state: state.popitem()])
def test_state_that_was_taken_out_is_made_anew(take):
    """As in PyTorch, where the state is looked up for each parameter on each step: its momentum starts again."""
    params = [kobai.nn.Parameter(kobai.ones(3)) for _ in range(3)]
    optimizer = kobai.optim.SGD(params, lr=1.0, momentum=0.5)

    def step():
        before = params[-1].detach().clone()
        for p in params:
            p.grad = kobai.ones(3)
        optimizer.step()
        return (before - params[-1]).tolist()
    assert [step(), step()] == [[1.0] * 3, [1.5] * 3]
    take(optimizer.state)
    assert len(optimizer.state) in (0, 2)
    assert step() == [1.0] * 3
    assert len(optimizer.state) == 3
