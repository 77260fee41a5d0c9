#!/usr/bin/env python3
"""A training step of the topographic autoencoder of preset lpartial-mnist in PyTorch, as its users would write it.

  OPENBLAS_CORETYPE=SkylakeX OMP_NUM_THREADS=2 MALLOC_MMAP_THRESHOLD_=4294967296 MALLOC_TRIM_THRESHOLD_=17179869184 \
    python3 tvae.py [--threads 2] [--steps 20]

Eight sequences of 18 frames, 3 × 28 × 28, 18 capsules of 18 entries, gradient descent with momentum 0.9. The frames are
random and lie ready, so that data costs nothing here. Without the variables Debian's OpenBLAS takes kernels four times
slower on recent processors, and every step pays for fresh pages.
"""
import argparse
import statistics
import time

import torch
import torch.nn.functional as F

B, S, N, D, PIXELS, CHANNELS, KERNEL, WIDTH = 8, 18, 18, 18, 784, 3, 13, 3
LATENTS, INPUTS = N * D, CHANNELS * PIXELS


def encoder():
    return torch.nn.Sequential(
        torch.nn.Linear(INPUTS, 3 * LATENTS), torch.nn.ReLU(),
        torch.nn.Linear(3 * LATENTS, 2 * LATENTS), torch.nn.ReLU(),
        torch.nn.Linear(2 * LATENTS, 2 * LATENTS))


class Tvae(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.z, self.u = encoder(), encoder()
        self.hidden = torch.nn.Sequential(
            torch.nn.Linear(LATENTS, 2 * LATENTS), torch.nn.ReLU(), torch.nn.Linear(2 * LATENTS, 3 * LATENTS), torch.nn.ReLU())
        self.out = torch.nn.Linear(3 * LATENTS, INPUTS, bias=False)
        self.bias = torch.nn.Parameter(torch.zeros(CHANNELS))
        self.mu = torch.nn.Parameter(torch.tensor(30.0))
        # v = u²·W, where entry c of frame t sees entry c + γ + δ of frame t + δ, everything cyclic.
        w = torch.zeros(S, D, S, D)
        for t in range(S):
            for c in range(D):
                for d in range(-(KERNEL // 2), KERNEL // 2 + 1):
                    for g in range(-(WIDTH // 2), WIDTH // 2 + 1):
                        w[(t + d) % S, (c + d + g) % D, t, c] = 1
        self.register_buffer("w", w.view(S * D, S * D))

    def loss(self, x):
        mz, lz = self.z(x).chunk(2, 1)
        mu, lu = self.u(x).chunk(2, 1)
        z = mz + (lz / 2).exp() * torch.randn_like(mz)
        u = mu + (lu / 2).exp() * torch.randn_like(mu)
        square = (u * u).view(B, S, N, D).transpose(1, 2).reshape(B * N, S * D)
        v = (square @ self.w).view(B, N, S, D).transpose(1, 2).reshape(B * S, LATENTS)
        t = (z + self.mu) / (v + 1e-6).sqrt()
        logits = self.out(self.hidden(t)) + self.bias.repeat_interleave(PIXELS)
        kl = sum((m * m + l.exp() - 1 - l).sum() for m, l in ((mz, lz), (mu, lu))) / 2
        return (F.binary_cross_entropy_with_logits(logits, x, reduction="sum") + kl) / (B * S)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--steps", type=int, default=20)
    options = arguments.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    model = Tvae()
    descent = torch.optim.SGD(model.parameters(), lr=1e-4, momentum=0.9)
    x = torch.rand(B * S, INPUTS)
    times = []
    for step in range(5 + options.steps):
        start = time.perf_counter()
        descent.zero_grad()
        loss = model.loss(x)
        loss.backward()
        descent.step()
        if step >= 5:
            times.append((time.perf_counter() - start) * 1e3)
    count = sum(p.numel() for p in model.parameters())
    print(f"{statistics.median(times):.1f} ms a step, {options.threads} threads, {count} parameters, loss {loss.item():.1f}")


main()
