"""MSF-SER (arXiv 2510.05749): how a voice sounds and what its words say at three granularities.

::

    states ── trunk ── a ─────────────────────┐
    LES: emphasised words ─┐                  ├─ FiLM ── experts, weighed for each output ── V, A, D
    GS:  whole transcript ─┼─ gate ── s ──────┘
    ES:  interpretation ───┘

LES, GS and ES come as one vector each (``models.text_encoder``); one that is missing is replaced by
a vector that is learned for it. Details that the paper's abstract leaves open are ours to choose.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from voxplain.models.heads import Heard, Known

__all__ = [
    "BRANCHES",
    "FUSIONS",
    "Experts",
    "FiLM",
    "Fusion",
    "Gate",
    "MSFHead",
    "Router",
    "Texts",
    "Trunk",
    "load_balance",
]

BRANCHES = ("les", "gs", "es")
"""Local emphasised, global and extended semantics."""

Fusion = Literal["concatenation", "cross_attention", "film", "moe", "fm_moe"]
FUSIONS: tuple[Fusion, ...] = ("concatenation", "cross_attention", "film", "moe", "fm_moe")
"""How voice and text come together; ``fm_moe`` is the published one."""


class Texts(NamedTuple):
    """What is said, of each recording."""

    vectors: Tensor
    """(batch, branches, width)"""
    there: Tensor
    """(batch, branches) False where there is no such text: its vector doesn't count."""


class Trunk(Protocol):
    """What makes a vector of a recording's states: a head of ``models.heads`` without outputs."""

    pooled: int
    """Its width."""

    def summary(self, states: Tensor, mask: Tensor | None, speaker: Known | None) -> Tensor:
        """(batch, pooled) of states (depth, batch, frames, width)."""


class Gate(nn.Module):
    """Mixes vectors s_1 ... s_K feature by feature: G = softmax_k(W [s_1; ...; s_K])."""

    def __init__(self, branches: int, width: int) -> None:
        super().__init__()
        self.weigh = nn.Linear(branches * width, branches * width)

    def forward(self, s: Tensor) -> tuple[Tensor, Tensor]:
        """Of s (batch, branches, width): the mixture (batch, width) and G, in the shape of s."""
        weight = self.weigh(s.flatten(1)).unflatten(1, s.shape[1:]).softmax(1)
        return (weight * s).sum(1), weight


class FiLM(nn.Module):
    """Feature-wise linear modulation (Perez et al. 2018): (1 + gamma) a + beta.

    gamma and beta come from s; at birth they are 0, so that a stays what it is. ``times`` of them
    modulate it in as many ways.
    """

    def __init__(self, width: int, times: int = 1) -> None:
        super().__init__()
        self.times = times
        self.first = nn.Linear(width, width)
        self.last = nn.Linear(width, 2 * times * width)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, a: Tensor, s: Tensor) -> Tensor:
        """Of a and s (batch, width): (batch, times, width)."""
        both = self.last(functional.gelu(self.first(s)))
        gamma, beta = both.unflatten(1, (2, self.times, a.shape[1])).unbind(1)
        modulated: Tensor = (1 + gamma) * a[:, None] + beta
        return modulated


class Experts(nn.Module):
    """Small networks side by side: h + W' gelu(W h), each with a quarter of the width inside."""

    def __init__(self, experts: int, width: int) -> None:
        super().__init__()
        inside = width // 4

        def uniform(*shape: int, of: int) -> nn.Parameter:  # as nn.Linear begins
            return nn.Parameter(torch.empty(experts, *shape).uniform_(-(of**-0.5), of**-0.5))

        self.down, self.down_bias = uniform(inside, width, of=width), uniform(inside, of=width)
        self.up, self.up_bias = uniform(width, inside, of=inside), uniform(width, of=inside)

    def forward(self, h: Tensor) -> Tensor:
        """Of h (batch, experts, width), or (batch, 1, width) for all alike, in the former shape."""
        h = h.expand(-1, len(self.down), -1)
        inside = functional.gelu(torch.einsum("bed,eid->bei", h, self.down) + self.down_bias)
        return h + torch.einsum("bei,edi->bed", inside, self.up) + self.up_bias


class Router(nn.Module):
    """How much each expert counts for each output: softmax_e(R [a; s])."""

    def __init__(self, outputs: int, experts: int, width: int) -> None:
        super().__init__()
        self.shape = (outputs, experts)
        self.weigh = nn.Linear(2 * width, outputs * experts)

    def forward(self, a: Tensor, s: Tensor) -> Tensor:
        """Of a and s (batch, width): (batch, outputs, experts)."""
        weighed: Tensor = self.weigh(torch.cat([a, s], 1)).unflatten(1, self.shape).softmax(-1)
        return weighed


class MSFHead(nn.Module):
    """States and texts -> what is heard, with the weights of gate and router beside it.

    Each output (valence, arousal, dominance and, where there are labels, the categories) reads its
    own mixture of the experts. ``branches`` are those of ``BRANCHES`` that count: without any, the
    voice alone is judged by the same network; without a ``trunk``, the texts alone. With
    ``expert_wise``, each expert has a modulation of its own. In training a branch is hidden in
    ``branch_dropout`` of the cases, and so are all at once, so that each may be missing later;
    ``text_dropout`` is that of the vectors of texts.
    """

    def __init__(
        self,
        trunk: Trunk | None,
        *,
        branches: Sequence[str] = BRANCHES,
        text_width: int,
        width: int = 128,
        fusion: Fusion = "fm_moe",
        experts: int = 4,
        expert_wise: bool = False,
        labels: int = 0,
        dimensions: int = 3,
        dropout: float = 0.0,
        branch_dropout: float = 0.0,
        text_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.trunk = trunk
        self.rows = [BRANCHES.index(branch) for branch in branches]
        self.fusion, self.branch_dropout = fusion, branch_dropout
        self.outputs = dimensions + bool(labels)
        ways = len(self.rows)
        if trunk is None:
            self.silence = nn.Parameter(torch.zeros(width))
        else:
            self.voice = nn.Sequential(nn.Linear(trunk.pooled, width), nn.LayerNorm(width))
        self.text = nn.ModuleList(
            nn.Sequential(
                nn.LayerNorm(text_width, elementwise_affine=False),
                nn.Dropout(text_dropout),
                nn.Linear(text_width, width),
                nn.LayerNorm(width),
            )
            for _ in range(ways)
        )
        self.missing = nn.Parameter(torch.randn(ways, width) / width**0.5)
        if fusion == "concatenation":
            self.join = nn.Linear((1 + ways) * width, width)
        elif fusion == "cross_attention":
            self.attend = nn.MultiheadAttention(width, 4, batch_first=True) if ways else None
            self.norm = nn.LayerNorm(width)
        else:
            self.gate = Gate(ways, width) if ways else None
        if fusion in ("film", "fm_moe"):
            self.film = FiLM(width, experts if expert_wise and fusion == "fm_moe" else 1)
        if fusion == "moe":
            self.join = nn.Linear(2 * width, width)
        if fusion in ("moe", "fm_moe"):
            self.router = Router(self.outputs, experts, width)
            self.experts = Experts(experts, width)
        self.dropout = nn.Dropout(dropout)
        self.dimensions = nn.ModuleList(
            nn.Sequential(
                nn.Linear(width, width // 2), nn.GELU(), self.dropout, nn.Linear(width // 2, 1)
            )
            for _ in range(dimensions)
        )
        self.categories = nn.Linear(width, labels) if labels else None

    def forward(
        self,
        states: Tensor | None = None,
        mask: Tensor | None = None,
        speaker: Known | None = None,
        texts: Texts | None = None,
    ) -> Heard:
        """Everything that is heard in states (depth, batch, frames, width), as the trunk has them.

        Without ``texts`` every one of them is missing.
        """
        if self.trunk is None:
            assert texts is not None, "there is neither voice nor text"
            a = self.silence.expand(len(texts.there), -1)
        else:
            assert states is not None, "there is no voice"
            a = self.voice(self.trunk.summary(states, mask, speaker))
        s = self._said(texts, a)
        h, gates, routes = self._fuse(a, s)  # (batch, outputs, width) of each output
        h = self.dropout(h)
        values = [read(h[:, place]) for place, read in enumerate(self.dimensions)]
        return Heard(
            self.categories(h[:, -1]) if self.categories else a[:, :0],
            torch.cat(values, 1).sigmoid() if values else a[:, :0],
            a[:, :0],
            gates,
            routes,
        )

    def _said(self, texts: Texts | None, a: Tensor) -> Tensor:
        """s (batch, branches, width), with what is missing replaced."""
        missing = self.missing.expand(len(a), -1, -1)
        if texts is None or not self.rows:
            return missing
        there = texts.there[:, self.rows]
        if self.training and self.branch_dropout:
            hidden = torch.rand(len(there), len(self.rows) + 1, device=there.device)
            hidden = hidden < self.branch_dropout
            there = there & ~hidden[:, :-1] & ~hidden[:, -1:]
        vectors = texts.vectors[:, self.rows].unbind(1)
        said = [read(vector) for read, vector in zip(self.text, vectors, strict=True)]
        return torch.where(there[..., None], torch.stack(said, 1), missing)

    def _fuse(self, a: Tensor, s: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What each output reads (batch, outputs, width), the gate's and the router's weights."""
        nothing = a[:, :0]
        if self.fusion == "concatenation":
            h = functional.gelu(self.join(torch.cat([a, s.flatten(1)], 1)))
            return h[:, None].expand(-1, self.outputs, -1), nothing, nothing
        if self.fusion == "cross_attention":
            seen = self.attend(a[:, None], s, s, need_weights=False)[0][:, 0] if self.attend else 0
            h = self.norm(a + seen)
            return h[:, None].expand(-1, self.outputs, -1), nothing, nothing
        together, weight = self.gate(s) if self.gate else (torch.zeros_like(a), nothing)
        gates = weight.mean(2) if self.gate else nothing
        if self.fusion == "moe":
            h = functional.gelu(self.join(torch.cat([a, together], 1)))[:, None]
        else:
            h = self.film(a, together)
        if self.fusion == "film":
            return h.expand(-1, self.outputs, -1), gates, nothing
        routes = self.router(a, together)
        return torch.einsum("boe,bed->bod", routes, self.experts(h)), gates, routes


def load_balance(routes: Tensor) -> Tensor:
    """How unevenly the experts are used, mean over the outputs; 0 where all are used alike.

    The squared coefficient of variation of their importance (Shazeer et al. 2017, arXiv 1701.06538,
    eq. 7), the sum of the weights in ``routes`` (batch, outputs, experts).
    """
    importance = routes.mean(0)
    return (importance.var(1, correction=0) / importance.mean(1) ** 2).mean()
