"""Make a corpus whose truth is known: espeak-ng speaks it, and what it is rated is planted.

    python recipes/msf/planted.py --warriner DIR --out DIR [--clips 4800] [--seed 0]

A clip is five words, such as "The cheerful teacher saw POISON." Three of them are rated by people
(Warriner et al. 2013, of which nothing but the words stands here); they are drawn apart from each
other, and so is which of them is emphasised: higher, louder and slower, among softer words. The
voice, its pitch and its rate, the level and the tilt of the recording are drawn apart from the
words. Level, tilt and pitch count as they are heard in the recording, not as they were asked of a
voice: so they mean the same in a voice that was never heard. TRUTH says what comes of them:

- valence: the emphasised word's. Neither the text nor the voice alone can tell.
- arousal: the voice, whatever is said.
- dominance: all three words alike, wherever the emphasis lies, and how low the voice is.

To each comes noise of NOISE its standard deviation. Written are ``wavs/``; ``table.csv`` for the
reader of tables; ``null.csv``, the same with the targets of other clips; ``truth.csv``, which adds
what was planted and the targets without noise; and ``card.json``: how near any model can come, in
CCC, given all, all but where the emphasis lies, the text alone and the voice alone.
"""

import argparse
import csv
import functools
import hashlib
import io
import itertools
import json
import math
import random
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import soundfile
import soxr
from scipy.optimize import brentq

from voxplain.audio.log_mel import SAMPLING_RATE
from voxplain.descriptors import f0
from voxplain.descriptors._frames import Frames
from voxplain.errors import ConfigError, CorpusNotFound, VoxplainError, status
from voxplain.training.metrics.ccc import concordance
from voxplain.training.metrics.pearson import correlation
from voxplain.training.words.emotion_corpora import norms
from voxplain.types import Audio

TRUTH = {  # weights of the standardised factors
    "valence": {"emphasised": 1.0},
    "arousal": {"level": 0.85, "tilt": 0.3, "rate": 0.2, "pitch": 0.2},
    "dominance": {"words": 0.9, "pitch": -0.4},
}
NOISE = 0.3
SCALE = 0.14  # of a target without noise, around 0.5: next to none leaves [0, 1]

ADJECTIVES = (
    "rude", "greedy", "violent", "evil", "lonely", "cruel", "nasty", "selfish", "strict", "formal",
    "serious", "busy", "quiet", "polite", "calm", "famous", "brave", "gentle", "friendly",
    "cheerful", "brutal", "hostile", "jealous", "lazy", "clumsy", "ugly", "stupid", "bitter",
    "nervous", "shy", "humble", "modest", "curious", "clever", "honest", "loyal", "funny", "happy",
    "lovely", "wise",
)  # fmt: skip
PEOPLE = (
    "murderer", "criminal", "thief", "liar", "coward", "bully", "prisoner", "burglar", "stranger",
    "banker", "tailor", "plumber", "captain", "driver", "artist", "teacher", "hero", "mother",
    "angel", "winner", "killer", "terrorist", "dictator", "gangster", "robber", "traitor", "slave",
    "beggar", "widow", "lawyer", "clerk", "butcher", "farmer", "sailor", "waiter", "doctor",
    "singer", "friend", "sister", "champion",
)  # fmt: skip
THINGS = (
    "torture", "murder", "cancer", "poverty", "poison", "war", "grief", "violence", "gravel",
    "cement", "metal", "laundry", "money", "breakfast", "summer", "music", "freedom", "chocolate",
    "love", "laughter", "disease", "famine", "prison", "funeral", "garbage", "debt", "sewage",
    "traffic", "needle", "ladder", "carpet", "pencil", "window", "bread", "garden", "holiday",
    "kitten", "sunshine", "rainbow", "friendship",
)  # fmt: skip
RATED = {1: ADJECTIVES, 2: PEOPLE, 4: THINGS}  # place in the sentence -> its words

ACCENTS = ("en", "en-us", "en-us-nyc", "en-gb-x-rp")
VARIANTS = (  # of the voice; those that aligners can't follow are left out
    "m1", "m2", "m5", "m6", "paul", "edward", "miguel", "f1", "f2", "f5", "steph", "steph3",
)  # fmt: skip
VOICES = [f"{accent}+{variant}" for accent in ACCENTS for variant in VARIANTS]
WOMEN = ("f", "steph")
PITCHES = 30, 70  # of 0 to 99
RATES = 130, 190  # words a minute
LEVELS = -52.0, -24.0  # dB of full scale, root mean square
TILTS = -22.0, -4.0  # dB: 1-5 kHz over 50-1000 Hz
EMPHASISED = "pitch='+80%' volume='x-loud' rate='50%'"
OTHERS = "volume='soft'"

MARGIN = 0.2  # seconds before and after
HISS = -32.0  # dB below the voice: recordings are never silent, and aligners don't expect it


def drawn(count, draw):
    """What is planted in each clip."""
    for number in range(count):
        words = ["The", "", "", "saw", ""]
        for place, known in RATED.items():
            words[place] = draw.choice(known)
        yield {
            "file": f"wavs/{number:05d}.wav",
            "speaker": VOICES[number % len(VOICES)],
            "words": words,
            "emphasis": draw.choice(list(RATED)),
            "pitch": draw.randint(*PITCHES),
            "rate": draw.randint(*RATES),
            "level": draw.uniform(*LEVELS),
            "tilt": draw.uniform(*TILTS),
        }


def text(clip):
    """What is said, as it is written."""
    return " ".join(clip["words"]) + "."


def marked(clip):
    """What is said, in SSML."""
    words, at = text(clip).split(), clip["emphasis"]
    parts = (words[:at], OTHERS), (words[at : at + 1], EMPHASISED), (words[at + 1 :], OTHERS)
    return " ".join(f"<prosody {how}>{' '.join(some)}</prosody>" for some, how in parts if some)


def espeak(*arguments):
    """What espeak-ng writes. Raises ConfigError where it is missing, or can't do it."""
    try:
        ran = subprocess.run(["espeak-ng", *arguments], capture_output=True)
    except FileNotFoundError as error:
        raise ConfigError(
            "espeak-ng is not installed; get it, for example by apt-get install espeak-ng"
        ) from error
    if ran.returncode:
        raise ConfigError(
            f"espeak-ng {' '.join(arguments)} failed: {ran.stderr.decode().strip()}; "
            "has it these voices? 1.51 has"
        )
    return ran.stdout


def made(clip, *, out):
    """Speak a clip and write it; its pitch, the median of F0 in semitones."""
    how = "-v", clip["speaker"], "-s", str(clip["rate"]), "-p", str(clip["pitch"])
    spoken, rate = soundfile.read(io.BytesIO(espeak("-m", "-z", "--stdout", *how, marked(clip))))
    voice = tilted(soxr.resample(spoken, rate, SAMPLING_RATE), clip["tilt"])
    heard = np.flatnonzero(np.abs(voice) > 1e-3 * np.abs(voice).max())
    voice = voice[heard[0] : heard[-1] + 1]
    voice *= 10 ** (clip["level"] / 20) / np.sqrt(np.mean(voice**2))
    seed = int(hashlib.sha256(clip["file"].encode()).hexdigest(), 16)
    voice = np.pad(voice, round(MARGIN * SAMPLING_RATE))
    hiss = np.random.default_rng(seed).standard_normal(len(voice))
    waveform = (voice + 10 ** ((clip["level"] + HISS) / 20) * hiss).astype(np.float32)
    soundfile.write(out / clip["file"], waveform, SAMPLING_RATE, subtype="PCM_16")
    f0_hz = f0.tracks(Frames(Audio(waveform, SAMPLING_RATE, clip["file"])), {})["f0_hz"]
    return float(12 * np.log2(np.nanmedian(f0_hz)))


def tilted(waveform, tilt):
    """With as many dB an octave more or less as make it this tilt."""
    spectrum = np.fft.rfft(waveform)
    frequency = np.fft.rfftfreq(len(waveform), 1 / SAMPLING_RATE)
    octaves = np.log2(np.maximum(frequency, 50) / 1000)
    power = np.abs(spectrum) ** 2
    low, high = (frequency >= 50) & (frequency < 1000), (frequency >= 1000) & (frequency < 5000)

    def excess(slope):
        louder = power * 10 ** (slope * octaves / 10)
        return 10 * np.log10(louder[high].sum() / louder[low].sum()) - tilt

    slope = brentq(excess, -30, 30, xtol=0.01)
    return np.fft.irfft(spectrum * 10 ** (slope * octaves / 20), len(waveform))


def factors(clips, pitches, ratings):
    """Factor -> its values, (n,), with mean 0 and deviation 1.

    ``any word``, the valence to expect where nobody knows the emphasis, is in the units of
    ``emphasised``.
    """
    rated = np.array([[ratings[clip["words"][at]] for at in RATED] for clip in clips])
    valence, dominance = standardised(rated[..., 0]), rated[..., 2]
    places = [list(RATED).index(clip["emphasis"]) for clip in clips]
    asked = {name: np.array([clip[name] for clip in clips]) for name in ("rate", "level", "tilt")}
    return {
        "emphasised": valence[range(len(clips)), places],
        "any word": valence.mean(1),
        "words": standardised(dominance.mean(1)),
        "pitch": standardised(np.array(pitches)),
        **{name: standardised(values) for name, values in asked.items()},
    }


def standardised(values):
    """With mean 0 and deviation 1."""
    return (values - values.mean()) / values.std()


def expected(known):
    """Targets (n, 3) without noise, of factors that are known, or 0 where they are not."""
    signals = [
        sum(weight * known[factor] for factor, weight in of.items()) / math.hypot(*of.values())
        for of in TRUTH.values()
    ]
    return 0.5 + SCALE * np.column_stack(signals)


def reach(known, targets):
    """How near any prediction can come to the targets (n, 3) that knows these factors.

    ``ccc`` is that of the best prediction, which a loss of CCC finds: the expected value, stretched
    until it varies as much as the targets do. Its CCC is then Pearson's r, whereas the expected
    value itself, the least squared error, has ``ccc_of_mean`` = 2 r^2 / (1 + r^2).
    """
    told = {}
    for name, guess, target in zip(TRUTH, expected(known).T, targets.T, strict=True):
        r = correlation(target, guess) if np.ptp(guess) else 0.0
        told[name] = {"ccc": r, "ccc_of_mean": concordance(target, guess)}
    return told


def write(path, rows):
    """A table."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def make(*, warriner, out, clips, seed, jobs):
    """The corpus, and the card.

    Raises ConfigError where espeak-ng is missing, CorpusNotFound where ratings are.
    """
    if clips < len(VOICES):
        raise ConfigError(f"--clips {clips}: each of the {len(VOICES)} voices needs one at least")
    version = espeak("--version").decode().partition("  ")[0]
    ratings = norms(warriner)
    for word in itertools.chain(*RATED.values()):
        if word not in ratings:
            raise CorpusNotFound(f"{warriner} has no ratings of {word!r}; give all of Warriner's")
    design = list(drawn(clips, random.Random(seed)))
    (out / "wavs").mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(jobs) as pool:
        pitches = list(pool.map(functools.partial(made, out=out), design, chunksize=16))
    values = factors(design, pitches, ratings)
    generator = np.random.default_rng(seed)
    truth = expected(values)
    noise = NOISE * SCALE * generator.standard_normal(truth.shape)
    targets = np.clip(truth + noise, 0, 1).round(4)
    for name, rated in (("table", targets), ("null", generator.permutation(targets))):
        write(out / f"{name}.csv", [row(*one) for one in zip(design, rated.tolist(), strict=True)])
    planted = {f"z_{name}": found for name, found in values.items()}
    planted |= dict(zip(TRUTH, truth.T, strict=True))
    write(
        out / "truth.csv",
        [
            {**clip, "words": text(clip), **{name: found[at] for name, found in planted.items()}}
            for at, clip in enumerate(design)
        ],
    )
    nothing = dict.fromkeys(values, np.zeros(clips))
    voice = {name: values[name] for name in ("pitch", "rate", "level", "tilt")}
    words = {"emphasised": values["any word"], "words": values["words"]}
    card = {
        "clips": clips,
        "speakers": len({clip["speaker"] for clip in design}),
        "seed": seed,
        "noise": NOISE,
        "spoken by": version,
        "reach": {
            "everything": reach(values, targets),
            "all but the emphasis": reach(values | words, targets),
            "text alone": reach(nothing | words, targets),
            "voice alone": reach(nothing | voice, targets),
        },
    }
    (out / "card.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    return card


def row(clip, rated):
    """A clip in the table."""
    told = {name: clip[name] for name in ("file", "speaker", "emphasis")}
    woman = clip["speaker"].partition("+")[2].startswith(WOMEN)
    about = {"corpus": "planted", "sex": "female" if woman else "male", "language": "en"}
    return {**told, **about, "text": text(clip), **dict(zip(TRUTH, rated, strict=True))}


def main(arguments=None):
    """Make it, and say what any model can reach."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--warriner", type=Path, required=True, help="folder of the ratings")
    parser.add_argument("--out", type=Path, required=True, help="folder of the corpus")
    parser.add_argument("--clips", type=int, default=4800)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    try:
        card = make(**vars(parser.parse_args(arguments)))
    except VoxplainError as error:
        sys.stderr.write(f"error: {error}\n")
        return status(error).exit
    sys.stdout.write(f"{card['clips']} clips of {card['speakers']} voices; CCC within reach\n")
    for given, told in card["reach"].items():
        figures = ", ".join(f"{name} {one['ccc']:.3f}" for name, one in told.items())
        sys.stdout.write(f"  {given}: {figures}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
