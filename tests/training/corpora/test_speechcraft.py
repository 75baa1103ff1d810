"""SpeechCraft: what machines tagged becomes levels, whatever the recordings' folders."""

import json

import pytest

from voxplain.errors import AudioError, CorpusNotFound, InputError
from voxplain.training.assessment.recordings import recordings
from voxplain.training.corpora import speechcraft
from voxplain.training.corpora._reading import Utterance

# As Clustering.py writes them.
LABELS = {
    "LJSpeech_LJ010-0227": "age:Elderly\tgender:male\tpitch:low\tvolume:normal\tspeed:fast\t"
    "emotion:sad\ttranscription: He went from Newgate first to Bethlehem.",
    "84_121123_000007": "age:Teenager\tgender:Female\tpitch:high\tvolume:High\tspeed:normal\t"
    "emotion:Fearful\temphasis:Go, now\ttranscription: Go away, now!",
}


@pytest.fixture
def corpus(tmp_path):
    """One recording that is named with its folder, and one by its name alone."""

    def made(**changed):
        entries = {name: {"labels": text} for name, text in (LABELS | changed).items()}
        (tmp_path / "labels.json").write_text(json.dumps(entries), encoding="utf-8")
        for name in ("LJSpeech/LJ010-0227.wav", "dev/84_121123_000007.flac"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).touch()
        return tmp_path

    return made


def test_tags_are_levels(corpus):
    root = corpus()
    sad, afraid = speechcraft.read(root)
    text = "He went from Newgate first to Bethlehem."
    assert sad == Utterance(
        path=root / "LJSpeech/LJ010-0227.wav",
        corpus="speechcraft",
        speaker="",
        sex="male",
        emotion="sad",
        sentence=text,
        label="sad",
        text=text,
        described={"pitch": -1, "loudness": 0, "tempo": 1},
    )
    assert afraid.path == root / "dev/84_121123_000007.flac"
    assert (afraid.sex, afraid.emotion, afraid.label) == ("female", "fear", "Fearful")
    assert afraid.emphasis == (0, 2)
    assert afraid.described == {"pitch": 1, "loudness": 1, "tempo": 0}


def test_what_is_not_tagged_is_not_known(corpus):
    one, _ = recordings(f"speechcraft={corpus(**{'LJSpeech_LJ010-0227': 'speed:slow'})}").utterances
    assert one.described == {"tempo": -1}
    assert (one.emotion, one.text, one.sex) == ("", "", "")


@pytest.mark.parametrize(
    ("changed", "error", "says"),
    [
        ({"LJSpeech_LJ010-0227": "pitch:loud"}, InputError,
         r"labels\.json: LJSpeech_LJ010-0227: unknown pitch 'loud'; available: high, low, normal"),
        ({"LJSpeech_LJ010-0227": "emotion:hm"}, InputError, "unknown emotion label 'hm'"),
        ({"LJSpeech_LJ010-0227": "emphasis:home\ttranscription:I go"}, InputError,
         "'home' is emphasised, but no word of 'I go'"),
        ({"LJSpeech_LJ1": "pitch:low"}, CorpusNotFound,
         r"1 of 3 recordings are not there, e\.g\. .*LJSpeech_LJ1"),
        ({"LJ010-0227": "pitch:low"}, InputError, "stands already in .*; keep one"),
    ],
)  # fmt: skip
def test_wrong_labels_are_told_by_their_entry(corpus, changed, error, says):
    with pytest.raises(error, match=says):
        speechcraft.read(corpus(**changed))


def test_a_name_that_two_recordings_have_is_refused(corpus):
    root = corpus()
    (root / "dev/84_121123_000007.wav").touch()
    with pytest.raises(InputError, match=r"may be dev/84.*\.flac or dev/84.*\.wav; keep one of"):
        speechcraft.read(root)


@pytest.mark.parametrize("content", ['{"a": {"labels": 3}}', '{"a": "pitch:low"}', "[1]"])
def test_another_json_file_is_told(corpus, content):
    root = corpus()
    (root / "other.json").write_text(content)
    with pytest.raises(InputError, match=r"other\.json: .* has no text 'labels'; keep other JSON"):
        speechcraft.read(root)
    (root / "other.json").write_text("{")
    with pytest.raises(InputError, match=r"other\.json is not JSON"):
        speechcraft.read(root)


def test_another_folder_is_refused(tmp_path):
    with pytest.raises(CorpusNotFound, match="holds no JSON file of labels; give the folder"):
        speechcraft.read(tmp_path)
    (tmp_path / "labels.json").write_text('{"a": {"labels": "pitch:low"}}')
    with pytest.raises(AudioError, match="no audio or video in the folder"):
        speechcraft.read(tmp_path)
