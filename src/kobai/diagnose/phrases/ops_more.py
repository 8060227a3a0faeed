"""Phrases in the errors of ops/ (files o to z) and sparse tensors."""
from __future__ import annotations

MORE: dict[str, str] = {
    "correction=1 is the same as unbiased=True, 0 as False.": "correction=1 は unbiased=True と、0 は False と同じです。",
    "dimension {i} of the first and dimension {j} of the second must have the same size":
        "前者の次元 {i} と後者の次元 {j} は同じ大きさでなければなりません",
    "sparse tensors compressed by rows or columns": "行または列で圧縮した疎なテンソル",
    "a stride says how many elements further on the next one lies, and a tensor only goes forward.":
        "ストライドは次の要素がいくつ先にあるかを表し、テンソルは前にしか進めません。",
    "x.flip(dim) gives the elements backwards, as a copy.": "逆順の要素は x.flip(dim) で (写しとして) 得られます。",
    "use x.detach() if its gradient is not needed.": "x の勾配が不要なら x.detach() を使ってください。",
    "a tensor keeps its size; elements cannot be taken out of its memory.":
        "テンソルの大きさは変わらず、メモリから要素を取り除くことはできません。",
    "join the parts to keep: torch.cat([x[:i], x[i + 1:]]), or x[keep] with a mask.":
        "残す部分をつなぐか (torch.cat([x[:i], x[i + 1:]]))、マスクを使ってください (x[keep])。",
}
