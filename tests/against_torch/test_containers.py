"""Nested containers through vmap and its kin, and generators of one's own: as PyTorch."""
import collections

Pair = collections.namedtuple("Pair", "a b")


def test_containers_in_vmap(torch, attempt):
    v, x, w = torch.vmap, torch.arange(6.0).view(2, 3), torch.ones(3)
    return [
        attempt(v(lambda d: d["a"] + d["b"][0], in_dims=({"a": 0, "b": [None]},)), {"a": x, "b": [w]}),
        attempt(v(lambda d: {"s": d["a"].sum(), "t": (d["a"], [d["b"]])}), {"a": x, "b": x * 2}),
        attempt(lambda: tuple(v(lambda p: Pair(p.a.sum(), p.b))(Pair(x, x)))),
        attempt(v(lambda p: p.a.sum() + p.b, in_dims=(Pair(1, None),)), Pair(x, w[0])),
        attempt(v(lambda d: d["z"] - d["y"]), collections.OrderedDict(z=x, y=x * 3)),
        attempt(v(lambda q: q[0] + q[1]), collections.deque([x, x])),
        attempt(lambda: list(v(lambda d: collections.deque([d, d * 2]))(x))),
        attempt(v(lambda d: d["a"]), collections.defaultdict(list, a=x)),
        attempt(v(lambda t: [t[0], (t[1],)], out_dims=[1, (0,)]), [x, x]),
        attempt(v(v(lambda d: d["x"] * 2)), {"x": x}),
        attempt(torch.func.jacrev(lambda p: {"o": p["w"] * 2}), {"w": w}),
        attempt(torch.func.vmap(torch.func.grad(lambda p, x: (p["w"] * x).sum()), in_dims=(None, 0)), {"w": w}, x),
    ]


def test_containers_that_do_not_fit(torch, attempt):
    v, x = torch.vmap, torch.arange(6.0).view(2, 3)

    def wrong(*args, **kwargs):
        return attempt(v(*args[:1], **kwargs), *args[1:])
    return [wrong(lambda a, b: a + b, x, x, in_dims=(0, {"q": 0})), wrong(lambda d: d["a"], {"a": x}, in_dims=({"a": 0, "c": 0},)),
            wrong(lambda d: (d, 1), x), wrong(lambda d: d["a"], {"a": x, "s": "text"}), wrong(lambda d: d, x, in_dims=[0])]


def test_a_generator_of_ones_own(torch):
    g, other = torch.Generator().manual_seed(3), torch.Generator()
    other.set_state(g.get_state())
    init, data = torch.nn.init, torch.utils.data
    return [
        torch.rand(2, generator=g), torch.rand(2, generator=other), g.initial_seed(), torch.randn(2, generator=g),
        torch.randint(0, 9, (3,), generator=g), torch.randperm(4, generator=g), torch.bernoulli(torch.full((3,), 0.5), generator=g),
        torch.multinomial(torch.ones(4), 2, generator=g), torch.normal(0.0, 1.0, (2,), generator=g),
        torch.empty(2).uniform_(generator=g), torch.empty(2).exponential_(generator=g), init.normal_(torch.empty(2), generator=g),
        init.xavier_uniform_(torch.empty(2, 2), generator=g), init.trunc_normal_(torch.empty(3), generator=g),
        torch.poisson(torch.full((3,), 2.0), generator=g), torch.empty(2).log_normal_(generator=g),
        torch.empty(2).random_(generator=g), torch.binomial(torch.full((2,), 5.0), torch.full((2,), 0.5), generator=g),
        torch.rand_like(torch.ones(2), generator=g), g.clone_state().initial_seed(),
        list(data.random_split(range(5), [2, 3], generator=g)[0].indices), torch.rand(1),
        next(iter(data.DataLoader(list(range(6)), shuffle=True, generator=torch.Generator().manual_seed(1)))),
    ]
