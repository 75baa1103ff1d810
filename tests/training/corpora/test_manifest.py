"""One way into every list, and speakers by the naming rules of known corpora."""

from pathlib import Path

import pytest

from voxplain.errors import CorpusNotFound
from voxplain.training.corpora._manifest import manifest
from voxplain.training.corpora._naming import named
from voxplain.training.corpora._reading import Utterance


def test_every_list_finds_its_reader(tmp_path, clips):
    sound = clips[0]
    lists = {
        "list.csv": f"file,emotion\n{sound},sad\n",
        "list.tsv": f"file\temotion\n{sound}\tsad\n",
        "list.jsonl": f'{{"file": "{sound}", "emotion": "sad"}}\n',
        "box.jsonl": f'{{"key": "k", "dataset": "x", "wav": "{sound}", "emo": "sad"}}\n',
        "kaldi/wav.scp": f"u1 {sound}\n",
        "kaldi/utt2emo": "u1 sad\n",
        "set/metadata.csv": f"file_name,label\n{sound},sad\n",
        "base/db.yaml": "name: x\ntables: {all: {columns: {emotion: {}}}}\n",
        "base/db.all.csv": f"file,emotion\n{sound},sad\n",
    }
    for name, text in lists.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    for name in ("list.csv", "list.tsv", "list.jsonl", "box.jsonl", "kaldi", "set", "base"):
        (one,) = manifest(tmp_path / name)
        assert (one.path, one.emotion) == (sound, "sad"), name
    assert manifest(tmp_path / "box.jsonl")[0].corpus == "x"


def test_what_is_no_list_is_refused(tmp_path):
    with pytest.raises(CorpusNotFound, match=r"x\.txt is no list of recordings; .*\.csv, \.tsv"):
        manifest(tmp_path / "x.txt")
    with pytest.raises(CorpusNotFound, match=r"none\.jsonl can't be read"):
        manifest(tmp_path / "none.jsonl")


def clip(path, **told):
    known = {"corpus": "", "speaker": "", "sex": "", "emotion": "", "sentence": "", **told}
    return Utterance(path=Path(path), **known)


@pytest.mark.parametrize(
    ("path", "corpus", "speaker", "sentence"),
    [
        ("x/1076_MTI_SAD_XX.wav", "cremad", "cremad_1076", "MTI"),  # the reader leaves it out
        ("downloads/03a01Wa.flac", "emodb", "emodb_03", "a01"),
        ("Actor_07/03-01-03-01-02-02-07.wav", "ravdess", "ravdess_07", "02"),
    ],
)
def test_the_names_of_known_corpora_tell_the_speaker(path, corpus, speaker, sentence):
    one = named(clip(path))
    assert (one.corpus, one.speaker, one.sentence) == (corpus, speaker, sentence)


def test_what_is_known_stays_and_other_names_tell_nothing():
    assert named(clip("1001_DFA_ANG_XX.wav", speaker="me")).speaker == "me"
    assert named(clip("recording 7.wav")) == clip("recording 7.wav")
    wrong = clip("1001_DFA_ANG_XX.wav", corpus="emodb")  # not named by the rule of its corpus
    assert named(wrong) == wrong
