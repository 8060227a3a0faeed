"""Graph networks without a library: GCN, GAT, GIN by scatter; sparse adjacency; link prediction; message passing."""

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
n = 34
edges = torch.randint(0, n, (2, 120))
edges = edges[:, edges[0] != edges[1]]
edges = torch.cat([edges, edges.flip(0)], 1)
edges = torch.unique(edges, dim=1)
print(edges.shape, edges[:, :6])
deg = torch.zeros(n, dtype=torch.long).scatter_add_(0, edges[1], torch.ones_like(edges[1]))
print("degrees", deg, torch.bincount(edges[1], minlength=n).equal(deg))
x = torch.eye(n)
y = torch.arange(n) % 3


def gcn_norm(edge_index, n):
    loop = torch.arange(n).repeat(2, 1)
    ei = torch.cat([edge_index, loop], 1)
    d = torch.zeros(n).index_add_(0, ei[1], torch.ones(ei.size(1)))
    dis = d.pow(-0.5)
    dis[torch.isinf(dis)] = 0
    return ei, dis[ei[0]] * dis[ei[1]]


class GCNConv(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.lin = nn.Linear(i, o, bias=False)
        self.bias = nn.Parameter(torch.zeros(o))

    def forward(self, x, ei, w):
        h = self.lin(x)
        out = torch.zeros_like(h).index_add(0, ei[1], h[ei[0]] * w[:, None])
        return out + self.bias


def softmax_by(src, index, n):
    m = torch.full((n, src.size(1)), -torch.inf).scatter_reduce(0, index[:, None].expand_as(src), src, "amax")
    e = (src - m[index]).exp()
    return e / torch.zeros(n, src.size(1)).index_add_(0, index, e)[index].clamp(min=1e-12)


class GAT(nn.Module):
    def __init__(self, i, o, heads=2):
        super().__init__()
        self.h, self.o = heads, o
        self.W = nn.Linear(i, heads * o, bias=False)
        self.a = nn.ParameterDict({k: nn.Parameter(torch.empty(1, heads, o)) for k in ("src", "dst")})
        for p in self.a.values():
            nn.init.xavier_normal_(p, gain=1.414)

    def forward(self, x, ei):
        h = self.W(x).view(-1, self.h, self.o)
        al = (h * self.a["src"]).sum(-1)[ei[0]] + (h * self.a["dst"]).sum(-1)[ei[1]]
        al = softmax_by(F.leaky_relu(al, 0.2), ei[1], x.size(0))
        out = torch.zeros_like(h).scatter_add_(
            0, ei[1].view(-1, 1, 1).expand(-1, self.h, self.o), h[ei[0]] * al[..., None]
        )
        return out.flatten(1), al


ei, w = gcn_norm(edges, n)
c1, c2 = GCNConv(n, 8), GCNConv(8, 3)
opt = torch.optim.Adam([*c1.parameters(), *c2.parameters()], 0.02, weight_decay=5e-4)
mask = torch.zeros(n, dtype=torch.bool)
mask[torch.randperm(n)[:12]] = True
for e in range(31):
    out = c2(F.dropout(F.elu(c1(x, ei, w)), 0.2, training=True), ei, w)
    loss = F.cross_entropy(out[mask], y[mask])
    opt.zero_grad()
    loss.backward()
    opt.step()
    if e % 10 == 0:
        print(e, f"{loss.item():.4f}", (out.argmax(1)[~mask] == y[~mask]).sum().item())
A = torch.sparse_coo_tensor(ei.flip(0), w, (n, n)).coalesce()
dense = A.to_dense()
h = torch.randn(n, 4, requires_grad=True)
s = torch.sparse.mm(A, h)
s.pow(2).sum().backward()
print(torch.allclose(s, dense @ h, atol=1e-6), h.grad.norm(), A)
gat = GAT(n, 5)
o, al = gat(x, ei)
print(gat, o.shape, al[:2], torch.zeros(n, 2).index_add_(0, ei[1], al)[:2])
o.sum().backward()
print({k: round(float(p.grad.norm()), 4) for k, p in gat.named_parameters()})
eps = nn.Parameter(torch.zeros(1))
mlp = nn.Sequential(nn.Linear(n, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 8))
gin = mlp((1 + eps) * x + torch.zeros_like(x).index_add(0, edges[1], x[edges[0]]))
batch = torch.arange(n) // 12
pooled = {
    r: torch.zeros(3, 8).scatter_reduce(0, batch[:, None].expand(-1, 8), gin, reduce=r, include_self=False)
    for r in ("sum", "mean", "amax", "amin", "prod")
}
for r, p in pooled.items():
    print(r, p[:, :3])
pooled["amax"].sum().backward()
print(eps.grad)
z = gin.detach()
pos = (z[edges[0]] * z[edges[1]]).sum(-1)
neg = (z[torch.randint(n, (50,))] * z[torch.randint(n, (50,))]).sum(-1)
bce = F.binary_cross_entropy_with_logits(
    torch.cat([pos, neg]), torch.cat([torch.ones_like(pos), torch.zeros_like(neg)]), pos_weight=torch.tensor(0.5)
)
order = torch.cat([pos, neg]).argsort(descending=True)
lab = torch.cat([torch.ones_like(pos), torch.zeros_like(neg)])[order]
auc = (lab.cumsum(0) * (1 - lab)).sum() / (lab.sum() * (1 - lab).sum())
print(bce, auc)
L = torch.diag(dense.sum(1)) - dense
ev, _ = torch.linalg.eigh((L + L.T) / 2)
print(ev[:4], torch.matrix_power(dense, 3).trace())
walk = torch.multinomial(dense / dense.sum(1, keepdim=True), 1).squeeze(1)
print(walk.shape, walk.dtype)
