"""What unmodified programs say to PyTorch's compiler runs; the errors' first lines are PyTorch's."""
import subprocess
import sys

import pytest

import kobai

PROGRAM = '''
import torch
import torch._dynamo
import torch._inductor.config as inductor
torch._dynamo.reset()
torch._dynamo.config.cache_size_limit = 64
inductor.fallback_random = True
with torch._dynamo.config.patch(suppress_errors=True):
    print(torch._dynamo.config.suppress_errors)
print(torch._dynamo.config.suppress_errors)
torch._logging.set_logs(graph_breaks=True)
for options in ({"fullgraph": True}, {"dynamic": True}, {"mode": "reduce-overhead"}, {"backend": "aot_eager"},
                {"options": {"triton.cudagraphs": True}}, {"disable": True}):
    f = torch.compile(lambda x: x * 2 + 1, **options)
    print([f(torch.ones(1)).item() for _ in range(3)])

@torch._dynamo.disable
def g(x):
    return x + 1

@torch.compiler.set_stance("force_eager")
def h(x):
    return torch.compile(g)(x)

print(g(torch.ones(1)), h(torch.ones(1)), torch._dynamo.utils.counters["frames"]["total"])
print(torch._dynamo.explain(lambda x: x + 1)(torch.ones(1)).graph_break_count)
torch._dynamo.mark_dynamic(torch.ones(2), 0)
'''
PRINTS = "True\nFalse\n" + "[3.0, 3.0, 3.0]\n" * 6 + "tensor([2.]) tensor([2.]) 0\n0\n"


def test_a_program_that_sets_up_the_compiler(tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    run = subprocess.run([sys.executable, "-m", "kobai", "run", str(tmp_path / "program.py")], capture_output=True, text=True, check=False)
    assert run.stdout == PRINTS, run.stderr


STEP = '''
import torch
import torch.nn.functional as F
from torch import nn, optim
net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
optimizer = optim.Adam(net.parameters())
@torch.compile
def step(x):
    optimizer.zero_grad()
    loss = torch.mean(F.softplus(torch.exp(net(x)) - torch.nn.functional.relu(x)))
    loss.backward()
    optimizer.step()
    return loss.item()
losses = [step(torch.ones(5, 3)) for _ in range(6)]
print(step.reason, losses == sorted(losses, reverse=True))
'''


def test_a_step_that_names_functions_of_torch_is_recorded(tmp_path):
    """The module that `import torch` gives has a class of its own."""
    (tmp_path / "program.py").write_text(STEP)
    run = subprocess.run([sys.executable, "-m", "kobai", "run", str(tmp_path / "program.py")], capture_output=True, text=True, check=False)
    assert run.stdout == "None True\n", run.stderr


@pytest.mark.parametrize("arguments, message", [
    ({"backend": "nonexistent"}, "Invalid backend: 'nonexistent', see `torch._dynamo.list_backends\\(\\)`"),
    ({"mode": "fast"}, "Unrecognized mode=fast, should be one of: default, lite, reduce-overhead"),
    ({"mode": "default", "options": {"a": 1}}, "Either mode or options can be specified, but both can't be specified")])
def test_arguments_that_are_refused(arguments, message):
    with pytest.raises(RuntimeError, match=message):
        kobai.compile(lambda x: x, **arguments)
