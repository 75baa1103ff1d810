"""The main job in Python: real recordings, arrays, long and hopeless ones."""

import json
import pickle
from importlib.resources import files

import numpy as np
import pytest
import soundfile
from jsonschema import Draft202012Validator

import voxplain
from voxplain.audio import read
from voxplain.errors import ConfigError, TooShort, UnknownName
from voxplain.pipeline import analyze_each

RATE = 16_000


def numbers(analysis):
    """Every number of an analysis but for its source, flat."""
    found = []

    def walk(value):
        if isinstance(value, dict):
            for key in sorted(value):
                if key not in ("source", "provenance"):
                    walk(value[key])
        elif isinstance(value, list):
            for item in value:
                walk(item)
        elif isinstance(value, int | float):
            found.append(float(value))

    walk(analysis.to_dict(tracks=True))
    return np.array(found)


def speech(clips, seconds):
    joined = np.concatenate([read.read(clip).waveform for clip in clips])
    return np.tile(joined, int(np.ceil(seconds * RATE / len(joined))))[: int(seconds * RATE)]


def test_an_angry_voice_unknown_to_the_model_sounds_angry(angry):
    analysis = voxplain.analyze(angry)
    assert analysis.emotion.verdict.labels == ("angry",)
    assert sum(analysis.emotion.categories.values()) == pytest.approx(1)
    assert analysis.emotion.dimensions.arousal.value > 0.6
    assert analysis.emotion.dimensions.valence.value < 0.4
    (segment,) = analysis.segments
    assert 0 < segment.start < segment.end <= analysis.duration == pytest.approx(3.003, abs=0.01)
    assert segment.emotion == analysis.emotion
    assert analysis.descriptors.functionals["f0_mean_st"].reliable


def test_the_document_follows_the_published_schema(clips):
    schema = json.loads((files("voxplain") / "assets/schema/analysis.schema.json").read_text())
    validator = Draft202012Validator(schema)
    for analysis in (voxplain.analyze(clips[0]), voxplain.analyze(np.zeros(RATE), RATE)):
        for tracks in (False, True):
            validator.validate(json.loads(json.dumps(analysis.to_dict(tracks=tracks))))


def test_an_analysis_survives_json_and_pickle(angry):
    analysis = voxplain.analyze(angry)
    document = json.loads(json.dumps(analysis.to_dict(tracks=True)))
    rebuilt = voxplain.Analysis.from_dict(document)
    np.testing.assert_array_equal(numbers(rebuilt), numbers(analysis))
    assert rebuilt.emotion == analysis.emotion
    np.testing.assert_array_equal(numbers(pickle.loads(pickle.dumps(analysis))), numbers(analysis))


def test_company_order_and_processes_do_not_change_a_number(clips):
    alone = {clip: numbers(voxplain.analyze(clip)) for clip in clips}
    for order, jobs in ((clips, 1), (clips[::-1], 1), (clips, 2)):
        for clip, analysis in zip(order, analyze_each(order, jobs=jobs), strict=True):
            np.testing.assert_allclose(numbers(analysis), alone[clip], rtol=0, atol=1e-5)


def test_an_array_gives_what_its_file_gives(angry, tmp_path):
    waveform = read.read(angry).waveform
    path = tmp_path / "same.wav"
    soundfile.write(path, waveform, RATE, subtype="FLOAT")
    np.testing.assert_array_equal(
        numbers(voxplain.analyze(path)), numbers(voxplain.analyze(waveform, RATE))
    )


def test_a_bad_recording_among_good_ones_is_an_error_in_its_place(clips, tmp_path):
    broken = tmp_path / "broken.wav"
    broken.write_text("no audio")
    good, bad, also_good = analyze_each([clips[0], broken, clips[1]])
    assert isinstance(good, voxplain.Analysis)
    assert isinstance(also_good, voxplain.Analysis)
    assert "broken.wav" in str(bad)


@pytest.mark.parametrize(
    ("name", "waveform"),
    [
        ("zeros", np.zeros(3 * RATE)),
        ("constant", np.full(3 * RATE, 0.5)),
        ("white noise", np.random.default_rng(0).normal(0, 0.1, 3 * RATE)),
        ("tone", 0.5 * np.sin(2 * np.pi * 440 * np.arange(3 * RATE) / RATE)),
        (
            "chords",
            sum(
                0.1 * np.sin(2 * np.pi * hz * np.arange(3 * RATE) / RATE)
                for hz in (220, 277, 330, 440)
            ),
        ),
    ],
)
def test_without_speech_the_analysis_abstains_and_says_why(name, waveform):
    analysis = voxplain.analyze(waveform, RATE)
    assert analysis.emotion.verdict.abstains, name
    assert "speech found in 3.0 s of audio" in analysis.emotion.verdict.reason
    assert not analysis.emotion.categories
    assert analysis.emotion.dimensions is None
    assert analysis.segments == ()
    assert not any(q.reliable for q in analysis.descriptors.functionals.values())


def melody(seed):
    generator, notes = np.random.default_rng(seed), []
    for _ in range(30):
        times = np.arange(int(RATE * generator.choice([0.125, 0.25, 0.5]))) / RATE
        hz = generator.choice([110, 139, 165, 185, 220, 247, 294, 330])
        partials = sum(np.sin(2 * np.pi * hz * h * times) / h for h in range(1, 10))
        notes.append(np.exp(-times * generator.uniform(0.5, 6)) * partials)
    return 0.2 * np.concatenate(notes)


@pytest.mark.parametrize("seed", [5, 7, 8, 9, 22])
def test_music_whose_notes_pass_for_syllables_is_no_speech(seed):
    analysis = voxplain.analyze(melody(seed), RATE)
    assert analysis.speech_duration > 0.25, "the detector alone is not fooled"
    assert analysis.emotion.verdict.abstains
    assert "of speech found in" in analysis.emotion.verdict.reason


def test_a_long_recording_is_cut_and_its_whole_is_the_weighted_mean(clips):
    analysis = voxplain.analyze(speech(clips, 50), RATE)
    assert len(analysis.segments) >= 4
    lengths = np.array([segment.end - segment.start for segment in analysis.segments])
    assert (lengths <= 15.5).all()
    assert (lengths[:-1] >= 2).all()
    starts = [segment.start for segment in analysis.segments]
    assert starts == sorted(starts)
    angry = [segment.emotion.categories["angry"] for segment in analysis.segments]
    assert analysis.emotion.categories["angry"] == pytest.approx(np.average(angry, weights=lengths))


def test_hours_fit_since_every_track_shares_one_grid(clips):
    """A copy of the times a track, or lists of them in the document, would be most of an hour."""
    analysis = voxplain.analyze(speech(clips, 40), RATE)
    for described in (analysis.descriptors, *(part.descriptors for part in analysis.segments)):
        grids = [t.times for name, t in described.tracks.items() if name != "speech_activity"]
        assert len(grids) > 1
        assert all(np.shares_memory(grids[0], grid) for grid in grids[1:])


def test_progress_runs_to_the_last_stretch(clips):
    reached = []
    analysis = voxplain.load().analyze(speech(clips, 40), RATE, progress=reached.append)
    assert reached == [segment.end for segment in analysis.segments]


def test_clipping_is_a_warning(angry):
    waveform = read.read(angry).waveform
    assert voxplain.analyze(waveform / np.abs(waveform).max() * 0.9, RATE).warnings == ()
    (warning,) = voxplain.analyze(np.clip(waveform * 30, -1, 1), RATE).warnings
    assert "at full scale" in warning


def test_an_unknown_model_is_named_with_the_known_ones():
    with pytest.raises(UnknownName, match=r"unknown model 'speeech'; available: speech\."):
        voxplain.load("speeech")


def test_an_array_without_sampling_rate_and_a_click():
    with pytest.raises(ConfigError, match="sampling_rate"):
        voxplain.analyze(np.zeros(RATE))
    with pytest.raises(TooShort, match=r"0\.050 s"):
        voxplain.analyze(np.zeros(800), RATE)


def test_a_reference_reaches_every_process(clips):
    options = {"reference_group": "female", "speaker": [clips[3]]}
    alone = voxplain.analyze(clips[0], **options)
    for jobs in (1, 2):
        found = next(analyze_each([clips[0]], jobs=jobs, **options))
        assert found.to_dict() == alone.to_dict()
        assert "women" in found.provenance["config"]["reference"]
