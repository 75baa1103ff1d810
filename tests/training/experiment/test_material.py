"""What there is to learn from is read whole and checked before anything long begins."""

import shutil

import numpy as np
import pytest
import soundfile

from voxplain.audio.read import read
from voxplain.errors import ConfigError, CorpusNotFound, InputError
from voxplain.models.judgement import DIMENSIONS, coordinates
from voxplain.training.experiment.material import altered, gather, make_splits, read_utterances
from voxplain.training.experiment.recipe import SplitPlan


def heard(recipe, roots, **sections):
    return gather(recipe(**sections), roots=roots)


def test_recordings_goals_and_splits_fit(recipe, corpus):
    material = heard(recipe, {"cremad": corpus})
    assert len(material.utterances) == len(material.seconds) == len(material.goals.categories) == 36
    assert material.warnings == []
    for one, seconds in zip(material.utterances, material.seconds, strict=True):
        assert seconds == pytest.approx(soundfile.info(one.path).duration)
        assert one.end is None


def test_labels_are_merged_and_others_left_out(recipe, corpus):
    plan = recipe(data={"labels": ("angry", "sad"), "merge": {"neutral": "sad"}})
    found = read_utterances(plan.data, tasks=plan.targets, roots={"cremad": corpus})
    assert sorted({one.emotion for one in found}) == ["angry", "sad"]
    assert sum(one.emotion == "sad" for one in found) == 24
    plan = recipe(data={"labels": ("angry", "sad"), "left_out": ("cremad_1001",)})
    found = read_utterances(plan.data, tasks=plan.targets, roots={"cremad": corpus})
    assert len(found) == 20
    assert "cremad_1001" not in {one.speaker for one in found}


def test_what_comes_late_in_a_recording_is_not_heard(recipe, corpus):
    material = heard(recipe, {"cremad": corpus}, data={"seconds": 0.4})
    assert max(material.seconds) == 0.4
    cut = [one for one in material.utterances if one.end is not None]
    assert 0 < len(cut) < 36
    assert {one.end for one in cut} == {0.4}


def test_a_corpus_that_is_tested_alone_is_on_no_other_side(recipe, corpus, told, tmp_path):
    elsewhere = shutil.copytree(corpus, tmp_path / "elsewhere")
    roots = {"cremad": corpus, "told": told(folder=elsewhere)}
    material = heard(recipe, roots, data={"tested": ("told",)})
    alone = heard(recipe, roots)
    assert len(material.utterances) == len(material.seconds) == len(material.goals.categories) == 72
    for split, before in zip(material.splits, alone.splits, strict=True):
        assert [one.tolist() for one in (split.train, split.dev)] == [
            one.tolist() for one in (before.train, before.dev)
        ]
        assert split.tests["told"].tolist() == list(range(36, 72))
        assert split.tests[split.name[-1]].tolist() == before.test.tolist()
    assert {one.corpus for one in material.utterances[36:]} == {"told"}
    with pytest.raises(ConfigError, match=r"'told' has no root; give --root told=FOLDER"):
        heard(recipe, {"cremad": corpus}, data={"tested": ("told",)})


def test_a_speaker_who_is_learned_from_is_not_tested_in_another_corpus(recipe, corpus, tmp_path):
    shutil.copytree(corpus, tmp_path / "copy")
    place = tmp_path / "copy.csv"
    lines = [f"copy/{one.name},angry,cremad_1001" for one in sorted(corpus.glob("1001*"))]
    lines += [f"copy/{one.name},sad,x" for one in sorted(corpus.glob("1002*"))]
    place.write_text("\n".join(["file,emotion,speaker", *lines]), encoding="utf-8")
    with pytest.raises(ConfigError, match="1 speakers are on two sides, such as 'cremad_1001'"):
        heard(recipe, {"cremad": corpus, "copy": place}, data={"tested": ("copy",)})


def test_where_nobody_rated_votes_and_labels_stand_for_dimensions(recipe, corpus, told):
    """CREMA-D has nobody's ratings; the table has all."""
    sections = {"targets": {"categories": 0.0, "dimensions": 1.0}, "train": {"metric": "ccc"}}
    with pytest.raises(ConfigError, match="none of the 36 recordings of cremad has a label or"):
        heard(recipe, {"cremad": corpus}, **sections)
    sections["targets"]["proxies"] = True
    material = heard(recipe, {"cremad": corpus}, **sections)
    named = coordinates()
    for one, found in zip(material.utterances, material.goals.dimensions, strict=True):
        expected = [(named[one.emotion][name] + 1) / 2 for name in DIMENSIONS]
        np.testing.assert_allclose(found, expected, rtol=1e-6)
        assert list(one.dimensions) == list(DIMENSIONS)
    assert any(one.startswith("where nobody rated valence, arousal") for one in material.warnings)
    rated = heard(recipe, {"told": told()}, data={"corpora": ("told",)}, **sections)
    assert rated.utterances[0].dimensions == {"valence": 0.1, "arousal": 0.9, "dominance": 0.8}


def test_nothing_that_fits_is_refused(recipe, corpus):
    with pytest.raises(ConfigError, match=r"^none of the 36 recordings of cremad has a label"):
        heard(recipe, {"cremad": corpus}, data={"labels": ("boredom", "surprise")})


def test_a_label_that_only_the_recipe_has_is_refused(recipe, corpus):
    with pytest.raises(ConfigError, match="train lacks the label 'fear'"):
        heard(recipe, {"cremad": corpus}, data={"labels": ("angry", "fear", "sad")})


def test_fewer_speakers_than_folds_are_refused(recipe, corpus):
    with pytest.raises(ConfigError, match=r"^7 folds need as many speakers, found 6$"):
        heard(recipe, {"cremad": corpus}, split={"folds": 7})


def test_a_half_copied_corpus_is_refused(recipe, corpus, tmp_path):
    shutil.copytree(corpus, tmp_path / "half")
    (tmp_path / "half/1001_DFA_ANG_XX.wav").write_bytes(b"")
    (tmp_path / "half/1003_DFA_ANG_XX.wav").write_bytes(b"RIFF")
    expected = r"^2 of 36 recordings can't be read, the first: .*1001_DFA_ANG_XX.*copied whole\?$"
    with pytest.raises(CorpusNotFound, match=expected):
        heard(recipe, {"cremad": tmp_path / "half"})


def test_a_table_without_its_recordings_is_refused(recipe, tmp_path):
    place = tmp_path / "own.csv"
    place.write_text("file,emotion,speaker\ngone.wav,angry,a\n", encoding="utf-8")
    with pytest.raises(
        CorpusNotFound, match=r"1 of 1 recordings are not there, e\.g\. .*gone\.wav"
    ):
        heard(recipe, {"own": place}, data={"corpora": ("own",)})


def test_an_unknown_or_missing_label_in_a_table_is_refused(recipe, tmp_path, corpus):
    place = tmp_path / "own.csv"
    clip = next(corpus.glob("*.wav"))
    for label, message in (("furiously", "furiously"), ("nan", "nan|empty"), ("", "empty")):
        place.write_text(f"file,emotion,speaker\n{clip},{label},a\n", encoding="utf-8")
        with pytest.raises(InputError, match=message):
            heard(recipe, {"own": place}, data={"corpora": ("own",)})


def test_who_speaks_must_be_known_or_is_told(recipe, corpus, tmp_path):
    place = tmp_path / "own.csv"
    sides = {"ANG": "angry", "NEU": "neutral", "SAD": "sad"}
    lines = ["file,emotion,split"]
    for number, clip in enumerate(sorted(corpus.glob("*.wav"))):
        split = ("train", "train", "dev", "test")[number // 2 % 4]
        lines.append(f"{clip},{sides[clip.stem.split('_')[2]]},{split}")
    place.write_text("\n".join(lines) + "\n", encoding="utf-8")
    own = {"data": {"corpora": ("own",)}}
    with pytest.raises(ConfigError, match="nobody knows who speaks"):
        heard(recipe, {"own": place}, **own)
    material = heard(recipe, {"own": place}, **own, split={"by": "official"})
    (warning,) = material.warnings
    assert warning.startswith("nobody knows who speaks in 36 of 36 recordings")


def test_splits_are_those_of_the_recipe(recipe, corpus, tmp_path):
    utterances = heard(recipe, {"cremad": corpus}).utterances
    assert [s.name for s in make_splits(utterances, SplitPlan("speaker", folds=3))] == [
        "fold_0",
        "fold_1",
        "fold_2",
    ]
    for plan in (SplitPlan("session"), SplitPlan("official")):
        with pytest.raises(ConfigError, match="use 'by: speaker'"):
            make_splits(utterances, plan)
    with pytest.raises(ConfigError, match="give EmoBox's"):
        make_splits(utterances, SplitPlan("emobox", files=str(tmp_path)))


def test_altered_copies_are_made_once_and_sound_otherwise(recipe, corpus, tmp_path, monkeypatch):
    utterances = heard(recipe, {"cremad": corpus}).utterances[:4]
    first, second = altered(utterances, copies=2, cache=tmp_path, jobs=1)
    for one, copy, other in zip(utterances, first, second, strict=True):
        assert (one.speaker, one.emotion) == (copy.speaker, copy.emotion)
        waveforms = [read(each.path).waveform for each in (one, copy, other)]
        shortest = min(map(len, waveforms))
        assert not np.allclose(waveforms[1][:shortest], waveforms[2][:shortest])
    monkeypatch.setattr(soundfile, "write", lambda *_, **__: pytest.fail("it was there already"))
    assert altered(utterances, copies=2, cache=tmp_path, jobs=1) == [first, second]
    with pytest.raises(BaseException, match="it was there already"):  # other company, other babble
        altered(utterances[:2], copies=1, cache=tmp_path, jobs=1)
