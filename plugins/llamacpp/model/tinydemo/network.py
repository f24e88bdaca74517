"""The network: a small decoder of the LLaMA architecture, and the optimizer of its matrices."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True, kw_only=True)
class Shape:
    """The sizes of a network: *context* is only written to the file, rows of training are shorter."""

    vocabulary: int
    width: int = 128
    layers: int = 5
    heads: int = 4
    kv_heads: int = 2
    feed_forward: int = 384
    context: int = 1024


class Block(nn.Module):
    """Attention and a gated feed-forward network, each behind a norm."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width, feed = shape.width, shape.feed_forward
        self.heads, self.kv_heads = shape.heads, shape.kv_heads
        self.head_size = width // shape.heads
        self.n1, self.n2 = nn.RMSNorm(width, eps=1e-5), nn.RMSNorm(width, eps=1e-5)
        self.q = nn.Linear(width, width, bias=False)
        self.k = nn.Linear(width, self.kv_heads * self.head_size, bias=False)
        self.v = nn.Linear(width, self.kv_heads * self.head_size, bias=False)
        self.o = nn.Linear(width, width, bias=False)
        self.g = nn.Linear(width, feed, bias=False)
        self.u = nn.Linear(width, feed, bias=False)
        self.dn = nn.Linear(feed, width, bias=False)

    def forward(self, x: Tensor, rope: tuple[Tensor, Tensor]) -> Tensor:
        """*x* after this block."""
        batch, length, width = x.shape
        normed = self.n1(x)

        def heads(y: Tensor, count: int) -> Tensor:
            return y.view(batch, length, count, self.head_size).transpose(1, 2)

        def turn(y: Tensor) -> Tensor:  # neighbouring pairs: llama.cpp's "norm" rope
            cos, sin = rope[0][:length], rope[1][:length]
            a, b = y[..., 0::2], y[..., 1::2]
            return torch.stack((a * cos - b * sin, a * sin + b * cos), -1).flatten(-2)

        q = turn(heads(self.q(normed), self.heads))
        k = turn(heads(self.k(normed), self.kv_heads))
        v = heads(self.v(normed), self.kv_heads)
        if self.kv_heads != self.heads:
            times = self.heads // self.kv_heads
            k, v = k.repeat_interleave(times, 1), v.repeat_interleave(times, 1)
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.o(y.transpose(1, 2).reshape(batch, length, width))
        normed = self.n2(x)
        gated: Tensor = functional.silu(self.g(normed)) * self.u(normed)
        out: Tensor = x + self.dn(gated)
        return out


class Network(nn.Module):
    """Token ids to scores of the next token; the output shares the embedding's matrix."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.emb = nn.Embedding(shape.vocabulary, shape.width)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.norm = nn.RMSNorm(shape.width, eps=1e-5)
        size = shape.width // shape.heads
        rates = 1.0 / (10000.0 ** (torch.arange(0, size, 2).float() / size))
        angles = torch.outer(torch.arange(shape.context).float(), rates)
        self.rope = (angles.cos(), angles.sin())
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                scale = 0.02 if "emb" in name else parameter.shape[1] ** -0.5
                if name.endswith(("o.weight", "dn.weight")):
                    scale /= math.sqrt(2 * shape.layers)
                nn.init.normal_(parameter, std=scale)

    def forward(self, ids: Tensor) -> Tensor:
        """Scores, shaped (batch, length, vocabulary)."""
        x = self.emb(ids)
        for block in self.blocks:
            x = block(x, self.rope)
        scores: Tensor = self.norm(x) @ self.emb.weight.T
        return scores

    def split(self) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
        """The hidden matrices, and everything else."""
        named = list(self.named_parameters())
        hidden = [p for name, p in named if p.dim() == 2 and "emb" not in name]
        return hidden, [p for name, p in named if p.dim() != 2 or "emb" in name]


class Muon(torch.optim.Optimizer):
    """Momentum, made orthogonal by Newton-Schulz steps: Keller Jordan's method for hidden matrices."""

    def __init__(
        self, params: Iterable[nn.Parameter], lr: float, momentum: float = 0.95, decay: float = 0.05
    ) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "wd": decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]  # no closure is used
        """Move every matrix."""
        for group in self.param_groups:
            # Equal shapes together: few large operations instead of many small ones.
            by_shape: defaultdict[tuple[int, ...], list[tuple[Tensor, Tensor, bool]]]
            by_shape = defaultdict(list)
            for p in group["params"]:
                mean = self.state[p].setdefault("m", torch.zeros_like(p))
                mean.mul_(group["momentum"]).add_(p.grad)
                x = p.grad + group["momentum"] * mean
                tall = x.shape[0] > x.shape[1]
                by_shape[tuple(sorted(x.shape))].append((p, x.T if tall else x, tall))
            for items in by_shape.values():
                updates = _orthogonal(torch.stack([x for _, x, _ in items]))
                for (p, _, tall), update in zip(items, updates, strict=True):
                    rate = -group["lr"] * max(1, p.shape[0] / p.shape[1]) ** 0.5
                    p.mul_(1 - group["lr"] * group["wd"]).add_(
                        update.T if tall else update, alpha=rate
                    )


def _orthogonal(x: Tensor) -> Tensor:
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(5):
        y = x @ x.mT
        x = 3.4445 * x + (-4.7750 * y + 2.0315 * y @ y) @ x
    return x
