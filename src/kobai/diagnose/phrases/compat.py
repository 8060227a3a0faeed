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
    "a single tensor": "一つのテンソル",
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
    "the data file": "データのファイル",
}
