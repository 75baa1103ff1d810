"""Emphasis in sounds of known stress, in a real sentence, and where nothing can be measured."""

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest

from voxplain import descriptors
from voxplain.audio import read
from voxplain.errors import UnknownName
from voxplain.text.emphasis import CUES, cues, prominence
from voxplain.types import Audio, Track, Word

RATE = 16_000
NAN = math.nan
PLAIN = (120.0, 0.2, 0.3)  # Hz, amplitude, seconds
STRESSED = {
    "higher": (150.0, 0.2, 0.3),
    "louder": (120.0, 0.4, 0.3),
    "longer": (120.0, 0.2, 0.4),
    "all three": (150.0, 0.4, 0.4),
}


def spoken(*parts, text="bada"):
    """Buzzes of (F0, amplitude, seconds) with short gaps: the words and tracks of a recording."""
    sounds, words, start = [np.zeros(RATE // 5)], [], 0.2
    for hz, amplitude, seconds in parts:
        times = np.arange(round(seconds * RATE)) / RATE
        buzz = sum(np.sin(2 * np.pi * hz * n * times) / n for n in range(1, 20))
        fade = np.minimum(1, np.minimum(times, times[::-1]) / 0.02)
        sounds += [amplitude * buzz * fade / 2, np.zeros(RATE // 20)]
        words.append(Word(text, start, start + seconds, 1.0))
        start += seconds + 0.05
    waveform = np.concatenate([*sounds, np.zeros(RATE // 5)]).astype(np.float32)
    return words, descriptors.tracks(Audio(waveform, RATE, "<buzz>"))


def scores(words, tracks, **options):
    return [word.prominence for word in prominence(words, tracks, **options)]


@pytest.fixture(scope="module")
def freezer():
    """An angry German sentence, its words timed by hand; stressed: Lappen and, most, Eisschrank."""
    audio = read.read(Path(__file__).parents[1] / "data/emodb_03a01Wa.flac")
    texts = ("Der", "Lappen", "liegt", "auf", "dem", "Eisschrank.")
    borders = (0.07, 0.22, 0.60, 0.82, 0.93, 1.07, 1.80)
    words = [Word(*row, 1.0) for row in zip(texts, borders, borders[1:], strict=False)]
    return words, audio


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("how", STRESSED)
def test_the_word_that_is_higher_louder_or_longer_stands_out(how, place):
    parts = [PLAIN] * 3
    parts[place] = STRESSED[how]
    found = scores(*spoken(*parts))
    assert np.argmax(found) == place
    assert sorted(found)[2] - sorted(found)[1] > 0.1


def test_nothing_stands_out_where_all_words_are_alike():
    found = scores(*spoken(PLAIN, PLAIN, PLAIN))
    assert max(found) - min(found) < 0.02


def test_words_in_another_order_keep_their_emphasis():
    parts = [STRESSED["all three"], PLAIN, STRESSED["higher"], PLAIN]
    there, back = scores(*spoken(*parts)), scores(*spoken(*parts[::-1]))
    assert there[::-1] == pytest.approx(back, abs=0.02)


def test_listeners_hear_the_stress_on_the_same_words(freezer):
    words, audio = freezer
    found = prominence(words, descriptors.tracks(audio))
    ranked = sorted(found, key=lambda word: -word.prominence)
    assert [word.text for word in ranked[:2]] == ["Eisschrank.", "Lappen"]
    assert all(0 < word.prominence < 1 for word in found)
    assert [dataclasses.replace(w, prominence=NAN, cues={}).to_dict() for w in found] == [
        word.to_dict() for word in words
    ]


def test_neither_gain_nor_a_higher_voice_nor_a_later_start_changes_anything(freezer):
    words, audio = freezer
    tracks = descriptors.tracks(audio)
    before = scores(words, tracks)
    quiet = descriptors.tracks(dataclasses.replace(audio, waveform=audio.waveform * 0.1))
    assert scores(words, quiet) == pytest.approx(before, abs=1e-3)
    f0 = dataclasses.replace(tracks["f0_hz"], values=tracks["f0_hz"].values * 2)
    assert scores(words, {**tracks, "f0_hz": f0}) == pytest.approx(before, abs=1e-9)
    later = [dataclasses.replace(w, start=w.start + 60, end=w.end + 60) for w in words]
    assert scores(later, descriptors.tracks(audio, start=60.0)) == pytest.approx(before, abs=1e-6)


def test_the_cues_say_by_what_a_word_stands_out(freezer):
    words, tracks = spoken(PLAIN, STRESSED["higher"], PLAIN)
    higher = prominence(words, tracks)[1].cues
    assert higher["f0"] == max(higher.values()) > 1
    words, tracks = spoken(PLAIN, PLAIN, STRESSED["longer"])
    longer = prominence(words, tracks)[2].cues
    assert longer["duration"] > 1
    assert abs(longer["f0"]) < 0.3
    assert set(longer) == set(CUES)


def hand_made(hz, level_db, seconds=0.2):
    """Words of steady F0 and level, back to back, with tracks made up."""
    frames = round(seconds * 100)
    f0, level = (np.repeat(np.array(values, float), frames) for values in (hz, level_db))
    times = (np.arange(len(f0)) + 0.5) / 100
    values = {"f0_hz": f0, "intensity_db": level, "loudness": 10 ** (level / 30)}
    tracks = {name: Track(times, row, "", np.isfinite(f0)) for name, row in values.items()}
    tracks["alpha_ratio_db"] = Track(times, np.where(np.isfinite(f0), -10, NAN), "dB", f0 > 0)
    starts = np.arange(len(hz)) * seconds
    return [Word("word", s, s + seconds, 1.0) for s in starts.tolist()], tracks


def test_cues_by_hand():
    """An octave above two others: z of 12 st with 0.5 st of spread that nobody hears."""
    words, tracks = hand_made([100, 100, 200], [-20, -20, -20])
    z = cues(words, tracks)
    deviation = math.hypot(12 * math.sqrt(2) / 3, 0.5)
    assert z["f0"] == pytest.approx(np.array([-4, -4, 8]) / deviation)
    assert z["intensity"].tolist() == z["pause"].tolist() == [0, 0, 0]
    assert z["lengthening"] == pytest.approx([0, 0, 0], abs=1e-6)


def test_a_long_word_is_no_lengthened_one():
    words, tracks = hand_made([100, 100, 100, 100], [-20, -20, -20, -20])
    words = [dataclasses.replace(words[0], text="a"), *words[1:3]]
    words.append(Word("42", 0.6, 0.8, 1.0))
    z = cues(words, tracks)
    assert z["duration"] == pytest.approx([0, 0, 0, 0], abs=1e-6)
    assert np.argmax(z["lengthening"]) == 0
    assert np.argmin(z["lengthening"]) == 3


def test_a_pause_counts_for_the_words_around_it_and_a_stop_does_not():
    words, tracks = hand_made([100] * 6, [-20] * 6)
    apart = [words[0], words[2], words[3], words[5]]
    assert cues(apart, tracks)["pause"] == pytest.approx([0, 0, 0, 0])
    words = [dataclasses.replace(w, end=w.end - 0.1) for w in words]
    apart = [words[0], words[1], words[3], words[4]]  # 0.1, 0.3 and 0.1 s apart
    z = cues(apart, tracks)["pause"]
    assert z[1] == z[2] > 0 > z[0] == z[3]


def test_the_published_rule_by_hand():
    """One of three an octave up: s is z / 3 of its F0, and 0.5 lies half a deviation up."""
    words, tracks = hand_made([100, 100, 200], [-20, -20, -20])
    found = prominence(words, tracks, method="lemf")
    normal = [(1 + math.erf((z - 0.5) / math.sqrt(2))) / 2 for z in (-math.sqrt(0.5), math.sqrt(2))]
    assert [word.prominence for word in found[1:]] == pytest.approx(normal)
    assert found[2].cues == pytest.approx(
        {"f0_mean": math.sqrt(2), "intensity_mean": 0, "lengthening": 0}, abs=1e-6
    )


def test_a_sentence_is_measured_against_itself_alone():
    parts = [PLAIN, STRESSED["louder"], PLAIN]
    words, tracks = spoken(*parts, *[(250.0, 0.6, 0.2)] * 2, (250.0, 0.9, 0.3))
    alone, _ = scores(words[:3], tracks), scores(words[3:], tracks)
    together = scores(words, tracks)
    assert together[:3] != pytest.approx(alone, abs=0.05)
    for end in (".", "?!", '."', "…", "。"):
        words[2] = dataclasses.replace(words[2], text=f"bada{end}")
        assert scores(words, tracks)[:3] == pytest.approx(alone)


def test_a_sentence_ends_before_a_long_pause():
    words, tracks = hand_made([100, 100, 200, 300, 300, 300, 150], [-20] * 7)
    words = [*words[:2], *words[5:]]  # 0.6 s without a word
    assert scores(words, tracks) == scores(words[:2], tracks) + scores(words[2:], tracks)


def test_a_whisper_has_no_pitch_but_emphasis(freezer):
    words, audio = freezer
    tracks = descriptors.tracks(audio)
    nothing = np.full(len(tracks["f0_hz"].times), NAN)
    for name in ("f0_hz", "alpha_ratio_db"):
        tracks[name] = dataclasses.replace(tracks[name], values=nothing)
    found = prominence(words, tracks)
    assert np.isnan([[word.cues["f0"], word.cues["tilt"]] for word in found]).all()
    assert max(found, key=lambda word: word.prominence).text == "Eisschrank."


@pytest.mark.parametrize("method", ["embedded", "lemf"])
@pytest.mark.parametrize(
    ("start", "end"), [(NAN, NAN), (0.3, NAN), (NAN, 0.5), (0.5, 0.5), (0.5, 0.4), (90.0, 90.4)]
)
def test_a_word_without_time_or_sound_is_left_out(method, start, end):
    words, tracks = spoken(PLAIN, STRESSED["louder"], PLAIN)
    lost = Word("lost", start, end, 0.1, prominence=0.7, cues={"f0": 1.0})
    found = prominence([words[0], lost, *words[1:]], tracks, method=method)
    assert math.isnan(found[1].prominence)
    assert not found[1].cues
    rest = [found[0].prominence, *(word.prominence for word in found[2:])]
    assert rest == pytest.approx(scores(words, tracks, method=method))


def test_a_word_alone_has_nothing_to_stand_out_from():
    words, tracks = spoken(PLAIN, STRESSED["louder"])
    assert prominence([], tracks) == ()
    alone = prominence([dataclasses.replace(words[0], text="No!"), words[1]], tracks)
    assert np.isnan([word.prominence for word in alone]).all()
    assert not any(word.cues for word in alone)


def test_another_method_is_an_error():
    with pytest.raises(UnknownName, match=r"method of emphasis 'lmef'.*Did you mean 'lemf'"):
        prominence([], {}, method="lmef")
