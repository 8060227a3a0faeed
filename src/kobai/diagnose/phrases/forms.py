"""Phrases that are written around a name, as `f"an entry of {name}"`: in Japanese the name stands elsewhere."""
from __future__ import annotations

import re

FORMS: dict[str, str] = {
    "a stored form of {}": "{} の保存形式",
    "a tensor of shape {}": "形が {} のテンソル",
    "an entry of {}": "{} の要素",
    "argument {} of save_for_backward": "save_for_backward の引数 {}",
    "dimension {} of input": "input の次元 {}",
    "expected axis {} of input shape to have value {}, but received input with shape {}":
        "軸 {} の大きさは {} のはずですが、入力の形は {} です",
    "expected max_ndim={}, found ndim={}": "次元数は最大 {} のはずですが、{} です",
    "expected min_ndim={}, found ndim={}. Full shape received: {}": "次元数は最小 {} のはずですが、{} です (形は {})",
    "expected ndim={}, found ndim={}. Full shape received: {}": "次元数は {} のはずですが、{} です (形は {})",
    "expected shape={}, found shape={}": "形は {} のはずですが、{} です",
    "expected {} entries, got {}": "要素は {} 個のはずですが、{} 個です",
    "input {}": "入力 {}",
    "numpy.ndarray of {}": "{} の numpy.ndarray",
    "the hook {}": "フック {}",
    "the input {}": "入力 {}",
    "the size of {} or {}": "{} か {} の大きさ",
    "{} (argument {})": "{} (引数 {})",
    "{} and {}": "{} と {}",
    "{} tensors": "テンソル {} 個",
    "{} values": "値 {} 個",
}


def formed(english: str) -> str:
    """The Japanese for a text that one of FORMS made; any other text as it is.

    >>> formed("an entry of xs")
    'xs の要素'
    """
    for form, japanese in FORMS.items():
        found = re.fullmatch(re.escape(form).replace(r"\{\}", "(.+)"), english, re.DOTALL)
        if found:
            return japanese.format(*found.groups())
    return english
