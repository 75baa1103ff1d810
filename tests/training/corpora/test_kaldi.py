"""Kaldi folders: tables of words become utterances, and nothing in them is run."""

import pytest

from voxplain.errors import CorpusNotFound, InputError
from voxplain.training.corpora import kaldi
from voxplain.training.corpora._reading import Utterance


def folder(root, **tables):
    (root / "r1.wav").touch()
    (root / "r2.wav").touch()
    for name, text in tables.items():
        (root / name.replace("_", ".")).write_text(text, encoding="utf-8")
    return root


SCP = "r1 r1.wav\nr2  r2.wav\n"


def test_the_tables_together_tell_an_utterance(tmp_path):
    root = folder(
        tmp_path,
        wav_scp=SCP,
        segments="u1 r1 0.50 2.25\nu2 r1 2.25 3\n",
        utt2spk="u1 s1\nu2 s2\n",
        spk2gender="s1 f\ns2 m\n",
        text="u1 how are you\nu2 fine\n",
        utt2emo="u1 ang\nu2 neu\n",
        utt2lang="u1 en\nu2 en\n",
    )
    assert kaldi.read(root) == [
        Utterance(
            path=root / "r1.wav",
            corpus="",
            speaker=speaker,
            sex=sex,
            emotion=emotion,
            sentence=text,
            label=label,
            text=text,
            start=start,
            end=end,
            language="en",
        )
        for speaker, sex, emotion, label, text, start, end in (
            ("s1", "female", "angry", "ang", "how are you", 0.5, 2.25),
            ("s2", "male", "neutral", "neu", "fine", 2.25, 3.0),
        )
    ]


def test_recordings_alone_are_utterances_without_emotions(tmp_path):
    found = kaldi.read(folder(tmp_path, wav_scp=SCP))
    assert [(one.path.name, one.speaker, one.emotion, one.end) for one in found] == [
        ("r1.wav", "", "", None),
        ("r2.wav", "", "", None),
    ]


@pytest.mark.parametrize(
    ("tables", "says"),
    [
        (
            {"wav_scp": "r1 touch ran |\n"},
            r"wav\.scp line 1: r1 is made by a command, which is not",
        ),
        ({"wav_scp": "r1 | touch ran\n"}, r"wav\.scp line 1: r1 is made by a command"),
        ({"wav_scp": "r1\n"}, r"wav\.scp line 1 has no second word"),
        (
            {"wav_scp": SCP, "utt2spk": "r1 a\nr1 b\n"},
            "utt2spk line 2 has no second word, or a fir",
        ),
        ({"wav_scp": SCP, "segments": "u1 r9 0 1\n"}, "segments line 1: 'r9 0 1' is no recording"),
        ({"wav_scp": SCP, "segments": "u1 r1 0\n"}, "segments line 1: 'r1 0' is no recording of"),
        ({"wav_scp": SCP, "utt2emo": "r1 sad\n"}, r"wav\.scp line 2: the label is empty"),
        ({"wav_scp": SCP, "utt2emo": "r1 hm\nr2 sad\n"}, "line 1: unknown emotion label 'hm'"),
    ],
)
def test_what_is_wrong_is_told_by_its_line_and_nothing_is_run(tmp_path, monkeypatch, tables, says):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=says):
        kaldi.read(folder(tmp_path, **tables))
    assert not (tmp_path / "ran").exists()


def test_another_folder_and_missing_recordings_are_refused(tmp_path):
    with pytest.raises(CorpusNotFound, match=r"holds no wav\.scp; give a Kaldi data folder"):
        kaldi.read(tmp_path)
    folder(tmp_path, wav_scp="r1 r1.wav\nr3 r3.wav\n")
    with pytest.raises(CorpusNotFound, match=r"1 of 2 recordings are not there, e\.g\. .*r3\.wav"):
        kaldi.read(tmp_path)
