"""Phrases in the errors of ops/ (files o to z) and sparse tensors."""
from __future__ import annotations

MORE: dict[str, str] = {
    "correction=1 is the same as unbiased=True, 0 as False.":
        "correction=1 は unbiased=True と、0 は False と同じです。",
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
    "numbers, not True and False": "True と False 以外の数",
    "complex numbers have no order: take x.abs(), x.angle(), x.real or x.imag first.":
        "複素数には大小がありません。先に x.abs()、x.angle()、x.real、x.imag のどれかを取ってください。",
    "x.int() makes 0 and 1 of False and True.": "x.int() で False と True を 0 と 1 にできます。",
    "input has shape {shape}: dimension {dim} has no elements to choose from.":
        "input の形は {shape} で、次元 {dim} には選べる要素がありません。",
    "k is {value}, and dimension {dim} has {high} elements: 1 is the smallest, {high} the largest.":
        "k は {value} ですが、次元 {dim} の要素は {high} 個です。1 が最小の要素、{high} が最大の要素です。",
    "value is what mode='constant' fills with; with mode={mode} the new elements are copies of others.":
        "value は mode='constant' で埋める値です。mode={mode} では、新しい要素は他の要素の写しになります。",
    "leave out value, or write mode='constant'.": "value を外すか、mode='constant' と書いてください。",
    "3, 4 or 5": "3、4 または 5",
    "pad has {count} numbers and input {ndim} dimensions; mode={mode} takes 2, 4 or 6 numbers, and (N, C, ...) or "
    "(C, ...) with one dimension more for each two of them.":
        "pad の数は {count} 個、input は {ndim} 次元です。mode={mode} が受け取るのは 2、4、6 個の数と、2 "
        "個ごとに一つの次元が続く (N, C, ...) か (C, ...) の形です。",
    "x.unsqueeze(0) adds a dimension in front; or give two numbers for each of the dimensions after C.":
        "x.unsqueeze(0) で先頭に次元を加えるか、C より後の次元ごとに二つの数を渡してください。",
    "an even number": "偶数",
    "pad has {count} numbers; each dimension needs two, one for before and one for after it.":
        "pad の数は {count} 個です。次元ごとに、前と後の二つの数が必要です。",
    "write 0 where nothing is to be added: (0, 1) adds one element at the end of the last dimension.":
        "何も加えない側には 0 と書いてください。(0, 1) なら最後の次元の末尾に要素を一つ加えます。",
    "({before}, {after}) of pad cut off more than the {n} elements of the dimension.":
        "pad の ({before}, {after}) は、次元の要素 {n} 個より多くを切り落とします。",
    "a negative number in pad cuts elements off: cut off no more than the dimension has.":
        "pad の負の数は要素を切り落とします。次元の大きさを超えて切り落とさないでください。",
    "value is {value}, and input has dtype {dtype}, which has no negative numbers.":
        "value は {value} ですが、input の型 {dtype} には負の数がありません。",
    "pad with 0 or more, or convert first: x.int().": "0 以上の数で埋めるか、先に x.int() で変換してください。",
    "({before}, {after}) of pad for a dimension of size {size}: a mirror image has at most {high} elements, as the "
    "edge itself is not repeated.":
        "大きさ {size} の次元に対する pad が ({before}, {after}) です。端の要素は繰り返さないので、鏡像は最大 "
        "{high} 個です。",
    "pad this dimension by at most {high} on each side, or use mode='replicate'.":
        "この次元の pad は片側 {high} 以下にするか、mode='replicate' を使ってください。",
    "a whole number of at most {high}": "{high} 以下の整数",
    "{value} of pad cut off more than the {size} elements of dimension {dim}.":
        "pad の {value} は、次元 {dim} の要素 {size} 個より多くを切り落とします。",
    "({before}, {after}) of pad for a dimension of size {size}: going round, there are only {size} elements to "
    "repeat.":
        "大きさ {size} の次元に対する pad が ({before}, {after}) です。一周で繰り返せる要素は {size} 個だけです。",
    "pad this dimension by at most {size} on each side, or repeat the tensor before (x.repeat).":
        "この次元の pad は片側 {size} 以下にするか、先に x.repeat でテンソルを繰り返してください。",
    "a tensor that is not complex is real already: leave out view_as_real, or convert with x.to(torch.complex64).":
        "複素数でないテンソルはすでに実数です。view_as_real を外すか、x.to(torch.complex64) で変換してください。",
    "numbers of type float16, float32 or float64": "float16、float32、float64 の数",
    "a complex tensor needs no view; whole numbers convert with x.float().":
        "複素数のテンソルなら view は要りません。整数は x.float() で変換できます。",
    "2": "2",
    "the last dimension holds real and imaginary part: torch.tensor([re, im]).":
        "最後の次元が実部と虚部です: torch.tensor([re, im])。",
    "the last dimension holds real and imaginary part: torch.stack([re, im], -1).":
        "最後の次元が実部と虚部です: torch.stack([re, im], -1)。",
    "make it a tensor: torch.tensor({what}).": "torch.tensor({what}) でテンソルにしてください。",
    "B needs as many rows as A": "B の行数は A の行数と同じでなければなりません",
    "both must have the same number of dimensions": "次元の数が同じでなければなりません",
    "add a dimension in front of the shorter one: x.unsqueeze(0).":
        "次元の少ない方の先頭に x.unsqueeze(0) で次元を加えてください。",
    "input has shape {shape}; cross products are of vectors of 3 elements.":
        "input の形は {shape} ですが、外積は 3 要素のベクトルについての積です。",
    "bring the vectors into a dimension of size 3, and give it as dim.":
        "大きさ 3 の次元にベクトルを並べ、その次元を dim に渡してください。",
    "dims is {value}, but a has {na} and b has {nb} dimensions.":
        "dims は {value} ですが、a は {na} 次元、b は {nb} 次元です。",
    "two lists of whole numbers": "整数のリスト二つ",
    "dims is a pair, and one of its two is the number {n}: it must hold two lists, the dimensions of a and those of "
    "b.":
        "dims は組ですが、その一方が数 {n} です。a の次元のリストと b の次元のリストの組でなければなりません。",
    "write dims=([{n}], [...]), or dims={n} for the last {n} of a and the first {n} of b.":
        "dims=([{n}], [...]) と書くか、a の最後の {n} 個と b の最初の {n} 個なら dims={n} と書いてください。",
    "name as many dimensions of a as of b: they are multiplied pair by pair.":
        "a と b の次元を同じ数だけ挙げてください。一組ずつ掛け合わされます。",
}
