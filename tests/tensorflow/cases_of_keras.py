"""Layers, losses, metrics and optimizers whose numbers Keras's record holds (see record.py)."""
import random

import numpy as np

_r = np.random.RandomState(0)
INPUTS = {"x2": _r.randn(4, 5), "x3": _r.randn(2, 6, 3), "x4": _r.randn(2, 8, 7, 3), "x5": _r.randn(1, 4, 5, 4, 2),
          "i2": _r.randint(0, 10, (3, 4))}
INPUTS = {k: v.astype("f") if v.dtype.kind == "f" else v.astype("i") for k, v in INPUTS.items()}

LAYERS = [(e.strip(), name) for name, text in {
    "x2": """Dense(3); Dense(4,activation='softmax',use_bias=False); Dense(3,kernel_regularizer='l2',activity_regularizer='l1')
RepeatVector(3); BatchNormalization(); UnitNormalization(); Rescaling(2.,1.); Dropout(.5,seed=3); GaussianNoise(.5,seed=3)
GaussianDropout(.5,seed=3); ActivityRegularization(l2=.1); Activation('tanh'); ReLU(6.,.1,.2); LeakyReLU(); ELU(); Softmax()
PReLU(alpha_initializer='random_normal'); Lambda(lambda x: x*2); Identity()
Dense(7,kernel_initializer=keras.initializers.VarianceScaling(.5,'fan_out','untruncated_normal'))
Dense(7,kernel_initializer=keras.initializers.Constant(.3),bias_initializer='ones')
Dense(7,kernel_initializer=keras.initializers.Orthogonal(2.,seed=4))""",
    "x3": """Dense(3,activation='relu'); Reshape((3,-1)); Permute((2,1)); Conv1D(4,3); Conv1D(4,3,padding='causal',activation='tanh')
Conv1DTranspose(4,3,strides=2); MaxPooling1D(2); AveragePooling1D(2); GlobalAveragePooling1D(); GlobalMaxPooling1D(keepdims=True)
LayerNormalization(); LayerNormalization(axis=[1,2]); SpatialDropout1D(.5,seed=3); SimpleRNN(4); LSTM(4); GRU(4)
SimpleRNN(4,return_sequences=True,activation='relu'); LSTM(4,return_sequences=True,return_state=True)
LSTM(4,go_backwards=True,return_sequences=True); GRU(4,reset_after=False,return_sequences=True)
Bidirectional(layers.LSTM(3,return_sequences=True)); Bidirectional(layers.GRU(3),merge_mode='sum')
RNN([layers.LSTMCell(3),layers.GRUCell(2)]); LSTM(3,dropout=.3,recurrent_dropout=.2,seed=1); TimeDistributed(layers.Dense(2))
UpSampling1D(2); ZeroPadding1D(2); Cropping1D((1,2)); Masking(0.)""",
    "x4": """Flatten(); Conv2D(4,3); Conv2D(4,(3,2),strides=2,padding='same',activation='relu'); Conv2D(6,3,groups=3,padding='same')
Conv2D(4,3,dilation_rate=2); DepthwiseConv2D(3,depth_multiplier=2); DepthwiseConv2D(3,padding='same'); SeparableConv2D(4,3)
Conv2DTranspose(4,3,strides=2,padding='same'); Conv2DTranspose(4,3,strides=2); MaxPooling2D(); MaxPooling2D(3,2,padding='same')
Conv2DTranspose(2,3,strides=2,padding='same',output_padding=1); AveragePooling2D(2,padding='same'); GlobalAveragePooling2D()
GlobalMaxPooling2D(); BatchNormalization(scale=False,momentum=.5); GroupNormalization(groups=1); GroupNormalization(groups=3)
SpatialDropout2D(.5,seed=3); ZeroPadding2D(((1,0),(2,1))); Cropping2D(1); UpSampling2D(2)
UpSampling2D((2,3),interpolation='bilinear')""",
    "x5": "Conv3D(2,2); AveragePooling3D(2)", "i2": "Embedding(10,4); Embedding(10,4,embeddings_initializer='normal')",
}.items() for e in text.replace("\n", ";").split(";")]
LAYERS += [(f"Activation('{n}')", "x2") for n in (
    "relu elu selu gelu silu softplus softsign tanh sigmoid hard_sigmoid exponential linear mish relu6 leaky_relu softmax "
    "log_softmax celu hard_silu hard_tanh tanh_shrink log_sigmoid squareplus soft_shrink hard_shrink").split()]
LAYERS += [(f"Dense(5,kernel_initializer='{n}')", "x2") for n in (
    "zeros ones random_normal random_uniform truncated_normal glorot_uniform glorot_normal he_uniform he_normal "
    "lecun_uniform lecun_normal orthogonal identity").split()]

DATA = {"p": _r.uniform(0.05, 0.95, (4, 3)), "t": _r.uniform(0, 1, (4, 3)), "r": _r.randn(4, 3), "s": _r.randn(4, 3),
        "b": _r.randint(0, 2, (4, 3)).astype("f"), "oh": np.eye(3)[[0, 2, 1, 1]], "c": np.array([0, 2, 1, 1]),
        "sm": _r.dirichlet([1, 1, 1], 4), "w": np.array([1.0, 2.0, 0.0, 0.5])}
DATA = {k: v.astype("f") if v.dtype.kind == "f" else v for k, v in DATA.items()}
_CE = ["", "from_logits=True", "label_smoothing=.1"]
LOSSES = [(f"{name}({args})", a, b) for name, a, b, own in (
    ("MeanSquaredError", "r", "s", [""]), ("MeanAbsoluteError", "r", "s", [""]), ("MeanAbsolutePercentageError", "r", "s", [""]),
    ("MeanSquaredLogarithmicError", "t", "p", [""]), ("Huber", "r", "s", ["", "delta=.3"]), ("LogCosh", "r", "s", [""]),
    ("CosineSimilarity", "r", "s", [""]), ("Poisson", "t", "p", [""]), ("KLDivergence", "t", "p", [""]),
    ("Hinge", "b", "s", [""]), ("SquaredHinge", "b", "s", [""]), ("CategoricalHinge", "oh", "s", [""]),
    ("BinaryCrossentropy", "b", "p", _CE), ("CategoricalCrossentropy", "oh", "sm", _CE),
    ("SparseCategoricalCrossentropy", "c", "sm", _CE[:2]), ("BinaryFocalCrossentropy", "b", "p", ["", "label_smoothing=.1"]))
    for args in [*own, "reduction='sum'", "reduction='none'"]]
METRICS = [(e, a, b) for a, b, text in (
    ("c", "c", "Accuracy(); MeanIoU(num_classes=3); IoU(num_classes=3,target_class_ids=[0,1])"),
    ("b", "p", "BinaryAccuracy(); BinaryAccuracy(threshold=.3); Precision(); Recall(); Precision(thresholds=[.3,.7]); AUC(); "
               "TruePositives(); FalseNegatives(); AUC(curve='PR'); AUC(num_thresholds=5,summation_method='majoring'); "
               "BinaryCrossentropy()"),
    ("oh", "sm", "CategoricalAccuracy(); TopKCategoricalAccuracy(k=2); F1Score(); F1Score(average='macro'); "
                 "F1Score(average='micro',threshold=.4); Precision(top_k=1); Recall(class_id=1); CategoricalCrossentropy()"),
    ("c", "sm", "SparseCategoricalAccuracy(); SparseTopKCategoricalAccuracy(k=2); SparseCategoricalCrossentropy()"),
    ("r", "s", "MeanSquaredError(); RootMeanSquaredError(); MeanAbsoluteError(); MeanAbsolutePercentageError(); "
               "CosineSimilarity(); LogCoshError(); R2Score()"),
    ("t", "p", "MeanSquaredLogarithmicError(); KLDivergence(); Poisson()"), ("b", "s", "Hinge()"),
) for e in text.split("; ")]
OPTIMIZERS = [e.strip() for e in """SGD(.1); SGD(.1,momentum=.9); SGD(.1,momentum=.9,nesterov=True); Adam(.1); Adam(.1,amsgrad=True)
AdamW(.1); RMSprop(.1); RMSprop(.1,centered=True,momentum=.5); Adagrad(.1); Adadelta(.5); Adamax(.1); Nadam(.1); Ftrl(.1)
Ftrl(.1,l1_regularization_strength=.1,l2_regularization_strength=.1); Lion(.1); SGD(.1,clipnorm=.5); SGD(.1,clipvalue=.2)
Adam(.1,global_clipnorm=.5); Adam(.1,weight_decay=.01); SGD(keras.optimizers.schedules.CosineDecay(.1,10))
SGD(keras.optimizers.schedules.ExponentialDecay(.1,3,.5,staircase=True)); SGD(keras.optimizers.schedules.CosineDecayRestarts(.1,2))
SGD(keras.optimizers.schedules.PolynomialDecay(.1,3,power=2.)); SGD(keras.optimizers.schedules.InverseTimeDecay(.1,3,.5))
SGD(keras.optimizers.schedules.PiecewiseConstantDecay([1,3],[.1,.05,.01]))""".replace("\n", ";").split(";")]


def _seed(tf):
    random.seed(7)
    tf.keras.utils.set_random_seed(7)


def layer(tf, expression, name, training):
    """(outputs, weights, gradients, paths of weights and the shape for a batch of any size)."""
    _seed(tf)
    made = eval("layers." + expression, {"layers": tf.keras.layers, "keras": tf.keras})
    x = tf.constant(INPUTS[name])
    by = [x] if x.dtype.is_floating else []
    with tf.GradientTape() as tape:
        tape.watch(by)
        outs = tf.nest.flatten(made(x, training=training))
        loss = sum(tf.reduce_sum(v * tf.cast(np.cos(np.arange(int(np.prod(v.shape)))).reshape(v.shape), v.dtype))
                   for v in outs)
        for extra in made.losses:
            loss = loss + extra
    found = tape.gradient(loss, [*by, *made.trainable_variables])
    about = [w.path.split("/", 1)[-1] for w in made.weights], [list(s) if isinstance(s, tuple) else s for s in tuple(
        made.compute_output_shape((None, *INPUTS[name].shape[1:])))] if name != "i2" else []
    return ([v.numpy() for v in outs], [w.numpy() for w in made.weights],
            [None if g is None else tf.convert_to_tensor(g).numpy() for g in found], about)


def loss(tf, expression, a, b, weighted):
    """(value, nothing, gradient, the name)."""
    made = eval("keras.losses." + expression, {"keras": tf.keras})
    x = tf.constant(DATA["s" if "from_logits" in expression else b])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = made(tf.constant(DATA[a]), x, **({"sample_weight": DATA["w"]} if weighted else {}))
    return [y.numpy()], [], [tape.gradient(y, x).numpy()], made.name


def metric(tf, expression, a, b, weighted):
    """(result after two batches, nothing, nothing, the name)."""
    made = eval("keras.metrics." + expression, {"keras": tf.keras})
    weight = {"sample_weight": DATA["w"]} if weighted else {}
    made.update_state(DATA[a], DATA[b], **weight)
    made.update_state(DATA[a], np.roll(DATA[b], 1, 0), **weight)
    return [made.result().numpy()], [], [], made.name


def optimizer(tf, expression):
    """(two variables after each of six steps, nothing, nothing, nothing)."""
    made = eval("keras.optimizers." + expression, {"keras": tf.keras})
    v, u, path = tf.Variable([1.0, -2.0, 3.0]), tf.Variable([[0.5]]), []
    for _ in range(6):
        with tf.GradientTape() as tape:
            y = tf.reduce_sum(tf.sin(v) * v) + tf.reduce_sum(u * u * v[0])
        made.apply_gradients(zip(tape.gradient(y, [v, u]), [v, u]))
        path.append(np.append(v.numpy(), u.numpy()))
    return path, [], [], None


def all_cases():
    """(key, function of tf) for each case."""
    for e, name in LAYERS:
        for training in (False, True):
            yield f"layer {e} {'training' if training else 'inference'}", _alone(layer, e, name, training)
    for e, a, b in LOSSES:
        for weighted in (False, True):
            yield f"loss {e}{' weighted' * weighted}", _alone(loss, e, a, b, weighted)
    for e, a, b in METRICS:
        for weighted in (False, True):
            yield f"metric {e}{' weighted' * weighted}", _alone(metric, e, a, b, weighted)
    for e in OPTIMIZERS:
        yield f"optimizer {e}", _alone(optimizer, e)


def _alone(case, *arguments):
    """A case whose names ("dense_1") do not count what other cases made."""
    def run(tf):
        tf.keras.backend.clear_session()
        return case(tf, *arguments)
    return run
