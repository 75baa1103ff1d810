"""Train the embedded segmenter on accounts whose parts are marked with their roles."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import yaml
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from torch import Tensor, nn
from torch.nn import functional

from voxplain.errors import ConfigError
from voxplain.text.roles.clauses import bare, words
from voxplain.text.roles.embedded import DILATIONS, KINDS, PARTS, Lexicon, Segmenter
from voxplain.training.splits import speaker_folds
from voxplain.training.words.agreement import kinds
from voxplain.training.words.role_accounts import Account, accounts, worn

__all__ = [
    "Example",
    "Network",
    "SegmenterRecipe",
    "distil",
    "example",
    "fit",
    "fit_temperature",
    "lexicon",
    "negative_log_likelihood",
    "train",
]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SegmenterRecipe:
    """What ``recipes/semantic_roles/segmenter.yaml`` may say; its files lie beside it."""

    design: str
    """Table of the accounts: id, narrator, register."""
    train: tuple[str, ...]
    """JSON lines of accounts."""
    test: tuple[str, ...]
    cues: str
    """Lists of words."""
    width: int
    """Of the word vectors."""
    hidden: int
    tellers: int
    """Narrators that must use a word for the network to know it by itself."""
    networks: int
    """Each leaves some registers out."""
    epochs: int
    batch: int
    learning_rate: float
    weight_decay: float
    dropout: float
    worn: float
    """Share of the accounts without punctuation and capitals; as many lose half of it."""
    hidden_words: float
    """Share of the words that are hidden from the network in training."""
    hidden_vectors: float
    """Share of the words whose vector is."""
    noise: float
    """Standard deviation of what is added to the vectors, whose own is 1."""
    sentences: float
    """Weight of a second task: where a sentence begins, though nothing may say so."""
    seed: int


class Example(NamedTuple):
    """An account as it is learned from, or several, padded: (..., words, ...)."""

    marks: Tensor
    rows: Tensor
    truth: Tensor
    """Whether a word is expressive."""
    begins: Tensor
    """Whether a sentence begins with a word."""
    present: Tensor


def example(account: Account, known: Lexicon, *, written: str) -> Example:
    """An account as the network sees it, which may once have been written otherwise."""
    spans = words(account.text)
    marks, rows = known.look_up([account.text[start:end] for start, end in spans])
    truth = [kind == KINDS[1] for kind in kinds(account.text, account.roles)]
    ends = [match.end() for match in _SENTENCE_END.finditer(written)]
    begins = np.diff(np.searchsorted(ends, [-1, *(start for start, _ in spans)], "right")) > 0
    flags = np.array([truth, begins, np.ones(len(spans))], np.float32)
    return Example(*map(torch.from_numpy, (marks, rows, *flags)))


_SENTENCE_END = re.compile(r"[.!?;:…—][\"'”’)]*(?=\s)")


def _batches(
    examples: Sequence[Sequence[Example]], recipe: SegmenterRecipe, *, draw: np.random.Generator
) -> Iterator[Example]:
    """One epoch: of each account one of its forms, and not all that is known of its words."""
    shares = (recipe.worn, recipe.worn, 1 - 2 * recipe.worn)
    order = draw.permutation(len(examples))
    for start in range(0, len(order), recipe.batch):
        chosen = order[start : start + recipe.batch]
        forms = [examples[index][draw.choice(3, p=shares)] for index in chosen]
        padded = (nn.utils.rnn.pad_sequence(list(part), True) for part in zip(*forms, strict=True))
        batch = Example(*padded)
        vectors, cues = batch.marks.split([recipe.width, batch.marks.shape[-1] - recipe.width], -1)
        noise = draw.standard_normal(vectors.shape, np.float32)
        vectors = vectors + recipe.noise * torch.from_numpy(noise)
        seen = torch.from_numpy(draw.random((*batch.rows.shape, 2)))
        vectors = vectors * (seen[..., :1] >= recipe.hidden_vectors)
        shown = seen[..., 1] >= recipe.hidden_words
        marks = torch.cat([vectors, cues], -1) * shown[..., None]
        yield batch._replace(marks=marks, rows=batch.rows * shown)


class Network(nn.Module):
    """What ``Segmenter.scores`` computes, for one of its networks; see there."""

    def __init__(self, *, marks: int, frequent: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.marks = nn.Linear(marks, hidden)
        self.frequent = nn.Embedding(1 + frequent, hidden)
        nn.init.normal_(self.frequent.weight, std=0.1)
        self.taps = nn.ModuleList(
            [nn.Conv1d(hidden, hidden, 3, dilation=d, padding=d) for d in DILATIONS]
        )
        self.out = nn.Linear(hidden, 4)
        with torch.no_grad():
            self.out.bias.add_(torch.tensor([0.0, -2.0, -2.0, -1.0]))  # roles seldom turn
        self.dropout = nn.Dropout(dropout)

    def forward(self, marks: Tensor, rows: Tensor, present: Tensor) -> Tensor:
        """(batch, words, 4): ``Scores.expressive``, ``Scores.turns``, that a sentence begins."""
        mask = present[..., None]
        states = torch.tanh(self.marks(self.dropout(marks)) + self.frequent(rows)) * mask
        for tap in self.taps:
            heard = tap(self.dropout(states).transpose(1, 2)).transpose(1, 2)
            states = states + functional.relu(heard) * mask
        found: Tensor = self.out(self.dropout(states))
        return found

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """The weights as ``Segmenter`` takes them."""
        layers = [dict(tap.named_parameters()) for tap in self.taps]
        taps = torch.stack([layer["weight"] for layer in layers])  # (layers, out, in, taps)
        bias = torch.stack([layer["bias"] for layer in layers])
        found = {
            "marks": self.marks.weight.T,
            "marks_bias": self.marks.bias[None],
            "frequent": self.frequent.weight,
            "taps": taps.permute(0, 3, 2, 1),
            "taps_bias": bias[:, None],
            "out": self.out.weight[:3].T,
            "out_bias": self.out.bias[None, :3],
        }
        return {name: array.detach().numpy() for name, array in found.items()}


def negative_log_likelihood(scores: Tensor, truth: Tensor, present: Tensor) -> Tensor:
    """(batch,) of the true roles under the CRF, all sequences summed by halving (Blelloch 1990)."""
    stay = torch.zeros_like(scores[..., 0])
    emission, rise, fall = scores.unbind(-1)
    steps = torch.stack([stay, rise + emission, fall, emission], -1).unflatten(-1, (2, 2))
    nothing = torch.tensor([[0.0, -1e4], [-1e4, 0.0]])
    steps = torch.where(present[..., None, None] > 0, steps, nothing)
    first = torch.stack([stay[:, 0], emission[:, 0]], -1)
    steps = steps[:, 1:]
    while steps.shape[1] > 1:
        if steps.shape[1] % 2:
            steps = torch.cat([steps, nothing.expand(len(steps), 1, 2, 2)], 1)
        left, right = steps[:, ::2], steps[:, 1::2]
        steps = torch.logsumexp(left[..., None] + right[..., None, :, :], -2)
    ways = torch.cat([first[:, :, None] + step for step in steps.unbind(1)] or [first], -1)
    total = torch.logsumexp(ways.flatten(1), 1)
    turned = truth[:, 1:] - truth[:, :-1]
    turns = rise[:, 1:] * (turned > 0) + fall[:, 1:] * (turned < 0)
    return total - (truth * emission * present).sum(1) - (turns * present[:, 1:]).sum(1)


def fit(
    examples: Sequence[Sequence[Example]], recipe: SegmenterRecipe, *, frequent: int, seed: int
) -> Network:
    """A network that learned from accounts, each in three forms: worn, half worn, as written."""
    torch.manual_seed(seed)
    draw = np.random.default_rng(seed)
    marks = examples[0][0].marks.shape[-1]
    network = Network(marks=marks, frequent=frequent, hidden=recipe.hidden, dropout=recipe.dropout)
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=recipe.weight_decay)
    steps = recipe.epochs * -(-len(examples) // recipe.batch)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.learning_rate, total_steps=steps)
    for _ in range(recipe.epochs):
        for batch in _batches(examples, recipe, draw=draw):
            scores = network(batch.marks, batch.rows, batch.present)
            loss = negative_log_likelihood(scores[..., :3], batch.truth, batch.present).sum()
            loss = loss + recipe.sentences * functional.binary_cross_entropy_with_logits(
                scores[..., 3], batch.begins, weight=batch.present, reduction="sum"
            )
            optimiser.zero_grad()
            (loss / batch.present.sum()).backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            rate.step()
    return network.eval()


def distil(encoder: Path, *, width: int) -> tuple[list[str], NDArray[np.float32]]:
    """Pieces of words, and of each the mean state of an encoder that reads it alone.

    Reduced to the principal components (pieces, width), of unit variance on the whole (as in
    model2vec, Tulkens & van Dongen 2024). ``encoder`` is a BERT of Hugging Face with its vocab.txt.

    Raises ConfigError where it is none.
    """
    from transformers import AutoModel

    try:
        vocabulary = (encoder / "vocab.txt").read_text(encoding="utf-8").split("\n")
        model = AutoModel.from_pretrained(encoder, local_files_only=True).eval()
    except (OSError, ValueError) as error:
        raise ConfigError(f"{encoder} is no encoder of words: {error}") from error
    rows = [row for row, piece in enumerate(vocabulary) if re.fullmatch(r"(##)?[a-z]+", piece)]
    first, last = vocabulary.index("[CLS]"), vocabulary.index("[SEP]")
    states = []
    with torch.inference_mode():
        for some in torch.tensor(rows).split(512):
            edges = torch.full_like(some, first), torch.full_like(some, last)
            read = torch.stack([edges[0], some, edges[1]], 1)
            states.append(model(input_ids=read).last_hidden_state.mean(1))
    vectors = torch.cat(states).numpy()
    vectors -= vectors.mean(0)
    _, _, axes = np.linalg.svd(vectors, full_matrices=False)
    reduced = vectors @ axes[:width].T
    return [vocabulary[row] for row in rows], reduced / reduced.std()


def lexicon(
    told: Sequence[Account], recipe: SegmenterRecipe, *, folder: Path, encoder: Path
) -> tuple[Lexicon, dict[str, NDArray[Any]]]:
    """What is known of words, and its vectors as they are stored, in 8 bits.

    Raises ConfigError.
    """
    place = folder / recipe.cues
    try:
        lists = yaml.safe_load(place.read_text(encoding="utf-8"))
        cues = {name: frozenset(cue.split()) for name, cue in lists.items()}
    except (OSError, AttributeError, yaml.YAMLError) as error:
        raise ConfigError(f"{place} holds no lists of words: {error}") from error
    used = {(one.narrator, bare(word)) for one in told for word in one.text.split()}
    tellers = Counter(word for _, word in used if word)
    frequent = sorted(word for word, count in tellers.items() if count >= recipe.tellers)
    pieces, vectors = distil(encoder, width=recipe.width)
    scale = (np.abs(vectors).max(0) / 127).astype(np.float32)
    stored = {"vectors": np.round(vectors / scale).astype(np.int8), "scale": scale}
    known = Lexicon(
        cues=cues,
        frequent={word: row for row, word in enumerate(frequent, start=1)},
        pieces={piece: row for row, piece in enumerate(pieces)},
        vectors=stored["vectors"] * scale,
    )
    return known, stored


def train(recipe: SegmenterRecipe, *, folder: Path, encoder: Path, out: Path) -> None:
    """Write ``segmenter.json``, ``pieces.txt`` and ``weights.npz`` into ``out``.

    ``folder`` is that of the recipe, ``encoder`` where the word vectors come from. Every network
    leaves some registers out; on these the temperature is fitted. The same bytes every time.

    Raises ConfigError.
    """
    torch.set_num_threads(1)
    told = accounts(folder, recipe.train, design=recipe.design)
    known, stored = lexicon(told, recipe, folder=folder, encoder=encoder)
    folds = speaker_folds([one.register for one in told], folds=recipe.networks, seed=recipe.seed)
    forms = [
        [
            example(worn(one, share=share, seed=row), known, written=one.text)
            for share in (1.0, 0.5, 0.0)
        ]
        for row, one in enumerate(told)
    ]
    networks = []
    for fold in range(recipe.networks):
        mine = [form for one, form in zip(told, forms, strict=True) if folds[one.register] != fold]
        network = fit(mine, recipe, frequent=len(known.frequent), seed=recipe.seed + fold)
        networks.append(network.arrays())
        log.info("network %d of %d", fold + 1, recipe.networks)
    arrays = {
        name: np.stack([one[name] for one in networks]).astype(np.float16) for name in networks[0]
    }
    segmenter = Segmenter(known, {name: a.astype(np.float32) for name, a in arrays.items()})
    temperature = fit_temperature(segmenter, told, folds)
    out.mkdir(parents=True, exist_ok=True)
    (out / "pieces.txt").write_text("\n".join(known.pieces) + "\n", encoding="utf-8")
    weights: dict[str, Any] = arrays | stored
    np.savez_compressed(out / "weights.npz", **weights)
    card = {
        "sha256": hashlib.sha256(b"".join((out / part).read_bytes() for part in PARTS)).hexdigest(),
        "temperature": temperature,
        "folds": [
            sorted(name for name, fold in folds.items() if fold == k)
            for k in range(recipe.networks)
        ],
        "accounts": len(told),
        "recipe": asdict(recipe),
        "frequent": list(known.frequent),
        "cues": {name: sorted(cue) for name, cue in known.cues.items()},
    }
    text = json.dumps(card, ensure_ascii=False, indent=1) + "\n"
    (out / "segmenter.json").write_text(text, encoding="utf-8")


def fit_temperature(
    segmenter: Segmenter, told: Sequence[Account], folds: Mapping[str, int]
) -> float:
    """What scores are divided by for chances to be true of the registers that were left out.

    Least negative log-likelihood of the single words (Guo et al. 2017), half of them without
    punctuation.
    """
    scores, truth = [], []
    for one in told:
        alone = segmenter.alone(folds[one.register])
        for form in (one, worn(one)):
            scores.append(alone.scores([form.text[start:end] for start, end in words(form.text)]))
            truth += [kind == KINDS[1] for kind in kinds(form.text, form.roles)]
    right = np.array(truth)

    def loss(temperature: float) -> float:
        chances = np.concatenate([one.chances(temperature=temperature) for one in scores])
        return -float(np.log(np.where(right, chances, 1 - chances)).mean())

    found = minimize_scalar(loss, bounds=(0.5, 3.0), method="bounded", options={"xatol": 0.01})
    return round(float(found.x), 2)
