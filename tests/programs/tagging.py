"""BiLSTM-CRF tagging in the usual tutorial's way, log-sum-exp by hand."""

import logging
import sys

import torch
import torch.nn as nn
import torch.optim as optim

logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(levelname)s:%(name)s:%(message)s")
log = logging.getLogger("crf")
torch.manual_seed(1)


def argmax(vec):
    _, idx = torch.max(vec, 1)
    return idx.item()


def prepare_sequence(seq, to_ix):
    return torch.tensor([to_ix[w] for w in seq], dtype=torch.long)


def log_sum_exp(vec):
    max_score = vec[0, argmax(vec)]
    b = max_score.view(1, -1).expand(1, vec.size()[1])
    return max_score + torch.log(torch.sum(torch.exp(vec - b)))


START, STOP = "<S>", "</S>"


class Tagger(nn.Module):
    def __init__(self, vocab, tag_to_ix, emb, hid):
        super().__init__()
        self.hid, self.tag_to_ix, self.T = hid, tag_to_ix, len(tag_to_ix)
        self.emb = nn.Embedding(vocab, emb)
        self.lstm = nn.LSTM(emb, hid // 2, num_layers=1, bidirectional=True)
        self.out = nn.Linear(hid, self.T)
        self.transitions = nn.Parameter(torch.randn(self.T, self.T))
        self.transitions.data[tag_to_ix[START], :] = -10000
        self.transitions.data[:, tag_to_ix[STOP]] = -10000
        self.hidden = self.init_hidden()

    def init_hidden(self):
        return (torch.randn(2, 1, self.hid // 2), torch.randn(2, 1, self.hid // 2))

    def _forward_alg(self, feats):
        init = torch.full((1, self.T), -10000.0)
        init[0][self.tag_to_ix[START]] = 0.0
        fv = init
        for feat in feats:
            alphas = []
            for t in range(self.T):
                emit = feat[t].view(1, -1).expand(1, self.T)
                trans = self.transitions[t].view(1, -1)
                alphas.append(log_sum_exp(fv + trans + emit).view(1))
            fv = torch.cat(alphas).view(1, -1)
        return log_sum_exp(fv + self.transitions[self.tag_to_ix[STOP]])

    def feats(self, s):
        self.hidden = self.init_hidden()
        e = self.emb(s).view(len(s), 1, -1)
        o, self.hidden = self.lstm(e, self.hidden)
        return self.out(o.view(len(s), self.hid))

    def score(self, feats, tags):
        score = torch.zeros(1)
        tags = torch.cat([torch.tensor([self.tag_to_ix[START]], dtype=torch.long), tags])
        for i, feat in enumerate(feats):
            score = score + self.transitions[tags[i + 1], tags[i]] + feat[tags[i + 1]]
        return score + self.transitions[self.tag_to_ix[STOP], tags[-1]]

    def viterbi(self, feats):
        back = []
        fv = torch.full((1, self.T), -10000.0)
        fv[0][self.tag_to_ix[START]] = 0
        for feat in feats:
            bptrs, vit = [], []
            for t in range(self.T):
                nv = fv + self.transitions[t]
                best = argmax(nv)
                bptrs.append(best)
                vit.append(nv[0][best].view(1))
            fv = (torch.cat(vit) + feat).view(1, -1)
            back.append(bptrs)
        term = fv + self.transitions[self.tag_to_ix[STOP]]
        best = argmax(term)
        score = term[0][best]
        path = [best]
        for b in reversed(back):
            best = b[best]
            path.append(best)
        assert path.pop() == self.tag_to_ix[START]
        return score, path[::-1]

    def nll(self, s, tags):
        f = self.feats(s)
        return self._forward_alg(f) - self.score(f, tags)

    def forward(self, s):
        return self.viterbi(self.feats(s))


data = [
    ("the bank opened a branch in kyoto on monday".split(), "O B O O O O B O O".split()),
    ("tanaka corporation is in osaka today".split(), "B I O O B O".split()),
]
w2i = {}
for s, _ in data:
    for w in s:
        w2i.setdefault(w, len(w2i))
t2i = {"B": 0, "I": 1, "O": 2, START: 3, STOP: 4}
model = Tagger(len(w2i), t2i, 5, 4)
opt = optim.SGD(model.parameters(), lr=0.01, weight_decay=1e-4)
log.info("%s", model)
with torch.no_grad():
    print(model(prepare_sequence(data[0][0], w2i)))
for epoch in range(12):
    tot = 0
    for s, tags in data:
        model.zero_grad()
        loss = model.nll(prepare_sequence(s, w2i), torch.tensor([t2i[t] for t in tags], dtype=torch.long))
        loss.backward()
        opt.step()
        tot += loss
    if epoch % 4 == 0:
        log.info("epoch %d loss %s", epoch, tot)
        log.info("value %.4f grad %r", tot, model.transitions.grad[0])
with torch.no_grad():
    print(model(prepare_sequence(data[0][0], w2i)))
print(model.transitions)
print({k: tuple(v.shape) for k, v in model.state_dict().items()})
