"""Our descriptors beside Praat's and openSMILE's, on real speech of two corpora.

    python benchmarks/agreement.py --root cremad=DIR --root emodb=DIR [--alignments DIR]
        [--store tests/truth]

The recordings are those of every second speaker; nothing was tuned on these. Prints a Markdown
table (docs/descriptors.md holds one run): Pearson's r over recordings and the median gap, ours
minus theirs (in parentheses that of its magnitude), of

- means: each instrument's own value for the recording, by its own idea of what is voiced;
- joint: the mean over the frames that both instruments call voiced;
- file: the mean over all frames, voiced or not;

and beside them, as the ceiling, r between Praat and openSMILE. ``--store`` writes Praat's and
openSMILE's own values of these recordings, and their tracks of those in tests/data, so that tests
can do without either. ``--alignments`` is the folder of EMO-DB's hand-made labels: of syllables
(labsilb), for the articulation rate, and of phones (lablaut), for what is voiced.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import numpy as np
from numpy.typing import NDArray

from voxplain.audio import read
from voxplain.cli.train import roots
from voxplain.descriptors._family import ENOUGH
from voxplain.descriptors._frames import Frames, bin_hz
from voxplain.plugins import find
from voxplain.types import Segment, Track

CREMAD = 260
DATA = Path(__file__).parents[1] / "tests/data"
STORED_TRACKS = (
    *("f0_hz", "hnr_db", "f1_hz", "f2_hz", "f3_hz", "alpha_ratio_db", "hammarberg_db"),
    *("slope_0_500_db_per_khz", "slope_500_1500_db_per_khz", "loudness"),
    *(f"mfcc_{n}" for n in (1, 2, 3, 4)),
)
TESTED = sorted([*DATA.glob("*.opus"), *DATA.glob("*.flac")])
PEERS = ("praat", "opensmile")
CORPORA = ("cremad", "emodb")


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison."""

    name: str
    peer: str
    how: str
    """means, joint or file."""
    bar: float | None = None

    @property
    def track(self) -> str:
        """The track behind the functional."""
        return "f0_hz" if self.name.startswith("f0_") else self.name.replace("_mean", "")


ROWS = (
    Row("f0_mean_st", "praat", "joint", 0.98),
    Row("f0_mean_st", "opensmile", "joint", 0.98),
    Row("f0_mean_st", "praat", "means", 0.97),
    Row("f0_sd_st", "praat", "means", 0.85),
    Row("f0_sd_st", "praat", "joint"),
    Row("f0_sd_st", "opensmile", "joint"),
    Row("hnr_mean_db", "praat", "means", 0.90),
    Row("jitter_mean_percent", "praat", "means", 0.70),
    Row("shimmer_mean_percent", "praat", "means", 0.70),
    Row("f1_mean_hz", "praat", "means", 0.85),
    *(Row(f"f{n}_mean_hz", "praat", "means") for n in (2, 3)),
    *(Row(f"f{n}_mean_hz", "praat", "joint") for n in (1, 2, 3)),
    *(Row(f"f{n}_bandwidth_mean_hz", "praat", "means") for n in (1, 2, 3)),
    *(
        Row(name, "opensmile", how, bar)
        for name, bar in (
            ("alpha_ratio_mean_db", 0.95),
            ("hammarberg_mean_db", 0.95),
            ("slope_0_500_mean_db_per_khz", 0.90),
            ("slope_500_1500_mean_db_per_khz", 0.90),
        )
        for how in ("means", "joint")
    ),
    Row("slope_0_500_mean_db_per_khz", "opensmile", "joint, level taken out", 0.90),
    Row("slope_500_1500_mean_db_per_khz", "opensmile", "joint, level taken out", 0.90),
    *(Row(f"mfcc_{n}_mean", "opensmile", how) for n in (1, 2, 3, 4) for how in ("means", "joint")),
    Row("loudness_mean", "opensmile", "means", 0.95),
    Row("loudness_mean", "opensmile", "file", 0.95),
    Row("loudness_sd", "opensmile", "means"),
    Row("h1_h2_mean_db", "opensmile", "joint"),
    Row("h1_a3_mean_db", "opensmile", "joint"),
    *(Row(f"f{n}_relative_energy_mean_db", "opensmile", "joint") for n in (1, 2, 3)),
    Row("voiced_segment_mean", "opensmile", "means"),
)
BANDS = {"slope_0_500_db_per_khz": (0, 500), "slope_500_1500_db_per_khz": (500, 1500)}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", action="append", required=True, metavar="CORPUS=DIR")
    parser.add_argument("--speakers", choices=("tuned", "held-out"), default="held-out")
    parser.add_argument("--alignments", type=Path)
    parser.add_argument("--store", type=Path)
    arguments = parser.parse_args()
    folders = roots(arguments)
    chosen = clips(folders, held_out=arguments.speakers == "held-out")
    with ProcessPoolExecutor(2) as pool:
        found = list(pool.map(compared, [path for path, _ in chosen], chunksize=4))
    if arguments.store:
        recordings = [(corpus, path.name) for path, corpus in chosen]
        store(arguments.store / "instruments.csv", recordings, [stored for _, stored in found])
        store_frames(arguments.store / "frames.csv")
    corpora = np.array([corpus for _, corpus in chosen])
    print(f"{len(found)} recordings\n")
    print("| descriptor | beside | how | CREMA-D | EMO-DB | both | gap | Praat-openSMILE | bar |")
    print("|---|---|---|---|---|---|---|---|---|")
    for number, row in enumerate(ROWS):
        ours, theirs = np.array([pairs[number] for pairs, _ in found]).T
        print("|", " | ".join(_cells(row, ours, theirs, corpora, [s for _, s in found])), "|")
    if arguments.alignments:
        _syllables(folders["emodb"], arguments.alignments / "labsilb")
        _voicing([p for p, c in chosen if c == "emodb"], arguments.alignments / "lablaut")


def clips(folders: Mapping[str, Path], *, held_out: bool = True) -> list[tuple[Path, str]]:
    """Recordings and their corpus: of every second speaker."""
    chosen = []
    for corpus in CORPORA:
        utterances = find("corpora", corpus).read(folders[corpus])
        speakers = sorted({utterance.speaker for utterance in utterances})[held_out::2]
        paths = [utterance.path for utterance in utterances if utterance.speaker in speakers]
        if corpus == "cremad":
            paths = [paths[row] for row in np.linspace(0, len(paths) - 1, CREMAD).astype(int)]
        chosen += [(path, corpus) for path in paths]
    return chosen


def compared(path: Path) -> tuple[list[tuple[float, float]], dict[str, dict[str, float]]]:
    """Ours and theirs for each row, and the peers' own values."""
    ours = find("backends", "voxplain").Measurement(path)
    whole = find("backends", "voxplain").Measurement(path, marked=[Segment(0, math.inf)])
    peers = {name: find("backends", name).Measurement(path) for name in PEERS}
    own = {
        name: {key: one.value for key, one in peer.functionals().items()}
        for name, peer in peers.items()
    }
    values = {key: one.value for key, one in ours.functionals().items()}
    pairs = []
    for row in ROWS:
        if row.how == "means":
            pairs.append((values[row.name], own[row.peer][row.name]))
        elif row.how == "file":
            pairs.append(
                (float(np.nanmean(whole.tracks[row.track].values)), own[row.peer][row.name])
            )
        else:
            pairs.append(_joint(row, ours.tracks, peers[row.peer].tracks, path))
    return pairs, own


def _joint(
    row: Row, ours: Mapping[str, Track], theirs: Mapping[str, Track], path: Path
) -> tuple[float, float]:
    """Both means (or SDs) over the frames that both call voiced."""
    one, other = ours[row.track], theirs[row.track]
    if not len(one.times):
        return math.nan, math.nan
    borders = (other.times[1:] + other.times[:-1]) / 2
    nearest = np.searchsorted(borders, one.times)
    mine, yours = one.values, other.values[nearest]
    if "level" in row.how:
        yours = yours + _level_of_slope(row.track, path, one.times)
    if row.name.startswith("f0_"):
        mine, yours = (12 * np.log2(values / 27.5) for values in (mine, yours))
    joint = one.voiced & theirs["f0_hz"].voiced[nearest] & np.isfinite(mine) & np.isfinite(yours)
    if joint.sum() <= ENOUGH:
        return math.nan, math.nan
    summary = np.std if "_sd_" in row.name else np.mean
    return float(summary(mine[joint])), float(summary(yours[joint]))


def _level_of_slope(track: str, path: Path, times: NDArray[np.float64]) -> NDArray[np.float64]:
    """What openSMILE's slopes lack at each time by the level of the band; up to a constant.

    They change with the level as a regression does that counts one of its N bins too few: a gain
    of c dB adds -c sum(f) / ((N - 1) sum(f^2) - sum(f)^2), -0.8 and -0.545 c dB/kHz.
    """
    frames = Frames(read.read(path))
    low, high = BANDS[track]
    band = (bin_hz() >= low) & (bin_hz() <= high)
    khz = bin_hz()[band] / 1000
    per_db = khz.sum() / ((len(khz) - 1) * (khz**2).sum() - khz.sum() ** 2)
    level = (10 * np.log10(np.maximum(frames.power[:, band], 1e-12))).mean(axis=-1)
    nearest = np.searchsorted((frames.times[1:] + frames.times[:-1]) / 2, times)
    found: NDArray[np.float64] = per_db * (level[nearest] + frames.level_db)
    return found


def correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Pearson's r where both are finite."""
    both = np.isfinite(one) & np.isfinite(other)
    return float(np.corrcoef(one[both], other[both])[0, 1]) if both.sum() > 2 else math.nan


def _gap(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> str:
    return f"{np.nanmedian(ours - theirs):+.2f} ({np.nanmedian(np.abs(ours - theirs)):.2f})"


def _cells(
    row: Row,
    ours: NDArray[np.float64],
    theirs: NDArray[np.float64],
    corpora: NDArray[np.str_],
    own: Sequence[Mapping[str, Mapping[str, float]]],
) -> Iterator[str]:
    yield from (f"`{row.name}`", row.peer, row.how)
    for here in (corpora == "cremad", corpora == "emodb", corpora != ""):
        yield f"{correlation(ours[here], theirs[here]):.3f}"
    # Of the level that was taken out, a constant is unknown.
    yield "" if "level" in row.how else _gap(ours, theirs)
    praat, smile = (np.array([o[peer].get(row.name, math.nan) for o in own]) for peer in PEERS)
    ceiling = correlation(praat, smile) if row.how == "means" else math.nan
    yield f"{ceiling:.3f}" if math.isfinite(ceiling) else ""
    yield f"{row.bar:.2f}" if row.bar else ""


def store(
    path: Path,
    recordings: Sequence[tuple[str, str]],
    values: Sequence[Mapping[str, Mapping[str, float]]],
) -> None:
    """Write the peers' values, a row per recording and peer."""
    names = list(dict.fromkeys(name for one in values for peer in one.values() for name in peer))
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as stream:
        out = csv.writer(stream, lineterminator="\n")
        out.writerow(["corpus", "file", "instrument", *names])
        for recording, one in zip(recordings, values, strict=True):
            for peer, found in one.items():
                cells = (found.get(name, math.nan) for name in names)
                numbers = ("" if math.isnan(cell) else f"{cell:.5g}" for cell in cells)
                out.writerow([*recording, peer, *numbers])


def store_frames(path: Path) -> None:
    """Write the peers' tracks of the recordings in tests/data, a row per frame."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        out = csv.writer(stream, lineterminator="\n")
        out.writerow(["file", "instrument", "time", *STORED_TRACKS])
        for recording in TESTED:
            for peer in PEERS:
                tracks = find("backends", peer).Measurement(recording).tracks
                times = tracks["f0_hz"].times
                gap = np.full(len(times), math.nan)
                columns = [tracks[n].values if n in tracks else gap for n in STORED_TRACKS]
                for row in zip(times, *columns, strict=True):
                    cells = ("" if math.isnan(cell) else f"{cell:.5g}" for cell in row)
                    out.writerow([recording.name, peer, *cells])


def _syllables(emodb: Path, labels: Path) -> None:
    """Articulation rate beside hand-labelled syllables per second, by speakers."""
    rates: dict[str, list[tuple[float, float]]] = {"tuned": [], "held out": []}
    speakers = sorted({path.stem[:2] for path in emodb.rglob("*.flac")})
    for path in sorted(emodb.rglob("*.flac")):
        label = labels / f"{path.stem}.labsilb"
        spans = _spans(label) if label.exists() else []
        if spans:
            measured = find("backends", "voxplain").Measurement(path).functionals()
            truth = len(spans) / sum(end - start for start, end in spans)
            group = "held out" if speakers.index(path.stem[:2]) % 2 else "tuned"
            rates[group].append((measured["articulation_rate"].value, truth))
    rates["all"] = rates["tuned"] + rates["held out"]
    print("\n| articulation rate beside hand-labelled syllables | n | r | gap | bar |")
    print("|---|---|---|---|---|")
    for group, pairs in rates.items():
        ours, truth = np.array(pairs).T
        r = correlation(ours, truth)
        print(f"| {group} speakers | {len(ours)} | {r:.3f} | {_gap(ours, truth)} | 0.75 |")


def _voicing(paths: Sequence[Path], labels: Path) -> None:
    """How often each instrument is wrong about what is voiced, by the phones."""
    print("\n| voicing beside hand labels | voiced missed | unvoiced called voiced | frames |")
    print("|---|---|---|---|")
    for name in ("voxplain", *PEERS):
        wrong = {True: 0, False: 0}
        frames = {True: 0, False: 0}
        for path in paths:
            f0_hz = find("backends", name).Measurement(path).tracks["f0_hz"]
            for start, end, voiced in _phones(labels / f"{path.stem}xx.lablaut"):
                here = (f0_hz.times > start + MARGIN) & (f0_hz.times < end - MARGIN)
                frames[voiced] += int(here.sum())
                wrong[voiced] += int((f0_hz.voiced[here] != voiced).sum())
        missed, false = (f"{wrong[which] / frames[which]:.1%}" for which in (True, False))
        print(f"| {name} | {missed} | {false} | {sum(frames.values())} |")


MARGIN = 0.012  # seconds from a border of phones that nothing is said about
# SAMPA as in the labels; what may be either (b, d, g, z, v, j, r, h ...) is left out.
VOICED = frozenset(
    "I E a i e o u U O Y y 9 2 @ 6 aI aU OY E6 i6 a6 I6 AU AO aO @6 n m N l".split()  # noqa: SIM905
)
UNVOICED = frozenset("s f S C x X !t !k !p . (".split())  # noqa: SIM905


def _phones(path: Path) -> Iterator[tuple[float, float, bool]]:
    """Start and end (s) of each phone that is surely voiced or unvoiced."""
    if not path.exists():
        return
    rows = [
        (float(match[1]), match[2].strip(), match[3].strip())
        for match in LABEL.finditer(path.read_text("latin-1").partition("#\n")[2])
    ]
    for (start, phone, change), (end, *_) in itertools.pairwise(rows):
        if not change and phone in VOICED | UNVOICED:
            yield start, end, phone in VOICED


LABEL = re.compile(r"^ *([\d.]+) +-?\d+ ?([^\t\n]*)\t?([^\n]*)$", re.MULTILINE)


def _spans(path: Path) -> list[tuple[float, float]]:
    """Start and end (s) of each syllable: a label stands at its start; "." and "(" are pauses."""
    lines = path.read_text("latin-1").partition("#\n")[2].splitlines()
    rows = [line.split() for line in lines if line.strip()]
    times = [float(row[0]) for row in rows]
    spans = zip(rows, times, times[1:], strict=False)
    return [(start, end) for row, start, end in spans if row[2] not in (".", "(")]


if __name__ == "__main__":
    main()
