"""Phrases in the errors of distributions."""
from __future__ import annotations

CHANCES: dict[str, str] = {
    "a number, not NaN": "NaN でない数",
    "0 or 1": "0 か 1",
    "F.softplus(x) and x.exp() of any number x are positive.":
        "任意の数 x に対して F.softplus(x) と x.exp() は正になります。",
    "a number of at least {low} and below {high}": "{low} 以上 {high} 未満の数",
    "one 1 and otherwise 0": "一つだけ 1 で残りが 0 のベクトル",
    "F.one_hot(number, classes) makes it from the number of a class.":
        "F.one_hot(number, classes) でクラス番号から作れます。",
    "numbers of at least 0 with the sum 1": "0 以上で合計が 1 の数の並び",
    "x.softmax(-1) of any numbers x is such a vector.": "任意の数 x に対して x.softmax(-1) はそのようなベクトルです。",
    "counts of at least 0 with the sum {high} at most": "0 以上で合計が {high} 以下の個数の並び",
    "a lower triangular matrix": "下三角行列",
    "x.tril() sets what is above the diagonal to zero.": "x.tril() は対角より上を 0 にします。",
    "a lower triangular matrix with a positive diagonal": "対角が正の下三角行列",
    "torch.linalg.cholesky(covariance) is such a matrix.": "torch.linalg.cholesky(covariance) はそのような行列です。",
    "a lower triangular matrix with a positive diagonal and rows of length 1": "対角が正で各行の長さが 1 の下三角行列",
    "torch.linalg.cholesky(correlations) is such a matrix.":
        "torch.linalg.cholesky(correlations) はそのような行列です。",
    "a square matrix": "正方行列",
    "a symmetric matrix": "対称行列",
    "(x + x.mT) / 2 is symmetric.": "(x + x.mT) / 2 は対称です。",
    "a symmetric matrix without negative eigenvalues": "負の固有値のない対称行列",
    "x @ x.mT is such a matrix.": "x @ x.mT はそのような行列です。",
    "a symmetric matrix with positive eigenvalues": "固有値がすべて正の対称行列",
    "x @ x.mT + 1e-4 * torch.eye(n) is such a matrix.": "x @ x.mT + 1e-4 * torch.eye(n) はそのような行列です。",
    "within {allowed}": "{allowed} の範囲内",
    "a step before it computed NaN: look for log, sqrt or a division there, or for a learning rate that is too large.":
        "それより前で NaN が計算されています。log、sqrt、割り算や、大きすぎる学習率がないか確かめてください。",
    "a number of {what} is not {must}.": "{what} の中に、{must}でない値があります。",
    "give one number for each category: torch.tensor([0.2, 0.3, 0.5]).":
        "カテゴリごとに一つの数を渡してください: torch.tensor([0.2, 0.3, 0.5])。",
    "write one number of draws for all, such as total_count=10.":
        "すべてに共通の回数を total_count=10 のように一つの整数で渡してください。",
    "{value} dimensions of the batch should become part of an event, and the batch_shape {shape} has {ndim}.":
        "バッチの次元のうち {value} 個を事象に含めようとしていますが、batch_shape {shape} は {ndim} 次元です。",
    "use a smaller number, or give the parameters more dimensions: loc.expand(n) makes a batch of n.":
        "もっと小さい数を使うか、loc.expand(n) などでパラメータの次元を増やしてください。",
    "the values of several dimensions together would be all their combinations.":
        "複数の次元をまとめると、すべての組み合わせを並べることになります。",
    "use base_dist.enumerate_support(), which is about each dimension by itself.":
        "次元ごとに並べる base_dist.enumerate_support() を使ってください。",
    "a transform or a list of transforms": "変換か、変換のリスト",
    "write TransformedDistribution(base, [AffineTransform(0.0, 2.0), ExpTransform()]).":
        "TransformedDistribution(base, [AffineTransform(0.0, 2.0), ExpTransform()]) と書いてください。",
    "these transforms work on vectors or matrices: give the base distribution more dimensions, Normal(torch.zeros(3), "
    "1.0).":
        "これらの変換はベクトルや行列を扱います。元の分布の次元を増やしてください: Normal(torch.zeros(3), 1.0)。",
    "{length}, the sum of the lengths": "{length} (長さの合計)",
    "{count}, one slice for each transform": "{count} (変換ごとに一つ)",
    "a constraint or a class of constraints": "制約か、制約のクラス",
    "take one of torch.distributions.constraints, or derive a class from constraints.Constraint.":
        "torch.distributions.constraints から選ぶか、constraints.Constraint からクラスを派生してください。",
    "no transform is known that leads to the set {name}.": "集合 {name} に移す変換が登録されていません。",
    "register one: @biject_to.register(constraints.{name}), above a function of the constraint that returns a "
    "transform.":
        "登録してください: 制約から変換を返す関数の上に @biject_to.register(constraints.{name}) と書きます。",
    "this set depends on parameters, so its {name} is not known before they are.":
        "この集合はパラメータによって変わるので、それが決まるまで {name} は分かりません。",
    "ask the constraint of a distribution that has its parameters, d.support, or give {name} to "
    "constraints.dependent(...).":
        "パラメータの決まった分布の制約 (d.support) を使うか、constraints.dependent(...) に {name} を渡してください。",
    "this set depends on parameters, so nothing can be checked before they are known.":
        "この集合はパラメータによって変わるので、それが決まるまで何も調べられません。",
    "ask the constraint of a distribution that has its parameters: d.support.check(value).":
        "パラメータの決まった分布の制約を使ってください: d.support.check(value)。",
    "probs and logits say the same in two ways; exactly one of them is needed.":
        "probs と logits は同じものの二つの表し方で、ちょうど一方だけが必要です。",
    "give probs (probabilities) or logits (any numbers, as a layer computes them).":
        "probs (確率) か logits (層の出力のような任意の数) のどちらかを渡してください。",
    "{fn} is here for one total_count only, and these differ.":
        "ここでの {fn} は total_count が一つのときだけ使えますが、値が異なります。",
    "make one distribution for each total_count.": "total_count ごとに分布を作ってください。",
    "{cls} has an __init__ of its own, so expand() of {base} does not know how to make another one.":
        "{cls} には独自の __init__ があり、{base} の expand() は同じものの作り方を知りません。",
    "write `def expand(self, batch_shape, _instance=None)` in {cls}.":
        "{cls} の中に `def expand(self, batch_shape, _instance=None)` を書いてください。",
    "write torch.tensor(value).": "torch.tensor(value) と書いてください。",
    "the last dimensions of a value must be those of an event": "値の最後の次元は事象の次元と同じでなければなりません",
    "one value of this distribution has shape {other_shape}; samples and batch stand in front.":
        "この分布の一つの値の形は {other_shape} です。標本やバッチの次元はその前に置きます。",
    "counted from the last dimension, sizes must be equal or 1":
        "最後の次元から数えて、大きさは等しいか 1 でなければなりません",
    "for n values of each distribution the shape is (n, ...) in front of {other_shape}: value.unsqueeze(1) or the "
    "like.":
        "各分布に n 個の値なら、形は {other_shape} の前に n を付けたものです: value.unsqueeze(1) などを使ってくださ"
        "い。",
    "a class of distributions": "分布のクラス",
    "no formula is known for KL({p} || {q}).": "KL({p} || {q}) の公式が登録されていません。",
    "estimate it, x = p.sample((10000,)); (p.log_prob(x) - q.log_prob(x)).mean(), or register a formula with "
    "register_kl.":
        "x = p.sample((10000,)); (p.log_prob(x) - q.log_prob(x)).mean() で推定するか、register_kl で公式を登録して"
        "ください。",
    "where q.total_count is larger than p.total_count there is no simple formula.":
        "q.total_count が p.total_count より大きいと、簡単な公式がありません。",
    "sum over the values: x = p.enumerate_support(); (p.log_prob(x).exp() * (p.log_prob(x) - q.log_prob(x))).sum(0).":
        "値について足し合わせてください: x = p.enumerate_support(); (p.log_prob(x).exp() * (p.log_prob(x) - q.log_p"
        "rob(x))).sum(0)。",
    "both must be about vectors of one length": "同じ長さのベクトルについての分布でなければなりません",
    "the covariance is described in three ways, of which exactly one is needed; given: {names}.":
        "共分散の表し方は三通りで、ちょうど一つだけが必要ですが、渡されたのは {names} です。",
    "the covariance is described in three ways, of which one is needed, and none was given.":
        "共分散の表し方は三通りで、一つが必要ですが、どれも渡されていません。",
    "give covariance_matrix, or precision_matrix (its inverse), or scale_tril (its Cholesky factor).":
        "covariance_matrix、precision_matrix (その逆行列)、scale_tril (そのコレスキー因子) のどれか一つを渡してくだ"
        "さい。",
    "torch.diag(variances) makes a matrix of variances.": "torch.diag(variances) で分散から行列を作れます。",
    "give a vector, torch.zeros(2); for single numbers there is Normal.":
        "torch.zeros(2) のようなベクトルを渡してください。一つの数には Normal を使います。",
    "{length}, the length of loc": "{length} (loc の長さ)",
    "a Categorical": "Categorical",
    "write MixtureSameFamily(Categorical(weights), Normal(locs, scales)).":
        "MixtureSameFamily(Categorical(weights), Normal(locs, scales)) と書いてください。",
    "a distribution": "分布",
    "there are {count} weights and {size} components.": "重みは {count} 個、成分は {size} 個です。",
    "the last dimension of the components' batch is what is mixed: give one weight for each.":
        "混ぜられるのは成分のバッチの最後の次元です。それぞれに一つの重みを渡してください。",
    "make tensors of lists and arrays: torch.tensor([0.0, 1.0]).":
        "リストや配列は torch.tensor([0.0, 1.0]) でテンソルにしてください。",
    "1, 3, 6, 10 or another number of elements on and below a diagonal": "1、3、6、10 など、対角とその下の要素の数",
    "what goes in has {a_dims} dimensions and what comes out {b_dims}.":
        "入る値は {a_dims} 次元、出る値は {b_dims} 次元です。",
    "write transform.domain.event_dim or transform.codomain.event_dim.":
        "transform.domain.event_dim か transform.codomain.event_dim と書いてください。",
    "{cls} has an __init__ of its own, so with_cache() does not know how to make another one.":
        "{cls} には独自の __init__ があり、with_cache() は同じものの作り方を知りません。",
    "write `def with_cache(self, cache_size=1)` in {cls}.":
        "{cls} の中に `def with_cache(self, cache_size=1)` を書いてください。",
    "1, 3, 6, 10 or another number of elements below a diagonal": "1、3、6、10 など、対角より下の要素の数",
    "{length}, for a square matrix": "{length} (正方行列)",
    "samples of {cls} are not differentiable functions of its parameters.":
        "{cls} の標本はパラメータについて微分できません。",
    "use d.sample() and d.log_prob(x), or a distribution with has_rsample, such as Normal; in a class of your own "
    "write `def rsample(self, sample_shape=())`.":
        "d.sample() と d.log_prob(x) を使うか、Normal など has_rsample の分布を使ってください。自作のクラスなら `de"
        "f rsample(self, sample_shape=())` を書きます。",
    "no formula is known for {what} of {cls}.": "{cls} の {what} の公式がありません。",
    "estimate it from samples, x = d.sample((10000,)); in a class of your own write `def {what}(self, ...)`.":
        "標本 x = d.sample((10000,)) から推定してください。自作のクラスなら `def {what}(self, ...)` を書きます。",
    "the shape ends in {shape}, and what is reshaped has shape {want}.":
        "形の末尾が {shape} ですが、変形するものの形は {want} です。",
    "give a shape that ends in {want}.": "末尾が {want} の形を渡してください。",
    "the values of {cls} cannot be listed.": "{cls} の値は列挙できません。",
    "look at d.has_enumerate_support before, or draw values: d.sample((100,)).":
        "先に d.has_enumerate_support を確かめるか、d.sample((100,)) で値を引いてください。",
}
