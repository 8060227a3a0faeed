"""Errors of calling functions, layers and classes in a way they cannot be called: the third part of the catalogue.

`first` is PyTorch's own first line; the places that raise give the values in its braces.
"""
from __future__ import annotations

from .entry import Entry

_SIZES = (
    ("the shape {shape} has the size {least}.", "形 {shape} に {least} という大きさがあります。"),
    ("sizes are 0 or more; look at the subtraction or the argument that made this one.",
     "大きさは 0 以上です。この値を作った引き算や引数を確かめてください。"))

CALLS = {
    # ---- shapes and indices
    "size-negative": Entry("K136", RuntimeError, "Trying to create tensor with negative dimension {least}: {shape}", *_SIZES),
    "size-negative-zeros": Entry("K137", RuntimeError, "zeros: Dimension size must be non-negative.", *_SIZES),
    "mask-shape": Entry(
        "K179", IndexError,
        "The shape of the mask {have} at index {k} does not match the shape of the indexed tensor {shape} at index {at}",
        ("a mask of True and False has one entry for each element it chooses from.",
         "True と False のマスクには、選ぶ対象の要素と同じ数だけ値が必要です。"),
        ("make the mask from the tensor itself (x[x > 0]), or along its first dimension: mask.shape[0] == len(x).",
         "マスクは対象のテンソルから作る (x[x > 0]) か、最初の次元に揃えてください (mask.shape[0] == len(x))。")),
    "permute-count": Entry(
        "K180", RuntimeError,
        "permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired ordering "
        "of dimensions i.e. input.dim() = {ndim} is not equal to len(dims) = {count}",
        ("permute takes every dimension once; the tensor has {ndim}, and {count} were given.",
         "permute にはすべての次元を一度ずつ渡します。テンソルの次元は {ndim} 個ですが、{count} 個渡されました。"),
        ("list all of them; to exchange two, use x.transpose(a, b).",
         "すべての次元を並べてください。二つを入れ替えるだけなら x.transpose(a, b) です。")),
    "cat-empty": Entry(
        "K181", ValueError, "torch.cat(): expected a non-empty list of Tensors",
        ("the list has no element: nothing was appended to it, or it was emptied.",
         "リストが空です。何も append されていないか、空にされています。"),
        ("look at the loop that fills it.", "リストに追加しているループを確かめてください。")),
    "cat-element": Entry(
        "K182", TypeError, "expected Tensor as element {place} in argument 0, but got {got}",
        ("cat and stack join tensors; number {place} of the list has the type {got}.",
         "cat と stack はテンソルをつなぎます。リストの {place} 番目の型は {got} です。"),
        ("for numbers, torch.tensor(the_list); .item() made numbers of tensors too early.",
         "数のリストなら torch.tensor(リスト) を使ってください。途中の .item() がテンソルを数にしていないかも確かめてください。")),
    "matrix-wanted": Entry(
        "K183", RuntimeError, "{argument} must be a matrix, got {ndim}-D tensor (in {function})",
        ("{function} multiplies matrices, which have two dimensions.", "{function} は 2 次元の行列の積です。"),
        ("a @ b takes vectors, matrices and batches; .unsqueeze(0) makes a vector a row.",
         "a @ b ならベクトル、行列、バッチを掛けられます。.unsqueeze(0) でベクトルを 1 行の行列にできます。")),
    "batch-wanted": Entry(
        "K184", RuntimeError, "{argument} must be a 3D tensor",
        ("bmm multiplies batches of matrices, of shape (batch, rows, columns); this has shape {have}.",
         "bmm は (バッチ, 行, 列) の形の行列の積です。渡された形は {have} です。"),
        ("a @ b for single matrices, or .unsqueeze(0) for a batch of one.",
         "行列一つずつなら a @ b、大きさ 1 のバッチにするなら .unsqueeze(0) です。")),
    "vector-wanted": Entry(
        "K185", RuntimeError, "1D tensors expected, but got {a}D and {b}D tensors",
        ("dot is the product of two vectors.", "dot は二つのベクトルの内積です。"),
        ("a @ b for matrices; (a * b).sum() for the sum over all elements.",
         "行列の積は a @ b、すべての要素についての和は (a * b).sum() です。")),
    "matvec-sizes": Entry(
        "K186", RuntimeError, "size mismatch, got input ({rows}), mat ({rows}x{cols}), vec ({size})",
        ("the matrix has {cols} columns, the vector {size} elements; they must be equal.",
         "行列の列数は {cols}、ベクトルの要素数は {size} です。等しくなければなりません。"),
        ("look at the shapes; matrix.T has {rows} columns.", "形を確かめてください。転置 matrix.T の列数は {rows} です。")),
    "gather-dims": Entry(
        "K187", RuntimeError, "Index tensor must have the same number of dimensions as {what} tensor",
        ("along each position of the result, gather and scatter need an index.",
         "gather と scatter には、結果の位置ごとに添字が必要です。"),
        ("index.unsqueeze(1) adds the dimension, as in scores.gather(1, labels.unsqueeze(1)).",
         "scores.gather(1, labels.unsqueeze(1)) のように、足りない次元を unsqueeze で加えてください。")),
    "one-hot-range": Entry(
        "K189", RuntimeError, "Class values must be smaller than num_classes.",
        ("the largest class is number {most}, but num_classes={classes} has room for 0 to {last}.",
         "最大のクラスは {most} 番ですが、num_classes={classes} で表せるのは 0 から {last} までです。"),
        ("count classes from 0, or give a larger num_classes.",
         "クラスを 0 から数えるか、num_classes を大きくしてください。")),
    "topk-range": Entry(
        "K190", RuntimeError, "selected index k out of range",
        ("k={k}, but dimension {dim} of shape {have} has {size} elements.",
         "k={k} ですが、形 {have} の次元 {dim} の要素は {size} 個です。"),
        ("k from 0 to {size}, for example min(k, x.shape[dim]).",
         "k は 0 から {size} までです (min(k, x.shape[dim]) など)。")),
    "not-square": Entry(
        "K191", RuntimeError, "{function}: A must be batches of square matrices, but they are {rows} by {cols} matrices",
        ("only a square matrix has an inverse, a determinant or eigenvalues.",
         "逆行列、行列式、固有値があるのは正方行列だけです。"),
        ("torch.linalg.pinv and torch.linalg.lstsq take any shape; check for a missing transpose.",
         "どの形でもよいのは torch.linalg.pinv と torch.linalg.lstsq です。転置の忘れも確かめてください。")),
    "clamp-bounds": Entry(
        "K193", RuntimeError, "torch.clamp: At least one of 'min' or 'max' must not be None",
        ("clamp was given no bound.", "clamp に上限も下限も渡されていません。"),
        ("x.clamp(min=0), x.clamp(max=1), or x.clamp(0, 1).",
         "x.clamp(min=0)、x.clamp(max=1)、x.clamp(0, 1) のように書いてください。")),
    "zero-division": Entry(
        "K194", RuntimeError, "ZeroDivisionError",
        ("a whole number was divided by 0; only floats have inf and nan.",
         "整数を 0 で割りました。inf や nan があるのは浮動小数点数だけです。"),
        ("x.float() first, or keep zeros out of the divisor.", "先に x.float() で変換するか、割る数から 0 を除いてください。")),
    "scalar-many": Entry(
        "K197", ValueError, "only one element tensors can be converted to Python scalars",
        ("a Python number is one number; {name} has shape {shape}.", "Python の数は一つですが、{name} の形は {shape} です。"),
        ("reduce it first ({var}.mean()), pick one ({var}[0]), or take all: {var}.tolist().",
         "先に一つにまとめる ({var}.mean())、一つ選ぶ ({var}[0])、または全部を {var}.tolist() で取り出してください。")),
    "device-name": Entry(
        "K198", RuntimeError,
        "Expected one of cpu, cuda, ipu, xpu, mkldnn, opengl, opencl, ideep, hip, ve, fpga, maia, xla, lazy, vulkan, mps, "
        "meta, hpu, mtia, privateuseone device type at start of device string: {got}",
        ("no device is called {got!r}; names are in small letters.",
         "{got!r} というデバイスはありません。名前は小文字です。"),
        ("\"cpu\" or \"cuda\": device = \"cuda\" if torch.cuda.is_available() else \"cpu\"",
         "\"cpu\" か \"cuda\" です: device = \"cuda\" if torch.cuda.is_available() else \"cpu\"")),
    "device-string": Entry(
        "K199", RuntimeError, "Invalid device string: '{got}'",
        ("a device is a name in letters, perhaps with a number: cpu, cuda, cuda:0.",
         "デバイスは cpu、cuda、cuda:0 のように、英字の名前と番号で書きます。"),
        ("for a dtype give torch.float32 and not its name in quotes.",
         "型を指定したいときは、文字列ではなく torch.float32 を渡してください。")),
    # ---- layers
    "dropout-p": Entry(
        "K213", ValueError, "dropout probability has to be between 0 and 1, but got {p}",
        ("p is the share of elements that are set to 0.", "p は 0 にする要素の割合です。"),
        ("p=0.5 for half of them; 50 percent is 0.5.", "半分なら p=0.5 です。50 パーセントは 0.5 と書きます。")),
    "attention-heads": Entry(
        "K214", AssertionError, "embed_dim must be divisible by num_heads",
        ("each of the {heads} heads gets an equal part of the {size} features.",
         "{heads} 個のヘッドが {size} 個の特徴を等しく分けます。"),
        ("choose num_heads so that {size} % num_heads == 0.", "{size} % num_heads == 0 となる num_heads を選んでください。")),
    "dtype-conv": Entry(
        "K215", RuntimeError, "Input type ({a_name}) and bias type ({b_name}) should be the same",
        ("the input has dtype {a_dtype} and the layer's weight {b_dtype}. NumPy makes float64 arrays by default; images are "
         "often uint8.",
         "入力の型は {a_dtype}、層の重みは {b_dtype} です。NumPy の配列は既定で float64、画像は uint8 のことがよくあります。"),
        ("convert the data: x.float() (for images of uint8, x.float() / 255); or the whole model: model.double().",
         "データを変換する: x.float() (uint8 の画像なら x.float() / 255) か、モデル全体を変換する: model.double()。")),
    "pad-length": Entry(
        "K216", RuntimeError,
        "Padding length should be less than or equal to two times the input dimension but got padding length {length} and "
        "input of dimension {ndim}",
        ("pad takes two numbers a dimension (before, after), from the last dimension on; {length} numbers need {needed} "
         "dimensions.",
         "pad には最後の次元から順に、次元ごとに二つの数 (前、後) を渡します。{length} 個の数には {needed} 次元が必要です。"),
        ("give at most {most} numbers, or add dimensions with .unsqueeze(0).",
         "数を {most} 個以下にするか、.unsqueeze(0) で次元を加えてください。")),
    # ---- losses
    "bce-dtype": Entry(
        "K230", RuntimeError, "Found dtype {got} but expected {want}",
        ("this loss compares probabilities with 0.0 and 1.0, and both must have one dtype.",
         "この損失は確率を 0.0 と 1.0 に比べるので、両方の型が同じでなければなりません。"),
        ("target.float() (or target.to(input.dtype)).", "target.float() (または target.to(input.dtype)) を使ってください。")),
    "loss-called": Entry(
        "K231", RuntimeError, "Boolean value of Tensor with more than one value is ambiguous",
        ("{module} is a class: its arguments are options, and here it was given the tensors to compare.",
         "{module} はクラスで、引数は設定です。ここには比べるテンソルが渡されています。"),
        ("make it first, then call it: criterion = nn.{module}(); loss = criterion(output, target).",
         "先にオブジェクトを作ってから呼び出してください: criterion = nn.{module}(); loss = criterion(output, target)。")),
    # ---- optimizers and modules
    "params-not-called": Entry(
        "K256", TypeError, "'{got}' object is not iterable",
        ("an optimizer takes the parameters of a model. This is of type {got}: the model itself, or model.parameters without "
         "its parentheses.",
         "オプティマイザに渡すのはモデルのパラメータです。渡されたのは {got} で、モデルそのものか、括弧のない "
         "model.parameters です。"),
        ("write model.parameters().", "model.parameters() と書いてください。")),
    "parameter-plain": Entry(
        "K245", TypeError, "cannot assign '{got}' as parameter '{key}' (torch.nn.Parameter or None expected)",
        ("{key} is a parameter of this module, and what was given is none.",
         "{key} はこのモジュールのパラメータですが、渡された値はパラメータではありません。"),
        ("wrap it: nn.Parameter(value); or change the numbers only: with torch.no_grad(): module.{key}.copy_(value).",
         "nn.Parameter(値) で包むか、数だけを変えてください: with torch.no_grad(): module.{key}.copy_(値)。")),
    # ---- data
    "collate-lengths": Entry(
        "K264", RuntimeError, "each element in list of batch should be of equal size",
        ("a DataLoader joins the samples of a batch, and here they have the lengths {lengths}.",
         "DataLoader はバッチのサンプルを一つにまとめますが、ここでは長さが {lengths} です。"),
        ("pad the samples in the dataset, or give DataLoader a collate_fn that does.",
         "データセットで長さを揃えるか、それを行う collate_fn を DataLoader に渡してください。")),
    "batch-size": Entry(
        "K265", ValueError, "batch_size should be a positive integer value, but got batch_size={got}",
        ("a batch has at least one sample.", "バッチには一つ以上のサンプルが必要です。"),
        ("batch_size=1 or more; a whole number (n // 2, not n / 2).",
         "batch_size は 1 以上の整数です (n / 2 ではなく n // 2)。")),
    "dataset-length": Entry(
        "K266", TypeError, "object of type '{got}' has no len()",
        ("to shuffle or cut data into batches a DataLoader must know how many samples there are.",
         "シャッフルやバッチ分けのために、DataLoader はサンプルの数を知る必要があります。"),
        ("write `def __len__(self): return ...` in {got}; for data of unknown length derive from IterableDataset.",
         "{got} に `def __len__(self): return ...` を書いてください。長さの分からないデータには IterableDataset を使います。")),
    # ---- functions of one's own
    "function-instance": Entry(
        "K271", RuntimeError,
        "Legacy autograd function with non-static forward method is deprecated. Please use new-style autograd function "
        "with static forward method. (Example: https://pytorch.org/docs/stable/autograd.html#torch.autograd.Function)",
        ("{function} was called like a class; a Function has no objects, only static methods.",
         "{function} がクラスとして呼び出されました。Function はオブジェクトを作らず、静的メソッドだけを持ちます。"),
        ("write {function}.apply(...).", "{function}.apply(...) と書いてください。")),
    "function-backward": Entry(
        "K272", NotImplementedError,
        "You must implement either the backward or vjp method for your custom autograd.Function to use it with backward "
        "mode AD.",
        ("the function has a forward, but nothing says how gradients flow back.",
         "forward はありますが、勾配をどう返すかが書かれていません。"),
        ("add `@staticmethod` and `def backward(ctx, grad_output): return ...`, one gradient for each input.",
         "`@staticmethod` と `def backward(ctx, grad_output): return ...` を書き、入力ごとに一つの勾配を返してください。")),
    "function-count": Entry(
        "K273", RuntimeError, "function {function} returned an incorrect number of gradients (expected {expected}, got {got})",
        ("backward returns one gradient for each argument of forward: {expected}, and it returned {got}.",
         "backward は forward の引数ごとに一つ、計 {expected} 個の勾配を返しますが、{got} 個でした。"),
        ("return {expected} values; None where no gradient is needed.",
         "{expected} 個の値を返してください。勾配が不要な引数には None です。")),
    "function-shape": Entry(
        "K274", RuntimeError,
        "Function {function} returned an invalid gradient at index {index} - got {have} but expected shape compatible with "
        "{want}",
        ("the gradient of an input has the shape of that input, {want}.", "入力の勾配は、その入力と同じ形 {want} です。"),
        ("look at argument {index} of forward; sum over dimensions that were broadcast.",
         "forward の引数 {index} を確かめてください。ブロードキャストした次元は足し合わせます。")),
}
