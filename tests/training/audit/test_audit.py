"""An audit finds what two sides of a split share and what is wrong in them, and nothing else."""

import json
from pathlib import Path

import numpy as np
import pytest

from voxplain.audio.read import read
from voxplain.errors import ConfigError, CorpusNotFound
from voxplain.training.audit import Side, audit, read_sides
from voxplain.training.conditions import coded
from voxplain.training.corpora._reading import Utterance

SHARED = Path(__file__).parents[4] / "shared/data"
needs_data = pytest.mark.skipif(not SHARED.exists(), reason=f"{SHARED} is not here")


def clip(path, **told):
    known = {"corpus": "", "speaker": "", "sex": "", "emotion": "", "sentence": "", **told}
    return Utterance(path=Path(path), **known)


def kinds(found):
    return [(one.weight, one.kind, one.count, one.of) for one in found.findings]


def only(found, kind):
    (one,) = [one for one in found.findings if one.kind == kind]
    return one


@pytest.fixture
def recordings(put, spoken):
    """Real recordings under names that tell nothing."""
    return [put(f"{name}.flac", spoken[stem]) for name, stem in zip("abcde", spoken, strict=True)]


def sides(recordings, **more):
    """Two speakers, each on a side, with two emotions and words of their own."""
    told = [("s1", "angry"), ("s1", "sad"), ("s2", "angry"), ("s2", "sad")]
    made = [
        clip(path, speaker=speaker, emotion=emotion, sentence=f"said {number}", **more)
        for number, (path, (speaker, emotion)) in enumerate(zip(recordings, told, strict=False))
    ]
    return Side("train", tuple(made[:2])), Side("test", tuple(made[2:]))


def test_a_clean_pair_passes_without_a_finding(recordings):
    found = audit(*sides(recordings))
    assert found.passed
    assert found.findings == ()
    train, test = found.sides
    assert (train.name, train.utterances, train.heard, train.speakers) == ("train", 2, 2, 1)
    assert test.labels == {"angry": 1, "sad": 1}
    assert test.hours == pytest.approx(sum(_seconds(path) for path in recordings[2:4]) / 3600)


def _seconds(path):
    import soundfile

    return soundfile.info(path).duration


def test_several_processes_find_the_same_and_say_how_far_they_are(recordings):
    reached = []
    one = audit(*sides(recordings), progress=reached.append)
    assert reached == [1, 2, 3, 4]
    assert audit(*sides(recordings), jobs=2) == one


def test_a_speaker_on_both_sides_is_a_leak(recordings):
    train, test = sides(recordings)
    third = clip(recordings[4], speaker="s1", emotion="sad", sentence="said 4")
    found = audit(train, Side("test", (*test.utterances, third)))
    assert not found.passed
    one = only(found, "shared speakers")
    assert (one.weight, one.sides, one.count, one.of) == ("leak", ("train", "test"), 1, 2)
    assert one.examples == ("s1",)
    assert one.says == "1 of 2 speakers of test are in train too (as listed): 1 of its 3 clips"


def test_a_third_side_is_held_against_both_others():
    def side(name, *speakers):
        return Side(name, tuple(clip(f"{name}{s}.wav", speaker=s) for s in speakers))

    found = audit(side("train", "a"), side("dev", "b"), side("test", "c", "b"))
    leaks = [one.sides for one in found.findings if one.weight == "leak"]
    assert leaks == [("dev", "test")]


NAMED = (  # who says what in known corpora, by their names alone
    ["x/1001_DFA_ANG_XX.wav", "x/1002_DFA_SAD_XX.wav"],
    ["y/1003_IEO_ANG_XX.wav", "y/1002_IEO_SAD_XX.wav"],
)


def test_the_names_of_files_tell_speakers_that_no_column_tells():
    train, test = (Side(n, tuple(map(clip, s))) for n, s in zip("ab", NAMED, strict=True))
    one = only(audit(train, test), "shared speakers")
    assert (one.examples, one.count, one.of) == (("cremad_1002",), 1, 2)
    assert "(by the names of files)" in one.says


def test_names_of_files_are_compared_even_where_columns_differ():
    train = Side("a", tuple(clip(path, speaker=f"old {path}") for path in NAMED[0]))
    test = Side("b", tuple(clip(path, speaker=f"new {path}") for path in NAMED[1]))
    assert only(audit(train, test), "shared speakers").examples == ("cremad_1002",)


def test_unknown_speakers_never_pass_until_a_pattern_names_them():
    train = Side("a", (clip("p01/x.wav"), clip("p02/x.wav")))
    test = Side("b", (clip("p03/x.wav"), clip("p03/y.wav", speaker="p03")))
    found = audit(train, test)
    assert not found.passed
    weights = [(one.weight, one.sides, one.count) for one in found.findings[:2]]
    assert weights == [("unknown", ("a",), 2), ("unknown", ("b",), 1)]
    assert "give a column speaker, or --speaker-pattern REGEX" in found.findings[0].says
    assert audit(train, test, speaker_pattern=r"(p\d+)/").passed
    shared = audit(train, Side("b", (clip("p02/z.wav"),)), speaker_pattern=r"(p\d+)/")
    assert only(shared, "shared speakers").examples == ("p02",)
    assert not audit(train, test, speaker_pattern=r"(q\d+)/").passed


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("(", r"the speaker pattern '\(' can't be used: missing \)"),
        (r"\d+", r"needs one group, as in actor\(\\d\+\)"),
        ("(a)(b)", "needs one group"),
    ],
)
def test_a_pattern_that_can_not_be_used_is_refused(pattern, says):
    with pytest.raises(ConfigError, match=says):
        audit(Side("a", ()), Side("b", ()), speaker_pattern=pattern)


def test_shared_sentences_are_a_note_unless_they_must_be_apart():
    train = Side("a", (clip("a.wav", speaker="1", sentence="Kids are talking!"),))
    test = Side("b", (clip("b.wav", speaker="2", sentence="kids ARE talking"),))
    note = only(audit(train, test), "shared sentences")
    assert (note.weight, note.examples) == ("note", ("kids are talking",))
    found = audit(train, test, sentences_disjoint=True)
    assert only(found, "shared sentences").weight == "leak"
    unsaid = Side("c", (clip("c.wav", speaker="3"),))
    found = audit(train, unsaid, sentences_disjoint=True)
    assert only(found, "unknown sentences").weight == "unknown"
    assert not found.passed
    assert audit(train, unsaid).passed


def test_copies_are_found_whatever_became_of_them(recordings, put, spoken):
    train, _ = sides(recordings)
    first, second = read(recordings[0]).waveform, list(spoken.values())[1]
    test = Side(
        "test",
        (
            clip(put("same.wav", first), speaker="s2", emotion="angry"),
            clip(put("coded.wav", coded(0.3 * second[700:], codec="opus")), speaker="s2"),
            clip(recordings[3], speaker="s2", emotion="sad"),
        ),
    )
    found = audit(train, test)
    assert not found.passed
    assert only(found, "identical audio").examples == ("a.flac = same.wav",)
    near = only(found, "nearly identical audio")
    assert (near.weight, near.examples) == ("leak", ("b.flac = coded.wav",))
    assert near.says == "1 of 3 recordings of test are in train too: nearly identical audio"


def test_copies_within_a_side_are_a_note_and_two_labels_of_one_recording_a_fault(put, spoken):
    voice = next(iter(spoken.values()))
    once, again = put("once.wav", voice), put("again.wav", voice)
    side = Side("x", (clip(once, emotion="sad"), clip(again, emotion="disgust")))
    found = audit(side)
    assert kinds(found) == [("fault", "two labels", 1, 1), ("note", "identical audio", 1, 2)]
    assert found.findings[0].examples == ("once.wav (sad) = again.wav (disgust)",)
    same = Side("x", (clip(once, emotion="sad"), clip(again, emotion="sad")))
    assert [one.kind for one in audit(same).findings] == ["one class", "identical audio"]


def test_stretches_of_one_file_that_overlap_are_one_recording():
    def stretch(start, end):
        return Side(f"{start}", (clip("talk.wav", speaker=str(start), start=start, end=end),))

    assert audit(stretch(0, 2), stretch(2, 3)).passed
    assert not audit(stretch(0, 2), stretch(1.9, None)).passed
    found = audit(stretch(5, None), stretch(1, None))
    assert only(found, "listed twice").weight == "leak"


def test_faults_of_recordings_and_rates_are_told_with_their_files(put, spoken):
    voice = next(iter(spoken.values()))
    silent = put("silent.wav", np.zeros(16_000))
    other = put("other.wav", spoken["emodb_03a01Wa"], 8000)
    side = Side("x", tuple(clip(path) for path in (put("a.wav", voice), silent, other)))
    found = audit(side)
    assert only(found, "silent").examples == (str(silent),)
    assert only(found, "silent").says == "1 of 3 recordings of x are silent; leave them out"
    assert only(found, "other rate").examples == (f"{other} (8000 Hz)",)
    assert only(found, "no label").count == 3
    assert found.passed


def test_recordings_that_are_not_there_are_told():
    found = audit(Side("x", (clip("gone.wav", emotion="sad"),)))
    note = only(found, "not heard")
    assert (note.weight, note.examples) == ("note", ("gone.wav",))
    assert "their sound was not compared; say where they lie with --audio DIR" in note.says


def labelled(name, labels):
    return Side(name, tuple(clip(f"{name}{n}.wav", emotion=x) for n, x in enumerate(labels)))


def test_labels():
    found = audit(labelled("x", ["sad"] * 6 + ["fear"] * 2))
    assert only(found, "imbalance").says == (
        "labels of x are uneven: 6 sad, 2 fear; always answering sad is right in 75%, so report UAR"
    )
    assert "imbalance" not in [one.kind for one in audit(labelled("x", ["a", "a", "b"])).findings]
    assert "x has one class only, sad" in only(audit(labelled("x", ["sad"])), "one class").says
    found = audit(labelled("x", ["sad", "fear"]), labelled("y", ["sad", "calm"]))
    assert only(found, "new labels").says == "y has labels that x never shows: calm"


def test_what_matters_most_comes_first_and_all_of_it_goes_to_json(recordings):
    train, test = sides(recordings)
    found = audit(train, Side("test", (*train.utterances, *test.utterances)))
    weights = [one.weight for one in found.findings]
    assert weights == sorted(weights, key=["leak", "unknown", "fault", "note"].index)
    document = json.loads(json.dumps(found.to_dict()))
    assert document["passed"] is False
    assert document["sides"][0]["name"] == "train"
    assert document["findings"][0]["weight"] == "leak"


def test_one_list_is_taken_apart_by_its_splits(tmp_path):
    path = str(tmp_path / "all.csv")
    rows = ("file,emotion,split", "a.wav,sad,train", "b.wav,fear,test", "c.wav,fear,val")
    (tmp_path / "all.csv").write_text("\n".join(rows))
    assert [side.name for side in read_sides([path])] == ["train", "dev", "test"]
    train, test = read_sides([f"{path}#train", f"{path}#test"])
    assert [one.path.name for one in train.utterances] == ["a.wav"]
    assert [one.path.name for one in test.utterances] == ["b.wav"]
    with pytest.raises(ConfigError, match=r"nothing in the split 'eval'; there are dev, test, tr"):
        read_sides([f"{path}#eval", path])


def test_sides_may_be_corpora_and_folders(tmp_path, clips):
    for name in ("1001_DFA_ANG_XX.wav", "1002_DFA_ANG_XX.wav", "1076_MTI_SAD_XX.wav"):
        (tmp_path / "cremad").mkdir(exist_ok=True)
        (tmp_path / "cremad" / name).touch()
    corpus, folder = read_sides([f"cremad={tmp_path}/cremad", f"{tmp_path}/cremad"])
    assert len(corpus.utterances) == 2  # its reader leaves the silent clip out
    assert folder.by_file == ("cremad_1001", "cremad_1002", "cremad_1076")
    assert folder.labels == ("ANG", "ANG", "SAD")
    (tmp_path / "own/sadness").mkdir(parents=True)
    (tmp_path / "own/sadness/x.wav").touch()
    (tmp_path / "own/y.wav").touch()
    (side,) = read_sides([f"{tmp_path}/own"])
    assert side.labels == ("sad", "")
    with pytest.raises(CorpusNotFound, match=r"nowhere\.txt is no list of recordings"):
        read_sides(["nowhere.txt"])
    with pytest.raises(CorpusNotFound, match="holds no file named like"):
        read_sides(["cremad=nowhere", "x"])


@needs_data
@pytest.mark.parametrize(
    ("corpus", "fold", "shared"), [("cremad", 1, "91 of 91"), ("emodb", 3, "10 of 10")]
)
def test_emoboxs_folds_share_their_speakers(corpus, fold, shared):
    place = SHARED / f"emobox_splits/{corpus}/fold_{fold}"
    names = [str(place / f"{corpus}_{side}_fold_{fold}.jsonl") for side in ("train", "test")]
    found = audit(*read_sides(names))
    assert only(found, "shared speakers").says.startswith(f"{shared} speakers of ")
    assert not found.passed


@needs_data
@pytest.mark.parametrize("fold", range(1, 7))
def test_emoboxs_folds_of_ravdess_do_not(fold):
    place = SHARED / f"emobox_splits/ravdess/fold_{fold}"
    names = [str(place / f"ravdess_{side}_fold_{fold}.jsonl") for side in ("train", "test")]
    found = audit(*read_sides(names))
    assert found.passed
    assert [side.speakers for side in found.sides] == [20, 4]


FAULTS = {  # of the published corpora: shared/data/README.md, and four that audits found
    "1013_WSI_DIS_XX.opus (disgust) = 1013_WSI_SAD_XX.opus (sad)": "identical audio",
    "1017_IWW_ANG_XX.opus (angry) = 1017_IWW_FEA_XX.opus (fear)": "identical audio",
    "1006_TIE_HAP_XX.opus (happy) = 1006_TIE_NEU_XX.opus (neutral)": "identical audio",
    "03-01-03-01-02-01-07.flac = 03-01-03-01-02-02-07.flac": "identical audio",
    "1017_IWL_ANG_XX.opus (angry) = 1017_IWL_FEA_XX.opus (fear)": "nearly identical audio",
    "1056_MTI_ANG_XX.opus = 1056_TAI_ANG_XX.opus": "nearly identical audio",
    "1020_IEO_ANG_LO.opus = 1020_IEO_ANG_MD.opus": "nearly identical audio",
    "1045_ITH_DIS_XX.opus = 1045_IWL_DIS_XX.opus": "nearly identical audio",
}


@needs_data
def test_the_faults_of_the_published_corpora_are_found(tmp_path):
    rows = (SHARED / "speech/manifest.csv").read_text(encoding="utf-8").splitlines()
    wanted = ["1076_MTI_SAD_XX", "1089_TIE_ANG", "03a01Wa", "03-01-01-01-01-01-01"]
    wanted += [word.split(".")[0] for pair in FAULTS for word in pair.split() if "." in word]
    chosen = [row for row in rows[1:] if any(name in row for name in wanted)]
    (tmp_path / "list.csv").write_text("\n".join([rows[0], *chosen]), encoding="utf-8")
    found = audit(*read_sides([str(tmp_path / "list.csv")], audio=SHARED))
    torn = {pair for pair in FAULTS if "(" in pair}
    assert set(only(found, "two labels").examples) == torn
    for how in ("identical audio", "nearly identical audio"):
        pairs = {pair for pair, kind in FAULTS.items() if kind == how}
        plain = {" ".join(word for word in pair.split() if "(" not in word) for pair in pairs}
        assert set(only(found, how).examples) == plain
    assert [Path(one).stem for one in only(found, "silent").examples] == ["1076_MTI_SAD_XX"]
