"""Hooks of modules: order, replacement, removal, and the backward ones. Behaviour is PyTorch's."""
import copy

import pytest

import kobai
from kobai import nn


class Add(nn.Module):
    def forward(self, x, y=0.0):
        return x + y


def test_pre_hooks_replace_the_arguments():
    add = Add()
    add.register_forward_pre_hook(lambda m, args: args[0] * 10)
    add.register_forward_pre_hook(lambda m, args, kw: (args, {"y": kw["y"] + 1}), with_kwargs=True)
    assert add(1.0, y=2.0) == 13.0


def test_forward_hooks_replace_the_output():
    add = Add()
    add.register_forward_hook(lambda m, args, out: out * 2)
    add.register_forward_hook(lambda m, args, kw, out: out + kw["y"], with_kwargs=True)
    assert add(1.0, y=3.0) == 11.0


def test_order_and_removal():
    add, calls = Add(), []
    first = add.register_forward_hook(lambda *a: calls.append("first"))
    add.register_forward_hook(lambda *a: calls.append("second"), prepend=True)
    add(1.0)
    assert calls == ["second", "first"]
    first.remove()
    first.remove()
    add(1.0)
    assert calls == ["second", "first", "second"]
    with add.register_forward_hook(lambda *a: calls.append("inside")):
        add(1.0)
    add(1.0)
    assert calls.count("inside") == 1


def test_always_called_hooks_see_failures():
    class Fails(nn.Module):
        def forward(self, x):
            raise ValueError("no")

    seen = []
    fails = Fails()
    fails.register_forward_hook(lambda m, args, out: seen.append("never"))
    fails.register_forward_hook(lambda m, args, out: seen.append(out), always_call=True)
    with pytest.raises(ValueError, match="no"):
        fails(1)
    assert seen == [None]


def test_a_pre_hook_with_kwargs_must_return_a_pair():
    add = Add()
    add.register_forward_pre_hook(lambda m, args, kw: 3, with_kwargs=True)
    with pytest.raises(RuntimeError, match="forward pre-hook must return None or a tuple"):
        add(1.0)


def test_global_hooks():
    calls = []
    hook = nn.modules.module.register_module_forward_pre_hook(lambda m, args: calls.append(type(m).__name__))
    after = nn.modules.module.register_module_forward_hook(lambda m, args, out: out + 1)
    try:
        assert float(nn.Sequential(Add())(kobai.tensor(1.0))) == 3.0
    finally:
        hook.remove()
        after.remove()
    assert calls == ["Sequential", "Add"]
    assert float(Add()(kobai.tensor(1.0))) == 1.0


def test_registration_hooks():
    module = nn.modules.module
    seen = []
    handles = [module.register_module_parameter_registration_hook(lambda m, n, p: seen.append(n)),
               module.register_module_module_registration_hook(lambda m, n, s: nn.Tanh()),
               module.register_module_buffer_registration_hook(lambda m, n, b: b + 1)]
    try:
        net = nn.Module()
        net.p = nn.Parameter(kobai.ones(1))
        net.child = nn.ReLU()
        net.register_buffer("b", kobai.zeros(1))
    finally:
        for handle in handles:
            handle.remove()
    assert seen == ["p"] and isinstance(net.child, nn.Tanh) and float(net.b) == 1.0


def test_copies_have_hooks_of_their_own():
    add = Add()
    handle = add.register_forward_hook(lambda m, args, out: out + 1)
    add.handle = handle
    twin = copy.deepcopy(add)
    twin.handle.remove()
    assert twin(1.0) == 1.0 and add(1.0) == 2.0


# -------------------------------------------------------------------- backward
def chain():
    net = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    with kobai.no_grad():
        net[0].weight.copy_(kobai.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]))
        net[0].bias.zero_()
    return net


def test_full_backward_hook_sees_and_replaces():
    net, seen = chain(), []

    def hook(module, grad_input, grad_output):
        seen.append((grad_input[0].tolist(), grad_output[0].tolist()))
        return (grad_input[0] * 2,)

    net[1].register_full_backward_hook(hook)
    x = kobai.tensor([[1.0, -2.0]], requires_grad=True)
    net(x).sum().backward()
    assert seen == [([[1.0, 0.0, 0.0]], [[1.0, 1.0, 1.0]])]
    assert x.grad.tolist() == [[2.0, 0.0]]


def test_backward_pre_hook_replaces_the_gradient_of_the_output():
    net = chain()
    net[1].register_full_backward_pre_hook(lambda m, g: (g[0] * 3,))
    x = kobai.tensor([[1.0, 2.0]], requires_grad=True)
    net(x).sum().backward()
    assert x.grad.tolist() == [[6.0, 6.0]]


def test_backward_hook_without_input_gradients():
    net, seen = chain(), []
    net[0].register_full_backward_hook(lambda m, gi, go: seen.append((gi, go[0].tolist())))
    net(kobai.tensor([[1.0, 2.0]])).sum().backward()
    assert seen == [((None,), [[1.0, 1.0, 1.0]])]


def test_backward_hook_of_several_inputs():
    seen = []
    add = Add()
    add.register_full_backward_hook(lambda m, gi, go: seen.append([g.tolist() for g in gi]))
    x, y = kobai.tensor([1.0], requires_grad=True), kobai.tensor([2.0])
    add(x, y).sum().backward()
    assert seen == [[[1.0], [0.0]]]


def test_backward_hook_must_return_as_many():
    net = chain()
    net[1].register_full_backward_hook(lambda m, gi, go: (gi[0], gi[0]))
    with pytest.raises(RuntimeError, match="got 2, but expected 1"):
        net(kobai.tensor([[1.0, 2.0]])).sum().backward()


def test_the_hooked_output_says_so():
    net = chain()
    net[1].register_full_backward_hook(lambda m, gi, go: None)
    assert type(net(kobai.ones(1, 2)).grad_fn).__name__ == "BackwardHookFunctionBackward"
