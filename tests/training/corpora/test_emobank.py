"""EmoBank: sentences with their official split, the ratings moved to 0-1, each told apart."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from voxplain.errors import CorpusNotFound
from voxplain.training.assessment.recordings import recordings
from voxplain.training.corpora import emobank
from voxplain.training.corpora._reading import Utterance
from voxplain.training.predictions import Predictions

EMOBANK = Path(__file__).parents[4] / "shared/data/text/emobank"


@pytest.fixture
def corpus(tmp_path):
    """Two sentences in the layout of the published files, quoted as there."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "emobank.csv").write_text(
        "id,split,V,A,D,text\n"
        'letter_1,test,3.0,3.0,3.2,"Remember what she said? """\n'
        'wsj_0.2_3,train,5.0,1.0,2.5,"Well, he\'s gone."\n'
    )
    for name, valence in (("writer", 2.0), ("reader", 4.0)):
        (folder / f"{name}.csv").write_text(
            f'"id","V","A","D"\n"letter_1","{valence}","3.0","3.0"\n'
            f'"wsj_0.2_3","{valence}","3.0","3.0"\n'
        )
    return tmp_path


def test_a_sentence_is_an_utterance_without_sound(corpus):
    table = corpus / "corpus/emobank.csv"
    facts = {"corpus": "emobank", "speaker": "", "sex": "", "emotion": ""}
    assert emobank.read(corpus) == [
        Utterance(
            path=Path(f"{table}#wsj_0.2_3"),
            sentence="wsj_0.2_3",
            text="Well, he's gone.",
            split="train",
            dimensions={"valence": 1.0, "arousal": 0.0, "dominance": 0.375},
            **facts,
        ),
        Utterance(
            path=Path(f"{table}#letter_1"),
            sentence="letter_1",
            text='Remember what she said? "',
            split="test",
            dimensions={"valence": 0.5, "arousal": 0.5, "dominance": pytest.approx(0.55)},
            **facts,
        ),
    ]


def test_a_split_can_be_asked_for_and_every_sentence_is_a_clip_of_its_own(corpus):
    (one,) = recordings(f"emobank={corpus}#test").utterances
    assert one.sentence == "letter_1"
    found = emobank.read(corpus)
    table = Predictions(
        {
            "file": np.array([str(one.path) for one in found]),
            "start": np.zeros(2),
            "end": np.full(2, np.nan),
            "speaker": np.array([one.speaker for one in found]),
            "p_valence": np.zeros(2),
        }
    )
    assert len(set(table.clips)) == len(set(table.clusters.tolist())) == 2


def test_another_folder_is_refused(tmp_path):
    with pytest.raises(CorpusNotFound, match=r"emobank\.csv can't be read as UTF-8 text"):
        emobank.read(tmp_path)


@pytest.mark.skipif(not EMOBANK.is_dir(), reason="EmoBank is not here")
def test_the_published_corpus_has_as_many_sentences_as_its_authors_say():
    found = emobank.read(EMOBANK)
    # github.com/JULIELab/EmoBank: 10k sentences, 8062 / 1000 / 1000
    assert Counter(one.split for one in found) == {"train": 8062, "dev": 1000, "test": 1000}
    assert len({one.path for one in found}) == 10_062
    values = np.array([list(one.dimensions.values()) for one in found])
    assert (values >= 0).all()
    assert (values <= 1).all()
