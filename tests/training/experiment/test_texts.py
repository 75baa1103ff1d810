"""What is read of recordings: what a plan chooses of it, what is missing, and what is kept."""

import json
import logging
import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from voxplain.errors import BackendRefused, ConfigError, UnknownName
from voxplain.llms import checked
from voxplain.models.text_encoder import TextEncoder
from voxplain.plugins import find
from voxplain.text.semantics import MASK, Semantics
from voxplain.training.corpora._reading import Utterance
from voxplain.training.experiment import texts
from voxplain.training.experiment.recipe import TextPlan
from voxplain.training.experiment.said import Said
from voxplain.training.experiment.texts import gather_semantics, text_vectors
from voxplain.types import Transcript, Word

TEXT = "We - met a surgeon in the garden"
PROMINENT = (0.1, 0.9, 0.2, 0.3, 0.4, 0.1, 0.8)  # met, garden
PUBLISHED = (0.9, 0.1, 0.2, 0.3, 0.4, 0.1, 0.8)  # We, garden
MEASURED = {"f0_mean_st": 60.0}  # as high as nobody speaks
VOICE = "Pitch is very high. Such a voice usually sounds angry or fearful."


def utterance(path="a.wav", text=TEXT, **more):
    return Utterance(Path(path), "made", "ann", "female", "angry", "A", text=text, **more)


def plan(**changes):
    return replace(TextPlan(encoder="tiny"), **changes)


def heard(text=TEXT, prominent=PROMINENT, published=PUBLISHED, measured=MEASURED):
    tokens = [token for token in text.split() if token != "-"]
    words = tuple(
        Word(token, n, n + 0.9, 1.0, value)
        for n, (token, value) in enumerate(zip(tokens, prominent, strict=True))
    )
    return Said(Transcript(text, words, "en", "made", 1.0), published, measured)


@pytest.fixture
def gather(monkeypatch, tmp_path):
    """What is read of utterances, without listening: ``gather(utterances, plan, said=...)``.

    ``gather.asked`` is what would have been listened to.
    """

    def read(utterances, chosen, *, said=None, errors=0.0):
        def listen(some, *, transcripts, model, cache, jobs):
            read.asked += [(one.path.name, transcripts, model) for one in some]
            return [said or heard() for _ in some]

        monkeypatch.setattr(texts, "listen", listen)
        return gather_semantics(utterances, chosen, cache=tmp_path, jobs=1, errors=errors)

    read.asked = []
    return read


def shown(found):
    return [found.text[start:end] for start, end in found.emphasised]


@pytest.mark.parametrize(
    ("way", "expected"),
    [
        ("prominence", ["met", "garden"]),
        ("lemf", ["We", "garden"]),
        ("surprisal", ["surgeon", "garden"]),
        ("oracle", ["surgeon", "the"]),
    ],
)
def test_words_are_chosen_as_the_plan_says(gather, way, expected):
    (found,) = gather([utterance(emphasis=(4, 6, 1))], plan(les=way))
    assert shown(found) == expected  # 1 is the dash
    assert (found.text, found.extended) == (TEXT, VOICE)


def test_random_words_are_others_in_other_recordings_and_the_same_again(gather):
    many = [utterance(f"{n}.wav") for n in range(30)]
    found = [shown(one) for one in gather(many, plan(les="random"))]
    assert all(len(words) == 2 for words in found)
    assert len({tuple(words) for words in found}) > 5
    moved = [utterance(f"elsewhere/{n}.wav") for n in reversed(range(30))]
    alone = plan(les="random", branches=("les",))
    assert [shown(one) for one in gather(moved, alone)] == found[::-1]


def test_the_share_of_words(gather):
    (found,) = gather([utterance()], plan(share=0.5))
    assert shown(found) == ["met", "surgeon", "in", "garden"]


def test_branches_that_nobody_reads_are_empty_and_cost_nothing(gather):
    for branches in (("gs",), ()):
        (found,) = gather([utterance()], plan(branches=branches))
        assert found == Semantics(TEXT, (), "")
    (found,) = gather([utterance()], plan(branches=("les",), les="surprisal"))
    assert shown(found) == ["surgeon", "garden"]
    assert gather.asked == []
    (found,) = gather([utterance()], plan(branches=("es",)))
    assert (found.emphasised, found.extended) == ((), VOICE)
    assert gather.asked == [("a.wav", "given", "")]


def test_clauses_of_one_role(gather):
    told = heard("He fell. It broke my heart!", (0.1, 0.9, 0.1, 0.8, 0.1, 0.2), (0.1,) * 6)
    (found,) = gather([utterance()], plan(gs="expressive", share=0.33), said=told)
    assert (found.text, shown(found)) == ("It broke my heart!", ["broke"])


def test_words_for_emotions_are_masked_in_the_interpretation_alone(gather):
    told = heard("A happy day", (0.1, 0.9, 0.1), (0.1,) * 3)
    (found,) = gather([utterance()], plan(masked=True), said=told)
    assert found.extended == f"Pitch is very high. Such a voice usually sounds {MASK} or {MASK}."
    assert (found.text, shown(found)) == ("A happy day", ["happy"])


def test_no_text_one_word_and_silence(gather):
    (wordless,) = gather([utterance(text="")], plan(), said=heard("", (), ()))
    assert wordless == Semantics("", (), VOICE)
    (word,) = gather([utterance(text="No!")], plan(), said=heard("No!", (0.9,), (0.9,)))
    assert word == Semantics("No!", (), VOICE)
    silent = heard(prominent=(math.nan,) * 7, published=(math.nan,) * 7, measured={})
    for way in ("prominence", "lemf"):
        (found,) = gather([utterance()], plan(les=way), said=silent)
        assert found == Semantics(TEXT, (), "")


def test_what_a_transcriber_heard_is_read(gather):
    told = heard("We met a sergeant", (0.1, 0.9, 0.2, 0.3), (0.1,) * 4)
    chosen = plan(transcripts="whisper", transcriber_model="small")
    (found,) = gather([utterance()], chosen, said=told)
    assert (found.text, shown(found)) == ("We met a sergeant", ["met"])
    assert gather.asked == [("a.wav", "whisper", "small")]


def test_errors_leave_emphasis_at_its_place_and_the_voice_alone(gather):
    many = [utterance(f"{n}.wav") for n in range(200)]
    found = gather(many, plan(), errors=0.5)
    assert [one.extended for one in found] == [VOICE] * 200
    assert len({one.text for one in found}) > 150
    words = [word for one in found for word in one.text.split()]
    assert set(words) <= set(TEXT.split()) - {"-"}  # what was said somewhere
    kept = sum(len(one.emphasised) for one in found) / 400
    assert kept == pytest.approx(1 - 0.5 * 0.25, abs=0.05)
    right = sum(word in ("met", "garden") for one in found for word in shown(one)) / 400
    assert right == pytest.approx(1 - 0.5 * 0.85, abs=0.08)
    assert gather(many, plan(), errors=0.5) == found
    assert gather(many, plan()) == gather(many, plan(), errors=0.0)


def test_texts_alone_are_not_listened_to(gather):
    row = utterance("emobank.csv", emphasis=(2,))
    for way, words in (("surprisal", ["surgeon", "garden"]), ("oracle", ["met"])):
        (found,) = gather([row], plan(les=way))
        assert found.text == TEXT
        assert found.extended == ""
        assert shown(found) == words
    assert gather.asked == []


def test_recordings_and_texts_side_by_side(gather):
    found = gather([utterance("a.csv"), utterance(), utterance("b.csv")], plan(les="surprisal"))
    assert [one.extended for one in found] == ["", VOICE, ""]
    assert [name for name, *_ in gather.asked] == ["a.wav"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"les": "prominence"}, r"2 of 3 .* no sound, which texts\.les prominence needs.* a\.csv;"),
        ({"les": "lemf"}, r"texts\.les lemf needs.*by surprisal, random or oracle"),
        ({"les": "random", "transcripts": "whisper"}, r"texts\.transcripts whisper needs"),
    ],
)
def test_what_needs_sound_is_refused_for_texts(gather, changes, reason):
    several = [utterance(), utterance("a.csv"), utterance("b.csv")]
    with pytest.raises(ConfigError, match=reason):
        gather(several, plan(**changes))
    assert gather.asked == []


def test_an_oracle_that_knows_nothing_is_refused(gather):
    with pytest.raises(ConfigError, match=r"of 2 utterances none says which .*column emphasis"):
        gather([utterance(), utterance()], plan(les="oracle"))
    with pytest.raises(ConfigError, match=r"not of those of whisper; set texts\.transcripts"):
        gather([utterance(emphasis=(1,))], plan(les="oracle", transcripts="whisper"))
    found = gather([utterance(emphasis=(2,)), utterance()], plan(les="oracle"))
    assert [shown(one) for one in found] == [["met"], []]


class Scripted:
    """A backend that interprets a transcript by a function."""

    def __init__(self, answer):
        self.answer, self.asked, self.models = answer, [], []
        self.name = "scripted"

    def load(self, *, model):
        self.models.append(model)
        return self

    def complete(self, messages, *, schema=None, max_tokens=1024):
        data = json.loads(messages[-1]["content"])
        self.asked.append((data["transcript"], data["voice"]))
        answer = self.answer(data)
        if isinstance(answer, Exception):
            raise answer
        return checked(json.dumps({"interpretation": answer}), schema)


@pytest.fixture
def backend(monkeypatch):
    """The function of a transcript and a voice that answers."""

    def made(answer):
        llm = Scripted(answer)
        monkeypatch.setattr(
            texts, "find", lambda kind, name: llm if name == "scripted" else find(kind, name)
        )
        return llm

    return made


def test_a_language_model_interprets_words_and_voice_and_is_asked_once(gather, backend):
    llm = backend(lambda data: f"It sounds sad: {data['transcript']}")
    chosen = plan(es="scripted:small", les="surprisal")
    several = [utterance(), utterance("a.csv", text="Oh dear"), utterance("b.csv", text="")]
    found = gather(several, chosen)
    assert [one.extended for one in found] == [
        f"It sounds sad: {TEXT}",
        "It sounds sad: Oh dear",
        "",
    ]
    assert llm.asked == [(TEXT, VOICE), ("Oh dear", "")]
    again = gather(several, replace(chosen, masked=True))
    assert [one.extended for one in again] == [one.extended.replace("sad", MASK) for one in found]
    assert len(llm.asked) == 2
    assert set(llm.models) == {"small"}
    gather(several, chosen, errors=0.9)
    assert len(llm.asked) > 2


def test_an_answer_that_is_none_is_left_out_and_told(gather, backend, caplog):
    caplog.set_level(logging.WARNING)
    backend(lambda data: " " if "surgeon" in data["transcript"] else "It sounds calm.")
    found = gather(
        [utterance("a.csv"), utterance("b.csv", text="Oh dear")],
        plan(es="scripted:s", les="random"),
    )
    assert [one.extended for one in found] == ["", "It sounds calm."]
    assert "an interpretation is left out: scripted interprets" in caplog.text


def test_a_server_that_refuses_stops_the_work(gather, backend):
    backend(lambda data: BackendRefused("no"))
    with pytest.raises(BackendRefused):
        gather([utterance()], plan(es="scripted:s"))


def test_interpreters_that_there_are_not(gather):
    with pytest.raises(UnknownName, match="llms plug-in 'rule'"):
        gather([utterance()], plan(es="rule"))
    with pytest.raises(ConfigError, match=r"names no model; write openai_compatible:MODEL"):
        gather([utterance()], plan(es="openai_compatible"))
    with pytest.raises(ConfigError, match="this needs a language model and none is chosen"):
        gather([utterance()], plan(es="none"))
    assert gather.asked == []
    gather([utterance()], plan(es="none", branches=("les", "gs")))


def test_a_real_recording_from_sound_to_vectors(angry, text_encoder, tmp_path):
    """Twice, and the second time nothing is opened."""
    pytest.importorskip("pocketsphinx")
    place = Path(shutil.copy(angry, tmp_path / "angry.opus"))
    silence = tmp_path / "silence.wav"
    soundfile.write(silence, np.zeros(16_000), 16_000)
    spoken = "That is exactly what happened"
    several = [utterance(place, spoken), utterance(silence, spoken), utterance(silence, "")]
    chosen = plan(encoder=str(text_encoder))
    found = gather_semantics(several, chosen, cache=tmp_path / "cache", jobs=1)
    assert [one.text for one in found] == [spoken, spoken, ""]
    assert [len(one.emphasised) for one in found] == [1, 0, 0]
    assert [bool(one.extended) for one in found] == [True, False, False]
    vectors, there = text_vectors(found, chosen, cache=tmp_path / "cache")
    assert vectors.shape == (3, 3, 16)
    assert there.tolist() == [[True] * 3, [False, True, False], [False] * 3]
    np.testing.assert_array_equal(vectors[0, 1], vectors[1, 1])


@pytest.fixture
def times(monkeypatch):
    """How many texts an encoder was given, call by call."""
    count, inside = [], TextEncoder.vectors

    def vectors(self, semantics, **options):
        count.append(len(semantics))
        return inside(self, semantics, **options)

    monkeypatch.setattr(TextEncoder, "vectors", vectors)
    return count


def test_vectors_are_those_of_the_encoder_in_their_order(text_encoder, tmp_path):
    chosen = plan(encoder=str(text_encoder))
    told = [
        Semantics("oh no", ((3, 5),), "calm"), Semantics("", (), "calm"),
        Semantics("oh no", (), ""), Semantics("oh no", ((3, 5),), "loud"), Semantics("", (), ""),
    ]  # fmt: skip
    for isolated in (False, True):
        found, there = text_vectors(told, replace(chosen, isolated=isolated), cache=tmp_path)
        vectors, filled = TextEncoder(text_encoder).vectors(told, isolated=isolated)
        np.testing.assert_array_equal(there, filled)
        np.testing.assert_allclose(found, vectors, atol=1e-5)
        assert found.dtype == np.float32
    assert [one.shape for one in text_vectors([], chosen, cache=tmp_path)] == [(0, 3, 16), (0, 3)]


def test_what_was_encoded_is_kept_words_and_interpretations_apart(text_encoder, tmp_path, times):
    chosen = plan(encoder=str(text_encoder))
    told = [Semantics("oh no", ((3, 5),), "calm"), Semantics("oh no", ((3, 5),), "loud")]
    first = text_vectors(told, chosen, cache=tmp_path)
    assert times == [1, 2]
    for one, other in zip(text_vectors(told, chosen, cache=tmp_path), first, strict=True):
        np.testing.assert_array_equal(one, other)
    assert times == [1, 2]
    text_vectors([replace(one, emphasised=((0, 2),)) for one in told], chosen, cache=tmp_path)
    assert times == [1, 2, 1]
    copy = shutil.copytree(text_encoder, tmp_path / "copy")
    text_vectors(told, replace(chosen, encoder=str(copy)), cache=tmp_path)
    assert times == [1, 2, 1]
    tokenizer = copy / "tokenizer.json"
    tokenizer.write_text(tokenizer.read_text().replace('"lowercase": true', '"lowercase": false'))
    text_vectors(told, replace(chosen, encoder=str(copy)), cache=tmp_path)
    assert times == [1, 2, 1, 1, 2]
    assert text_vectors(told, replace(chosen, isolated=True), cache=tmp_path)[1].all()
