"""The main job in Python: real recordings, arrays, long and hopeless ones."""

import dataclasses
import functools
import json
import pickle
import weakref
from importlib.resources import files
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from jsonschema import Draft202012Validator

import voxplain
from voxplain import plugins
from voxplain.audio import read
from voxplain.audio.listening import Listener
from voxplain.errors import AudioError, ConfigError, TooShort, UnknownName
from voxplain.evidence.checking import check
from voxplain.models.embedded import EmbeddedModel, embedded_folder
from voxplain.models.judgement import judge
from voxplain.models.listening import ListeningModel
from voxplain.models.profile import Profile
from voxplain.pipeline import analyze_each
from voxplain.reports import text

RATE = 16_000


@pytest.fixture
def tiny(tiny_model):
    """Options that choose a model of random weights: what is tested is all around it."""
    return {"model": str(tiny_model.folder)}


def validate(analysis, *, tracks=False):
    """Against the published schema, as JSON."""
    schema = json.loads((files("voxplain") / "assets/schema/analysis.schema.json").read_text())
    document = json.loads(json.dumps(analysis.to_dict(tracks=tracks)))
    Draft202012Validator(schema).validate(document)


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


@pytest.fixture(scope="module")
def analysis(angry):
    """By the model of the package, with its reasons."""
    return voxplain.analyze(angry)


def test_an_angry_voice_unknown_to_the_model_sounds_angry(analysis):
    assert analysis.emotion.verdict.labels == ("angry",)
    assert sum(analysis.emotion.categories.values()) == pytest.approx(1)
    assert analysis.emotion.dimensions.arousal.value > 0.6
    assert analysis.emotion.dimensions.valence.value < 0.4
    (segment,) = analysis.segments
    assert 0 < segment.start < segment.end <= analysis.duration == pytest.approx(3.003, abs=0.01)
    assert segment.emotion == analysis.emotion
    assert analysis.descriptors.functionals["f0_mean_st"].reliable


def test_a_transcript_tells_more_and_changes_nothing_else(angry, analysis):
    pytest.importorskip("pocketsphinx")
    plain = analysis
    told = voxplain.analyze(angry, transcript="That is exactly what happened!")
    validate(told)
    assert told.emotion == plain.emotion
    assert told.explanation.moments == plain.explanation.moments
    assert (plain.transcript, plain.roles, plain.text_emotion, plain.fusion) == (
        None,
        (),
        None,
        None,
    )
    assert told.fusion.shares["voice"] + told.fusion.shares["words"] == pytest.approx(1)
    assert told.provenance["config"]["asr"] == "given"
    assert [problem for claim in told.claims for problem in check(claim, told)] == []
    assert voxplain.Analysis.from_dict(told.to_dict()).transcript == told.transcript


def test_the_document_follows_the_published_schema(clips, tiny):
    for found in (
        voxplain.analyze(clips[0], **tiny),
        voxplain.analyze(np.zeros(RATE), RATE, **tiny),
    ):
        validate(found)
        validate(found, tracks=True)


def test_a_describer_tells_how_each_stretch_sounds(angry, listening_folder):
    describer = ListeningModel.load(str(listening_folder))
    found = voxplain.pipeline.load().analyze(angry, explain=None, describer=describer)
    validate(found)
    (one,) = found.listening
    ((_, speech),) = Listener().stretches(read.blocks(angry), source="angry")
    functionals = found.segments[0].descriptors.functionals
    assert one == describer.listen(describer.embed(speech), segment=0, measured=functionals)
    assert one.heard["pitch"].quantity == functionals["f0_mean_st"]
    assert found.provenance["config"]["listening"] == f"tiny {describer.sha256[:12]}"
    assert voxplain.Analysis.from_dict(found.to_dict()).listening == found.listening


def test_the_encoder_hears_once_if_the_model_hears_through_it(
    angry, tiny, listening_folder, monkeypatch
):
    describer = ListeningModel.load(str(listening_folder))
    by_own = voxplain.pipeline.load(**tiny).analyze(angry, explain=None, describer=describer)
    monkeypatch.setattr(ListeningModel, "embed", None)
    shared = voxplain.pipeline.load().analyze(angry, explain=None, describer=describer)
    assert shared.listening == by_own.listening


def test_the_words_of_a_stretch_may_be_stressed(angry, listening_folder, tmp_path):
    describer = ListeningModel.load(str(listening_folder))
    analyzer = voxplain.pipeline.load()
    words = [
        {"text": text, "start": start, "end": start + 0.3, "confidence": 0.9}
        for text, start in (("before", 0.0), ("Exactly", 0.8), ("that.", 1.4))
    ]
    content = {"text": "before Exactly that.", "words": words, "language": "en"}
    path = tmp_path / "said.json"
    path.write_text(json.dumps(content))
    found = analyzer.analyze(angry, explain=None, describer=describer, transcript=path)
    stress = found.listening[0].heard["stress"]
    assert stress.word in ("none", "exactly", "that")  # speech begins at 0.38 s
    assert stress.measured in ("none", "exactly", "that")


def test_without_a_model_of_the_package_nobody_listens(angry, tiny, monkeypatch):
    monkeypatch.setattr("voxplain.pipeline.shipped", lambda: ())
    assert voxplain.analyze(angry, **tiny).listening is None


def test_the_model_of_the_package_listens_where_something_is_explained(
    angry, tiny, listening_folder, monkeypatch
):
    def place(name):
        return listening_folder if name == "listening" else embedded_folder(name)

    monkeypatch.setattr("voxplain.models.listening.embedded_folder", place)
    assert voxplain.analyze(angry, **tiny).listening[0].source == "tiny"
    assert voxplain.analyze(angry, explain=None, **tiny).listening is None


def test_what_is_no_voice_is_not_described(listening_folder):
    describer = ListeningModel.load(str(listening_folder))
    analyzer = voxplain.pipeline.load()
    assert analyzer.analyze(np.zeros(RATE), RATE, describer=describer).listening == ()


def test_an_analysis_survives_json_and_pickle(angry, tiny):
    analysis = voxplain.analyze(angry, **tiny)
    document = json.loads(json.dumps(analysis.to_dict(tracks=True)))
    rebuilt = voxplain.Analysis.from_dict(document)
    np.testing.assert_array_equal(numbers(rebuilt), numbers(analysis))
    assert rebuilt.emotion == analysis.emotion
    np.testing.assert_array_equal(numbers(pickle.loads(pickle.dumps(analysis))), numbers(analysis))


def test_company_order_and_processes_do_not_change_a_number(clips, tiny):
    quick = {**tiny, "explain": "quick"}
    clips = [clips[0], clips[-1]]
    alone = {clip: numbers(voxplain.analyze(clip, **quick)) for clip in clips}
    for order, jobs in ((clips[::-1], 1), (clips, 2)):
        for clip, analysis in zip(order, analyze_each(order, jobs=jobs, **quick), strict=True):
            np.testing.assert_allclose(numbers(analysis), alone[clip], rtol=0, atol=1e-5)


def test_an_array_gives_what_its_file_gives(angry, tiny, tmp_path):
    waveform = read.read(angry).waveform
    path = tmp_path / "same.wav"
    soundfile.write(path, waveform, RATE, subtype="FLOAT")
    np.testing.assert_array_equal(
        numbers(voxplain.analyze(path, **tiny)), numbers(voxplain.analyze(waveform, RATE, **tiny))
    )


def test_a_bad_recording_among_good_ones_is_an_error_in_its_place(clips, tiny, tmp_path):
    broken = tmp_path / "broken.wav"
    broken.write_text("no audio")
    good, bad, also_good = analyze_each([clips[0], broken, clips[1]], **tiny)
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
def test_without_speech_the_analysis_abstains_and_says_why(name, waveform, tiny):
    analysis = voxplain.analyze(waveform, RATE, **tiny)
    assert analysis.emotion.verdict.abstains, name
    assert "speech found in 3.0 s of audio" in analysis.emotion.verdict.reason
    assert not analysis.emotion.categories
    assert not analysis.emotion.perceived
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
def test_music_whose_notes_pass_for_syllables_is_no_speech(seed, tiny):
    analysis = voxplain.analyze(melody(seed), RATE, **tiny)
    assert analysis.speech_duration > 0.25, "the detector alone is not fooled"
    assert analysis.emotion.verdict.abstains
    assert "of speech found in" in analysis.emotion.verdict.reason


def test_a_long_recording_is_cut_and_its_whole_is_the_weighted_mean(clips, tiny):
    analysis = voxplain.analyze(speech(clips, 50), RATE, explain=None, **tiny)
    assert len(analysis.segments) >= 4
    lengths = np.array([segment.end - segment.start for segment in analysis.segments])
    assert (lengths <= 15.5).all()
    assert (lengths[:-1] >= 2).all()
    starts = [segment.start for segment in analysis.segments]
    assert starts == sorted(starts)
    for kind, label in (("categories", "angry"), ("perceived", "happy")):
        parts = [getattr(segment.emotion, kind)[label] for segment in analysis.segments]
        found = getattr(analysis.emotion, kind)[label]
        assert found == pytest.approx(np.average(parts, weights=lengths))
        assert np.ptp(parts) > 0.001


def test_hours_fit_since_every_track_shares_one_grid(clips, tiny):
    """A copy of the times a track, or lists of them in the document, would be most of an hour."""
    analysis = voxplain.analyze(speech(clips, 40), RATE, explain=None, **tiny)
    for described in (analysis.descriptors, *(part.descriptors for part in analysis.segments)):
        grids = [t.times for name, t in described.tracks.items() if name != "speech_activity"]
        assert len(grids) > 1
        assert all(np.shares_memory(grids[0], grid) for grid in grids[1:])


def test_progress_runs_to_the_last_stretch(clips, tiny):
    reached = []
    analysis = voxplain.load(**tiny).analyze(speech(clips, 20), RATE, progress=reached.append)
    assert len(reached) == 2
    assert reached == [segment.end for segment in analysis.segments]


def test_clipping_is_a_warning(angry, tiny):
    waveform, options = read.read(angry).waveform, {"explain": None, **tiny}
    assert voxplain.analyze(waveform / np.abs(waveform).max() * 0.9, RATE, **options).warnings == ()
    (warning,) = voxplain.analyze(np.clip(waveform * 30, -1, 1), RATE, **options).warnings
    assert "at full scale" in warning


def test_an_unknown_model_is_named_with_the_known_ones():
    with pytest.raises(UnknownName, match=r"unknown model 'speeech'; available: speech\."):
        voxplain.load("speeech")


def test_an_array_without_sampling_rate_and_a_click(tiny):
    with pytest.raises(ConfigError, match="sampling_rate"):
        voxplain.analyze(np.zeros(RATE), **tiny)
    with pytest.raises(TooShort, match=r"0\.050 s"):
        voxplain.analyze(np.zeros(800), RATE, **tiny)


def test_a_reference_reaches_every_process(clips, tiny):
    options = {"reference_group": "female", "speaker": [clips[3]], **tiny}
    alone = voxplain.analyze(clips[0], explain=None, **options)
    for jobs in (1, 2):
        found = next(analyze_each([clips[0]], jobs=jobs, **options))
        assert found.to_dict() == alone.to_dict()
        assert "women" in found.provenance["config"]["reference"]
        assert found.provenance["config"]["speaker_seconds"] > 1


def stretches(source, model, sampling_rate=None):
    """What the model makes of each stretch of speech."""
    heard = Listener().stretches(read.blocks(source, sampling_rate=sampling_rate), source="")
    return [model.embed(audio) for _, audio in heard]


def judged(model, embedding, *profiles):
    """By hand."""
    known = functools.reduce(Profile.__add__, profiles) if profiles else None
    return judge(model.read(embedding, known), model.calibration)


def close(emotion, other):
    """Whether all numbers are the same but for rounding."""
    for kind in ("categories", "perceived"):
        assert getattr(emotion, kind) == pytest.approx(getattr(other, kind), abs=1e-6)
    for axis in ("valence", "arousal", "dominance"):
        one, two = (getattr(e.dimensions, axis).to_dict() for e in (emotion, other))
        assert one == pytest.approx(two, abs=1e-6)


def apart(emotion, other):
    return max(abs(emotion.categories[x] - other.categories[x]) for x in emotion.categories)


@pytest.fixture(scope="module")
def long(clips, tiny_model):
    """Three stretches of speech: the waveform, the model and what it makes of them."""
    waveform, model = speech(clips, 32), EmbeddedModel(tiny_model.folder)
    embeddings = stretches(waveform, model, RATE)
    assert len(embeddings) == 3
    return SimpleNamespace(waveform=waveform, model=model, embeddings=embeddings)


def test_each_stretch_is_judged_by_itself(long, tiny):
    analysis = voxplain.analyze(long.waveform, RATE, explain=None, **tiny)
    for segment, embedding in zip(analysis.segments, long.embeddings, strict=True):
        assert segment.emotion == judged(long.model, embedding)
    config = analysis.provenance["config"]
    assert (config["relative"], config["speaker_seconds"]) == (False, 0.0)


def test_relative_knows_the_speaker_by_the_other_stretches(long, tiny):
    analysis = voxplain.analyze(long.waveform, RATE, explain=None, relative=True, **tiny)
    first, second, third = long.embeddings
    rest = [(second, third), (first, third), (first, second)]
    for segment, own, others in zip(analysis.segments, long.embeddings, rest, strict=True):
        close(segment.emotion, judged(long.model, own, *map(Profile.of, others)))
        assert apart(segment.emotion, judged(long.model, own)) > 0.001
    lengths = [segment.end - segment.start for segment in analysis.segments]
    angry = [segment.emotion.categories["angry"] for segment in analysis.segments]
    assert analysis.emotion.categories["angry"] == pytest.approx(np.average(angry, weights=lengths))
    assert analysis.provenance["config"]["relative"] is True


def test_of_two_stretches_each_knows_the_other(clips, tiny, tiny_model):
    waveform, model = speech(clips, 20), EmbeddedModel(tiny_model.folder)
    first, second = stretches(waveform, model, RATE)
    found = voxplain.analyze(waveform, RATE, explain=None, relative=True, **tiny).segments
    close(found[0].emotion, judged(model, first, Profile.of(second)))
    close(found[1].emotion, judged(model, second, Profile.of(first)))


def test_one_stretch_alone_is_relative_to_nothing(angry, tiny):
    plain = voxplain.analyze(angry, explain=None, **tiny).emotion
    assert voxplain.analyze(angry, relative=True, explain=None, **tiny).emotion == plain


def test_recordings_of_the_speaker_make_a_profile(clips, long, tiny):
    speaker = clips[:2]
    known = [Profile.of(e) for clip in speaker for e in stretches(clip, long.model)]
    analysis = voxplain.analyze(long.waveform, RATE, explain=None, speaker=speaker, **tiny)
    for segment, embedding in zip(analysis.segments, long.embeddings, strict=True):
        close(segment.emotion, judged(long.model, embedding, *known))
        assert apart(segment.emotion, judged(long.model, embedding)) > 0.001
    seconds = sum(profile.seconds for profile in known)
    assert analysis.provenance["config"]["speaker_seconds"] == pytest.approx(seconds, abs=0.006)


def test_a_long_recording_of_the_speaker_counts_with_all_its_stretches(long, tiny, tmp_path):
    path = tmp_path / "long.wav"
    soundfile.write(path, long.waveform, RATE, subtype="FLOAT")
    seconds = sum(embedding.duration for embedding in long.embeddings)
    speaker = voxplain.load(speaker=[path], **tiny).speaker
    assert speaker.seconds == pytest.approx(seconds)
    assert speaker.frames == sum(len(embedding.frames) for embedding in long.embeddings)


def test_relative_adds_to_what_is_known_of_the_speaker(clips, long, tiny):
    (own,) = stretches(clips[0], long.model)
    analysis = voxplain.analyze(
        long.waveform, RATE, explain=None, relative=True, speaker=[clips[0]], **tiny
    )
    first, second, third = long.embeddings
    known = map(Profile.of, (own, first, third))
    close(analysis.segments[1].emotion, judged(long.model, second, *known))
    alone = voxplain.analyze(clips[1], relative=True, speaker=[clips[0]], explain=None, **tiny)
    (other,) = stretches(clips[1], long.model)
    close(alone.emotion, judged(long.model, other, Profile.of(own)))


def test_a_recording_of_the_speaker_without_speech_is_named(clips, tiny, tmp_path):
    path = tmp_path / "quiet.wav"
    soundfile.write(path, np.zeros(RATE), RATE)
    expected = r"no speech found in .*quiet\.wav, so the speaker stays unknown; give a recording"
    with pytest.raises(AudioError, match=expected):
        voxplain.load(speaker=[clips[0], path], **tiny)


def standing_in(model, **changes):
    """A model of which something is changed."""
    parts = ("embed", "read", "calibration", "name", "sha256", "notes", "knows_speakers")
    return SimpleNamespace(**({part: getattr(model, part) for part in parts} | changes))


@pytest.mark.parametrize("relative", [False, True])
def test_a_stretch_without_a_voice_is_in_nobodys_way(long, tiny, relative):
    """To this model the second of three stretches is noise."""
    analyzer = voxplain.load(**tiny)

    def read(embedding, profile):
        noise = np.array_equal(embedding.frames, long.embeddings[1].frames)
        sound = np.array([0.0, 9.0, 0.0] if noise else [9.0, 0.0, 0.0])
        return dataclasses.replace(long.model.read(embedding, profile), sound=sound)

    calibration = dataclasses.replace(long.model.calibration, least_voice=0.5)
    analyzer.model = standing_in(long.model, read=read, calibration=calibration)
    analysis = analyzer.analyze(long.waveform, RATE, relative=relative, explain=None)
    first, mute, last = analysis.segments
    assert mute.emotion.verdict.reason == "it sounds like noise"
    assert not mute.emotion.categories
    assert mute.descriptors.functionals["f0_mean_hz"].reliable
    one, _, other = long.embeddings
    known = [Profile.of(other)] if relative else []
    close(first.emotion, judged(long.model, one, *known))
    sad = [part.emotion.categories["sad"] for part in (first, last)]
    lengths = [part.end - part.start for part in (first, last)]
    assert analysis.emotion.categories["sad"] == pytest.approx(np.average(sad, weights=lengths))
    validate(analysis)
    assert "(3 segments, 1 not judged)" in text.render(analysis)


@pytest.mark.parametrize("relative", [False, True])
def test_a_recording_without_any_voice_says_what_it_sounds_like(long, tiny, relative):
    analyzer = voxplain.load(**tiny)
    calibration = dataclasses.replace(long.model.calibration, least_voice=1.1)
    analyzer.model = standing_in(long.model, calibration=calibration)
    analysis = analyzer.analyze(long.waveform, RATE, relative=relative, explain=None)
    assert analysis.emotion.verdict.reason in ("it sounds like noise", "it sounds like music")
    assert not any(part.emotion.categories for part in (analysis, *analysis.segments))
    validate(analysis)
    said = text.render(analysis)
    assert f"Not enough evidence: {analysis.emotion.verdict.reason}." in said
    assert "Over time" not in said


@pytest.mark.parametrize(("relative", "kept"), [(False, 1), (True, 3)])
def test_what_was_heard_is_kept_only_to_compare_with(long, tiny, relative, kept):
    analyzer, frames, alive = voxplain.load(**tiny), [], []

    def embed(audio):
        embedding = long.model.embed(audio)
        frames.append(weakref.ref(embedding.frames))
        return embedding

    def count(_):
        alive.append(sum(one() is not None for one in frames))

    analyzer.model = standing_in(long.model, embed=embed)
    analyzer.analyze(long.waveform, RATE, relative=relative, explain=None, progress=count)
    assert len(alive) == 3
    assert max(alive) == kept


def test_what_if_the_voice_were_lower(angry, analysis):
    found = voxplain.whatif(angry, edit=voxplain.Edit(f0_shift_st=-3.0))
    assert dict(found.edit) == {"f0_shift_st": -3.0}
    assert found.measured["f0_shift_st"].value == pytest.approx(-3, abs=0.15)
    close(found.before, analysis.emotion)


@pytest.fixture(scope="module")
def foreign(tmp_path_factory):
    """A function: options that choose a checkpoint of transformers with random weights."""
    from voxplain.testing.checkpoints import save_checkpoint

    root = tmp_path_factory.mktemp("foreign")

    def make(head, labels):
        network = save_checkpoint(root / head, head, labels)
        return {"model": str(root / head)}, network

    return make


def test_a_foreign_checkpoint_gives_its_own_numbers(angry, foreign):
    import torch

    options, network = foreign("wavlm", ["contempt", "excited", "frustrated"])
    analysis = voxplain.analyze(angry, **options)
    (stretch,) = analysis.segments
    first, last = (round(t * RATE) for t in (stretch.start, stretch.end))
    sound = torch.tensor(read.read(angry).waveform[first:last])
    normal = (sound - sound.mean()) / (sound.var(correction=0) + 1e-7).sqrt()
    with torch.inference_mode():
        expected = torch.softmax(network(normal[None]).logits[0], 0).numpy()
    assert tuple(analysis.emotion.categories) == ("contempt", "excited", "frustrated")
    np.testing.assert_allclose(list(analysis.emotion.categories.values()), expected, atol=1e-5)
    assert analysis.warnings == (
        "the probabilities of wavlm are not calibrated: the verdict is the label on top",
    )
    validate(analysis)
    assert voxplain.Analysis.from_dict(analysis.to_dict()).emotion == analysis.emotion
    # Explained like any other, though experts expect nothing of these labels.
    found = analysis.explanation
    assert found.output == analysis.emotion.ranked[0]
    assert [one.axis for one in found.attributions] == ["time", "frequency"]
    assert np.abs(found.attributions[0].scores).max() > 0
    assert found.faithfulness.removals[0].before == pytest.approx(max(expected), abs=1e-4)
    assert analysis.claims
    assert [problem for claim in analysis.claims for problem in check(claim, analysis)] == []
    for report in plugins.names("reports"):
        assert "frustrated" in plugins.find("reports", report).render(analysis)


def test_a_model_of_dimensions_abstains_tells_them_and_explains_nothing(angry, foreign):
    options, _ = foreign("regression", ["arousal", "dominance", "valence"])
    analysis = voxplain.analyze(angry, transcript="That is what happened.", **options)
    assert analysis.emotion.verdict.reason == "the model gives no categories"
    assert analysis.emotion.dimensions == analysis.segments[0].emotion.dimensions
    assert analysis.explanation is None
    assert analysis.fusion is None
    assert "regression gives no categories, and only these are explained" in analysis.warnings
    validate(analysis)
    # They are rated, and no proxy.
    told = [claim for claim in analysis.claims if claim.evidence[0].startswith("emotion.dim")]
    assert len(told) == 3
    assert not any("proxy" in claim.text for claim in told)
    assert [problem for claim in analysis.claims for problem in check(claim, analysis)] == []
    value = f"{analysis.emotion.dimensions.valence.value:.2f}"
    for report in {*plugins.names("reports")} - {"textgrid"}:
        assert value in plugins.find("reports", report).render(analysis)


def test_a_foreign_checkpoint_is_explained_in_full(angry, foreign):
    options, _ = foreign("superb", ["neu", "hap", "ang", "sad"])
    sound = read.read(angry).waveform[8000:26_000]
    analysis = voxplain.analyze(sound, RATE, explain="full", **options)
    found = analysis.explanation
    assert "descriptor" in {one.axis for one in found.attributions}
    assert len(found.faithfulness.stability) == 2
    assert found.counterfactuals
    validate(analysis)
    assert [problem for claim in analysis.claims for problem in check(claim, analysis)] == []


def test_a_model_that_knows_no_speakers_says_so(clips, foreign):
    options, _ = foreign("superb", ["neu", "hap", "ang", "sad"])
    sound = speech(clips, 20)
    plain, relative = (
        voxplain.analyze(sound, RATE, relative=one, explain=None, **options)
        for one in (False, True)
    )
    assert len(plain.segments) > 1
    np.testing.assert_allclose(
        list(relative.emotion.categories.values()),
        list(plain.emotion.categories.values()),
        atol=1e-6,
    )
    said = "superb knows no speakers: only the levels compare with the speaker's"
    assert said in relative.warnings
    assert said not in plain.warnings
