"""The study of semantic roles: what is planted is found, and what is not there is not."""

import csv
import dataclasses
import itertools
import json
import shutil
import xml.etree.ElementTree as Tree

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import cohen_kappa_score, f1_score

from voxplain.audio.intervals import read_textgrid
from voxplain.errors import ConfigError, CorpusNotFound, TextError
from voxplain.training.metrics.ccc import concordance
from voxplain.training.metrics.wa import accuracy
from voxplain.training.role_study import study
from voxplain.training.studies import outcomes
from voxplain.training.studies.roles import (
    accounts,
    controls,
    dissociation,
    elsewhere,
    learners,
    marks,
    spoken,
    subject,
    views,
)
from voxplain.training.studies.roles.encoders import mean_states
from voxplain.training.words import agreement
from voxplain.types import Role, Transcript

EMOTIONS = ("fear", "happy", "sad")
SCENES = {"fear": "cellar stairs", "happy": "wedding dance", "sad": "hospital letter"}
FEELINGS = {"fear": "trembling cold", "happy": "smiling warm", "sad": "crying heavy"}
RATINGS = {"fear": (2.0, 8.0), "happy": (8.0, 6.0), "sad": (2.5, 3.0)}
FILLER = ("and", "then", "there", "was", "a", "man", "who", "came", "from", "the", "road")


def planted(speakers=24):
    """What was intended shows in the descriptive words alone, what was evoked in the others."""
    draw = np.random.default_rng(0)
    for speaker in range(speakers):
        for number, intended in enumerate(draw.permutation(EMOTIONS).tolist()):
            evoked = str(draw.choice(EMOTIONS))
            some = [" ".join(draw.choice(FILLER, 4)) for _ in range(3)]
            parts = [
                ["descriptive", f"{some[0]} {SCENES[intended]} {some[1]}. "],
                ["expressive", f"I was {FEELINGS[evoked]} {some[2]}."],
            ]
            yield row(
                parts,
                id=f"{speaker}-{number}",
                speaker=f"s{speaker:02d}",
                stimulus=f"{intended}_{draw.integers(2)}",
                intended=intended,
                evoked=evoked,
                register="loud" if speaker % 2 else "soft",
                ratings=RATINGS[evoked],
            )


def row(parts, *, ratings=(5, 5), **columns):
    text = "".join(text for _, text in parts)
    rated = dict(zip(("valence", "arousal"), ratings, strict=True))
    return {**columns, **rated, "transcript": text, "roles": json.dumps(parts)}


def table(folder, rows):
    path = folder / "accounts.csv"
    rows = list(rows)
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


def by_sign(text):
    """A segmenter that takes the first sentence for descriptive."""
    end = text.index(". ") + 2 if ". " in text else len(text) // 2
    return (Role("descriptive", 0, end, 0.9), Role("expressive", end, len(text), 0.8))


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    return accounts.read(table(tmp_path_factory.mktemp("told"), planted()))


def shorten(patch, *, errors=(), shuffles=1):
    """A study of one seed, with few folds, draws and controls: each learns a hundred models."""
    patch.setattr(subject, "_SEEDS", (0,))
    patch.setattr(learners, "_FOLDS", 3)
    patch.setattr(outcomes, "_DRAWS", 500)
    patch.setattr(controls, "_ERRORS", errors)
    patch.setattr(controls, "_SHUFFLES", shuffles)


@pytest.fixture(scope="module")
def found(told, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    with pytest.MonkeyPatch.context() as patch:
        shorten(patch, errors=(0.0, 0.6), shuffles=6)
        return study(told, segment=by_sign, out=out), out


# What is found ---------------------------------------------------------------------------------


def test_a_planted_double_dissociation_is_found_on_known_and_on_held_out_clips(found):
    primary = found[0]["primary outcomes, roles by hand"]
    assert list(primary) == ["known clips", "held-out clips"]
    for figures in primary.values():
        assert figures["interaction"].low > 0.8
        assert figures["permutation p"] == "0.0005"  # none of 2,000
        assert figures["intended, difference"].low > 0.4
        assert figures["evoked, difference"].high < -0.3
        assert (figures["interaction"].n, figures["interaction"].speakers) == (72, 24)


def test_ratings_are_told_by_the_expressive_part(found):
    ratings = found[0]["ratings, known clips"]
    assert ratings["expressive - descriptive"]["valence, CCC"].low > 0.5
    assert ratings["expressive"]["arousal, r"].value > 0.9
    assert abs(ratings["descriptive"]["arousal, r"].value) < 0.3


def test_labels_of_others_show_nothing(found):
    nothing = found[0]["labels shuffled among all"]
    for split in ("known clips", "held-out clips"):
        gap = nothing[split]["interaction"]
        assert gap.low < 0 < gap.high
        assert abs(gap.value) < 0.1
        for view in ("full", "descriptive", "expressive", *views.RANDOM):
            chance = nothing[f"{view}, {split}"]
            assert chance["intended"].value == pytest.approx(1 / 3, abs=0.08)
            assert chance["evoked"].value == pytest.approx(1 / 3, abs=0.08)
            assert chance["valence"].value == pytest.approx(0, abs=0.1)


def test_random_runs_dissociate_nothing(found):
    for split in ("known clips", "held-out clips"):
        gap = found[0]["other interactions"][f"random runs, {split}"]["interaction"]
        assert gap.low < 0 < gap.high


def test_words_misheard_cost_much_but_not_all(found):
    errors = found[0]["word errors"]
    clean, worst = (errors[rate]["interaction, known clips"] for rate in ("0%", "60%"))
    assert clean.value > worst.value > 0.2
    assert errors["60%, segmented anew"]["interaction, known clips"].value < worst.value


def test_the_segmenter_is_held_to_the_marks(found):
    figures = found[0]["segmenter and marks"]
    assert list(figures) == ["all", "loud", "soft"]
    assert figures["all"]["kappa"].value == pytest.approx(1)
    assert figures["loud"]["boundary F1"].value == pytest.approx(1)
    assert "roles by the segmenter, known clips" in found[0]["other interactions"]


def test_how_often_what_was_evoked_is_what_was_intended(found, told):
    share = np.mean([one.intended == one.evoked for one in told])
    (figures,) = found[0]["intended and evoked"].values()
    assert figures["evoked, accuracy"].value == pytest.approx(share)


def test_figures_are_stored_and_drawn(found):
    tables, out = found
    stored = json.loads((out / "figures.json").read_text())
    assert list(stored) == list(tables)
    gap = stored["primary outcomes, roles by hand"]["known clips"]["interaction"]
    assert gap == dataclasses.asdict(
        tables["primary outcomes, roles by hand"]["known clips"]["interaction"]
    )
    for name in ("recognition.svg", "interactions.svg"):
        assert Tree.parse(out / name).getroot().tag.endswith("svg")


def test_without_all_marks_the_segmenter_parts_the_accounts(told, tmp_path, monkeypatch):
    shorten(monkeypatch)
    bare = [dataclasses.replace(told[0], marks=()), *told[1:12]]
    found = study(bare, segment=by_sign, out=tmp_path)
    assert "primary outcomes, roles by the segmenter" in found
    assert "segmenter and marks" not in found


# The table --------------------------------------------------------------------------------------

PARTS = [["descriptive", "He fell. "], ["expressive", "Poor boy!"]]
ROWS = [
    row(PARTS, id=f"a{n}", speaker=f"s{n}", stimulus=f"clip{n}", intended=one, evoked=one)
    for n, one in enumerate(EMOTIONS)
]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"speaker": " "}, "row 3, column 'speaker': is empty; every account needs one"),
        ({"valence": "high"}, "row 3, column 'valence': 'high' is no number; give a rating"),
        ({"arousal": "nan"}, "row 3, column 'arousal': 'nan' is no number"),
        ({"id": "a0"}, "row 3: the id 'a0' is there twice"),
        ({"id": "a/b"}, "column 'id': 'a/b' can't be the name of a file; leave out slashes"),
        ({"stimulus": "clip0"}, "'happy', but above the stimulus 'clip0' is meant to stir 'fear'"),
        ({"transcript": " "}, "column 'transcript': is empty, and there is no audio"),
        ({"audio": "no.wav"}, "column 'audio': .*no.wav does not exist; give a path from the"),
        ({"roles": "[["}, "column 'roles': .*; give a JSON list such as"),
        ({"roles": '"He fell."'}, "'He fell.' is not \\[kind, text\\]"),
        ({"roles": '[["angry", "He"]]'}, "the kind 'angry' is not descriptive or expressive"),
        (
            {"roles": '[["expressive", "He felt ill."]]'},
            "from character 6 on there is 't ill.' instead of 'l. Poor boy!'",
        ),
    ],
)
def test_a_row_that_cannot_be_used(tmp_path, change, message):
    rows = [{"audio": "", **one} for one in ROWS]
    rows[1] |= change
    with pytest.raises(
        ConfigError, match=f"accounts.csv, {message}" if "row 3" in message else message
    ):
        accounts.read(table(tmp_path, rows))


def test_a_table_that_cannot_be_used(tmp_path):
    with pytest.raises(ConfigError, match=r"none.csv can't be read as a table: .*No such file"):
        accounts.read(tmp_path / "none.csv")
    gone = ("evoked", "valence")
    narrow = table(tmp_path, [{k: v for k, v in one.items() if k not in gone} for one in ROWS])
    with pytest.raises(ConfigError, match="lacks the column 'evoked', 'valence'; it has id, spe"):
        accounts.read(narrow)
    with pytest.raises(ConfigError, match="3 accounts by 1 speakers; a study needs two"):
        accounts.read(table(tmp_path, [{**one, "speaker": "s"} for one in ROWS]))
    with pytest.raises(ConfigError, match="column 'evoked': every row says 'sad'; a study tells"):
        accounts.read(table(tmp_path, [{**one, "evoked": "sad"} for one in ROWS]))
    path = table(tmp_path, ROWS)
    path.write_text(path.read_text().replace('"[[', "[[", 1))
    with pytest.raises(ConfigError, match=r"row 2: '.*' stands beyond the last column; quote"):
        accounts.read(path)


def test_a_transcript_may_be_a_file(tmp_path):
    (tmp_path / "a.txt").write_text("He fell. Poor boy!")
    rows = [{**ROWS[0], "transcript": "a.txt"}, *ROWS[1:]]
    first, second, _ = accounts.read(table(tmp_path, rows))
    assert (first.text, first.marks) == (second.text, second.marks)
    with pytest.raises(TextError, match=r"b.txt can't be read"):
        accounts.read(table(tmp_path, [{**ROWS[0], "transcript": "b.txt"}, *ROWS[1:]]))


# Marks ------------------------------------------------------------------------------------------


def timed(account):
    """The account, a word every half second."""
    words = [
        {"text": word, "start": n / 2, "end": n / 2 + 0.4}
        for n, word in enumerate(account.text.split())
    ]
    transcript = Transcript.from_dict(
        {
            "text": account.text,
            "words": [{**word, "confidence": 1.0} for word in words],
            "language": "en",
            "source": "",
            "confidence": 1.0,
        }
    )
    return dataclasses.replace(account, transcript=transcript)


@pytest.fixture
def marked(tmp_path):
    parts = [
        ["expressive", "Oh no… "],
        ["descriptive", 'he said "stop", then\nfell—twice. '],
        ["expressive", "I, 中文, laughed!"],
    ]
    rows = [row(parts, **{k: r[k] for k in list(r)[:5]}) for r in ROWS]
    return [timed(one) for one in accounts.read(table(tmp_path, rows))]


def test_marks_go_out_and_come_back_by_table_and_by_textgrid(marked, tmp_path):
    marks.export(marked, tmp_path / "out")
    bare = [dataclasses.replace(one, marks=()) for one in marked]
    wanted = {one.id: one.marks for one in marked}
    assert marks.read(tmp_path / "out/marks.csv", bare) == wanted
    assert marks.read(tmp_path / "out", bare) == wanted
    tier = read_textgrid(tmp_path / "out/a0.TextGrid", tier="roles")
    assert [(one.start, one.end, one.label) for one in tier] == [
        (0.0, 0.9, "expressive"), (1.0, 3.4, "descriptive"), (3.5, 4.9, "expressive")
    ]  # fmt: skip


def test_what_nobody_has_marked_is_blank_and_comes_back_as_nothing(marked, tmp_path):
    marks.export([dataclasses.replace(one, marks=()) for one in marked], tmp_path)
    with (tmp_path / "marks.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [one["word"] for one in rows[:4]] == ["Oh", "no…", "he", "said"]
    assert {one["role"] for one in rows} == {""}
    assert marks.read(tmp_path / "marks.csv", marked) == {}
    with pytest.raises(ConfigError, match=r"a0.TextGrid has no labelled interval"):
        marks.read(tmp_path, marked)


def test_a_written_account_has_no_textgrid(told, tmp_path):
    marks.export(told[:3], tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["marks.csv"]
    with pytest.raises(ConfigError, match=r"holds no .TextGrid of an account; give their folder"):
        marks.read(tmp_path, told)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("a1,Oh,expressive", "a9,Oh,expressive"), "the table of the study has no account 'a9'"),
        (("a1,Oh,expressive", "a1,Oh,sad"), "row 13: the role is 'sad'; give descriptive or"),
        (("a1,Oh,expressive", "a1,Oh,"), "row 13: the role is ''; give descriptive or expressive"),
        (("a1,Oh,expressive", "a1,Ah,expressive"), "row 13: from here on the words are not those"),
        (("id,word", "id,words"), "lacks rows with id, word, role; see --annotate"),
    ],
)
def test_a_table_of_marks_that_cannot_be_used(marked, tmp_path, change, message):
    marks.export(marked, tmp_path)
    path = tmp_path / "marks.csv"
    text = path.read_text(encoding="utf-8")
    assert change[0] in text
    path.write_text(text.replace(*change), encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        marks.read(path, marked)


def test_a_row_too_few_and_no_table_at_all(marked, tmp_path):
    marks.export(marked, tmp_path)
    path = tmp_path / "marks.csv"
    path.write_text("\n".join(path.read_text(encoding="utf-8").splitlines()[:-1]), encoding="utf-8")
    with pytest.raises(ConfigError, match="are not those of the account 'a2'; change the roles"):
        marks.read(path, marked)
    with pytest.raises(ConfigError, match=r"none.csv can't be read as a table"):
        marks.read(tmp_path / "none.csv", marked)


def test_a_textgrid_of_other_words(marked, tmp_path):
    marks.export(marked, tmp_path)
    path = tmp_path / "a0.TextGrid"
    path.write_text(path.read_text(encoding="utf-8").replace("fell", "flew"), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"at 3.00 s: the word 'flew—twice.' is not in what is"):
        marks.read(tmp_path, marked)


# Views ------------------------------------------------------------------------------------------


def test_views_of_an_account():
    text = "He fell. Poor boy! Then he got up."
    roles = (
        Role("descriptive", 0, 9, 1.0),
        Role("expressive", 9, 19, 1.0),
        Role("descriptive", 19, 34, 1.0),
    )
    (found,) = ({k: v[0] for k, v in views.views([(text, roles)], seed=0).items()} for _ in "a")
    runs = [found.pop(name).split() for name in views.RANDOM]
    assert found == {
        "full": text,
        "descriptive": "He fell. Then he got up.",
        "expressive": "Poor boy!",
        "both": "He fell. Then he got up. [SEP] Poor boy!",
    }
    assert [len(run) for run in runs] == [6, 2]
    for run in runs:
        assert " ".join(run) in text


def test_a_part_that_is_not_there_is_blank():
    told = [("He fell.", (Role("descriptive", 0, 8, 1.0),))]
    found = views.views(told, seed=0)
    assert (found["expressive"], found[views.RANDOM[1]]) == ([""], [""])


def test_word_error_is_as_high_as_it_was_ordered(told):
    given = [(one.text, one.marks) for one in told]
    assert [text for text, _ in views.misheard(given, rate=0.0, seed=0)] == [t for t, _ in given]
    wrong = views.misheard(given, rate=0.4, seed=0)
    words = [
        (said.split(), heard.split()) for (said, _), (heard, _) in zip(given, wrong, strict=True)
    ]
    rate = sum(_distance(*pair) for pair in words) / sum(len(said) for said, _ in words)
    assert rate == pytest.approx(0.4, abs=0.04)
    for text, roles in wrong:
        edges = [(one.start, one.end) for one in roles]
        assert "".join(text[start:end] for start, end in edges) == text


def _distance(said, heard):
    """Levenshtein's, in words."""
    costs = list(range(len(heard) + 1))
    for n, one in enumerate(said, start=1):
        before, costs[0] = costs[0], n
        for m, other in enumerate(heard, start=1):
            best = min(costs[m] + 1, costs[m - 1] + 1, before + (one != other))
            before, costs[m] = costs[m], best
    return costs[-1]


# Who learns from whom, and how ------------------------------------------------------------------


def test_no_speaker_and_no_clip_is_on_both_sides(told):
    speakers = np.array([one.speaker for one in told])
    stimuli = np.array([one.stimulus for one in told])
    intended = [one.intended for one in told]
    clips = learners.clip_numbers(stimuli.tolist(), intended)
    assert dict(zip(stimuli.tolist(), clips.tolist(), strict=True)) == {
        f"{emotion}_{k}": k for emotion in EMOTIONS for k in (0, 1)
    }
    plain = learners.unseen(speakers, clips)
    more = learners.crossed(speakers, clips, seed=0)
    known = learners.known(speakers, seed=0)
    assert (len(known), len(plain), len(more)) == (5, 2, 10)
    for folds in (known, plain, more):
        judged = np.concatenate([test for _, test in folds])
        assert sorted(judged.tolist()) == list(range(72))  # each once
        for train, test in folds:
            assert not set(speakers[train]) & set(speakers[test])
    for train, test in [*plain, *more]:
        assert not set(stimuli[train]) & set(stimuli[test])
    other = learners.known(speakers, seed=1)
    assert any(a[1].tolist() != b[1].tolist() for a, b in zip(known, other, strict=True))


def test_without_a_second_clip_nothing_is_held_out():
    clips = learners.clip_numbers(["a", "b", "a", "b"], ["sad", "fear", "sad", "fear"])
    speakers = ["s1", "s1", "s2", "s2"]
    assert learners.unseen(speakers, clips) == learners.crossed(speakers, clips, seed=0) == []
    assert len(learners.known(speakers, seed=0)) == 2  # as many folds as speakers


def test_texts_are_learned_from_as_by_scikit_learn_step_by_step(told):
    texts = [one.text for one in told]
    labels, numbers = (np.array([getattr(o, n) for o in told]) for n in ("evoked", "valence"))
    folds = learners.known([one.speaker for one in told], seed=0)
    found = learners.held_out(learners.Texts(texts), {"e": labels, "v": numbers}, folds)
    for train, test in folds:
        words = TfidfVectorizer(ngram_range=(1, 2))
        x = words.fit_transform([texts[row] for row in train])
        y = words.transform([texts[row] for row in test])
        model = LogisticRegression(class_weight="balanced", max_iter=1000).fit(x, labels[train])
        assert found["e"][test].tolist() == model.predict(y).tolist()
        ridge = Ridge().fit(x, numbers[train])
        np.testing.assert_allclose(found["v"][test], ridge.predict(y), atol=1e-3)


def test_vectors_stand_beside_the_words():
    texts = ["one two", "one two", "one two", "one two"]
    sides = (np.array([0, 1]), np.array([2, 3]))

    def length(texts):
        return np.array([[1.0, 0.0], [0.0, 3.0], [2.0, 0.0], [0.0, 5.0]])

    labels = np.array(["a", "b", "a", "b"])
    plain = learners.held_out(learners.Texts(texts), {"e": labels}, [sides])
    beside = learners.held_out(learners.Texts(texts, length), {"e": labels}, [sides])
    assert len(set(plain["e"][2:])) == 1
    assert beside["e"][2:].tolist() == ["a", "b"]


def test_states_that_are_not_there_are_as_the_mean_and_one_label_is_all_there_is():
    rows = np.array([[0.0, 1.0], [2.0, 1.0], [np.nan, np.nan], [4.0, 7.0]])
    learned, judged = learners.States(rows).split(np.array([0, 1, 2]), np.array([2, 3]))
    np.testing.assert_allclose(learned, [[-1, 0], [1, 0], [0, 0]])
    np.testing.assert_allclose(judged, [[0, 0], [3, 6]])
    folds = [(np.array([0, 1]), np.array([2, 3]))]
    found = learners.held_out(learners.States(rows), {"e": np.array(["a", "a", "b", "b"])}, folds)
    assert found["e"][2:].tolist() == ["a", "a"]


def test_a_view_without_a_word_to_learn_from_tells_nothing():
    sides = [(np.array([0, 1, 2]), np.array([3]))]
    labels, numbers = np.array(["a", "b", "b", "a"]), np.array([1.0, 2.0, 6.0, 0.0])
    for texts in (["", "", "", "Oh no"], [""] * 4):
        features = learners.Texts(texts)
        assert features.split(*sides[0])[1].tolist() == [[0]]
        found = learners.held_out(features, {"e": labels, "v": numbers}, sides)
        assert found["v"][3] == pytest.approx(3)  # the mean of what was learned


# Outcomes ---------------------------------------------------------------------------------------


def test_weighted_figures_are_those_of_rows_that_often():
    draw = np.random.default_rng(0)
    truth, told = draw.choice(["a", "b", "c"], (2, 40))
    x, y = draw.normal(size=(2, 40))
    times = draw.integers(0, 4, (3, 40))
    for place, row in enumerate(times):
        rows = np.repeat(np.arange(40), row)
        want = f1_score(truth[rows], told[rows], average="macro")
        assert dissociation.macro_f1(truth, told, times)[place] == pytest.approx(want)
        share = accuracy(truth[rows], told[rows])
        assert dissociation.accuracy(truth, told, times)[place] == pytest.approx(share)
        ccc = concordance(x[rows], y[rows])
        assert dissociation.concordance(x, y, times)[place] == pytest.approx(ccc)
        r = np.corrcoef(x[rows], y[rows])[0, 1]
        assert dissociation.correlation(x, y, times)[place] == pytest.approx(r)
    assert np.isnan(dissociation.correlation(x, np.ones(40), times)).all()


def test_the_interaction_by_hand_and_its_permutations():
    labels = np.array(["a", "b"] * 20)
    truth = {"intended": labels, "evoked": labels[::-1].copy()}
    sure = {task: values[None] for task, values in truth.items()}
    never = {task: np.where(v == "a", "b", "a")[None] for task, v in truth.items()}
    first = {"intended": sure["intended"], "evoked": never["evoked"]}
    second = {"intended": never["intended"], "evoked": sure["evoked"]}
    once = np.ones((1, 40))
    assert dissociation.interaction(truth, first, second, once) == pytest.approx(2)
    assert dissociation.interaction(truth, second, first, once) == pytest.approx(-2)
    assert dissociation.permutation_test(truth, first, second) == pytest.approx(1 / 2001)
    assert dissociation.permutation_test(truth, first, first) == 1


def test_an_interval_counts_speakers_not_accounts():
    def share(weights):
        return weights @ right / weights.sum(1)

    right = np.repeat([0.0, 1.0] * 5, 50)
    one, many = (
        dissociation.clustered(share, speakers)
        for speakers in (np.repeat(np.arange(10), 50).astype(str), np.arange(500).astype(str))
    )
    assert one.high - one.low > 3 * (many.high - many.low)
    wider = dissociation.clustered(share, np.arange(500).astype(str), level=0.975)
    assert wider.high - wider.low > many.high - many.low


def test_agreement_in_words_and_boundaries():
    draw = np.random.default_rng(0)
    one, other = draw.choice(agreement.KINDS, (2, 200)).tolist()
    counts = agreement.compared(one, other)
    assert agreement.kappa(counts) == pytest.approx(cohen_kappa_score(one, other))
    assert agreement.macro_f1(counts) == pytest.approx(f1_score(one, other, average="macro"))
    d, e = agreement.KINDS
    truth, found = [d, d, e, e, d, d, d, e], [d, e, e, e, e, e, d, e]
    # Boundaries of the truth: 2, 4, 7; found: 1, 6, 7. One word apart: 1 and 2, 7 and 7 (or 6).
    assert agreement.compared(truth, found)[4:].tolist() == [2, 3, 3]
    assert agreement.compared(truth, found, tolerance=0)[4:].tolist() == [1, 3, 3]
    assert agreement.boundary_f1(agreement.compared(truth, found)) == pytest.approx(2 / 3)
    assert np.isnan(agreement.boundary_f1(agreement.compared([d, d], [d, d])))
    both = agreement.compared(one, other) + agreement.compared(truth, found)
    joined = cohen_kappa_score([*one, *truth], [*other, *found])
    assert agreement.kappa(both) == pytest.approx(joined)


# Sound, encoders and other corpora --------------------------------------------------------------

SENTENCE = [("That", 0.5), ("is", 0.7), ("exactly", 0.9), ("what", 1.5), ("happened.", 1.8)]


@pytest.fixture
def spoken_table(tmp_path, clips):
    """Four real voices under invented names, with what they say and when."""
    words = [{"text": w, "start": s, "end": s + 0.2} for w, s in SENTENCE]
    (tmp_path / "said.json").write_text(json.dumps({"text": "", "words": words}))
    parts = [["descriptive", "That is "], ["expressive", "exactly what happened."]]
    rows = []
    for number, clip in enumerate(sorted(clips)[:4]):
        shutil.copy(clip, tmp_path / clip.name)
        emotion, speaker = EMOTIONS[number % 2], f"s{number // 2}"
        names = {"id": f"a{number}", "speaker": speaker, "stimulus": emotion, "audio": clip.name}
        rows.append(
            {**row(parts, **names, intended=emotion, evoked=emotion), "transcript": "said.json"}
        )
    return table(tmp_path, rows)


def test_recordings_are_a_view_and_their_expressive_parts_are_another(
    spoken_table, tiny_model, tmp_path, monkeypatch
):
    shorten(monkeypatch)
    told = spoken.transcribed(accounts.read(spoken_table), asr=None, language="en")
    found = study(told, model=str(tiny_model.folder), out=tmp_path / "out")
    assert {"audio", "audio, expressive"} <= set(found["recognition, known clips"])
    assert "recognition, held-out clips" not in found  # one clip an emotion
    assert found["recognition, known clips"]["audio"]["intended, macro-F1"].n == 4


def test_what_the_encoder_hears_in_expressive_words_is_heard_there(spoken_table, tiny_model):
    told = accounts.read(spoken_table)
    known = [one.marks for one in told]
    only = [(dataclasses.replace(roles[0], end=30),) for roles in known]
    name = str(tiny_model.folder)
    found = spoken.heard(told, known, model=name, jobs=1)
    whole, part = (found[view] for view in spoken.AUDIO)
    assert whole.shape == part.shape == (4, 64)  # mean and deviation of 32
    assert np.isfinite(part).all()
    assert np.abs(whole - part).max() > 0.01
    none = spoken.heard(told, only, model=name, jobs=1)
    assert np.isnan(none["audio, expressive"]).all()
    np.testing.assert_array_equal(none["audio"], whole)
    bare = [dataclasses.replace(told[0], audio=None), *told[1:]]
    assert spoken.heard(bare, known, model=name, jobs=1) == {}


def test_words_that_are_given_are_found_in_the_recording(tmp_path, angry):
    pytest.importorskip("pocketsphinx")
    told = accounts.read(table(tmp_path, ROWS))[0]
    said = Transcript("That is exactly what happened.", (), "", "", 1.0)
    (found,) = spoken.transcribed(
        [dataclasses.replace(told, audio=angry, transcript=said)], asr=None, language="en"
    )
    starts = [word.start for word, _ in found.timed]
    assert [word.text for word, _ in found.timed] == said.text.split()
    assert starts == sorted(starts)
    assert 0.3 < starts[0] < 1.0
    (part,) = found.stretches([Role("expressive", 8, 30, 1.0)])
    assert part == (starts[2], found.timed[-1][0].end, "expressive")


def test_who_writes_down_what_nobody_has_written_down(spoken_table, monkeypatch):
    told = [dataclasses.replace(one, transcript=None) for one in accounts.read(spoken_table)]
    with pytest.raises(ConfigError, match=r"has no transcript; write it into the table, or have"):
        spoken.transcribed(told, asr=None, language="en")

    class Recogniser:
        @staticmethod
        def load(model=None, *, language=None):
            return lambda audio: Transcript(f"{audio.duration:.1f}", (), language, "x", 1.0)

    monkeypatch.setattr(
        spoken, "find", lambda kind, name: {"transcribers": {"x": Recogniser}}[kind][name]
    )
    heard = spoken.transcribed(told, asr="x", language="xx")
    assert heard[0].text == "2.0" or float(heard[0].text) > 1
    assert heard[0].transcript.language == "xx"


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """A BERT of a few weights."""
    from transformers import BertConfig, BertModel, BertTokenizer

    folder = tmp_path_factory.mktemp("bert")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "he", "fell", "poor", "boy"]
    (folder / "vocab.txt").write_text("\n".join(words))
    BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    small = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = BertConfig(vocab_size=len(words), intermediate_size=8, **small)
    BertModel(config).save_pretrained(folder)
    return folder


def test_any_text_encoder_gives_the_mean_of_its_states(encoder):
    import torch
    from transformers import BertModel

    found = mean_states(encoder, ["he fell", "he fell poor boy", ""])
    model = BertModel.from_pretrained(encoder).eval()
    with torch.inference_mode():
        states = model(torch.tensor([[2, 5, 6, 3]])).last_hidden_state[0]
    np.testing.assert_allclose(found[0], states.mean(0), atol=1e-5)
    assert found.shape == (3, 8)
    assert np.isfinite(found).all()


def test_an_encoder_takes_the_place_of_words(told, encoder, tmp_path, monkeypatch):
    shorten(monkeypatch)
    found = study(told[:15], encoder=encoder, out=tmp_path)
    assert found["recognition, known clips"]["full"]["evoked, macro-F1"].n == 15


def test_a_folder_without_an_encoder(tmp_path):
    with pytest.raises(
        ConfigError, match=r"holds no text encoder: (?s:.*); give a folder as save_pret"
    ):
        mean_states(tmp_path, ["a"])


def test_writers_above_readers_where_a_sentence_is_expressive(tmp_path):
    draw = np.random.default_rng(0)
    files = {name: [] for name in ("emobank", "writer", "reader")}
    for number in range(60):
        felt = number % 2
        text = f"Poor boy {'x ' * (number % 7)}" if felt else f"He fell {'x ' * (number % 7)}"
        split = "train" if number < 10 else "test"
        files["emobank"].append({"id": f"n{number}", "split": split, "text": text})
        for name, more in (("writer", felt), ("reader", 0)):
            rating = {"V": 3 - more, "A": 3 + more / 2 + 0.1 * draw.random()}
            files[name].append({"id": f"n{number}", **rating})
    (tmp_path / "corpus").mkdir()
    for name, rows in files.items():
        table(tmp_path, rows).rename(tmp_path / f"corpus/{name}.csv")

    def segment(text):
        return (Role("expressive" if "Poor" in text else "descriptive", 0, len(text), 0.9),)

    found = elsewhere.written_and_read(tmp_path, segment)["expressive share"]
    assert found["correlation"].n == 50
    assert found["correlation"].value == pytest.approx(np.sqrt(3) / 2, abs=0.05)  # ties in one
    assert found["partial on length"].low > 0.5
    assert found["shares shuffled"].low < 0 < found["shares shuffled"].high
    (tmp_path / "corpus/writer.csv").unlink()
    with pytest.raises(CorpusNotFound, match=r"holds no writer.csv; emobank=DIR is the folder of"):
        elsewhere.written_and_read(tmp_path, segment)


VOTES = ("", "fileName", "A", "D", "F", "H", "N", "S", "meanAngerResp", "meanDisgustResp",
         "meanFearResp", "meanHappyResp", "meanNeutralResp", "meanSadResp")  # fmt: skip


def test_words_alone_tell_nothing_of_acted_sentences(tmp_path):
    clips = itertools.product((1001, 1002, 1003), ("TIE", "IEO"), ("ANG", "HAP"))
    rows = []
    for number, (actor, sentence, emotion) in enumerate(clips):
        name = f"{actor}_{sentence}_{emotion}_XX"
        (tmp_path / f"{name}.wav").touch()
        heard = {"A": 6, "H": 2} if emotion == "ANG" or sentence == "IEO" else {"H": 5, "A": 5}
        votes = dict.fromkeys(VOTES, 0) | heard | {"": 100_000 + number, "fileName": name}
        rows.append(votes)
    table(tmp_path, rows).rename(tmp_path / "tabulatedVotes.csv")
    said = {"That is exactly what happened.": {"angry": 0.9, "surprise": 1.0}}
    found = elsewhere.acted_and_heard(tmp_path, lambda text: said.get(text, {"happy": 1.0}))
    majority = found["listeners' majority, of what was portrayed"]
    assert majority["accuracy"].n == 9  # three are tied
    assert majority["accuracy"].value == pytest.approx(6 / 9)
    assert majority["UAR"].value == pytest.approx(1 / 2)
    words = found["words alone, of what was portrayed"]
    assert words["UAR"].value == pytest.approx((3 / 6 + 3 / 3) / 2)
    (tmp_path / "tabulatedVotes.csv").unlink()
    with pytest.raises(CorpusNotFound, match=r"holds no votes; give a folder with the clips and"):
        elsewhere.acted_and_heard(tmp_path, said.get)
