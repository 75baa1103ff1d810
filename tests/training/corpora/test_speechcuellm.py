"""SpeechCueLLM: the categories of its tables reach the utterances of the corpora."""

import pytest

from voxplain.errors import CorpusNotFound, InputError
from voxplain.training.corpora import speechcuellm

# The columns that postprocess_audio_feature_*.py adds and data_process.py reads.
CATEGORIES = (
    "avg_intensity_category,intensity_variation_category,avg_pitch_category,pitch_std_category,"
    "pitch_range_category,articulation_rate_category"
)
LOUD = "very_high,high,medium,low,none,very_low"
QUIET = "low,medium_low,none,,none,medium_high"
LOUD_LEVELS = {"loudness": 1, "dynamics": 1, "pitch": 0, "range": -1, "tempo": -1}
QUIET_LEVELS = {"loudness": -1, "dynamics": 0, "tempo": 0}


def fill(root, **files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


@pytest.fixture
def meld(tmp_path):
    """Two splits that each have a first utterance of a first dialogue."""
    columns = "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID\n"
    features = f"filename,Utterance,{CATEGORIES}\n"
    return fill(
        tmp_path,
        **{
            "train_sent_emo.csv": columns + "1,Hi,Joey,joy,positive,0,0\n2,Oh,Ross,joy,x,0,1\n",
            "test_sent_emo.csv": columns + "1,Hello,Monica,joy,positive,0,0\n",
            "train/dia0_utt0.wav": "",
            "train/dia0_utt1.wav": "",
            "test/dia0_utt0.wav": "",
            "meld_processed_5class_train_audio_features.csv": features
            + f"dia0_utt0.wav,Hi,{LOUD}\n",
            "meld_processed_5class_test_audio_features.csv": features
            + f"dia0_utt0.wav,Hello,{QUIET}\n",
        },
    )


@pytest.fixture
def iemocap(tmp_path):
    """Two dialogues; in the first the same words are said twice."""
    turns = ("Ses01F_impro01_F000", "Ses01F_impro01_M000", "Ses01F_impro02_F000")
    said = dict(zip(turns, ("Yeah.", "Yeah.", "Excuse me."), strict=True))
    files = {}
    for turn in turns:
        dialogue = turn.rpartition("_")[0]
        files[f"Session1/sentences/wav/{dialogue}/{turn}.wav"] = ""
        for folder, line in (
            ("EmoEvaluation", f"[1.0 - 2.0]\t{turn}\tneu\t[2.5, 2.5, 3.0]\n"),
            ("transcriptions", f"{turn} [001.0000-002.0000]: {said[turn]}\n"),
        ):
            name = f"Session1/dialog/{folder}/{dialogue}.txt"
            files[name] = files.get(name, "") + line
    files["processed_iemocap_audio_features_5.csv"] = (
        f"video_id,text,{CATEGORIES}\nSes01F_impro01,Yeah.,{LOUD}\n"
        f"Ses01F_impro01,Yeah.,{QUIET}\nSes01F_impro02,Excuse me.,{LOUD}\n"
    )
    return fill(tmp_path, **files)


def test_levels_of_meld_go_by_split_and_clip(meld):
    found = {one.text: one.described for one in speechcuellm.read(meld)}
    assert found == {"Hi": LOUD_LEVELS, "Oh": {}, "Hello": QUIET_LEVELS}


def test_levels_of_iemocap_go_by_dialogue_and_words_unless_these_are_said_twice(iemocap):
    found = [(one.path.stem, one.described) for one in speechcuellm.read(iemocap)]
    assert found == [
        ("Ses01F_impro01_F000", {}),
        ("Ses01F_impro01_M000", {}),
        ("Ses01F_impro02_F000", LOUD_LEVELS),
    ]


def test_the_corpora_stay_what_they_are(meld):
    one, *_ = speechcuellm.read(meld)
    assert (one.corpus, one.speaker, one.emotion, one.split) == (
        "meld", "meld_Joey", "happy", "train",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        (f"filename,{CATEGORIES}\ndia0_utt0.wav,{LOUD.replace('medium', 'mid')}\n",
         InputError, r"row 2: unknown avg_pitch_category 'mid'; available: high"),
        (f"name,{CATEGORIES}\na,{LOUD}\n", CorpusNotFound, r"row 2 has no video_id \(IEMOCAP"),
        (f"filename,{CATEGORIES}\ndia7_utt7.wav,{LOUD}\n", CorpusNotFound,
         r"no row of the tables of meld is one of its 3 utterances; one has .*'dia7_utt7'"),
        ("filename,description\ndia0_utt0.wav,low\n", CorpusNotFound, "no column avg_pitch_cat"),
    ],
)  # fmt: skip
def test_wrong_tables_are_told(meld, text, error, says):
    (meld / "meld_processed_5class_test_audio_features.csv").unlink()
    (meld / "meld_processed_5class_train_audio_features.csv").write_text(text)
    with pytest.raises(error, match=says):
        speechcuellm.read(meld)


def test_a_folder_without_tables_is_refused(tmp_path):
    with pytest.raises(CorpusNotFound, match="give the folder of corpus and tables"):
        speechcuellm.read(tmp_path)
