"""Pruning: lottery tickets, global, structured, custom; with state dicts and hooks."""

import copy

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.nn.utils.prune as prune

torch.manual_seed(0)


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 3)
        self.conv2 = nn.Conv2d(6, 16, 3)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), (2, 2))
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = x.view(-1, int(x.nelement() / x.shape[0]))
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.fc3(x)


model = LeNet()
module = model.conv1
print([n for n, _ in module.named_parameters()], list(module.named_buffers()))
prune.random_unstructured(module, name="weight", amount=0.3)
print([n for n, _ in module.named_parameters()], [n for n, _ in module.named_buffers()])
print(module.weight[0], type(module.weight), len(module._forward_pre_hooks))
prune.l1_unstructured(module, name="bias", amount=3)
print(module.bias_mask, [type(h).__name__ for h in module._forward_pre_hooks.values()])
prune.ln_structured(module, name="weight", amount=0.5, n=2, dim=0)
for hook in module._forward_pre_hooks.values():
    if hook._tensor_name == "weight":
        break
print(type(hook).__name__, [type(h).__name__ for h in list(hook)])
print(list(model.state_dict().keys()))
prune.remove(module, "weight")
print([n for n, _ in module.named_parameters()], float((module.weight == 0).float().mean()))
new = LeNet()
for name, m in new.named_modules():
    if isinstance(m, nn.Conv2d):
        prune.l1_unstructured(m, name="weight", amount=0.2)
    elif isinstance(m, nn.Linear):
        prune.l1_unstructured(m, name="weight", amount=0.4)
print(sorted(dict(new.named_buffers()).keys()))
model = LeNet()
ticket = copy.deepcopy(model.state_dict())
params = tuple((getattr(model, n), "weight") for n in ("conv1", "conv2", "fc1", "fc2", "fc3"))
prune.global_unstructured(params, pruning_method=prune.L1Unstructured, amount=0.2)
for m, n in params:
    w = getattr(m, n)
    print(f"{100.0 * float(torch.sum(w == 0)) / float(w.nelement()):.2f}%", end=" ")
print()


class EveryOther(prune.BasePruningMethod):
    """Prune every other entry in a tensor"""

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t, default_mask):
        mask = default_mask.clone()
        mask.view(-1)[::2] = 0
        return mask


def every_other(module, name):
    EveryOther.apply(module, name)
    return module


model = LeNet()
every_other(model.fc3, name="bias")
print(model.fc3.bias_mask, prune.is_pruned(model), prune.is_pruned(model.fc1))
x, y = torch.randn(8, 1, 28, 28), torch.randint(0, 10, (8,))
opt = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True)
for i in range(3):
    opt.zero_grad()
    loss = F.cross_entropy(model(x), y, label_smoothing=0.1)
    loss.backward()
    opt.step()
    print(i, loss.item(), model.fc3.bias_orig.grad[::2].abs().sum().item(), model.fc3.bias[:4].tolist())
prune.identity(model.fc2, "weight")
prune.random_structured(model.fc1, "weight", amount=2, dim=1)
print((model.fc1.weight.abs().sum(0) == 0).sum(), model.fc2.weight_mask.all())
prune.custom_from_mask(model.fc2, "bias", mask=torch.arange(84) % 3 == 0)
print(int((model.fc2.bias != 0).sum()))
pm = prune.PruningContainer(prune.L1Unstructured(2)) if False else prune.L1Unstructured(amount=2)
print(
    pm.prune(torch.tensor([3.0, -1.0, 0.5, 4.0])),
    prune.L1Unstructured(amount=0.5).compute_mask(torch.arange(4.0), torch.ones(4)),
)
try:
    prune.l1_unstructured(model.fc3, "weight", amount=1.5)
except ValueError as e:
    print("ValueError", str(e).split("\n")[0])
try:
    prune.remove(model.conv2, "weight")
except ValueError as e:
    print("ValueError", str(e).split("\n")[0])
