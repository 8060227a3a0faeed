"""All errors and warnings with an explanation: one entry each, in English and Japanese.

`first` is PyTorch's own first line, which programs and searches match on; it stays English. `cause`
and `fix` are templates over the facts that `facts.py` gathers for the entry.
"""
from __future__ import annotations

from .catalogue_calls import CALLS
from .catalogue_kinds import KINDS
from .catalogue_use import USE
from .catalogue_values import VALUES
from .entry import Entry

CATALOGUE = {
    # ---- the graph
    "inplace-saved": Entry(
        "K101", RuntimeError,
        "one of the variables needed for gradient computation has been modified by an inplace operation: "
        "{which} Hint: kobai names the lines below; no anomaly mode is needed.",
        ("{node} saved {name} for its gradient, and it was overwritten before it was used.",
         "{node} が勾配の計算のために保存した {name} が、使われる前に上書きされました。"),
        ("write to a new tensor instead (x = x + 1, not x += 1 or x.add_(1)), or keep a copy with .clone() "
         "before the change.",
         "上書きせずに新しいテンソルを作る (x += 1 や x.add_(1) ではなく x = x + 1) か、変更の前に .clone() で"
         "写しを取ってください。")),
    "second-backward": Entry(
        "K102", RuntimeError,
        "Trying to backward through the graph a second time (or directly access saved tensors after they have "
        "already been freed). Saved intermediate values of the graph are freed when you call .backward() or "
        "autograd.grad(). Specify retain_graph=True if you need to backward through the graph a second time or if "
        "you need to access saved tensors after calling backward.",
        ("an earlier backward pass freed what {node} had saved.",
         "{node} が保存していた値は、先に行われた backward で解放されました。"),
        ("compute the loss anew before each backward(). If a value is carried over from the last step (a running "
         "loss, a hidden state), cut it off with .detach(). If you want two passes over one graph, give the first "
         "retain_graph=True.",
         "backward() のたびに損失を計算し直してください。前のステップから持ち越した値 (累積した損失や隠れ状態) は "
         ".detach() で切り離します。同じグラフを二度たどりたいときは、一度目に retain_graph=True を指定します。")),
    "no-grad-fn": Entry(
        "K103", RuntimeError,
        "element {position} of tensors does not require grad and does not have a grad_fn",
        ("backward() starts from a result of recorded operations, and {name} has no history: {why}.",
         "backward() は記録された計算の結果から始まりますが、{name} には履歴がありません: {why}。"),
        ("create the tensors you want gradients for with requires_grad=True, before computing with them, and do "
         "not cut the graph on the way (.detach(), .data, .item(), .numpy(), torch.no_grad(), torch.tensor(result)).",
         "勾配を求めたいテンソルは、計算に使う前に requires_grad=True で作ります。途中で .detach()、.data、.item()、"
         ".numpy()、torch.no_grad()、torch.tensor(結果) を使うとグラフが切れます。")),
    "nonscalar-backward": Entry(
        "K104", RuntimeError,
        "grad can be implicitly created only for scalar outputs",
        ("{name} has shape {shape}, so there is one gradient for each of its {count} elements; backward() must be "
         "told how they count.",
         "{name} の形は {shape} で、要素が {count} 個あります。それぞれの重みを backward() に与える必要があります。"),
        ("reduce it to one number first ({var}.sum().backward() or {var}.mean().backward()), or pass weights: "
         "{var}.backward(gradient=torch.ones_like({var})).",
         "先に一つの数にまとめる ({var}.sum().backward() や {var}.mean().backward()) か、重みを渡します: "
         "{var}.backward(gradient=torch.ones_like({var}))。")),
    "gradient-shape": Entry(
        "K105", RuntimeError,
        "Mismatch in shape: grad_output[{position}] has a shape of {gradient_shape} and output[{position}] has a "
        "shape of {shape}.",
        ("the gradient given to backward() needs one number for each element of {name}.",
         "backward() に渡す勾配には、{name} の要素ごとに一つの数が必要です。"),
        ("give a gradient of shape {shape}.", "形が {shape} の勾配を渡してください。")),
    "input-no-grad": Entry(
        "K106", RuntimeError,
        "One of the differentiated Tensors does not require grad",
        ("{name} was not being recorded when the result was computed.",
         "結果を計算したとき、{name} は記録の対象ではありませんでした。"),
        ("set {var}.requires_grad_() before computing with it.",
         "計算に使う前に {var}.requires_grad_() を呼んでください。")),
    "unused-input": Entry(
        "K107", RuntimeError,
        "The differentiated Tensor at index {position} appears to not have been used in the graph. Set "
        "allow_unused=True if this is the desired behavior.",
        ("input {position} ({name}, shape {shape}) did not take part in computing the output.",
         "入力 {position} 番 ({name}、形 {shape}) は出力の計算に使われていません。"),
        ("check that the output really depends on {name} (and not on a copy of it); or pass allow_unused=True to get "
         "None, or materialize_grads=True to get zeros.",
         "出力が ({name} の写しではなく) {name} 自身に依存しているか確かめてください。allow_unused=True なら None、"
         "materialize_grads=True なら 0 が返ります。")),
    "nonleaf-grad": Entry(
        "K108", UserWarning,
        "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute won't be "
        "populated during autograd.backward(). If you indeed want the .grad field to be populated for a non-leaf "
        "Tensor, use .retain_grad() on the non-leaf Tensor. If you access the non-leaf Tensor by mistake, make sure "
        "you access the leaf Tensor instead.",
        ("{name} was computed by {node}; gradients are kept for leaves only (tensors you made yourself with "
         "requires_grad=True).",
         "{name} は {node} で計算された値です。勾配が残るのは葉 (requires_grad=True で自分で作ったテンソル) だけです。"),
        ("call {var}.retain_grad() before backward(), or ask torch.autograd.grad(loss, {var}).",
         "backward() の前に {var}.retain_grad() を呼ぶか、torch.autograd.grad(loss, {var}) を使ってください。")),
    "assigned-grad-shape": Entry(
        "K109", RuntimeError,
        "attempting to assign a gradient of size '{have}' to a tensor of size '{want}'. Please ensure that the gradient "
        "and the tensor are the same size",
        ("the gradient of {name} has one number for each of its elements.",
         "{name} の勾配は、要素ごとに一つの数を持ちます。"),
        ("assign a tensor of shape {want}, or None.", "形が {want} のテンソルか None を代入してください。")),
    "assigned-grad-dtype": Entry(
        "K110", RuntimeError,
        "attempting to assign a gradient with dtype '{a_name}' to a tensor with grad_dtype '{b_type}'. The gradient must "
        "match the tensor's grad_dtype (defaults to the tensor's dtype).",
        ("{name} has dtype {b_dtype} and the assigned tensor {a_dtype}.",
         "{name} の型は {b_dtype}、代入されたテンソルの型は {a_dtype} です。"),
        ("convert it, for example with .to({var}.dtype).", ".to({var}.dtype) などで変換してください。")),
    "retain-no-grad": Entry(
        "K114", RuntimeError, "can't retain_grad on Tensor that has requires_grad=False",
        ("no gradient ever comes to {name}: it does not require grad.",
         "{name} は勾配を必要としないので、勾配が届くことはありません。"),
        ("{var}.requires_grad_() if it is a leaf; else look where the graph was cut: {var}.why_no_grad() says so.",
         "葉なら {var}.requires_grad_() を呼んでください。計算された値なら、{var}.why_no_grad() がグラフの切れた場所を教えます。")),
    "hook-no-grad": Entry(
        "K117", RuntimeError, "cannot register a hook on a tensor that doesn't require gradient",
        ("a hook is called when the gradient of {name} is computed, and {name} does not require grad.",
         "フックは {name} の勾配が計算されたときに呼ばれますが、{name} は勾配を必要としません。"),
        ("{var}.requires_grad_() before computing with it; {var}.why_no_grad() says where the graph was cut.",
         "計算に使う前に {var}.requires_grad_() を呼んでください。グラフの切れた場所は {var}.why_no_grad() でわかります。")),
    "deepcopy-computed": Entry(
        "K118", RuntimeError,
        "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment",
        ("{name} was computed by {node}; a copy would need a copy of its whole graph.",
         "{name} は {node} で計算された値です。写しを作るにはグラフ全体の写しが必要になります。"),
        ("{var}.detach().clone() copies the values; for a model, keep no computed tensors in its attributes.",
         "値の写しは {var}.detach().clone() で作れます。モデルなら、計算したテンソルを属性に残さないでください。")),
    "out-recorded": Entry(
        "K119", RuntimeError,
        "functions with out=... arguments don't support automatic differentiation, but one of the arguments requires "
        "grad.",
        ("the result would overwrite a tensor whose history it does not have.",
         "結果を書き込む先のテンソルは、その履歴を持つことができません。"),
        ("leave out `out=`, or compute it under torch.no_grad().",
         "`out=` を使わないか、torch.no_grad() の中で計算してください。")),
    "nan-gradient": Entry(
        "K115", RuntimeError,
        "Function '{node}' returned nan values in its {position}th output.",
        ("the gradient that came to {node} was a number, and what it sent on is not: {origin}.",
         "{node} に届いた勾配は数でしたが、送り出した勾配は NaN でした: {origin}。"),
        ("look at the values on the line where it was recorded: a root or logarithm of 0, a division by 0, inf - inf. "
         "Keep them away from there (x + eps, clamp), before the operation rather than after it.",
         "記録した行の値を確かめてください。0 の平方根や対数、0 での割り算、inf - inf などが原因です。演算の後ではなく前に、"
         "x + eps や clamp で避けてください。")),
    "nan-forward": Entry(
        "K116", UserWarning,
        "A NaN arose in the forward pass, in the operation of {node}: its inputs were numbers, its result is not all.",
        ("a value outside its domain came to the operation.", "定義域の外の値が演算に渡されました。"),
        ("a root or logarithm of a negative number, 0 / 0 or inf - inf make NaN; change the values before this "
         "operation.",
         "負の数の平方根や対数、0 / 0、inf - inf は NaN になります。この演算の前で値を変えてください。")),
    # ---- requires_grad
    "int-requires-grad": Entry(
        "K111", RuntimeError,
        "Only Tensors of floating point and complex dtype can require gradients",
        ("{name} has dtype {dtype}; a derivative needs numbers that can change a little.",
         "{name} の型は {dtype} です。微分には、わずかに変えられる数 (浮動小数点数) が必要です。"),
        ("write the numbers with a point (torch.tensor(2.0)), or give dtype=torch.float32, or convert with .float().",
         "小数点を付けて書く (torch.tensor(2.0))、dtype=torch.float32 を指定する、または .float() で変換してください。")),
    "nonleaf-requires-grad": Entry(
        "K112", RuntimeError,
        "you can only change requires_grad flags of leaf variables. If you want to use a computed variable in a "
        "subgraph that doesn't require differentiation use var_no_grad = var.detach().",
        ("{name} was computed by {node}, so it requires grad for as long as its inputs do.",
         "{name} は {node} で計算された値なので、入力が勾配を必要とするかぎり requires_grad は変えられません。"),
        ("use {var}.detach() where no gradient should flow.",
         "勾配を流したくないところで {var}.detach() を使ってください。")),
    "numpy-requires-grad": Entry(
        "K113", RuntimeError,
        "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.",
        ("{name} is being recorded, and NumPy's operations on its memory would go unnoticed.",
         "{name} は記録の対象です。NumPy で行う計算は記録されません。"),
        ("write {var}.detach().numpy(); for a number, {var}.item().",
         "{var}.detach().numpy() と書いてください。数が一つなら {var}.item() です。")),
    # ---- changes in place
    "inplace-leaf": Entry(
        "K121", RuntimeError,
        "a leaf Variable that requires grad is being used in an in-place operation.",
        ("{name} is a leaf: its gradient belongs to the value it has now, which this would overwrite.",
         "{name} は葉です。勾配は今の値に対するものなので、上書きすると失われます。"),
        ("to update a parameter, do it inside `with torch.no_grad():`; to compute, use a new tensor "
         "({var} = {var} + ... makes one, but is then no leaf).",
         "パラメータの更新は `with torch.no_grad():` の中で行ってください。計算の途中なら、新しいテンソルに代入します。")),
    "inplace-leaf-view": Entry(
        "K122", RuntimeError,
        "a view of a leaf Variable that requires grad is being used in an in-place operation.",
        ("{name} shares the memory of a leaf that requires grad.",
         "{name} は、勾配を必要とする葉とメモリを共有しています。"),
        ("do it inside `with torch.no_grad():`, or work on a .clone().",
         "`with torch.no_grad():` の中で行うか、.clone() した写しを使ってください。")),
    "inplace-shape": Entry(
        "K123", RuntimeError,
        "output with shape {have} doesn't match the broadcast shape {want}",
        ("the result has shape {want}, but a tensor changed in place keeps its shape {have}.",
         "結果の形は {want} ですが、その場で変更するテンソルの形 {have} は変えられません。"),
        ("use the operation that makes a new tensor (x + y, not x += y or x.add_(y)).",
         "新しいテンソルを作る演算を使ってください (x += y や x.add_(y) ではなく x + y)。")),
    "inplace-expanded": Entry(
        "K124", RuntimeError,
        "unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
        "Please clone() the tensor before performing the operation.",
        ("{name} was expanded: several of its elements are the same number in memory (or its memory is read-only).",
         "{name} は expand されていて、複数の要素がメモリ上の同じ数を指しています (または読み取り専用です)。"),
        ("write to {var}.clone() instead.", "{var}.clone() に書き込んでください。")),
    # ---- shapes and dtypes
    "shape-broadcast": Entry(
        "K131", RuntimeError,
        "The size of tensor a ({a_size}) must match the size of tensor b ({b_size}) at non-singleton dimension {dim}",
        ("shapes {shapes} do not broadcast: counted from the right, sizes must be equal or one of them 1.",
         "形 {shapes} はブロードキャストできません。右から数えて、各次元の大きさは等しいか、一方が 1 でなければなりません。"),
        ("reshape one of them, for example with .unsqueeze(dim), .view(...) or .T.",
         ".unsqueeze(dim)、.view(...)、.T などで一方の形を合わせてください。")),
    "shape-matmul": Entry(
        "K132", RuntimeError,
        "mat1 and mat2 shapes cannot be multiplied ({a_rows}x{a_cols} and {b_rows}x{b_cols})",
        ("a matrix product needs as many columns on the left ({a_cols}) as rows on the right ({b_rows}); the "
         "shapes are {a_shape} and {b_shape}.",
         "行列の積では、左の列数 ({a_cols}) と右の行数 ({b_rows}) が等しくなければなりません。形は {a_shape} と {b_shape} です。"),
        ("transpose one of them (.T), or check the order of the factors.",
         "どちらかを転置する (.T) か、掛ける順序を確かめてください。")),
    "shape-linear": Entry(
        "K133", RuntimeError,
        "mat1 and mat2 shapes cannot be multiplied ({a_rows}x{a_cols} and {b_rows}x{b_cols})",
        ("the layer takes {b_rows} features (in_features={b_rows}, weight {weight_shape}), but the last dimension of "
         "the input {input_shape} has {a_cols}.",
         "この層が受け取る特徴は {b_rows} 個 (in_features={b_rows}、weight {weight_shape}) ですが、入力 {input_shape} の最後の"
         "次元は {a_cols} です。"),
        ("use nn.Linear({a_cols}, ...) here, or bring the input to (..., {b_rows}), for example with "
         "x.flatten(1) or x.reshape(-1, {b_rows}).",
         "ここを nn.Linear({a_cols}, ...) にするか、入力を (..., {b_rows}) の形にしてください (x.flatten(1) や "
         "x.reshape(-1, {b_rows}) など)。")),
    "dtype-linear": Entry(
        "K134", RuntimeError,
        "mat1 and mat2 must have the same dtype, but got {a_type} and {b_type}",
        ("the input has dtype {a_dtype} and the layer's weight {b_dtype}. NumPy makes float64 arrays by default, "
         "PyTorch float32 parameters.",
         "入力の型は {a_dtype}、層の重みは {b_dtype} です。NumPy の配列は既定で float64、PyTorch のパラメータは float32 です。"),
        ("convert the data: x.float() (or torch.from_numpy(a).float(), a.astype('float32')); or the whole model: "
         "model.double().",
         "データを変換する: x.float() (torch.from_numpy(a).float()、a.astype('float32')) か、モデル全体を変換する: "
         "model.double()。")),
    "dtype-mismatch": Entry(
        "K135", RuntimeError,
        "expected {what} to have the same dtype, but got: {a_name} != {b_name}",
        ("the factors have dtypes {a_dtype} and {b_dtype}.", "型が {a_dtype} と {b_dtype} で異なります。"),
        ("convert one of them, for example with .float() or .to(other.dtype).",
         ".float() や .to(other.dtype) で一方を変換してください。")),
    # ---- transforms
    "lifted-value": Entry(
        "K141", RuntimeError,
        "vmap: It looks like you're calling .{what} on a Tensor. We don't support vmap over calling .{what} on a "
        "Tensor, please try to rewrite what you're doing with other operations.",
        ("inside vmap, forward mode or a trace a tensor stands for many values, so there is no single one to give.",
         "vmap、順方向微分、トレースの中では、テンソルは多くの値を代表しているので、一つの値を取り出せません。"),
        ("keep to tensor operations: torch.where instead of `if`, and convert outside the function.",
         "テンソルの演算だけで書いてください (`if` の代わりに torch.where)。変換は関数の外で行います。")),
    "lifted-branch": Entry(
        "K143", RuntimeError,
        "vmap: It looks like you're attempting to use a Tensor in some data-dependent control flow. We don't support that "
        "yet",
        ("inside vmap a tensor stands for the values of many examples, and they need not agree on the condition.",
         "vmap の中では、テンソルは多くの例の値を代表しているので、条件の真偽は例ごとに異なりえます。"),
        ("write torch.where(condition, a, b) instead of `if`.",
         "`if` の代わりに torch.where(condition, a, b) を使ってください。")),
    "lifted-into-plain": Entry(
        "K142", RuntimeError,
        "vmap: inplace arithmetic(self, *extra_args) is not possible because there exists a Tensor `other` in "
        "extra_args that has more elements than `self`.",
        ("a value that differs from example to example cannot be written into a tensor that all examples share.",
         "例ごとに異なる値を、すべての例が共有するテンソルに書き込むことはできません。"),
        ("use the operation that makes a new tensor.", "新しいテンソルを作る演算を使ってください。")),
} | USE | CALLS | VALUES | KINDS
