"""A trainer in the way of larger projects: dataclasses, registry, callbacks, checkpoints, logging."""

from __future__ import annotations

import argparse
import dataclasses
import enum
import functools
import json
import logging
import math
import os
import pathlib
import random
import sys
import tempfile
import typing as tp
from collections import defaultdict

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor, optim
from torch.utils.data import DataLoader, Dataset


class Phase(str, enum.Enum):  # noqa: UP042
    TRAIN = "train"
    VAL = "val"


@dataclasses.dataclass(frozen=True)
class Config:
    dim: int = 8
    depth: int = 2
    lr: float = 1e-2
    wd: float = 1e-4
    epochs: int = 3
    bs: int = 16
    clip: float | None = 1.0
    seed: int = 1
    dtype: torch.dtype = torch.float32
    tags: tuple[str, ...] = ("a", "b")


logging.basicConfig(format="[%(levelname).1s] %(message)s", stream=sys.stdout, level=logging.INFO, force=True)
log = logging.getLogger(__name__)
REG: dict[str, tp.Callable[..., nn.Module]] = {}


def register(name):
    def deco(c):
        REG[name] = c
        return c

    return deco


class Toy(Dataset[tuple[Tensor, Tensor]]):
    def __init__(self, n: int, phase: Phase, tf: tp.Callable | None = None):
        g = torch.Generator().manual_seed(0 if phase is Phase.TRAIN else 1)
        self.x = torch.randn(n, 6, generator=g)
        self.y = (self.x[:, :3].sum(1) > self.x[:, 3:].prod(1)).long()
        self.tf = tf

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, i: int):
        x = self.x[i]
        return (self.tf(x) if self.tf else x), self.y[i]


class Noise:
    def __init__(self, s):
        self.s = s

    def __call__(self, x):
        return x + self.s * torch.randn_like(x)

    def __repr__(self):
        return f"{type(self).__name__}(s={self.s})"


class Residual(nn.Module):
    def __init__(self, fn: nn.Module, dim: int, p: float = 0.0):
        super().__init__()
        self.fn, self.norm, self.p = fn, nn.LayerNorm(dim), p

    def forward(self, x: Tensor) -> Tensor:
        if self.training and self.p and torch.rand(1).item() < self.p:
            return x
        return x + self.fn(self.norm(x))


@register("mlp")
class MLP(nn.Module):
    def __init__(self, cfg: Config):
        super().__init__()
        self.cfg = cfg
        self.inp = nn.Linear(6, cfg.dim)
        self.blocks = nn.Sequential(
            *[
                Residual(
                    nn.Sequential(nn.Linear(cfg.dim, 2 * cfg.dim), nn.GELU(), nn.Linear(2 * cfg.dim, cfg.dim)),
                    cfg.dim,
                    0.1 * i,
                )
                for i in range(cfg.depth)
            ]
        )
        self.head = nn.Linear(cfg.dim, 2)
        self.apply(self._init)

    @staticmethod
    def _init(m):
        if isinstance(m, nn.Linear):
            nn.init.trunc_normal_(m.weight, std=0.02)
            nn.init.zeros_(m.bias)

    def forward(self, x):
        return self.head(self.blocks(self.inp(x)))

    @property
    def device(self):
        return next(self.parameters()).device

    @functools.cached_property
    def n_params(self):
        return sum(p.numel() for p in self.parameters())


class EMA:
    def __init__(self, m, d=0.99):
        self.d = d
        self.sh = {k: v.detach().clone() for k, v in m.state_dict().items()}

    @torch.no_grad()
    def update(self, m):
        for k, v in m.state_dict().items():
            self.sh[k].mul_(self.d).add_(v, alpha=1 - self.d) if v.dtype.is_floating_point else self.sh[k].copy_(v)


class Callback:
    def on_epoch_end(self, tr: Trainer, logs: dict): ...


class Early(Callback):
    def __init__(self, pat=1):
        self.best, self.pat, self.bad = math.inf, pat, 0

    def on_epoch_end(self, tr, logs):
        if logs["val_loss"] < self.best - 1e-4:
            self.best, self.bad = logs["val_loss"], 0
        else:
            self.bad += 1
            tr.stop = self.bad > self.pat


class Ckpt(Callback):
    def __init__(self, d):
        self.d = pathlib.Path(d)

    def on_epoch_end(self, tr, logs):
        torch.save(
            {
                "m": tr.model.state_dict(),
                "o": tr.opt.state_dict(),
                "s": tr.sch.state_dict(),
                "logs": logs,
                "rng": torch.get_rng_state(),
                "np": np.random.get_state()[1][:2].tolist(),
            },
            self.d / f"ep{tr.epoch}.pt",
        )


class Trainer:
    def __init__(self, model, cfg, cbs=()):
        dec = [p for n, p in model.named_parameters() if p.dim() >= 2]
        nod = [p for n, p in model.named_parameters() if p.dim() < 2]
        self.model, self.cfg, self.cbs, self.stop, self.epoch = model, cfg, cbs, False, 0
        self.opt = optim.AdamW(
            [{"params": dec, "weight_decay": cfg.wd}, {"params": nod, "weight_decay": 0.0}],
            lr=cfg.lr,
            betas=(0.9, 0.98),
        )
        self.sch = optim.lr_scheduler.SequentialLR(
            self.opt,
            [
                optim.lr_scheduler.LinearLR(self.opt, 0.1, total_iters=4),
                optim.lr_scheduler.CosineAnnealingLR(self.opt, 20),
            ],
            [4],
        )
        self.ema = EMA(model)
        self.hist = defaultdict(list)

    def run(self, dl, phase):
        self.model.train(phase is Phase.TRAIN)
        tot = acc = n = 0
        with torch.set_grad_enabled(phase is Phase.TRAIN):
            for x, y in dl:
                out = self.model(x.to(self.model.device, non_blocking=True))
                loss = F.cross_entropy(out, y)
                if phase is Phase.TRAIN:
                    self.opt.zero_grad(set_to_none=True)
                    loss.backward()
                    gn = (
                        nn.utils.clip_grad_norm_(self.model.parameters(), self.cfg.clip, foreach=True)
                        if self.cfg.clip
                        else None
                    )
                    self.opt.step()
                    self.sch.step()
                    self.ema.update(self.model)
                    self.hist["gn"].append(float(gn))
                bs = y.size(0)
                tot += loss.item() * bs
                acc += (out.argmax(-1) == y).sum().item()
                n += bs
        return tot / n, acc / n

    def fit(self, tr, va):
        for self.epoch in range(1, self.cfg.epochs + 1):  # noqa: B020
            tl, ta = self.run(tr, Phase.TRAIN)
            vl, va_ = self.run(va, Phase.VAL)
            logs = dict(loss=tl, acc=ta, val_loss=vl, val_acc=va_)
            log.info(
                "epoch %d %s lr=%.2e",
                self.epoch,
                " ".join(f"{k}={v:.4f}" for k, v in logs.items()),
                self.sch.get_last_lr()[0],
            )
            [c.on_epoch_end(self, logs) for c in self.cbs]
            if self.stop:
                break
        return self


def main(argv=None):
    ap = argparse.ArgumentParser()
    ap.add_argument("--model", choices=sorted(REG), default="mlp")
    ap.add_argument("--lr", type=float)
    ns = ap.parse_args(argv)
    cfg = dataclasses.replace(Config(), **({"lr": ns.lr} if ns.lr else {}))
    print(cfg, json.dumps({k: str(v) for k, v in dataclasses.asdict(cfg).items()}))
    random.seed(cfg.seed)
    np.random.seed(cfg.seed)
    torch.manual_seed(cfg.seed)
    g = torch.Generator()
    g.manual_seed(0)
    m = REG[ns.model](cfg).to(cfg.dtype)
    print(m, m.n_params, m.device)
    with tempfile.TemporaryDirectory() as d:
        t = Trainer(m, cfg, [Early(), Ckpt(d)]).fit(
            DataLoader(
                Toy(64, Phase.TRAIN, Noise(0.1)), cfg.bs, shuffle=True, generator=g, num_workers=0, drop_last=True
            ),
            DataLoader(Toy(32, Phase.VAL), 32),
        )
        print(sorted(os.listdir(d)))
        ck = torch.load(os.path.join(d, "ep1.pt"), weights_only=True)
        print(
            ck["s"]["_milestones"],
            ck["logs"].keys(),
            ck["o"]["param_groups"][1]["weight_decay"],
            len(ck["o"]["state"]),
        )
        m2 = REG[ns.model](cfg)
        print(m2.load_state_dict(ck["m"], strict=True))
        o2 = Trainer(m2, cfg)
        o2.opt.load_state_dict(ck["o"])
        o2.sch.load_state_dict(ck["s"])
        torch.set_rng_state(ck["rng"])
        print(o2.sch.last_epoch, o2.opt.param_groups[0]["lr"], torch.rand(1))
    print(
        np.mean(t.hist["gn"]).round(4),
        {k: v.norm().item().__round__(3) for k, v in list(t.ema.sh.items())[:2]},
        Noise(0.2),
    )
    return 0


if __name__ == "__main__":
    sys.exit(main([]))
