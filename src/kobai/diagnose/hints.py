"""Python's own errors about tensors and layers, explained: parentheses that are missing, a gradient that is None.

`hint(error)` is the text that `kobai run` puts below such an error, or "".
"""
from __future__ import annotations

import difflib
import inspect
import re
import sys

from .language import language

_LABELS = {"en": ("cause", "fix"), "ja": ("原因", "対処")}
_OPERAND = r"unsupported operand type\(s\) for \S+: '(?:{0})' and '\w+'|" \
           r"unsupported operand type\(s\) for \S+: '\w+' and '(?:{0})'"
# (type of the error, pattern of its text, (cause and fix in English, in Japanese))
_KNOWN: list[tuple[type, str, tuple[tuple[str, str], tuple[str, str]]]] = [
    (AttributeError, r"'NoneType' object has no attribute '(zero_|data|norm|clone|detach|numpy|item|abs|add_|mul_|sum|mean|shape)'",
     (("the value before .{0} is None. If it is a .grad: no backward() has reached that tensor yet, zero_grad() has set it to "
       "None, or the tensor is no leaf (w = w - ... makes a new one).",
       "call backward() first; update in place under torch.no_grad(): w -= lr * w.grad; `if w.grad is not None:`."),
      (".{0} の前の値が None です。.grad なら、backward() がまだ届いていない、zero_grad() が None にした、または葉ではない "
       "テンソル (w = w - ... は新しいテンソルを作ります) です。",
       "先に backward() を呼び、更新は torch.no_grad() の中で w -= lr * w.grad とその場で行ってください。"))),
    (TypeError, _OPERAND.format("NoneType"),
     (("one of the operands is None. A .grad is None until backward() has reached the tensor, and a function without "
       "`return` gives None.",
       "call backward() first, and look at what the function returns."),
      ("一方が None です。.grad は backward() が届くまで None で、`return` のない関数の結果も None です。",
       "先に backward() を呼び、関数が値を返しているか確かめてください。"))),
    (TypeError, r"'(?:builtin_function_or_method|method|function)' object is not (?:subscriptable|iterable)|"
     + _OPERAND.format("builtin_function_or_method|method|function"),
     (("a function was used without being called: the parentheses are missing.",
       "write x.size(0) or x.shape[0], model.parameters(), x.sum()."),
      ("関数が呼び出されずに使われました。括弧がありません。",
       "x.size(0) (または x.shape[0])、model.parameters()、x.sum() のように括弧を付けてください。"))),
    (TypeError, r"'(?:Tensor|Size|Parameter|EagerTensor)' object is not callable",
     (("a value was called like a function.", "elements are taken with square brackets: x[0], x.shape[0]."),
      ("値が関数のように呼び出されました。", "要素は角括弧で取り出します: x[0]、x.shape[0]。"))),
    (AttributeError, r"'(?:float|int)' object has no attribute '(backward|detach|item|cpu|numpy|grad)'",
     (("a Python number has no .{0}: .item() or float() has made a number of the tensor.",
       "keep the tensor for .{0}, and take the number only to print or store it: print(loss.item())."),
      ("Python の数に .{0} はありません。.item() や float() でテンソルが数になっています。",
       ".{0} を使う間はテンソルのままにし、表示や保存のときだけ数にしてください: print(loss.item())。"))),
    (TypeError, r"can only concatenate tuple|" + _OPERAND.format("max|min|sort|tuple|max|topk|median|mode"),
     (("one of the operands is a tuple: x.max(dim), sort, topk and recurrent layers give several results.",
       "take the one that is meant: values, indices = x.max(1); output, state = lstm(x)."),
      ("一方がタプルです。x.max(dim)、sort、topk や再帰型の層は複数の結果を返します。",
       "必要なものを取り出してください: values, indices = x.max(1)、output, state = lstm(x)。"))),
    (TypeError, _OPERAND.format("Tensor"),
     (("only tensors, arrays and numbers can be combined with a tensor.",
       "make a tensor of it: torch.tensor(the_list)."),
      ("テンソルと計算できるのは、テンソル、配列、数だけです。", "torch.tensor(リスト) でテンソルにしてください。"))),
    (TypeError, r"(\w+)\.forward\(\) takes (\d+) positional arguments? but (\d+) (?:was|were) given",
     (("the module was called with other arguments than its forward takes (self counts as one).",
       "def forward(self, x): one name for each argument of the call."),
      ("forward の引数の数が、呼び出しと合っていません (self も一つと数えます)。",
       "def forward(self, x): のように、呼び出しの引数ごとに名前を書いてください。"))),
    (TypeError, r"missing \d+ required positional arguments?: 'self'",
     (("a method of a class was called without an object.", "make the object first: optimizer = optim.SGD(...)."),
      ("クラスのメソッドが、オブジェクトなしで呼び出されました。",
       "先にオブジェクトを作ってください: optimizer = optim.SGD(...)。"))),
]
_MEANT = {"learning_rate": "lr", "axis": "dim", "axes": "dim", "keepdims": "keepdim", "input_size": "in_features",
          "units": "out_features", "filters": "out_channels", "activation": ""}


def hint(error: BaseException) -> str:
    """Cause and fix for an error that Python itself raised, in the reader's language; "" if nothing is known.

    >>> print(hint(AttributeError("'float' object has no attribute 'backward'")).splitlines()[0])
      cause: a Python number has no .backward: .item() or float() has made a number of the tensor.
    """
    if getattr(error, "code", None) or "\n" in str(error):  # it has been explained
        return ""
    text, which = str(error), language()
    for kind, pattern, texts in _KNOWN:
        found = re.search(pattern, text) if type(error) is kind else None
        if found:
            return _lines(which, *[part.format(*found.groups()) for part in texts[which == "ja"]])
    return _unknown_argument(error, text, which)


def _lines(which: str, cause: str, fix: str) -> str:
    labels = _LABELS[which]
    return f"  {labels[0]}: {cause}\n  {labels[1]}: {fix}"


def _unknown_argument(error: BaseException, text: str, which: str) -> str:
    """For a misspelt keyword argument of a class or function of kobai: the names that are there."""
    found = re.search(r"^(\w+)(?:\.__init__)?\(\) got an unexpected keyword argument '(\w+)'", text)
    if type(error) is not TypeError or not found:
        return ""
    names = _arguments(found[1])
    if not names:
        return ""
    near = [n for n in [_MEANT.get(found[2], "")] if n in names] or difflib.get_close_matches(found[2], names, 2, 0.6)
    listed = ", ".join(names)
    if which == "ja":
        return _lines(which, f"{found[1]} の引数は {listed} です。", f"{' か '.join(near)} を使ってください。" if near else
                      "綴りを確かめてください。")
    return _lines(which, f"the arguments of {found[1]} are {listed}.",
                  f"write {' or '.join(near)}=..." if near else "check the spelling.")


def _arguments(name: str) -> list[str]:
    for module in ("kobai.nn", "kobai.optim", "kobai.optim.lr_scheduler", "kobai.utils.data", "kobai",
                   "kobai.nn.functional"):
        thing = getattr(sys.modules.get(module), name, None)
        if callable(thing):
            try:
                return [p for p in inspect.signature(thing).parameters if p not in ("self", "args", "kwargs")]
            except (TypeError, ValueError):
                return []
    return []
