"""Python's own errors about tensors and layers, explained: parentheses that are missing, a gradient that is None.

`hint(error)` is the text that `kobai run`, a notebook and the playground put below such an error, or "".
"""
from __future__ import annotations

import os
import re

from .calls import miscalled, misnamed
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
       "def forward(self, x): one name for each argument of the call (in an autograd.Function: forward(ctx, x))."),
      ("forward の引数の数が、呼び出しと合っていません (self も一つと数えます)。",
       "def forward(self, x): のように、呼び出しの引数ごとに名前を書いてください (autograd.Function では forward(ctx, x))。"))),
    (TypeError, r"'(?:type|function)' object does not support the context manager protocol",
     (("`with` needs an object, and this is the class or function that makes one.",
       "write the parentheses: with torch.no_grad():"),
      ("`with` に必要なのはオブジェクトですが、それを作るクラスや関数が書かれています。",
       "括弧を付けてください: with torch.no_grad():"))),
    (TypeError, r"'NoneType' object is not callable",
     (("what stands before the parentheses is None. A .grad is no method, and is None until backward() has reached the tensor.",
       "write w.grad, without parentheses, after backward()."),
      ("括弧の前の値が None です。.grad はメソッドではなく、backward() が届くまで None です。",
       "backward() の後に、括弧を付けずに w.grad と書いてください。"))),
    (TypeError, r"'(int|float|str|list|dict|tuple)' object is not callable",
     (("a value of type {0} stands where a function is called, or was given where a function is expected.",
       "look at the name before the parentheses: is a variable hiding a function (sum = 0), is a function's name meant?"),
      ("関数を呼び出す所に {0} の値があるか、関数を渡すべき所に {0} の値が渡されました。",
       "括弧の前の名前を確かめてください。変数が関数を隠していませんか (sum = 0 など)。渡すのは関数そのものです。"))),
    (TypeError, r"'DataLoader' object is not (?:an iterator|subscriptable)",
     (("a DataLoader is gone through from its beginning; it has no next element and no numbers.",
       "for x, y in loader: ..., next(iter(loader)) for the first batch, loader.dataset[0] for one sample."),
      ("DataLoader は先頭から順に取り出すもので、次の要素や番号を持ちません。",
       "for x, y in loader: ...、最初のバッチは next(iter(loader))、一つのデータは loader.dataset[0] です。"))),
    (ValueError, r"(?:not enough|too many) values to unpack \(expected (\d+)",
     (("{0} names stand on the left, and the value on the right has another number of parts. A batch has one part for each "
       "part of a sample; an image has three dimensions.",
       "print(type(value), len(value)) and write as many names."),
      ("左辺には名前が {0} 個ありますが、右辺の値の要素数が違います。バッチには、データ一つの要素と同じ数の要素があります。",
       "print(type(value), len(value)) で確かめ、同じ数の名前を書いてください。"))),
    (TypeError, r"only integer tensors of a single element can be converted to an index",
     (("a tensor stands where Python needs one whole number: a list times a tensor repeats the list, range() and list "
       "indices count.",
       "make a tensor of the list, torch.tensor(the_list) * x, or a number of the tensor, int(x)."),
      ("整数が一つ必要な所にテンソルがあります。リスト * テンソルはリストの繰り返しになり、range() や添字には整数が要ります。",
       "リストは torch.tensor(リスト) * x のようにテンソルにし、テンソルは int(x) で数にしてください。"))),
    (TypeError, r"can only concatenate str \(not \"(?:Tensor|Parameter|EagerTensor)\"\) to str",
     (("a text and a tensor cannot be added.", "write f\"loss {{loss.item():.4f}}\"."),
      ("文字列とテンソルは足せません。", "f\"loss {{loss.item():.4f}}\" のように書いてください。"))),
    (TypeError, r"'[<>]=?' not supported between instances of '(?:str' and '(?:float|int|Tensor)|(?:float|int|Tensor)' and 'str)'",
     (("a text is compared with a number: what is read from a file or the command line is text.",
       "convert it first: float(text), int(text)."),
      ("文字列と数が比べられています。ファイルやコマンドラインから読んだものは文字列です。",
       "先に float(文字列) や int(文字列) で変換してください。"))),
    (AttributeError, r"'(list|tuple|str|dict)' object has no attribute '(shape|size|dim|ndim|mean|sum|backward|view|reshape|"
                     r"to|detach|float|long|item|numpy|requires_grad|unsqueeze|squeeze|T)'",
     (("a {0} is no tensor and has no .{1}. Several results come as a tuple (x.max(1), a recurrent layer, a batch).",
       "take the one that is meant, values, indices = x.max(1), or make a tensor: torch.tensor(the_list)."),
      ("{0} はテンソルではなく、.{1} はありません。複数の結果はタプルで返ります (x.max(1)、再帰型の層、バッチ)。",
       "必要なものを取り出す (values, indices = x.max(1)) か、torch.tensor(リスト) でテンソルにしてください。"))),
    (AttributeError, r"'ndarray' object has no attribute '(dim|to|float|long|backward|detach|numpy|unsqueeze|grad|"
                     r"requires_grad)'",
     (("this is a NumPy array, and .{0} belongs to tensors.", "torch.from_numpy(array) makes a tensor of it."),
      ("これは NumPy の配列で、.{0} はテンソルのものです。", "torch.from_numpy(array) でテンソルにしてください。"))),
    (KeyError, r"^'(params|param_groups)'$",
     (("the dictionary has no '{0}'. A group of parameters has the key 'params'; a state that was saved has 'state' and "
       "'param_groups'.",
       "optim.SGD([{{'params': layer.parameters(), 'lr': 0.1}}]); optimizer.load_state_dict(optimizer.state_dict())."),
      ("辞書に '{0}' がありません。パラメータの組には 'params'、保存した状態には 'state' と 'param_groups' が必要です。",
       "optim.SGD([{{'params': layer.parameters(), 'lr': 0.1}}]) や optimizer.load_state_dict(optimizer.state_dict()) と"
       "書いてください。"))),
    (FileNotFoundError, r"No such file or directory: '(.*)'",
     (("there is no {0} seen from the folder in which the program runs, {cwd}.",
       "look at the spelling, or write the whole path; os.listdir() says what is there."),
      ("プログラムが動いているフォルダ {cwd} から見て、{0} はありません。",
       "綴りを確かめるか、完全なパスを書いてください。os.listdir() で何があるか分かります。"))),
    (TypeError, r"missing \d+ required positional arguments?: 'self'",
     (("a method of a class was called without an object.", "make the object first: optimizer = optim.SGD(...)."),
      ("クラスのメソッドが、オブジェクトなしで呼び出されました。",
       "先にオブジェクトを作ってください: optimizer = optim.SGD(...)。"))),
]


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
            return _lines(which, *[part.format(*found.groups(), cwd=os.getcwd()) for part in texts[which == "ja"]])
    found = miscalled(text) if type(error) is TypeError else misnamed(error) \
        if type(error) in (AttributeError, NameError) else None
    return _lines(which, *found) if found else ""


def explain(error: BaseException) -> None:
    """Put the hint, if there is one, below the error as a note; once."""
    text = hint(error)
    if text and text not in getattr(error, "__notes__", ()):
        error.add_note(text)


def _lines(which: str, cause: str, fix: str) -> str:
    labels = _LABELS[which]
    return f"  {labels[0]}: {cause}\n  {labels[1]}: {fix}"
