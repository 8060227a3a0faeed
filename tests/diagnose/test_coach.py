"""`kobai.coach` finds each mistake it knows, and nothing in programs that make none."""
import pathlib
import subprocess
import sys
import threading

import pytest

import kobai
import kobai as torch
from kobai import nn, optim
from kobai.nn import functional as F

ROOT = pathlib.Path(__file__).parents[2]
PROGRAMS = sorted((ROOT / "tests" / "programs").glob("*.py"))


@pytest.fixture(autouse=True)
def english(monkeypatch):
    monkeypatch.setenv("KOBAI_LANG", "en")
    torch.manual_seed(0)


def kinds(step, steps=10):
    told = kobai.coach(step, steps, show=False)
    return [f.kind for f in told.facts["findings"]], str(told)


def network(*middle):
    return nn.Sequential(nn.Linear(4, 16), nn.ReLU(), *middle, nn.Linear(16, 3))


X, T = torch.arange(128.0).reshape(32, 4).sin(), torch.arange(32) % 3


def trainer(model, opt=None, loss=None, clear=True):
    opt = opt or optim.SGD(model.parameters(), lr=0.1)
    loss = loss or (lambda: F.cross_entropy(model(X), T))

    def step():
        if clear:
            opt.zero_grad()
        value = loss()
        value.backward()
        opt.step()
        return value
    return step


# ---- the mistakes ----------------------------------------------------------------------------
def test_forgotten_zero_grad():
    model = network()
    found, text = kinds(trainer(model, clear=False))
    assert found == ["zero_grad"]
    assert "model.0.weight" in text and "value.backward()" not in text.split("\n")[1] and "zero_grad()" in text


def test_forgotten_zeroing_by_hand():
    w = torch.tensor([2.0], requires_grad=True)

    def step():
        (w * w).sum().backward()
        with torch.no_grad():
            w.sub_(0.01 * w.grad)
    assert kinds(step)[0] == ["zero_grad"]


@pytest.mark.parametrize("layer", [nn.Dropout(0.5), nn.BatchNorm1d(16)])
def test_missing_eval(layer):
    model = network(layer)
    train = trainer(model)

    def step():
        train()
        with torch.no_grad():
            model(X).argmax(1)
    found, text = kinds(step)
    assert found == ["eval"] and "model is evaluated" in text and "model(X).argmax(1)" in text


def test_missing_train():
    model = network(nn.Dropout(0.5))
    model.eval()
    found, text = kinds(trainer(model))
    assert found == ["train"] and "model.train() before the training loop" in text


def test_a_layer_made_after_the_optimizer():
    model = network()
    opt = optim.SGD(list(model.parameters())[:2], lr=0.1)
    found, text = kinds(trainer(model, opt))
    assert found == ["not_optimized"] and "model.2.weight, model.2.bias get gradients but never change" in text


def test_a_layer_that_is_not_used():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(4, 3), nn.Linear(4, 3)

        def forward(self, x):
            return self.a(x)

    model = Net()
    found, text = kinds(trainer(model))
    assert found == ["unused"] and "model.b.weight, model.b.bias" in text


def test_an_optimizer_that_never_steps():
    model = nn.Linear(2, 2)
    opt = torch.optim.SGD(model.parameters(), lr=0.1)
    x = torch.randn(8, 2)

    def step(update=False):
        opt.zero_grad()
        (model(x) ** 2).mean().backward()
        if update:
            opt.step()

    assert kinds(step)[0] == ["not_stepped"]
    assert kinds(lambda: step(True))[0] == []
    other = nn.Linear(2, 2)

    def sensitivity():  # gradients of a model that no optimizer has
        other.zero_grad()
        (other(x) ** 2).mean().backward()

    assert kinds(sensitivity)[0] == []


def test_a_part_that_is_cut_off_though_the_optimizer_has_it():
    first, second = nn.Linear(2, 2), nn.Linear(2, 2)
    opt = torch.optim.SGD([*first.parameters(), *second.parameters()], lr=0.1)
    x = torch.randn(8, 2)

    def step(cut=True):
        opt.zero_grad()
        h = first(x)
        (second(h.detach() if cut else h) ** 2).mean().backward()
        opt.step()

    told = torch.coach(step, show=False)
    assert [f.kind for f in told.facts["findings"]] == ["unused"] and "first" in told
    assert kinds(lambda: step(False))[0] == []


def test_softmax_before_cross_entropy():
    model = network(nn.Identity())
    found, text = kinds(trainer(model, loss=lambda: F.cross_entropy(model(X).softmax(1), T)))
    assert found == ["softmax"] and "F.cross_entropy(model(X).softmax(1), T)" in text
    last = nn.Softmax(dim=1)
    assert kinds(trainer(model, loss=lambda: nn.CrossEntropyLoss()(last(model(X)), T)))[0] == ["softmax"]


def test_other_losses_with_the_wrong_input():
    model = network()
    assert kinds(trainer(model, loss=lambda: F.nll_loss(model(X).softmax(1), T)))[0] == ["log_missing"]
    target = torch.ones(32, 3)
    assert kinds(trainer(model, loss=lambda: F.binary_cross_entropy_with_logits(
        model(X).sigmoid(), target)))[0] == ["sigmoid"]


def test_silent_broadcasting():
    model = nn.Linear(4, 1)
    y = X.sum(1)
    found, text = kinds(trainer(model, optim.SGD(model.parameters(), lr=0.01), lambda: ((model(X) - y) ** 2).mean()))
    assert found == ["broadcast"] and "Shapes (32, 1) and (32,)" in text
    with pytest.warns(UserWarning, match="target size"):
        found, _ = kinds(trainer(model, optim.SGD(model.parameters(), lr=0.01), lambda: F.mse_loss(model(X), y)))
    assert found == ["broadcast"]


def test_dead_relus():
    model = network()
    with torch.no_grad():
        model[0].bias.fill_(-100.0)
    found, text = kinds(trainer(model))
    assert "dead_relu" in found and "16 of 16 units of this ReLU (model.1)" in text


def test_steps_too_large():
    model = nn.Linear(4, 1)
    y = X.sum(1, keepdim=True)
    found, text = kinds(trainer(model, optim.SGD(model.parameters(), lr=50.0), lambda: F.mse_loss(model(X), y)))
    assert found == ["exploding"] and "the steps are too large" in text


def test_steps_too_small():
    found, text = kinds(trainer(model := network(), optim.SGD(model.parameters(), lr=1e-12)))
    assert found == ["tiny_step"] and "learning rate is too small" in text


def test_graphs_kept_in_a_list():
    model, history = network(), []
    train = trainer(model)
    found, text = kinds(lambda: history.append(train()))
    assert found == ["retention"] and "history" in text and "loss.item()" in text


def test_a_running_sum_of_losses():
    model = network()
    train, total = trainer(model), [0]

    def step():
        total[0] = total[0] + train()
    found, _ = kinds(step)
    assert found == ["retention"]


# ---- programs that make none -----------------------------------------------------------------
class Hiding(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = [nn.Linear(4, 8), nn.Linear(8, 8)]
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        for layer in self.layers:
            x = layer(x).tanh()
        return self.head(x)


def test_layers_in_a_plain_list():
    found, text = kinds(trainer(Hiding()))
    assert found == ["hidden"] and "nn.ModuleList" in text and "model.parameters()" in text


def test_one_of_two_models_has_no_optimizer():
    first, second = nn.Linear(4, 6), nn.Linear(6, 3)
    opt = optim.SGD(second.parameters(), lr=0.1)

    def step():
        opt.zero_grad()
        F.cross_entropy(second(first(X).tanh()), T).backward()
        opt.step()
    found, text = kinds(step)
    assert found == ["not_optimized"] and "first.weight, first.bias get gradients but never change" in text


def good_image_that_is_optimized_through_a_network():
    """Style, adversarial pictures, prompts: the network behind gets gradients that nobody wants."""
    picture, judge = nn.Parameter(torch.randn(2, 4)), network()
    opt = optim.Adam([picture], lr=0.1)

    def step():
        opt.zero_grad()
        judge(picture).pow(2).mean().backward()
        opt.step()
    return step


def good_prompt_before_a_network():
    prompt, judge = nn.Embedding(4, 4), network()
    opt = optim.Adam(prompt.parameters(), lr=0.1)

    def step():
        opt.zero_grad()
        F.cross_entropy(judge(prompt(torch.tensor([0, 1]))), T[:2]).backward()
        opt.step()
    return step


def good_training_and_evaluation():
    model = network(nn.Dropout(0.5), nn.BatchNorm1d(16))
    train = trainer(model)

    def step():
        model.train()
        train()
        model.eval()
        with torch.no_grad():
            model(X)
    return step


def good_accumulation():
    model = network()
    opt = optim.Adam(model.parameters())

    def step():
        opt.zero_grad()
        for part in (slice(0, 16), slice(16, 32)):
            (F.cross_entropy(model(X[part]), T[part]) / 2).backward()
        opt.step()
    return step


def good_update_by_hand():
    w = torch.tensor([2.0], requires_grad=True)

    def step():
        (w * w).sum().backward()
        with torch.no_grad():
            w.sub_(0.1 * w.grad)
            w.grad.zero_()
    return step


def good_momentum_kept_in_the_gradient():
    w = torch.tensor([2.0], requires_grad=True)

    def step():
        if w.grad is not None:
            w.grad.mul_(0.5)
        (w * w).sum().backward()
        with torch.no_grad():
            w.sub_(0.05 * w.grad)
    return step


def good_adversaries():
    """A generator with batch normalisation, two optimizers; the discriminator gets gradients it throws away."""
    g = nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 4))
    d = nn.Sequential(nn.Linear(4, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))
    og, od = optim.Adam(g.parameters(), lr=1e-2), optim.Adam(d.parameters(), lr=1e-2)
    ones, zeros = torch.ones(32, 1), torch.zeros(32, 1)
    loss = nn.BCEWithLogitsLoss()

    def step():
        with torch.no_grad():
            fake = g(torch.randn(32, 2))
        od.zero_grad()
        (loss(d(X), ones) + loss(d(fake), zeros)).backward()
        od.step()
        og.zero_grad()
        loss(d(g(torch.randn(32, 2))), ones).backward()
        og.step()
    return step


def good_frozen_features():
    model = network()
    model[0].requires_grad_(False)
    return trainer(model, optim.SGD(model[2].parameters(), lr=0.1))


def good_lbfgs():
    model = nn.Linear(4, 3)
    opt = optim.LBFGS(model.parameters())

    def closure():
        opt.zero_grad()
        value = F.cross_entropy(model(X), T)
        value.backward()
        return value
    return lambda: opt.step(closure)


def good_distances():
    """(N, 1) minus (N,) of one's own points is a table on purpose."""
    x = torch.rand(8).requires_grad_()
    opt = optim.SGD([x], lr=0.01)

    def step():
        opt.zero_grad()
        ((x.unsqueeze(1) - x) ** 2).mean().backward()
        opt.step()
    return step


def good_truncated_recurrence():
    cell, head = nn.RNNCell(4, 8), nn.Linear(8, 1)
    opt = optim.SGD([*cell.parameters(), *head.parameters()], lr=0.01)
    state = [torch.zeros(32, 8)]

    def step():
        opt.zero_grad()
        h = cell(X, state[0].detach())
        head(h).pow(2).mean().backward()
        opt.step()
        state[0] = h
    return step


def good_gradient_penalty():
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
    opt = optim.Adam(model.parameters())

    def step():
        opt.zero_grad()
        x = X.clone().requires_grad_()
        out = model(x).sum()
        (g,) = torch.autograd.grad(out, x, create_graph=True)
        (((g.norm(dim=1) - 1) ** 2).mean() - out / len(x)).backward()
        opt.step()
    return step


def good_warm_up():
    model = network()
    opt = optim.SGD(model.parameters(), lr=0.1)
    schedule = optim.lr_scheduler.LambdaLR(opt, lambda n: n / 10)
    train = trainer(model, opt)

    def step():
        train()
        schedule.step()
    return step


def good_teacher():
    """A moving average of the model as a teacher: in training mode, unrecorded, on purpose."""
    model, teacher = network(nn.BatchNorm1d(16)), network(nn.BatchNorm1d(16))
    opt = optim.SGD(model.parameters(), lr=0.1)

    def step():
        with torch.no_grad():
            wanted = teacher(X)
        opt.zero_grad()
        F.mse_loss(model(X), wanted).backward()
        opt.step()
        with torch.no_grad():
            for p, q in zip(teacher.parameters(), model.parameters()):
                p.mul_(0.9).add_(0.1 * q)
    return step


def good_logging():
    model, history = network(), []
    train = trainer(model)
    return lambda: history.append(train().item())


def good_two_backwards_through_one_graph():
    model = network()
    opt = optim.SGD(model.parameters(), lr=0.1)

    def step():
        opt.zero_grad()
        scores = model(X)
        F.cross_entropy(scores, T).backward(retain_graph=True)
        scores.pow(2).mean().backward()
        opt.step()
    return step


def good_model_in_another_thread():
    model, others = nn.Linear(4, 3), nn.Linear(4, 3)
    opt = torch.optim.SGD(model.parameters(), 0.1)
    other = torch.optim.SGD(others.parameters(), 0.1)

    def step():
        trained = threading.Thread(target=one, args=(others, other))
        trained.start()
        trained.join()
        one(model, opt)

    def one(model, opt):
        opt.zero_grad()
        F.cross_entropy(model(X), T).backward()
        opt.step()
    return step


GOOD = [f for name, f in sorted(globals().items()) if name.startswith("good_")]


@pytest.mark.parametrize("make", GOOD, ids=lambda f: f.__name__[5:])
def test_no_false_alarm(make):
    assert kinds(make(), steps=12)[1] == "coach: 12 steps watched; none of the usual mistakes."


def coached(*arguments):
    result = subprocess.run([sys.executable, str(ROOT / "tests" / "diagnose" / "coached.py"), *map(str, arguments)],
                            capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    return result.stdout.split(), result.stderr


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.stem)
def test_no_false_alarm_on_whole_programs(program):
    found, text = coached(program)
    assert found == [], text


def test_no_false_alarm_on_the_digits(tmp_path):
    pytest.importorskip("matplotlib")
    found, text = coached(
        ROOT / "examples" / "digits.py", "EPOCHS, BATCH = 40=>EPOCHS, BATCH = 3",
        f"HERE / f\"digits_curve=>pathlib.Path({str(tmp_path)!r}) / f\"digits_curve",
        f"str(HERE / \"digits_graph\")=>{str(tmp_path / 'digits_graph')!r}")
    assert found == [], text


def test_a_mistake_in_a_whole_program_is_found():
    """The check above could find something: without its zero_grad the digits program is reported."""
    pytest.importorskip("matplotlib")
    found, text = coached(ROOT / "examples" / "digits.py", "EPOCHS, BATCH = 40=>EPOCHS, BATCH = 1",
                          "        optimizer.zero_grad()\n=>", "    draw_curve(curve)=>    return")
    assert found == ["zero_grad"], text


# ---- the rest --------------------------------------------------------------------------------
def test_as_a_block(capsys):
    model = network()
    step = trainer(model, clear=False)
    with kobai.coach():
        for _ in range(8):
            step()
    assert "Gradients pile up" in capsys.readouterr().out


def test_nothing_remains_switched_on():
    from kobai.autograd.mode import modes
    from kobai.nn.hooks import GLOBAL, Hooks

    def fails():
        raise ZeroDivisionError
    before = Hooks._hooked  # a hook of all modules, once there was one, leaves it on
    with pytest.raises(ZeroDivisionError):
        kobai.coach(fails)
    assert modes.look is None and modes.pack is None and Hooks._hooked == before and not any(GLOBAL.values())


def test_training_goes_as_without_it():
    results = []
    for watch in (False, True):
        torch.manual_seed(1)
        model = network(nn.Dropout(0.5))
        step = trainer(model)
        if watch:
            kobai.coach(step, 5, show=False)
        else:
            for _ in range(5):
                step()
        results.append(model[0].weight.tolist())
    assert results[0] == results[1]


def test_japanese(monkeypatch):
    monkeypatch.setenv("KOBAI_LANG", "ja")
    assert "勾配がたまっています" in kinds(trainer(network(), clear=False))[1]
    assert "よくある間違いはありません" in kinds(trainer(network()))[1]
