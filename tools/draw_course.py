"""Draw the graphs in docs/learn: docs/pictures/learn-*.svg.

    python tools/draw_course.py
"""
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

import kobai as torch  # noqa: E402

PICTURES = ROOT / "docs" / "pictures"


def graph():
    """Page 3: a line, its error and the square of it, as kobai and as torchviz draw them."""
    x, t = torch.tensor(2.0), torch.tensor(10.0)
    w = torch.tensor(3.0, requires_grad=True)
    b = torch.tensor(1.0, requires_grad=True)
    y = w * x + b
    loss = (y - t) ** 2
    loss.backward(retain_graph=True)
    return {"learn-graph": torch.draw(loss), "learn-torchviz": torch.make_dot(loss, params={"w": w, "b": b})}


def neuron():
    """Page 5: one neuron and its loss."""
    x, target = torch.tensor([1.0, 2.0]), torch.tensor(1.0)
    w = torch.tensor([0.6, -0.2], requires_grad=True)
    b = torch.tensor(0.8, requires_grad=True)
    y = torch.tanh((w * x).sum() + b)
    loss = (y - target) ** 2
    loss.backward(retain_graph=True)
    return {"learn-neuron": torch.draw(loss)}


def main():
    for name, picture in (graph() | neuron()).items():
        print("wrote", picture.render(str(PICTURES / name), format="svg", cleanup=True))


if __name__ == "__main__":
    main()
