"""What a report says: the guard, abstentions, controls; as a page, Markdown and in a terminal."""

import dataclasses
import json
import re
from types import SimpleNamespace

import pytest

from voxplain.errors import ConfigError
from voxplain.training.assessment import markdown, matrix, pages, reporting
from voxplain.training.assessment.assess import assess, plain
from voxplain.training.assessment.heads import Heads
from voxplain.training.assessment.judging import Judged
from voxplain.training.assessment.recordings import Recordings

LABELS = ("angry", "happy", "neutral", "sad")

pytestmark = pytest.mark.usefixtures("few_draws")


@pytest.fixture
def spoken(utterance):
    """Six speakers, each with an angry and a sad clip, and a fearful one."""
    votes = {"angry": 3, "sad": 1}
    clips = [
        utterance(f"{speaker}{emotion}", f"p{speaker}", emotion, sex=sex, votes=votes)
        for speaker, sex in enumerate(("female", "male") * 3)
        for emotion in ("angry", "sad", "sad", "angry")
    ]
    clips = [
        dataclasses.replace(one, path=one.path.with_stem(f"c{n}")) for n, one in enumerate(clips)
    ]
    return (*clips, utterance("x", "p0", "fear"), utterance("y", "", "", label="weird"))


@pytest.fixture
def judge(judgement):
    """Finds what is angry; is silent of one clip and leaves one open."""

    class Made:
        title, name, sha256, labels, notes = "made", "made", "0" * 64, LABELS, ("A note.",)
        heads = Heads(True)

        def judge(self, utterances, **options):
            told = [judgement((0.55, 0.15, 0.15, 0.15)) for _ in utterances]
            told[1] = judgement(None, reason="only 0.20 s of speech found in 2.0 s of audio")
            told[2] = judgement((0.3, 0.2, 0.2, 0.3), reason="4 emotions are about equally likely")
            told[3] = dataclasses.replace(
                told[1], emotion=None, reason="can't be read: c3.wav is odd"
            )
            return Judged(tuple(utterances), tuple(told), LABELS)

        def company(self, utterances):
            return [(utterances[0],)] * len(utterances)

    return Made()


@pytest.fixture
def found(judge, spoken):
    return assess(judge, Recordings("corpus", spoken))


def test_figures_are_those_of_what_was_judged(found):
    told = plain(found)
    json.dumps(told, allow_nan=False)
    assert told["said nothing"] == 2
    assert told["without a label"] == 1
    assert told["reasons"] == {
        "only … s of speech found in … s of audio": 1,
        "… emotions are about equally likely": 1,
        "can't be read": 1,
    }
    shared = told["views"]["2 shared labels"]
    assert shared["labels"] == ["angry", "sad"]
    assert shared["chance"] == 1 / 2
    assert shared["figures"]["UAR"]["value"] == 1 / 2
    assert shared["figures"]["UAR"]["n"] == 22
    assert shared["figures"]["WA"]["chance"] == shared["figures"]["WA"]["value"] == 1 / 2
    # Of twelve sad clips none is found, of twelve angry ones all but the one that can't be read.
    assert shared["UAR, silence missed"]["value"] == pytest.approx(11 / 12 / 2)
    assert shared["confusion"] == [[11, 0], [11, 0]]
    assert list(told["views"]) == ["2 shared labels", "all labels, 3 of the corpus"]
    assert told["listeners"]["Jensen-Shannon"]["n"] == 22
    assert told["dimensions"]["against"].startswith("a proxy")
    assert {one["trait"] for one in told["slices"]} == {"sex"}


def test_nobody_is_dropped_in_silence(found):
    text = markdown.render(reporting.document(found))
    assert "Nothing is said of 2 of 26 clips (8 %). Of 1 more (4 %) the verdict is left" in text
    assert "1 of 26 recordings can't be read; the first: c3.wav is odd" in text
    assert "1 of 26 clips have a label without a place among the known emotions" in text
    assert "weird (1)" in text
    assert "nobody knows the speakers of 1 of 26 clips: each file counts" in text
    assert "> **Warning:** A note." in text


@pytest.mark.parametrize(
    ("heads", "said"),
    [
        (Heads(), "Whom the model heard in training is not known"),
        (Heads(True, frozenset({"q"})), "the model heard none of these speakers in training"),
        (
            Heads(True, frozenset({"p0", "p1", "p2"}), {"p0": 0, "p1": 1, "p2": 0}),
            "3 of 7 speakers of this corpus were heard in training. 3 of them are judged by heads "
            "that never heard them",
        ),
        (
            Heads(True, frozenset({"p0", "p1"}), {"p1": 1}),
            "2 of 7 speakers of this corpus were heard in training. 1 of them were heard by every "
            "head of the model: these figures are partly those of its training set. 1 of them are",
        ),
    ],
)
def test_whom_the_model_has_heard_is_said_first(judge, spoken, heads, said):
    judge.heads = heads
    found = assess(judge, Recordings("corpus", spoken))
    text = markdown.render(reporting.document(found))
    assert said in text
    loud = heads.heard - {"q"} or not heads.known
    assert (said in " ".join(reporting.document(found).warnings)) == bool(loud)
    if loud:
        assert said in " ".join(reporting.summary(found).split())


def test_the_summary_fits_a_terminal(found):
    lines = reporting.summary(found).splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0] == "made on corpus: 26 clips, 6 speakers"
    assert "  UAR                  0.500 [0.500, 0.500]   0.500" in lines


def test_a_document_reads_the_same_as_a_page_and_as_markdown(found):
    document = reporting.document(found)
    page, text = pages.render(document), markdown.render(document)
    for section in document.sections:
        assert section.title in page
        assert f"## {section.title}" in text
    shown = set(re.findall(r"\(figures/([^)]+)\)", text))
    assert shown == markdown.drawings(document).keys()
    assert {"recall.svg", "reliability.svg", "risk.svg", "slices-sex.svg"} <= shown
    for drawing in markdown.drawings(document).values():
        assert drawing.startswith("<svg xmlns=")
    assert "://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "<script" not in page


def test_names_are_shown_and_do_nothing(judge, spoken):
    hostile = "<img src=x onerror=alert(1)>|`"
    clips = tuple(
        dataclasses.replace(one, speaker=one.speaker and hostile + one.speaker) for one in spoken
    )
    found = assess(judge, Recordings(hostile, clips))
    document = reporting.document(found)
    assert "<img" not in pages.render(document)
    assert "\\<img src=x onerror=alert(1)>\\|\\`p0" in markdown.render(document)


def test_a_model_without_labels_is_held_against_dimensions(judge, spoken, judgement):
    def say(utterances, **_):
        told = [
            dataclasses.replace(one, emotion=dataclasses.replace(one.emotion, categories={}))
            for one in [
                judgement((0.25,) * 4, point=0.1 * (n % 7)) for n, _ in enumerate(utterances)
            ]
        ]
        return Judged(tuple(utterances), tuple(told), ())

    judge.labels, judge.judge = (), say
    found = assess(judge, Recordings("corpus", spoken))
    assert found.views == []
    text = markdown.render(reporting.document(found))
    assert "The model gives no categories; it is held against dimensions." in text
    assert "| CCC of valence |" in text
    assert "CCC of valence" in reporting.summary(found)
    json.dumps(plain(found), allow_nan=False)
    assert pages.render(reporting.document(found))
    with pytest.raises(ConfigError, match="made gives no categories, by which conditions"):
        assess(judge, Recordings("corpus", spoken), conditions=["gain"])


def test_conditions_are_drawn_and_told(judge, spoken):
    found = assess(judge, Recordings("corpus", spoken), conditions=["gain", "codec"], sample=6)
    text = markdown.render(reporting.document(found))
    assert "(figures/robustness-gain.svg)" in text
    assert "| as recorded |" in text
    assert "| gsm |" in text
    assert "-70 dBFS" in pages.render(reporting.document(found))
    assert "Gain " in reporting.summary(found)
    without = dataclasses.replace(found, curves={"babble": {}})
    assert "No babble: " in markdown.render(reporting.document(without))
    assert "No babble: " in reporting.summary(without)
    assert pages.render(reporting.document(without))


def test_nothing_in_common_is_found_before_anything_is_judged(judge, utterance):
    judge.judge = None
    with pytest.raises(ConfigError, match="share 0 labels; two are needed"):
        assess(judge, Recordings("corpus", (utterance(0, "ann", "boredom"),)))


def test_a_matrix_is_over_what_all_models_and_a_corpus_share(judge, spoken, found):
    other = SimpleNamespace(
        title="other",
        name="other",
        labels=("angry", "sad", "fear"),
        notes=(),
        sha256="1",
        heads=Heads(True, frozenset({"p0"}), {"p0": 0}),
        judge=judge.judge,
        company=judge.company,
    )
    lost = SimpleNamespace(
        **vars(other) | {"title": "lost", "heads": Heads(True, frozenset({"p1"}))}
    )
    pairs = [
        found,
        *(dataclasses.replace(found, judge=one, heard=one.heads.heard) for one in (other, lost)),
    ]
    columns = matrix.matrix(pairs)
    (column,) = columns.values()
    assert column.labels == ("angry", "sad")
    assert column.figures["made"].value == 1 / 2
    assert column.marks == {"made": "", "other": "†", "lost": "‡"}
    told = matrix.summary(columns)
    assert max(map(len, told.splitlines())) <= 80
    assert "0.500 [0.500, 0.500]†" in told
    document = matrix.document(columns, reports={"made on corpus": "made/corpus#test/report.html"})
    text = markdown.render(document)
    assert "0.500† 0.500 to 0.500" in text
    assert "[made on corpus](made/corpus%23test/report.html)" in text
    assert 'href="made/corpus%23test/report.html"' in pages.render(document)


def test_models_that_share_no_labels_make_no_matrix(judge, spoken):
    other = SimpleNamespace(labels=("happy", "sad"))
    with pytest.raises(ConfigError, match=r"told \(happy, sad\) .* share 1 labels"):
        matrix.common_labels([judge, other], Recordings("corpus", spoken))
