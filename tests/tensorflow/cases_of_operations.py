"""Expressions whose values, gradients and second gradients TensorFlow's record holds (see record.py).

Each is `(expression, names of its inputs)`; the first input is called `a` in it, the second `b`.
"""
import numpy as np

_r = np.random.RandomState(0)


def _f(*shape):
    return _r.randn(*shape).astype("f")


_S = _f(4, 4)
INPUTS = {
    "A": _f(3, 4), "B": _f(3, 4), "P": np.abs(_f(3, 4)) + np.float32(0.3),
    "U": _r.uniform(-0.9, 0.9, (3, 4)).astype("f"), "V": _f(4), "S": _S, "PD": _S @ _S.T + 4 * np.eye(4, dtype="f"),
    "I": _r.randint(0, 5, (3, 4)).astype("i"), "T3": _f(2, 3, 4), "X": _f(2, 7, 6, 3), "K": _f(3, 2, 3, 5),
    "X1": _f(2, 9, 3), "K1": _f(3, 3, 4), "X3": _f(1, 4, 5, 4, 2), "K3": _f(2, 2, 2, 2, 3), "D": _r.randn(3, 4),
    "TIE": np.array([[1.0, 2.0, 2.0, 0.0], [3.0, 3.0, 1.0, 3.0]], "f"),
    "C": (_r.randn(3) + 1j * _r.randn(3)).astype("complex64"), "Z": np.array([-1.0, 0.0, 0.0, 2.0], "f"),
}
CASES = []


def _add(expression, *names):
    CASES.append((expression, names))


for _n in ("exp expm1 sin cos tan sinh cosh tanh asinh atan sigmoid square abs negative erf erfc sign softplus softsign "
           "log_sigmoid floor ceil round rint is_nan is_inf is_finite bessel_i0e").split():
    _add(f"tf.math.{_n}(a)", "A")
for _n in "log log1p sqrt rsqrt reciprocal lgamma digamma reciprocal_no_nan bessel_i0 bessel_i1".split():
    _add(f"tf.math.{_n}(a)", "P")
for _n in "asin acos atanh erfinv".split():
    _add(f"tf.math.{_n}(a)", "U")
_add("tf.math.acosh(a+1.)", "P")
_add("tf.math.ndtri(tf.abs(a))", "U")
_add("tf.math.erfcinv(a+1.)", "U")
for _n in ("add subtract multiply divide maximum minimum squared_difference atan2 floormod truediv floordiv divide_no_nan "
           "multiply_no_nan less greater_equal equal not_equal").split():
    _add(f"tf.math.{_n}(a,b)", "A", "B")
    _add(f"tf.math.{_n}(a,b)", "A", "V")
for _n in "maximum minimum divide_no_nan xlogy xdivy multiply_no_nan xlog1py".split():
    _add(f"tf.math.{_n}(tf.abs(a),tf.abs(b))", "Z", "Z")
for _e, *_n in (
        ("tf.pow(a,b)", "P", "B"), ("tf.pow(a,2)", "A"), ("tf.pow(a,3.)", "A"), ("a**0.5", "P"), ("2.**a", "A"),
        ("tf.pow(a,b)", "Z", "Z"), ("tf.math.polyval([a,b,1.],2.)", "A", "B"), ("tf.add_n([a,b,a])", "A", "B"),
        ("tf.clip_by_value(a,-.5,.5)", "A"), ("tf.clip_by_value(a,b,b+1.)", "A", "B"), ("tf.clip_by_norm(a,1.)", "A"),
        ("tf.clip_by_norm(a,1.,axes=[1])", "A"), ("tf.clip_by_global_norm([a,b],1.)", "A", "B"),
        ("tf.clip_by_norm(a,100.)", "A"), ("a+b", "D", "D"), ("tf.exp(a)", "D"), ("tf.nn.softmax(a)", "D"),
        ("tf.math.polygamma(1.+0.*a,a)", "P")):
    _add(_e, *_n)
for _n in ("reduce_sum reduce_mean reduce_max reduce_min reduce_prod reduce_logsumexp reduce_std reduce_variance "
           "reduce_euclidean_norm").split():
    for _args in ("a", "a,axis=0", "a,axis=[0,1],keepdims=True", "a,axis=-1,keepdims=True", "a,axis=[]"):
        _add(f"tf.math.{_n}({_args})", "A")
for _e in ("tf.reduce_max(a)", "tf.reduce_max(a,1)", "tf.reduce_min(a,1)", "tf.reduce_prod(a)", "tf.reduce_prod(a,1)",
           "tf.argmax(a,1,output_type=tf.int32)"):
    _add(_e, "TIE")
for _n in "reduce_sum reduce_mean reduce_max reduce_min reduce_prod".split():
    _add(f"tf.{_n}(a,0)", "I")
for _args in ("a", "a,axis=1", "a,axis=1,exclusive=True", "a,axis=0,reverse=True", "a,axis=1,exclusive=True,reverse=True"):
    _add(f"tf.cumsum({_args})", "A")
    _add(f"tf.math.cumprod({_args})", "A")
    _add(f"tf.math.cumulative_logsumexp({_args})", "A")
for _e, *_n in (
        ("tf.matmul(a,b,transpose_b=True)", "A", "B"), ("tf.matmul(a,b,transpose_a=True)", "A", "B"),
        ("tf.matmul(a,tf.transpose(b))", "T3", "A"), ("a@tf.expand_dims(b,-1)", "A", "V"),
        ("tf.linalg.matvec(a,b)", "A", "V"), ("tf.tensordot(a,b,1)", "A", "V"),
        ("tf.tensordot(a,b,[[0,1],[0,1]])", "A", "B"), ("tf.tensordot(a,b,[[1],[1]])", "A", "B"),
        ("tf.tensordot(a,b,0)", "A", "V"), ("tf.einsum('ij,kj->ik',a,b)", "A", "B"),
        ("tf.einsum('bij,kj->bik',a,b)", "T3", "A"), ("tf.einsum('ii->i',a)", "S"), ("tf.einsum('...j,j',a,b)", "T3", "V"),
        ("tf.linalg.solve(a,b)", "PD", "S"), ("tf.linalg.triangular_solve(tf.linalg.cholesky(a),b)", "PD", "S"),
        ("tf.linalg.cholesky_solve(tf.linalg.cholesky(a),b)", "PD", "S"), ("tf.linalg.lstsq(a,b)", "PD", "S"),
        ("tf.linalg.set_diag(a,b)", "S", "V"), ("tf.linalg.cross(a[:,:3],b[:,:3])", "A", "B"),
        ("tf.linalg.global_norm([a,b])", "A", "B"), ("tf.complex(a,b)", "A", "B")):
    _add(_e, *_n)
for _args in ("", "ord=1", "ord=2", "ord=np.inf", "ord=3", "ord='fro',axis=[0,1]", "ord=1,axis=[0,1]",
              "ord=np.inf,axis=[0,1]", "ord=2,axis=[0,1]", "axis=1,keepdims=True"):
    _add(f"tf.norm(a,{_args})", "A")
for _n in "det inv cholesky logdet slogdet trace diag_part pinv adjoint eigvalsh matrix_rank".split():
    _add(f"tf.linalg.{_n}(a)", "PD")
for _e, *_n in (
        ("tf.linalg.svd(a,compute_uv=False)", "A"), ("tf.abs(tf.linalg.qr(a)[1])", "S"),
        ("tf.linalg.band_part(a,1,0)", "S"), ("tf.linalg.band_part(a,-1,1)", "S"), ("tf.linalg.diag(a)", "A"),
        ("tf.linalg.diag(a,k=1)", "V"), ("tf.linalg.tensor_diag(a)", "V"), ("tf.linalg.tensor_diag_part(a)", "S"),
        ("tf.linalg.matrix_transpose(a)", "T3"), ("tf.linalg.l2_normalize(a,1)", "A"), ("tf.linalg.normalize(a,axis=1)", "A")):
    _add(_e, *_n)
_SHAPES = """tf.reshape(a,[2,-1]); tf.transpose(a); tf.expand_dims(a,1); tf.squeeze(a[:,None]); tf.tile(a,[2,1])
tf.repeat(a,2,axis=1); tf.repeat(a,[1,2,3],axis=0); tf.repeat(a,2); tf.reverse(a,[1]); tf.roll(a,1,0)
tf.roll(a,[1,-1],[0,1]); tf.pad(a,[[1,0],[2,1]]); tf.pad(a,[[1,1],[2,2]],'REFLECT'); tf.pad(a,[[1,1],[2,2]],'SYMMETRIC')
tf.pad(a,[[1,0],[2,1]],constant_values=5.); tf.concat([a,a],1); tf.stack([a,a],1); tf.unstack(a,axis=1)
tf.split(a,2,1); tf.split(a,[1,-1,2],1); tf.broadcast_to(a,[2,3,4]); tf.gather(a,[2,0,2]); tf.gather(a,1)
tf.gather(a,[[1,0],[2,1]],axis=1); tf.gather(a,[0],axis=-1); tf.gather_nd(a,[[0,1],[2,3]]); tf.gather_nd(a,[[0],[2]])
tf.boolean_mask(a,[True,False,True]); tf.boolean_mask(a,a>0); tf.boolean_mask(a,[True,False,True,True],axis=1)
tf.where(a>0,a,a*2); tf.where(a>0,a,0.); tf.where(a>0); tf.slice(a,[0,1],[2,-1]); tf.strided_slice(a,[0,0],[3,4],[2,1])
a[1]; a[:,1]; a[::2,::-1]; a[...,None]; a[-1,-1]; a[1:,:2]; tf.one_hot([0,2,-1],3); tf.sort(a,1); tf.identity(a)
tf.sort(a,0,'DESCENDING'); tf.argsort(a,1); tf.argsort(a,1,'DESCENDING'); tf.math.top_k(a,2); tf.stop_gradient(a)*a
tf.cast(a,tf.float64); tf.cast(a,tf.int32); tf.zeros_like(a); tf.ones_like(a); tf.shape(a); tf.size(a); tf.rank(a)
tf.meshgrid(a[0],a[1]); tf.meshgrid(a[0],a[:,1],indexing='ij'); tf.linspace(a[0],a[1],3); tf.linspace(0.,1.,4)+a[0]
tf.range(3.)[:,None]+a; tf.tensor_scatter_nd_update(a,[[0],[2]],a[:2]*2); tf.scatter_nd([[1],[3]],a[:2],[5,4])
tf.tensor_scatter_nd_add(a,[[0,1],[2,2]],[1.,2.]); tf.math.segment_sum(a,[0,0,1]); tf.math.segment_mean(a,[0,0,1])
tf.math.segment_max(a,[0,0,1]); tf.math.unsorted_segment_sum(a,[2,0,2],3); tf.math.unsorted_segment_mean(a,[2,0,2],4)
tf.dynamic_partition(a,[0,1,0],2); tf.dynamic_stitch([[0,2],[1]],[a[:2],a[2:]]); tf.fill([2,2],a[0,0]); tf.eye(2)*a[0,0]
tf.sequence_mask([1,3],4); tf.math.l2_normalize(a,0); tf.ensure_shape(a,[None,4]); tf.saturate_cast(a*300,tf.uint8)
tf.reduce_all(a>0,1); tf.reduce_any(a>0,1); tf.argmax(a,1); tf.argmin(a); tf.math.in_top_k([0,1,2],a,2); tf.bitcast(a,tf.int32)
tf.histogram_fixed_width(a,[-1.,1.],4); tf.linalg.eye(3,4,batch_shape=[2])+a[0]*0; tf.nn.moments(a,[0]); tf.nn.softmax(a,axis=0)
tf.nn.embedding_lookup(a,[1,1,0]); tf.nn.gelu(a,approximate=True); tf.nn.leaky_relu(a,.1); tf.nn.silu(a,2.)
tf.nn.sparse_softmax_cross_entropy_with_logits([0,3,1],a); tf.while_loop(lambda x: tf.reduce_sum(tf.abs(x))<100., lambda x: [x*2.],[a])
tf.map_fn(lambda x: x*tf.reduce_sum(x),a); tf.scan(lambda s,x: s*x,a); tf.vectorized_map(lambda x: x/tf.reduce_sum(x),a)
tf.foldl(lambda s,x: s+x*x,a)"""
for _e in _SHAPES.replace("\n", ";").split(";"):
    _add(_e.strip(), "A")
for _e in ("tf.gather(a,[[1,0],[2,1]],axis=2,batch_dims=1)", "tf.gather(a,[[1,0],[2,1]],batch_dims=1)",
           "tf.gather_nd(a,[[1],[2]],batch_dims=1)", "tf.transpose(a,[2,0,1])", "tf.nn.moments(a,[0,1],keepdims=True)"):
    _add(_e, "T3")
for _e in ("a//2", "a%3", "-a//2", "a/3", "a*a", "a**2", "tf.cast(a,tf.float32)/2.", "tf.bitwise.bitwise_and(a,3)",
           "tf.bitwise.left_shift(a,1)", "~a", "tf.math.floormod(-a,3)", "tf.truncatediv(-a,2)", "tf.truncatemod(-a,3)",
           "tf.abs(-a)", "tf.sign(a-2)", "tf.square(a)", "tf.cumsum(a,1)", "tf.maximum(a,2)", "tf.one_hot(a,5)",
           "tf.nn.relu(a-2)", "tf.unique(tf.reshape(a,[-1]))", "tf.unique_with_counts(tf.reshape(a,[-1]))",
           "tf.math.bincount(a)", "tf.math.confusion_matrix([0,1,1],[0,1,0])", "tf.math.invert_permutation([2,0,1])",
           "tf.math.count_nonzero(a)", "tf.math.zero_fraction(a)", "tf.searchsorted([1.,2.,3.],[0.5,2.,9.])"):
    _add(_e, "I")
for _n in "relu relu6 elu selu silu leaky_relu gelu softplus softsign softmax log_softmax sigmoid tanh l2_loss crelu".split():
    _add(f"tf.nn.{_n}(a*3)", "A")
    _add(f"tf.nn.{_n}(a)", "Z")
for _e, *_n in (
        ("tf.nn.sigmoid_cross_entropy_with_logits(labels=b,logits=a*5)", "A", "P"),
        ("tf.nn.softmax_cross_entropy_with_logits(b,a)", "A", "P"),
        ("tf.nn.softmax_cross_entropy_with_logits(b,a,axis=0)", "A", "P"),
        ("tf.nn.weighted_cross_entropy_with_logits(b,a,2.)", "A", "P"), ("tf.nn.log_poisson_loss(b,a,True)", "A", "P"),
        ("tf.nn.batch_normalization(a,b,tf.abs(b)+1.,b,b*2,1e-3)", "A", "V"), ("tf.nn.bias_add(a,b)", "A", "V"),
        ("tf.nn.conv2d(a,b,1,[[0,0],[1,2],[0,1],[0,0]])", "X", "K"),
        ("tf.nn.conv2d_transpose(a,tf.transpose(b,[0,1,3,2])[...,:3],[2,14,12,5],2,'SAME')", "X", "K"),
        ("tf.nn.conv2d_transpose(a,tf.transpose(b,[0,1,3,2])[...,:3],[2,15,12,5],2,'VALID')", "X", "K"),
        ("tf.nn.separable_conv2d(a,b[...,:1],tf.ones([1,1,3,2]),[1,1,1,1],'SAME')", "X", "K"),
        ("tf.nn.space_to_depth(a[:,:6],2)", "X"), ("tf.nn.max_pool(a,2,2,'SAME')", "X"),
        ("tf.cond(a[0]>0,lambda: a*2,lambda: a)", "V")):
    _add(_e, *_n)
for _p in ("SAME", "VALID"):
    for _s in (1, 2, [1, 2, 1, 1]):
        _add(f"tf.nn.conv2d(a,b,{_s},'{_p}')", "X", "K")
    _add(f"tf.nn.conv1d(a,b,2,'{_p}')", "X1", "K1")
    _add(f"tf.nn.conv3d(a,b,[1,1,1,1,1],'{_p}')", "X3", "K3")
    _add(f"tf.nn.depthwise_conv2d(a,b[...,:2],[1,1,1,1],'{_p}')", "X", "K")
    for _n in ("max_pool2d", "avg_pool2d"):
        _add(f"tf.nn.{_n}(a,2,2,'{_p}')", "X")
        _add(f"tf.nn.{_n}(a,[3,2],[1,2],'{_p}')", "X")
    _add(f"tf.nn.max_pool1d(a,2,2,'{_p}')", "X1")
    _add(f"tf.nn.avg_pool3d(a,2,1,'{_p}')", "X3")
for _e in ("tf.abs(a)", "tf.math.real(a)", "tf.math.imag(a)", "tf.math.angle(a)", "tf.math.conj(a)", "a*a", "tf.exp(a)",
           "tf.sqrt(a)", "tf.reduce_sum(a)"):
    _add(_e, "C")


def evaluate(tf, expression, names):
    """Values, gradients and second gradients of an expression: lists of arrays (None: no gradient)."""
    inputs = [tf.constant(INPUTS[n]) for n in names]
    by = [v for v in inputs if v.dtype.is_floating or v.dtype.is_complex]
    with tf.GradientTape(persistent=True) as outer:
        outer.watch(by)
        with tf.GradientTape(persistent=True) as inner:
            inner.watch(by)
            out = eval(expression, {"tf": tf, "np": np, **dict(zip("ab", inputs))})
            outs = [t for t in tf.nest.flatten(out) if t is not None]
            loss = _weighted(tf, outs)
        first = inner.gradient(loss, by) if loss is not None else []
        sizes = [tf.reduce_sum(tf.sin(tf.cast(tf.abs(tf.convert_to_tensor(g)), tf.float32))) for g in first if g is not None]
        curved = sum(sizes) if sizes else None
    second = outer.gradient(curved, by) if curved is not None else []
    return [[None if t is None else tf.convert_to_tensor(t).numpy() for t in ts] for ts in (outs, first, second)]


def _weighted(tf, outs):
    """One number from all outputs, in which no two elements weigh the same."""
    total = None
    for k, y in enumerate(outs):
        if y.dtype.is_floating or y.dtype.is_complex:
            w = np.cos(np.arange(int(np.prod(y.shape))) + k).reshape(y.shape)
            part = tf.reduce_sum(y * tf.cast(w, y.dtype))
            part = tf.cast(tf.math.real(part) if y.dtype.is_complex else part, tf.float32)
            total = part if total is None else total + part
    return total
