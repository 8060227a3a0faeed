"""Phrases in the errors of layers, optimizers, data and mixed precision."""
from __future__ import annotations

LAYERS: dict[str, str] = {
    "an nn.Parameter": "nn.Parameter",
    "a buffer": "バッファ",
    "parameter": "パラメータ",
    "buffer": "バッファ",
    "the gradients were divided by the scale already; once more would make them too small.":
        "勾配はすでに倍率で割られています。もう一度割ると小さくなりすぎます。",
    "call unscale_(optimizer) once in each step, and update() at the end of the step.":
        "unscale_(optimizer) は各ステップで一度だけ呼び、ステップの最後に update() を呼んでください。",
    "a name without dots": "点を含まない名前",
    "a name with at least one letter": "一文字以上の名前",
    "bring it to (channels, height, width), or (batch, channels, height, width); F.softmax(x, dim) takes every shape.":
        "(channels, height, width) か (batch, channels, height, width) の形にしてください。F.softmax(x, dim) ならど"
        "の形でも使えます。",
    "give the class numbers where the groups of rarer classes begin: cutoffs=[100, 1000].":
        "まれなクラスのまとまりが始まるクラス番号を渡してください: cutoffs=[100, 1000]。",
    "a list of different whole numbers from 1 to {last}, the smallest first":
        "1 から {last} までの異なる整数を小さい順に並べたリスト",
    "dimension 0 of both, the batch, must have the same size": "両者の次元 0 (バッチ) は同じ大きさでなければなりません",
    "a target of shape (batch,) goes with an input of shape (batch, features).":
        "形 (batch,) の target には形 (batch, features) の input を渡してください。",
    "a target without dimensions goes with an input of shape (features,); for a batch give it shape (batch,).":
        "次元のない target には形 (features,) の input を渡してください。バッチなら target の形を (batch,) にしてく"
        "ださい。",
    "give one class number for each row of input; target.squeeze(-1) drops a last dimension of size 1.":
        "input の各行に一つのクラス番号を渡してください。target.squeeze(-1) は大きさ 1 の最後の次元を除きます。",
    "a class number from 0 to {last}": "0 から {last} までのクラス番号",
    "{owner} has {size} entries, numbers 0 to {last}; this one is {value}.":
        "{owner} の要素は {size} 個 (番号 0 から {last}) ですが、番号 {value} を求められました。",
    "{owner} has no entries yet, so none of number {value}.": "{owner} にはまだ要素がなく、番号 {value} もありません。",
    "use a number from 0 to {last}, or [-1] for the last one.":
        "0 から {last} までの番号か、最後なら [-1] を使ってください。",
    "append() an entry before.": "先に append() で要素を加えてください。",
    "{owner} has {size} entries, so something can be inserted at 0 to {size}; this place is {value}.":
        "{owner} の要素は {size} 個なので、挿入できる位置は 0 から {size} までですが、{value} が指定されました。",
    "use a place from 0 to {size}, or append() for the end.":
        "0 から {size} までの位置を使うか、末尾なら append() を使ってください。",
    "+ joins two nn.Sequential, and the right side is of type {kind}.":
        "+ は二つの nn.Sequential をつなぎますが、右側の型は {kind} です。",
    "write net + nn.Sequential(layer), or net.append(layer).":
        "net + nn.Sequential(layer) または net.append(layer) と書いてください。",
    "an nn.Sequential times n is n copies in a row, and n is of type {kind}.":
        "nn.Sequential の n 倍は n 個続けたものですが、n の型は {kind} です。",
    "write net * 3, with a whole number.": "net * 3 のように整数を書いてください。",
    "an nn.Sequential times n is n copies in a row, and n is {value}.":
        "nn.Sequential の n 倍は n 個続けたものですが、n は {value} です。",
    "use a whole number of at least 1.": "1 以上の整数を使ってください。",
    "a list or tuple of modules": "モジュールのリストかタプル",
    "write append(module) for a single one, extend([first, second]) for several.":
        "一つなら append(module)、いくつかなら extend([first, second]) と書いてください。",
    "{owner} is filled from a dict or from pairs of a name and a value, and this is of type {kind}.":
        "{owner} は辞書か、名前と値の組から作られますが、渡されたものの型は {kind} です。",
    "write {owner}({{'first': value}}), or {owner}([('first', value)]).":
        "{owner}({{'first': value}}) または {owner}([('first', value)]) と書いてください。",
    "entry {i} is of type {kind}, not a pair of a name and a value.":
        "要素 {i} は名前と値の組ではなく、型は {kind} です。",
    "entry {i} has {count} parts; it must be a pair of a name and a value.":
        "要素 {i} は {count} 個の部分からできていますが、名前と値の組でなければなりません。",
    "the entries of a ParameterList keep their numbers, so none can be taken out.":
        "ParameterList の要素の番号は変わらないので、取り除くことはできません。",
    "make a new one without it: nn.ParameterList([p for i, p in enumerate(params) if i != 2]).":
        "それを除いて新しく作ってください: nn.ParameterList([p for i, p in enumerate(params) if i != 2])。",
    "write append(value) for a single one, extend([first, second]) for several.":
        "一つなら append(value)、いくつかなら extend([first, second]) と書いてください。",
    "{cls} holds parameters and computes nothing.": "{cls} はパラメータを持つだけで、何も計算しません。",
    "use its entries in forward() of your module: x @ self.params[0].":
        "あなたのモジュールの forward() の中で要素を使ってください: x @ self.params[0]。",
    "write the key as a text: params['w1'], or params[str(1)].":
        "キーは文字列で書いてください: params['w1'] または params[str(1)]。",
    "use its entries in forward() of your module: x @ self.params['w'].":
        "あなたのモジュールの forward() の中で要素を使ってください: x @ self.params['w']。",
    "write padding='same', padding='valid', or a number such as padding=1.":
        "padding='same'、padding='valid'、または padding=1 のような数を書いてください。",
    "padding='same' keeps the size, and the stride {stride} makes it smaller.":
        "padding='same' は大きさを保ちますが、stride {stride} は小さくします。",
    "leave the stride out, or write a number: padding=kernel_size // 2.":
        "stride を省くか、padding=kernel_size // 2 のように数を書いてください。",
    "{name} takes its padding away from the output; there is no border to be filled as {value} says.":
        "{name} の padding は出力の縁を取り除くもので、{value} で埋める縁はありません。",
    "leave padding_mode out.": "padding_mode を省いてください。",
    "give the sizes behind the channels: output_size=y.shape[-{n}:].":
        "チャネルより後ろの大きさを渡してください: output_size=y.shape[-{n}:]。",
    "sizes between {least} and {most}": "{least} から {most} までの大きさ",
    "choose sizes in this range; with a larger stride it is wider.":
        "この範囲の大きさを選んでください。stride が大きいほど範囲は広くなります。",
    "its dimensions are batch (may be left out), channels, then {k} of the picture or signal.":
        "次元はバッチ (省略可)、チャネル、その後に画像や信号の {k} 次元です。",
    "all modules without hooks share one table, so nothing can be entered into it.":
        "フックのないモジュールは一つの表を共有しているので、書き込めません。",
    "use the module's own methods, such as register_forward_hook(hook).":
        "register_forward_hook(hook) などモジュールのメソッドを使ってください。",
    "None, or a pair of the new args and kwargs": "None か、新しい args と kwargs の組",
    "no input of {module} needs a gradient, and {what} returned one for it.":
        "{module} のどの入力も勾配を必要としませんが、{what} が勾配を返しました。",
    "return None from the hook, or give the input requires_grad=True.":
        "フックから None を返すか、入力を requires_grad=True にしてください。",
    "the backward hook returned {count} gradients, and {what} has {n}.":
        "backward フックが返した勾配は {count} 個ですが、{what} は {n} 個です。",
    "return a tuple of as many as {what} has, or None to leave them as they are.":
        "{what} と同じ数のタプルを返すか、変えないなら None を返してください。",
    "write the slope as a number: calculate_gain('leaky_relu', 0.2).":
        "傾きを数で書いてください: calculate_gain('leaky_relu', 0.2)。",
    "a bias has no fan in and fan out: fill it with nn.init.zeros_, and skip it here (if p.ndim > 1).":
        "バイアスには fan in も fan out もありません。nn.init.zeros_ で埋め、ここでは飛ばしてください (if p.ndim > "
        "1)。",
    "this fills a matrix, such as the weight of nn.Linear; skip other parameters (if p.ndim == 2).":
        "これは nn.Linear の weight のような行列を埋めます。ほかのパラメータは飛ばしてください (if p.ndim == 2)。",
    "this fills the weight of a convolution; skip other parameters (if p.ndim > 2).":
        "これは畳み込みの weight を埋めます。ほかのパラメータは飛ばしてください (if p.ndim > 2)。",
    "choose groups so that it divides {value}, the number of output channels.":
        "出力チャネルの数 {value} を割り切る groups を選んでください。",
    "this fills matrices and kernels; skip biases (if p.ndim > 1).":
        "これは行列やカーネルを埋めます。バイアスは飛ばしてください (if p.ndim > 1)。",
    "initialize_parameters() of {name} has run, and some parameters still have no shape.":
        "{name} の initialize_parameters() が実行されましたが、まだ形のないパラメータがあります。",
    "call param.materialize(shape) there for each lazy parameter.":
        "その中で、形のない各パラメータの param.materialize(shape) を呼んでください。",
    "give one weight for each class: a tensor of shape (classes,).":
        "クラスごとに一つの重みを、形 (classes,) のテンソルで渡してください。",
    "nn.Module.__init__() takes no arguments, and those of {name} arrived there.":
        "nn.Module.__init__() は引数を受け取りませんが、{name} の引数がそこに渡されました。",
    "write def __init__(self, ...) in {name}, and in it super().__init__() without arguments.":
        "{name} に def __init__(self, ...) を書き、その中で super().__init__() を引数なしで呼んでください。",
    "{name} is a module of {owner}, so only a module can take its place; this is of type {kind}.":
        "{name} は {owner} のモジュールなので、代わりになれるのはモジュールだけですが、渡されたものの型は {kind} で"
        "す。",
    "use another name for it, or `del net.{name}` before.": "別の名前を使うか、先に `del net.{name}` としてください。",
    "{name} is a buffer of {owner}, so only a tensor can take its place; this is of type {kind}.":
        "{name} は {owner} のバッファなので、代わりになれるのはテンソルだけですが、渡されたものの型は {kind} です。",
    "make a tensor of it, torch.tensor(...), or use another name.":
        "torch.tensor(...) でテンソルにするか、別の名前を使ってください。",
    "an nn.Parameter or None": "nn.Parameter か None",
    "wrap it: net.{name} = nn.Parameter(tensor); or change the values only: with torch.no_grad(): "
    "net.{name}.copy_(tensor).":
        "包んでください: net.{name} = nn.Parameter(tensor)。値だけを変えるなら: with torch.no_grad(): net.{name}.co"
        "py_(tensor)。",
    "{name} was computed from other tensors, so it is a result; a parameter is where a computation begins.":
        "{name} はほかのテンソルから計算された結果ですが、パラメータは計算の出発点です。",
    "make parameters of what it is computed from, and compute it in forward(); or keep its values: "
    "nn.Parameter(x.detach()).":
        "もとになるテンソルをパラメータにして forward() の中で計算するか、値だけを使ってください: nn.Parameter(x.de"
        "tach())。",
    "a floating point or complex dtype": "浮動小数点か複素数の型",
    "use torch.float32, torch.float64 or torch.bfloat16: parameters of whole numbers have no gradients.":
        "torch.float32、torch.float64、torch.bfloat16 などを使ってください。整数のパラメータには勾配がありません。",
    "its dimensions are batch, channels, and then the rest.": "次元はバッチ、チャネル、それから残りの順です。",
    "{features}, the num_features of {name}": "{features} ({name} の num_features)",
    "no parameter of {name} requires a gradient, so there are no gradients to add up.":
        "{name} には勾配を必要とするパラメータがなく、合計する勾配がありません。",
    "use the module itself, or give parameters requires_grad_(True) before.":
        "そのモジュールをそのまま使うか、先にパラメータを requires_grad_(True) にしてください。",
    "{name} was told neither the size of its output nor by how much it shrinks.":
        "{name} に出力の大きさも縮小の割合も渡されていません。",
    "write output_size=5, or output_ratio=0.5.": "output_size=5 または output_ratio=0.5 と書いてください。",
    "a number above 0 and below 1": "0 より大きく 1 より小さい数",
    "a whole number below {high}, the hidden_size": "{high} (hidden_size) より小さい整数",
    "write input.to({other_dtype}), or convert the layer: layer.to({dtype}).":
        "input.to({other_dtype}) と書くか、層を変換してください: layer.to({dtype})。",
    "its dimensions are time, batch (may be left out), features; with batch_first=True the batch comes first.":
        "次元は時間、バッチ (省略可)、特徴の順です。batch_first=True ならバッチが先頭です。",
    "for a batch its shape is (layers, batch, hidden_size); h.unsqueeze(1) adds the batch.":
        "バッチの場合の形は (layers, batch, hidden_size) です。h.unsqueeze(1) でバッチの次元が加わります。",
    "without a batch its shape is (layers, hidden_size); h.squeeze(1) drops a batch of size 1.":
        "バッチのない場合の形は (layers, hidden_size) です。h.squeeze(1) で大きさ 1 のバッチが除かれます。",
    "only nn.LSTM can make its output smaller by a projection.": "射影で出力を小さくできるのは nn.LSTM だけです。",
    "leave proj_size out, or use nn.LSTM.": "proj_size を省くか、nn.LSTM を使ってください。",
    "a cell computes one step, from (batch, features) or (features,); nn.{layer} takes whole sequences.":
        "セルは (batch, features) か (features,) から 1 ステップを計算します。系列全体には nn.{layer} を使ってくだ"
        "さい。",
    "the state of a cell has shape (batch, hidden_size) or (hidden_size,), without a dimension for layers.":
        "セルの状態の形は (batch, hidden_size) か (hidden_size,) で、層の次元はありません。",
    "{features}, the input_size of {name}": "{features} ({name} の input_size)",
    "{features}, the hidden_size of {name}": "{features} ({name} の hidden_size)",
    "give a table of shape (num_embeddings, embedding_dim), one row for each entry.":
        "形 (num_embeddings, embedding_dim) の表を、一つの項目に一行で渡してください。",
    "change the dict itself, state_dict['name'] = ..., and return nothing.":
        "辞書そのものを state_dict['name'] = ... のように変え、何も返さないでください。",
    "read a file before, net.load_state_dict(torch.load('net.pt')); of another module take other.state_dict().":
        "ファイルなら先に読み込み (net.load_state_dict(torch.load('net.pt')))、ほかのモジュールなら other.state_dic"
        "t() を渡してください。",
    "{what} returned something, and load_state_dict() only looks at the lists it was given.":
        "{what} が値を返しましたが、load_state_dict() が見るのは渡したリストだけです。",
    "change the lists themselves, keys.missing_keys.clear(), and return nothing.":
        "リストそのものを keys.missing_keys.clear() のように変え、何も返さないでください。",
    "dimension {dim} of both, the batch, must have the same size":
        "両者の次元 {dim} (バッチ) は同じ大きさでなければなりません",
    "with batch_first=False the dimensions are (time, batch, features), with batch_first=True (batch, time, features).":
        "次元の順は batch_first=False なら (時間、バッチ、特徴)、batch_first=True なら (バッチ、時間、特徴) です。",
    "{features}, the d_model": "{features} (d_model)",
    "write 'relu' or 'gelu', or give a function: activation=F.silu.":
        "'relu' か 'gelu' と書くか、関数を渡してください: activation=F.silu。",
    "{name} in {target!r} is of type {kind}, and only modules have something below them.":
        "{target!r} の中の {name} の型は {kind} ですが、下に何かを持つのはモジュールだけです。",
    "name modules only; get_parameter() and get_buffer() find tensors.":
        "モジュールだけを指定してください。テンソルは get_parameter() と get_buffer() で得られます。",
    "look for the right spelling: its names are {names}.": "綴りを確かめてください。ある名前は {names} です。",
    "{where} itself has none; net.state_dict().keys() lists all paths.":
        "{where} 自身にはありません。net.state_dict().keys() ですべての道筋が分かります。",
    "{name} of {where} is of type {kind}, not {what}.": "{where} の {name} の型は {kind} で、{what} ではありません。",
    "read it as an attribute, or use get_submodule(), get_parameter() or get_buffer(), whichever fits.":
        "属性として読むか、get_submodule()、get_parameter()、get_buffer() のうち合うものを使ってください。",
    "an empty target is the module itself, which cannot replace itself.":
        "空の target はモジュール自身で、自分自身を置き換えることはできません。",
    "name the place: net.set_submodule('head', nn.Linear(8, 2)).":
        "場所を指定してください: net.set_submodule('head', nn.Linear(8, 2))。",
    "look for the right spelling among {names}; strict=False adds a new one.":
        "{names} の中から正しい綴りを探してください。strict=False なら新しく加わります。",
    "{name} of {where} is of type {kind}, so no module can take its place.":
        "{where} の {name} の型は {kind} なので、モジュールに置き換えられません。",
    "choose another name, or `del` the attribute before.": "別の名前を選ぶか、先にその属性を `del` してください。",
    "a lazy layer has no numbers yet: it learns its sizes from the first input.":
        "遅延初期化の層は最初の入力から大きさを知るため、まだ値がありません。",
    "call the model once with an example batch, before the optimizer is made and before anything reads its parameters.":
        "オプティマイザを作る前、パラメータを読む前に、例となるバッチでモデルを一度呼び出してください。",
    "a lazy layer has no shapes yet: it learns its sizes from the first input.":
        "遅延初期化の層は最初の入力から大きさを知るため、まだ形がありません。",
    "a gradient holds NaN or inf, so their norm of order {norm} is not finite.":
        "勾配に NaN か inf があるため、次数 {norm} のノルムが有限になりません。",
    "find where it begins with torch.autograd.set_detect_anomaly(True); a smaller learning rate, or eps under sqrt, "
    "log and /, often helps.":
        "torch.autograd.set_detect_anomaly(True) で発生した場所を探してください。学習率を小さくするか、sqrt、log、"
        "割り算に eps を加えると解決することが多いです。",
    "a layer and a normalization can only be joined when its mean and variance no longer change, and it is in "
    "training mode.":
        "層と正規化を一つにできるのは平均と分散がもう変わらないときだけですが、学習モードになっています。",
    "call .eval() on both before.": "先に両方の .eval() を呼んでください。",
    "the layer has {features} outputs, and the normalization is for {channels}.":
        "層の出力は {features} 個ですが、正規化は {channels} 個用です。",
    "join a layer with the normalization that follows it in the model.":
        "層は、モデルの中でその直後にある正規化と一つにしてください。",
    "a class of modules, such as nn.Linear": "nn.Linear などモジュールのクラス",
    "{name}.__init__() has no argument device, through which a layer is made without values.":
        "{name}.__init__() に引数 device がなく、値のない層を作れません。",
    "make the layer as usual, {name}(...), or give its __init__ the argument device.":
        "普通に {name}(...) で層を作るか、その __init__ に引数 device を加えてください。",
    "{fn} was called on {name} before.": "{name} にはすでに {fn} が適用されています。",
    "call it once for each parameter, or remove the first one before.":
        "パラメータごとに一度だけ呼ぶか、先にあるものを取り除いてください。",
    "{fn} was not called on {name} of this {cls}.": "この {cls} の {name} には {fn} が適用されていません。",
    "give the module that it was called on; a model's layers have it, not the model.":
        "適用したモジュールを渡してください。適用されているのはモデルではなく、その中の層です。",
    "{name} is None, as in a layer made with bias=False.": "bias=False で作った層のように、{name} が None です。",
    "name a parameter that the layer has.": "層にあるパラメータの名前を渡してください。",
    "its own parameters are {names}; for those of a layer inside, give that layer.":
        "それ自身のパラメータは {names} です。中の層のパラメータなら、その層を渡してください。",
    "Householder reflections are here for real numbers only.": "ここでのハウスホルダー変換は実数専用です。",
    "without a trivialization, orthogonal_map={name!r} cannot be turned around: no x is known for a given matrix.":
        "自明化がないと orthogonal_map={name!r} は逆にたどれず、与えられた行列に対する x が分かりません。",
    "write orthogonal(layer, use_trivialization=True), or orthogonal_map='householder'.":
        "orthogonal(layer, use_trivialization=True) または orthogonal_map='householder' と書いてください。",
    "only matrices can be orthogonal: name a weight, not a bias.":
        "直交にできるのは行列だけです。バイアスではなく weight を指定してください。",
    "entry {i} of what right_inverse() returned is of type {kind}, not a tensor.":
        "right_inverse() が返したものの要素 {i} は、テンソルではなく {kind} です。",
    "return a tensor or a tuple of tensors.": "テンソルか、テンソルのタプルを返してください。",
    "without the parametrization {what} is {before}, with it {after}.":
        "パラメータ化しないと {what} は {before}、すると {after} です。",
    "let its forward() keep {what}, or write register_parametrization(..., unsafe=True).":
        "forward() が {what} を保つようにするか、register_parametrization(..., unsafe=True) と書いてください。",
    "{what} returned {count} tensors, and this parametrization is made from {n}.":
        "{what} が返したテンソルは {count} 個ですが、このパラメータ化は {n} 個から作られます。",
    "return as many as at the registration.": "登録したときと同じ数を返してください。",
    "write `def right_inverse(self, value)` in {cls}: it tells from which tensor forward() makes value.":
        "{cls} の中に `def right_inverse(self, value)` を書き、forward() がどのテンソルから value を作るかを返して"
        "ください。",
    "this {cls} has a class of its own, made when it was parametrized, and a pickle cannot name it.":
        "この {cls} はパラメータ化したときに作られた独自のクラスを持ち、pickle では名前で指せません。",
    "save net.state_dict(), and load it into a model that is parametrized in the same way.":
        "net.state_dict() を保存し、同じようにパラメータ化したモデルに読み込んでください。",
    "{name} of this {cls} is not parametrized.": "この {cls} の {name} はパラメータ化されていません。",
    "parametrize.is_parametrized(module, {name!r}) tells whether it is; give the layer, not the whole model.":
        "parametrize.is_parametrized(module, {name!r}) で確かめられます。モデル全体ではなく、その層を渡してください。",
    "{name} is made from several tensors, so there is no single original to go back to.":
        "{name} は複数のテンソルから作られていて、戻るべき元のテンソルが一つに決まりません。",
    "write leave_parametrized=True, which keeps its present value.":
        "leave_parametrized=True と書くと、今の値が残ります。",
    "an object of a class derived from prune.BasePruningMethod":
        "prune.BasePruningMethod から派生したクラスのオブジェクト",
    "the methods here prune {name}, and this one prunes {other}.":
        "ここにある方法は {name} を対象にしていますが、これは {other} を対象にしています。",
    "make a container of its own for each parameter.": "パラメータごとに別のコンテナを作ってください。",
    "rows and channels are pruned from weights; for a bias use prune.l1_unstructured or prune.random_unstructured.":
        "行やチャネルを取り除けるのは weight です。バイアスには prune.l1_unstructured か prune.random_unstructured "
        "を使ってください。",
    "a list of pairs of a module and a name": "モジュールと名前の組のリスト",
    "write [(net.fc1, 'weight'), (net.fc2, 'weight')].":
        "[(net.fc1, 'weight'), (net.fc2, 'weight')] と書いてください。",
    "{name} takes away whole rows or channels ({kind}), and several parameters have none in common.":
        "{name} は行やチャネル全体を取り除きます ({kind})。複数のパラメータに共通の行やチャネルはありません。",
    "use prune.L1Unstructured or prune.RandomUnstructured.":
        "prune.L1Unstructured か prune.RandomUnstructured を使ってください。",
    "{name} of this {cls} was not pruned.": "この {cls} の {name} は枝刈りされていません。",
    "prune it first, prune.l1_unstructured(layer, {name!r}, amount=0.3), and give the same layer here.":
        "先に prune.l1_unstructured(layer, {name!r}, amount=0.3) などで枝刈りし、同じ層を渡してください。",
    "write 0.3 for three tenths of the entries, or 20 for twenty entries.":
        "要素の 3 割なら 0.3、20 個なら 20 と書いてください。",
    "a fraction between 0.0 and 1.0, or a whole number of at least 0": "0.0 以上 1.0 以下の割合か、0 以上の整数",
    "a whole number of at most {high}, so many entries there are": "要素の数 {high} 以下の整数",
    "use a smaller number, or a fraction such as 0.3.": "もっと小さい数か、0.3 のような割合を使ってください。",
    "batch_sizes is on {device}; it counts sequences and belongs on the cpu.":
        "batch_sizes は {device} にありますが、系列を数えるものなので cpu に置きます。",
    "make it with pack_padded_sequence() or pack_sequence().":
        "pack_padded_sequence() か pack_sequence() で作ってください。",
    "give one length for each sequence; batch_first says whether dimension 0 or 1 of input is the batch (now {dim}).":
        "系列ごとに一つの長さを渡してください。input の次元 0 と 1 のどちらがバッチかは batch_first で決まります ("
        "今は {dim})。",
    "leave empty sequences out of the batch.": "空の系列はバッチから除いてください。",
    "a list with the longest first": "長い順のリスト",
    "write pack_padded_sequence(..., enforce_sorted=False), which sorts and brings the order back.":
        "pack_padded_sequence(..., enforce_sorted=False) と書けば、並べ替えて元の順序に戻します。",
    "a whole number of at most {high}, the steps of input": "input のステップ数 {high} 以下の整数",
    "look at batch_first: it says whether dimension 0 or 1 of input is the time.":
        "batch_first を確かめてください。input の次元 0 と 1 のどちらが時間かを決めます。",
    "a dict, or a list or tuple of dicts": "辞書か、辞書のリストかタプル",
    "write dict(net.named_parameters()), or several dicts in a tuple.":
        "dict(net.named_parameters()) か、複数の辞書のタプルを書いてください。",
    "{names} is in more than one of the dicts, and they may say different things.":
        "{names} が複数の辞書にあり、値が一つに決まりません。",
    "leave it in one of them, or join them yourself: a later one wins in {{**first, **second}}.":
        "一つだけに残すか、自分でまとめてください: {{**first, **second}} なら後のものが優先されます。",
    "{names} are one shared parameter of the module, and were given different tensors.":
        "{names} はモジュールの中で共有された一つのパラメータですが、異なるテンソルが渡されました。",
    "give one of the names only, or write tie_weights=False.":
        "名前を一つだけ渡すか、tie_weights=False と書いてください。",
    "strict=True asks for exactly the names of the module's parameters and buffers.":
        "strict=True では、モジュールのパラメータとバッファの名前が過不足なく必要です。",
    "write dict(net.state_dict(), name=tensor), or leave strict out.":
        "dict(net.state_dict(), name=tensor) と書くか、strict を省いてください。",
    "weight_decay changes all elements in each step, and a sparse gradient names only some rows.":
        "weight_decay は各ステップですべての要素を変えますが、疎な勾配が示すのは一部の行だけです。",
    "leave weight_decay out, or use a dense gradient: nn.Embedding without sparse=True.":
        "weight_decay を省くか、sparse=True のない nn.Embedding で密な勾配を使ってください。",
    "{name} changes all elements in each step, and a sparse gradient names only some rows.":
        "{name} は各ステップですべての要素を変えますが、疎な勾配が示すのは一部の行だけです。",
    "use SparseAdam or SGD, or a dense gradient: nn.Embedding without sparse=True.":
        "SparseAdam か SGD を使うか、sparse=True のない nn.Embedding で密な勾配を使ってください。",
    "write optimizer.add_param_group({{'params': net.head.parameters(), 'lr': 0.01}}).":
        "optimizer.add_param_group({{'params': net.head.parameters(), 'lr': 0.01}}) と書いてください。",
    "{cls} has no value for {name}: neither the group nor the optimizer was given one.":
        "{cls} に {name} の値がありません。グループにもオプティマイザにも渡されていません。",
    "write {name}=0.01 behind the parameters, or {{'params': [...], '{name}': 0.01}} in each group.":
        "パラメータの後に {name}=0.01 と書くか、各グループに {{'params': [...], '{name}': 0.01}} と書いてください。",
    "some groups name their parameters, and others do not.": "パラメータに名前のあるグループとないグループがあります。",
    "write all groups with net.named_parameters(), or all with net.parameters().":
        "すべてのグループを net.named_parameters() で書くか、すべて net.parameters() で書いてください。",
    "a parameter is in two groups, and would be changed twice in each step.":
        "一つのパラメータが二つのグループにあり、各ステップで二度変更されてしまいます。",
    "leave it out of one of them: [p for p in net.parameters() if p is not w].":
        "一方から除いてください: [p for p in net.parameters() if p is not w]。",
    "make the optimizer with the same groups as the one that was saved, then load.":
        "保存したときと同じグループでオプティマイザを作ってから読み込んでください。",
    "load it into an optimizer of the same model, with the same parameters left out as when it was saved.":
        "同じモデルの、保存したときと同じパラメータを持つオプティマイザに読み込んでください。",
    "some entries are pairs (name, tensor), and others only tensors.":
        "(name, tensor) の組の要素と、テンソルだけの要素が混ざっています。",
    "momentum and weight_decay change all elements in each step, and a sparse gradient names only some rows.":
        "momentum と weight_decay は各ステップですべての要素を変えますが、疎な勾配が示すのは一部の行だけです。",
    "leave both out, or use a dense gradient: nn.Embedding without sparse=True.":
        "両方を省くか、sparse=True のない nn.Embedding で密な勾配を使ってください。",
    "SparseAdam moves the rows that a sparse gradient names, and this gradient is dense.":
        "SparseAdam は疎な勾配が示す行だけを動かしますが、この勾配は密です。",
    "make the layer with sparse=True, nn.Embedding(10, 3, sparse=True), or use Adam.":
        "nn.Embedding(10, 3, sparse=True) のように sparse=True で層を作るか、Adam を使ってください。",
    "with last_epoch a schedule goes on, but the rate it started from is not known: group {i} has no initial_lr.":
        "last_epoch を渡すとスケジュールの続きになりますが、グループ {i} に initial_lr がなく、最初の学習率が分かり"
        "ません。",
    "load the optimizer's state_dict first, or leave last_epoch out to start anew.":
        "先にオプティマイザの state_dict を読み込むか、最初から始めるなら last_epoch を省いてください。",
    "a scheduler, such as StepLR(optimizer, 10)": "StepLR(optimizer, 10) のようなスケジューラ",
    "write a function of the epoch that gives the factor: lambda epoch: 0.95 ** epoch.":
        "エポックから倍率を返す関数を書いてください: lambda epoch: 0.95 ** epoch。",
    "a group was added after the scheduler was made, and min_lr was a list: the new group has none.":
        "スケジューラを作った後でグループが加わりましたが、min_lr はリストで、新しいグループの値がありません。",
    "write scheduler.min_lrs.append(0.0) after add_param_group(), or give min_lr as one number.":
        "add_param_group() の後に scheduler.min_lrs.append(0.0) と書くか、min_lr を一つの数で渡してください。",
    "lr is a tensor, and foreach=True takes that only together with capturable=True.":
        "lr がテンソルですが、foreach=True では capturable=True のときだけ使えます。",
    "leave foreach out, or write a number as lr.": "foreach を省くか、lr を数で書いてください。",
    "a pair of floats, or a pair of tensors": "二つの float か、二つのテンソル",
    "write betas=(0.9, 0.999).": "betas=(0.9, 0.999) と書いてください。",
    "{what} is a tensor, and foreach=True takes that only together with capturable=True.":
        "{what} がテンソルですが、foreach=True では capturable=True のときだけ使えます。",
    "leave foreach out, or write betas=(0.9, 0.999).": "foreach を省くか、betas=(0.9, 0.999) と書いてください。",
    "LBFGS looks for one step of all parameters together, so they cannot be in {count} groups.":
        "LBFGS はすべてのパラメータに対して一つのステップを探すので、{count} 個のグループには分けられません。",
    "give it one list: LBFGS(net.parameters()).": "一つのリストを渡してください: LBFGS(net.parameters())。",
    "ReduceLROnPlateau needs a metric in each step, and {name} has none to give it.":
        "ReduceLROnPlateau は毎回の step に評価値が必要ですが、{name} には渡すものがありません。",
    "leave it out of the list, and call plateau.step(val_loss) by itself.":
        "リストから外し、それだけを plateau.step(val_loss) で呼んでください。",
    "scheduler {i} was made for another optimizer.": "スケジューラ {i} は別のオプティマイザ用に作られています。",
    "make all of them with the same optimizer object.": "すべて同じオプティマイザから作ってください。",
    "give the epochs where one scheduler hands over to the next, one less than there are schedulers.":
        "スケジューラが次に交代するエポックを、スケジューラより一つ少なく渡してください。",
    "{name} has neither momentum nor betas, which go down and up with the rate here.":
        "{name} には、学習率とともに上下する momentum も betas もありません。",
    "write cycle_momentum=False, or use SGD with momentum, or Adam.":
        "cycle_momentum=False と書くか、momentum を持つ SGD や Adam を使ってください。",
    "a float between 0.0 and 1.0": "0.0 以上 1.0 以下の float",
    "the schedule is over: it was made for {size} steps, and this is step {value}.":
        "スケジュールは {size} ステップ分で終わっていますが、これは {value} ステップ目です。",
    "call scheduler.step() once for each batch, and give the number of all batches: total_steps=epochs * len(loader).":
        "scheduler.step() はバッチごとに一度呼び、全バッチの数を渡してください: total_steps=epochs * len(loader)。",
    "the schedule must know how many steps there will be.": "スケジュールには全部で何ステップあるかが必要です。",
    "write total_steps=epochs * len(loader), or epochs=10 and steps_per_epoch=len(loader).":
        "total_steps=epochs * len(loader)、または epochs=10 と steps_per_epoch=len(loader) を書いてください。",
    "a number above 0 and at most 1": "0 より大きく 1 以下の数",
    "the rate is multiplied by it: factor=0.1 makes it a tenth.":
        "学習率にこれが掛けられます: factor=0.1 なら 10 分の 1 になります。",
    "give matrices only, [p for p in net.parameters() if p.ndim == 2], and the rest to another optimizer such as "
    "AdamW.":
        "行列だけを渡し ([p for p in net.parameters() if p.ndim == 2])、残りは AdamW など別のオプティマイザに渡して"
        "ください。",
    "a whole number below {high}": "{high} より小さい整数",
    "write a rate such as lr=0.01; to go uphill use maximize=True.":
        "lr=0.01 のように書いてください。最大化するなら maximize=True を使います。",
    "a number of at least 0 and below 1": "0 以上 1 未満の数",
    "two numbers, one between 0 and 1, which shrinks steps, and one above 1, which lengthens them":
        "二つの数 (ステップを縮める 0 と 1 の間の数と、伸ばす 1 より大きい数)",
    "write etas=(0.5, 1.2).": "etas=(0.5, 1.2) と書いてください。",
    "nesterov=True looks ahead along the momentum; here momentum is {momentum} and dampening {dampening}.":
        "nesterov=True は momentum の先を見ますが、momentum は {momentum}、dampening は {dampening} です。",
    "write momentum=0.9, nesterov=True, without dampening.":
        "dampening なしで momentum=0.9, nesterov=True と書いてください。",
    "the parameters at {places} are stored as sparse tensors; only their gradients may be sparse.":
        "{places} のパラメータが疎なテンソルです。疎でよいのは勾配だけです。",
    "make ordinary parameters of them: nn.Parameter(x.to_dense()).":
        "普通のパラメータにしてください: nn.Parameter(x.to_dense())。",
    "the parameters at {places} are complex.": "{places} のパラメータが複素数です。",
    "use another optimizer, such as Adam.": "Adam など別のオプティマイザを使ってください。",
    "write torch.autocast('cpu', dtype=torch.bfloat16).":
        "torch.autocast('cpu', dtype=torch.bfloat16) と書いてください。",
    "step() was called before, and it has divided the gradients by the scale.":
        "先に step() が呼ばれ、勾配はすでに倍率で割られています。",
    "keep this order: scaler.unscale_(optimizer), clip, scaler.step(optimizer), scaler.update().":
        "次の順序を守ってください: scaler.unscale_(optimizer)、クリップ、scaler.step(optimizer)、scaler.update()。",
    "a closure computes gradients anew within the step, and the scaler would not have scaled their loss.":
        "closure はステップの中で勾配を計算し直しますが、その損失には倍率が掛かりません。",
    "use an optimizer that needs no closure, or GradScaler(enabled=False).":
        "closure の要らないオプティマイザか、GradScaler(enabled=False) を使ってください。",
    "step() was called twice for this optimizer, without update() in between.":
        "このオプティマイザの step() が、間に update() なしで二度呼ばれました。",
    "call scaler.update() at the end of each iteration.": "各反復の最後に scaler.update() を呼んでください。",
    "no optimizer made a step through the scaler, so nobody looked whether the gradients are finite.":
        "scaler を通した step がなく、勾配が有限かどうか調べられていません。",
    "write scaler.step(optimizer) in place of optimizer.step(), before update().":
        "update() の前に、optimizer.step() ではなく scaler.step(optimizer) と書いてください。",
    "{name}() was called, and no loss has been scaled.":
        "{name}() が呼ばれましたが、まだどの損失にも倍率が掛けられていません。",
    "write scaler.scale(loss).backward() before.": "先に scaler.scale(loss).backward() と書いてください。",
    "the state is empty, as that of a scaler with enabled=False is.":
        "状態が空です。enabled=False のスケーラの状態は空になります。",
    "begin without it, or make this scaler with enabled=False, too.":
        "これなしで始めるか、このスケーラも enabled=False にしてください。",
    "time a function in Python, and leave language out.": "Python の関数を測り、language を省いてください。",
    "with use_reentrant=True only arguments without names reach the function, and {names} has one.":
        "use_reentrant=True では名前のない引数だけが関数に渡りますが、{names} は名前付きです。",
    "write use_reentrant=False.": "use_reentrant=False と書いてください。",
    "context_fn and debug are about the graph that only use_reentrant=False keeps.":
        "context_fn と debug は、use_reentrant=False だけが保持するグラフに関するものです。",
    "forward saved {count} tensors, and computing it again saved {again}: the function did something else.":
        "順方向で保存されたテンソルは {count} 個ですが、再計算では {again} 個でした。関数が別のことをしています。",
    "let the function depend on its arguments only, and not change them or anything outside.":
        "関数は引数だけに依存し、引数や外のものを変えないようにしてください。",
    "tensor {i} was saved as {shape} {dtype}, and computed again as {new_shape} {new_dtype}.":
        "テンソル {i} は {shape} {dtype} として保存されましたが、再計算では {new_shape} {new_dtype} でした。",
    "with use_reentrant=True a backward pass of its own runs inside, and it fills .grad of all parameters.":
        "use_reentrant=True では内側で独立した逆方向の計算が走り、すべてのパラメータの .grad に書き込みます。",
    "write checkpoint(function, x, use_reentrant=False).":
        "checkpoint(function, x, use_reentrant=False) と書いてください。",
    "nothing that the function returned needs a gradient.": "関数が返したもののうち、勾配の必要なものがありません。",
    "call it without checkpoint(), or give what it computes with requires_grad=True.":
        "checkpoint() なしで呼ぶか、計算に使うものを requires_grad=True にしてください。",
    "the layers get the input only, and {names} was given by name.":
        "各層に渡るのは入力だけですが、{names} が名前付きで渡されました。",
    "leave it out; checkpoint(layer, x, ...) passes arguments on to one layer.":
        "それを省いてください。一つの層に引数を渡すには checkpoint(layer, x, ...) を使います。",
    "the sampler and the workers were made from {name}, and would not follow.":
        "サンプラとワーカーは {name} をもとに作られており、後から変えても反映されません。",
    "make a new loader: DataLoader(dataset, {name}=...).": "新しく作ってください: DataLoader(dataset, {name}=...)。",
    "an iterable dataset decides itself what comes next; {name} would choose samples by number.":
        "IterableDataset は順序を自分で決めますが、{name} は番号でサンプルを選びます。",
    "leave {name} out; to shuffle, do it in __iter__ of the dataset.":
        "{name} を省いてください。シャッフルは IterableDataset の __iter__ の中で行います。",
    "batch_sampler says already which samples make up each batch.":
        "どのサンプルがどのバッチに入るかは batch_sampler がすでに決めています。",
    "leave out batch_size, shuffle, sampler and drop_last.":
        "batch_size、shuffle、sampler、drop_last を省いてください。",
    "the name of a way to start processes, or multiprocessing.get_context(name)":
        "プロセスの開始方法の名前か multiprocessing.get_context(name)",
    "write `def __getitem__(self, index): return ...` in {cls}, or derive it from IterableDataset and write "
    "`__iter__`.":
        "{cls} に `def __getitem__(self, index): return ...` を書くか、IterableDataset から派生して `__iter__` を書"
        "いてください。",
    "some datasets were given by position, which makes samples tuples, and others by name, which makes them dicts.":
        "位置で渡されたもの (サンプルはタプル) と、名前で渡されたもの (サンプルは辞書) が混ざっています。",
    "give all by position, or all by name.": "すべて位置で渡すか、すべて名前で渡してください。",
    "write StackDataset(images, labels), or StackDataset(image=images, label=labels).":
        "StackDataset(images, labels) または StackDataset(image=images, label=labels) と書いてください。",
    "their lengths are {sizes}, and sample i is made from sample i of each.":
        "長さは {sizes} ですが、i 番目のサンプルはそれぞれの i 番目から作られます。",
    "cut the longer ones: torch.utils.data.Subset(dataset, range(n)).":
        "長いものを切り詰めてください: torch.utils.data.Subset(dataset, range(n))。",
    "{what} returned {count} samples for {n} indices.":
        "{what} は {n} 個の番号に対して {count} 個のサンプルを返しました。",
    "return one for each: [self[i] for i in indices].": "番号ごとに一つ返してください: [self[i] for i in indices]。",
    "the samples of an iterable dataset have no numbers, so none can come behind them.":
        "IterableDataset のサンプルには番号がないので、後ろに続けることができません。",
    "join iterable datasets with ChainDataset.": "IterableDataset は ChainDataset でつないでください。",
    "a dataset of type {kind} has numbered samples and is not iterable.":
        "型 {kind} のデータセットのサンプルは番号付きで、IterableDataset ではありません。",
    "join such datasets with ConcatDataset.": "そのようなデータセットは ConcatDataset でつないでください。",
    "DataLoader reads a Subset through __getitems__, so __getitem__ of {cls} would never be called.":
        "DataLoader は Subset を __getitems__ で読むので、{cls} の __getitem__ は一度も呼ばれません。",
    "add to {cls}: def __getitems__(self, indices): return [self[i] for i in indices]":
        "{cls} に次を加えてください: def __getitems__(self, indices): return [self[i] for i in indices]",
    "how many processes there are, and which one this is, is known only from a process group.":
        "プロセスがいくつあり、これがどれなのかは、プロセスグループがないと分かりません。",
    "call torch.distributed.init_process_group() before, or write num_replicas=2, rank=0.":
        "先に torch.distributed.init_process_group() を呼ぶか、num_replicas=2, rank=0 のように書いてください。",
    "StopIteration from a dataset or a collate_fn would end the epoch early, and nobody would notice.":
        "データセットや collate_fn からの StopIteration は、気付かれないままエポックを途中で終わらせてしまいます。",
    "look for a next() there, and write next(iterator, None) or catch StopIteration.":
        "そこにある next() を探し、next(iterator, None) と書くか StopIteration を捕まえてください。",
    "{name} is in the midst of an epoch, with samples on their way.":
        "{name} はエポックの途中で、読み込み中のサンプルがあります。",
    "pickle the dataset, and make a new loader from it.":
        "データセットを pickle し、そこから新しくローダーを作ってください。",
    "a worker process cannot send the graph of a tensor to the main process.":
        "ワーカープロセスはテンソルの計算グラフを本体のプロセスに送れません。",
    "return tensor.detach() from the dataset, or load with num_workers=0.":
        "データセットから tensor.detach() を返すか、num_workers=0 で読み込んでください。",
    "TensorDataset takes tensors, and argument {i} is of type {kind}.":
        "TensorDataset に渡せるのはテンソルですが、引数 {i} の型は {kind} です。",
    "convert it first: TensorDataset(torch.from_numpy(x), ...).":
        "先に変換してください: TensorDataset(torch.from_numpy(x), ...)。",
    "convert it first: TensorDataset(torch.tensor(x), ...).":
        "先に変換してください: TensorDataset(torch.tensor(x), ...)。",
    "the dataset is empty, so there is nothing to draw from.": "データセットが空で、選べるものがありません。",
    "look at len(dataset): was its folder or file empty, or did a filter leave out everything?":
        "len(dataset) を確かめてください。フォルダやファイルが空か、条件ですべて除かれていませんか。",
    "nothing came from {names} in {timeout} seconds, and it is still running: the dataset is slower than that, or "
    "waits for something.":
        "{names} から {timeout} 秒間何も届きませんが、まだ動いています。データセットがそれより遅いか、何かを待って"
        "います。",
    "give a larger timeout, or use num_workers=0 to see where it is.":
        "timeout を大きくするか、num_workers=0 にしてどこで止まっているか確かめてください。",
    "worker {worker} was killed (SIGKILL); if nobody did that, the machine ran out of memory.":
        "ワーカー {worker} が強制終了されました (SIGKILL)。誰も止めていなければ、メモリ不足です。",
    "use fewer workers, smaller batches, or a smaller prefetch_factor.":
        "ワーカーの数、バッチの大きさ、または prefetch_factor を減らしてください。",
    "worker {worker} was ended by signal {name}: something compiled that the dataset calls has crashed.":
        "ワーカー {worker} がシグナル {name} で終了しました。データセットが呼ぶコンパイル済みのコードが異常終了して"
        "います。",
    "use num_workers=0 to find out where.": "num_workers=0 にして場所を突き止めてください。",
    "worker {worker} closed its pipe.": "ワーカー {worker} が通信路を閉じました。",
    "worker {worker} left with exit code {code}: did the dataset call sys.exit()?":
        "ワーカー {worker} が終了コード {code} で終わりました。データセットが sys.exit() を呼んでいませんか。",
    "use num_workers=0 to find out where; a program whose workers are started by {method!r} must run its own code "
    "under `if __name__ == '__main__':`.":
        "num_workers=0 にして場所を突き止めてください。{method!r} でワーカーを起動するプログラムは、自分のコードを "
        "`if __name__ == '__main__':` の下に書く必要があります。",
    "write fractions with the sum 1, random_split(data, [0.8, 0.2]), or make it whole by int().":
        "合計が 1 の割合で random_split(data, [0.8, 0.2]) と書くか、int() で整数にしてください。",
    "write `def get_lr(self)` in {cls}: it returns one rate for each of self.optimizer.param_groups.":
        "{cls} の中に `def get_lr(self)` を書き、self.optimizer.param_groups のそれぞれの学習率を返してください。",
    "write `def step(self, closure=None)` in {cls}: it changes the parameters in self.param_groups.":
        "{cls} の中に `def step(self, closure=None)` を書き、self.param_groups のパラメータを更新してください。",
    "the state of an LSTM is a pair (h, c), and a tensor was given.": "LSTM の状態は組 (h, c) ですが、テンソルが一つ渡されました。",
    "write output, (h, c) = lstm(x, (h0, c0)).": "output, (h, c) = lstm(x, (h0, c0)) と書いてください。",
    "a PackedSequence": "PackedSequence",
    "pack_padded_sequence makes one; what is no PackedSequence is padded already.":
        "pack_padded_sequence で作れます。PackedSequence でないものは、すでに詰められています。",
    "a pair of numbers": "数の組",
    "write h, c = cell(x, (h, c)).": "h, c = cell(x, (h, c)) と書いてください。",
    "target has the shape of input, so it is read as probabilities, and its dtype is {dtype}.":
        "target の形が input と同じなので確率とみなされますが、型は {dtype} です。",
    "class numbers have one dimension less: of one-hot rows take target.argmax(1); or target.float().":
        "クラスの番号は次元が一つ少なくなります。one-hot なら target.argmax(1)、確率なら target.float() を渡してください。",
}
