"""Phrases in the errors of compat/: TensorFlow's names and other faces."""
from __future__ import annotations

COMPAT: dict[str, str] = {
    # ---- Keras
    "give the batch a dimension of its own: x[tf.newaxis, :].": "バッチの次元を加えてください: x[tf.newaxis, :]。",
    "the learning rate is multiplied by it: 0.1 or 0.5, for example.": "学習率に掛ける数です。たとえば 0.1 や 0.5 です。",
    "it wants to make an object of {cls}, and a file of numbers has no need of it":
        "{cls} のオブジェクトを作ろうとしています。数のファイルには不要なものです",
    "take the file from its original place; this one may have been changed.":
        "書き換えられた可能性があります。元の場所から取得し直してください。",
    "give each batch as (x, y) or (x, y, sample_weight).":
        "バッチは (x, y) か (x, y, sample_weight) の形で渡してください。",
    "make numbers of it first: np.asarray(x, dtype='float32'); rows of different lengths need padding.":
        "先に数に変換してください: np.asarray(x, dtype='float32')。長さの違う行は詰め物でそろえます。",
    "pass the data: model.fit(x, y), or a tf.data.Dataset.":
        "データを渡してください: model.fit(x, y)、または tf.data.Dataset。",
    "leave out y: the dataset gives pairs (x, y) itself.": "y を省いてください。データセット自身が (x, y) の組を渡します。",
    "np.array(...) of each list, x and y.": "x と y のリストをそれぞれ np.array(...) にしてください。",
    "a number that leaves samples on both sides": "両側にサンプルが残る数",
    "give more than {n} samples, or another validation_split, or validation_data=(x, y).":
        "{n} 個より多くのサンプルを渡すか、validation_split を変えるか、validation_data=(x, y) を渡してください。",
    "give x, y and sample_weight the same number of samples.": "x、y、sample_weight のサンプル数をそろえてください。",
    "write `def __call__(self, shape, dtype=None): ...` in the class.":
        "クラスに `def __call__(self, shape, dtype=None): ...` を書いてください。",
    "choose another initializer for it, such as glorot_uniform.": "glorot_uniform など、別の初期化を選んでください。",
    "a whole number or a SeedGenerator": "整数か SeedGenerator",
    "choose another initializer for it, such as zeros.": "zeros など、別の初期化を選んでください。",
    "look for the right spelling in the documentation of the layer.": "層の説明で正しい綴りを確かめてください。",
    "the layer keeps track of its weights from `super().__init__()` on, and that was not called yet.":
        "層は `super().__init__()` から重みを管理しますが、まだ呼ばれていません。",
    "write `super().__init__()` as the first line of `__init__`.":
        "`__init__` の最初の行に `super().__init__()` と書いてください。",
    "layer.get_weights() shows which arrays belong here, and in which order.":
        "必要な配列とその順序は layer.get_weights() で確かめられます。",
    "the sizes of the weights are not known before the layer has seen an input.":
        "層に入力が渡されるまで、重みの大きさは決まりません。",
    "call the layer once, or layer.build(input_shape).": "層を一度呼び出すか、layer.build(input_shape) を呼んでください。",
    "name it: layer(x, training=True).": "名前を付けて渡してください: layer(x, training=True)。",
    "move the channels to the end: tf.transpose(x, [0, 2, 3, 1]).":
        "チャネルを最後に移してください: tf.transpose(x, [0, 2, 3, 1])。",
    "the input of shape {shape} is smaller than the kernel reaches: nothing would be left of it.":
        "形 {shape} の入力はカーネルの届く範囲より小さく、何も残りません。",
    "use smaller kernels, fewer poolings, or padding=\"same\".":
        "カーネルを小さくするか、プーリングを減らすか、padding=\"same\" を使ってください。",
    "keras.Input(shape=({size},))": "keras.Input(shape=({size},)) と書いてください。",
    "keras.Input(shape=(4,)) for rows of 4 numbers; the batch is not counted.":
        "4 個の数の行なら keras.Input(shape=(4,)) です。バッチの次元は数えません。",
    "exactly one of num_bins and bin_boundaries says how numbers are sorted into bins.":
        "数の分け方は num_bins か bin_boundaries のどちらか一方だけで決めます。",
    "give num_bins (and call adapt), or bin_boundaries.":
        "num_bins (と adapt) か bin_boundaries のどちらかを渡してください。",
    "in the vocabulary": "語彙にある語",
    "add the word to the vocabulary, or leave num_oov_indices at 1.":
        "その語を語彙に加えるか、num_oov_indices を 1 のままにしてください。",
    "a list of tensors": "テンソルのリスト",
    "call the layer on a list: layer([a, b]).": "層にはリストを渡してください: layer([a, b])。",
    "all sizes but the one along axis {axis} must be the same": "軸 {axis} 以外の大きさはすべて同じでなければなりません",
    "a shape of as many elements": "同じ要素数の形",
    "the input has {have_count} elements for each sample, and target_shape {count}.":
        "入力はサンプルごとに {have_count} 個の要素を持ちますが、target_shape は {count} 個です。",
    "change one of the sizes; -1 is computed from the others.":
        "大きさを変えてください。-1 はほかの大きさから計算されます。",
    "for numbers of classes use sparse_categorical_crossentropy, or keras.utils.to_categorical(y).":
        "クラスの番号なら sparse_categorical_crossentropy を使うか、keras.utils.to_categorical(y) で変換してください。",
    "y_true has one dimension fewer: a number of a class for each row":
        "y_true は次元が一つ少なく、行ごとに一つのクラス番号でなければなりません",
    "labels are numbers of classes here; for one-hot labels use categorical_crossentropy.":
        "ここではラベルはクラスの番号です。one-hot なら categorical_crossentropy を使ってください。",
    "a Sequential or functional model": "Sequential か関数型のモデル",
    "for a class of your own, make a new object: MyModel(...).":
        "自作のクラスなら、新しいオブジェクトを作ってください: MyModel(...)。",
    "a layer": "層",
    "add keras.layers.Dense(...), or a function by keras.layers.Lambda(f).":
        "keras.layers.Dense(...) などを加えてください。関数なら keras.layers.Lambda(f) です。",
    "there are no layers yet.": "層がまだありません。",
    "model.add(keras.layers.Dense(...)) before build().":
        "build() の前に model.add(keras.layers.Dense(...)) を呼んでください。",
    "a Sequential model has no input and output before it knows the shape of its input.":
        "Sequential モデルの入出力は、入力の形がわかるまで決まりません。",
    "put keras.Input(shape=...) first, or call the model once.":
        "最初に keras.Input(shape=...) を置くか、モデルを一度呼び出してください。",
    "what a layer makes of keras.Input": "keras.Input から層で計算したもの",
    "compute it with layers from keras.Input(...), not from arrays.":
        "配列からではなく、keras.Input(...) から層で計算してください。",
    "give each input under its name: {names}.": "入力を名前ごとに渡してください: {names}。",
    "the model has an input already.": "モデルにはすでに入力があります。",
    "add the Input first, and only once.": "Input は最初に一度だけ加えてください。",
    "the model was built for another input shape.": "モデルは別の入力の形で作られています。",
    "make a new model for another input shape.": "別の入力の形には、新しいモデルを作ってください。",
    "look for the right spelling in the documentation of the optimizer.":
        "オプティマイザの説明で正しい綴りを確かめてください。",
    "give one of the three.": "三つのうち一つだけを渡してください。",
    "the loss does not depend on them, or was computed outside the tape, or went through NumPy.":
        "損失が変数に依存していないか、テープの外で計算されたか、NumPy を通っています。",
    "compute the loss inside `with tf.GradientTape() as tape:`, with tf functions.":
        "`with tf.GradientTape() as tape:` の中で、tf の関数を使って損失を計算してください。",
    "pass the loss as a function (lambda: ...), or tape= as well.":
        "損失を関数 (lambda: ...) で渡すか、tape= も渡してください。",
    "a schedule computes the learning rate from the number of steps.": "学習率はスケジュールがステップ数から計算します。",
    "make the optimizer with a number (learning_rate=0.01) to change it by hand.":
        "手で変えるなら、オプティマイザを数で作ってください (learning_rate=0.01)。",
    "the optimizer keeps momenta for the variables it met first; this is another one.":
        "オプティマイザは最初に渡された変数のモーメントを保持していますが、これは別の変数です。",
    "make a new optimizer for another model, or optimizer.build(variables) with all first.":
        "別のモデルには新しいオプティマイザを作るか、先に optimizer.build(variables) にすべて渡してください。",
    "write learning_rate=.": "learning_rate= と書いてください。",
    "write `def __call__(self, step): ...` in the class.": "クラスに `def __call__(self, step): ...` を書いてください。",
    "values has one entry more than boundaries: one before the first, one after each.":
        "values は boundaries より一つ多く、最初の境界の前と、それぞれの境界の後の値です。",
    "a name that Keras knows, an object or a function": "Keras の知っている名前、オブジェクト、または関数",
    "look for the right spelling: 'adam', 'relu', 'categorical_crossentropy'.":
        "正しい綴りを確かめてください: 'adam'、'relu'、'categorical_crossentropy' など。",
    "the layer was built for inputs of another shape: {reason}.": "層は別の形の入力のために作られています: {reason}。",
    "look at the line that makes the input, and at model.summary(); is the batch dimension there?":
        "入力を作る行と model.summary() を確かめてください。バッチの次元はありますか。",
    "{kind} has no get_config(), so nothing says how to make it again.":
        "{kind} に get_config() がないので、作り直す方法がわかりません。",
    "write `def get_config(self): ...` in its class.": "そのクラスに `def get_config(self): ...` を書いてください。",
    "it exists already": "すでに存在します",
    "choose another name, or pass overwrite=True.": "別の名前を選ぶか、overwrite=True を渡してください。",
    "there is no such file": "そのようなファイルはありません",
    "look at the path; it counts from {folder}.": "パスを確かめてください。{folder} から数えます。",
    "it was not written by kobai": "kobai が書いたものではありません",
    "load it with Keras, save model.get_weights() with np.savez, and set_weights() here.":
        "Keras で読み込み、model.get_weights() を np.savez で保存して、ここで set_weights() に渡してください。",
    "the name says which kind of file it is": "ファイルの種類は名前で決まります",
    "model.save_weights('name.weights.h5')": "model.save_weights('name.weights.h5') と書いてください。",
    "model.save('name.keras')": "model.save('name.keras') と書いてください。",
    "put @keras.saving.register_keras_serializable() before the class, or pass custom_objects={{name: class}}.":
        "クラスの前に @keras.saving.register_keras_serializable() を書くか、custom_objects={{名前: クラス}} を渡してください。",
    "it holds weights, but not how the model is built": "重みだけがあり、モデルの構造がありません",
    "build the model, then model.load_weights(path).": "モデルを作ってから model.load_weights(path) を呼んでください。",
    "the model uses {name}, a function, and only layers can be described in a file.":
        "モデルは関数 {name} を使っていますが、ファイルに書けるのは層だけです。",
    "put it into a layer of its own, with get_config().": "get_config() を持つ層の中に入れてください。",
    "it stands for what the model will get; there are no numbers yet.":
        "これはモデルが受け取るものの代わりで、まだ数がありません。",
    "call the finished model on an array, or put the computation into a layer.":
        "完成したモデルを配列で呼び出すか、計算を層の中に入れてください。",
    "use the function of that name in keras.ops, or put it into a layer: keras.layers.Lambda(lambda x: ...).":
        "keras.ops にある同じ名前の関数を使うか、層に入れてください: keras.layers.Lambda(lambda x: ...)。",
    "take parts of it by index, or keras.ops.unstack(x).": "添字で取り出すか、keras.ops.unstack(x) を使ってください。",
    "keras.ops.where(condition, a, b) chooses element by element.":
        "要素ごとに選ぶには keras.ops.where(condition, a, b) を使ってください。",
    "sizes must be equal, or 1": "大きさは等しいか 1 でなければなりません",
    "the output depends on {found}, which is not among the inputs, and nothing made it.":
        "出力が {found} に依存していますが、入力の中になく、作ったものもありません。",
    "name all keras.Input(...) of the graph in inputs=[...].":
        "グラフの keras.Input(...) をすべて inputs=[...] に書いてください。",
    "the model has no loss and no optimizer yet.": "モデルにはまだ損失もオプティマイザもありません。",
    "model.compile(optimizer='adam', loss='mse') first.":
        "先に model.compile(optimizer='adam', loss='mse') を呼んでください。",
    "pass the targets, too: model.fit(x, y); a dataset gives pairs (x, y).":
        "目標も渡してください: model.fit(x, y)。データセットなら (x, y) の組を渡します。",
    "a variable holds numbers, and Keras does not say when it is true.":
        "変数は数を持ち、いつ真とみなすかは Keras では決まっていません。",
    "compare it: if v > 0.": "比較してください: if v > 0。",
    "a dataset as x": "x としてのデータセット",
    "the weight": "重み",
    "the layer": "層",
    "the array for a weight": "重みの配列",
    "a positional argument": "位置引数",
    "the number of input channels": "入力チャネルの数",
    "the input": "入力",
    "the layer joins several tensors, and was called on a single one.":
        "複数のテンソルをまとめる層ですが、一つのテンソルで呼ばれました。",
    "the list of inputs": "入力のリスト",
    "one input": "一つの入力",
    "the model": "モデル",
    "an output": "出力",
    "a loss that is a tensor": "テンソルの損失",
    "the file": "ファイル",
    "the first": "前者",
    "the second": "後者",
    "the initial value": "初期値",
    "the new value": "新しい値",
    "another": "もう一つ",
    "another array": "別の配列",
    "strides or dilations": "strides か dilations",
    "x or y": "x か y",
    "the data file": "データのファイル",
    # ---- TensorFlow
    "{op} does not take inputs of shapes {shape} and {other_shape}.":
        "{op} は形 {shape} と {other_shape} の入力を受け取れません。",
    "look at the lines that make the two inputs.": "二つの入力を作る行を確かめてください。",
    "floats give inf instead: tf.cast(x, tf.float32) / y.": "浮動小数点数なら inf になります: tf.cast(x, tf.float32) / y。",
    "an integer to a negative power is a fraction, which no integer holds.":
        "整数の負の累乗は分数になり、整数では表せません。",
    "cast to floats first: tf.cast(x, tf.float32).": "先に浮動小数点数に変換してください: tf.cast(x, tf.float32)。",
    "there is no such checkpoint": "そのようなチェックポイントはありません",
    "give the path that save() returned, or tf.train.latest_checkpoint(folder).":
        "save() が返したパスか、tf.train.latest_checkpoint(フォルダー) を渡してください。",
    "the checkpoint has no value for {names}.": "チェックポイントに {names} の値がありません。",
    "make the objects under the same names as when the file was written.":
        "保存したときと同じ名前でオブジェクトを作ってください。",
    "the checkpoint has values that no variable took: {names}.":
        "チェックポイントに、どの変数にも渡されなかった値があります: {names}。",
    "no variable of these objects is in the checkpoint.":
        "これらのオブジェクトの変数は、チェックポイントに一つもありません。",
    "in TensorFlow, write the values with np.savez, and assign() them here.":
        "TensorFlow で値を np.savez で書き出し、ここで assign() してください。",
    "a positive whole number or None": "正の整数か None",
    "a variable, a model, an optimizer, or a list or dict of them":
        "変数、モデル、オプティマイザ、またはそれらのリストか辞書",
    "no predicate is true, and there is no default.": "真になる条件が一つもなく、default もありません。",
    "pass default=, a function that gives the value for all other cases.":
        "ほかの場合の値を返す関数を default= に渡してください。",
    "pass {n} arguments, or extend input_signature.": "引数を {n} 個渡すか、input_signature を増やしてください。",
    "the index is {value}, and the array has {size} elements.": "添字は {value} ですが、配列の要素は {size} 個です。",
    "write the element first; array.size() says how many there are.":
        "先に要素を書き込んでください。要素の数は array.size() でわかります。",
    "give it a larger size, or tf.TensorArray(..., dynamic_size=True).":
        "size を大きくするか、tf.TensorArray(..., dynamic_size=True) と書いてください。",
    "what input_signature says": "input_signature のとおり",
    "an argument is {kind}, and input_signature says {spec}.": "引数が {kind} ですが、input_signature では {spec} です。",
    "cast or reshape the argument, or change input_signature: None in its shape allows any size.":
        "引数の型や形を変えるか、input_signature を直してください。形の中の None はどの大きさも許します。",
    "an input is [batch, ..., channels]: see tf.expand_dims(x, 0), tf.expand_dims(x, -1).":
        "入力は [バッチ, ..., チャネル] です。tf.expand_dims(x, 0) や tf.expand_dims(x, -1) で次元を加えてください。",
    "the filters must have as many input channels as the input has channels":
        "フィルターの入力チャネル数は、入力のチャネル数と同じでなければなりません",
    "filters are [height, width, in_channels, out_channels].":
        "フィルターの形は [高さ, 幅, 入力チャネル, 出力チャネル] です。",
    "bias must have one number for each channel": "bias にはチャネルごとに一つの数が必要です",
    "the range goes down from {start} to {limit}, and delta is positive.":
        "{start} から {limit} へ減っていきますが、delta は正です。",
    "write a negative delta, or exchange start and limit.": "delta を負にするか、start と limit を入れ替えてください。",
    "the range goes up from {start} to {limit}, and delta is negative.":
        "{start} から {limit} へ増えていきますが、delta は負です。",
    "write a positive delta, or exchange start and limit.": "delta を正にするか、start と limit を入れ替えてください。",
    "fill takes one number; tf.broadcast_to and tf.tile repeat a tensor.":
        "fill が受け取る値は一つの数です。テンソルの繰り返しには tf.broadcast_to や tf.tile を使ってください。",
    "tf.cast(indices, tf.int32)": "tf.cast(indices, tf.int32) と書いてください。",
    "operations run at once, so there is no graph to differentiate.":
        "演算はすぐに実行されるので、微分するグラフがありません。",
    "compute inside `with tf.GradientTape() as tape:`, then tape.gradient(y, x).":
        "`with tf.GradientTape() as tape:` の中で計算し、tape.gradient(y, x) を呼んでください。",
    "the function reads variables, so grad_fn gets them, and returns their gradients, too.":
        "関数が変数を使うので、grad_fn は変数も受け取り、その勾配も返さなければなりません。",
    "write `def grad_fn(dy, variables=None): return by_inputs, by_variables`.":
        "`def grad_fn(dy, variables=None): return 引数の勾配, 変数の勾配` と書いてください。",
    "return one gradient for each argument, in their order; None where there is none.":
        "引数の順に勾配を一つずつ返してください。ないものは None です。",
    "return (gradients by the arguments, [gradients by the variables]).": "(引数の勾配, [変数の勾配]) を返してください。",
    "the dataset has more than one element.": "データセットに二つ以上の要素があります。",
    "the dataset has no element.": "データセットに要素がありません。",
    "next(iter(dataset)) gives the first of several.": "最初の要素は next(iter(dataset)) で得られます。",
    "look which filter(), skip() or take() leaves nothing.":
        "どの filter()、skip()、take() で何も残らなくなるかを確かめてください。",
    "tf.data.Dataset.from_tensors(x) is a dataset of one element.":
        "一つの要素のデータセットは tf.data.Dataset.from_tensors(x) で作れます。",
    "an element is a dataset (a window), not a tensor.": "要素がテンソルではなくデータセット (window) です。",
    "make tensors of the windows first: dataset.flat_map(lambda w: w.batch(n)).":
        "先に window をテンソルにしてください: dataset.flat_map(lambda w: w.batch(n))。",
    "yield arrays of that shape, or write None into output_signature for sizes that vary.":
        "その形の配列を yield するか、変わる大きさを output_signature で None にしてください。",
    "the elements of a batch must have the same shape": "一つのバッチの要素は同じ形でなければなりません",
    "padded_batch(n) fills up with zeros; or bring them to one shape in map() first.":
        "padded_batch(n) なら 0 で埋めます。または先に map() で形をそろえてください。",
    "values of dtype {dtype}": "型 {dtype} の値",
    "yield numbers of that dtype, or change output_signature.":
        "その型の数を yield するか、output_signature を直してください。",
    "x and y differ by up to {size}, more than the tolerance allows.":
        "x と y の差が最大 {size} で、許容範囲を超えています。",
    "look for what makes them differ, or pass a larger rtol= or atol=.":
        "違いの原因を探すか、rtol= や atol= を大きくしてください。",
    "the condition that the program asserts is false.": "プログラムが確かめた条件が成り立っていません。",
    "look at the data above, and at the lines that make it.": "上のデータと、それを作る行を確かめてください。",
    "a finite number": "有限の数",
    "look for a division by 0, a logarithm of 0 or too large a learning rate before this line.":
        "この行より前に、0 での割り算、0 の対数、大きすぎる学習率がないか確かめてください。",
    "{allowed}": "{allowed}",
    "tf.cast(x, tf.{allowed})": "tf.cast(x, tf.{allowed}) と書いてください。",
    "tf.cast(x, tf.int32)": "tf.cast(x, tf.int32) と書いてください。",
    "x {sign} y, as the program asserts, is false for {count} of {total} pairs.":
        "プログラムが確かめた x {sign} y が、{total} 組のうち {count} 組で成り立っていません。",
    "look at the lines that make x and y; rounded numbers are compared by tf.debugging.assert_near.":
        "x と y を作る行を確かめてください。丸められた数の比較には tf.debugging.assert_near を使います。",
    "{condition}": "{condition}",
    "look at the line that makes x, and at tf.reduce_min(x) and tf.reduce_max(x).":
        "x を作る行と、tf.reduce_min(x)、tf.reduce_max(x) を確かめてください。",
    "look at the line that makes it: are its dimensions in the right order?":
        "それを作る行を確かめてください。次元の順序は合っていますか。",
    "a dtype such as tf.float32 or 'float32'": "tf.float32 や 'float32' などの型",
    "{dtype} has no smallest and no largest number.": "{dtype} には最小の数も最大の数もありません。",
    "floats and integers have them: tf.float32.max.": "浮動小数点数と整数にはあります: tf.float32.max。",
    "{what} has dtype {dtype} and {other} has dtype {other_dtype}; TensorFlow never converts a dtype by itself.":
        "{what} の型は {dtype}、{other} の型は {other_dtype} ですが、TensorFlow は型を自動では変換しません。",
    "tf.cast(x, tf.{other_dtype})": "tf.cast(x, tf.{other_dtype}) と書いてください。",
    "tf.cast(x, tf.float32)": "tf.cast(x, tf.float32) と書いてください。",
    "tf.expand_dims(x, axis) adds a dimension, tf.squeeze(x, axis) drops one of size 1, tf.reshape changes all.":
        "tf.expand_dims(x, axis) は次元を加え、tf.squeeze(x, axis) は大きさ 1 の次元を除き、tf.reshape は全体の形を変えます。",
    "axis is {value}, and the tensor has {count} dimensions.": "axis は {value} ですが、テンソルは {count} 次元です。",
    "axis counts from 0 on, or from -1 on backwards; x.shape shows the dimensions.":
        "axis は 0 から、または後ろへ -1 から数えます。次元は x.shape でわかります。",
    "sizes, counted from the last dimension on, must be equal or 1":
        "最後の次元から順に、大きさが等しいか 1 でなければなりません",
    "tf.expand_dims adds a dimension of size 1; tf.transpose and tf.reshape change the order.":
        "tf.expand_dims は大きさ 1 の次元を加えます。次元の順序や形は tf.transpose や tf.reshape で変えられます。",
    "the texts have different lengths.": "文字列の長さが違います。",
    "decode texts of one length together, and the others one by one.":
        "同じ長さの文字列をまとめて、ほかは一つずつ変換してください。",
    "{reason}": "{reason}",
    "the accumulator is open already.": "accumulator はすでに開いています。",
    "make a tf.autodiff.ForwardAccumulator(...) of its own for each `with`.":
        "`with` ごとに tf.autodiff.ForwardAccumulator(...) を作ってください。",
    "two whole numbers": "二つの整数",
    "tf.image.resize(images, (height, width))": "tf.image.resize(images, (高さ, 幅)) と書いてください。",
    "a picture is [height, width, channels]; tf.expand_dims(x, -1) gives a grey one its channel.":
        "画像の形は [高さ, 幅, チャネル] です。白黒の画像には tf.expand_dims(x, -1) でチャネルを加えてください。",
    "the picture is {height} x {width}; a part of {part_height} x {part_width} from ({top}, {left}) on goes beyond it.":
        "画像は {height} x {width} ですが、({top}, {left}) から {part_height} x {part_width} の部分は画像からはみ出します。",
    "choose a smaller part; tf.image.resize_with_crop_or_pad pads where it goes beyond.":
        "小さな部分を選んでください。tf.image.resize_with_crop_or_pad なら、はみ出した所を 0 で埋めます。",
    "the picture is {height} x {width}; from ({top}, {left}) on it does not fit into {part_height} x {part_width}.":
        "画像は {height} x {width} で、({top}, {left}) から置くと {part_height} x {part_width} に収まりません。",
    "choose a larger size; tf.image.resize_with_crop_or_pad cuts where it goes beyond.":
        "大きくしてください。tf.image.resize_with_crop_or_pad なら、はみ出した所を切り落とします。",
    "a number above {low} and at most {high}": "{low} より大きく {high} 以下の数",
    "a tensor has as many indices as dimensions; for rows by a list of positions use tf.gather(x, [0, 1]).":
        "添字は次元の数までです。位置のリストで行を選ぶには tf.gather(x, [0, 1]) を使ってください。",
    "a whole number, a slice, ... or None": "整数、スライス、...、None のどれか",
    "for a list of positions use tf.gather(x, positions), for a mask tf.boolean_mask(x, mask).":
        "位置のリストには tf.gather(x, positions) を、マスクには tf.boolean_mask(x, mask) を使ってください。",
    "the index is {value}, and dimension {dim} has size {size}.":
        "添字は {value} ですが、次元 {dim} の大きさは {size} です。",
    "indices count from 0 on, or from -1 on backwards; x.shape shows the sizes.":
        "添字は 0 から、または後ろへ -1 から数えます。大きさは x.shape でわかります。",
    "look at tf.reduce_min(indices) and tf.reduce_max(indices), and at the size of what they choose from.":
        "tf.reduce_min(indices) と tf.reduce_max(indices)、そして選ぶ対象の大きさを確かめてください。",
    "the mask has an entry for each row: x > 0, for example.":
        "マスクには行ごとに一つの値が必要です。たとえば x > 0 です。",
    "the mask must have the sizes of the tensor from dimension {axis} on":
        "マスクの大きさは、テンソルの次元 {axis} からの大きさと同じでなければなりません",
    "compare: tf.where(c > 0, x, y); or tf.cast(c, tf.bool).":
        "tf.where(c > 0, x, y) のように比べるか、tf.cast(c, tf.bool) と書いてください。",
    "an index is a tensor of dtype {dtype} and shape {shape}; it must be one whole number.":
        "添字が型 {dtype}、形 {shape} のテンソルですが、一つの整数でなければなりません。",
    "dimension {dim} has size {size}; {value} elements from {start} on are not there.":
        "次元 {dim} の大きさは {size} で、{start} から {value} 個の要素はありません。",
    "take fewer, or -1 for all that are left.": "数を減らすか、-1 で残りすべてを取ってください。",
    "indices holds {value}, and the tensor has shape {shape}.":
        "indices に {value} がありますが、テンソルの形は {shape} です。",
    "each number of a position must lie below the size of its dimension.":
        "位置の各数は、その次元の大きさより小さくしてください。",
    "condition, x and y have shapes {mask}, {shape} and {other_shape}: no common shape.":
        "condition、x、y の形が {mask}、{shape}、{other_shape} で、共通の形になりません。",
    "{op} does not take this input of shape {shape}.": "{op} は形 {shape} のこの入力を受け取れません。",
    "look at the line that makes it: two dimensions at least, no NaN, symmetric where that is asked.":
        "それを作る行を確かめてください。二次元以上で NaN がなく、必要なら対称でなければなりません。",
    "give a vector a second dimension (tf.expand_dims), or use tf.tensordot or tf.linalg.matvec.":
        "ベクトルに次元を加える (tf.expand_dims) か、tf.tensordot や tf.linalg.matvec を使ってください。",
    "the columns of the first must be as many as the rows of the second":
        "最初の行列の列数は、二つ目の行数と同じでなければなりません",
    "transpose one of them: transpose_a=True or transpose_b=True.":
        "一方を転置してください: transpose_a=True または transpose_b=True。",
    "the sizes that are summed over must be equal": "和をとる次元の大きさは等しくなければなりません",
    "choose dimensions of equal size by axes=.": "axes= で大きさの等しい次元を選んでください。",
    "the input has shape {shape}; its last two sizes must be equal.":
        "入力の形は {shape} ですが、最後の二つの大きさは等しくなければなりません。",
    "look at the line that makes it; tf.linalg.pinv takes any matrix.":
        "それを作る行を確かめてください。tf.linalg.pinv はどんな行列でも受け取ります。",
    "tf.linalg.pinv and tf.linalg.lstsq take all matrices.":
        "tf.linalg.pinv と tf.linalg.lstsq はどんな行列でも受け取ります。",
    "all sizes before the last two must be equal or 1": "最後の二つより前の大きさは、等しいか 1 でなければなりません",
    "its letters do not fit the shapes {sizes}": "文字が形 {sizes} に合っていません",
    "write one letter for each dimension, and the same letter only for the same size.":
        "次元ごとに一文字を書き、同じ文字は同じ大きさにだけ使ってください。",
    "the matrix is not positive definite.": "行列が正定値ではありません。",
    "look whether it is symmetric; a small number on the diagonal may help: a + 1e-6 * tf.eye(n).":
        "対称かどうかを確かめてください。対角に小さな数を足すとよい場合もあります: a + 1e-6 * tf.eye(n)。",
    "a Python identifier": "Python の識別子",
    "the two are not nested alike: one has a list, a tuple, a dict or a key where the other has none.":
        "二つの入れ子が違います。一方にあるリスト、タプル、辞書、キーが、もう一方にありません。",
    "give both the same lists and tuples, and dicts of the same keys.": "リストやタプル、辞書のキーをそろえてください。",
    "the first structure is of type {first} and the second of type {kind}.":
        "最初の構造の型は {first}、二つ目の型は {kind} です。",
    "convert one of them, or pass check_types=False.": "一方を変換するか、check_types=False を渡してください。",
    "tf.cast(labels, tf.int32)": "tf.cast(labels, tf.int32) と書いてください。",
    "logits are [batch, classes]: one number for each class.":
        "logits の形は [バッチ, クラス] で、クラスごとに一つの数です。",
    "labels must have the shape of logits without the last dimension":
        "labels の形は、logits の形から最後の次元を除いたものでなければなりません",
    "labels are numbers of classes here; for one-hot labels use tf.nn.softmax_cross_entropy_with_logits.":
        "ここではラベルはクラスの番号です。one-hot なら tf.nn.softmax_cross_entropy_with_logits を使ってください。",
    "classes count from 0 on: does the last layer have one output for each class?":
        "クラスは 0 から数えます。最後の層の出力はクラスの数だけありますか。",
    "labels are one-hot here; for numbers of classes: tf.nn.sparse_softmax_cross_entropy_with_logits.":
        "ここではラベルは one-hot です。クラスの番号なら tf.nn.sparse_softmax_cross_entropy_with_logits を使ってください。",
    "a key of a dict or set must not depend on how elements compare.":
        "辞書や集合のキーは、要素ごとの比較に左右されるものではいけません。",
    "use a name or id(x) as the key.": "名前か id(x) をキーにしてください。",
    "whole numbers that begin with 0, never fall, and end with {n}": "0 で始まり、減ることなく、{n} で終わる整数",
    "not every row has an element there.": "その位置に要素のない行があります。",
    "take a slice: x[:, 0:1].": "スライスにしてください: x[:, 0:1]。",
    "the rows of the two have different lengths.": "二つの行の長さが違います。",
    "give both the same row lengths, or fill up: x.to_tensor().": "行の長さをそろえるか、x.to_tensor() で埋めてください。",
    "tf.expand_dims(logits, 0) makes one row of a vector.": "tf.expand_dims(logits, 0) でベクトルを一行の行列にできます。",
    "some sizes of {shape} are not known (None).": "{shape} にはまだわからない大きさ (None) があります。",
    "tf.shape(x) gives the sizes of a tensor that is there.": "実際のテンソルの大きさは tf.shape(x) でわかります。",
    "{shape} and {other_shape} do not agree in their number of dimensions or in a size.":
        "{shape} と {other_shape} は、次元の数か大きさが合いません。",
    "None in a shape stands for any size.": "形の中の None は、どの大きさにも合います。",
    "the number of dimensions is not known.": "次元の数がわかりません。",
    "give the dimensions, with None for sizes that are open: tf.TensorShape([None, 3]).":
        "次元を書いてください。決まっていない大きさは None です: tf.TensorShape([None, 3])。",
    "sizes with at most one -1": "-1 が一つまでの大きさの並び",
    "the tensor of shape {shape} has {have_count} elements, and the sizes {value} need a multiple of {known}.":
        "形 {shape} のテンソルの要素は {have_count} 個ですが、{value} には {known} の倍数が必要です。",
    "choose sizes whose product is {have_count}; one may be -1, which is computed.":
        "積が {have_count} になる大きさを選んでください。一つは -1 にでき、計算で決まります。",
    "the tensor of shape {shape} has {have_count} elements, and the sizes {value} need {known}.":
        "形 {shape} のテンソルの要素は {have_count} 個ですが、{value} には {known} 個必要です。",
    "each number from 0 to {last} once": "0 から {last} までの数を一つずつ並べたもの",
    "sizes, counted from the last dimension on, must be equal, or 1 in the tensor":
        "最後の次元から順に、大きさが等しいか、テンソルのほうが 1 でなければなりません",
    "give a pair (before, after) for each dimension: [[0, 0], [1, 1]].":
        "次元ごとに (前, 後) の組を渡してください: [[0, 0], [1, 1]]。",
    "both must have as many dimensions": "次元の数が同じでなければなりません",
    "tf.expand_dims adds a dimension; tf.stack joins tensors along a new one.":
        "tf.expand_dims は次元を加え、tf.stack は新しい次元でつなぎます。",
    "tf.concat joins tensors of different sizes along a dimension they have.":
        "大きさの違うテンソルは、tf.concat で既存の次元に沿ってつなげます。",
    "choose a number of parts that divides {value}, or give a list of sizes.":
        "{value} を割り切る数を選ぶか、大きさのリストを渡してください。",
    "sizes whose sum is {n}": "和が {n} になる大きさの並び",
    "squeeze only dimensions of size 1; without axis all of those go.":
        "squeeze できるのは大きさ 1 の次元だけです。axis を省くと、それらをすべて除きます。",
    "kobai has the types 2 and 3, and type is {value}.": "kobai にあるのは 2 と 3 ですが、type は {value} です。",
    "type 2 is the usual one, and type 3 its inverse.": "普通は 2 を使います。3 はその逆変換です。",
    "tf.cast(x, tf.complex64)": "tf.cast(x, tf.complex64) と書いてください。",
    "each value needs one row of indices.": "値ごとに indices の行が一つ必要です。",
    "the text has {size} characters, and pos is {value}.": "文字列は {size} 文字ですが、pos は {value} です。",
    "choose a position inside of each text; tf.strings.length shows their lengths.":
        "どの文字列でも範囲に入る位置を選んでください。長さは tf.strings.length でわかります。",
    "a tensor or a variable": "テンソルか変数",
    "the target is of type {kind}: it left the graph (.numpy(), float() or NumPy did that).":
        "対象の型は {kind} です。.numpy()、float()、NumPy のどれかでグラフから離れました。",
    "compute it with tf functions, inside of the tape's block.":
        "テープのブロックの中で、tf の関数を使って計算してください。",
    "the block of this tape is open already.": "このテープのブロックはすでに開いています。",
    "make a second tape for the inner block: derivatives of derivatives need two.":
        "内側のブロックには別のテープを作ってください。二階の微分にはテープが二つ必要です。",
    "the block of this tape is closed already.": "このテープのブロックはすでに閉じています。",
    "go on inside of `with tf.GradientTape() as tape:`.": "`with tf.GradientTape() as tape:` の中で続けてください。",
    "the tape is not recording here.": "ここではテープは記録していません。",
    "write `with tape.stop_recording():` inside of the tape's block.":
        "`with tape.stop_recording():` はテープのブロックの中に書いてください。",
    "look at the function that computes it: is a `return` missing?":
        "それを計算する関数を確かめてください。`return` を忘れていませんか。",
    "both must have the same first size, the batch": "最初の大きさ (バッチ) が同じでなければなりません",
    "this tape has computed its gradient already.": "このテープはすでに勾配を計算しました。",
    "ask for all at once: tape.gradient(y, [a, b]); or write tf.GradientTape(persistent=True).":
        "tape.gradient(y, [a, b]) で一度に求めるか、tf.GradientTape(persistent=True) と書いてください。",
    "the tape has not recorded anything yet.": "テープはまだ何も記録していません。",
    "call watch inside of `with tf.GradientTape() as tape:`.":
        "watch は `with tf.GradientTape() as tape:` の中で呼んでください。",
    "tensors of TensorFlow do not change.": "TensorFlow のテンソルは書き換えられません。",
    "tf.tensor_scatter_nd_update(x, indices, updates); or keep it in a tf.Variable: v[i].assign(value).":
        "tf.tensor_scatter_nd_update(x, indices, updates) を使うか、tf.Variable にして v[i].assign(value) と書いてください。",
    "use x.ref() as the key; .deref() gives the tensor back.": "x.ref() をキーにしてください。.deref() で元に戻せます。",
    "inside tf.vectorized_map a tensor stands for all rows at once.":
        "tf.vectorized_map の中では、一つのテンソルがすべての行を表します。",
    "compute with tf functions there; .numpy(), if and float() come after it.":
        "そこでは tf の関数で計算し、.numpy()、if、float() はその後にしてください。",
    "the tensor has shape {shape}: not one number, but several or none.":
        "テンソルの形は {shape} で、一つの数ではありません。",
    "take one, x[0], or reduce it: tf.reduce_sum(x).":
        "x[0] のように一つを取るか、tf.reduce_sum(x) などでまとめてください。",
    "the tensor has several elements, and some may be true while others are not.":
        "テンソルに複数の要素があり、真のものとそうでないものがあり得ます。",
    "tf.reduce_any(x) or tf.reduce_all(x)": "tf.reduce_any(x) か tf.reduce_all(x) を使ってください。",
    "a tensor has dtype {dtype}, and {wanted} is needed; TensorFlow never converts a dtype by itself.":
        "テンソルの型は {dtype} ですが、必要なのは {wanted} です。TensorFlow は型を自動では変換しません。",
    "tf.cast(x, tf.{wanted})": "tf.cast(x, tf.{wanted}) と書いてください。",
    "{value} is no value of dtype {dtype}.": "{value} は型 {dtype} の値になりません。",
    "leave out dtype=, or convert the value first: int(x), float(x), str(x).":
        "dtype= を省くか、先に int(x)、float(x)、str(x) で変換してください。",
    "a number, a text, an array, or lists of them": "数、文字列、配列、またはそれらのリスト",
    "a number or a text": "数か文字列",
    "rows of different lengths make such arrays: fill them up to one length.":
        "長さの違う行からはこのような配列ができます。長さをそろえてください。",
    "there is a None among the values.": "値の中に None があります。",
    "look where it comes from: a function without a `return` gives None.":
        "どこから来たか確かめてください。`return` のない関数は None を返します。",
    "numbers, texts or truth values stand in one list.": "数、文字列、真偽値が一つのリストに混ざっています。",
    "make all of one type: [float(v) for v in x].": "型をそろえてください: [float(v) for v in x]。",
    "the value has {have_count} elements, and shape {value} has {known}.":
        "値の要素は {have_count} 個ですが、形 {value} には {known} 個必要です。",
    "choose sizes whose product is {have_count}.": "積が {have_count} になる大きさを選んでください。",
    "texts and numbers are not cast to each other.": "文字列と数は互いに cast できません。",
    "tf.strings.as_string(x) or tf.strings.to_number(x)":
        "tf.strings.as_string(x) か tf.strings.to_number(x) を使ってください。",
    "a whole number in it needs more than 64 bits.": "64 ビットに収まらない整数があります。",
    "write it as a float: 1e30.": "1e30 のように浮動小数点数で書いてください。",
    "fill them up to one length, or use tf.ragged.constant(rows).":
        "長さをそろえるか、tf.ragged.constant(rows) を使ってください。",
    "an array of numbers, texts or truth values": "数、文字列、真偽値の配列",
    "convert it: x.astype('float32').": "x.astype('float32') で変換してください。",
    "`variable {operator} value` would put a tensor in place of the variable.":
        "`variable {operator} value` では、変数がテンソルに置き換わってしまいます。",
    "variable.{method}({given})": "variable.{method}({given}) と書いてください。",
    "a tensor or a number": "テンソルか数",
    "give it that shape; tf.Variable(..., shape=tf.TensorShape(None)) takes any.":
        "その形にしてください。tf.Variable(..., shape=tf.TensorShape(None)) ならどの形も受け取ります。",
    "the list of arguments": "引数の並び",
    "the result of grad_fn": "grad_fn の結果",
    "the second result of grad_fn": "grad_fn の二つ目の結果",
    "the first component": "最初の成分",
    "a component": "成分",
    "an element of generator": "generator の要素",
    "the first element": "最初の要素",
    "a tangent": "接ベクトル",
    "the index": "添字",
    "an index": "添字",
    "the size of the dimension": "次元の大きさ",
    "a source of the gradient": "勾配の変数",
    "an element of the array": "配列の要素",
    "the target of the gradient": "勾配の対象",
    # ---- `kobai run`
    "kobai does not have {what}, and an installed one works only with PyTorch itself, for which it was compiled.":
        "kobai に {what} はありません。インストールされたものは PyTorch 用にコンパイルされていて、PyTorch でしか動きません。",
    "write what you need of it with kobai, or run the program with PyTorch.":
        "必要な部分を kobai で書くか、PyTorch で実行してください。",
    "two systems cannot share the name {name}.":
        "{name} という名前を二つのシステムで同時には使えません。",
    "start afresh (in a notebook: restart the kernel) and load kobai before the first `import {name}`; "
    "or write `import kobai as torch`, and leave the other alone.":
        "新しく始め (ノートブックではカーネルを再起動し)、最初の `import {name}` より前に kobai を読み込んでください。"
        "または `import kobai as torch` と書いてください。",
    "Python has no source of it that could run as a program":
        "プログラムとして実行できる Python のソースがありません",
    "name a .py file, a folder with a __main__.py, or a module that is written in Python.":
        ".py ファイル、__main__.py のあるフォルダー、または Python で書かれたモジュールを指定してください。",
    "give one number for each dimension of the tensor.": "テンソルの次元ごとに一つの数を渡してください。",
    "the rows of the value have different lengths.": "値の行の長さが違います。",
    "{value} is no number.": "{value} は数ではありません。",
    "take such texts out first, or replace them.": "そのような文字列を先に除くか、置き換えてください。",
    "the last layer must make as many numbers as y_true has, Dense({n}), and y_true must have a row for each of x; numbers "
    "of classes need a loss whose name begins with sparse.":
        "最後の層の出力の数を y_true に合わせ (Dense({n}))、y_true の行数を x と同じにしてください。クラスの番号には、"
        "名前が sparse で始まる損失を使います。",
    "a list, even if it has one entry": "リスト (一つでも)",
    "put square brackets around it: {what}=[{value}].": "角括弧で囲んでください: {what}=[{value}]。",
    "Sequential takes one list: put square brackets around the layers, Sequential([a, b]).":
        "Sequential が受け取るのは一つのリストです。層を角括弧で囲んでください: Sequential([a, b])。",
}
