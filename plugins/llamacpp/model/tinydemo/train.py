"""Train the model and write it as GGUF.

    python -m tinydemo.train --out tiny-demo.gguf --steps 7000

The same number of steps with the same versions on the same kind of processor gives the same file.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from .corpus import END, START, render, sample
from .export import export
from .network import Muon, Network, Shape
from .rows import Row, Rows
from .tokenizer import Tokenizer, learn


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How to train; the defaults made the model that is shipped."""

    steps: int = 7000
    vocabulary: int = 1280
    batch: int = 8
    row: int = 384
    rate: float = 4e-3
    muon_rate: float = 0.02
    user_weight: float = 0.1
    threads: int = 1
    seed: int = 0


QUESTIONS = (
    "Tell me a story about a fox.",
    "Hello, my name is Maya.",
    "Who are you?",
    "What is 3 + 4?",
    "What is the opposite of cold?",
    "Give me a JSON object with the keys name, age.",
    "What is the capital of France?",
    "Say purple river test",
)


def say(text: str) -> None:
    """Tell the person who waits."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def make_tokenizer(plan: Plan) -> Tokenizer:
    """The tokenizer of *plan*, learned from 8,000 conversations."""
    r = random.Random(plan.seed + 1)
    return learn("".join(render(*sample(r)) for _ in range(8000)), plan.vocabulary)


def train(plan: Plan) -> tuple[Network, Tokenizer]:
    """The network and the tokenizer after *plan*."""
    torch.set_num_threads(plan.threads)
    torch.manual_seed(plan.seed)
    tokenizer = make_tokenizer(plan)
    network = Network(Shape(vocabulary=len(tokenizer.tokens)))
    say(f"{sum(p.numel() for p in network.parameters()) / 1e6:.3f} M parameters")
    hidden, rest = network.split()
    adam = torch.optim.AdamW(rest, lr=plan.rate, betas=(0.9, 0.98), weight_decay=0.0, fused=True)
    optimizers = [(adam, plan.rate), (Muon(hidden, lr=plan.muon_rate), plan.muon_rate)]
    rows = Rows(tokenizer, plan.row + 1, plan.seed + 2, plan.user_weight)
    source, began = iter(rows), time.monotonic()
    for step in range(plan.steps):
        done = step / plan.steps
        rows.copy_share = 0.6 if done < 0.12 else 0.05
        warm = min(1.0, (step + 1) / 30)
        pace = warm * (1.0 if done < 0.4 else max(0.02, (1 - done) / 0.6))
        for optimizer, rate in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate * pace
        loss = _learn_from(network, source, plan.batch, rest, [o for o, _ in optimizers])
        if (step + 1) % 50 == 0:
            say(f"step {step + 1} loss {loss:.3f} {time.monotonic() - began:.0f}s")
    return network, tokenizer


def _learn_from(
    network: Network,
    source: Iterator[Row],
    batch: int,
    rest: list[nn.Parameter],
    optimizers: list[torch.optim.Optimizer],
) -> float:
    rows = [next(source) for _ in range(batch)]
    ids = torch.tensor([row[0] for row in rows])
    weights = torch.tensor([row[1][1:] for row in rows])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        scores = network(ids[:, :-1])
    losses = functional.cross_entropy(
        scores.float().flatten(0, 1), ids[:, 1:].flatten(), reduction="none"
    )
    loss = (losses * weights.flatten()).sum() / weights.sum()
    network.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it without types
    torch.nn.utils.clip_grad_norm_(rest, 1.0)
    for optimizer in optimizers:
        optimizer.step()
    return float(loss.item())


@torch.no_grad()
def answer(network: Network, tokenizer: Tokenizer, question: str, most: int = 120) -> str:
    """What the network says to *question*, always the likeliest token."""
    ids = tokenizer.encode(f"{START}user\n{question}{END}\n{START}assistant\n")
    begin = len(ids)
    for _ in range(most):
        scores = network(torch.tensor([ids[-network.shape.context :]]))
        token = int(scores[0, -1].argmax())
        if token in {tokenizer.ids["<|endoftext|>"], tokenizer.ids[END]}:
            break
        ids.append(token)
    return tokenizer.decode(ids[begin:])


def main() -> None:
    """Train, write both files, and let the model speak."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("tiny-demo.gguf"))
    parser.add_argument("--steps", type=int, default=Plan().steps)
    parser.add_argument("--seed", type=int, default=Plan().seed)
    given = parser.parse_args()
    plan = Plan(steps=given.steps, seed=given.seed)
    network, tokenizer = train(plan)
    tokens = plan.steps * plan.batch * plan.row / 1e6
    note = f"{plan.steps} steps, {tokens:.1f} M tokens, seed {plan.seed}."
    for dtype in ("f16", "q8_0"):
        export(network, tokenizer, str(given.out.with_suffix(f".{dtype}.gguf")), dtype, note)
    network.eval()
    for question in QUESTIONS:
        say(f"> {question}\n< {answer(network, tokenizer, question)}")


if __name__ == "__main__":
    main()
