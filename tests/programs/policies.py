"""PPO with GAE on a little corridor, in the manner of single-file RL code."""

import random
from collections import deque

import numpy as np
import torch
import torch.nn as nn
import torch.optim as optim
from torch.distributions import Categorical

seed = 3
random.seed(seed)
np.random.seed(seed)
torch.manual_seed(seed)
torch.backends.cudnn.deterministic = True
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Corridor:
    def __init__(self, n=7):
        self.n = n

    def reset(self):
        self.pos, self.t = self.n // 2, 0
        return self._obs()

    def _obs(self):
        o = np.zeros(self.n, dtype=np.float32)
        o[self.pos] = 1
        return o

    def step(self, a):
        self.pos += 1 if a == 1 else -1
        self.t += 1
        done = self.pos in (0, self.n - 1) or self.t >= 20
        return self._obs(), (1.0 if self.pos == self.n - 1 else -0.01), done


def layer_init(layer, std=2**0.5, bias_const=0.0):
    torch.nn.init.orthogonal_(layer.weight, std)
    torch.nn.init.constant_(layer.bias, bias_const)
    return layer


class Agent(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.critic = nn.Sequential(layer_init(nn.Linear(n, 32)), nn.Tanh(), layer_init(nn.Linear(32, 1), std=1.0))
        self.actor = nn.Sequential(layer_init(nn.Linear(n, 32)), nn.Tanh(), layer_init(nn.Linear(32, 2), std=0.01))

    def get_value(self, x):
        return self.critic(x)

    def act(self, x, action=None):
        probs = Categorical(logits=self.actor(x))
        if action is None:
            action = probs.sample()
        return action, probs.log_prob(action), probs.entropy(), self.critic(x)


env, T = Corridor(), 128
agent = Agent(7).to(device)
optimizer = optim.Adam(agent.parameters(), lr=2.5e-3, eps=1e-5)
obs = torch.zeros((T, 7)).to(device)
actions = torch.zeros(T).to(device)
logprobs = torch.zeros(T)
rewards = torch.zeros(T)
dones = torch.zeros(T)
values = torch.zeros(T)
next_obs, next_done = torch.Tensor(env.reset()).to(device), torch.tensor(0.0)
returns_window = deque(maxlen=20)
ep_ret = 0.0
for update in range(1, 9):
    optimizer.param_groups[0]["lr"] = (1.0 - (update - 1.0) / 8) * 2.5e-3
    for t in range(T):
        obs[t], dones[t] = next_obs, next_done
        with torch.no_grad():
            action, logprob, _, value = agent.act(next_obs)
            values[t] = value.flatten()
        actions[t], logprobs[t] = action, logprob
        o, r, d = env.step(action.cpu().numpy().item())
        rewards[t] = torch.tensor(r).view(-1)
        ep_ret += r
        if d:
            returns_window.append(ep_ret)
            ep_ret = 0.0
            o = env.reset()
        next_obs, next_done = torch.Tensor(o), torch.Tensor([float(d)])
    with torch.no_grad():
        next_value = agent.get_value(next_obs).reshape(1, -1)
        advantages = torch.zeros_like(rewards)
        lastgaelam = 0
        for t in reversed(range(T)):
            nonterminal = 1.0 - (next_done if t == T - 1 else dones[t + 1])
            nv = next_value if t == T - 1 else values[t + 1]
            delta = rewards[t] + 0.99 * nv * nonterminal - values[t]
            advantages[t] = lastgaelam = delta + 0.99 * 0.95 * nonterminal * lastgaelam
        returns = advantages + values
    inds, clipfracs = np.arange(T), []
    for epoch in range(4):
        np.random.shuffle(inds)
        for start in range(0, T, 32):
            mb = inds[start : start + 32]
            _, newlogprob, entropy, newvalue = agent.act(obs[mb], actions.long()[mb])
            logratio = newlogprob - logprobs[mb]
            ratio = logratio.exp()
            with torch.no_grad():
                approx_kl = ((ratio - 1) - logratio).mean()
                clipfracs += [((ratio - 1.0).abs() > 0.2).float().mean().item()]
            adv = advantages[mb]
            adv = (adv - adv.mean()) / (adv.std() + 1e-8)
            pg_loss = torch.max(-adv * ratio, -adv * torch.clamp(ratio, 0.8, 1.2)).mean()
            v_loss = 0.5 * ((newvalue.view(-1) - returns[mb]) ** 2).mean()
            loss = pg_loss - 0.01 * entropy.mean() + v_loss * 0.5
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(agent.parameters(), 0.5)
            optimizer.step()
    var_y = np.var(returns.cpu().numpy())
    ev = np.nan if var_y == 0 else 1 - np.var(returns.numpy() - values.numpy()) / var_y
    if update % 2 == 0:
        print(
            f"update {update} mean_ret {np.mean(returns_window):.3f} v {v_loss.item():.4f} kl {approx_kl.item():.5f} clip {np.mean(clipfracs):.3f} ev {ev:.3f}"
        )
print(agent)
