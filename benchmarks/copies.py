"""How surely `voxplain audit` knows a copy of a recording again, and how often it sees one wrongly.

    python benchmarks/copies.py --root cremad=DIR --root emodb=DIR --root ravdess=DIR

Of recordings drawn at random copies are made: softer, through codecs, at other rates, trimmed. A
copy is missed if its fingerprint is not like that of the original, or the waveforms do not agree.
All recordings are then held against each other as an audit does; the pairs that it takes for copies
are printed, to be listened to. Last, recordings are cut off within their speech. Prints Markdown;
docs/audit.md holds one run. (The thresholds were chosen with another draw of the same corpora.)
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import soxr
from numpy.typing import NDArray

from voxplain.cli.train import add_data, roots
from voxplain.plugins import find
from voxplain.training.audit.copies import ALIKE, SAME, agreement, alike, fingerprint, near_copies
from voxplain.training.audit.sounds import ends_abruptly
from voxplain.training.conditions import Noise, coded
from voxplain.training.corpora._reading import Utterance, sound

RATE = 16_000
DRAWN = 200
SEED = 2

Waveform = NDArray[np.float32]


def trimmed(waveform: Waveform, *, start_ms: int, end_ms: int) -> Waveform:
    """Without so much at the start and at the end."""
    return waveform[16 * start_ms : len(waveform) - 16 * end_ms]


def resampled(waveform: Waveform, *, rate: int) -> Waveform:
    """At another rate and back."""
    return soxr.resample(soxr.resample(waveform, RATE, rate), rate, RATE)


def noisy(waveform: Waveform) -> Waveform:
    """With white noise 20 dB below."""
    return Noise("white", 20.0)(waveform, np.random.default_rng(0), lambda: [])


COPIES: Mapping[str, Callable[[Waveform], Waveform]] = {
    "12 dB softer": lambda x: x * np.float32(10 ** (-12 / 20)),
    "Opus": lambda x: coded(x, codec="opus"),
    "MP3": lambda x: coded(x, codec="mp3"),
    "Vorbis": lambda x: coded(x, codec="vorbis"),
    "mu-law, 8 kHz": lambda x: coded(x, codec="mu-law"),
    "GSM, 8 kHz": lambda x: coded(x, codec="gsm"),
    "44.1 kHz and back": lambda x: resampled(x, rate=44_100),
    "white noise, 20 dB": noisy,
    "trimmed by 7 and 3 ms": lambda x: trimmed(x, start_ms=7, end_ms=3),
    "trimmed by 80 and 43 ms": lambda x: trimmed(x, start_ms=80, end_ms=43),
    "trimmed by 203 ms": lambda x: trimmed(x, start_ms=203, end_ms=0),
    "0.3 s of silence before": lambda x: np.pad(x, (4800, 0)),
    "trimmed, softer, Opus": lambda x: coded(
        trimmed(x, start_ms=52, end_ms=17) * np.float32(0.5), codec="opus"
    ),
    "trimmed, softer, GSM": lambda x: coded(
        trimmed(x, start_ms=52, end_ms=17) * np.float32(0.5), codec="gsm"
    ),
}


def misses(waveforms: Sequence[Waveform], prints: NDArray[np.float32]) -> None:
    """Print how many copies of each kind are missed."""
    print("| copy | copies | missed by fingerprint | by waveform | least agreement |")
    print("|---|---|---|---|---|")
    for kind, make in COPIES.items():
        copies = [np.asarray(make(waveform), np.float32) for waveform in waveforms]
        cosines = [own @ fingerprint(copy) for own, copy in zip(prints, copies, strict=True)]
        agreed = [agreement(*pair) for pair in zip(waveforms, copies, strict=True)]
        unlike, apart = np.array(cosines) < ALIKE, np.array(agreed) < SAME
        cells = [kind, len(copies), unlike.sum(), apart.sum(), f"{min(agreed):.2f}"]
        print(f"| {' | '.join(map(str, cells))} |", flush=True)


def false_alarms(utterances: Sequence[Utterance], prints: NDArray[np.float32]) -> None:
    """Print the pairs of different recordings that are taken for copies."""
    pairs = len(utterances) * (len(utterances) - 1) // 2
    found = list(near_copies(utterances, prints))
    candidates = sum(1 for _ in alike(prints))
    print(
        f"\n{len(utterances)} recordings, {pairs} pairs: {candidates} alike, {len(found)} copies:"
    )
    for pair in found:
        names = [utterances[place] for place in pair]
        how = agreement(*(sound(one).waveform for one in names))
        print(f"- {' = '.join(one.path.name for one in names)}, agreement {how:.3f}")


def cut_off(waveforms: Sequence[Waveform]) -> None:
    """Print how often an end within speech is seen, and one where there is none."""
    places = np.random.default_rng(SEED).uniform(0.4, 0.7, len(waveforms))
    cut = [one[: int(p * len(one))] for one, p in zip(waveforms, places, strict=True)]
    seen, wrong = (np.mean([ends_abruptly(one) for one in ones]) for ones in (cut, waveforms))
    print(f"\ncut off at 40 to 70 %: {seen:.0%} end abruptly; whole: {wrong:.1%}")


def main() -> None:
    """Hear everything once, then measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_data(parser)
    utterances = [
        one
        for corpus, root in roots(parser.parse_args()).items()
        for one in find("corpora", corpus).read(root)
    ]
    prints = np.array([fingerprint(sound(one).waveform) for one in utterances])
    drawn = np.random.default_rng(SEED).choice(len(utterances), DRAWN, replace=False)
    waveforms = [sound(utterances[place]).waveform for place in drawn]
    misses(waveforms, prints[drawn])
    false_alarms(utterances, prints)
    cut_off(waveforms)


if __name__ == "__main__":
    main()
