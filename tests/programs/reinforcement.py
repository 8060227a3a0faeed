"""REINFORCE with a baseline, and Q-learning with replay, in a corridor."""

import random
from collections import deque, namedtuple

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.distributions import Categorical

torch.manual_seed(543)
random.seed(0)
np.random.seed(0)


class Corridor:
    def __init__(self, n=6):
        self.n = n

    def reset(self):
        self.s = 0
        self.t = 0
        return self.obs()

    def obs(self):
        o = np.zeros(self.n, dtype=np.float32)
        o[self.s] = 1
        return o

    def step(self, a):
        self.s = max(0, min(self.n - 1, self.s + (1 if a == 1 else -1)))
        self.t += 1
        done = self.s == self.n - 1 or self.t >= 30
        return self.obs(), (1.0 if self.s == self.n - 1 else -0.1), done, {}


class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.affine1 = nn.Linear(6, 32)
        self.dropout = nn.Dropout(p=0.1)
        self.action_head = nn.Linear(32, 2)
        self.value_head = nn.Linear(32, 1)
        self.saved = []
        self.rewards = []

    def forward(self, x):
        x = F.relu(self.dropout(self.affine1(x)))
        return F.softmax(self.action_head(x), dim=-1), self.value_head(x)


Saved = namedtuple("Saved", ["log_prob", "value"])
model = Policy()
optimizer = optim.Adam(model.parameters(), lr=3e-2)
eps = np.finfo(np.float32).eps.item()
env = Corridor()


def select_action(state):
    state = torch.from_numpy(state).float()
    probs, value = model(state)
    m = Categorical(probs)
    action = m.sample()
    model.saved.append(Saved(m.log_prob(action), value))
    return action.item()


def finish():
    R = 0
    pl, vl, returns = [], [], []
    for r in model.rewards[::-1]:
        R = r + 0.99 * R
        returns.insert(0, R)
    returns = torch.tensor(returns)
    returns = (returns - returns.mean()) / (returns.std() + eps)
    for (lp, v), R in zip(model.saved, returns):
        adv = R - v.item()
        pl.append(-lp * adv)
        vl.append(F.smooth_l1_loss(v, torch.tensor([R])))
    optimizer.zero_grad()
    loss = torch.stack(pl).sum() + torch.stack(vl).sum()
    loss.backward()
    optimizer.step()
    del model.rewards[:]
    del model.saved[:]
    return loss.item()


running = 10
for ep in range(40):
    s = env.reset()
    tot = 0
    for t in range(1, 100):
        a = select_action(s)
        s, r, done, _ = env.step(a)
        model.rewards.append(r)
        tot += r
        if done:
            break
    running = 0.05 * tot + 0.95 * running
    loss = finish()
    if ep % 4 == 0:
        print(
            f"Episode {ep}\tLast reward: {tot:.2f}\tAverage reward: {running:.2f}\tloss {loss:.3f} steps {t}"
        )
# DQN with replay
Transition = namedtuple("Transition", ("state", "action", "next_state", "reward"))


class Replay:
    def __init__(self, c):
        self.m = deque([], maxlen=c)

    def push(self, *a):
        self.m.append(Transition(*a))

    def sample(self, b):
        return random.sample(self.m, b)

    def __len__(self):
        return len(self.m)


mk = lambda: nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 2))
pol, tgt = mk(), mk()
tgt.load_state_dict(pol.state_dict())
opt = optim.AdamW(pol.parameters(), lr=1e-2, amsgrad=True)
mem = Replay(500)
BATCH = 16
for ep in range(10):
    s = torch.tensor(env.reset()).unsqueeze(0)
    total = 0
    while True:
        if random.random() > 0.3:
            with torch.no_grad():
                a = pol(s).max(1).indices.view(1, 1)
        else:
            a = torch.tensor([[random.randrange(2)]], dtype=torch.long)
        o, r, done, _ = env.step(a.item())
        total += r
        ns = None if done else torch.tensor(o).unsqueeze(0)
        mem.push(s, a, ns, torch.tensor([r]))
        s = ns
        if len(mem) >= BATCH:
            b = Transition(*zip(*mem.sample(BATCH)))
            mask = torch.tensor(tuple(map(lambda s: s is not None, b.next_state)), dtype=torch.bool)
            nn_s = torch.cat([x for x in b.next_state if x is not None])
            q = pol(torch.cat(b.state)).gather(1, torch.cat(b.action))
            nv = torch.zeros(BATCH)
            with torch.no_grad():
                nv[mask] = tgt(nn_s).max(1).values
            loss = nn.SmoothL1Loss()(q, (nv * 0.9 + torch.cat(b.reward)).unsqueeze(1))
            opt.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_value_(pol.parameters(), 100)
            opt.step()
            sd, pd = tgt.state_dict(), pol.state_dict()
            for k in pd:
                sd[k] = pd[k] * 0.05 + sd[k] * 0.95
            tgt.load_state_dict(sd)
        if done:
            break
    print(ep, round(total, 3), f"{loss.item():.4f}" if len(mem) >= BATCH else "-")
with torch.no_grad():
    print(pol(torch.eye(6)), pol(torch.eye(6)).argmax(1))
