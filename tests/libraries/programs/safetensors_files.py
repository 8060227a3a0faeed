"""safetensors.torch: files written and read, whole models, shared weights."""

import os
import tempfile

import torch
from safetensors import safe_open
from safetensors.torch import load, load_file, load_model, save, save_file, save_model
from torch import nn

torch.manual_seed(0)
path = os.path.join(tempfile.mkdtemp(), "model.safetensors")
tensors = {
    "float": torch.randn(2, 3), "int": torch.arange(4), "bfloat16": torch.randn(3).bfloat16(), "half": torch.randn(3).half(),
    "bool": torch.tensor([True, False]), "scalar": torch.tensor(3.0), "empty": torch.zeros(0, 2),
    "int8": torch.tensor([1, 2], dtype=torch.int8), "double": torch.randn(2).double(), "uint8": torch.tensor([1, 255], dtype=torch.uint8),
}
save_file(tensors, path, metadata={"format": "pt"})
for name, value in sorted(load_file(path).items()):
    print(name, value.dtype, tuple(value.shape), torch.equal(value, tensors[name]))
print(sorted(load(save({"a": tensors["float"]})).items()))
with safe_open(path, framework="pt", device="cpu") as f:
    print(f.metadata(), sorted(f.keys()), f.get_tensor("float"), f.get_slice("float")[:, 1:], f.get_slice("int").get_shape())
print(len(save(tensors)))


def network():
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2))


first, second = network(), network()
first(torch.randn(5, 3)).sum().backward()
save_model(first, path)
print(load_model(second, path), all(torch.equal(a, b) for a, b in zip(first.state_dict().values(), second.state_dict().values())))
loaded = load_file(path)
loaded["0.weight"].mul_(2)  # memory of its own: the file stays as it is
print(torch.equal(load_file(path)["0.weight"], first[0].weight))


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(5, 3)
        self.out = nn.Linear(3, 5, bias=False)
        self.out.weight = self.embed.weight


one, other = Tied(), Tied()
save_model(one, path)
print(load_model(other, path), other.out.weight is other.embed.weight, torch.equal(one.embed.weight, other.embed.weight))
for wrong in ({"x": one.embed.weight, "y": one.out.weight}, {"x": torch.randn(3, 4).t()}, {"x": 3}):
    try:
        save_file(wrong, path)
    except (RuntimeError, ValueError) as e:
        print(type(e).__name__, " ".join(str(e).split())[:60])
