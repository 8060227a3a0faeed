"""Graph networks, CTC, mixture densities, embeddings, all losses."""


import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)


class GCN(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.lin = nn.Linear(i, o, bias=False)
        self.bias = nn.Parameter(torch.empty(o))
        self.reset()

    def reset(self):
        nn.init.zeros_(self.bias)
        self.lin.reset_parameters()

    def forward(self, x, ei):
        n = x.size(0)
        loop = torch.arange(n).repeat(2, 1)
        ei = torch.cat([ei, loop], 1)
        r, c = ei
        deg = torch.zeros(n).scatter_add_(0, c, torch.ones(c.size(0)))
        dis = deg.pow(-0.5)
        dis[dis == float("inf")] = 0
        norm = dis[r] * dis[c]
        x = self.lin(x)
        out = torch.zeros_like(x).index_add(0, c, norm.view(-1, 1) * x[r])
        return out + self.bias


edge = torch.tensor([[0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 0, 5], [1, 0, 2, 1, 3, 2, 4, 3, 5, 4, 5, 0]])
X = torch.eye(6)
y = torch.tensor([0, 0, 0, 1, 1, 1])
mask = torch.tensor([1, 0, 0, 0, 1, 0], dtype=torch.bool)
c1, c2 = GCN(6, 8), GCN(8, 2)
o = torch.optim.Adam([*c1.parameters(), *c2.parameters()], 0.05, weight_decay=5e-4)
for e in range(30):
    h = F.dropout(F.relu(c1(X, edge)), 0.2, training=True)
    out = F.log_softmax(c2(h, edge), 1)
    l = F.nll_loss(out[mask], y[mask])
    o.zero_grad()
    l.backward()
    o.step()
    if e % 10 == 0:
        print(f"Epoch: {e:03d}, Loss: {l:.4f}, Acc: {(out.argmax(1) == y).sum().item() / 6:.4f}")


class GAT(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.W = nn.Linear(i, o, bias=False)
        self.a = nn.Parameter(torch.empty(2 * o, 1))
        nn.init.xavier_uniform_(self.a, gain=1.414)

    def forward(self, h, adj):
        Wh = self.W(h)
        n = len(h)
        e = F.leaky_relu((torch.cat([Wh.repeat_interleave(n, 0), Wh.repeat(n, 1)], 1) @ self.a).view(n, n), 0.2)
        at = F.softmax(torch.where(adj > 0, e, -9e15 * torch.ones_like(e)), 1)
        return F.elu(at @ Wh)


adj = torch.zeros(6, 6)
adj[edge[0], edge[1]] = 1
g = GAT(6, 4)
r = g(X, adj)
print(r)
r.sum().backward()
print(g.a.grad.T)
A = torch.sparse_coo_tensor(edge, torch.ones(edge.size(1)), (6, 6))
print(
    A,
    torch.sparse.mm(A, X).sum(1),
    (A @ X)[0],
    A.to_dense().sum(),
    A.coalesce().indices()[:, :3],
    A.coalesce().values().sum(),
    A.is_sparse,
    A._nnz(),
    A.t().to_dense()[0],
    torch.sparse.sum(A, 0).to_dense(),
    A.shape,
    A.to_sparse_csr() if False else "",
)
s = torch.zeros(3).scatter_reduce(
    0, torch.tensor([0, 1, 1, 2]), torch.tensor([1.0, 2, 3, 4]), reduce="mean", include_self=False
)
print(
    s,
    torch.zeros(3).index_reduce_(0, torch.tensor([0, 0]), torch.tensor([3.0, 5.0]), "amax"),
    torch.segment_reduce(torch.arange(4.0), "sum", lengths=torch.tensor([1, 3])),
)
T, C, N, S = 12, 5, 3, 4
lp = torch.randn(T, N, C).log_softmax(2).requires_grad_()
tg = torch.randint(1, C, (N, S))
il = torch.full((N,), T)
tl = torch.tensor([4, 3, 2])
l = nn.CTCLoss()(lp, tg, il, tl)
l.backward()
print(
    l,
    lp.grad[0],
    F.ctc_loss(lp, tg, il, tl, reduction="none", blank=0),
    F.ctc_loss(lp, tg[0, :3], torch.tensor([T, T, T]), torch.tensor([1, 1, 1]), reduction="sum", zero_infinity=True),
)


def greedy(lp):
    p = lp.argmax(-1).T
    return [[int(v) for i, v in enumerate(s) if v != 0 and (i == 0 or v != s[i - 1])] for s in p]


print(greedy(lp))


class MDN(nn.Module):
    def __init__(self, h, k):
        super().__init__()
        self.z = nn.Sequential(nn.Linear(1, h), nn.Tanh())
        self.pi, self.mu, self.sig = nn.Linear(h, k), nn.Linear(h, k), nn.Linear(h, k)

    def forward(self, x):
        z = self.z(x)
        return F.softmax(self.pi(z), -1), self.mu(z), torch.exp(self.sig(z))


m = MDN(16, 3)
ys = torch.linspace(-1, 1, 100).view(-1, 1)
xs = 0.7 * torch.sin(5 * ys) + ys * 0.5 + torch.randn(100, 1) * 0.05
o = torch.optim.Adam(m.parameters(), 1e-2)
for e in range(40):
    pi, mu, sg = m(xs)
    d = torch.distributions.Normal(mu, sg)
    l = -torch.log((pi * torch.exp(d.log_prob(ys.expand_as(mu)))).sum(1)).mean()
    o.zero_grad()
    l.backward()
    o.step()
    if e % 10 == 0:
        print(e, l.data.tolist())
k = torch.multinomial(pi, 1).view(-1)
print(k[:10], (mu + sg * torch.randn_like(mu)).gather(1, k.view(-1, 1))[:3])
# siamese
net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
a, p, n = torch.randn(3, 6, 4).unbind(0)
print(
    nn.TripletMarginLoss(margin=1.0, p=2)(net(a), net(p), net(n)),
    nn.TripletMarginWithDistanceLoss(distance_function=lambda x, y: 1 - F.cosine_similarity(x, y))(
        net(a), net(p), net(n)
    ),
    nn.CosineEmbeddingLoss(margin=0.1)(net(a), net(p), torch.tensor([1, -1, 1, -1, 1, 1])),
    nn.MarginRankingLoss(0.5)(net(a)[:, 0], net(p)[:, 0], torch.ones(6)),
    F.pairwise_distance(net(a), net(p), keepdim=True),
)


class Contrastive(nn.Module):
    def __init__(self, m=2.0):
        super().__init__()
        self.m = m

    def forward(self, a, b, l):
        d = F.pairwise_distance(a, b, keepdim=True)
        return torch.mean((1 - l) * torch.pow(d, 2) + l * torch.pow(torch.clamp(self.m - d, min=0.0), 2))


print(Contrastive()(net(a), net(p), torch.tensor([0.0, 1.0] * 3).view(-1, 1)))
z = F.normalize(torch.cat([net(a), net(p)]), dim=1)
sim = z @ z.T / 0.5
sim.fill_diagonal_(-1e9) if not sim.requires_grad else None
sim = sim.masked_fill(torch.eye(12, dtype=torch.bool), -1e9)
print(F.cross_entropy(sim, torch.arange(12).roll(6)), sim[0])
for lf, args in [
    (nn.L1Loss(), (a, p)),
    (nn.SmoothL1Loss(beta=0.5), (a, p)),
    (nn.HuberLoss(delta=0.3), (a, p)),
    (nn.KLDivLoss(reduction="batchmean"), (a.log_softmax(1), p.softmax(1))),
    (nn.BCEWithLogitsLoss(pos_weight=torch.ones(4) * 2), (a, (p > 0).float())),
    (nn.SoftMarginLoss(), (a, p.sign())),
    (nn.MultiLabelMarginLoss(), (a, torch.tensor([[0, 2, -1, 1]] * 6))),
    (nn.MultiLabelSoftMarginLoss(), (a, (p > 0).float())),
    (nn.MultiMarginLoss(), (a, torch.tensor([0, 1, 2, 3, 0, 1]))),
    (nn.PoissonNLLLoss(), (a, p.abs())),
    (nn.GaussianNLLLoss(), (a, p, n.abs())),
    (nn.HingeEmbeddingLoss(), (a, p.sign())),
    (nn.CrossEntropyLoss(label_smoothing=0.1, ignore_index=1), (a, torch.tensor([0, 1, 2, 3, 0, 1]))),
    (nn.CrossEntropyLoss(), (a, p.softmax(1))),
    (nn.NLLLoss(weight=torch.arange(4.0)), (a.log_softmax(1), torch.tensor([0, 1, 2, 3, 0, 1]))),
]:
    print(type(lf).__name__, lf(*args))
# word2vec skip-gram with negative sampling
corpus = "the quick brown fox jumps over the lazy dog the dog sleeps".split()
vocab = sorted(set(corpus))
w2i = {w: i for i, w in enumerate(vocab)}
pairs = [
    (w2i[corpus[i]], w2i[corpus[j]])
    for i in range(len(corpus))
    for j in range(max(0, i - 2), min(len(corpus), i + 3))
    if i != j
]
inn, outt = nn.Embedding(len(vocab), 5, sparse=True), nn.Embedding(len(vocab), 5, sparse=True)
so = torch.optim.SparseAdam(list(inn.parameters()) + list(outt.parameters()), lr=0.05)
cen, ctx = torch.tensor(pairs).T
for e in range(10):
    neg = torch.randint(0, len(vocab), (len(pairs), 3))
    v = inn(cen)
    pos = F.logsigmoid((v * outt(ctx)).sum(1))
    ng = F.logsigmoid(-(outt(neg) @ v.unsqueeze(2)).squeeze(2)).sum(1)
    l = -(pos + ng).mean()
    so.zero_grad()
    l.backward()
    so.step()
    if e % 3 == 0:
        print(e, f"{l.item():.4f}", inn.weight.grad.is_sparse)
print(F.cosine_similarity(inn.weight[w2i["dog"]], inn.weight).topk(3))
eb = nn.EmbeddingBag(10, 3, mode="mean")
print(
    eb(torch.tensor([1, 2, 4, 5, 4]), torch.tensor([0, 2])),
    nn.Embedding.from_pretrained(torch.eye(3))(torch.tensor([1])),
    nn.Embedding.from_pretrained(torch.eye(3)).weight.requires_grad,
)
