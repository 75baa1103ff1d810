"""Corpora: names of files become labels; what is faulty or foreign stays out."""

from collections import Counter
from pathlib import Path

import pytest

from voxplain import plugins
from voxplain.errors import CorpusNotFound
from voxplain.labels import CANONICAL
from voxplain.training.corpora import cremad
from voxplain.training.corpora._reading import Card, Ratings, Utterance

SPEECH = Path(__file__).parents[3] / "shared/data/speech"
EACH = pytest.mark.parametrize("corpus", plugins.names("corpora"))

# corpus -> file -> speaker, emotion, sentence
NAMES = {
    "cremad": {
        "AudioWAV/1001_DFA_ANG_XX.wav": ("1001", "angry", "DFA"),
        "AudioWAV/1001_IEO_DIS_LO.wav": ("1001", "disgust", "IEO"),
        "AudioWAV/1001_IEO_FEA_MD.wav": ("1001", "fear", "IEO"),
        "AudioWAV/1002_IEO_HAP_HI.wav": ("1002", "happy", "IEO"),
        "AudioWAV/1002_ITH_NEU_X.wav": ("1002", "neutral", "ITH"),
        "AudioWAV/1091_WSI_SAD_XX.wav": ("1091", "sad", "WSI"),
        "AudioWAV/1076_MTI_ANG_XX.wav": ("1076", "angry", "MTI"),
    },
    "emodb": {
        "wav/03a01Wa.wav": ("03", "angry", "a01"),
        "wav/08a02La.wav": ("08", "boredom", "a02"),
        "wav/09b03Ed.wav": ("09", "disgust", "b03"),
        "wav/10a04Ad.wav": ("10", "fear", "a04"),
        "wav/11b09Fa.wav": ("11", "happy", "b09"),
        "wav/16b10Tb.wav": ("16", "sad", "b10"),
        "wav/16b10Nb.wav": ("16", "neutral", "b10"),
    },
    "ravdess": {
        "Actor_01/03-01-01-01-01-01-01.wav": ("01", "neutral", "01"),
        "Actor_01/03-01-02-01-02-01-01.wav": ("01", "calm", "02"),
        "Actor_02/03-01-03-02-01-02-02.wav": ("02", "happy", "01"),
        "Actor_02/03-01-04-01-01-01-02.wav": ("02", "sad", "01"),
        "Actor_24/03-01-05-01-01-01-24.wav": ("24", "angry", "01"),
        "Actor_24/03-01-06-01-01-01-24.wav": ("24", "fear", "01"),
        "Actor_24/03-01-07-01-01-01-24.wav": ("24", "disgust", "01"),
        "Actor_24/03-01-08-01-01-01-24.wav": ("24", "surprise", "01"),
        "Actor_07/03-01-03-01-02-01-07.wav": ("07", "happy", "02"),
    },
}
SEXES = {  # of the speakers above, by the corpora's own lists
    **dict.fromkeys(["1001", "03", "10", "11", "01", "07"], "male"),
    **dict.fromkeys(["1002", "1076", "1091", "08", "09", "16", "02", "24"], "female"),
}
FAULTY = {
    "cremad": [
        "AudioWAV/1076_MTI_SAD_XX.wav",  # silent
        "AudioWAV/1013_WSI_SAD_XX.wav",  # the same recording under two labels, three times
        "AudioWAV/1013_WSI_DIS_XX.wav",
        "AudioWAV/1017_IWW_ANG_XX.wav",
        "AudioWAV/1017_IWW_FEA_XX.wav",
        "AudioWAV/1006_TIE_HAP_XX.wav",
        "AudioWAV/1006_TIE_NEU_XX.wav",
    ],
    "emodb": [],
    "ravdess": ["Actor_07/03-01-03-01-02-02-07.wav"],  # the same samples as take 01
}
FOREIGN = {
    "cremad": [
        "README.md",
        "AudioWAV/1001_DFA_ANG.wav",
        "AudioWAV/1001_DFA_SUR_XX.wav",
        "AudioWAV/._1001_DFA_ANG_XX.wav",
        "AudioWAV/1001_DFA_ANG_XX copy.wav",
        "AudioWAV/1001_DFA_ANG_XX.voxplain.json",
    ],
    "emodb": [
        "README.txt",
        "wav/03a01Xa.wav",
        "wav/3a01Wa.wav",
        "wav/03a01W.wav",
        "lablaut/03a01Wa.lablaut",
        "labsilb/03a01Wa.labsilb",
        "silb/03a01Wa.silb",
    ],
    "ravdess": [
        "Actor_01/03-02-01-01-01-01-01.wav",  # song
        "Actor_01/01-01-01-01-01-01-01.mp4",  # picture and sound
        "Actor_01/03-01-09-01-01-01-01.wav",
        "Actor_01/03-01-01-01-01-01.wav",
    ],
}


def fill(root, names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def read(corpus, root):
    return plugins.find("corpora", corpus).read(root)


@EACH
def test_names_become_labels(corpus, tmp_path):
    root = fill(tmp_path, [*NAMES[corpus], *FAULTY[corpus], *FOREIGN[corpus]])
    expected = [
        Utterance(root / name, corpus, f"{corpus}_{speaker}", SEXES[speaker], emotion, sentence)
        for name, (speaker, emotion, sentence) in sorted(NAMES[corpus].items())
    ]
    assert read(corpus, root) == expected


@EACH
def test_a_clip_that_lies_there_twice_is_read_once(corpus, tmp_path):
    names = [*NAMES[corpus], *(f"copy/{name}" for name in NAMES[corpus])]
    assert len(read(corpus, fill(tmp_path, names))) == len(NAMES[corpus])


@EACH
def test_what_lies_beside_the_clips_is_not_read(corpus, tmp_path):
    texts = [str(Path("labels", Path(name).stem + ".txt")) for name in NAMES[corpus]]
    assert len(read(corpus, fill(tmp_path, [*NAMES[corpus], *texts]))) == len(NAMES[corpus])


@EACH
@pytest.mark.parametrize("suffix", [".wav", ".flac", ".opus", ".WAV"])
def test_clips_may_be_in_any_format(corpus, suffix, tmp_path):
    names = [str(Path(name).with_suffix(suffix)) for name in NAMES[corpus]]
    assert len(read(corpus, fill(tmp_path, names))) == len(names)


@EACH
def test_another_folder_is_refused(corpus, tmp_path):
    fill(tmp_path, ["music/song.mp3", *FOREIGN[corpus]])
    expected = rf"{tmp_path.name} holds no file named like .*; give the corpus's own folder$"
    with pytest.raises(CorpusNotFound, match=expected):
        read(corpus, tmp_path)


@EACH
def test_a_missing_folder_is_refused(corpus, tmp_path):
    with pytest.raises(CorpusNotFound, match="nowhere holds no file named like"):
        read(corpus, tmp_path / "nowhere")


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
    fill(tmp_path, [*NAMES["cremad"], "tables/tabulatedVotes.csv"])
    (tmp_path / "tables/tabulatedVotes.csv").write_text(VOTES, encoding="utf-8")
    people = "ActorID,Age,Sex,Race,Ethnicity\n1001,51,Male,Caucasian,Not Hispanic\n"
    (tmp_path / "tables/VideoDemographics.csv").write_text(people, encoding="utf-8")
    return tmp_path


def test_ratings_are_those_of_the_voice_alone(rated):
    found = {one.path.stem: one.ratings for one in cremad.read(rated)}
    assert len(found) == len(NAMES["cremad"])
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
    root = fill(tmp_path, NAMES["cremad"])
    assert [one.ratings for one in cremad.read(root)] == [None] * len(NAMES["cremad"])
    assert cremad.demographics(root) == {}


@EACH
def test_every_corpus_has_a_card(corpus):
    card = plugins.find("corpora", corpus).CARD
    assert isinstance(card, Card)
    assert all((card.title, card.language, card.licence, card.citation))


def test_what_forbids_commercial_use_is_not_shipped():
    cards = {name: plugins.find("corpora", name).CARD for name in plugins.names("corpora")}
    assert [name for name, card in cards.items() if not card.shippable] == [
        name for name, card in cards.items() if "NC" in card.licence
    ]


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


@pytest.mark.skipif(not SPEECH.exists(), reason=f"{SPEECH} is not here")
def test_the_labels_are_those_of_the_manifest():
    lines = (SPEECH / "manifest.csv").read_text(encoding="utf-8").splitlines()[1:]
    expected = {}
    for line in lines:
        _, path, _, speaker, sex, emotion, *_ = line.split(",")
        expected[SPEECH.parent / path] = (speaker, {"F": "female", "M": "male"}[sex], emotion)
    for corpus in plugins.names("corpora"):
        for utterance in read(corpus, SPEECH / corpus):
            found = (utterance.speaker, utterance.sex, utterance.emotion)
            assert found == expected[utterance.path]
