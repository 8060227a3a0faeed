"""Errors of using tensors, layers, losses and optimizers: the other half of the catalogue.

`first` is PyTorch's own first line; the places that raise give the values in its braces.
"""
from __future__ import annotations

from .entry import Entry

USE = {
    # ---- shapes and indices
    "view-size": Entry(
        "K151", RuntimeError, "shape '{new}' is invalid for input of size {size}",
        ("a tensor of shape {have} has {size} elements; the new shape {rest}.",
         "形 {have} のテンソルの要素は {size} 個で、新しい形 {new} とは合いません。"),
        ("choose sizes whose product is the number of elements; one of them may be -1, which is then computed "
         "(x.view(len(x), -1), x.flatten(1)).",
         "積が要素の数になる大きさを選んでください。一つを -1 にすると自動で決まります (x.view(len(x), -1)、x.flatten(1))。")),
    "view-strides": Entry(
        "K152", RuntimeError,
        "view size is not compatible with input tensor's size and stride (at least one dimension spans across two "
        "contiguous subspaces). Use .reshape(...) instead.",
        ("a transposed or sliced tensor does not lie in memory in the order that the new shape needs.",
         "転置や切り出しをしたテンソルは、新しい形に必要な順序でメモリに並んでいません。"),
        (".reshape(...), or .contiguous().view(...)", ".reshape(...) か .contiguous().view(...) を使ってください。")),
    "dim-range": Entry(
        "K153", IndexError,
        "Dimension out of range (expected to be in range of [{least}, {most}], but got {dim})",
        ("dimensions are counted from 0 (or from the end: -1 is the last), and the tensor has {ndim} of them.",
         "次元は 0 から (後ろからは -1 から) 数えます。このテンソルの次元は {ndim} 個です。"),
        ("look at x.shape; dim may be {least} to {most}.",
         "x.shape を確かめてください。dim は {least} から {most} までです。")),
    "index-range": Entry(
        "K154", IndexError, "index {index} is out of bounds for dimension {dim} with size {size}",
        ("counting starts at 0, so the last of {size} is number {last}.",
         "番号は 0 から始まるので、{size} 個の最後は {last} 番です。"),
        ("use an index from -{size} to {last}.", "-{size} から {last} までの番号を使ってください。")),
    "index-many": Entry(
        "K155", IndexError, "too many indices for tensor of dimension {ndim}",
        ("the index has {count} entries, one for each of {count} dimensions.",
         "添字が {count} 個あり、{count} 次元のテンソルを想定しています。"),
        ("look at x.shape; use at most {ndim} entries.", "x.shape を確かめてください。添字は {ndim} 個までです。")),
    "cat-sizes": Entry(
        "K156", RuntimeError,
        "Sizes of tensors must match except in dimension {dim}. Expected size {a} but got size {b} for tensor number "
        "{number} in the list.",
        ("the first has shape {first_shape}, this one {shape}.", "一つ目の形は {first_shape}、これは {shape} です。"),
        ("join along dimension {other}, or make the other sizes equal.",
         "次元 {other} に沿ってつなぐか、ほかの大きさを揃えてください。")),
    "stack-sizes": Entry(
        "K157", RuntimeError,
        "stack expects each tensor to be equal size, but got {a} at entry 0 and {b} at entry {number}",
        ("stack makes a new dimension, and the tensors along it must all have one shape. In a DataLoader this is how "
         "samples become a batch.",
         "stack は新しい次元を作るので、すべてのテンソルの形が同じでなければなりません。DataLoader では、サンプルを"
         "まとめてバッチにするときに使われます。"),
        ("pad or cut them to one shape first (torch.nn.utils.rnn.pad_sequence, a transform, a collate_fn), or join them "
         "along a dimension they have with torch.cat.",
         "先に形を揃える (torch.nn.utils.rnn.pad_sequence、変換、collate_fn) か、既存の次元に沿って torch.cat で"
         "つないでください。")),
    "item-size": Entry(
        "K158", RuntimeError, "a Tensor with {size} elements cannot be converted to Scalar",
        ("a Python number is one number; {name} has shape {shape}.",
         "Python の数は一つですが、{name} の形は {shape} です。"),
        ("reduce it first ({var}.mean().item()), pick one ({var}[0].item()), or take all: {var}.tolist().",
         "先に一つにまとめる ({var}.mean().item())、一つ選ぶ ({var}[0].item())、または全部を {var}.tolist() で取り出して"
         "ください。")),
    "bool-many": Entry(
        "K159", RuntimeError, "Boolean value of Tensor with {how_many} is ambiguous",
        ("`if`, `while`, `and`, `or`, `not` need one truth value; {name} has shape {shape}.",
         "`if`、`while`、`and`、`or`、`not` には真偽が一つ必要ですが、{name} の形は {shape} です。"),
        ("say which is meant: .any(), .all() or .item(); element by element it is torch.where, & and |.",
         ".any()、.all()、.item() のどれかで意味をはっきりさせてください。要素ごとなら torch.where、&、| です。")),
    "no-dim-len": Entry(
        "K160", TypeError, "len() of a 0-d tensor",
        ("{name} is a single number: it has no dimension to count along.",
         "{name} は一つの数で、数える次元がありません。"),
        ("{var}.numel() is the number of elements; {var}.reshape(1) has one dimension.",
         "要素の数は {var}.numel() です。{var}.reshape(1) で 1 次元になります。")),
    "no-dim-iteration": Entry(
        "K161", TypeError, "iteration over a 0-d tensor",
        ("{name} is a single number, and a loop goes over the first dimension.",
         "{name} は一つの数です。ループは最初の次元に沿って進みます。"),
        ("{var}.item() is the number; check what made it a single number (.sum(), .mean(), an index too many).",
         "数は {var}.item() で取り出せます。なぜ一つの数になったのか (.sum()、.mean()、余分な添字) を確かめてください。")),
    "dot-sizes": Entry(
        "K162", RuntimeError,
        "inconsistent tensor size, expected tensor [{a}] and src [{b}] to have the same number of elements, but got {a} "
        "and {b} elements respectively",
        ("a dot product pairs the elements of two vectors, so both need the same number.",
         "内積は二つのベクトルの要素を対にするので、要素の数が同じでなければなりません。"),
        ("look at the shapes of both.", "両方の形を確かめてください。")),
    "gather-range": Entry(
        "K163", RuntimeError, "index {index} is out of bounds for dimension {dim} with size {size}",
        ("the index tensor holds positions along dimension {dim}, which are 0 to {last}.",
         "添字のテンソルが指すのは次元 {dim} の位置で、0 から {last} までです。"),
        ("look at index.min() and index.max(); positions start at 0 and cannot be negative here.",
         "index.min() と index.max() を確かめてください。位置は 0 から始まり、ここでは負にできません。")),
    "bmm-sizes": Entry(
        "K164", RuntimeError,
        "Expected size for first two dimensions of batch2 tensor to be: [{batch}, {inner}] but got: [{b_batch}, {b_inner}].",
        ("a product of batches pairs {batch} matrices with {b_batch}; each left one has {inner} columns, each right one "
         "{b_inner} rows.",
         "バッチの積は {batch} 個の行列を {b_batch} 個の行列と対にします。左の列数は {inner}、右の行数は {b_inner} です。"),
        ("transpose the last two dimensions of one: b.transpose(1, 2); a @ b broadcasts the batch.",
         "一方の最後の 2 次元を b.transpose(1, 2) で入れ替えてください。a @ b ならバッチはブロードキャストされます。")),
    "cat-dims": Entry(
        "K165", RuntimeError, "Tensors must have same number of dimensions: got {a} and {b}",
        ("tensors that are joined must agree in all dimensions but one.",
         "つなぐテンソルは、一つを除くすべての次元が揃っていなければなりません。"),
        (".unsqueeze(0) adds the dimension that is missing; torch.stack joins along a new one.",
         "足りない次元は .unsqueeze(0) で加えてください。新しい次元に沿ってつなぐのは torch.stack です。")),
    "index-type": Entry(
        "K166", IndexError,
        "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices (got {got})",
        ("a position is a whole number, and this has the type {got}.", "位置は整数ですが、{got} が渡されました。"),
        ("int(i), or i.long() for a tensor; in Python 3 a // b divides whole numbers and a / b gives a float.",
         "int(i)、テンソルなら i.long() で変換してください。整数の割り算は a // b で、a / b は浮動小数点数になります。")),
    "expand-size": Entry(
        "K167", RuntimeError,
        "The expanded size of the tensor ({want}) must match the existing size ({have_size}) at non-singleton dimension "
        "{dim}.  Target sizes: {target}.  Tensor sizes: {sizes}",
        ("only dimensions of size 1 can be expanded, and this one has {have_size}.",
         "expand できるのは大きさ 1 の次元だけですが、この次元は {have_size} です。"),
        (".repeat() copies any dimension; .unsqueeze(dim) makes one of size 1.",
         ".repeat() ならどの次元も複製できます。大きさ 1 の次元は .unsqueeze(dim) で作れます。")),
    "split-sizes": Entry(
        "K168", RuntimeError,
        "split_with_sizes expects split_sizes to sum exactly to {size} (input tensor's size at dimension {dim}), but got "
        "split_sizes={sizes}",
        ("the pieces must make up the whole: {sizes} add up to {total}, not {size}.",
         "分けた大きさの和が全体と等しくなければなりません。{sizes} の和は {total} で、{size} ではありません。"),
        ("give sizes that add up to {size}, or one number: split(2) makes pieces of 2 and a rest.",
         "和が {size} になる大きさを渡すか、split(2) のように一つの数 (2 個ずつと残り) を渡してください。")),
    # ---- values and dtypes
    "ragged-list": Entry(
        "K171", ValueError, "expected sequence of length {want} at dim {dim} (got {got})",
        ("the lists at depth {dim} have different lengths, {want} and {got}; a tensor is a full grid.",
         "深さ {dim} のリストの長さが {want} と {got} で異なります。テンソルは欠けのない格子です。"),
        ("make them equally long, or pad them with torch.nn.utils.rnn.pad_sequence.",
         "長さを揃えるか、torch.nn.utils.rnn.pad_sequence で詰めてください。")),
    "list-of-tensors": Entry(
        "K172", ValueError, "only one element tensors can be converted to Python scalars",
        ("a list of tensors is no nested list of numbers.", "テンソルのリストは、数の入れ子リストではありません。"),
        ("torch.stack(list_of_tensors)", "torch.stack(テンソルのリスト) を使ってください。")),
    "result-cast": Entry(
        "K173", RuntimeError, "result type {a} can't be cast to the desired output type {b}",
        ("a change in place keeps the dtype, and what was computed does not fit into it.",
         "その場での変更では型が変わりませんが、計算結果はその型に収まりません。"),
        ("use the operation that makes a new tensor (x = x + 0.5), or convert first: x = x.float().",
         "新しいテンソルを作る演算 (x = x + 0.5) を使うか、先に x = x.float() で変換してください。")),
    "mean-integers": Entry(
        "K174", RuntimeError,
        "mean(): could not infer output dtype. {which} dtype must be either a floating point or complex dtype. "
        "Got: {got}",
        ("the mean of whole numbers is no whole number.", "整数の平均は整数とは限りません。"),
        ("x.float().mean(), or x.mean(dtype=torch.float32)",
         "x.float().mean() か x.mean(dtype=torch.float32) を使ってください。")),
    "no-kernel": Entry(
        "K175", NotImplementedError, "\"{kernel}\" not implemented for '{got}'",
        ("the tensor has dtype {dtype}.", "テンソルの型は {dtype} です。"),
        (".float() or another dtype.", ".float() などで型を変えてください。")),
    "not-tensor": Entry(
        "K176", TypeError, "{function}(): argument '{argument}' (position {place}) must be Tensor, not {got}",
        ("PyTorch's functions take tensors; lists, numbers and arrays are not converted on the way.",
         "PyTorch の関数はテンソルを受け取ります。リスト、数、配列は自動では変換されません。"),
        ("convert it: torch.tensor(data), or torch.from_numpy(array).float() for an array.",
         "torch.tensor(data) で、配列なら torch.from_numpy(array).float() で変換してください。")),
    "no-cuda": Entry(
        "K177", AssertionError, "Torch not compiled with CUDA enabled",
        ("no NVIDIA GPU that kobai can use was found on this machine; `kobai doctor` says what is missing.",
         "この計算機に、kobai の使える NVIDIA の GPU が見つかりません。`kobai doctor` で何が足りないか分かります。"),
        ("use device='cpu', or choose it by: device = 'cuda' if torch.cuda.is_available() else 'cpu'",
         "device='cpu' を使うか、device = 'cuda' if torch.cuda.is_available() else 'cpu' で選んでください。")),
    "from-numpy": Entry(
        "K178", TypeError, "expected np.ndarray (got {got})",
        ("from_numpy shares the memory of a NumPy array, and this is none.",
         "from_numpy は NumPy 配列のメモリを共有しますが、渡されたのは配列ではありません。"),
        ("torch.tensor(data) takes numbers, lists and arrays (it copies them).",
         "torch.tensor(data) なら数、リスト、配列を受け取ります (写しを作ります)。")),
    # ---- layers
    "conv-channels": Entry(
        "K201", RuntimeError,
        "Given groups={groups}, weight of size {weight_size}, expected input{input_size} to have {b} channels, but got "
        "{a} channels instead",
        ("the layer was made for {b} channels; the input has {a} in dimension 1. Images are (batch, channels, height, "
         "width).",
         "この層は {b} チャネル用ですが、入力の次元 1 は {a} です。画像の形は (バッチ, チャネル, 高さ, 幅) です。"),
        ("give the layer in_channels={a}, or bring the input to that form: x.unsqueeze(1) adds a channel, "
         "x.permute(0, 3, 1, 2) moves the last dimension to the front.",
         "層を in_channels={a} で作るか、入力を合わせてください。x.unsqueeze(1) でチャネルが加わり、"
         "x.permute(0, 3, 1, 2) で最後の次元がチャネルになります。")),
    "conv-dims": Entry(
        "K202", RuntimeError,
        "Expected {unbatched}D (unbatched) or {batched}D (batched) input to conv{n}d, but got input of size: {have}",
        ("the input of a convolution is (batch, channels, ...), with {n} dimensions after the channels.",
         "畳み込みの入力は (バッチ, チャネル, ...) で、チャネルの後に {n} 個の次元が続きます。"),
        ("add what is missing: x.unsqueeze(1) for the channels, x.unsqueeze(0) for the batch.",
         "足りない次元を加えてください。チャネルは x.unsqueeze(1)、バッチは x.unsqueeze(0) です。")),
    "conv-kernel": Entry(
        "K203", RuntimeError,
        "Calculated padded input size per channel: ({have}). Kernel size: ({kernel}). Kernel size can't be greater than "
        "actual input size",
        ("after the layers before it the image is only {have}, smaller than the kernel.",
         "ここまでの層を通った画像は {have} しかなく、カーネルより小さくなっています。"),
        ("a smaller kernel_size, padding, or fewer poolings and strides before this layer.",
         "kernel_size を小さくする、padding を付ける、または手前のプーリングや stride を減らしてください。")),
    "pool-small": Entry(
        "K204", RuntimeError,
        "Given input size: ({have}). Calculated output size: ({out}). Output size is too small",
        ("the window {window} does not fit into {spatial}.", "窓 {window} は {spatial} に収まりません。"),
        ("a smaller kernel_size, padding, or fewer poolings before this one.",
         "kernel_size を小さくする、padding を付ける、または手前のプーリングを減らしてください。")),
    "norm-one-value": Entry(
        "K205", ValueError,
        "Expected more than 1 value per channel when training, got input size {have}",
        ("in training, batch normalisation takes mean and variance over the batch, and one value has no variance. Often "
         "it is the last, smaller batch of an epoch.",
         "学習中の BatchNorm はバッチの平均と分散を使いますが、値が一つでは分散がありません。エポック最後の小さなバッチで"
         "よく起こります。"),
        ("larger batches (DataLoader(..., drop_last=True)), or model.eval() if this is not training.",
         "バッチを大きくする (DataLoader(..., drop_last=True)) か、学習でないなら model.eval() を呼んでください。")),
    "norm-channels": Entry(
        "K206", RuntimeError, "{what} should contain {a} elements not {b}",
        ("the layer was made for {b} channels (num_features={b}); the input has {a} in dimension 1.",
         "この層は {b} チャネル用 (num_features={b}) ですが、入力の次元 1 は {a} です。"),
        ("make the layer with num_features={a}, or check the layer before it.",
         "層を num_features={a} で作るか、手前の層を確かめてください。")),
    "layer-norm-shape": Entry(
        "K207", RuntimeError,
        "Given normalized_shape={normal}, expected input with shape [{wanted}], but got input of size{have}",
        ("layer normalisation is over the last dimensions, which must be {normal}.",
         "LayerNorm は最後の次元について行うので、そこが {normal} でなければなりません。"),
        ("make the layer with the last size of the input, or check the layer before it.",
         "入力の最後の大きさに合わせて層を作るか、手前の層を確かめてください。")),
    "embedding-range": Entry(
        "K208", IndexError, "index out of range in self",
        ("position {index} in a table of {size} rows.", "表は {size} 行ですが、{index} 番が指定されました。"),
        ("positions are 0 to {last}; num_embeddings is the number of rows (the largest index + 1).",
         "番号は 0 から {last} までです。num_embeddings は行の数 (最大の番号 + 1) にします。")),
    "embedding-dtype": Entry(
        "K209", RuntimeError,
        "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got {got} "
        "instead (while checking arguments for {function})",
        ("an embedding looks up rows by number, and numbers of rows are integers.",
         "埋め込みは行の番号で引くので、入力は整数です。"),
        ("x.long(); if x holds values and not numbers of words, nn.Linear is the layer for it.",
         "x.long() で変換してください。x が番号ではなく値なら、使う層は nn.Linear です。")),
    "rnn-features": Entry(
        "K210", RuntimeError, "input.size(-1) must be equal to input_size. Expected {b}, got {a}",
        ("each step of the sequence must have {b} features (input_size={b}); the last dimension of the input has {a}.",
         "系列の各時刻の特徴は {b} 個 (input_size={b}) のはずですが、入力の最後の次元は {a} です。"),
        ("make the layer with input_size={a}, or bring the input to (time, batch, {b}), with batch_first=True to (batch, "
         "time, {b}).",
         "層を input_size={a} で作るか、入力を (時間, バッチ, {b})、batch_first=True なら (バッチ, 時間, {b}) に"
         "してください。")),
    "norm-dims": Entry(
        "K211", ValueError, "expected {want} input (got {got}D input)",
        ("this layer is for {want} input (BatchNorm1d: (N, C) or (N, C, L); 2d: (N, C, H, W)); the input has shape "
         "{have}.",
         "この層の入力は {want} です (BatchNorm1d は (N, C) か (N, C, L)、2d は (N, C, H, W))。入力の形は {have} です。"),
        ("use the layer for the number of dimensions, or reshape the input.",
         "次元数に合った層を使うか、入力の形を変えてください。")),
    "rnn-state": Entry(
        "K212", RuntimeError, "Expected {which} size {want_size}, got {got}",
        ("the state has the shape (layers x directions, batch, hidden_size), here {want_size}, also with batch_first=True.",
         "状態の形は (層の数 × 方向の数, バッチ, hidden_size) で、ここでは {want_size} です。batch_first=True でも同じです。"),
        ("leave the state out (it is then zero), or make it with torch.zeros{want_size}.",
         "状態を省く (0 になります) か、torch.zeros{want_size} で作ってください。")),
    # ---- losses
    "target-range": Entry(
        "K221", IndexError, "Target {target} is out of bounds.",
        ("the scores have {classes} classes, so targets are 0 to {last}.",
         "スコアは {classes} クラス分なので、正解ラベルは 0 から {last} までです。"),
        ("give the last layer as many outputs as there are classes, and count classes from 0 (target - 1 if they start "
         "at 1).",
         "最後の層の出力をクラスの数に合わせ、クラスは 0 から数えてください (1 から始まるなら target - 1)。")),
    "target-dtype": Entry(
        "K222", RuntimeError, "expected target dtype to be Long or Byte, but got {got}",
        ("targets of this loss are class numbers, which are integers (int64); these have dtype {dtype}.",
         "この損失の正解はクラスの番号 (int64 の整数) ですが、型は {dtype} です。"),
        ("convert them with target.long(); probabilities as targets must have the shape of the scores.",
         "target.long() で変換してください。確率を正解にするなら、形をスコアと同じにします。")),
    "target-batch": Entry(
        "K223", ValueError, "Expected input batch_size ({a}) to match target batch_size ({b}).",
        ("there are scores for {a} examples and targets for {b}.",
         "スコアは {a} 例、正解は {b} 例あります。"),
        ("check reshapes on the way: view(-1, ...) silently mixes examples; keep the batch first, x.flatten(1).",
         "途中の変形を確かめてください。view(-1, ...) は例を混ぜてしまいます。x.flatten(1) ならバッチの次元が残ります。")),
    "target-shape": Entry(
        "K224", RuntimeError, "0D or 1D target tensor expected, multi-target not supported",
        ("targets are class numbers: one for each example; these have shape {have}.",
         "正解はクラスの番号です。例ごとに一つですが、形は {have} です。"),
        ("target.squeeze(1), or target.argmax(1) if it is one-hot.",
         "target.squeeze(1)、one-hot なら target.argmax(1) を使ってください。")),
    "bce-range": Entry(
        "K225", RuntimeError, "all elements of input should be between 0 and 1",
        ("this loss takes probabilities, and got {least} to {most}.",
         "この損失が受け取るのは確率ですが、値は {least} から {most} です。"),
        ("apply torch.sigmoid first, or use binary_cross_entropy_with_logits (nn.BCEWithLogitsLoss), which does both and "
         "is exact for large scores.",
         "先に torch.sigmoid を使うか、両方を正確に行う binary_cross_entropy_with_logits (nn.BCEWithLogitsLoss) を"
         "使ってください。")),
    "bce-size": Entry(
        "K226", ValueError,
        "Using a target size ({b}) that is different to the input size ({a}) is deprecated. Please ensure they have the "
        "same size.",
        ("each output needs its own target; shapes (N, 1) and (N,) are not the same.",
         "出力ごとに正解が一つ必要です。形 (N, 1) と (N,) は同じではありません。"),
        ("output.squeeze(1), or target.unsqueeze(1).float().",
         "output.squeeze(1) か target.unsqueeze(1).float() で揃えてください。")),
    "bce-logits-size": Entry(
        "K227", ValueError, "Target size ({b}) must be the same as input size ({a})",
        ("each output needs its own target; shapes (N, 1) and (N,) are not the same.",
         "出力ごとに正解が一つ必要です。形 (N, 1) と (N,) は同じではありません。"),
        ("output.squeeze(1), or target.unsqueeze(1).float().",
         "output.squeeze(1) か target.unsqueeze(1).float() で揃えてください。")),
    "loss-broadcast": Entry(
        "K228", UserWarning,
        "Using a target size ({b}) that is different to the input size ({a}). This will likely lead to incorrect results "
        "due to broadcasting. Please ensure they have the same size.",
        ("the shapes are stretched to fit, so outputs are compared with targets of other examples.",
         "形が引き伸ばされ、出力がほかの例の正解とも比べられます。"),
        ("output.squeeze(1), or target.unsqueeze(1), so that both have one shape.",
         "output.squeeze(1) か target.unsqueeze(1) で同じ形にしてください。")),
    # ---- modules, optimizers, data
    "no-forward": Entry(
        "K241", NotImplementedError, "Module [{module}] is missing the required \"forward\" function",
        ("calling a module calls its forward method, and {module} defines none (or it is indented into another method).",
         "モジュールを呼ぶと forward が呼ばれますが、{module} にはありません (字下げで別の関数の中に入っていることもあります)。"),
        ("write `def forward(self, x):` in the class.", "クラスの中に `def forward(self, x):` を書いてください。")),
    "no-module-init": Entry(
        "K242", AttributeError, "cannot assign {what} before Module.__init__() call",
        ("the __init__ of {module} has not called that of nn.Module, which makes the place for parameters and layers.",
         "{module} の __init__ が nn.Module の __init__ を呼んでいないため、パラメータや層を入れる場所がありません。"),
        ("make super().__init__() the first line of {module}.__init__.",
         "{module}.__init__ の最初の行で super().__init__() を呼んでください。")),
    "not-a-module": Entry(
        "K244", TypeError, "{got} is not a Module subclass",
        ("the parts of a network are modules, that is objects of classes such as nn.Linear; this has the type {got}.",
         "ネットワークの部品は nn.Linear などのモジュールですが、{got} が渡されました。"),
        ("give an object, nn.ReLU() and not nn.ReLU or F.relu; layers in a list need the star: nn.Sequential(*layers).",
         "nn.ReLU や F.relu ではなく、オブジェクト nn.ReLU() を渡してください。リストに入れた層は "
         "nn.Sequential(*layers) と書きます。")),
    "state-dict": Entry(
        "K243", RuntimeError, "Error(s) in loading state_dict for {module}:\n\t{errors}",
        ("names or shapes in the checkpoint are not those of the model.{hint}",
         "チェックポイントの名前や形がモデルと一致しません。{hint}"),
        ("make the model as it was when the checkpoint was saved; strict=False skips names that do not match (not shapes).",
         "保存したときと同じ構成のモデルを作ってください。strict=False は一致しない名前を読み飛ばします "
         "(形の違いは飛ばせません)。")),
    "optimizer-empty": Entry(
        "K251", ValueError, "optimizer got an empty parameter list",
        ("the iterable had no element: a model without parameters (layers in a plain list are not seen), or a generator "
         "that was used up before (model.parameters() can be read once).",
         "要素が一つもありません。パラメータのないモデル (普通のリストに入れた層は見えません) か、一度読み終えたジェネレータ"
         "です (model.parameters() は一度しか読めません)。"),
        ("call model.parameters() anew, and keep layers in nn.ModuleList or nn.Sequential.",
         "model.parameters() を呼び直し、層は nn.ModuleList か nn.Sequential に入れてください。")),
    "optimizer-nonleaf": Entry(
        "K252", ValueError, "can't optimize a non-leaf Tensor",
        ("this tensor was computed from others, so its own gradient is not kept.",
         "このテンソルは計算された値なので、自分の勾配が残りません。"),
        ("give the optimizer the tensors it was computed from, or detach it: w = w.detach().requires_grad_().",
         "計算の元のテンソルを渡すか、w = w.detach().requires_grad_() で切り離してください。")),
    "optimizer-tensor": Entry(
        "K253", TypeError,
        "params argument given to the optimizer should be an iterable of Tensors or dicts, but got {got}",
        ("a single tensor was given.", "テンソルが一つだけ渡されました。"),
        ("put it into a list, as in SGD([w], lr=0.1).", "SGD([w], lr=0.1) のようにリストに入れてください。")),
    "optimizer-what": Entry(
        "K254", TypeError, "optimizer can only optimize Tensors, but one of the params is {got}",
        ("the optimizer got a {got} among the parameters.", "optimizer に渡されたものの中に {got} があります。"),
        ("give tensors: model.parameters(), not the model; values of model.named_parameters(), not pairs.",
         "テンソルを渡してください。モデルではなく model.parameters()、named_parameters() なら組ではなく値です。")),
    "learning-rate": Entry(
        "K255", ValueError, "Invalid learning rate: {lr}",
        ("a learning rate is the length of a step.", "学習率はステップの大きさです。"),
        ("it must be positive; to go uphill use maximize=True.",
         "正の数にしてください。値を大きくしたいときは maximize=True を使います。")),
    "dataset-sizes": Entry(
        "K261", AssertionError, "Size mismatch between tensors",
        ("their first dimensions are {sizes}, but each must be the number of samples.",
         "最初の次元が {sizes} ですが、どれもサンプルの数でなければなりません。"),
        ("look whether one of them was cut or transposed.", "切り取りや転置をしていないか確かめてください。")),
    "collate-type": Entry(
        "K262", TypeError,
        "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {found}",
        ("a DataLoader makes batches of samples, and this kind cannot be put into one tensor. None means that "
         "__getitem__ returned nothing.",
         "DataLoader はサンプルをまとめてバッチにしますが、この型は一つのテンソルにできません。None なら __getitem__ が何も"
         "返していません。"),
        ("return a tensor, an array or a number from __getitem__, or give DataLoader a collate_fn that knows this type.",
         "__getitem__ からテンソル、配列、数を返すか、この型を扱う collate_fn を DataLoader に渡してください。")),
    "split-lengths": Entry(
        "K263", ValueError, "Sum of input lengths does not equal the length of the input dataset!",
        ("{lengths} add up to {total}, but the dataset has {size} samples.",
         "{lengths} の和は {total} ですが、データセットは {size} 例です。"),
        ("lengths must add up to len(dataset), fractions such as [0.8, 0.2] to 1.",
         "長さの和は len(dataset)、[0.8, 0.2] のような割合なら和は 1 にしてください。")),
}
