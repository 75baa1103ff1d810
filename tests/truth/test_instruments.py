"""Descriptors beside stored values of Praat and openSMILE (benchmarks/agreement.py --store)."""

import csv
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from voxplain.descriptors.backends.voxplain import Measurement

HERE = Path(__file__).parent
DATA = HERE.parent / "data"
SPEECH = HERE.parents[2] / "shared/data/speech"
with (HERE / "instruments.csv").open(newline="", encoding="utf-8") as stream:
    ROWS = list(csv.DictReader(stream))


def stored(instrument, corpus, name):
    """File -> the instrument's value."""
    return {
        row["file"]: float(row[name] or "nan")
        for row in ROWS
        if row["instrument"] == instrument and row["corpus"] == corpus
    }


@pytest.mark.parametrize(
    ("instrument", "name", "tolerance"),
    [
        ("praat", "f0_mean_st", 0.6),
        ("opensmile", "f0_mean_st", 1.5),
        ("praat", "hnr_mean_db", 1.5),
        ("praat", "f1_mean_hz", 40),
        ("praat", "f2_mean_hz", 80),
        ("praat", "f3_mean_hz", 80),
        ("praat", "jitter_mean_percent", 1.2),
        ("praat", "shimmer_mean_percent", 5),
        ("opensmile", "alpha_ratio_mean_db", 2.5),
        ("opensmile", "hammarberg_mean_db", 3),
        ("opensmile", "mfcc_1_mean", 3),
        ("opensmile", "loudness_mean", 0.35),
    ],
)
def test_single_recordings_lie_near(instrument, name, tolerance):
    theirs = stored(instrument, "tests", name)
    assert len(theirs) == 5
    for file, value in theirs.items():
        assert Measurement(DATA / file).functionals()[name].value == pytest.approx(
            value, abs=tolerance
        ), file


@pytest.mark.parametrize(("instrument", "package"), [("praat", "parselmouth"), ("opensmile",) * 2])
def test_what_is_stored_is_what_the_instruments_say(instrument, package):
    pytest.importorskip(package)
    from voxplain.plugins import find

    for row in ROWS:
        if (row["corpus"], row["instrument"]) == ("tests", instrument):
            found = find("backends", instrument).Measurement(DATA / row["file"]).functionals()
            for name, quantity in found.items():
                value = float(row[name] or "nan")
                assert quantity.value == pytest.approx(value, rel=1e-3, abs=1e-3, nan_ok=True), name


@pytest.fixture(scope="module")
def ours():
    """Corpus -> file -> our functionals, wherever the others' are stored."""
    if not SPEECH.exists():
        pytest.skip(f"{SPEECH} is not here")
    found = {}
    for corpus in ("cremad", "emodb"):
        files = stored("praat", corpus, "f0_mean_st")
        with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
            measured = pool.map(_values, [SPEECH / corpus / file for file in files], chunksize=16)
            found[corpus] = dict(zip(files, measured, strict=True))
    return found


def _values(path):
    return {name: quantity.value for name, quantity in Measurement(path).functionals().items()}


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
        ("opensmile", "loudness_mean", 0.95),
    ],
)
def test_hundreds_of_recordings_agree(ours, corpus, instrument, name, bar):
    theirs = stored(instrument, corpus, name)
    assert len(theirs) >= 200
    pairs = np.array([(ours[corpus][file][name], value) for file, value in theirs.items()])
    pairs = pairs[np.isfinite(pairs).all(axis=1)]
    assert len(pairs) >= 0.95 * len(theirs)
    assert np.corrcoef(pairs.T)[0, 1] >= bar
