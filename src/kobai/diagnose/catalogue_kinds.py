"""Kinds of mistakes that many functions share: the largest part of the catalogue.

The place that raises gives the exception as PyTorch words it, and the facts:

    raise error("argument-value", ValueError(f"std must be positive, got {std}"),
                what="std", value=std, must="a positive number")

`must`, `need`, `instead`, `why` and `fix` are phrases: English, with a Japanese side in `phrases/`. `why` and `fix`
stand in place of the kind's own cause and fix. `value` is shown as Python writes it.
"""
from __future__ import annotations

from .entry import Entry


def _kind(number, title, cause, fix):
    return Entry(number, Exception, title, cause, fix)


KINDS = {
    # ---- one argument
    "argument-value": _kind(
        "K401", "an argument has a value that is not possible",
        ("{what} is {value}; it must be {must}.", "{what} は {value} ですが、{must}でなければなりません。"),
        ("pass {must} as {what}.", "{what} には{must}を渡してください。")),
    "argument-type": _kind(
        "K402", "an argument has a type that is not possible",
        ("{what} is of type {kind}; it must be {must}.", "{what} の型は {kind} ですが、{must}でなければなりません。"),
        ("pass {must} as {what}.", "{what} には{must}を渡してください。")),
    "argument-choice": _kind(
        "K403", "an argument is none of those that are possible",
        ("{what} is {value}, and that is none of {choices}.", "{what} が {value} ですが、選べるのは {choices} です。"),
        ("write one of {choices}.", "{choices} のどれかを書いてください。")),
    "argument-missing": _kind(
        "K404", "an argument is missing",
        ("{fn} was called without {what}.", "{what} を渡さずに {fn} が呼び出されました。"),
        ("pass {must} as {what}.", "{what} に{must}を渡してください。")),
    "arguments-exclude": _kind(
        "K405", "two arguments exclude each other",
        ("{what} and {other} were both given, and each rules out the other.",
         "{what} と {other} が両方渡されましたが、同時には使えません。"),
        ("leave out one of them.", "どちらか一方だけを渡してください。")),
    "arguments-together": _kind(
        "K406", "an argument needs another one",
        ("{what} was given without {other}, and means nothing alone.",
         "{what} が {other} なしで渡されましたが、単独では意味がありません。"),
        ("give {other}, too, or leave out {what}.", "{other} も渡すか、{what} を外してください。")),
    "argument-count": _kind(
        "K407", "an argument has too many or too few entries",
        ("{what} has {count} entries; needed: {need}.", "{what} の要素は {count} 個です。必要なのは {need} 個です。"),
        ("give {need} entries.", "{need} 個の要素を渡してください。")),
    "call-form": _kind(
        "K408", "a function cannot be called with these arguments",
        ("{fn} has no form that takes what was given.", "{fn} には、渡された引数を受け取る形がありません。"),
        ("write {form}.", "{form} と書いてください。")),
    # ---- tensors
    "tensor-dims": _kind(
        "K411", "a tensor has too many or too few dimensions",
        ("{what} has shape {shape}, {ndim} dimensions; needed: {need}.",
         "{what} の形は {shape} ({ndim} 次元) です。必要なのは {need} 次元です。"),
        ("x.unsqueeze(0) adds a dimension in front, x.flatten(0, 1) joins two, x.squeeze(0) drops one of size 1.",
         "x.unsqueeze(0) は先頭に次元を加え、x.flatten(0, 1) は二つをまとめ、x.squeeze(0) は大きさ 1 の次元を除きます。")),
    "tensor-shape": _kind(
        "K412", "a tensor has a shape that is not possible",
        ("{what} has shape {shape}; it must have shape {want}.", "{what} の形は {shape} ですが、{want} でなければなりません。"),
        ("look at the line that makes it, and bring it to shape {want}.",
         "それを作る行を確かめ、形を {want} にしてください。")),
    "shapes-differ": _kind(
        "K413", "two shapes do not go together",
        ("{what} has shape {shape} and {other} has shape {other_shape}; {must}.",
         "{what} の形は {shape}、{other} の形は {other_shape} ですが、{must}。"),
        ("look at the lines that make {what} and {other}; transpose, reshape or cut one of them.",
         "{what} と {other} を作る行を確かめ、一方を転置するか、形を変えるか、切り出してください。")),
    "dimension-size": _kind(
        "K414", "a dimension has a size that is not possible",
        ("dimension {dim} of {what} has size {size}; it must be {must}.",
         "{what} の次元 {dim} の大きさは {size} ですが、{must}でなければなりません。"),
        ("look at the line that makes {what}: are its dimensions in the right order?",
         "{what} を作る行を確かめてください。次元の順序は合っていますか。")),
    "size-divisible": _kind(
        "K415", "a size cannot be divided into equal parts",
        ("{what} is {value}, which cannot be divided by {by}.", "{what} は {value} で、{by} で割り切れません。"),
        ("choose a multiple of {by} for {what}.", "{what} には {by} の倍数を選んでください。")),
    "tensor-empty": _kind(
        "K416", "there are no elements",
        ("{what} has no elements, and {fn} needs at least one.", "{what} には要素がありませんが、{fn} には一つ以上必要です。"),
        ("look why it is empty (a filter that keeps nothing, a slice outside), or treat that case before.",
         "なぜ空なのかを確かめる (何も残さない条件、範囲外の切り出しなど) か、その場合を先に処理してください。")),
    "tensor-dtype": _kind(
        "K417", "a tensor has a dtype that is not possible",
        ("{what} has dtype {dtype}; {fn} takes {must}.", "{what} の型は {dtype} ですが、{fn} が受け取るのは{must}です。"),
        ("convert it first: {what}.float(), {what}.long(), {what}.to(torch.complex64) or the like.",
         "先に {what}.float()、{what}.long()、{what}.to(torch.complex64) などで変換してください。")),
    "dtypes-differ": _kind(
        "K418", "two tensors have different dtypes",
        ("{what} has dtype {dtype} and {other} has dtype {other_dtype}; here both must be the same.",
         "{what} の型は {dtype}、{other} の型は {other_dtype} ですが、ここでは同じでなければなりません。"),
        ("convert one of them: {what}.to({other_dtype}).", "一方を変換してください: {what}.to({other_dtype})。")),
    "position-range": _kind(
        "K419", "a number of an entry is out of range",
        ("{what} is {value}, and there are {size}: numbers 0 to {last}.",
         "{what} は {value} ですが、{size} 個しかなく、番号は 0 から {last} までです。"),
        ("use a number from 0 to {last}.", "0 から {last} までの番号を使ってください。")),
    "data-range": _kind(
        "K420", "a tensor holds a number that is not possible",
        ("{what} holds {value}; each of its numbers must be {must}.",
         "{what} に {value} が含まれていますが、すべて{must}でなければなりません。"),
        ("look where that number comes from; print {what}.min() and {what}.max().",
         "その数がどこから来たか、{what}.min() と {what}.max() を表示して確かめてください。")),
    "layout": _kind(
        "K421", "a tensor is stored in a way that is not possible here",
        ("{what} is stored as {layout}; {fn} takes {must}.",
         "{what} の格納形式は {layout} ですが、{fn} が受け取るのは{must}です。"),
        ("x.to_dense() makes an ordinary tensor of it, x.to_sparse() and x.to_sparse_csr() the sparse ones.",
         "x.to_dense() で通常のテンソルに、x.to_sparse() や x.to_sparse_csr() で疎なテンソルに変換できます。")),
    "memory": _kind(
        "K422", "the memory of a tensor does not allow this",
        ("{why}", "{why}"), ("{fix}", "{fix}")),
    "matrix-singular": _kind(
        "K423", "a matrix has no inverse",
        ("the matrix is singular: some row or column is a sum of multiples of others (two equal ones, a row of zeros).",
         "行列が特異です。ある行や列が、ほかの行や列の定数倍の和になっています (等しい二つの行、0 だけの行など)。"),
        ("look at torch.linalg.matrix_rank(A); torch.linalg.pinv and torch.linalg.lstsq take singular matrices, too.",
         "torch.linalg.matrix_rank(A) を確かめてください。特異な行列には torch.linalg.pinv や torch.linalg.lstsq を使えます。")),
    "operation-inputs": _kind(
        "K424", "an operation cannot take these inputs",
        ("{why}", "{why}"), ("{fix}", "{fix}")),
    # ---- what there is and what there is not
    "not-in-kobai": _kind(
        "K431", "PyTorch has it, kobai does not",
        ("kobai does not have {what}.", "kobai には {what} がありません。"), ("{instead}", "{instead}")),
    "not-defined": _kind(
        "K432", "there is no such thing, in PyTorch either",
        ("{what} is not defined.", "{what} は定義されていません。"), ("{fix}", "{fix}")),
    # ---- objects and calls
    "call-order": _kind(
        "K441", "something was called at the wrong time",
        ("{why}", "{why}"), ("{fix}", "{fix}")),
    "method-missing": _kind(
        "K442", "a class lacks a method",
        ("{cls} does not define {what}.", "{cls} に {what} が定義されていません。"),
        ("write `def {what}(self, ...)` in {cls}.", "{cls} の中に `def {what}(self, ...)` を書いてください。")),
    "wrong-return": _kind(
        "K443", "a function of yours returned something unexpected",
        ("{what} returned {kind}; it must return {must}.", "{what} が返したのは {kind} ですが、{must}を返さなければなりません。"),
        ("look at its `return`; a function without one returns None.",
         "その `return` を確かめてください。`return` のない関数は None を返します。")),
    "name-unknown": _kind(
        "K444", "there is nothing of that name",
        ("{where} has no {what} named {name}.", "{where} に {name} という名前の {what} はありません。"),
        ("look for the right spelling: its names are {names}.", "綴りを確かめてください。ある名前は {names} です。")),
    "name-taken": _kind(
        "K445", "a name is in use already",
        ("{where} has something named {name} already.", "{where} には {name} という名前のものがすでにあります。"),
        ("choose another name, or remove the first one before.", "別の名前を選ぶか、先にあるものを取り除いてください。")),
    "name-invalid": _kind(
        "K446", "a name that is not possible",
        ("{name} is no name for {what}: it must be {must}.", "{name} は {what} の名前にできません。{must}でなければなりません。"),
        ("choose another name.", "別の名前を選んでください。")),
    "not-possible": _kind(
        "K447", "an object does not do this",
        ("{why}", "{why}"), ("{fix}", "{fix}")),
    # ---- lists, structures, texts
    "lengths-differ": _kind(
        "K451", "two lists have different lengths",
        ("{what} has {count} entries and {other} has {other_count}; they belong together one by one.",
         "{what} は {count} 個、{other} は {other_count} 個ですが、一つずつ対応しなければなりません。"),
        ("give as many of the one as of the other.", "同じ数だけ渡してください。")),
    "text-syntax": _kind(
        "K453", "a text does not follow its rules",
        ("{text} cannot be read: {why}.", "{text} を読み取れません: {why}。"), ("{fix}", "{fix}")),
    # ---- files and machines
    "file": _kind(
        "K461", "a file cannot be used",
        ("{path}: {why}.", "{path}: {why}。"), ("{fix}", "{fix}")),
    "machine": _kind(
        "K463", "this machine does not have it",
        ("{why}", "{why}"), ("{fix}", "{fix}")),
}
