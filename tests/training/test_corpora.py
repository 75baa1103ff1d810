"""Corpora: folders, names and tables become labels; what is faulty or foreign stays out.

The miniatures have the folders, names and known faults of the published corpora; what is expected
of each is written by hand.
"""

from collections import Counter
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
import pytest
import soundfile

from voxplain import plugins
from voxplain.audio.read import read as hear
from voxplain.errors import ConfigError, CorpusNotFound
from voxplain.labels import CANONICAL, KNOWN
from voxplain.training.corpora import _described, cremad, meld
from voxplain.training.corpora._reading import Card, Ratings, Utterance

SPEECH = Path(__file__).parents[3] / "shared/data/speech"
MELD = Path(__file__).parents[3] / "shared/data/text/meld"


def clip(speaker, sex, label, emotion, sentence="", text="", strength="", **more):
    return {
        "speaker": speaker, "sex": sex, "label": label, "emotion": emotion, "sentence": sentence,
        "text": text, "strength": strength, **more,
    }  # fmt: skip


# corpus -> file -> what it is
CLIPS = {
    "cremad": {
        "AudioWAV/1001_DFA_ANG_XX.wav": clip(
            "1001", "male", "ANG", "angry", "DFA", "Don't forget a jacket"
        ),
        "AudioWAV/1001_IEO_DIS_LO.wav": clip(
            "1001", "male", "DIS", "disgust", "IEO", "It's eleven o'clock", "low"
        ),
        "AudioWAV/1001_IEO_FEA_MD.wav": clip(
            "1001", "male", "FEA", "fear", "IEO", "It's eleven o'clock", "medium"
        ),
        "AudioWAV/1002_IEO_HAP_HI.wav": clip(
            "1002", "female", "HAP", "happy", "IEO", "It's eleven o'clock", "high"
        ),
        "AudioWAV/1002_ITH_NEU_X.wav": clip(
            "1002", "female", "NEU", "neutral", "ITH", "I think I have a doctor's appointment"
        ),
        "AudioWAV/1076_MTI_ANG_XX.wav": clip(
            "1076", "female", "ANG", "angry", "MTI", "Maybe tomorrow it will be cold"
        ),
        "AudioWAV/1091_WSI_SAD_XX.wav": clip(
            "1091", "female", "SAD", "sad", "WSI", "We'll stop in a couple of minutes"
        ),
    },
    "emodb": {
        "wav/03a01Wa.wav": clip(
            "03", "male", "W", "angry", "a01", "Der Lappen liegt auf dem Eisschrank."
        ),
        "wav/08a02La.wav": clip(
            "08", "female", "L", "boredom", "a02", "Das will sie am Mittwoch abgeben."
        ),
        "wav/09b03Ed.wav": clip(
            "09", "female", "E", "disgust", "b03",
            "An den Wochenenden bin ich jetzt immer nach Hause gefahren und habe Agnes besucht.",
        ),
        "wav/10a04Ad.wav": clip(
            "10", "male", "A", "fear", "a04", "Heute abend könnte ich es ihm sagen."
        ),
        "wav/11b09Fa.wav": clip(
            "11", "male", "F", "happy", "b09",
            "Ich will das eben wegbringen und dann mit Karl was trinken gehen.",
        ),
        "wav/16b10Nb.wav": clip(
            "16", "female", "N", "neutral", "b10",
            "Die wird auf dem Platz sein, wo wir sie immer hinlegen.",
        ),
        "wav/16b10Tb.wav": clip(
            "16", "female", "T", "sad", "b10",
            "Die wird auf dem Platz sein, wo wir sie immer hinlegen.",
        ),
    },
    "ravdess": {
        f"Actor_{speaker}/03-01-{label}-{level}-{sentence}-{take}-{speaker}.wav": clip(
            speaker, sex, label, emotion, sentence, f"{who} by the door", strength
        )
        for speaker, sex, label, emotion, sentence, who, level, strength, take in (
            ("01", "male", "01", "neutral", "01", "Kids are talking", "01", "normal", "01"),
            ("01", "male", "02", "calm", "02", "Dogs are sitting", "01", "normal", "01"),
            ("02", "female", "03", "happy", "01", "Kids are talking", "02", "strong", "02"),
            ("02", "female", "04", "sad", "01", "Kids are talking", "01", "normal", "01"),
            ("07", "male", "03", "happy", "02", "Dogs are sitting", "01", "normal", "01"),
            ("24", "female", "05", "angry", "01", "Kids are talking", "01", "normal", "01"),
            ("24", "female", "06", "fear", "01", "Kids are talking", "01", "normal", "01"),
            ("24", "female", "07", "disgust", "01", "Kids are talking", "01", "normal", "01"),
            ("24", "female", "08", "surprise", "01", "Kids are talking", "01", "normal", "01"),
        )
    },
    "tess": {  # on Kaggle, the folder holds a copy of itself
        "TESS Toronto emotional speech set data/OAF_Fear/OAF_back_fear.wav": clip(
            "OAF", "female", "fear", "fear", "back", "Say the word back."
        ),
        "TESS Toronto emotional speech set data/OAF_Pleasant_surprise/OAF_bar_ps.wav": clip(
            "OAF", "female", "ps", "surprise", "bar", "Say the word bar."
        ),
        "TESS Toronto emotional speech set data/OAF_neutral/OA_bite_neutral.wav": clip(
            "OAF", "female", "neutral", "neutral", "bite", "Say the word bite."
        ),
        "TESS Toronto emotional speech set data/YAF_angry/YAF_base_angry.wav": clip(
            "YAF", "female", "angry", "angry", "base", "Say the word base."
        ),
    },
    "esd": {
        "0001/Angry/train/0001_000371.wav": clip(
            "0001", "female", "Angry", "angry", "zh021", "打远一看，它们的确很是美丽",
            language="zh", split="train",
        ),
        "0001/Neutral/evaluation/0001_000021.wav": clip(
            "0001", "female", "Neutral", "neutral", "zh021", language="zh", split="dev"
        ),
        "0010/Sad/0010_001400.wav": clip("0010", "male", "Sad", "sad", "zh350", language="zh"),
        "0011/Happy/test/0011_000701.wav": clip(
            "0011", "male", "Happy", "happy", "en001", "The nine the eggs, I keep.",
            language="en", split="test",
        ),
        "0016/Surprise/0016_001401.wav": clip(
            "0016", "female", "Surprise", "surprise", "en001", "I’m told so.", language="en"
        ),
    },
    "savee": {
        "AudioData/DC/a01.wav": clip("dc", "male", "a", "angry", "a01"),
        "AudioData/DC/sa01.wav": clip("dc", "male", "sa", "sad", "sa01"),
        "AudioData/JE/a01.wav": clip("je", "male", "a", "angry", "a01"),
        "AudioData/KL/su15.WAV": clip("kl", "male", "su", "surprise", "su15"),
    },
    "emovo": {
        "EMOVO/f1/gio-f1-n5.wav": clip(
            "f1", "female", "gio", "happy", "n5",
            "Uno quarantatré dieci mille cinquantasette venti.",
        ),
        "EMOVO/m3/pau-m3-b1.wav": clip(
            "m3", "male", "pau", "fear", "b1", "Gli operai si alzano presto."
        ),
    },
    "nemo": {
        "samples/EB0_anger_10.wav": clip("eb0", "", "anger", "angry", "10"),
        "samples/EB0_surprised_9.wav": clip("eb0", "", "surprised", "surprise", "9"),
    },
    "urdu": {
        "Angry/SM1_F1_A01.wav": clip("sm1", "male", "A", "angry"),
        "Sad/SF10_F2_S020.wav": clip("sf10", "female", "S", "sad"),
    },
    "ased": {
        "01Neutral/n1-06-02-01-14.wav": clip("14", "female", "n", "neutral", "n1-06"),
        "04Sad/S4-04-02-01-29.wav": clip("29", "female", "S", "sad", "s4-04"),  # one is upper case
        "05Angry/a5-03-01-02-50.wav": clip("50", "male", "a", "angry", "a5-03"),
    },
    "baved": {
        "0/6-m-21-3-0-211.wav": clip("6", "male", "0", "", "3", "الفيلم", "low"),
        "1/46-F-20-6-1-4.wav": clip("46", "female", "1", "", "6", "سيئ", "normal"),
        "2/6-m-21-4-2-95.wav": clip("6", "male", "2", "", "4", "رائع", "high"),
    },
    "shemo": {
        "female/F03S02.wav": clip("f03", "female", "S", "sad"),
        "male/M02F01.wav": clip("m02", "male", "F", "fear"),
        "male/M05W07.wav": clip("m05", "male", "W", "surprise"),
    },
    "emovdb": {
        "bea/Angry/anger_1-28_0005.wav": clip("bea", "female", "Angry", "angry", "0005"),
        "jenie_Amused/amused_57-84_0057.wav": clip("jenie", "female", "Amused", "amused", "0057"),
        "sam_Sleepy/sleepiness_1-28_0002.wav": clip("sam", "male", "Sleepy", "sleepy", "0002"),
    },
    "jl_corpus": {
        "Raw JL corpus (unchecked and unannotated)/JL(wav+txt)/female2_excited_5a_2.wav": clip(
            "female2", "female", "excited", "excited", "5"
        ),
        "Raw JL corpus (unchecked and unannotated)/JL(wav+txt)/male1_assertive_14b_1.wav": clip(
            "male1", "male", "assertive", "", "14"
        ),
    },
    "enterface": {
        "enterface database/subject 11/anger/sentence 1/s12_an_1.avi": clip(
            "11", "", "an", "angry", "an_1"
        ),
        "enterface database/subject 12/anger/sentence 1/s12_an_1.avi": clip(
            "12", "", "an", "angry", "an_1"
        ),
        "enterface database/subject 16/surprise/sentence 3/s16_su_3avi.avi": clip(
            "16", "", "su", "surprise", "su_3"
        ),
        "enterface database/subject 3/fear/sentence 2/s_3_fe_2.avi": clip(
            "3", "", "fe", "fear", "fe_2"
        ),
        "enterface database/subject 6/happiness/s6_ha_4.avi": clip("6", "", "ha", "happy", "ha_4"),
    },
    "casia": {
        "ZhaoZuoxiang/happy/202.wav": clip("zhaozuoxiang", "", "happy", "happy", "202"),
        "liuchanhg/angry/201.wav": clip("liuchanhg", "", "angry", "angry", "201"),
        "liuchanhg/happy/201.wav": clip("liuchanhg", "", "happy", "happy", "201"),
    },
    "mead": {
        "M003/audio/angry/level_1/001.m4a": clip(
            "m003", "male", "angry", "angry", "001", "", "low"
        ),
        "W011/audio/surprised/level_3/030.m4a": clip(
            "w011", "female", "surprised", "surprise", "030", "", "high"
        ),
    },
    "iemocap": {
        "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav": clip(
            "Ses01F", "female", "neu", "neutral", "Excuse me.", "Excuse me.",
            session="Ses01", turn=1, ratings=Ratings({"neutral": 2, "frustrated": 1}, {}),
            dimensions={"valence": 0.375, "arousal": 0.375, "dominance": 0.5},
        ),
        "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_M000.wav": clip(
            "Ses01M", "male", "xxx", "", "Yeah, do you have your forms?",
            "Yeah, do you have your forms?",
            session="Ses01", turn=2, ratings=Ratings({"angry": 1, "frustrated": 1}, {}),
            dimensions={"valence": 0.0, "arousal": 1.0, "dominance": 0.75},
        ),
        "Session1/sentences/wav/Ses01M_script01_1b/Ses01M_script01_1b_F012.wav": clip(
            "Ses01F", "female", "exc", "excited",
            session="Ses01", turn=3, ratings=Ratings({"excited": 3}, {}),
            dimensions={"valence": 0.75, "arousal": 0.75, "dominance": 0.5},
        ),
        "Session5/sentences/wav/Ses05F_impro04/Ses05F_impro04_MXX1.wav": clip(
            "Ses05M", "male", "fru", "frustrated",
            session="Ses05", turn=1,
            dimensions={"valence": 0.25, "arousal": 0.5, "dominance": 0.5},
        ),
    },
    "msp_podcast": {
        "Audios/MSP-PODCAST_0001_0008.wav": clip(
            "127", "male", "N", "neutral", "Well, that is how it is.", "Well, that is how it is.",
            split="train", ratings=Ratings({"neutral": 2, "sad": 1}, {}),
            dimensions={"valence": 0.5, "arousal": 0.25, "dominance": 1.0},
        ),
        "Audios/MSP-PODCAST_0002_0033.wav": clip(
            "", "", "C", "contempt", split="dev", ratings=Ratings({"contempt": 1}, {}),
            dimensions={"valence": 0.0, "arousal": 0.5, "dominance": 0.5},
        ),
        "Audios/MSP-PODCAST_0003_0051.wav": clip(
            "9", "female", "X", "", split="test1",
            dimensions={"valence": 0.5, "arousal": 0.5, "dominance": 0.5},
        ),
        "Audios/MSP-PODCAST_1023_0235.wav": clip(
            "", "male", "U", "surprise", split="test2",
            dimensions={"valence": 0.5, "arousal": 0.5, "dominance": 0.5},
        ),
    },
    "meld": {
        "MELD.Raw/train_splits/dia0_utt0.mp4": clip(
            "Chandler", "male", "neutral", "neutral", "also I was the point person",
            "also I was the point person", split="train", session="train_dia0", turn=0,
        ),
        "MELD.Raw/train_splits/dia0_utt10.mp4": clip(
            "", "", "joy", "happy", "Hey!", "Hey!", split="train", session="train_dia0", turn=10,
        ),
        "MELD.Raw/dev_splits_complete/dia0_utt0.mp4": clip(
            "Phoebe", "female", "sadness", "sad", "Oh my God, he’s lost it.",
            "Oh my God, he’s lost it.", split="dev", session="dev_dia0", turn=0,
        ),
        "MELD.Raw/output_repeated_splits_test/dia0_utt0.mp4": clip(
            "Mark", "", "surprise", "surprise", "Why do all you’re coffee mugs have numbers?",
            "Why do all you’re coffee mugs have numbers?", split="test", session="test_dia0",
            turn=0,
        ),
    },
}  # fmt: skip

CHINESE = "0001_000371\t打远一看，它们的确很是美丽\t生气\n0001_000372\tno emotion\n"
MELD_COLUMNS = "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID\n"
# corpus -> what lies beside the clips -> its content; what is no clip is not read
BESIDE = {
    "cremad": {
        "README.md": "",
        "AudioWAV/1001_DFA_ANG.wav": "",
        "AudioWAV/1001_DFA_ANG_XX copy.wav": "",
        "AudioWAV/1001_DFA_ANG_XX.voxplain.json": "",
        "AudioWAV/1076_MTI_SAD_XX.wav": "",  # silent
        "AudioWAV/1013_WSI_SAD_XX.wav": "",  # the same recording under two labels, three times
        "AudioWAV/1013_WSI_DIS_XX.wav": "",
        "AudioWAV/1017_IWW_ANG_XX.wav": "",
        "AudioWAV/1017_IWW_FEA_XX.wav": "",
        "AudioWAV/1006_TIE_HAP_XX.wav": "",
        "AudioWAV/1006_TIE_NEU_XX.wav": "",
    },
    "emodb": {
        "README.txt": "",
        "wav/3a01Wa.wav": "",
        "wav/03a01W.wav": "",
        "lablaut/03a01Wa.lablaut": "",
        "labsilb/03a01Wa.labsilb": "",
        "silb/03a01Wa.silb": "",
    },
    "ravdess": {
        "Actor_01/03-02-01-01-01-01-01.wav": "",  # song
        "Actor_01/01-01-01-01-01-01-01.mp4": "",  # picture and sound
        "Actor_01/03-01-01-01-01-01.wav": "",
        "Actor_07/03-01-03-01-02-02-07.wav": "",  # the same samples as take 01
    },
    "esd": {
        "ReadMe.txt": "",
        "0001/0001.txt": CHINESE.encode("gb2312"),
        "0011/0011.txt": "0011_000701\tThe nine the eggs, I keep.\tHappy\n".encode("utf-16"),
        "0016/0016.txt": "0016_001401\tI’m told so.\tSurprise\n".encode("cp1252"),
    },
    "savee": {"AudioData/Info.txt": "", "AudioData/MX/a01.wav": ""},
    "emovo": {"EMOVO/documents/frasi.wav": ""},
    "jl_corpus": {
        "Raw JL corpus (unchecked and unannotated)/JL(wav+txt)/female2_excited_5a_2.txt": "",
    },
    "casia": {"readme.wav": ""},
    "mead": {"M003/video/front/angry/level_1/001.mp4": ""},
    "iemocap": {
        "Session1/dialog/wav/Ses01F_impro01.wav": "",
        "Session1/dialog/EmoEvaluation/._Ses01F_impro01.txt": "\0",
        "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt": (
            "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n"
            "[6.2901 - 8.2357]\tSes01F_impro01_F000\tneu\t[2.5000, 2.5000, 3.0000]\n"
            "C-E2:\tNeutral;\t()\nC-E3:\tNeutral;\t()\nC-E4:\tFrustration;\t(bored; or not)\n"
            "C-F1:\tAnger;\t()\n"
            "A-E3:\tval 3; act 2; dom  2;\t()\nA-E4:\tval 2; act 3; dom  3;\t(dom 2-3)\n\n"
            "[10.0100 - 11.3925]\tSes01F_impro01_M000\txxx\t[1.0000, 5.0000, 4.0000]\n"
            "C-E2:\tFrustration; Anger;\t()\nC-E3:\tOther;\t(Confused)\nA-E1:\tval 1; act 5;\t()\n"
        ),
        "Session1/dialog/EmoEvaluation/Ses01M_script01_1b.txt": (
            "[10.0100 - 11.3925]\tSes01M_script01_1b_F012\texc\t[4.0000, 4.0000, 3.0000]\n"
            "C-E2:\tExcited;\t()\nC-E3:\tExcited;\t()\nC-E4:\tExcited;\t()\n"
        ),
        "Session1/dialog/EmoEvaluation/Categorical/Ses01F_impro01_e2_cat.txt": "not this one",
        "Session1/dialog/transcriptions/Ses01F_impro01.txt": (
            "Ses01F_impro01_F000 [006.2901-008.2357]: Excuse me.\n"
            "Ses01F_impro01_M000 [010.0100-011.3925]: Yeah, do you have your forms?\n"
            "M: [BREATHING]\n"
        ),
        "Session5/dialog/EmoEvaluation/Ses05F_impro04.txt": (
            "[1.0000 - 2.0000]\tSes05F_impro04_MXX1\tfru\t[2.0000, 3.0000, 3.0000]\n"
        ),
    },
    "msp_podcast": {
        "readme.txt": "",
        "Audios/MSP-PODCAST_9999_0001.wav": "",  # of Test3, whose labels are kept back
        "Labels/labels_consensus.csv": (
            "FileName,EmoClass,EmoAct,EmoVal,EmoDom,SpkrID,Gender,Split_Set\n"
            "MSP-PODCAST_0001_0008.wav,N,2.5,4,7,127,Male,Train\n"
            "MSP-PODCAST_0002_0033.wav,C,4,1,4,Unknown,Unknown,Development\n"
            "MSP-PODCAST_0003_0051.wav,X,4,4,4,9,Female,Test1\n"
            "MSP-PODCAST_1023_0235.wav,U,4,4,4,,Male,Test2\n"
        ),
        "Labels/labels_detailed.csv": (
            "FileName,Workers,EmoClass_Major,EmoClass_Second,EmoAct,EmoVal,EmoDom\n"
            'MSP-PODCAST_0001_0008.wav,W1,Neutral,"Neutral,Sad",4,4,4\n'
            "MSP-PODCAST_0001_0008.wav,W2,Neutral,Neutral,4,4,4\n"
            "MSP-PODCAST_0001_0008.wav,W3,Sad,Sad,4,4,4\n"
            "MSP-PODCAST_0001_0008.wav,W4,Other-matter of fact,Neutral,4,4,4\n"
            "MSP-PODCAST_0002_0033.wav,W1,C,C,4,4,4\n"
        ),
        "Transcripts/MSP-PODCAST_0001_0008.txt": "Well, that is how it is.\n",
    },
    "meld": {
        "MELD.Raw/dev_splits_complete/dia9_utt9.mp4": "",
        "MELD.Raw/output_repeated_splits_test/._dia0_utt0.mp4": "",
        "MELD.Raw/output_repeated_splits_test/final_videos_testdia0_utt0.mp4": "",
        "MELD.Raw/train_sent_emo.csv": MELD_COLUMNS
        + "1,also I was the point person,Chandler,neutral,neutral,0,0\n"
        + "11,Hey!,Ross and Joey,joy,positive,0,10\n"
        + "10475,This one is damaged,Rachel,anger,negative,125,3\n",
        "MELD.Raw/dev_sent_emo.csv": MELD_COLUMNS
        + '1,"Oh my God, he’s lost it.",Phoebe,sadness,negative,0,0\n'
        + "1153,Nobody published this one,Joey,fear,negative,110,7\n",
        "MELD.Raw/test_sent_emo.csv": MELD_COLUMNS
        + "1,Why do all you’re coffee mugs have numbers?,Mark,surprise,positive,0,0\n",
    },
}
EACH = pytest.mark.parametrize("corpus", CLIPS)
TABLED = ("iemocap", "msp_podcast", "meld")
NAMED = pytest.mark.parametrize("corpus", [name for name in CLIPS if name not in TABLED])


def fill(root, names, beside=None):
    beside = beside or {}
    for name in [*names, *beside]:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        content = beside.get(name, "")
        (root / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def read(corpus, root):
    return plugins.find("corpora", corpus).read(root)


def miniature(corpus, root):
    return fill(root, CLIPS[corpus], BESIDE.get(corpus, {}))


@EACH
def test_a_corpus_is_read(corpus, tmp_path):
    root = miniature(corpus, tmp_path)
    expected = [
        Utterance(root / name, corpus, **said | {"speaker": said["speaker"] and who})
        for name, said in CLIPS[corpus].items()
        for who in [f"{corpus}_{said['speaker']}"]
    ]
    found = read(corpus, root)
    assert sorted(found, key=str) == sorted(expected, key=str)
    if corpus not in TABLED:
        assert [one.path for one in found] == sorted(root / name for name in CLIPS[corpus])


@EACH
def test_a_clip_that_lies_there_twice_is_read_once(corpus, tmp_path):
    root = miniature(corpus, tmp_path)
    for name in CLIPS[corpus]:
        fill(root, [f"copy of it/{name}", str(Path(name).with_suffix(".mp3"))])
    assert len(read(corpus, root)) == len(CLIPS[corpus])


@EACH
def test_what_lies_beside_the_clips_is_not_read(corpus, tmp_path):
    root = miniature(corpus, tmp_path)
    for name in map(Path, CLIPS[corpus]):
        fill(root, [name.with_suffix(".txt"), name.parent / f"._{name.name}"])
        (root / name.with_suffix(".d.wav")).mkdir()
    assert len(read(corpus, root)) == len(CLIPS[corpus])


@EACH
@pytest.mark.parametrize("suffix", [".wav", ".flac", ".opus", ".WAV"])
def test_clips_may_be_in_any_format(corpus, suffix, tmp_path):
    names = [str(Path(name).with_suffix(suffix)) for name in CLIPS[corpus]]
    tables = {name: c for name, c in BESIDE.get(corpus, {}).items() if name.endswith((".csv", "t"))}
    assert len(read(corpus, fill(tmp_path, names, tables))) == len(names)


@NAMED
def test_another_folder_is_refused(corpus, tmp_path):
    fill(tmp_path, ["music/song.mp3", "README.txt"])
    expected = rf"{tmp_path.name} holds no file named like .*; give the corpus's own folder$"
    with pytest.raises(CorpusNotFound, match=expected):
        read(corpus, tmp_path)


@NAMED
def test_a_missing_folder_is_refused(corpus, tmp_path):
    with pytest.raises(CorpusNotFound, match="nowhere holds no file named like"):
        read(corpus, tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("corpus", "expected"),
    [
        ("iemocap", r"holds no file named like"),
        ("msp_podcast", r"holds no labels_consensus\.csv; give the corpus's own folder$"),
        ("meld", r"holds no train_sent_emo\.csv; give the corpus's own folder$"),
    ],
)
def test_a_folder_without_the_tables_is_refused(corpus, expected, tmp_path):
    with pytest.raises(CorpusNotFound, match=expected):
        read(corpus, tmp_path)


@pytest.mark.parametrize(
    ("corpus", "name", "label", "known"),
    [
        ("cremad", "AudioWAV/1001_DFA_SUR_XX.wav", "SUR", "ANG, DIS, FEA, HAP, NEU, SAD"),
        ("emodb", "wav/03a01Xa.wav", "X", "A, E, F, L, N, T, W"),
        ("ravdess", "Actor_01/03-01-09-01-01-01-01.wav", "09", "01, 02, 03, 04, 05, 06, 07, 08"),
        ("tess", "OAF_back_bored.wav", "bored", "angry, disgust, fear, happy, neutral, ps, sad"),
        ("esd", "0001/Calm/0001_000001.wav", "Calm", "Angry, Happy, Neutral, Sad, Surprise"),
        ("savee", "DC/x01.wav", "x", "a, d, f, h, n, sa, su"),
        ("casia", "wangzhe/calm/201.wav", "calm", "angry, fear, happy, neutral, sad, surprise"),
    ],
)
def test_a_label_that_a_corpus_should_not_have_is_an_error(corpus, name, label, known, tmp_path):
    root = fill(miniature(corpus, tmp_path), [name])
    expected = rf"{name}: unknown label '{label}'; available: {known}\."
    with pytest.raises(CorpusNotFound, match=expected):
        read(corpus, root)


@pytest.mark.parametrize(
    ("corpus", "table", "old", "new", "expected"),
    [
        (
            "iemocap", "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt", "\tneu\t", "\tbor\t",
            r"Ses01F_impro01_F000\.wav: unknown label 'bor'; available: ang, dis, exc, ",
        ),
        (
            "iemocap", "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt", "Anger;\t", "Rage;\t",
            r"Ses01F_impro01\.txt: unknown label 'Rage'; available: Anger, Disgust, ",
        ),
        (
            "msp_podcast", "Labels/labels_consensus.csv", "wav,N,", "wav,Q,",
            r"MSP-PODCAST_0001_0008\.wav: unknown label 'Q'; available: A, C, D, F, H, N, O, S, U",
        ),
        (
            "msp_podcast", "Labels/labels_consensus.csv", "Test1", "Test9",
            r"MSP-PODCAST_0003_0051\.wav: unknown label 'Test9'; available: Development, Test1",
        ),
        (
            "meld", "MELD.Raw/dev_sent_emo.csv", "sadness", "boredom",
            r"dev_sent_emo\.csv: unknown label 'boredom'; available: anger, disgust, fear, joy",
        ),
    ],
)  # fmt: skip
def test_a_label_that_a_table_should_not_have_is_an_error(
    corpus, table, old, new, expected, tmp_path
):
    path = miniature(corpus, tmp_path) / table
    path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    if new == "Rage;\t":  # what the actor meant is not asked for, what a rater chose is
        path.write_text(path.read_text("utf-8").replace("Anger;\t", "Rage;\t"), encoding="utf-8")
    with pytest.raises(CorpusNotFound, match=expected):
        read(corpus, tmp_path)


@pytest.mark.parametrize(
    ("corpus", "lost", "expected"),
    [
        (
            "iemocap", "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_M000.wav",
            r"1 of 4 turns have a label but no sound, such as Ses01F_impro01_M000; copy it again$",
        ),
        (
            "iemocap", "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt",
            r"2 of 4 turns have a sound but no label, such as Ses01F_impro01_F000; copy it again$",
        ),
        (
            "msp_podcast", "Audios/MSP-PODCAST_0003_0051.wav",
            r"1 of 4 clips have a label but no sound, such as MSP-PODCAST_0003_0051\.wav; copy it",
        ),
        (
            "meld", "MELD.Raw/train_splits/dia0_utt10.mp4",
            r"1 of 4 utterances have no clip, such as train_dia0_utt10; copy it again$",
        ),
    ],
)  # fmt: skip
def test_a_half_copied_corpus_is_an_error(corpus, lost, expected, tmp_path):
    (miniature(corpus, tmp_path) / lost).unlink()
    with pytest.raises(CorpusNotFound, match=f"is a half-copied corpus: {expected}"):
        read(corpus, tmp_path)


@pytest.mark.parametrize(
    ("corpus", "table", "column"),
    [
        ("msp_podcast", "Labels/labels_consensus.csv", "SpkrID"),
        ("msp_podcast", "Labels/labels_detailed.csv", "FileName"),
        ("meld", "MELD.Raw/test_sent_emo.csv", "Dialogue_ID"),
    ],
)
def test_a_table_of_other_columns_is_an_error(corpus, table, column, tmp_path):
    path = miniature(corpus, tmp_path) / table
    path.write_text(path.read_text("utf-8").replace(column, "renamed", 1), encoding="utf-8")
    expected = rf"{path.name} has no column {column}, only .*; give the corpus's own folder$"
    with pytest.raises(CorpusNotFound, match=expected):
        read(corpus, tmp_path)


def test_one_session_of_iemocap_is_enough(tmp_path):
    root = miniature("iemocap", tmp_path)
    assert {one.speaker for one in read("iemocap", root / "Session1")} == {
        "iemocap_Ses01F",
        "iemocap_Ses01M",
    }


def test_what_is_missing_in_a_table_of_msp_podcast_is_not_rated(tmp_path):
    table = miniature("msp_podcast", tmp_path) / "Labels/labels_consensus.csv"
    table.write_text(table.read_text("utf-8").replace("N,2.5,4,7", "N,,4,"), encoding="utf-8")
    assert read("msp_podcast", tmp_path)[0].dimensions == {"valence": 0.5}


def test_the_older_tables_of_msp_podcast_are_read(tmp_path):
    labels = miniature("msp_podcast", tmp_path) / "Labels"
    (labels / "labels_consensus.csv").rename(labels / "labels_concensus.csv")
    (labels / "labels_detailed.csv").write_text(
        "FileName,EmoDetail\n"
        'MSP-PODCAST_0001_0008.wav,"WORKER1; Happy; Happy,Neutral; A:4.0; V:5.0; D:4.0;"\n'
        'MSP-PODCAST_0001_0008.wav,"WORKER2; Other; Other; A:4.0; V:5.0; D:4.0;"\n',
        encoding="utf-8",
    )
    ratings = [one.ratings for one in read("msp_podcast", tmp_path)]
    assert ratings == [Ratings({"happy": 1}, {}), None, None, None]


def test_the_words_of_meld_need_no_clips(tmp_path):
    tables = {name: c for name, c in BESIDE["meld"].items() if name.endswith(".csv")}
    root = fill(tmp_path, [], tables)
    with pytest.raises(CorpusNotFound, match="holds no file named like"):
        meld.read(root)
    found = meld.texts(root)
    assert [(one.path.name[:4], one.text, one.emotion) for one in found] == [
        ("trai", "also I was the point person", "neutral"),
        ("trai", "Hey!", "happy"),
        ("trai", "This one is damaged", "angry"),
        ("dev_", "Oh my God, he’s lost it.", "sad"),
        ("dev_", "Nobody published this one", "fear"),
        ("test", "Why do all you’re coffee mugs have numbers?", "surprise"),
    ]


@pytest.mark.parametrize("encoding", ["gb2312", "utf-16", "utf-8", "utf-8-sig"])
def test_the_tables_of_esd_may_be_in_any_of_its_encodings(encoding, tmp_path):
    root = fill(tmp_path, CLIPS["esd"], {"0001/0001.txt": CHINESE.encode(encoding)})
    assert read("esd", root)[0].text == "打远一看，它们的确很是美丽"


@pytest.mark.parametrize("kind", ["AIFF", "stereo"])
def test_a_clip_may_be_something_else_than_its_name_says(kind, tmp_path):
    path = miniature("savee", tmp_path) / "AudioData/DC/a01.wav"
    tone = np.sin(2 * np.pi * 440 * np.arange(22_050) / 44_100)
    if kind == "AIFF":
        soundfile.write(path, tone, 44_100, format="AIFF")
        assert path.read_bytes()[:4] == b"FORM"
    else:
        soundfile.write(path, np.stack([tone, tone], axis=1), 44_100)
    (one, *_) = read("savee", tmp_path)
    assert hear(one.path).waveform.shape == (8_000,)


VOTES = """\
"","A","D","F","H","N","S","fileName","numResponses","meanEmoResp","meanAngerResp",\
"meanDisgustResp","meanFearResp","meanHappyResp","meanNeutralResp","meanSadResp"
"100020",5,4,0,0,2,0,"1001_DFA_ANG_XX",11,59.5,54.8,47.75,-1,-1,94.5,-1
"100021",0,1,2,3,0,4,"1001_IEO_FEA_MD",10,50,-1,10,20,30,-1,40
"200020",0,0,0,0,9,0,"1001_DFA_ANG_XX",9,71,-1,-1,-1,-1,71,-1
"300020",9,0,0,0,0,0,"1001_IEO_DIS_LO",9,80,80,-1,-1,-1,-1,-1
"""  # voices alone are 1xxxxx, faces 2xxxxx, both 3xxxxx; -1 where nobody was of that opinion


@pytest.fixture
def rated(tmp_path):
    """Clips of CREMA-D, with what listeners said and who speaks in a folder beside them."""
    fill(tmp_path, [*CLIPS["cremad"], "tables/tabulatedVotes.csv"])
    (tmp_path / "tables/tabulatedVotes.csv").write_text(VOTES, encoding="utf-8")
    people = "ActorID,Age,Sex,Race,Ethnicity\n1001,51,Male,Caucasian,Not Hispanic\n"
    (tmp_path / "tables/VideoDemographics.csv").write_text(people, encoding="utf-8")
    return tmp_path


def test_ratings_are_those_of_the_voice_alone(rated):
    found = {one.path.stem: one.ratings for one in cremad.read(rated)}
    assert len(found) == len(CLIPS["cremad"])
    assert {name: ratings for name, ratings in found.items() if ratings} == {
        "1001_DFA_ANG_XX": Ratings(
            votes={"angry": 5, "disgust": 4, "neutral": 2},
            intensity={"angry": 54.8, "disgust": 47.75, "neutral": 94.5},
        ),
        "1001_IEO_FEA_MD": Ratings(
            votes={"disgust": 1, "fear": 2, "happy": 3, "sad": 4},
            intensity={"disgust": 10, "fear": 20, "happy": 30, "sad": 40},
        ),
    }


def test_speakers_are_described_as_the_corpus_describes_them(rated):
    assert cremad.demographics(rated) == {
        "cremad_1001": {
            "ActorID": "1001",
            "Age": "51",
            "Sex": "Male",
            "Race": "Caucasian",
            "Ethnicity": "Not Hispanic",
        }
    }


def test_without_the_tables_nobody_was_asked_and_nothing_is_known(tmp_path):
    root = fill(tmp_path, CLIPS["cremad"])
    assert [one.ratings for one in cremad.read(root)] == [None] * len(CLIPS["cremad"])
    assert cremad.demographics(root) == {}


@EACH
def test_every_corpus_has_a_card(corpus):
    card = plugins.find("corpora", corpus).CARD
    assert isinstance(card, Card)
    assert all((card.title, card.language, card.licence, card.citation))
    assert card.source or card.shippable or corpus == "ravdess"  # those were read themselves


def test_only_what_allows_it_is_shipped():
    cards = {corpus: plugins.find("corpora", corpus).CARD for corpus in CLIPS}
    assert [corpus for corpus, card in cards.items() if card.shippable] == ["cremad", "emodb"]


def test_every_corpus_of_a_folder_or_a_description_is_tried_here():
    described = {
        path.stem for path in Path(_described.__file__).with_name("described").glob("*.yaml")
    }
    assert described <= CLIPS.keys() <= set(plugins.names("corpora"))


DESCRIPTION = """\
kind: corpus
title: Duets
language: en
licence: CC BY 4.0
citation: nobody
shippable: true
pattern: (?P<speaker>[ab])_(?P<label>[a-z]+)
labels: {GLAD: happy, odd: ""}
"""


def test_a_description_makes_a_corpus(tmp_path):
    path = tmp_path / "duets.yaml"
    path.write_text(DESCRIPTION, encoding="utf-8")
    module = _described.plugin(path)
    assert (module.__name__, module.CARD.title) == ("duets", "Duets")
    root = fill(tmp_path / "clips", ["A_Glad.wav", "b_odd.wav"])
    assert module.read(root) == [
        Utterance(root / "A_Glad.wav", "duets", "duets_a", "", "happy", "", label="Glad"),
        Utterance(root / "b_odd.wav", "duets", "duets_b", "", "", "", label="odd"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("(?P<speaker>[ab])", "(?P<speaker>[ab]", r"the pattern is no regular expression: missing"),
        ("?P<speaker>", "", r"the pattern names label; it must name speaker and label, and may na"),
        ("?P<speaker>", "?P<who>", r"the pattern names who, label; it must name speaker and label"),
        ("GLAD: happy", "glad: hapy", r"labels: unknown label 'hapy'; .*Did you mean 'happy'\?$"),
        ("title: Duets", "tilte: Duets", r"unknown key 'tilte'; .*Did you mean 'title'\?$"),
        ("kind: corpus\n", "kind: corpus\nsexes: {a: f}\n", r"sexes: a: unknown value 'f'; avail"),
    ],
)
def test_a_description_that_cant_be_followed_is_refused(old, new, expected, tmp_path):
    path = tmp_path / "duets.yaml"
    path.write_text(DESCRIPTION.replace(old, new), encoding="utf-8")
    with pytest.raises(ConfigError, match=rf"duets\.yaml: {expected}"):
        _described.plugin(path)


@pytest.mark.skipif(not SPEECH.exists(), reason=f"{SPEECH} is not here")
@pytest.mark.parametrize(
    ("corpus", "clips", "speakers", "emotions"),
    [("cremad", 5803 - 7, 71, 6), ("emodb", 535, 10, 7), ("ravdess", 1440 - 1, 24, 8)],
)
def test_the_corpora_themselves(corpus, clips, speakers, emotions):
    found = read(corpus, SPEECH / corpus)
    assert len({utterance.path for utterance in found}) == len(found) == clips
    assert len({utterance.speaker for utterance in found}) == speakers
    labels = Counter(utterance.emotion for utterance in found)
    assert len(labels) == emotions
    assert labels.keys() <= set(CANONICAL)
    assert all(utterance.text for utterance in found)


@pytest.mark.skipif(not SPEECH.exists(), reason=f"{SPEECH} is not here")
def test_the_labels_are_those_of_the_manifest():
    lines = (SPEECH / "manifest.csv").read_text(encoding="utf-8").splitlines()[1:]
    expected = {}
    for line in lines:
        _, path, _, speaker, sex, emotion, text, *_ = line.split(",")
        expected[SPEECH.parent / path] = (speaker, {"F": "female", "M": "male"}[sex], emotion, text)
    for corpus in ("cremad", "emodb", "ravdess"):
        for one in read(corpus, SPEECH / corpus):
            text = "" if corpus == "emodb" else one.text  # which the manifest leaves out
            assert (one.speaker, one.sex, one.emotion, text) == expected[one.path]


@pytest.mark.skipif(not SPEECH.exists(), reason=f"{SPEECH} is not here")
def test_the_sentences_of_emodb_are_what_was_aligned_by_hand():
    for one in {one.sentence: one for one in read("emodb", SPEECH / "emodb")}.values():
        table = SPEECH / f"emodb_alignments/silb/{one.path.stem}.silb"
        syllables = [line.split()[1] for line in table.read_text("latin-1").splitlines()]
        heard = "".join(filter(str.isalpha, "".join(syllables)))
        meant = "".join(filter(str.isalpha, one.text.lower()))
        assert SequenceMatcher(None, heard, meant).ratio() > 0.9, one.text


@pytest.mark.skipif(not MELD.exists(), reason=f"{MELD} is not here")
def test_the_words_of_meld_themselves():
    found = meld.texts(MELD / "data/MELD")
    assert Counter(one.split for one in found) == {"train": 9989, "dev": 1109, "test": 2610}
    assert {one.emotion for one in found} <= set(KNOWN)
    friends = Counter(one.speaker for one in found if one.split == "test").most_common(6)
    assert {speaker for speaker, _ in friends} == {
        f"meld_{name}" for name in ("Chandler", "Joey", "Monica", "Phoebe", "Rachel", "Ross")
    }
