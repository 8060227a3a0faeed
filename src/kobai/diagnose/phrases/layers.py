"""Phrases in the errors of layers, optimizers, data and mixed precision."""
from __future__ import annotations

LAYERS: dict[str, str] = {
    "the gradients were divided by the scale already; once more would make them too small.":
        "勾配はすでに倍率で割られています。もう一度割ると小さくなりすぎます。",
    "call unscale_(optimizer) once in each step, and update() at the end of the step.":
        "unscale_(optimizer) は各ステップで一度だけ呼び、ステップの最後に update() を呼んでください。",
    "a name without dots": "点を含まない名前",
    "a name with at least one letter": "一文字以上の名前",
}
