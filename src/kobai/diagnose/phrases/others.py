"""Phrases in the errors of autograd, transforms, distributions, the compiler and the rest."""
from __future__ import annotations

OTHERS: dict[str, str] = {
    "one arrow stands between the dimensions before and after": "変換の前と後の次元の間に矢印が一つ必要です",
    "write the dimensions before, an arrow, and those after: 'b c h w -> b (c h w)'.":
        "変換前の次元、矢印、変換後の次元を書いてください: 'b c h w -> b (c h w)'。",
    "it is a pickle, but not one that torch.save wrote": "pickle ですが、torch.save が書いたものではありません",
    "load it with what wrote it (pickle, NumPy, ...), or write it again with torch.save.":
        "書いたもの (pickle、NumPy など) で読み込むか、torch.save で書き直してください。",
    "kobai computes on the processor (cpu), and {device} is another device.":
        "kobai は CPU で計算しますが、{device} は別のデバイスです。",
    "write device='cpu', or leave the device out.": "device='cpu' と書くか、device を省いてください。",
}
