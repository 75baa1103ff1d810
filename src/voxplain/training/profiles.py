"""Profiles: how far descriptors move in an emotion, in data; and where the literature disagrees."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxplain import descriptors
from voxplain.errors import ArtifactError
from voxplain.evidence.references import Expectation, Profiled, expectations
from voxplain.labels import CANONICAL
from voxplain.training.hearing import of_each, read_corpora
from voxplain.training.norms import _functionals, norm

__all__ = ["ProfilesRecipe", "comparison", "estimate", "moved"]

REFERENCE = "neutral"


@dataclass(frozen=True, slots=True)
class ProfilesRecipe:
    """What ``recipes/profiles/*.yaml`` may say."""

    material: str
    """What the people were heard in, for a sentence."""
    corpora: tuple[str, ...]
    left_out: tuple[str, ...]
    """Speakers that are not counted."""
    levelled: tuple[str, ...]
    """Corpora whose recordings were each brought to one level."""
    gain_dependent: tuple[str, ...]
    """Descriptors that say nothing there."""
    draws: int
    """Of speakers, for the intervals."""
    seed: int


def estimate(
    recipe: ProfilesRecipe, *, roots: dict[str, Path], out: Path, cache: Path, jobs: int
) -> None:
    """Write ``out/profiles.json``: each emotion in each corpus, and in all of them pooled.

    Of every descriptor but those of the recording itself; what is not reliable does not count.

    Raises ConfigError or CorpusNotFound.
    """
    utterances = read_corpora(
        recipe.corpora, roots=roots, labels=CANONICAL, left_out=recipe.left_out
    )
    measured = of_each(_functionals, [str(u.path) for u in utterances], cache=cache, jobs=jobs)
    speakers = np.array([utterance.speaker for utterance in utterances])
    emotions = np.array([utterance.emotion for utterance in utterances])
    corpora = np.array([utterance.corpus for utterance in utterances])
    groups = {"pooled": np.ones(len(utterances), bool)}
    groups |= {corpus: corpora == corpus for corpus in recipe.corpora}
    found: dict[str, dict[str, Any]] = {
        group: {
            label: {"utterances": int((emotions[rows] == label).sum()), "descriptors": {}}
            for label in CANONICAL
            if (emotions[rows] == label).any()
        }
        for group, rows in groups.items()
    }
    for name in descriptors.inventory():
        if descriptors.family(name) == "recording":
            continue
        values = np.array([one[name] for one in measured])
        if name in recipe.gain_dependent:
            values[np.isin(corpora, recipe.levelled)] = np.nan
        several = np.unique(speakers[np.isfinite(values)], return_counts=True)[1] > 1
        unit = norm(values, speakers, emotions)["within_sd"] if several.any() else 0.0
        if not unit:
            continue  # it never varies
        for group, rows in groups.items():
            moves = moved(
                values[rows] / unit,
                speakers[rows],
                emotions[rows],
                draws=recipe.draws,
                seed=recipe.seed,
            )
            for label, one in moves.items():
                plain = {key: round(value, 4) for key, value in asdict(one).items()}
                found[group][label]["descriptors"][name] = plain
    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"material": recipe.material, "profiles": found}, indent=1) + "\n"
    (out / "profiles.json").write_text(text, encoding="utf-8")


def moved(
    values: NDArray[np.float64],
    speakers: NDArray[np.str_],
    emotions: NDArray[np.str_],
    *,
    draws: int,
    seed: int,
) -> dict[str, Profiled]:
    """Label -> how far values (utterances,) lie from neutral, every speaker counting the same.

    z = mean over speakers of (mean of the emotion - mean of neutral), of values in units of the
    standard deviation within speakers. NaN values are left out; so are speakers without a value of
    the emotion or of neutral, and emotions of fewer than two speakers. The interval is that of a
    bootstrap that draws speakers.
    """
    known = np.isfinite(values)
    neutral = _means(values, speakers, known & (emotions == REFERENCE))
    found = {}
    for label in CANONICAL:
        rows = known & (emotions == label) & np.isin(speakers, list(neutral))
        z = np.array([m - neutral[s] for s, m in _means(values, speakers, rows).items()])
        if len(z) < 2:
            continue
        drawn = np.random.default_rng(seed).integers(len(z), size=(draws, len(z)))
        low, high = np.percentile(z[drawn].mean(axis=1), [5, 95])
        found[label] = Profiled(float(z.mean()), float(low), float(high), int(rows.sum()), len(z))
    return found


def _means(
    values: NDArray[np.float64], speakers: NDArray[np.str_], rows: NDArray[np.bool_]
) -> dict[str, float]:
    """Speaker -> mean of some rows of the values."""
    names, owner = np.unique(speakers[rows], return_inverse=True)
    means = np.bincount(owner, values[rows]) / np.bincount(owner)
    return dict(zip(names.tolist(), means.tolist(), strict=True))


@dataclass(frozen=True, slots=True)
class _Cell:
    """A cue of an emotion, in the literature and in data."""

    descriptor: str
    theory: Expectation
    data: Profiled

    @property
    def directed(self) -> bool:
        """Whether the literature expects a rise or a fall."""
        return math.isfinite(self.theory.expected) and self.theory.expected != 0

    @property
    def agrees(self) -> bool:
        """Whether the sign is the expected one."""
        return self.theory.expected * self.data.z > 0

    @property
    def verdict(self) -> str:
        if not self.directed:
            return ""
        if self.data.low <= 0 <= self.data.high:
            return "unclear"
        return "agrees" if self.agrees else "disagrees"


_LEGEND = """\
theory  ++ strong rise, + rise, o as in neutral speech, - fall, -- strong fall,
        +/- no common direction; in brackets what is not certain
z       from neutral speech of the same speaker, in standard deviations within
        speakers, with its 90 % interval, clustered by speaker
heard   share of the utterances that it could be measured in: of the emotion,
        or of neutral speech if that is less
agrees  by the interval; unclear where that holds 0"""


def comparison(folder: Path) -> str:
    """What the literature expects beside ``profiles.json`` of a folder, as text of 80 columns.

    First every cell; then how many agree, are unclear or disagree, how many mean z have the
    expected sign at all, the share of these weighted by the agreement of the literature, and p of a
    two-sided sign test, which takes the cells for independent (they are not). The control holds
    every profile against what all the other emotions expect.

    Raises ArtifactError where there is no such file.
    """
    path = folder / "profiles.json"
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ArtifactError(
            f"{path} can't be read: {error.strerror}; make it with: voxplain train "
            f"recipes/profiles/people.yaml --root CORPUS=DIR --out {folder}"
        ) from error
    corpora = stored["profiles"]
    pooled = corpora.pop("pooled")
    rows = {label: _cells(one, label) for label, one in pooled.items() if label != REFERENCE}
    lines = [stored["material"], "", _LEGEND]
    for label, cells in rows.items():
        title = f"{label} ({pooled[label]['utterances']} utterances)"
        lines += ["", f"{title:32} theory      z   90 % interval  heard"]
        lines += [_line(cell, _heard(corpora.values(), label, cell.descriptor)) for cell in cells]
    every = [cell for cells in rows.values() for cell in cells]
    scores = {
        "all": every,
        "all that is certain": [cell for cell in every if cell.theory.agreement == 1],
        "all that is uncertain": [cell for cell in every if cell.theory.agreement < 1],
    }
    for corpus, own in corpora.items():
        labels = [label for label in rows if label in own]
        scores[f"all in {corpus}"] = [c for label in labels for c in _cells(own[label], label)]
    scores |= rows
    for title in dict.fromkeys(cell.theory.title for cell in every):
        scores[title] = [cell for cell in every if cell.theory.title == title]
    others = [
        cell
        for label in rows
        for other in rows
        if other != label
        for cell in _cells(pooled[label], other)
        if cell.directed
    ]
    lines += ["", f"{'':33}cells agree unclear not signs weighted       p"]
    lines += [_score(name, cells) for name, cells in scores.items()]
    lines += [f"{'control: what others expect':33}{len(others):5}{'':25}{_share(others):9.2f}"]
    return "\n".join(lines)


def _cells(profile: Mapping[str, Any], label: str) -> list[_Cell]:
    """The cues of a profile, beside what the literature expects of an emotion."""
    found = profile["descriptors"]
    theory = expectations(label).items()
    return [_Cell(name, one, Profiled(**found[name])) for name, one in theory if name in found]


def _heard(corpora: Iterable[Mapping[str, Any]], label: str, descriptor: str) -> float:
    """As in the legend, over the corpora that portray the emotion."""
    corpora = [corpus for corpus in corpora if {label, REFERENCE} <= corpus.keys()]
    shares = []
    for emotion in (label, REFERENCE):
        profiles = [corpus[emotion] for corpus in corpora]
        counts = [one["descriptors"].get(descriptor, {"utterances": 0}) for one in profiles]
        said = sum(one["utterances"] for one in profiles)
        shares.append(sum(one["utterances"] for one in counts) / said)
    return min(shares)


_MARKS = {-2: "--", -1: "-", 0: "o", 1: "+", 2: "++"}


def _line(cell: _Cell, heard: float) -> str:
    theory, data = cell.theory, cell.data
    mark = _MARKS[int(theory.expected)] if math.isfinite(theory.expected) else "+/-"
    mark = mark if theory.agreement == 1 else f"({mark})"
    interval = f"[{data.low:+.2f}, {data.high:+.2f}]"
    line = f"{theory.title:32}{mark:>7}{data.z:+7.2f}  {interval}{heard:7.0%} {cell.verdict}"
    return line.rstrip()


def _score(name: str, cells: Sequence[_Cell]) -> str:
    directed = [cell for cell in cells if cell.directed]
    verdicts = [cell.verdict for cell in directed]
    agrees, unclear, disagrees = map(verdicts.count, ("agrees", "unclear", "disagrees"))
    n, signs = len(directed), sum(cell.agrees for cell in directed)
    tail = sum(math.comb(n, k) for k in range(min(signs, n - signs) + 1)) / 2**n
    counts = f"{n:5}{agrees:6}{unclear:8}{disagrees:4}{signs:6}"
    return f"{name:33}{counts}{_share(directed):9.2f}{min(1, 2 * tail):8.2g}"


def _share(cells: Sequence[_Cell]) -> float:
    """Of signs that agree, weighted by the agreement of the literature; NaN of no cells."""
    if not cells:
        return math.nan
    weights = [cell.theory.agreement for cell in cells]
    return float(np.average([cell.agrees for cell in cells], weights=weights))
