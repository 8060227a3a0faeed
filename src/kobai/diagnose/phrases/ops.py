"""Phrases in the errors of ops/ (files a to n)."""
from __future__ import annotations

OPS: dict[str, str] = {
    "{fn2}(2, 3), or {fn2}(()) for a tensor without dimensions.": "{fn2}(2, 3)。次元のないテンソルなら {fn2}(()) です。",
    "use .cfloat(), complex numbers of 64 bits.": "64 ビットの複素数 .cfloat() を使ってください。",
    "{fn} has no argument named {got}.": "{fn} に {got} という引数はありません。",
    "look at the spelling; its arguments are {names}.": "綴りを確かめてください。引数は {names} です。",
    "a number other than 0": "0 以外の数",
    "give the smaller number as min_val and the larger one as max_val.":
        "小さいほうの数を min_val、大きいほうの数を max_val に渡してください。",
    "input has dtype {dtype}, in which there is no number below 0, and min_val is {low}.":
        "input の型は {dtype} で、0 より小さい数を表せませんが、min_val は {low} です。",
    "convert it first, x.int() or x.float(), or give a min_val of at least 0.":
        "先に x.int() や x.float() で変換するか、min_val に 0 以上の数を渡してください。",
    "give one number, or a vector with one number for each channel: weight.flatten().":
        "数を一つ、またはチャネルごとに一つの数を並べたベクトル (weight.flatten()) を渡してください。",
    "weight has {count} numbers, and the input of shape {shape} has {channels} channels (its dimension 1).":
        "weight の数は {count} 個ですが、形 {shape} の input のチャネル (次元 1) は {channels} 個です。",
    "give one number for all channels, or {channels}: nn.PReLU({channels}).":
        "すべてのチャネルに共通の一つの数か、{channels} 個の数 (nn.PReLU({channels})) を渡してください。",
    "glu() halves a dimension: give a tensor that has an even one.":
        "glu() は次元を半分に分けます。大きさが偶数の次元を持つテンソルを渡してください。",
    "an even number": "偶数",
    "make it twice as large as the result should be, or name another dimension: glu(x, dim=...).":
        "その次元を、結果に必要な大きさの 2 倍にするか、別の次元を選んでください: glu(x, dim=...)。",
    "{count} windows of {window} elements need {needed} elements, and the {word} of the input is {size}.":
        "大きさ {window} の窓を {count} 個置くには {needed} 個の要素が必要ですが、入力の {word} は {size} です。",
    "give a smaller kernel_size or output_size, or a larger input.":
        "kernel_size か output_size を小さくするか、入力を大きくしてください。",
    "neither output_size nor output_ratio was given; one of them says how large the result is.":
        "output_size も output_ratio も渡されていません。結果の大きさを決めるために、どちらか一方が必要です。",
    "give output_size, the size of the result, or output_ratio, its part of the input's size.":
        "output_size (結果の大きさ) か output_ratio (入力の大きさに対する比) を渡してください。",
    "a shape is one tuple or separate numbers, not both.":
        "形は一つのタプルか、並べた数で渡します。両方を混ぜることはできません。",
    "write {form}.": "{form} と書いてください。",
    "pass a number as {what}; x.item() makes one of a tensor of one element.":
        "{what} には数を渡してください。要素が一つのテンソルは x.item() で数にできます。",
    "kobai makes ordinary (strided) tensors here, none of layout {kind}.":
        "kobai がここで作れるのは通常の (strided の) テンソルだけで、{kind} では作れません。",
    "leave out layout= and convert the result: x.to_sparse() or x.to_sparse_csr().":
        "layout= を書かずに作り、x.to_sparse() や x.to_sparse_csr() で変換してください。",
    "{value} is not a whole number, and {what} consists of whole numbers.":
        "{value} は整数ではありません。{what} は整数の並びです。",
    "use whole numbers, such as int({value}), or n // 2 where n / 2 makes a float.":
        "int({value}) のように整数にしてください。割り算は、浮動小数点数になる n / 2 の代わりに n // 2 を使います。",
    "dimension -2, the number of positions, must be equal": "次元 -2 (位置の数) の大きさが同じでなければなりません",
    "query, key and value are (..., positions, features); their shapes are {q}, {k} and {v}.":
        "query、key、value の形は (..., 位置, 特徴) ですが、渡された形は {q}、{k}、{v} です。",
    "x.unsqueeze(0) adds a dimension for one position, x.unsqueeze(-1) one for a single feature.":
        "位置が一つなら x.unsqueeze(0)、特徴が一つなら x.unsqueeze(-1) で次元を加えてください。",
    "convert all three first: query.float(), key.float() and value.float().":
        "先に query.float()、key.float()、value.float() で三つとも変換してください。",
    "True and False, or numbers of the query's dtype": "True と False、または query と同じ型の数",
    "mask.bool() for a mask of what may be looked at, mask.to(query.dtype) for numbers that are added to the scores.":
        "見てよい位置を示すマスクなら mask.bool()、スコアに足す数なら mask.to(query.dtype) で変換してください。",
    "the last dimension must be equal: the vectors of the two are multiplied":
        "ベクトルどうしを掛けるので、最後の次元の大きさが同じでなければなりません",
    "the mask must broadcast to it: counted from the right, sizes equal or 1":
        "マスクはその形にブロードキャストできる (右から数えて大きさが等しいか 1 である) 必要があります",
    "a mask is (queries, keys), or (batch, 1, queries, keys) to differ from sample to sample.": (
        "マスクの形は (query の数, key の数) です。サンプルごとに変えるなら (バッチ, 1, query の数, key の数) にし"
        "てください。"),
    "the input is (batch, channels, length) or (channels, length); x.unsqueeze(0) adds a dimension in front.":
        "入力の形は (バッチ, チャネル, 長さ) か (チャネル, 長さ) です。x.unsqueeze(0) で先頭に次元を加えられます。",
    "images are (batch, channels, height, width) or (channels, height, width); x.unsqueeze(0) adds a dimension in "
    "front.": (
        "画像の形は (バッチ, チャネル, 高さ, 幅) か (チャネル, 高さ, 幅) です。x.unsqueeze(0) で先頭に次元を加えら"
        "れます。"),
    "give another number, or leave out divisor_override to divide by the number of elements in the window.":
        "別の数を渡すか、divisor_override を外してください。外せば窓の要素数で割ります。",
    "windows of {window} elements do not fit into the input, which is {have} with a padding of {pads}.":
        "{window} の窓は、大きさ {have} (padding は {pads}) の入力に収まりません。",
    "give a smaller kernel_size or a larger padding, or pool (or stride) less before.": (
        "kernel_size を小さくするか padding を大きくしてください。あるいは、前の層でのプーリングや stride を減らし"
        "てください。"),
    "input has shape {shape}; it must be (channels, height, width), or that with a batch in front, and only the "
    "batch may be empty.": (
        "input の形は {shape} ですが、(チャネル, 高さ, 幅) か、その前にバッチを加えた形でなければなりません。空で"
        "もよいのはバッチだけです。"),
    "x.unsqueeze(0) adds a dimension in front; a size of 0 comes from an empty slice or filter before.":
        "x.unsqueeze(0) で先頭に次元を加えられます。大きさ 0 は、空の切り出しや何も残さない条件から生じます。",
    "windows of {window} elements (dilation {spread}) do not fit into the input, which is {have} with a padding of "
    "{pads}.": (
        "{window} の窓 (dilation は {spread}) は、大きさ {have} (padding は {pads}) の入力に収まりません。"),
    "input has shape {shape}; it must be (channels * window elements, blocks), or that with a batch in front, and "
    "only the batch may be empty.": (
        "input の形は {shape} ですが、(チャネル × 窓の要素数, ブロック数) か、その前にバッチを加えた形でなければな"
        "りません。空でもよいのはバッチだけです。"),
    "give what unfold() returns, or bring it to that shape with reshape().":
        "unfold() が返す形のものを渡すか、reshape() でその形にしてください。",
    "that dimension holds the {by} elements of a window for each channel: give the kernel_size of the unfold() "
    "that made it.": (
        "その次元には、チャネルごとに窓の要素が {by} 個ずつ並びます。元の unfold() と同じ kernel_size を渡してくだ"
        "さい。"),
    "{n}, the number of windows": "窓の数 {n}",
    "give the output_size, kernel_size, stride, padding and dilation of the unfold() that made it.":
        "元の unfold() と同じ output_size、kernel_size、stride、padding、dilation を渡してください。",
    "choose another downscale_factor, or pad or cut the images to a multiple of {by}.":
        "別の downscale_factor を選ぶか、画像を {by} の倍数の大きさになるように広げるか切り取ってください。",
    "choose a number of groups that divides {value}, the number of channels.":
        "組の数 (groups) には、チャネル数 {value} を割り切る数を選んでください。",
    "prepend and append are joined to the input and need its {ndim} dimensions.":
        "prepend と append は input につなぐので、同じ {ndim} 次元でなければなりません。",
    "for example prepend=x[:1], which keeps the dimension that x[0] drops.":
        "たとえば prepend=x[:1] です。x[0] では次元が一つ減ります。",
    "with edge_order={n} a dimension needs at least {needed} elements; the shape is {shape}.":
        "edge_order={n} では、各次元に {needed} 個以上の要素が必要ですが、形は {shape} です。",
    "use edge_order=1, or name the longer dimensions only: dim=...":
        "edge_order=1 を使うか、dim=... で長い次元だけを指定してください。",
    "give one number for all dimensions, or a list of {n} entries.":
        "すべての次元に共通の一つの数か、{n} 個の要素のリストを渡してください。",
    "give a coordinate for each of the {size} elements of dimension {dim}, or one number, their distance.":
        "次元 {dim} の {size} 個の要素それぞれの座標か、要素の間隔を表す一つの数を渡してください。",
    "numbers": "数",
    "convert it first: {what}.float() or {what}.int().": "先に {what}.float() や {what}.int() で変換してください。",
    "x needs one coordinate for each sample of y along dimension {dim}":
        "x には、y の次元 {dim} のサンプルごとに一つの座標が必要です",
    "give the coordinates of the samples as a tensor; for their distance write dx=...":
        "サンプルの座標はテンソルで渡してください。間隔を渡すなら dx=... と書きます。",
    "at least one vector": "一つ以上のベクトル",
    "one of the tensors has shape {shape}, and {fn} takes vectors.":
        "テンソルの一つの形が {shape} ですが、{fn} が受け取るのはベクトルです。",
    "x.flatten() makes a vector of it.": "x.flatten() でベクトルにしてください。",
    "the tensors have different dtypes, {dtype} and {other_dtype}.":
        "テンソルの型が {dtype} と {other_dtype} で異なります。",
    "convert them to one dtype, for example x.to({dtype}).": "x.to({dtype}) などで同じ型に変換してください。",
    "the list contains text, and a tensor holds numbers only.":
        "リストに文字列が含まれていますが、テンソルに入るのは数だけです。",
    "convert it first: torch.tensor([float(v) for v in data]).":
        "先に変換してください: torch.tensor([float(v) for v in data])。",
    "the list holds both lists and numbers: {value} stands at depth {depth}, where a list of {count} entries belongs.": (
        "リストにリストと数が混ざっています。深さ {depth} に {value} がありますが、そこには {count} 個の要素のリス"
        "トが必要です。"),
    "make all rows lists of {count} numbers.": "すべての行を {count} 個の数のリストにしてください。",
    "the data contain complex numbers, and dtype={dtype} holds none.":
        "データに複素数が含まれていますが、dtype={dtype} では表せません。",
    "use dtype=torch.complex64, or give the real parts: z.real.":
        "dtype=torch.complex64 を使うか、実部 z.real を渡してください。",
    "the data contain a number below 0, and dtype={dtype} holds none.":
        "データに 0 より小さい数が含まれていますが、dtype={dtype} では表せません。",
    "use dtype=torch.int64, or look where the sign comes from.":
        "dtype=torch.int64 を使うか、符号がどこで付いたかを確かめてください。",
    "a number of the data does not fit into 64 bits.": "データの中に 64 ビットに収まらない数があります。",
    "{value} is larger than any number of dtype {dtype}.": "{value} は dtype {dtype} のどの数よりも大きい値です。",
    "write float('inf') if infinity is meant, or use dtype=torch.float64.":
        "無限大のつもりなら float('inf') と書きます。そうでなければ dtype=torch.float64 を使います。",
    "use floats: torch.tensor(..., dtype=torch.float64).":
        "浮動小数点数を使ってください: torch.tensor(..., dtype=torch.float64)。",
    "the list holds both numbers and lists.": "リストに数とリストが混ざっています。",
    "nest all of it equally deep.": "すべて同じ深さに揃えてください。",
    "{dtype} holds {low} to {high}; the data have {least} to {most}.":
        "{dtype} で表せるのは {low} から {high} までですが、データの値は {least} から {most} までです。",
    "use a wider dtype, such as torch.int64 or torch.float64.":
        "torch.int64 や torch.float64 など、範囲の広い型を使ってください。",
    "the numbers of the array are stored in the byte order of another kind of machine ({order}).":
        "配列の数が、別の種類の機械のバイト順 ({order}) で格納されています。",
    "convert it: array.astype(array.dtype.newbyteorder('=')).":
        "変換してください: array.astype(array.dtype.newbyteorder('='))。",
    "the array runs backwards through its memory: its strides are {strides}.":
        "配列がメモリを逆向きにたどっています (strides は {strides})。",
    "array.copy() puts it in order, after array[::-1], np.flip() or np.rot90().":
        "array[::-1]、np.flip()、np.rot90() などの後に array.copy() で並べ直してください。",
    "copy=False asks for a tensor that shares memory with the {kind}, and its elements lie one by one elsewhere.":
        "copy=False は {kind} とメモリを共有するテンソルを求めますが、その要素はメモリ上にばらばらに置かれています。",
    "leave out copy=False, or give a NumPy array.": "copy=False を外すか、NumPy の配列を渡してください。",
    "there is nothing to read: the buffer has {size} bytes, and count is {count}.":
        "バッファは {size} バイト、count は {count} で、読み取るものがありません。",
    "give a buffer that is not empty; count=-1 reads all of it.":
        "空でないバッファを渡してください。count=-1 ならすべて読み取ります。",
    "one number of {dtype} has {by} bytes: give count={count} to leave the rest, or another dtype.": (
        "{dtype} の数は一つ {by} バイトです。余りを読まないなら count={count} を、そうでなければ別の dtype を渡し"
        "てください。"),
    "read at most {high}; count=-1 reads all there are.":
        "{high} 個以下にしてください。count=-1 ならすべて読み取ります。",
    "whole numbers of at least 1": "1 以上の整数",
    "whole numbers of at least 0": "0 以上の整数",
    "pass whole numbers of at least 0; F.pad(x, (-1, -1)) cuts borders off.":
        "0 以上の整数を渡してください。縁を切り取るには F.pad(x, (-1, -1)) を使います。",
    "with stride={stride} the result is smaller than the input, so padding cannot keep the size the same.":
        "stride={stride} では結果が入力より小さくなるので、padding='same' で同じ大きさを保つことはできません。",
    "use stride=1, or give padding as a number: kernel_size // 2 for an odd kernel_size.":
        "stride=1 にするか、padding を数で渡してください (kernel_size が奇数なら kernel_size // 2)。",
    "the weight of shape {weights} takes {n} channels; the input of shape {shape} has {size} in dimension 1.":
        "形 {weights} の weight が受け取るチャネルは {n} 個ですが、形 {shape} の入力の次元 1 は {size} です。",
    "use nn.ConvTranspose{dims}d({size}, ...), or bring the channels to dimension 1: x.movedim(-1, 1).":
        "nn.ConvTranspose{dims}d({size}, ...) を使うか、x.movedim(-1, 1) などでチャネルを次元 1 に移してください。",
    "numbers below stride or dilation, in each dimension": "どの次元でも stride か dilation より小さい数",
    "{value} is not the name of a tensor type.": "{value} はテンソルの型の名前ではありません。",
    "write x.type('torch.FloatTensor'), or simpler x.to(torch.float32).":
        "x.type('torch.FloatTensor') か、より簡単に x.to(torch.float32) と書いてください。",
    "torch.channels_last is for (N, C, H, W), torch.channels_last_3d for (N, C, D, H, W).":
        "torch.channels_last は (N, C, H, W)、torch.channels_last_3d は (N, C, D, H, W) のための形式です。",
    "a tuple of whole numbers": "整数のタプル",
    "{value} is complex, and dtype={dtype} holds real numbers.":
        "{value} は複素数ですが、dtype={dtype} に入るのは実数です。",
    "{value} is none of the whole numbers {low} to {high}, which dtype={dtype} holds.":
        "{value} は、dtype={dtype} で表せる {low} から {high} までの整数ではありません。",
    "the numbers 0 to {last}, each once": "0 から {last} までの数を一度ずつ並べたもの",
    "{fn}() takes end; start and end; or start, end and step.":
        "{fn}() が受け取るのは、end だけ、start と end、または start と end と step です。",
    "write {fn}(end), {fn}(start, end) or {fn}(start, end, step).":
        "{fn}(end)、{fn}(start, end)、{fn}(start, end, step) のどれかを書いてください。",
    "start, end or step is complex, and a range runs along the real numbers.":
        "start、end、step のどれかが複素数ですが、範囲は実数の上を進みます。",
    "give real numbers, for example z.real.": "z.real などの実数を渡してください。",
    "the range runs from {first} to {end}, and has no end.": "範囲が {first} から {end} までで、終わりがありません。",
    "give finite numbers; look where inf or nan comes from.":
        "有限の数を渡してください。inf や nan がどこから来たかを確かめてください。",
    "give one number, for example {what}.item() or {what}[0].":
        "{what}.item() や {what}[0] などの一つの数を渡してください。",
    "input has shape {shape}, and {fn} takes a vector.":
        "input の形は {shape} ですが、{fn} が受け取るのはベクトルです。",
    "input holds {least}; its numbers are positions in the result, which count from 0.":
        "input に {least} が含まれています。input の数は結果の位置で、0 から数えます。",
    "look where the numbers below 0 come from.": "0 より小さい数がどこから来たかを確かめてください。",
    "index must not be larger than that": "index は、どの次元でもそれより大きくできません",
    "convert it first: {what}.long().": "先に {what}.long() で変換してください。",
    "give one length for each of the {n} samples of the batch.":
        "バッチの {n} 個のサンプルそれぞれに、一つずつ長さを渡してください。",
    "each length counts the steps (or labels) of one sample that are used: not below 0, not more than there are.":
        "長さは、サンプルごとに使うステップ (またはラベル) の数です。負にはできず、実際の数を超えることもできません。",
    "targets has {count} labels, those of all samples one after another, and target_lengths add up to {total}.":
        "targets には全サンプルのラベルが {count} 個並んでいますが、target_lengths の合計は {total} です。",
    "give the lengths of these samples, or targets of shape (batch, longest length).":
        "これらのサンプルの長さを渡すか、targets を (バッチ, 最大の長さ) の形にしてください。",
    "{n}, the number of samples": "サンプルの数 {n}",
    "at least {n}, the largest of target_lengths": "target_lengths の最大値 {n} 以上",
    "log_probs is (steps, batch, classes), or (steps, classes) for one sample.":
        "log_probs の形は (ステップ, バッチ, クラス) です。サンプルが一つなら (ステップ, クラス) です。",
    "the gradient needs Q, which mode='r' does not compute.":
        "勾配の計算には Q が必要ですが、mode='r' では計算されません。",
    "use torch.linalg.qr(A), whose mode is 'reduced'.":
        "torch.linalg.qr(A) を使ってください (mode は 'reduced' です)。",
    "of the {rows} columns of Q only {cols} are determined by A; the others have no derivative.":
        "Q の {rows} 列のうち A で決まるのは {cols} 列だけで、残りの列には導関数がありません。",
    "dim1={dim1} and dim2={dim2} are the same dimension, and a diagonal runs through two.":
        "dim1={dim1} と dim2={dim2} は同じ次元ですが、対角線は二つの次元にわたります。",
    "name two dimensions, for example dim1=-2 and dim2=-1.":
        "dim1=-2 と dim2=-1 のように、異なる二つの次元を指定してください。",
    "for batches, torch.diag_embed(x) makes matrices, and x.diagonal(dim1=-2, dim2=-1) takes their diagonals.": (
        "バッチの場合、行列を作るには torch.diag_embed(x)、対角成分を取り出すには x.diagonal(dim1=-2, dim2=-1) を"
        "使います。"),
    "for a batch of matrices, x.diagonal(dim1=-2, dim2=-1).sum(-1).":
        "行列のバッチなら x.diagonal(dim1=-2, dim2=-1).sum(-1) です。",
    "convert it first: {what}.float().": "先に {what}.float() で変換してください。",
    "which elements are equal changes in jumps, so there is no derivative.":
        "どの要素が等しいかは不連続に変わるので、導関数がありません。",
    "x.detach() before; or torch.unique of the labels, and x[...] for the values.":
        "先に x.detach() を使うか、ラベルだけを torch.unique に渡して、値は x[...] で取り出してください。",
    "the tensor of shape {shape} has no elements: along dim={dim} there are {count} slices of nothing to compare.": (
        "形 {shape} のテンソルには要素がありません。dim={dim} に沿った {count} 個の切り口はどれも空で、比べるもの"
        "がありません。"),
    "elements and test_elements must be tensors, or one of them a number.":
        "elements と test_elements は、どちらもテンソルか、一方がテンソルで他方が数でなければなりません。",
    "write torch.isin(x, torch.tensor([1, 2])).": "torch.isin(x, torch.tensor([1, 2])) と書いてください。",
    "isin() looks for numbers, and one of the two tensors holds True and False.":
        "isin() は数を探しますが、一方のテンソルの値が True と False です。",
    "convert both first: x.int().": "先に x.int() で両方とも変換してください。",
    "the input is (batch, channels, ...), and whole channels become 0; F.dropout takes any shape.":
        "入力の形は (バッチ, チャネル, ...) で、チャネル全体が 0 になります。F.dropout ならどの形でも使えます。",
    "the input is (batch, channels, length) or (channels, length); F.dropout takes any shape.":
        "入力の形は (バッチ, チャネル, 長さ) か (チャネル, 長さ) です。F.dropout ならどの形でも使えます。",
    "einsum() needs an equation and at least one tensor.": "einsum() には式と一つ以上のテンソルが必要です。",
    "write torch.einsum('ij,jk->ik', a, b).": "torch.einsum('ij,jk->ik', a, b) と書いてください。",
    "operand {i} is of type {kind}, and einsum() multiplies tensors.":
        "{i} 番目のオペランドの型は {kind} ですが、einsum() が掛けるのはテンソルです。",
    "convert it: torch.tensor(data).": "torch.tensor(data) で変換してください。",
    "the equation has {count} terms, with commas between them, and there are {other_count} operands.":
        "式の項はコンマ区切りで {count} 個ですが、オペランドは {other_count} 個です。",
    "write one term for each operand: 'ij,jk->ik' is for two.":
        "オペランドごとに一つの項を書いてください。二つなら 'ij,jk->ik' のようになります。",
    "{value} is no subscript: in lists they are the numbers 0 to 51.":
        "{value} は添字にできません。リストで渡す添字は 0 から 51 までの数です。",
    "use numbers from 0 to 51, and Ellipsis for all other dimensions.":
        "0 から 51 までの数を使い、残りの次元は Ellipsis で表してください。",
    "the output names {s} twice": "出力に {s} が 2 回現れます",
    "name each dimension of the result once; torch.diag_embed(x) puts values on a diagonal.":
        "結果の各次元を一度ずつ書いてください。値を対角に並べるには torch.diag_embed(x) を使います。",
    "one term has ... twice": "一つの項に ... が 2 回現れます",
    "write ... once in a term: it stands for all dimensions without a letter.":
        "... は、文字のない次元をすべて表します。一つの項に一度だけ書いてください。",
    "a single dot has no meaning": "点一つには意味がありません",
    "write three dots, ..., for all dimensions without a letter.":
        "文字のない次元をまとめて表すには、点を三つ ... と書いてください。",
    "{char} is no letter": "{char} は文字 (アルファベット) ではありません",
    "name dimensions by the letters a to z and A to Z; a comma stands between operands, -> before the output.":
        "次元は a から z、A から Z の文字で表し、オペランドはコンマで区切り、出力の前に -> を書いてください。",
    "operand {i} has {n} dimensions, and its term in the equation names {count}.":
        "{i} 番目のオペランドは {n} 次元ですが、式の項には {count} 個の次元が書かれています。",
    "write one letter for each dimension; ... stands for any number of them.":
        "次元ごとに一つの文字を書いてください。... はいくつの次元でも表せます。",
    "the output names {s}, and no operand has a dimension of that name.":
        "出力に {s} がありますが、その名前の次元を持つオペランドはありません。",
    "use letters of the operands in the output; for a new dimension, unsqueeze() the result.":
        "出力にはオペランドの文字を使ってください。新しい次元は、結果に unsqueeze() で加えます。",
    "operand {i} has {s} for two dimensions, of sizes {other} and {n}; a diagonal needs equal sizes.": (
        "{i} 番目のオペランドの二つの次元が同じ {s} ですが、大きさが {other} と {n} で異なります。対角を取るには同"
        "じ大きさが必要です。"),
    "use two different letters, or look at the shape of that operand.":
        "別々の文字を使うか、そのオペランドの形を確かめてください。",
    "{s} has size {n} in operand {i} and size {other} in one before it.":
        "{s} の大きさが、{i} 番目のオペランドでは {n}、それより前のオペランドでは {other} です。",
    "the same letter means the same size: look at the shapes, and at the order of the letters.":
        "同じ文字は同じ大きさを表します。形と、文字の順序を確かめてください。",
    "the weight is a table with one row for each position: (positions, features).":
        "weight は位置ごとに 1 行を持つ表で、形は (位置の数, 特徴の数) です。",
    "per_sample_weights are factors in a sum, and mode is {mode}.":
        "per_sample_weights は和を取るときの重みですが、mode は {mode} です。",
    "use mode='sum', or leave out per_sample_weights.": "mode='sum' を使うか、per_sample_weights を外してください。",
    "each row of a two-dimensional input is a bag, so there is nothing for offsets to say.":
        "2 次元の input では各行が一つの袋になるので、offsets の役割がありません。",
    "leave out offsets, or give input.flatten().": "offsets を外すか、input.flatten() を渡してください。",
    "a one-dimensional input needs offsets, the positions where its bags begin.":
        "1 次元の input には、袋の始まる位置を表す offsets が必要です。",
    "give offsets=torch.tensor([0, ...]), or a two-dimensional input with a bag in each row.":
        "offsets=torch.tensor([0, ...]) を渡すか、各行が一つの袋である 2 次元の input を渡してください。",
    "the first bag begins at position 0: offsets [0, 3, 7] are bags of 3, of 4, and of the rest.":
        "最初の袋は位置 0 から始まります。offsets が [0, 3, 7] なら、袋の要素は 3 個、4 個、残り全部です。",
    "input is empty, so the number of classes cannot be read from its largest one.":
        "input が空なので、最大の番号からクラスの数を決められません。",
    "give the number: F.one_hot(x, num_classes=10).": "F.one_hot(x, num_classes=10) のように数を渡してください。",
    "convert the base first: x.float() ** {value}.": "先に底を変換してください: x.float() ** {value}。",
    "the tensor has shape {shape}: along dimension {dim} there is nothing, and nothing has no largest or smallest "
    "element.": (
        "テンソルの形は {shape} で、次元 {dim} に要素がないので、最大や最小の要素がありません。"),
    "x.abs() gives absolute values, x.real the real parts.": "絶対値なら x.abs()、実部なら x.real を使ってください。",
    "{value} is neither a dimension nor a tensor.": "{value} は次元でもテンソルでもありません。",
    "write torch.a{fn}(x, dim=(0, 1)) for several dimensions, torch.{fn}(x, other) for another tensor.":
        "次元が複数なら torch.a{fn}(x, dim=(0, 1))、別のテンソルと比べるなら torch.{fn}(x, other) と書いてください。",
    "whole or floating point numbers": "整数か浮動小数点数",
    "x.int() makes numbers of True and False, x.abs() of complex numbers.":
        "True と False は x.int()、複素数は x.abs() で変換してください。",
    "numbers of 32 or 64 bits": "32 ビットか 64 ビットの数",
    "use the transform without r, such as torch.fft.fft, or give x.real.":
        "torch.fft.fft のような r の付かない変換を使うか、x.real を渡してください。",
    "a transform needs at least one point, and here there are {n}.":
        "変換には一つ以上の点が必要ですが、ここでは {n} 個です。",
    "give a positive n, or look why the dimension is empty.":
        "正の n を渡すか、その次元がなぜ空なのかを確かめてください。",
    "different dimensions": "互いに異なる次元",
    "there is no dimension to transform.": "変換する次元がありません。",
    "give a tensor with dimensions, and name at least one in dim=.":
        "次元のあるテンソルを渡し、dim= で一つ以上の次元を指定してください。",
    "src must broadcast to self: counted from the right, sizes equal, or 1 in src":
        "src は self の形にブロードキャストできる (右から数えて大きさが等しいか、src のほうが 1 である) 必要があります",
    "the tensor has shape {shape}; with more than two dimensions, all must have the same size.":
        "テンソルの形は {shape} ですが、3 次元以上ではすべての次元の大きさが同じでなければなりません。",
    "torch.diagonal_scatter(x, src, dim1=0, dim2=1) writes the diagonal of two dimensions.":
        "二つの次元の対角だけに書き込むには torch.diagonal_scatter(x, src, dim1=0, dim2=1) を使います。",
    "a floating point or complex dtype": "浮動小数点数か複素数の型",
    "a tensor of positions": "位置のテンソル",
    "pass a tensor of positions: torch.tensor([0, 2]).": "位置のテンソルを渡してください: torch.tensor([0, 2])。",
    "index must not be larger than that, except in dimension {dim}":
        "index は、次元 {dim} を除いて、それより大きくできません",
    "input has shape {shape} and grid {other_shape}; both need 4 dimensions for images, 5 for volumes.": (
        "input の形は {shape}、grid の形は {other_shape} ですが、どちらも画像なら 4 次元、立体なら 5 次元でなけれ"
        "ばなりません。"),
    "x.unsqueeze(0) adds the batch in front.": "x.unsqueeze(0) で先頭にバッチの次元を加えてください。",
    "dimension 0, the batch, must be equal": "次元 0 (バッチ) の大きさが同じでなければなりません",
    "{n}, the coordinates of a point": "点の座標の数 {n}",
    "mode='bicubic' is for images, and the input of shape {shape} holds volumes.":
        "mode='bicubic' は画像のためのものですが、形 {shape} の input は立体です。",
    "use mode='bilinear' or mode='nearest'.": "mode='bilinear' か mode='nearest' を使ってください。",
    "give (N, C, H, W) for images, (N, C, D, H, W) for volumes.":
        "画像なら (N, C, H, W)、立体なら (N, C, D, H, W) を渡してください。",
    "theta has shape {shape}; for size={size} it holds a matrix of {n} rows and {m} columns for each sample.":
        "theta の形は {shape} ですが、size={size} では、サンプルごとに {n} 行 {m} 列の行列が必要です。",
    "give theta of shape (batch, {n}, {m}); theta.unsqueeze(0) makes a batch of one matrix.":
        "theta の形を (バッチ, {n}, {m}) にしてください。行列が一つなら theta.unsqueeze(0) です。",
    "positive whole numbers": "正の整数の並び",
    "the range runs from {low} to {high}, and its ends must be finite.":
        "範囲が {low} から {high} までですが、両端は有限の数でなければなりません。",
    "give the range yourself, or keep inf and nan out of the data: x[x.isfinite()].":
        "範囲を自分で渡すか、x[x.isfinite()] でデータから inf と nan を除いてください。",
    "give the smaller number as min, the larger one as max.":
        "小さいほうの数を min、大きいほうの数を max に渡してください。",
    "the last dimension holds the coordinates of a point; torch.histogram takes plain numbers.":
        "最後の次元は点の座標です。座標のない数なら torch.histogram を使ってください。",
    "give one number for all coordinates, or a list of {n}, one for each.":
        "すべての座標に共通の一つの数か、座標ごとの {n} 個の数のリストを渡してください。",
    "the lowest edge, {low}, is above the highest, {high}.": "下端 {low} が上端 {high} より大きくなっています。",
    "give the smaller number first.": "小さいほうの数を先に渡してください。",
    "the gradient of a random sample has no derivative of its own, neither here nor in PyTorch.":
        "乱数の標本の勾配をさらに微分することは、kobai でも PyTorch でもできません。",
    "take the gradient of samples only once, without create_graph=True.":
        "標本の勾配は、create_graph=True を付けずに一度だけ求めてください。",
    "the value must broadcast to that shape": "値はその形にブロードキャストできなければなりません",
    "assign one number, or a value of shape {other_shape}.": "一つの数か、形が {other_shape} の値を代入してください。",
    "index.flatten() makes a vector of it; x[index] takes positions of any shape.":
        "index.flatten() でベクトルにできます。x[index] ならどの形の添字も使えます。",
    "{n}, the number of positions in index": "index の位置の数 {n}",
    "all dimensions but {dim} must be equal": "次元 {dim} 以外の大きさが同じでなければなりません",
    "indices.unsqueeze(dim) adds the dimension that argmax(dim) drops; argsort(dim) keeps it.":
        "argmax(dim) で減った次元は indices.unsqueeze(dim) で加えられます。argsort(dim) なら次元は減りません。",
    "leave out align_corners; it is for the modes linear, bilinear, bicubic and trilinear.":
        "align_corners を外してください。使えるのは linear、bilinear、bicubic、trilinear のときだけです。",
    "antialias=True is for the modes bilinear, bicubic and lanczos and inputs of 4 dimensions; here mode is "
    "{mode}, and the input has {ndim} dimensions.": (
        "antialias=True が使えるのは、mode が bilinear、bicubic、lanczos で入力が 4 次元のときです。ここでは mode"
        " が {mode} で、入力は {ndim} 次元です。"),
    "leave out antialias, or change the mode.": "antialias を外すか、mode を変えてください。",
    "mode={mode} does not go with an input of {ndim} dimensions.": "mode={mode} は {ndim} 次元の入力には使えません。",
    "the input is (batch, channels, *sizes), of 3 dimensions for linear, 4 for bilinear and bicubic, 5 for trilinear.": (
        "入力の形は (バッチ, チャネル, *大きさ) です。linear は 3 次元、bilinear と bicubic は 4 次元、trilinear "
        "は 5 次元です。"),
    "mode={mode} is for inputs of {n} dimensions, and this one has {ndim}.":
        "mode={mode} は {n} 次元の入力のためのものですが、この入力は {ndim} 次元です。",
    "use linear for 3 dimensions, bilinear or bicubic for 4, trilinear for 5.":
        "3 次元なら linear、4 次元なら bilinear か bicubic、5 次元なら trilinear を使ってください。",
    "neither size nor scale_factor was given.": "size も scale_factor も渡されていません。",
    "give size, the size of the result, or scale_factor, its ratio to that of the input.":
        "size (結果の大きさ) か scale_factor (入力に対する比) を渡してください。",
    "give one number, or one for each of the {n} dimensions after batch and channels.":
        "一つの数か、バッチとチャネルに続く {n} 個の次元それぞれの数を渡してください。",
    "size is {value}; it must be a whole number or a tuple of whole numbers.":
        "size は {value} ですが、整数か整数のタプルでなければなりません。",
    "write size=(64, 64); where a size is computed, use // instead of /.":
        "size=(64, 64) のように書いてください。大きさを計算するところでは / の代わりに // を使います。",
    "the input measures {have} and the result would measure {want}; no size can be 0.":
        "入力の大きさは {have}、結果の大きさは {want} ですが、0 にはできません。",
    "look why the input is empty, or give a larger size or scale_factor.":
        "入力がなぜ空なのかを確かめるか、size や scale_factor を大きくしてください。",
    "the tensors of positions have the shapes {found}, which do not broadcast to one.":
        "位置のテンソルの形 {found} を、一つの形にブロードキャストできません。",
    "give equal shapes for pairs, or x[rows[:, None], columns] for a table of rows and columns.":
        "組で指定するなら同じ形に、行と列の表を取り出すなら x[rows[:, None], columns] のようにしてください。",
    "the factor L with A = L @ L.mH exists only if A is symmetric and all its eigenvalues are positive.":
        "A = L @ L.mH となる L があるのは、A が対称で、固有値がすべて正のときだけです。",
    "look at torch.linalg.eigvalsh(A).min(); A + 1e-6 * torch.eye(n) moves eigenvalues away from 0.":
        "torch.linalg.eigvalsh(A).min() を確かめてください。A + 1e-6 * torch.eye(n) で固有値を 0 から離せます。",
    "the matrix holds NaN or infinite numbers, or some of its eigenvalues or singular values lie too close together.":
        "行列に NaN や無限大が含まれているか、固有値や特異値のうちに近すぎるものがあります。",
    "look at A.isfinite().all() first; if that is True, try A.double() or A + 1e-6 * torch.randn_like(A).":
        "まず A.isfinite().all() を確かめてください。True なら A.double() か A + 1e-6 * torch.randn_like(A) を試してください。",
    "var must have the shape of input, or size 1 in one dimension of it":
        "var は input と同じ形か、その一つの次元の大きさだけが 1 の形でなければなりません",
    "a target holds class numbers: it has the shape of input without dimension 1, the classes.":
        "target はクラスの番号です。input から次元 1 (クラス) を除いた形にしてください。",
    "put the tensors in a list: torch.{fn}([a, b]).": "テンソルをリストに入れてください: torch.{fn}([a, b])。",
    "torch.stack joins tensors without dimensions.": "次元のないテンソルをつなぐには torch.stack を使ってください。",
    "at least one tensor": "一つ以上のテンソル",
    "{fn} needs SciPy, which is not installed.": "{fn} には SciPy が必要ですが、インストールされていません。",
    "install it: pip install scipy.": "pip install scipy でインストールしてください。",
    "B needs as many rows as A": "B の行数は A の行数と同じでなければなりません",
    "mv takes a matrix and a vector; the shapes are {shape} and {other_shape}.":
        "mv は行列とベクトルの積ですが、形は {shape} と {other_shape} です。",
    "a @ b multiplies vectors, matrices and batches of matrices.":
        "a @ b ならベクトル、行列、行列のバッチを掛けられます。",
    "the last dimensions must be equal": "最後の次元の大きさが同じでなければなりません",
    "multiply by a number with a * b.": "数との積は a * b で計算してください。",
    "input holds the scores of one sample: give one class, or the scores of all samples as (batch, classes).": (
        "input は一つのサンプルのスコアです。クラスを一つ渡すか、全サンプルのスコアを (バッチ, クラス) の形で渡し"
        "てください。"),
    "give one weight for each of the {n} classes.": "{n} 個のクラスそれぞれに一つの重みを渡してください。",
    "A has {n} rows, and for k={k} eigenpairs lobpcg() needs at least {needed}.":
        "A の行数は {n} ですが、k={k} 個の固有対を求めるには lobpcg() に {needed} 行以上が必要です。",
    "use torch.linalg.eigh(A), or a smaller k.": "torch.linalg.eigh(A) を使うか、k を小さくしてください。",
    "pivot=False works only on graphics cards in PyTorch, too.": "pivot=False は、PyTorch でも GPU でしか使えません。",
    "leave out pivot=False.": "pivot=False を外してください。",
    "input1, input2 and target have shapes {q}, {k} and {v}; they need the same number of dimensions.":
        "input1、input2、target の形は {q}、{k}、{v} ですが、次元の数が同じでなければなりません。",
    "x.unsqueeze(0) adds a dimension in front, x.squeeze(0) drops one of size 1.":
        "x.unsqueeze(0) は先頭に次元を加え、x.squeeze(0) は大きさ 1 の次元を除きます。",
    "variances are squares: var = std ** 2, or F.softplus(x) of what a network computes.":
        "分散は 2 乗した数です。var = std ** 2 とするか、ネットワークの出力に F.softplus(x) を使ってください。",
    "True and False": "True と False",
    "compare, as in x > 0, or convert: mask.bool().": "x > 0 のように比べるか、mask.bool() で変換してください。",
    "mask is True {n} times, and source has {count} elements.":
        "mask の True は {n} 個ですが、source の要素は {count} 個です。",
    "give at least mask.sum() elements, or use torch.where(mask, a, b).":
        "mask.sum() 個以上の要素を渡すか、torch.where(mask, a, b) を使ってください。",
    "compare tensors (x > 0); for one condition write a if condition else b.":
        "テンソルを比べてください (x > 0)。条件が一つなら a if condition else b と書きます。",
    "a number, 'fro' or 'nuc'": "数、'fro'、'nuc' のどれか",
    "name the dimensions: dim=-1 for vectors, dim=(-2, -1) for matrices.":
        "次元を指定してください。ベクトルなら dim=-1、行列なら dim=(-2, -1) です。",
    "a padding of at most {high}, half of kernel_size={k}; F.pad(x, (1, 1), value=-math.inf) adds more.": (
        "padding は kernel_size={k} の半分の {high} 以下にしてください。それ以上は F.pad(x, (1, 1), value=-math.i"
        "nf) で加えられます。"),
    "the size {value} at place {i} of the shape is below 0.": "形の {i} 番目の大きさ {value} が負です。",
    "sizes are 0 or more; one of them may be -1 and follows from the others.":
        "大きさは 0 以上です。一つだけ -1 と書け、ほかから決まります。",
    "the tensor has no elements, so in {shape} any size could stand for -1.":
        "テンソルに要素がないので、{shape} の -1 にはどんな大きさも当てはまります。",
    "give all sizes.": "すべての大きさを書いてください。",
    "give attn_mask=nn.Transformer.generate_square_subsequent_mask(length), or leave out is_causal.":
        "attn_mask=nn.Transformer.generate_square_subsequent_mask(長さ) を渡すか、is_causal を外してください。",
    "{n}, as in key": "key と同じ {n}",
    "key_padding_mask is (batch, keys), True where a key is only padding.":
        "key_padding_mask の形は (バッチ, key の数) で、埋め草の位置が True です。",
    "True and False, or floating point numbers": "True と False、または浮動小数点数",
    "convert it: {what}.bool(), True where a position is hidden.":
        "{what}.bool() で変換してください。True の位置が隠されます。",
    "query is (positions, batch, features), with batch_first=True (batch, positions, features), or (positions, "
    "features).": (
        "query の形は (位置, バッチ, 特徴)、batch_first=True なら (バッチ, 位置, 特徴)、バッチがなければ (位置, 特"
        "徴) です。"),
    "query has {n} dimensions, key has {k} and value has {v}; all three need the same number.":
        "query は {n} 次元、key は {k} 次元、value は {v} 次元ですが、三つとも同じでなければなりません。",
    "key_padding_mask is (batch, keys), or (keys,) without a batch.":
        "key_padding_mask の形は (バッチ, key の数) です。バッチがなければ (key の数,) です。",
    "attn_mask is (queries, keys), or (batch * heads, queries, keys).":
        "attn_mask の形は (query の数, key の数) か (バッチ × ヘッド, query の数, key の数) です。",
    "choose num_heads so that it divides {value}.": "num_heads には {value} を割り切る数を選んでください。",
    "dimensions 0 and 1, positions and batch, must be equal":
        "次元 0 と 1 (位置とバッチ) の大きさが同じでなければなりません",
    "the input has dtype {dtype}, a weight or running statistic {other_dtype}.":
        "入力の型は {dtype}、重みか移動統計の型は {other_dtype} です。",
    "convert one of them: x.float() for the data, layer.double() for the layer.":
        "一方を変換してください。データなら x.float()、層なら layer.double() です。",
    "in evaluation, batch_norm() takes mean and variance from before, and {what} is None.":
        "評価時の batch_norm() は以前の平均と分散を使いますが、{what} が None です。",
    "give running_mean and running_var (nn.BatchNorm1d keeps them), or training=True.":
        "running_mean と running_var を渡すか (nn.BatchNorm1d なら自動で保持します)、training=True にしてください。",
    "input has shape {shape}: each channel of a sample holds one element, which has no variance.":
        "input の形は {shape} で、サンプルの各チャネルに要素が一つしかないので、分散がありません。",
    "give larger images, or use a layer norm or batch norm here.":
        "画像を大きくするか、ここでは LayerNorm や BatchNorm を使ってください。",
    "use_input_stats=False asks for mean and variance from before, and running_mean or running_var is None.":
        "use_input_stats=False では以前の平均と分散を使いますが、running_mean か running_var が None です。",
    "give both, or leave out use_input_stats=False.": "両方を渡すか、use_input_stats=False を外してください。",
    "give the last sizes of the input as a tuple: (10,), or x.shape[-1:].":
        "入力の最後の大きさをタプルで渡してください: (10,) や x.shape[-1:]。",
    "the input is (batch, channels, ...); x.unsqueeze(0) adds a dimension in front.":
        "入力の形は (バッチ, チャネル, ...) です。x.unsqueeze(0) で先頭に次元を加えられます。",
    "the input has shape {shape}: with {groups} groups, each holds one element, which has no variance.":
        "入力の形は {shape} です。{groups} 個の組に分けると要素が一つずつになり、分散がありません。",
    "use fewer groups, or more channels.": "組を減らすか、チャネルを増やしてください。",
    "torch.linalg.norm and torch.linalg.matrix_norm take 'fro' and 'nuc'.":
        "'fro' と 'nuc' を使えるのは torch.linalg.norm と torch.linalg.matrix_norm です。",
    "a complex dtype": "複素数の型",
    "dtype={other_dtype} is narrower than {dtype}, the dtype of the input.":
        "dtype={other_dtype} は、入力の型 {dtype} より範囲や精度の狭い型です。",
    "leave out dtype, or convert the input before: x.to({other_dtype}).":
        "dtype を外すか、先に x.to({other_dtype}) で入力を変換してください。",
    "dimension {dim} of shape {shape} is empty, and this norm of nothing is not defined.":
        "形 {shape} の次元 {dim} に要素がなく、空のもののこのノルムは定義されません。",
    "a weight is (channels out, channels in, *kernel_size).":
        "weight の形は (出力チャネル, 入力チャネル, *kernel_size) です。",
    "choose a number of groups that divides the channels: those of the input and of the result.":
        "組の数 (groups) には、入力と出力のチャネル数をどちらも割り切る数を選んでください。",
    "give one number for each of the {n} channels of the result.":
        "結果の {n} 個のチャネルそれぞれに一つの数を渡してください。",
    "each row of target holds the numbers of the row's labels, and -1 behind them.":
        "target の各行にはラベルの番号を並べ、その後を -1 で埋めてください。",
    "input has shape {shape}; it is (batch, classes), or (classes,) for one sample.":
        "input の形は {shape} ですが、(バッチ, クラス) か、サンプルが一つなら (クラス,) でなければなりません。",
    "x.flatten(1) joins all dimensions after the batch.": "x.flatten(1) でバッチより後の次元を一つにまとめられます。",
    "give one class number for each of the {n} samples.":
        "{n} 個のサンプルそれぞれに一つのクラスの番号を渡してください。",
    "anchor, positive and negative have shapes {q}, {k} and {v}; they need the same number of dimensions.":
        "anchor、positive、negative の形は {q}、{k}、{v} ですが、次元の数が同じでなければなりません。",
    "target holds probabilities, and ignore_index is a class number to leave out.":
        "target は確率ですが、ignore_index は除くクラスの番号です。",
    "leave out ignore_index, or give class numbers as target.":
        "ignore_index を外すか、target にクラスの番号を渡してください。",
    "step={value} is cut to 0 by dtype={dtype}, which holds whole numbers.":
        "step={value} は、整数の型 dtype={dtype} では切り捨てられて 0 になります。",
    "use a floating point dtype, such as torch.float32, or a step of at least 1.":
        "torch.float32 などの浮動小数点数の型を使うか、step を 1 以上にしてください。",
    "give one weight, or an input with channels.": "重みを一つだけ渡すか、チャネルのある入力を渡してください。",
    "in some row mask is False everywhere, and {dtype} has no nan for its median.":
        "mask がすべて False の行があり、型 {dtype} にはその中央値を表す nan がありません。",
}
