"""Phrases in the errors of ops/ (files o to z) and sparse tensors."""
from __future__ import annotations

MORE: dict[str, str] = {
    "correction=1 is the same as unbiased=True, 0 as False.":
        "correction=1 は unbiased=True と、0 は False と同じです。",
    "dimension {i} of the first and dimension {j} of the second must have the same size":
        "前者の次元 {i} と後者の次元 {j} は同じ大きさでなければなりません",
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
    "a tensor without dimensions is one number: x.item() gives it, x.reshape(1) gives it a dimension.":
        "次元のないテンソルは一つの数です。x.item() でその数を、x.reshape(1) で次元を一つ持つテンソルを得られます。",
    "dimension {dim} is named more than once.": "次元 {dim} が二回以上指定されています。",
    "name each dimension once; -1 is the last one.": "どの次元も一度だけ指定してください。-1 は最後の次元です。",
    "numbers of type float32 or float64": "float32 か float64 の数",
    "convert first: x.float() or x.double().": "先に x.float() か x.double() で変換してください。",
    "q.flatten() makes a row of all of them.": "q.flatten() ですべてを一列に並べられます。",
    "write ({size},) for a row of {size} numbers.": "{size} 個の数の列なら ({size},) と書いてください。",
    "mean and std are both numbers, so nothing says how many random numbers there are to be.":
        "mean も std も数なので、乱数をいくつ作るのかが決まりません。",
    "give the size, too: normal(mean, std, size=(3,)).":
        "normal(mean, std, size=(3,)) のように大きさも渡してください。",
    "std.abs(), or F.softplus(std) for the output of a network.":
        "std.abs() か、ネットワークの出力なら F.softplus(std) を使ってください。",
    "a row has no columns to exchange: x.flip(0) reverses it.":
        "一列だけの数に左右の列はありません。x.flip(0) で逆順にできます。",
    "a whole number, or one for each of dims": "整数、または dims と同じ数の整数",
    "shifts is empty: nothing says how far to roll.": "shifts が空なので、どれだけずらすのかが決まりません。",
    "a rotation turns the plane of two dimensions: dims=(0, 1).": "回転は二つの次元の平面で行います: dims=(0, 1)。",
    "dims names dimension {dim} twice, and a rotation turns the plane of two dimensions.":
        "dims が次元 {dim} を二度指定していますが、回転は二つの次元の平面で行います。",
    "name two different dimensions: dims=(0, 1).": "異なる二つの次元を指定してください: dims=(0, 1)。",
    "whole numbers of at least {low}": "{low} 以上の整数",
    "repeats.flatten() makes a row of them: one for each element, or for each slice along dim.":
        "repeats.flatten() で一列にできます。要素ごと、または dim に沿う切片ごとに一つです。",
    "repeats has {count} numbers, and dimension {dim} of input has {n} entries to repeat.":
        "repeats の数は {count} 個ですが、input の次元 {dim} には繰り返す要素が {n} 個あります。",
    "give one number for each of the {n} entries, or one for all.":
        "{n} 個の要素それぞれに一つずつ、または全体に一つの数を渡してください。",
    "whole numbers of type int32 or int64": "int32 か int64 の整数",
    "convert first: repeats.long().": "先に repeats.long() で変換してください。",
    "keepdim is of type {kind}; it says whether the reduced dimensions stay, with size 1: True or False.":
        "keepdim の型は {kind} ですが、減らした次元を大きさ 1 で残すかどうかを True か False で渡す引数です。",
    "to reduce several dimensions, write them as a tuple: {fn}((0, 1)).":
        "複数の次元を減らすにはタプルで書いてください: {fn}((0, 1))。",
    "a whole number, or a tuple of them": "整数、または整数のタプル",
    "dim is of type {kind}; {fn}() works along one dimension, so dim is one whole number.":
        "dim の型は {kind} ですが、{fn}() は一つの次元に沿って計算するので、dim は整数一つです。",
    "write dim=0, or dim=-1 for the last dimension.": "dim=0、または最後の次元なら dim=-1 と書いてください。",
    "torch.where(x.isnan(), 0, x).sum() leaves the NaNs out.":
        "torch.where(x.isnan(), 0, x).sum() で NaN を除いて足せます。",
    "whole numbers hold no NaN: x.float().mean() is the same.":
        "整数に NaN はありません。x.float().mean() が同じ結果になります。",
    "input has shape {shape}, more columns than rows; each column is a reflection, and there are no more of them "
    "than rows.":
        "input の形は {shape} で、列が行より多くなっています。列はそれぞれ鏡映を表し、"
        "行の数を超えることはありません。",
    "cut it to its first {n} columns: x[..., :{n}].": "最初の {n} 列だけを使ってください: x[..., :{n}]。",
    "tau has at most one number for each column of input": "tau の数は input の列の数以下でなければなりません",
    "tau comes from geqrf() together with input: a, tau = torch.geqrf(x).":
        "tau は input と一緒に geqrf() から得られます: a, tau = torch.geqrf(x)。",
    "input has shape {shape}: dimension {dim} is empty, so there is nothing to take the mean of.":
        "input の形は {shape} で、次元 {dim} が空のため、平均するものがありません。",
    "input has shape {shape}; {fn}() takes (N, C, ...) or (C, ...): {n} or {m} dimensions.":
        "input の形は {shape} ですが、{fn}() が受け取るのは (N, C, ...) か (C, ...) の {n} 次元または {m} "
        "次元です。",
    "x.unsqueeze(0) adds a dimension in front, for one example or one channel.":
        "x.unsqueeze(0) で先頭に、一つの例や一つのチャネルのための次元を加えられます。",
    "x.sgn() is x / x.abs(), the direction of a complex number.": "x.sgn() は x / x.abs()、つまり複素数の向きです。",
    "complex numbers have no order; clamp their parts: torch.complex(x.real.clamp(...), x.imag.clamp(...)).":
        "複素数には大小がありません。実部と虚部を別々に制限してください: torch.complex(x.real.clamp(...), "
        "x.imag.clamp(...))。",
    "dim is {value}, but input has no dimensions: it is one number, and only 0 and -1 are taken.":
        "dim は {value} ですが、input は次元のない一つの数なので、渡せるのは 0 と -1 だけです。",
    "write dim=0, or give a tensor with dimensions.": "dim=0 と書くか、次元のあるテンソルを渡してください。",
    "leave out one of them: right=True is the same as side='right'.":
        "どちらかを外してください。right=True は side='right' と同じです。",
    "the sequence to search is a row of numbers: sorted_sequence.reshape(1) makes one.":
        "探す対象は数の列です。sorted_sequence.reshape(1) で一つの数の列になります。",
    "sorted_sequence has shape {sequence}, a sequence in each row; input is one number and belongs to none of them.":
        "sorted_sequence の形は {sequence} で、行ごとに一つの列があります。input は一つの数で、"
        "どの行のものか決まりません。",
    "give a row of values for each sequence: input.expand(*sorted_sequence.shape[:-1], 1).":
        "列ごとに値の行を渡してください: input.expand(*sorted_sequence.shape[:-1], 1)。",
    "all dimensions but the last must be the same, unless sorted_sequence is one row":
        "sorted_sequence が一列でないかぎり、最後以外の次元は同じでなければなりません",
    "sorter says in what order the sequence is sorted: sorter=sorted_sequence.argsort().":
        "sorter は列を整列する順序です: sorter=sorted_sequence.argsort()。",
    "boundaries are one row, in order; torch.searchsorted takes a row for each row of values.":
        "境界は整列した一列の数です。値の行ごとに別の境界を使うには torch.searchsorted を使ってください。",
    "neither lengths nor offsets were given, so nothing says where a segment ends.":
        "lengths も offsets も渡されていないので、区間の境目が決まりません。",
    "give lengths=torch.tensor([2, 3]), or offsets=torch.tensor([0, 2, 5]) for the same segments.":
        "lengths=torch.tensor([2, 3])、または同じ区間を表す offsets=torch.tensor([0, 2, 5]) を渡してください。",
    "neither PyTorch nor kobai reduces by indices here.": "indices による集約は PyTorch にも kobai にもありません。",
    "give lengths or offsets; scatter_reduce() takes the number of the segment of each element.":
        "lengths か offsets を渡してください。要素ごとの区間の番号を渡すには scatter_reduce() を使います。",
    "lengths has shape {shape} for data of shape {data}; to reduce dimension {dim}, lengths needs the dimensions "
    "before it, and then one number for each segment.":
        "data の形 {data} に対して lengths の形が {shape} です。次元 {dim} を集約するには、それより前の次元と、"
        "区間ごとに一つの数が必要です。",
    "the lengths {value} do not add up to {size}, the size of dimension {dim}.":
        "lengths {value} の合計が、次元 {dim} の大きさ {size} になっていません。",
    "let the lengths add up to {size}; unsafe=True allows less.":
        "lengths の合計を {size} にしてください。unsafe=True なら少なくてもかまいません。",
    "input is one number of {size} bytes, and an element of the new dtype has {new}: there is no dimension whose "
    "size could change.":
        "input は {size} バイトの数一つですが、新しい型の要素は {new} バイトです。"
        "大きさを変えられる次元がありません。",
    "x.to(dtype) converts the numbers; view(dtype) reads the same bytes in another way.":
        "数の変換には x.to(dtype) を使ってください。view(dtype) は同じバイト列を別の型として読みます。",
    "an element of the new dtype has {new} bytes instead of {size}, but along the last dimension the elements of "
    "input do not lie side by side (stride {step}).":
        "新しい型の要素は {size} バイトではなく {new} バイトですが、input "
        "の要素は最後の次元に沿って隣り合っていません (ストライド {step})。",
    "copy it into order first: x.contiguous().view(dtype).":
        "先に順番どおりに写してください: x.contiguous().view(dtype)。",
    "the last dimension has {value} elements of {size} bytes, which are no whole number of elements of {new} bytes.":
        "最後の次元には {size} バイトの要素が {value} 個ありますが、{new} バイトの要素に分けると余りが出ます。",
    "write the sizes that dimension {dim} is cut into: x.unflatten({dim}, (2, -1)).":
        "次元 {dim} を分けた後の大きさを書いてください: x.unflatten({dim}, (2, -1))。",
    ".mT exchanges the last two dimensions; .transpose(dim0, dim1) any two.":
        ".mT は最後の二つの次元を、.transpose(dim0, dim1) は任意の二つの次元を入れ替えます。",
    "name each of the {n} dimensions once.": "{n} 個の次元をそれぞれ一度だけ指定してください。",
    "{what} names dimension {dim} more than once.": "{what} が次元 {dim} を二回以上指定しています。",
    "a row has no transpose: x.unsqueeze(-1) is a column, x.unsqueeze(0) a row of a matrix.":
        "1 次元のテンソルに転置はありません。x.unsqueeze(-1) で列、x.unsqueeze(0) で行になります。",
    "for a batch of matrices use x.mH.": "行列のバッチには x.mH を使ってください。",
    "size has {count} numbers, and input of shape {shape} has {n} dimensions; expand() never drops one.":
        "size の数は {count} 個ですが、形 {shape} の input は {n} 次元です。expand() は次元を減らしません。",
    "give a size for each dimension, -1 to keep it; x.squeeze(dim) or x[0] drops one.":
        "次元ごとに大きさ (そのままなら -1) を渡してください。次元を減らすには x.squeeze(dim) や x[0] を使います。",
    "{what} is -1, which keeps a size, but dimension {dim} is a new one in front: input has shape {shape}.":
        "{what} は元の大きさを保つ -1 ですが、次元 {dim} は先頭に加わる新しい次元です (input の形は {shape})。",
    "write how large the new dimension is to be.": "新しい次元の大きさを書いてください。",
    "shape number {i} is {shape}, and those before it make {other_shape}: in dimension {at}, {n} and {size} are not "
    "the same, and neither is 1.":
        "{i} 番の形は {shape} で、それより前の形からは {other_shape} になりますが、次元 {at} の {n} と {size} "
        "が異なり、どちらも 1 ではありません。",
    "sizes are compared from the last dimension on; put in a 1 where one is to be repeated.":
        "大きさは最後の次元から順に比べられます。繰り返したい所に 1 を入れてください。",
    "the tensors have shapes {shape} and {other_shape}: in dimension {i}, {n} and {m} are not the same, and neither "
    "is 1.":
        "テンソルの形 {shape} と {other_shape} は、次元 {i} の大きさ {n} と {m} が異なり、どちらも 1 "
        "ではありません。",
    "size is {value}, and a tensor of that shape does not broadcast to {shape}, the shape of input.":
        "size は {value} ですが、その形のテンソルは input の形 {shape} にブロードキャストできません。",
    "each size is that of input or 1, and dimensions may be left out in front.":
        "大きさはそれぞれ input と同じか 1 とし、先頭の次元は省けます。",
    "{fn}() is computed by SciPy, and this Python does not have it.":
        "{fn}() は SciPy で計算しますが、この Python には SciPy がありません。",
    "{fn} has a derivative by x only, here as in PyTorch: the one by a has no closed form.":
        "{fn} を微分できるのは x についてだけです (PyTorch も同じ)。a についての微分は閉じた式になりません。",
    "use a.detach() if the gradient by a is not needed.": "a の勾配が不要なら a.detach() を使ってください。",
    "start is {value}, and dimension {dim} has {high} entries.":
        "start は {value} ですが、次元 {dim} の要素は {high} 個です。",
    "{length} entries from number {start} on are more than dimension {dim} has: it has {n}.":
        "{start} 番から {length} 個の要素は、次元 {dim} の大きさ {n} を超えます。",
    "give a number of parts that divides {value}, or use tensor_split(), whose parts may differ by one.":
        "{value} を割り切る個数を渡すか、部分の大きさが一つ違ってもよい tensor_split() を使ってください。",
    "the rows are the variables, the columns the observations: x.flatten(1).": "行が変数、列が観測です: x.flatten(1)。",
    "give one number for each observation (column of input).": "観測 (input の列) ごとに一つの数を渡してください。",
    "fweights says how often each observation counts: fweights.long(); for weights with fractions there is aweights.":
        "fweights は各観測の回数です (fweights.long())。小数の重みには aweights を使ってください。",
    "aweights says how much each observation counts: aweights.float(); for whole numbers there is fweights.":
        "aweights は各観測の重みです (aweights.float())。整数の回数には fweights を使ってください。",
    "{what} has {count} numbers, and input has {n} observations (columns).":
        "{what} の数は {count} 個ですが、input の観測 (列) は {n} 個です。",
    "{what} holds a negative number; each says how much an observation counts.":
        "{what} に負の数が含まれています。それぞれ観測の重みを表す数です。",
    "give weights of at least 0.": "0 以上の重みを渡してください。",
    "the weights add up to 0: no observation counts.": "重みの合計が 0 で、どの観測も数えられません。",
    "give at least one observation a positive weight.": "少なくとも一つの観測に正の重みを付けてください。",
    "a piece of n_fft={high} samples holds the window: choose {low} to {high}.":
        "窓は n_fft={high} 個のサンプルに収まります。{low} から {high} までを選んでください。",
    "write window=torch.hann_window({n}); win_length is n_fft where it is not given.":
        "window=torch.hann_window({n}) と書いてください。win_length を渡さなければ n_fft と同じになります。",
    "write return_complex=True; torch.view_as_real(result) makes pairs of real numbers of it.":
        "return_complex=True と書いてください。torch.view_as_real(result) で実数の組に変換できます。",
    "a signal is (samples,) or (batch, samples): x.flatten(0, -2).":
        "信号の形は (サンプル,) か (バッチ, サンプル) です: x.flatten(0, -2)。",
    "n_fft is {value}, and there are {high} samples in a signal: no piece is that long.":
        "n_fft は {value} ですが、信号のサンプルは {high} 個で、その長さの区間を取れません。",
    "the spectrum of complex numbers is not symmetric, so one half of it (onesided=True) does not give the other.":
        "複素数のスペクトルは対称でないので、片側 (onesided=True) から残りは得られません。",
    "leave out onesided, or write onesided=False.": "onesided を外すか、onesided=False と書いてください。",
    "stft(..., return_complex=True) gives them; torch.view_as_complex(input) makes them of pairs of real numbers.":
        "stft(..., return_complex=True) が複素数を返します。実数の組からは torch.view_as_complex(input) "
        "で作れます。",
    "spectra are (frequencies, pieces) or (batch, frequencies, pieces), as stft() gives them.":
        "スペクトルの形は stft() が返す (周波数, 区間) か (バッチ, 周波数, 区間) です。",
    "at some sample all windows are zero, so its value is lost.":
        "すべての窓が 0 になるサンプルがあり、その値が失われています。",
    "take a smaller hop_length than {value}, or another window.":
        "hop_length を {value} より小さくするか、別の窓を使ってください。",
    "dimension {dim} of input holds {size} frequencies; with n_fft={n_fft} there are {n}.":
        "input の次元 {dim} には周波数が {size} 個ありますが、n_fft={n_fft} なら {n} 個です。",
    "give the same n_fft and onesided to stft() and istft().":
        "stft() と istft() に同じ n_fft と onesided を渡してください。",
    "hop_length is {value}, and the window has {high} samples: those between two windows are lost.":
        "hop_length は {value} ですが、窓は {high} サンプルなので、窓と窓の間のサンプルが失われます。",
    "with return_complex=True the signal is complex, and half of its spectrum (onesided=True) is not enough to find "
    "it.":
        "return_complex=True では信号が複素数なので、スペクトルの片側 (onesided=True) だけでは復元できません。",
    "leave out onesided for a complex signal, or return_complex for a real one.":
        "複素数の信号なら onesided を、実数の信号なら return_complex を外してください。",
    "window is complex, so the signal is complex, too.": "window が複素数なので、信号も複素数になります。",
    "write return_complex=True, or give a real window.": "return_complex=True と書くか、実数の窓を渡してください。",
    "convert it first: source.to({other_dtype}).": "先に source.to({other_dtype}) で変換してください。",
    "the tensor has requires_grad=True, and its gradient has the shape that the tensor has now.":
        "テンソルが requires_grad=True で、勾配は今の形に対応しています。",
    "x.detach().resize_(...) resizes without gradients; x.reshape(...) and torch.cat make another tensor.":
        "x.detach().resize_(...) なら勾配なしで変更できます。別のテンソルを作るには x.reshape(...) や torch.cat "
        "を使ってください。",
    "other libraries' arrays do not pass gradients on, and this tensor has requires_grad=True.":
        "テンソルが requires_grad=True ですが、他のライブラリの配列は勾配を伝えません。",
    "export x.detach(), which shares its memory.": "メモリを共有する x.detach() を渡してください。",
    "the last element of such a view is number {last} of the memory, and that holds {room} elements (0 to {end}).":
        "このビューの最後の要素はメモリの {last} 番ですが、メモリにある要素は {room} 個 (0 から {end} まで) です。",
    "make size {size}, stride {stride} or storage_offset {offset} smaller.":
        "size {size}、stride {stride}、storage_offset {offset} のどれかを小さくしてください。",
    "src takes the place of a part of input, and has the shape of that part: {want}.":
        "src は input の一部と置き換わるので、その部分の形 {want} でなければなりません。",
    "size is {value}, and dimension {dim} has only {high} elements: no window is that large.":
        "size は {value} ですが、次元 {dim} の要素は {high} 個しかなく、その大きさの窓を取れません。",
    "whole numbers, or True and False": "整数か、True と False",
    "index.long() makes positions of it, index.bool() or a comparison (x > 0) a mask.":
        "位置なら index.long()、マスクなら index.bool() か比較 (x > 0) を使ってください。",
    "the step of x[start:stop:step] is {value}; there are no views with a negative step.":
        "x[start:stop:step] の step が {value} ですが、負の間隔のビューはありません。",
    "torch.flip(x, (dim,)) gives the elements of a dimension backwards.":
        "次元を逆順にするには torch.flip(x, (dim,)) を使ってください。",
    "a number or a tensor": "数かテンソル",
    "the value to be put into the tensor is of type {kind}; only a number or a tensor can be.":
        "テンソルに入れようとした値の型は {kind} ですが、入れられるのは数かテンソルです。",
    "make it a tensor first: x[...] = torch.tensor(value).":
        "先にテンソルにしてください: x[...] = torch.tensor(value)。",
    "convert it: x[...] = value.to(x.dtype).": "変換してください: x[...] = value.to(x.dtype)。",
    "the tensor was expanded: several of its elements are the same number in memory (or its memory is read-only).":
        "テンソルは expand されていて、複数の要素がメモリ上の同じ数を指しています (または読み取り専用です)。",
    "write to x.clone() instead.": "x.clone() に書き込んでください。",
    "the value has shape {shape} and is put into a place of shape {other_shape}, which has fewer dimensions.":
        "形 {shape} の値を、次元がより少ない {other_shape} の場所に入れようとしています。",
    "drop dimensions of the value: value[0], value.squeeze(0) or value.reshape({other_shape}).":
        "値の次元を減らしてください: value[0]、value.squeeze(0)、value.reshape({other_shape})。",
    "dtypes of whole numbers": "整数の型",
    "dtypes of floating point or complex numbers": "浮動小数点数か複素数の型",
    "a bool is True or False; iinfo(torch.uint8) is the smallest of whole numbers.":
        "bool は True か False です。最も小さい整数の型は iinfo(torch.uint8) です。",
    "torch.finfo({dtype}) has the limits of floating point numbers.":
        "浮動小数点数の範囲は torch.finfo({dtype}) で得られます。",
    "torch.iinfo({dtype}) has the limits of whole numbers.": "整数の範囲は torch.iinfo({dtype}) で得られます。",
    "a shape, or a list of numbers": "形、または数のリスト",
    "torch.tensor(number) makes a tensor of one number.": "一つの数のテンソルは torch.tensor(数) で作れます。",
    "{other} holds {other_dtype}, and the tensor given is {dtype}; a constructor does not convert tensors.":
        "{other} の型は {other_dtype} ですが、渡されたテンソルは {dtype} です。"
        "コンストラクタはテンソルを変換しません。",
    "convert it: x.to({other_dtype}).": "x.to({other_dtype}) で変換してください。",
    "write one of {choices}, or use torch.set_default_dtype(torch.float64).":
        "{choices} のどれかを書くか、torch.set_default_dtype(torch.float64) を使ってください。",
    "give the size of what was pooled: output_size=x.shape[{back}:].":
        "プーリング前の大きさを渡してください: output_size=x.shape[{back}:]。",
    "give the indices that the pooling returned with return_indices=True.":
        "return_indices=True としたプーリングが返した indices を渡してください。",
    "give output_size, the size of what was pooled, and the indices that the pooling returned.":
        "プーリング前の大きさを output_size に、プーリングが返した indices とともに渡してください。",
    "a whole number, or a tuple of {n} of them": "整数、または {n} 個の整数のタプル",
    "{what} has to be a whole number, or a tuple of {n} of them; a value of type {kind} was found.":
        "{what} は整数か、{n} 個の整数のタプルでなければなりませんが、型が {kind} の値がありました。",
    "sizes count elements: divide with a // b, or convert with int(a).":
        "大きさは要素の個数です。割り算には a // b を、変換には int(a) を使ってください。",
    "{what} is {value}, {count} numbers; there is one for each of the {m} dimensions of a window, or one for all.":
        "{what} は {value} で、数が {count} 個あります。窓の {m} 個の次元ごとに一つ、または全体に一つです。",
    "write one whole number, or a tuple of {m}.": "整数一つか、{m} 個のタプルを書いてください。",
    "padding is {value}, more than half of the window of {size} elements: some windows would lie in the padding only.":
        "padding は {value} で、窓の {size} 要素の半分を超えています。パディングだけの窓ができてしまいます。",
    "input has shape {shape}; needed is (N, C, ...) or (C, ...): {n} or {m} dimensions.":
        "input の形は {shape} ですが、必要なのは (N, C, ...) か (C, ...) の {n} 次元または {m} 次元です。",
    "input has shape {shape}: dimension {dim} is empty, and windows need elements.":
        "input の形は {shape} で、次元 {dim} が空ですが、窓には要素が必要です。",
    "dtype is {dtype}, and the numbers of a window lie between 0 and 1.":
        "dtype は {dtype} ですが、窓の数は 0 から 1 の間の値です。",
    "leave out dtype, or write torch.float32 or torch.float64.":
        "dtype を外すか、torch.float32 か torch.float64 と書いてください。",
    "other needs as many rows as input": "other の行数は input の行数と同じでなければなりません",
    "other needs as many columns as input has rows": "other の列数は input の行数と同じでなければなりません",
    "tau has one number for each column of input": "tau には input の列ごとに一つの数が必要です",
    "make a dense tensor of it first: x.to_dense().": "先に x.to_dense() で通常のテンソルにしてください。",
    "{name} would give numbers other than 0 where a sparse tensor stores nothing, or is not written for sparse "
    "tensors.":
        "{name} は、疎なテンソルが何も格納していない所に 0 以外の数を生じるか、疎なテンソルに対応していません。",
    "write a row for each sparse dimension, and a column for each value: [[0, 1], [2, 0]] are (0, 2) and (1, 0).":
        "疎な次元ごとに一行、値ごとに一列で書いてください。[[0, 1], [2, 0]] は位置 (0, 2) と (1, 0) です。",
    "indices has {count} columns, and values has {other_count} entries; each column is the place of one value.":
        "indices は {count} 列、values は {other_count} 個です。一列が一つの値の位置を表します。",
    "size has {count} numbers; indices has {rows} rows and each value {wide} dimensions, which makes {n}.":
        "size の数は {count} 個ですが、indices は {rows} 行、値はそれぞれ {wide} 次元なので、合わせて {n} "
        "個必要です。",
    "row {dim} of indices holds {value}, and dimension {dim} has size {size}: numbers 0 to {high}.":
        "indices の {dim} 行に {value} がありますが、次元 {dim} の大きさは {size} で、番号は 0 から {high} "
        "までです。",
    "make size larger, or correct the index.": "size を大きくするか、添字を直してください。",
    "dimension {dim} has size {value}, which cannot be divided by {by}.":
        "次元 {dim} の大きさは {value} で、{by} で割り切れません。",
    "choose a blocksize that divides the shape {shape}, or pad the matrix with zeros (F.pad).":
        "形 {shape} を割り切る blocksize を選ぶか、F.pad で行列を 0 で広げてください。",
    "kobai compresses matrices only, and this tensor has shape {shape}.":
        "kobai が圧縮できるのは行列だけですが、このテンソルの形は {shape} です。",
    "x.to_sparse() takes any number of dimensions; of a batch, compress one matrix after the other.":
        "x.to_sparse() は何次元でも使えます。バッチなら行列を一つずつ圧縮してください。",
    "sparse tensors": "疎なテンソル",
    "sparse tensors in coordinates (sparse_coo)": "座標による疎なテンソル (sparse_coo)",
    "x.to_sparse() makes one.": "x.to_sparse() で変換できます。",
    "an index may occur several times here, and its values have not been added up.":
        "同じ位置が何度も現れる可能性があり、その値がまだ足し合わされていません。",
    "write x = x.coalesce() before x.{name}().": "x.{name}() の前に x = x.coalesce() と書いてください。",
    "sparse tensors compressed by rows": "行で圧縮した疎なテンソル",
    "sparse tensors compressed by columns": "列で圧縮した疎なテンソル",
    "x.to_sparse_csr() makes one.": "x.to_sparse_csr() で変換できます。",
    "x.to_sparse_csc() makes one.": "x.to_sparse_csc() で変換できます。",
    "the first needs as many columns as the second has rows": "前者の列数は後者の行数と同じでなければなりません",
    "look at both shapes; .t() exchanges rows and columns.":
        "両方の形を確かめてください。.t() で行と列を入れ替えられます。",
    "sparse tensors do not broadcast: make dense tensors of both (x.to_dense()), or give them one shape.":
        "疎なテンソルはブロードキャストしません。両方を x.to_dense() で通常のテンソルにするか、形を揃えてください。",
    "the first has {i} sparse dimensions, the second {j}: their values have different shapes.":
        "前者の疎な次元は {i} 個、後者は {j} 個で、値の形が異なります。",
    "bring both to the same: x.to_dense().to_sparse(sparse_dim).":
        "x.to_dense().to_sparse(疎な次元の数) で揃えてください。",
    "a number added to every element leaves no zeros, so the result would not be sparse.":
        "すべての要素に数を足すと 0 が残らず、結果が疎になりません。",
    "a sparse tensor can be divided by one number only: where nothing is stored, other quotients could be NaN (0 / "
    "0).":
        "疎なテンソルを割れるのは一つの数だけです。何も格納していない所が 0 / 0 で NaN になりうるためです。",
    "of the two dimensions {i} are stored as coordinates (sparse) and {j} in the values (dense); products need 2 and "
    "0.":
        "次元のうち {i} 個が座標 (疎)、{j} 個が値の中 (密) に格納されています。積には 2 個と 0 個が必要です。",
    "make a matrix by coordinates of it: x.to_dense().to_sparse().":
        "x.to_dense().to_sparse() で、座標だけの行列にしてください。",
    "{i} dimensions are stored as coordinates (sparse), the {j} after them in the values (dense), and the two kinds "
    "do not exchange.":
        "{i} 個の次元が座標 (疎)、その後の {j} 個が値の中 (密) に格納されていて、この二種類は入れ替えられません。",
    "make all dimensions sparse first: x.to_dense().to_sparse().":
        "先に x.to_dense().to_sparse() ですべての次元を疎にしてください。",
    "sparse tensors together with sparse ones": "疎なテンソル同士",
    "convert it: {what}.to_sparse(), or make dense tensors of the others.":
        "{what}.to_sparse() で変換するか、残りを通常のテンソルにしてください。",
    "each value of a sparse tensor is stored with its place in the present shape.":
        "疎なテンソルの値は、それぞれ今の形での位置とともに格納されています。",
    "go by way of a dense tensor: x.to_dense().reshape(...).to_sparse().":
        "通常のテンソルを経由してください: x.to_dense().reshape(...).to_sparse()。",
    "M is of type {kind}; it says how many numbers the window has, so it is a whole number.":
        "M の型は {kind} ですが、窓の数の個数なので整数でなければなりません。",
    "torch.strided": "torch.strided",
    "layout is {layout}, and a window is an ordinary tensor (torch.strided).":
        "layout は {layout} ですが、窓は通常のテンソル (torch.strided) です。",
    "leave out layout.": "layout を外してください。",
    "dtype is {dtype}; windows are made as float32 or float64.":
        "dtype は {dtype} ですが、窓は float32 か float64 で作られます。",
    "make it as float32 and convert it: torch.signal.windows.{name}(...).to({dtype}).":
        "float32 で作ってから変換してください: torch.signal.windows.{name}(...).to({dtype})。",
    "a symmetric window (sym=True) has its center in the middle, and center={value} was given.":
        "対称な窓 (sym=True) の中心は真ん中ですが、center={value} が渡されました。",
    "leave out center, or write sym=False.": "center を外すか、sym=False と書いてください。",
    "a list or tuple of numbers": "数のリストかタプル",
    "write the coefficients as a list: a=[0.5, 0.5].": "係数をリストで書いてください: a=[0.5, 0.5]。",
    "the input has dtype {dtype}, for which this is not defined.": "入力の型は {dtype} ですが、この型には定義されていません。",
    "~mask turns a mask around; x.int() or x.float() makes numbers, x.abs() or x.real real ones.":
        "マスクの反転は ~mask、数への変換は x.int() や x.float()、実数への変換は x.abs() や x.real です。",
    "write int(n); a // b divides whole numbers.": "int(n) と書いてください。整数の割り算は a // b です。",
    "max(dim, keepdim=True); of several dimensions amax and amin take a tuple.":
        "max(dim, keepdim=True) と書いてください。複数の次元には、タプルを受け取る amax や amin を使えます。",
    "give the scores as the last layer makes them, not their argmax: argmax is for counting right answers.":
        "argmax ではなく、最後の層が出すスコアをそのまま渡してください。argmax は正解を数えるためのものです。",
    "the value before `in`": "`in` の前の値",
    "look it up in a list or a dict.": "リストや辞書の中を探してください。",
    "a number that is not complex": "複素数でない数",
    "the tensor after ~": "~ の後のテンソル",
    "True and False, or whole numbers": "True と False、または整数",
    "turn a mask around, ~(x > 0); the negative is -x.": "マスクの反転は ~(x > 0)、符号の反転は -x です。",
    "leave output_size out, or give the sum of the repeats.": "output_size を省くか、repeats の合計を渡してください。",
    "a tensor of layout {want}": "レイアウトが {want} のテンソル",
}
