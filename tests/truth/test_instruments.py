"""Descriptors beside stored values of Praat and openSMILE (benchmarks/agreement.py --store)."""

import csv
import functools
import os
from pathlib import Path

import numpy as np
import pytest

import voxplain
from voxplain.descriptors.backends.voxplain import Measurement

HERE = Path(__file__).parent
DATA = HERE.parent / "data"
SPEECH = HERE.parents[2] / "shared/data/speech"


def rows_of(name):
    with (HERE / name).open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


FRAMES, RECORDINGS = rows_of("frames.csv"), rows_of("instruments.csv")
FILES = sorted({row["file"] for row in FRAMES})
EVERY = int(os.environ.get("EVERY", "8"))
"""Every eighth of the hundreds of recordings is measured; all of them with EVERY=1."""
INSTRUMENTS = {"praat": "parselmouth", "opensmile": "opensmile"}


def column(rows, name):
    return np.array([float(row[name] or "nan") for row in rows])


def frames(file, instrument):
    return [row for row in FRAMES if (row["file"], row["instrument"]) == (file, instrument)]


@functools.cache
def tracks_of(file):
    return Measurement(DATA / file).tracks


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize(
    ("instrument", "name", "gap"),
    [
        ("praat", "f0_hz", 0.1),  # semitones
        ("opensmile", "f0_hz", 0.2),
        ("praat", "hnr_db", 2.5),
        ("praat", "f1_hz", 25),
        ("praat", "f2_hz", 35),
        ("praat", "f3_hz", 35),
        ("opensmile", "alpha_ratio_db", 1.2),
        ("opensmile", "hammarberg_db", 2),
        ("opensmile", "slope_500_1500_db_per_khz", 8),
        ("opensmile", "loudness", 0.15),
        ("opensmile", "mfcc_1", 2),
        ("opensmile", "mfcc_2", 3),
        ("opensmile", "mfcc_3", 3),
        ("opensmile", "mfcc_4", 3),
    ],
)
def test_frames_that_both_call_voiced_agree(file, instrument, name, gap):
    """The median gap; a wrong sign, scale or grid would be far off."""
    rows, tracks = frames(file, instrument), tracks_of(file)
    times = column(rows, "time")
    nearest = np.searchsorted((times[1:] + times[:-1]) / 2, tracks[name].times)
    ours, theirs = tracks[name].values, column(rows, name)[nearest]
    voiced = tracks[name].voiced & np.isfinite(column(rows, "f0_hz")[nearest])
    joint = voiced & np.isfinite(ours) & np.isfinite(theirs)
    assert joint.sum() > 50
    if name == "f0_hz":
        ours, theirs = 12 * np.log2(ours), 12 * np.log2(theirs)
    assert np.median(np.abs(ours - theirs)[joint]) <= gap
    if name != "hnr_db":  # other windows: only the level is alike from frame to frame
        assert np.corrcoef(ours[joint], theirs[joint])[0, 1] > 0.75


@pytest.mark.parametrize("instrument", INSTRUMENTS)
@pytest.mark.parametrize("file", FILES[:2])
def test_what_is_stored_is_what_the_instruments_say(file, instrument):
    pytest.importorskip(INSTRUMENTS[instrument])
    from voxplain.plugins import find

    tracks = find("backends", instrument).Measurement(DATA / file).tracks
    rows = frames(file, instrument)
    for name in FRAMES[0].keys() & tracks.keys():
        values = column(rows, name)
        np.testing.assert_allclose(tracks[name].values, values, rtol=1e-3, atol=1e-3)


@pytest.fixture(scope="module")
def ours():
    """Corpus -> file -> our functionals, of some whose others are stored."""
    if not SPEECH.exists():
        pytest.skip(f"{SPEECH} is not here")
    found = {}
    for corpus in ("cremad", "emodb"):
        stored = dict.fromkeys(row["file"] for row in RECORDINGS if row["corpus"] == corpus)
        files = list(stored)[::EVERY]
        table = voxplain.features([SPEECH / corpus / file for file in files])
        found[corpus] = dict(zip(files, table.to_dict("records"), strict=True))
    return found


@pytest.mark.parametrize("corpus", ["cremad", "emodb"])
@pytest.mark.parametrize(
    ("instrument", "name", "bar"),
    [
        ("praat", "f0_mean_st", 0.97),
        ("praat", "hnr_mean_db", 0.90),
        ("praat", "f1_mean_hz", 0.85),
        ("praat", "jitter_mean_percent", 0.70),
        ("praat", "shimmer_mean_percent", 0.70),
        ("opensmile", "hammarberg_mean_db", 0.95),
        ("opensmile", "slope_0_500_mean_db_per_khz", 0.90),
    ],
)
def test_many_recordings_agree(ours, corpus, instrument, name, bar):
    """Each instrument's own mean, by its own idea of what is voiced.

    The bar is for all that are stored. Of a part it is two standard errors (Fisher's) lower, above
    which each of the eight parts lies.
    """
    rows = [r for r in RECORDINGS if (r["corpus"], r["instrument"]) == (corpus, instrument)]
    assert len(rows) >= 200
    rows = [row for row in rows if row["file"] in ours[corpus]]
    assert len(rows) >= 200 / EVERY
    pairs = np.array([[ours[corpus][row["file"]][name] for row in rows], column(rows, name)])
    pairs = pairs[:, np.isfinite(pairs).all(axis=0)]
    assert pairs.shape[1] >= 0.95 * len(rows)
    error = 1 / np.sqrt(len(rows) - 3) if EVERY > 1 else 0.0
    assert np.corrcoef(pairs)[0, 1] >= np.tanh(np.arctanh(bar) - 2 * error)
