"""Phrases in the errors of autograd, transforms, distributions, the compiler and the rest."""
from __future__ import annotations

OTHERS: dict[str, str] = {
    "while a module is traced, a tensor has no value that an `if` or a loop could look at.":
        "モジュールをトレースしている間、テンソルには `if` や繰り返しで調べられる値がありません。",
    "write torch.where for a choice between values, or give an argument that is no tensor with "
    "concrete_args=dict(name=value).":
        "値を選ぶには torch.where と書き、テンソルでない引数は concrete_args=dict(name=value) で渡してください。",
    "other nodes still take the result of the one that is to be erased.":
        "消そうとしたノードの結果を、まだほかのノードが使っています。",
    "call node.replace_all_uses_with(other) first.": "先に node.replace_all_uses_with(other) を呼んでください。",
    "nodes run in the order in which they stand, and one takes the result of a later one.":
        "ノードは並んでいる順に実行されますが、後のノードの結果を使っているものがあります。",
    "make the node where it is needed: with graph.inserting_before(node), or node.append(other).":
        "必要な場所にノードを作ってください: with graph.inserting_before(node) か node.append(other) を使います。",
    "a module is called that the traced one does not hold.": "トレースするモジュールの中にないモジュールが呼ばれました。",
    "assign it to an attribute of the module, in __init__.": "__init__ の中で、モジュールの属性に代入してください。",
    "give a value for {what}.": "{what} の値を渡してください。",
    "how large its result is depends on numbers, and a tensor on the device meta has none.":
        "結果の大きさは数値によって決まりますが、meta デバイスのテンソルには数値がありません。",
    "make the tensor on the CPU (device='cpu'); or use what keeps the shape, such as torch.where.":
        "テンソルを CPU で作る (device='cpu') か、torch.where のように形の変わらないものを使ってください。",
    "one arrow stands between the dimensions before and after": "変換の前と後の次元の間に矢印が一つ必要です",
    "write the dimensions before, an arrow, and those after: 'b c h w -> b (c h w)'.":
        "変換前の次元、矢印、変換後の次元を書いてください: 'b c h w -> b (c h w)'。",
    "it is a pickle, but not one that torch.save wrote": "pickle ですが、torch.save が書いたものではありません",
    "load it with what wrote it (pickle, NumPy, ...), or write it again with torch.save.":
        "書いたもの (pickle、NumPy など) で読み込むか、torch.save で書き直してください。",
    "kobai computes on the processor (cpu), and {device} is another device.":
        "kobai は CPU で計算しますが、{device} は別のデバイスです。",
    "write device='cpu', or leave the device out.": "device='cpu' と書くか、device を省いてください。",
    # ---- transforms and autograd
    "each example could get the same random numbers or its own, and vmap was not told which.":
        "乱数を例ごとに別にするか共通にするか、vmap に指定されていません。",
    "pass randomness='different' to vmap for numbers of each example's own, or randomness='same'.":
        "例ごとに別の乱数なら randomness='different'、共通なら randomness='same' を vmap に渡してください。",
    "a gradient of the same shape": "同じ形の勾配",
    "it got a gradient of shape {shape} and gave one of {returned}.":
        "受け取った勾配の形は {shape} ですが、返した勾配の形は {returned} です。",
    "return a tensor of shape {shape}, or None to leave the gradient as it is.":
        "形が {shape} のテンソルを返すか、変えないなら None を返してください。",
    "a gradient of the same dtype": "同じ型の勾配",
    "it got a gradient of dtype {dtype} and gave one of {returned}.":
        "受け取った勾配の型は {dtype} ですが、返した勾配の型は {returned} です。",
    "return g.to({dtype}), or None to leave the gradient as it is.":
        "g.to({dtype}) を返すか、変えないなら None を返してください。",
    "name the tensors whose .grad is wanted, or leave out inputs to fill the .grad of all leaves.":
        ".grad が必要なテンソルを挙げるか、inputs を省いてすべての葉の .grad を求めてください。",
    "leave out allow_unused: unused inputs get zeros then.":
        "allow_unused を省いてください。使われない入力の勾配は 0 になります。",
    "name the tensors to differentiate by: torch.autograd.grad(loss, [w, b]).":
        "微分する変数のテンソルを挙げてください: torch.autograd.grad(loss, [w, b])。",
    "a complex number has two parts, and backward() must be told how both count.":
        "複素数には二つの部分があり、それぞれの重みを backward() に与える必要があります。",
    "make a real number of it first (z.abs().backward(), z.real.backward()), or pass gradient=.":
        "先に実数にする (z.abs().backward() や z.real.backward()) か、gradient= を渡してください。",
    "a level of forward mode is open already.": "前進モードの区間がすでに開いています。",
    "for derivatives of derivatives, nest torch.func.jvp.": "微分の微分には torch.func.jvp を入れ子にしてください。",
    "no level is open.": "開いている区間がありません。",
    "with forward_ad.dual_level(): opens one and closes it again.":
        "with forward_ad.dual_level(): と書くと、区間が開き、終わりに閉じます。",
    "dual tensors live inside a level, and none is open.":
        "双対テンソルは区間の中だけで使えますが、開いている区間がありません。",
    "write `with torch.autograd.forward_ad.dual_level():` around it.":
        "`with torch.autograd.forward_ad.dual_level():` の中に書いてください。",
    "the tensor carries a tangent already.": "このテンソルにはすでに接ベクトルがあります。",
    "use unpack_dual(t).primal for the bare tensor, or add both tangents.":
        "元のテンソル unpack_dual(t).primal を使うか、二つの接ベクトルを足してください。",
    "its backward is marked with @once_differentiable: it was written for values only.":
        "backward に @once_differentiable が付いており、値の計算だけを想定しています。",
    "remove @once_differentiable and write backward with tensor operations, or leave out create_graph=True.":
        "@once_differentiable を外して backward をテンソルの演算で書くか、create_graph=True を外してください。",
    "write `@staticmethod` and `def forward(ctx, x): ...` in the class.":
        "クラスに `@staticmethod` と `def forward(ctx, x): ...` を書いてください。",
    "write `@staticmethod` and `def setup_context(ctx, inputs, output): ...` in the class.":
        "クラスに `@staticmethod` と `def setup_context(ctx, inputs, output): ...` を書いてください。",
    "write `@staticmethod` and `def jvp(ctx, *tangents): ...` in the class, one tangent for each output.":
        "クラスに `@staticmethod` と `def jvp(ctx, *tangents): ...` を書き、出力ごとに一つの接ベクトルを返してください。",
    "None": "None",
    "argument {number} of forward was no tensor, so there is nothing to give a gradient to.":
        "forward の引数 {number} はテンソルではないので、勾配を渡す相手がありません。",
    "return None in that place.": "その位置には None を返してください。",
    "keep other values as attributes: ctx.name = value.": "ほかの値は属性として残してください: ctx.name = value。",
    "a tensor or a tuple of tensors": "テンソルかテンソルのタプル",
    "one tensor": "一つのテンソル",
    "a tensor of one element": "要素が一つのテンソル",
    "sum it up: return y.sum().": "和をとってください: return y.sum()。",
    "a result that depends on its input": "入力に依存する結果",
    "output {i} does not depend on the inputs in a way that is recorded.":
        "出力 {i} は、記録された計算では入力に依存していません。",
    "look for .detach(), .item(), torch.no_grad() in the function, or leave out strict=True.":
        "関数の中の .detach()、.item()、torch.no_grad() を確かめるか、strict=True を外してください。",
    "pass v, of the same shape(s): torch.ones_like(...).": "同じ形の v を渡してください: torch.ones_like(...)。",
    "with strict=True everything must depend on everything; entry {i} does not.":
        "strict=True ではすべてが互いに依存していなければなりませんが、{i} 番は依存していません。",
    "none of the inputs requires grad, so there is no gradient to check.":
        "requires_grad の入力がないので、確かめる勾配がありません。",
    "torch.randn(3, dtype=torch.float64, requires_grad=True)":
        "torch.randn(3, dtype=torch.float64, requires_grad=True)",
    "an expanded tensor keeps one number for many elements; to change one of them changes all.":
        "expand したテンソルでは一つの数を多くの要素が共有するので、一つを変えるとすべてが変わります。",
    "pass x.contiguous().": "x.contiguous() を渡してください。",
    "a tensor that does not require grad has no place in the graph.": "勾配を必要としないテンソルはグラフの中にありません。",
    "compute it from tensors with requires_grad=True, outside of torch.no_grad().":
        "requires_grad=True のテンソルから、torch.no_grad() の外で計算してください。",
    "hooks on saved tensors are switched off here.": "ここでは保存値のフックが禁止されています。",
    "move the block out of disable_saved_tensors_hooks(...).":
        "このブロックを disable_saved_tensors_hooks(...) の外に移してください。",
    "hooks on saved tensors are at work here.": "ここでは保存値のフックが働いています。",
    "move the block out of saved_tensors_hooks(...).": "このブロックを saved_tensors_hooks(...) の外に移してください。",
    "a whole number, or a tuple like the arguments": "整数か、引数と同じ構造のタプル",
    "vmap takes the number of examples from its inputs, and there are none.":
        "vmap は例の数を入力から決めますが、入力がありません。",
    "pass the tensors as arguments: vmap(f)(xs).": "テンソルを引数として渡してください: vmap(f)(xs)。",
    "a number for at least one argument": "少なくとも一つの引数に対する番号",
    "write 0 (the dimension of the examples) for the arguments that hold examples.":
        "例が並んでいる引数には 0 (例の次元) を書いてください。",
    "a whole number or None": "整数か None",
    "write None in in_dims for arguments that are no tensors.": "テンソルでない引数には in_dims に None を書いてください。",
    "a whole number, None, or a tuple like the outputs": "整数、None、または出力と同じ構造のタプル",
    "a tuple like the arguments": "引数と同じ構造のタプル",
    "in_dims and the arguments are built differently: {detail}.": "in_dims と引数の構造が違います: {detail}。",
    "give one entry (a number or None) for each argument: in_dims=(0, None).":
        "引数ごとに一つの値 (番号か None) を渡してください: in_dims=(0, None)。",
    "a tuple like the outputs": "出力と同じ構造のタプル",
    "out_dims and the outputs are built differently: {detail}.": "out_dims と出力の構造が違います: {detail}。",
    "give one entry (a number or None) for each output.": "出力ごとに一つの値 (番号か None) を渡してください。",
    "the output differs from example to example, so it must have a dimension for them.":
        "出力は例ごとに異なるので、例の次元が必要です。",
    "write a number (0) in out_dims for this output.": "この出力の out_dims に番号 (0) を書いてください。",
    "a tuple of tensors": "テンソルのタプル",
    "write (x,) with a comma for one tensor.": "一つのときはコンマを付けて (x,) と書いてください。",
    "built like primals": "primals と同じ構造",
    "primals and tangents are built differently.": "primals と tangents の構造が違います。",
    "give one tangent for each primal, nested in the same way: jvp(f, (x, y), (tx, ty)).":
        "primals の一つ一つに接ベクトルを同じ入れ子で渡してください: jvp(f, (x, y), (tx, ty))。",
    "tensors only": "テンソルだけ",
    "the output does not depend on the inputs, and strict=True does not allow that.":
        "出力が入力に依存していません。strict=True では許されません。",
    "look for .detach() or .item() in f, or leave out strict=True to get zeros.":
        "f の中の .detach() や .item() を確かめるか、strict=True を外してください (0 になります)。",
    "in one mode": "同じモード",
    "some of the models are in training mode and some in evaluation mode.":
        "学習モードのモデルと評価モードのモデルが混ざっています。",
    "call model.eval() (or train()) on all of them first.":
        "先にすべてのモデルで model.eval() (または train()) を呼んでください。",
    "of one class": "同じクラス",
    "the models are of different classes: {names}.": "モデルのクラスが違います: {names}。",
    "stack only models that were built in the same way.": "同じように作ったモデルだけをまとめてください。",
    "(output, aux)": "(output, aux)",
    "a whole number or a tuple of them": "整数か整数のタプル",
    "sum it up (return y.sum()), or use torch.func.jacrev, vjp or vmap(grad(f)).":
        "和をとる (return y.sum()) か、torch.func.jacrev、vjp、vmap(grad(f)) を使ってください。",
    "give one cotangent for each output, nested as f returns them.":
        "f の出力ごとに一つの余接ベクトルを、同じ入れ子で渡してください。",
    # ---- patterns of rearrange
    "it is neither a name nor a sign of patterns": "名前でもパターンの記号でもありません",
    "names, (groups), ... and 1 may stand in a pattern.": "パターンに書けるのは、名前、(まとまり)、...、1 です。",
    "these names stand on one side only: {names}": "片側にしかない名前があります: {names}",
    "write each name on both sides; rearrange neither sums nor repeats.":
        "どの名前も両側に書いてください。rearrange は和も繰り返しも行いません。",
    "a parenthesis has no partner": "対応する括弧がありません",
    "close each parenthesis that is opened: b (h w) c.": "開いた括弧は閉じてください: b (h w) c。",
    "a number other than 1 stands for a dimension": "次元の場所に 1 以外の数があります",
    "give the dimension a name, and its size as an argument: rearrange(x, '(a b) -> a b', a=2).":
        "次元に名前を付け、大きさは引数で渡してください: rearrange(x, '(a b) -> a b', a=2)。",
    "the tensor has {ndim} dimensions, and the left side of the pattern names {n}.":
        "テンソルは {ndim} 次元ですが、パターンの左側には {n} 個あります。",
    "write one name (or group) for each dimension on the left; ... stands for any number.":
        "左側には次元ごとに一つの名前 (かまとまり) を書いてください。... は任意の個数を表します。",
    "pass one of them: rearrange(..., {name}=...)": "どちらかを渡してください: rearrange(..., {name}=...)",
    "change the sizes given, so that their product fits the dimension ({value}).":
        "積が次元の大きさ ({value}) に合うように、渡す大きさを変えてください。",
    "the name {name} stands twice on one side": "片側に同じ名前 {name} が二度あります",
    "give each dimension a name of its own.": "次元ごとに別の名前を付けてください。",
    "a group stands inside a group": "まとまりの中にまとまりがあります",
    "write one pair of parentheses: (a b c).": "括弧は一組にしてください: (a b c)。",
    # ---- compiled functions, processes, settings
    "fullgraph=True was asked for, and one line cannot be recorded.":
        "fullgraph=True が指定されましたが、記録できない行があります。",
    "leave out fullgraph=True to run such calls eagerly, or change that line.":
        "fullgraph=True を外す (その呼び出しは即時に実行されます) か、その行を変えてください。",
    "a program is compiled once a call of the function has been watched, or two.":
        "プログラムは、関数の呼び出しを一度か二度観察した後にコンパイルされます。",
    "call the function three times with arguments of the same shapes, then look.":
        "同じ形の引数で関数を三度呼んでから見てください。",
    "a function or a module": "関数かモジュール",
    "torch.where(pred, a, b) picks element by element; pred.any() or pred.all() makes one truth value.":
        "要素ごとに選ぶなら torch.where(pred, a, b)、一つの真偽値にするなら pred.any() か pred.all() です。",
    "as many values as carried_inputs has": "carried_inputs と同じ個数の値",
    "a tensor or a function": "テンソルか関数",
    "there is a process group already.": "プロセスグループはすでにあります。",
    "call init_process_group once, or destroy_process_group() before.":
        "init_process_group は一度だけ呼ぶか、先に destroy_process_group() を呼んでください。",
    "the group is to have {size} processes, and kobai trains in one.":
        "グループのプロセス数が {size} ですが、kobai は一つのプロセスで学習します。",
    "start the program once, without torchrun, or with WORLD_SIZE=1.":
        "torchrun を使わずに一度だけ起動するか、WORLD_SIZE=1 にしてください。",
    "there is no process group yet.": "プロセスグループがまだありません。",
    "call torch.distributed.init_process_group() first.": "先に torch.distributed.init_process_group() を呼んでください。",
    "an array of numbers": "数の配列",
    "convert it first: array.astype(np.float32); texts and objects must become numbers.":
        "先に array.astype(np.float32) で変換してください。文字列やオブジェクトは数に直す必要があります。",
    "a dtype of floating point numbers": "浮動小数点数の型",
    "torch.set_default_dtype(torch.float64), for example.": "たとえば torch.set_default_dtype(torch.float64) と書いてください。",
    "a whole number of at most 64 bits": "64 ビット以内の整数",
    "choose a number from -2**63 to 2**64 - 1.": "-2**63 から 2**64 - 1 までの数を選んでください。",
    "what get_state() returned": "get_state() が返したもの",
    "pass what get_state() returned, unchanged.": "get_state() が返したものをそのまま渡してください。",
    "the bytes are not the state of a generator.": "このバイト列は乱数生成器の状態ではありません。",
    "the module is in training mode.": "モジュールが学習モードです。",
    "call module.eval() first.": "先に module.eval() を呼んでください。",
    "process {i} ended with an error; what it printed stands above.":
        "プロセス {i} がエラーで終わりました。その出力は上にあります。",
    "look at the traceback that this process printed; fn(i, *args) fails in it.":
        "そのプロセスが表示したトレースバックを見てください。fn(i, *args) の中で失敗しています。",
    "from ({low}) is larger than to ({high}).": "from ({low}) が to ({high}) より大きくなっています。",
    "swap the two bounds.": "二つの境界を入れ替えてください。",
    "a text or a whole number": "文字列か整数",
    # ---- files
    "it holds compiled code, which kobai cannot run": "kobai が実行できないコンパイル済みのコードが入っています",
    "save the state_dict() with PyTorch, and load that into the module's class.":
        "PyTorch で state_dict() を保存し、それをモジュールのクラスに読み込んでください。",
    "it describes a tensor that cannot be": "ありえないテンソルが書かれています",
    "write the file again with torch.save.": "torch.save でファイルを書き直してください。",
    "a tensor reaches beyond the numbers stored for it": "テンソルが、保存された数の範囲をはみ出しています",
    "write the file again with torch.save; it may have been cut off.":
        "途中で切れた可能性があります。torch.save でファイルを書き直してください。",
    "it wants to make an object of {cls}, and making objects of any class can run any code":
        "{cls} のオブジェクトを作ろうとしています。任意のクラスを許すと任意のコードが実行されえます",
    "if you trust the file: weights_only=False, or torch.serialization.add_safe_globals([...]).":
        "ファイルを信頼できるなら weights_only=False か torch.serialization.add_safe_globals([...]) を使ってください。",
    "it refers to something that torch.save does not write": "torch.save が書かないものを参照しています",
    "save t.tolist(), or the tensor in another dtype.": "t.tolist() を保存するか、別の型にして保存してください。",
    "it is empty, or a buffer stands at its end": "空であるか、バッファの位置が末尾にあります",
    "buffer.seek(0) after writing to it.": "書いた後に buffer.seek(0) を呼んでください。",
    "it is a zip archive, but not one that torch.save wrote": "zip 形式ですが、torch.save が書いたものではありません",
    "load it with what wrote it (np.load for .npz), or write it again with torch.save.":
        "書いたもので読み込む (.npz なら np.load) か、torch.save で書き直してください。",
    "its beginning is not that of a file written by torch.save": "先頭が torch.save の書いたファイルのものではありません",
    "look at the path; texts, pictures and arrays have loaders of their own.":
        "パスを確かめてください。テキスト、画像、配列にはそれぞれの読み込み方があります。",
    "it ends before all numbers were read": "すべての数を読む前に終わっています",
    "write or download it again.": "書き直すか、もう一度ダウンロードしてください。",
    "the file was saved on a GPU, and kobai computes on the processor (cpu).":
        "このファイルは GPU で保存されましたが、kobai は CPU で計算します。",
    "torch.load(path, map_location='cpu').": "torch.load(path, map_location='cpu') と書いてください。",
    # ---- tensors
    "other dtypes": "ほかの型",
    "PyTorch has no {kernel} for {dtype}, and neither has kobai.":
        "型 {dtype} の {kernel} は PyTorch にも kobai にもありません。",
    "convert the input first: x.float(), x.long(), x.to(torch.complex64) or the like.":
        "先に x.float()、x.long()、x.to(torch.complex64) などで変換してください。",
    "numbers": "数",
    "True and False are not numbers that can be subtracted.": "True と False は引き算できる数ではありません。",
    "a ^ b says where they differ; a.int() - b.int() subtracts 0 and 1.":
        "違う場所は a ^ b で、0 と 1 の差は a.int() - b.int() で求められます。",
    "~mask inverts a mask; 1 - mask.int() counts it.": "マスクの反転は ~mask、数としてなら 1 - mask.int() です。",
    "ordinary tensors": "通常のテンソル",
    "x.to_dense() gives all elements, x.values() those that are stored.":
        "x.to_dense() はすべての要素を、x.values() は格納された要素を返します。",
    "only leaves keep a gradient, and {made_by} made this tensor.":
        "勾配を持つのは葉だけですが、このテンソルは {made_by} の結果です。",
    "ask a leaf (a parameter, or a tensor made with requires_grad=True).":
        "葉 (パラメータか、requires_grad=True で作ったテンソル) で使ってください。",
    "a view shares its history with the tensor it looks into.": "ビューは元のテンソルと履歴を共有しています。",
    "y = x.detach() gives a new tensor on the same memory.": "y = x.detach() とすると、同じメモリの新しいテンソルになります。",
    "only leaves add up a gradient in .grad, and {made_by} made this tensor.":
        ".grad に勾配をためるのは葉だけですが、このテンソルは {made_by} の結果です。",
    "x.register_hook(fn) sees the gradient of any tensor.": "どのテンソルの勾配も x.register_hook(fn) で見られます。",
    "a tensor and its gradient are two tensors.": "テンソルとその勾配は別のテンソルです。",
    "x.grad = torch.zeros_like(x), or x.grad = x.detach().clone().":
        "x.grad = torch.zeros_like(x) か x.grad = x.detach().clone() と書いてください。",
    "numbers, tensors, or lists and dicts of them": "数、テンソル、またはそれらのリストや辞書",
    "leave out requires_grad, or pass dtype=torch.float32.": "requires_grad を外すか、dtype=torch.float32 を渡してください。",
    "a number below {high}": "{high} より小さい数",
    # ---- pictures
    "no browser was found on this machine.": "このマシンにブラウザが見つかりません。",
    "open {path} yourself.": "{path} を直接開いてください。",
    "the package pygraphviz is not installed.": "パッケージ pygraphviz が入っていません。",
    "pip install pygraphviz (the wheel contains Graphviz; no program is needed).":
        "pip install pygraphviz (Graphviz も含まれ、ほかのプログラムは不要です)。",
    "the pygraphviz of this machine cannot write {format}.": "このマシンの pygraphviz は {format} を書けません。",
    "svg, png and pdf are always there.": "svg、png、pdf はいつでも使えます。",
    "a tensor, a tuple of tensors or a module": "テンソル、テンソルのタプル、またはモジュール",
    "give the tensor itself, without .item(), .numpy() or float(); or a model and its inputs: {fn}(model, x)":
        ".item()、.numpy()、float() を付けずにテンソル自身を渡すか、モデルと入力を渡してください: {fn}(model, x)",
    "draw the result of a call instead: make_dot(model(x), params=dict(model.named_parameters()))":
        "呼び出しの結果を描いてください: make_dot(model(x), params=dict(model.named_parameters()))",
    "torchviz no longer draws traces; the graph of a trace is shown by TensorBoard (add_graph).":
        "torchviz はトレースを描かなくなりました。トレースのグラフは TensorBoard (add_graph) で見られます。",
    "call the model and draw its result: make_dot(model(x), params=dict(model.named_parameters()))":
        "モデルを呼び出して、その結果を描いてください: make_dot(model(x), params=dict(model.named_parameters()))",
    "draw its values: make_dot(tuple(result.values()))": "その値を描いてください: make_dot(tuple(result.values()))",
    "give the tensor itself, without .item(), .numpy() or float()":
        ".item()、.numpy()、float() を付けずにテンソル自身を渡してください",
    "a dict of names and tensors": "名前とテンソルの辞書",
    "params=dict(model.named_parameters())": "params=dict(model.named_parameters()) と書いてください。",
    "near {near} in line {line} stands something that is no word and no sign":
        "{line} 行目の {near} の近くに、語でも記号でもないものがあります",
    "put names with other characters than letters, digits and _ into double quotes.":
        "英数字と _ 以外を含む名前は二重引用符で囲んでください。",
    "an HTML label is opened and not closed": "HTML のラベルが閉じられていません",
    "close each < with a >.": "< には対応する > を書いてください。",
    "{found} stands where {wanted} should": "{wanted} のあるべき場所に {found} があります",
    "look at that place: is a bracket or a semicolon missing before it?":
        "その場所を見てください。前の括弧やセミコロンが抜けていませんか。",
    "{found} stands where a name should": "名前のあるべき場所に {found} があります",
    "look at that place: is a name missing before it?": "その場所を見てください。名前が抜けていませんか。",
    "{found} stands after the end of the graph": "グラフの終わりの後に {found} があります",
    "one source describes one graph: remove what follows the last }}.":
        "一つのソースが表すグラフは一つです。最後の }} の後を取り除いてください。",
    "the package resvg_py is not installed.": "パッケージ resvg_py が入っていません。",
    "pip install resvg_py; SVG and PDF need nothing: .render(name, format='svg').":
        "pip install resvg_py。SVG と PDF には何も要りません: .render(name, format='svg')。",
    # ---- random numbers, and tensors without numbers
    "there are no such random numbers of type {dtype}.": "型 {dtype} のこの乱数はありません。",
    "ask for dtype=torch.float32.": "dtype=torch.float32 を指定してください。",
    "x.float() first.": "先に x.float() で変換してください。",
    "a number above {low} and below {high}": "{low} より大きく {high} より小さい数",
    "fill x.real and x.imag, one by one.": "x.real と x.imag を一つずつ埋めてください。",
    "the upper end is not included, so it must exceed the lower one.":
        "上端は含まれないので、下端より大きくなければなりません。",
    "randint(0, 6, size) gives 0 to 5: write the smallest number and the one after the largest.":
        "randint(0, 6, size) は 0 から 5 を返します。最小の数と、最大の数の次の数を書いてください。",
    "ask for dtype=torch.int64.": "dtype=torch.int64 を指定してください。",
    "convert it first: x.float().": "先に x.float() で変換してください。",
    "pass replacement=True to draw the same entry more than once, or draw at most {high}.":
        "同じものを二度以上引くなら replacement=True を渡し、そうでなければ {high} 個以下にしてください。",
    "torch.softmax(logits, -1) makes probabilities of any numbers.":
        "torch.softmax(logits, -1) はどんな数も確率に変えます。",
    "in one row all weights are 0, so nothing can be drawn from it.":
        "すべての重みが 0 の行があり、そこからは何も引けません。",
    "give each row at least one positive weight.": "どの行にも正の重みを一つ以上入れてください。",
    "what a rule saved was freed by an earlier backward pass.":
        "規則が保存した値は、先に行われた backward で解放されました。",
    "look at it before backward(), or call backward(retain_graph=True).":
        "backward() の前に見るか、backward(retain_graph=True) を呼んでください。",
    "a tensor on the device meta has a shape and a dtype, and no numbers.":
        "meta デバイスのテンソルには形と型だけがあり、数がありません。",
    "make it on the CPU (device='cpu'), or give the module memory with module.to_empty(device='cpu') and load or "
    "initialise its parameters.": (
        "CPU で作る (device='cpu') か、module.to_empty(device='cpu') でモジュールにメモリを与えてから、パラメータを"
        "読み込むか初期化してください。"),
    "module.to_empty(device='cpu') gives a module memory; then load_state_dict(...), or initialise it. "
    "torch.empty_like(x, device='cpu') does so for a tensor.": (
        "モジュールには module.to_empty(device='cpu') でメモリを与え、load_state_dict(...) で読み込むか初期化して"
        "ください。テンソルなら torch.empty_like(x, device='cpu') です。"),
    "make it on the CPU: device='cpu'.": "CPU で作ってください (device='cpu')。",
    "one tensor has numbers, and another one, on the device meta, has none.":
        "数を持つテンソルと、数を持たない meta デバイスのテンソルが混ざっています。",
    "make both with the same device=; module.to_empty(device='cpu') gives a module memory.":
        "同じ device= で作ってください。モジュールのメモリは module.to_empty(device='cpu') で確保できます。",
    "each of these classes was asked to compute {fn}(), and refused.": "これらのクラスはどれも {fn}() の計算を断りました。",
    "have __torch_function__ handle {fn}, or return super().__torch_function__(...) for the others.":
        "__torch_function__ で {fn} を扱うか、それ以外では super().__torch_function__(...) を返してください。",
    "this version of kobai computes on the CPU only.": "この版の kobai は CPU だけで計算します。",
    "ask torch.accelerator.is_available() first.": "先に torch.accelerator.is_available() を確かめてください。",
    "it is damaged, was not written completely, or is not a file of torch.save":
        "壊れているか、最後まで書かれなかったか、torch.save のファイルではありません",
    "save it again, or take another copy.": "もう一度保存するか、別のコピーを使ってください。",
    "the DOT source": "DOT のソース",
    "a larger one": "もっと大きな形",
    "what the layer was built for": "層が作られたときの形",
}
