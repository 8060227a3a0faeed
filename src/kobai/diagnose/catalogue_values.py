"""Errors of values that an operation or a layer cannot take: another part of the catalogue."""
from __future__ import annotations

from .entry import Entry

VALUES = {
    # ---- making tensors
    "not-a-number": Entry(
        "K301", TypeError, "new(): invalid data type '{kind}'",
        ("a tensor holds numbers only, and this is a {kind}.", "テンソルに入れられるのは数だけで、これは {kind} です。"),
        ("convert text to numbers first: float(text), or give each word a number (a dictionary {{word: number}}).",
         "先に数に変換してください: float(text)、または単語ごとに番号を付ける (辞書 {{単語: 番号}}) など。")),
    "no-dtype": Entry(
        "K302", RuntimeError, "Could not infer dtype of {kind}",
        ("a {kind} is no number, and no list of numbers.", "{kind} は数でも、数のリストでもありません。"),
        ("pass numbers, (nested) lists of numbers, or NumPy arrays; look for a None or an object among the values.",
         "数、(入れ子の) 数のリスト、NumPy の配列のいずれかを渡してください。値の中に None やオブジェクトがないか"
         "確かめてください。")),
    "dtype-argument": Entry(
        "K303", TypeError, "{fn}(): argument 'dtype' must be torch.dtype, not {kind}",
        ("dtype={value} names no type of a tensor.", "dtype={value} はテンソルの型ではありません。"),
        ("write torch.float32, torch.int64, ... (without quotation marks; not NumPy's types).",
         "torch.float32、torch.int64 のように書いてください (引用符は付けません。NumPy の型でもありません)。")),
    "range-step": Entry(
        "K304", RuntimeError, "step must be nonzero",
        ("in steps of 0 one never comes to the end.", "0 ずつ進んでも終わりに着きません。"),
        ("give a step other than 0; torch.linspace(start, end, steps) takes the number of points instead.",
         "0 でない step を渡してください。点の数で指定するなら torch.linspace(start, end, steps) です。")),
    "range-direction": Entry(
        "K305", RuntimeError, "upper bound and lower bound inconsistent with step sign",
        ("from {start} one does not come to {end} in steps of {step}.", "{start} から {step} ずつ進んでも {end} には着きません。"),
        ("change the sign of step, or exchange start and end.", "step の符号を変えるか、start と end を入れ替えてください。")),
    "stack-empty": Entry(
        "K306", RuntimeError, "stack expects a non-empty TensorList",
        ("the list is empty, so neither shape nor dtype of the result is known.", "リストが空なので、結果の形も型も決まりません。"),
        ("look why nothing was appended: an empty loop, a filter that keeps nothing, a DataLoader without samples.",
         "なぜ何も追加されなかったか確かめてください (空のループ、何も残さない条件、サンプルのない DataLoader など)。")),
    # ---- shapes
    "two-unknown": Entry(
        "K307", RuntimeError, "only one dimension can be inferred",
        ("the shape {shape} has more than one -1, and there are many ways to fill them.",
         "形 {shape} には -1 が二つ以上あり、一通りに決まりません。"),
        ("give all sizes but one.", "一つを除いて大きさを指定してください。")),
    "repeat-count": Entry(
        "K308", RuntimeError,
        "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor",
        ("{count} numbers for the {ndim} dimensions of shape {shape}.", "形 {shape} の {ndim} 次元に対し、数が {count} 個です。"),
        ("give one number for each dimension, 1 where nothing is to be repeated.",
         "次元ごとに一つの数を渡し、繰り返さない次元には 1 を渡してください。")),
    "flatten-order": Entry(
        "K309", RuntimeError, "flatten() has invalid args: start_dim cannot come after end_dim",
        ("dimension {start} comes after dimension {end}.", "次元 {start} は次元 {end} より後です。"),
        ("x.flatten(1) keeps the batch and joins all that follows; x.flatten(0, 1) joins the first two.",
         "x.flatten(1) はバッチを残してそれ以降をまとめ、x.flatten(0, 1) は最初の二つをまとめます。")),
    "unflatten-sizes": Entry(
        "K310", RuntimeError,
        "unflatten: Provided sizes {sizes} don't multiply up to the size of dim {dim} ({size}) in the input tensor",
        ("the product of the sizes must be {size}.", "大きさの積は {size} でなければなりません。"),
        ("change the sizes; one of them may be -1 if the others divide {size}.",
         "大きさを変えてください。ほかの積が {size} を割り切るなら、一つを -1 にできます。")),
    # ---- masks and positions
    "mask-dtype": Entry(
        "K311", RuntimeError, "masked_fill_ only supports boolean masks, but got mask with dtype {dtype}",
        ("a mask says yes or no for each element; this one has numbers.", "マスクは要素ごとの真偽ですが、これは数です。"),
        ("compare to get a mask (mask == 0), or convert it: mask.bool().",
         "比較してマスクを作る (mask == 0) か、mask.bool() で変換してください。")),
    "where-dtype": Entry(
        "K312", RuntimeError, "where expected condition to be a boolean tensor, but got a tensor with dtype {dtype}",
        ("the condition says yes or no for each element; this one has numbers.", "条件は要素ごとの真偽ですが、これは数です。"),
        ("compare, e.g. torch.where(x > 0, a, b), or convert with .bool().",
         "torch.where(x > 0, a, b) のように比較するか、.bool() で変換してください。")),
    "position-dtype": Entry(
        "K313", RuntimeError, "{fn}(): Expected dtype int32/int64 for index",
        ("the index has dtype {dtype}; positions are integers.", "index の型は {dtype} です。位置は整数でなければなりません。"),
        ("index.long(); argmax() and torch.arange(n) give integers, division (/) does not: use //.",
         "index.long() を使ってください。argmax() や torch.arange(n) は整数を返しますが、割り算 / は返しません (// を使います)。")),
    "one-hot-dtype": Entry(
        "K314", RuntimeError, "one_hot is only applicable to index tensor of type LongTensor.",
        ("the classes have dtype {dtype}.", "クラス番号の型が {dtype} です。"),
        ("labels.long(), if they are whole numbers from 0.", "0 からの整数なら labels.long() を使ってください。")),
    # ---- layers and losses
    "conv-groups": Entry(
        "K315", ValueError, "{which} must be divisible by groups",
        ("{channels} channels cannot be parted into {groups} equal groups.",
         "{channels} 個のチャネルを {groups} 個の等しい組に分けられません。"),
        ("choose groups that divides in_channels and out_channels; 1 is the usual convolution, in_channels one filter for "
         "each channel.",
         "in_channels と out_channels の両方を割り切る groups を選んでください。1 が普通の畳み込み、in_channels なら"
         "チャネルごとの畳み込みです。")),
    "group-norm-groups": Entry(
        "K316", ValueError, "num_channels ({channels}) must be divisible by num_groups ({groups})",
        ("{channels} channels cannot be parted into {groups} equal groups.",
         "{channels} 個のチャネルを {groups} 個の等しい組に分けられません。"),
        ("the first argument of GroupNorm is the number of groups: choose one that divides {channels}.",
         "GroupNorm の第一引数は組の数です。{channels} を割り切る数を選んでください。")),
    "attention-size": Entry(
        "K317", AssertionError, "was expecting embedding dimension of {wanted}, but got {got}",
        ("the attention layer was made with embed_dim={wanted}; the last dimension of the query has {got}.",
         "注意の層は embed_dim={wanted} で作られましたが、query の最後の次元は {got} です。"),
        ("bring the input to {wanted} features first, e.g. with nn.Linear({got}, {wanted}), or make the layer for {got}.",
         "nn.Linear({got}, {wanted}) などで入力の特徴を {wanted} 個にするか、層を {got} に合わせて作ってください。")),
    "reduction-name": Entry(
        "K318", ValueError, "{name} is not a valid value for reduction",
        ("a loss is reduced to its 'mean', its 'sum', or not at all: 'none'.",
         "損失のまとめ方は 'mean' (平均)、'sum' (和)、'none' (まとめない) のいずれかです。"),
        ("write reduction='mean', reduction='sum' or reduction='none'.",
         "reduction='mean'、reduction='sum'、reduction='none' のいずれかを書いてください。")),
    "parameter-data": Entry(
        "K319", AttributeError, "'{kind}' object has no attribute 'detach'",
        ("a Parameter is made from a tensor, and this is a {kind}.", "Parameter はテンソルから作りますが、これは {kind} です。"),
        ("nn.Parameter(torch.tensor(value)), with floating point numbers.",
         "浮動小数点数で nn.Parameter(torch.tensor(value)) と書いてください。")),
    # ---- training
    "scheduler-optimizer": Entry(
        "K320", TypeError, "{kind} is not an Optimizer",
        ("a scheduler changes the learning rate of an optimizer, and this is a {kind}.",
         "スケジューラは optimizer の学習率を変えるもので、これは {kind} です。"),
        ("make the optimizer first and pass it: opt = torch.optim.SGD(model.parameters(), lr=0.1), then StepLR(opt, 10).",
         "先に optimizer を作って渡してください: opt = torch.optim.SGD(model.parameters(), lr=0.1) の後に StepLR(opt, 10)。")),
    "sampler-shuffle": Entry(
        "K321", ValueError, "sampler option is mutually exclusive with shuffle",
        ("both say in which order the samples come.", "どちらもサンプルの順序を決めるものです。"),
        ("leave out shuffle=True; RandomSampler shuffles, too.",
         "shuffle=True を外してください。RandomSampler も順序を混ぜます。")),
    "vmap-sizes": Entry(
        "K322", ValueError,
        "vmap: Expected all tensors to have the same size in the mapped dimension, got sizes {sizes} for the mapped "
        "dimension",
        ("vmap takes one example of each input at a time, and they have different numbers of examples.",
         "vmap は各入力から一例ずつ取り出しますが、例の数が異なります。"),
        ("give an input that all examples share in_dims=None: torch.vmap(f, in_dims=(0, None)).",
         "すべての例で共有する入力には in_dims で None を指定してください: torch.vmap(f, in_dims=(0, None))。")),
}
