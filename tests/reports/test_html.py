"""The page as text: what it holds, what it says, and that nothing can break it."""

import base64
import dataclasses
import hashlib
import io
import json
import math
import re
from html.parser import HTMLParser
from itertools import pairwise
from urllib.parse import unquote

import numpy as np
import pytest

from voxplain.errors import ConfigError
from voxplain.evidence.references import citations
from voxplain.labels import CANONICAL, phrase
from voxplain.models.judgement import abstain
from voxplain.reports import _sound, html
from voxplain.types import (
    Analysis,
    Audio,
    Claim,
    Descriptors,
    Faithfulness,
    Narration,
    Segment,
    TextEmotion,
)

VOID = {"br", "col", "hr", "img", "input", "link", "meta"}
LANDMARKS = ["header", "nav", "main"]


class Element:
    def __init__(self, tag, attributes, parent):
        self.tag, self.attributes, self.parent, self.inside = tag, attributes, parent, []

    def __getitem__(self, name):
        return self.attributes[name]

    def get(self, name):
        return self.attributes.get(name)

    @property
    def text(self):
        return "".join(one if isinstance(one, str) else one.text for one in self.inside)

    def all(self, tag=None, **attributes):
        """Elements inside, in order."""
        for one in self.inside:
            if isinstance(one, str):
                continue
            wanted = {name.rstrip("_").replace("_", "-"): v for name, v in attributes.items()}
            if tag in (None, one.tag) and wanted.items() <= one.attributes.items():
                yield one
            yield from one.all(tag, **attributes)

    def one(self, tag=None, **attributes):
        (found,) = self.all(tag, **attributes)
        return found


class Page(HTMLParser):
    """A tree of elements; a tag that is not closed, or closed twice, is an error."""

    def __init__(self, text):
        super().__init__()
        self.root = self.here = Element("", {}, None)
        self.feed(text)
        self.close()
        assert self.here is self.root, f"<{self.here.tag}> is never closed"

    def handle_starttag(self, tag, attrs):
        assert len(dict(attrs)) == len(attrs), f"<{tag}> has an attribute twice"
        made = Element(tag, dict(attrs), self.here)
        self.here.inside.append(made)
        if tag not in VOID:
            self.here = made

    def handle_endtag(self, tag):
        assert tag == self.here.tag
        self.here = self.here.parent

    def handle_data(self, data):
        self.here.inside.append(data)


def page(*arguments, **options):
    return Page(html.render(*arguments, **options)).root


def data(url):
    """Bytes and kind of a data URL."""
    kind, _, content = url.partition(";base64,")
    return base64.b64decode(content), kind.removeprefix("data:")


def decoded(url):
    import soundfile

    return soundfile.read(io.BytesIO(data(url)[0]))


@pytest.fixture(scope="module")
def whole(full, audio):
    return page(full, audio, counterfactual_sounds=[audio, audio])


def test_the_page_needs_nothing_else(whole):
    for one in whole.all():
        for name in ("src", "href", "action", "srcset", "poster"):
            assert (one.get(name) or "data:").startswith(("data:", "#")), one.attributes
    style, script = whole.one("style").text, whole.one("script").text
    assert "url(" not in style
    assert "@import" not in style
    assert "http" not in style + script


def test_its_policy_lets_nothing_out_and_runs_no_other_script(whole):
    policy = dict(
        rule.strip().split(" ", 1)
        for rule in whole.one("meta", http_equiv="Content-Security-Policy")["content"].split(";")
    )
    digest = hashlib.sha256(whole.one("script").text.encode()).digest()
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == f"'sha256-{base64.b64encode(digest).decode()}'"
    assert {policy["img-src"], policy["media-src"]} == {"data:"}


def test_it_can_be_read_aloud(whole):
    assert whole.one("html")["lang"] == "en"
    assert [one.tag for one in whole.one("body").all() if one.tag in LANDMARKS] == LANDMARKS
    assert whole.one("h1").text == "Sounds angry"
    assert whole.one("title").text.startswith("Sounds angry: ")
    names = [one["id"] for one in whole.all() if one.get("id")]
    assert len(names) == len(set(names))
    for one in whole.all("section"):
        assert one["aria-labelledby"] in names
    for one in whole.all("table"):
        assert next(one.all("caption")).text
    for one in whole.all("svg"):
        assert one.get("aria-label") or one.get("aria-hidden") == "true"
    for one in [*whole.all("button"), *whole.all("audio")]:
        assert one["aria-label"]
    for one in whole.all("img"):
        assert one["alt"]
    levels = [int(one.tag[1]) for one in whole.all() if re.fullmatch("h[1-6]", one.tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_every_link_leads_somewhere(whole):
    names = {one["id"] for one in whole.all() if one.get("id")}
    links = [one["href"] for one in whole.all("a")]
    assert {unquote(link.removeprefix("#")) for link in links} <= names
    contents = [one["href"] for one in whole.one("nav").all("a")]
    sections = [f"#{one['id']}" for one in whole.one("main").all("section")]
    assert contents == sections


def test_the_three_strongest_reasons_come_first_and_the_others_are_folded(whole, full):
    findings = whole.one("div", class_="findings")
    first, rest = findings.all("ol")
    assert [next(one.all("span")).text for one in first.all("li")] == [
        claim.text for claim in full.claims[:3]
    ]
    assert rest.parent.tag == "details"
    assert rest["start"] == "4"
    assert findings.one("h2").text == "Because"


def test_a_reason_links_to_what_it_stands_on(whole):
    links = [(one.text, one["href"]) for one in whole.one("div", class_="findings").all("a")]
    assert links == [
        ("moment 2", "#explanation.moments.1.cues.0"),
        ("moment 2", "#explanation.moments.1.cues.1"),
        ("descriptors", "#descriptors.levels.alpha_ratio_mean_db"),
        ("changed voice 1", "#explanation.counterfactuals.0"),
        ("descriptors", "#descriptors.levels.jitter_mean_percent"),
    ]
    assert next(whole.all(id="explanation.moments.1.cues.0")).text.startswith("pitch")
    assert "pitch −4 st" in next(whole.all(id="explanation.counterfactuals.0")).text


def test_evidence_without_a_place_of_its_own_is_found_around_it(full):
    claim = Claim("So.", ("explanation.moments.1.share", "emotion.dimensions.arousal.low"))
    found = page(dataclasses.replace(full, claims=(claim,)))
    links = [one["href"] for one in found.one("div", class_="findings").all("a")]
    assert links == ["#explanation.moments.1", "#emotion.dimensions.arousal"]


def test_other_words_stand_below_the_findings_and_say_whose_they_are(full):
    told = (Claim("A <b>word</b>.", ("explanation.moments.1",)),)
    kept = Narration("lay", told, {"not borne out by the evidence": 3}, "llama")
    findings, other = page(dataclasses.replace(full, narration=kept)).all("div", class_="findings")
    assert findings.one("h2").text == "Because"
    assert other.one("h2").text == "In other words"
    assert [one.text for one in other.all("span")] == ["A <b>word</b>."]
    assert other.one("a")["href"] == "#explanation.moments.1"
    assert other.one("p").text == (
        "Written by llama, a language model, for a lay reader. Each sentence was held to the "
        "evidence; 3 sentences were left out (not borne out by the evidence: 3)."
    )
    nothing = dataclasses.replace(full, narration=Narration("lay", (), {}, "llama"))
    _, other = page(nothing).all("div", class_="findings")
    assert not list(other.all("ol"))
    assert "The findings made by rule stand." in other.one("p").text


def test_the_sound_is_the_one_that_was_analysed(whole, audio):
    samples, rate = decoded(whole.one("audio", id="player")["src"])
    assert rate == audio.sampling_rate
    np.testing.assert_allclose(samples, audio.waveform, atol=2**-15)


def test_moments_stand_where_they_are_in_the_recording(whole, full):
    buttons = list(whole.all("button", class_="moment"))
    for button, moment in zip(buttons, full.explanation.moments, strict=True):
        places = dict(part.split(":") for part in button["style"].split(";"))
        left, width = (float(places[name].rstrip("%")) / 100 for name in ("left", "width"))
        assert left * full.duration == pytest.approx(moment.start, abs=1e-3)
        assert width * full.duration == pytest.approx(moment.end - moment.start, abs=1e-3)
        assert (float(button["data-start"]), float(button["data-end"])) == pytest.approx(
            (moment.start, moment.end)
        )


def test_the_spectrogram_shows_a_tone_at_its_frequency():
    import av

    time = np.arange(16000) / 16000
    tone = np.sin(2 * np.pi * 1000 * time).astype(np.float32)
    tone[:8000] = 0
    url, top_hz = _sound.spectrogram(Audio(tone, 16000, "tone"))
    content, kind = data(url)
    assert kind == "image/png"
    with av.open(io.BytesIO(content)) as picture:
        pixels = next(picture.decode(video=0)).to_ndarray(format="rgba")
    opacity = pixels[..., 3].astype(float)
    rows, columns = opacity.shape
    brightest = (opacity[:, 3 * columns // 4].argmax() + 0.5) / rows
    # mel after O'Shaughnessy, from the top
    mel = [2595 * math.log10(1 + hz / 700) for hz in (1000, 8000)]
    assert top_hz == 8000
    assert brightest == pytest.approx(1 - mel[0] / mel[1], abs=1 / rows)
    assert opacity[:, columns // 4].max() == 0


def test_silence_is_blank():
    import av

    url, _ = _sound.spectrogram(Audio(np.zeros(4000, np.float32), 16000, "silence"))
    with av.open(io.BytesIO(data(url)[0])) as picture:
        assert next(picture.decode(video=0)).to_ndarray(format="rgba")[..., 3].max() == 0


def test_saliency_lies_over_the_time_and_the_band_it_is_about(full):
    explanation = full.explanation
    over = dataclasses.replace(
        explanation.attributions[2],
        times=np.array([0.0, full.duration / 2, full.duration]),
        hz=np.array([0.0, 1000, 8000]),
        scores=np.array([[0.0, 2.0], [-1.0, 0.0]]),
    )
    found = page(
        dataclasses.replace(
            full, explanation=dataclasses.replace(explanation, attributions=(over,))
        )
    )
    speaking, against = found.one("svg", class_="overlay").all("rect")
    edge = 100 * (1 - math.log(1 + 1000 / 700) / math.log(1 + 8000 / 700))
    assert (speaking["class"], against["class"]) == ("for", "against")
    names = ("x", "y", "width", "height")
    assert [float(speaking[name]) for name in names] == pytest.approx(
        [500, edge, 500, 100 - edge], abs=0.1
    )
    assert [float(against[name]) for name in names] == pytest.approx([0, 0, 500, edge], abs=0.1)
    assert float(speaking["fill-opacity"]) == pytest.approx(
        2 * float(against["fill-opacity"]), 0.02
    )


def test_attributions_can_be_switched(whole, full):
    options = list(whole.one("select").all("option"))
    assert [one.text for one in options] == [
        "time: occlusion (noise)",
        "frequency: occlusion (noise)",
        "time frequency: occlusion (noise)",
        "nothing",
    ]
    layers = list(whole.all("div", class_="layer"))
    assert ["hidden" in one.attributes for one in layers] == [False, True, True]
    assert "shapley" in next(whole.all(id="explanation.attributions")).text.lower()


def test_a_cue_is_told_in_plain_words(whole):
    row = next(whole.all(id="explanation.moments.1.cues.0")).text
    for said in ("pitch", "332 Hz", "rest 292 Hz", "usual 225 Hz", "z +2.1", "✓ supports"):
        assert said in row
    assert "1.4 SD above random windows" in row
    assert "expected: strong rise" in row
    against = next(whole.all(id="explanation.moments.1.cues.2")).text
    assert "✗ contradicts" in against
    unmeasured = next(whole.all(id="explanation.moments.1.cues.4")).text
    assert "not measurable" in unmeasured
    assert not re.search(r"\bnan\b", whole.one("main").text)


def test_of_two_emotions_the_one_with_more_is_named(whole):
    rows = [next(whole.all(id=f"explanation.contrast.{n}")).text for n in range(2)]
    assert all("expected: higher in angry than in happy speech" in row for row in rows)


def test_sources_are_given_in_full_and_numbered_as_they_are_cited(whole):
    listed = [one.text for one in whole.one("section", id="references").all("li")]
    assert listed == [citations()[key] for key in ("scherer_2003", "juslin_laukka_2003")]
    cited = next(whole.all(id="explanation.moments.1.cues.0")).one("sup")
    assert [(one.text, one["href"]) for one in cited.all("a")] == [
        ("1", "#reference.scherer_2003"),
        ("2", "#reference.juslin_laukka_2003"),
    ]


def test_the_loudest_of_a_table_are_cues_that_say_something(full, audio):
    cues = tuple(
        dataclasses.replace(full.explanation.cues[3], title=f"n{n}", z=9.0) for n in range(5)
    )
    explanation = dataclasses.replace(full.explanation, cues=(*cues, *full.explanation.cues))
    found = page(dataclasses.replace(full, explanation=explanation))
    told, folded = found.one("section", id="explanation.cues").all("table")
    titles = [row.text for row in told.one("tbody").all("th")]
    assert [re.sub(r"\d*$", "", title) for title in titles] == [
        "high-frequency energy (alpha)", "pitch", "articulation rate", "n", "n"
    ]  # fmt: skip
    assert folded.parent.one("summary").text == "More cues: 4 neutral, 1 not measurable"


def test_changed_voices_are_marked_as_synthetic(whole, audio):
    articles = list(whole.one("section", id="explanation.counterfactuals").all("article"))
    assert [one.one("h3").text for one in articles] == [
        "pitch −4 st",
        "tempo × 0.85, intensity −6 dB",
    ]
    for one in articles:
        assert one.one("figcaption").text == "Synthetic sound"
        assert one.one("audio")["aria-label"].startswith("Synthetic voice: ")
        samples, _ = decoded(one.one("audio")["src"])
        assert np.corrcoef(samples, audio.waveform)[0, 1] > 0.99  # compressed, in time
    assert (
        "> 0.99 as recorded, > 0.99 unchanged, 0.61 changed. Sounds angry or happy."
        in articles[0].text
    )
    assert "Found again: pitch 247 Hz" in articles[0].text


def test_changed_voices_may_be_told_without_their_sound(full):
    section = page(full).one("section", id="explanation.counterfactuals")
    assert not list(section.all("audio"))
    assert len(list(section.all("article"))) == 2


def test_the_test_of_the_explanation_is_told_with_its_figures(whole):
    section = whole.one("section", id="explanation.faithfulness")
    rows = [row.text for row in next(section.all("table")).one("tbody").all("tr")]
    assert rows == [
        "nothing> 0.99", "random windows0.950.84 to 0.99", "the loudest0.78", "the most salient0.41"
    ]  # fmt: skip
    assert "20\N{NO-BREAK SPACE}%" in section.text
    assert "97\N{NO-BREAK SPACE}% of the random draws" in section.text
    curves = section.one("svg", role="img")["aria-label"]
    assert "deletion: > 0.99 at 0%, 0.41 at 20%" in curves
    assert "noise at 20 dB" in section.text


def warnings(found):
    return [one.text for one in found.one("header").all("p", class_="warning")]


def test_an_explanation_that_fails_its_test_says_so_first(full):
    failing = tuple(
        dataclasses.replace(one, salient=0.97, random=0.95)
        for one in full.explanation.faithfulness.removals
    )
    for removals, said in ((failing, "failed its test"), ((), "was not tested")):
        explanation = dataclasses.replace(
            full.explanation, faithfulness=Faithfulness("occlusion", removals), warnings=()
        )
        found = page(dataclasses.replace(full, explanation=explanation))
        (warning,) = warnings(found)
        assert warning.startswith("Warning: This explanation ")
        assert said in warning
        assert said in found.one("section", id="explanation.faithfulness").text


def test_warnings_stand_on_the_first_screen(full):
    found = page(dataclasses.replace(full, warnings=("3.0% of the samples are at full scale",)))
    assert warnings(found) == [
        "Warning: 3.0% of the samples are at full scale.",
        "Warning: the stretch is short: 2.4 s.",
    ]


def test_probabilities_and_shares_of_listeners_stand_side_by_side(whole, full):
    row = next(whole.all(id="emotion.categories.disgust"))
    assert [cell.text for cell in row.all("td")] == ["", "< 0.01", "0.11"]
    meant, heard = (list(one.all("rect"))[-1] for one in row.all("svg"))
    assert float(meant["width"]) == pytest.approx(
        1000 * full.emotion.categories["disgust"], abs=0.1
    )
    assert float(heard["width"]) == pytest.approx(1000 * full.emotion.perceived["disgust"], abs=0.1)
    arousal = next(whole.all(id="emotion.dimensions.arousal"))
    assert "0.900.75 to 1.00" in arousal.text
    assert full.emotion.dimensions.proxy in whole.one("section", id="emotion").text


def test_how_sure_a_verdict_of_two_is_said(full):
    verdict = dataclasses.replace(full.emotion.verdict, labels=("fear", "sad"))
    categories = {**full.emotion.categories, "fear": 0.48, "sad": 0.45}
    emotion = dataclasses.replace(full.emotion, verdict=verdict, categories=categories)
    head = page(dataclasses.replace(full, emotion=emotion)).one("header")
    assert head.one("h1").text == "Sounds fearful or sad"
    assert "among 6 emotions: fearful 0.48, sad 0.45." in head.one("p", class_="lede").text
    assert "nine of ten" in head.one("p", class_="lede").text


def test_an_abstention_gives_its_reason(full, audio, unsaid):
    nothing = abstain("no speech found in 3.0 s of audio", label_set=("angry", "sad"))
    found = page(
        dataclasses.replace(
            full,
            emotion=nothing,
            segments=(),
            descriptors=Descriptors({}),
            explanation=None,
            claims=(),
            **unsaid,
        ),
        audio,
    )
    assert found.one("h1").text == "Not enough evidence"
    assert "no speech found in 3.0 s of audio" in found.one("p", class_="lede").text
    assert found.one("img")["alt"].startswith("Spectrogram")
    assert [one["id"] for one in found.all("section")] == ["listen", "limits", "provenance"]


def test_without_an_explanation_findings_are_no_reasons(analysis, audio):
    claim = Claim("The voice sounds angry.", ("emotion.verdict",))
    found = page(dataclasses.replace(analysis, claims=(claim,)), audio)
    assert found.one("div", class_="findings").one("h2").text == "What was found"
    assert found.one("div", class_="findings").one("a")["href"] == "#emotion"
    assert not list(found.all("button"))
    assert not list(found.all("section", id="references"))


def test_what_json_keeps_is_enough(full):
    again = Analysis.from_dict(json.loads(json.dumps(full.to_dict())))
    found = page(again)
    assert not again.descriptors.tracks
    assert not list(found.all("audio", id="player"))
    assert not list(found.all("button", class_="play"))
    assert list(found.all("div", class_="layer"))
    assert not list(found.all("img"))
    assert found.one("h1").text == "Sounds angry"


def test_neither_listeners_nor_dimensions_are_needed(full):
    emotion = dataclasses.replace(full.emotion, perceived={}, dimensions=None)
    found = page(dataclasses.replace(full, emotion=emotion))
    assert "Listeners who" not in found.one("header").text
    assert "Dimension" not in found.one("section", id="emotion").text
    assert "–" in next(found.all(id="emotion.categories.angry")).text


def stretched(full, *, seconds, starts):
    """The same stretch at several times of a long recording; the third is explained."""
    stretch = full.segments[0]
    parts = tuple(
        dataclasses.replace(stretch, start=start, end=start + stretch.end - stretch.start)
        for start in starts
    )
    explanation, moved = full.explanation, starts[2] - stretch.start
    moments = tuple(
        dataclasses.replace(one, start=one.start + moved, end=one.end + moved)
        for one in explanation.moments
    )
    explanation = dataclasses.replace(explanation, segment=2, moments=moments, attributions=())
    tracks = {
        name: dataclasses.replace(track, times=track.times + moved)
        for name, track in full.descriptors.tracks.items()
    }
    descriptors = dataclasses.replace(full.descriptors, tracks=tracks)
    return dataclasses.replace(
        full, duration=seconds, segments=parts, explanation=explanation, descriptors=descriptors
    )


def clicks(*times, seconds):
    waveform = np.random.default_rng(0).normal(0, 1e-3, 16000 * seconds).astype(np.float32)
    waveform[[round(16000 * time) for time in times]] = 0.9
    return Audio(waveform, 16000, "clicks")


def test_words_can_be_played_and_show_how_they_are_said(whole, full):
    text = whole.one("p", class_="said")
    assert text.text == full.transcript.text
    words = list(text.all("button"))
    assert [one["class"] for one in words] == [
        "word descriptive", "word descriptive unsure", "word expressive stressed",
        "word expressive", "word expressive stressed",
    ]  # fmt: skip
    exactly = words[2]
    assert (exactly["data-start"], exactly["data-end"]) == ("0.9", "1.52")
    assert exactly["aria-label"] == "Play exactly, stressed"
    assert "68\xa0% of the words" not in whole.one(id="roles").text
    assert "60\xa0% of the words" in whole.one(id="roles").text  # three of five


def test_words_stand_over_the_picture_for_the_pointer_alone(whole):
    lane = whole.one("div", class_="panel words")
    assert lane["aria-hidden"] == "true"
    boxes = [one["style"] for one in lane.all("button")]
    assert boxes[2] == "left:29.97%;width:20.65%"  # 0.9 to 1.52 of 3.003 s
    assert {one["tabindex"] for one in lane.all("button")} == {"-1"}


def test_what_the_words_say_stands_beside_what_both_say(whole):
    cells = [cell.text for cell in whole.one(id="text_emotion.categories.happy").all("td")]
    assert cells[1:] == ["0.55", "0.21"]
    together = whole.one(id="fusion").text
    assert together.startswith("The words say something else than the voice. 2\xa0% of the label")
    assert "exactly +0.93" in whole.one(id="text_emotion.attribution").text
    assert "one word could not be placed" in whole.one(id="transcript-title").parent.text


def test_what_each_text_makes_of_a_dimension(whole):
    line = whole.one(id="semantic_fusion.effects.dominance")
    moved, together, before = line.all("td")
    assert [one.text for one in moved.all("div")] == [
        "the emphasised words +0.00 (0\xa0%)",
        "the transcript as a whole +0.01 (12\xa0%)",
        "the interpretation −0.07 (88\xa0%)",
    ]
    assert (together.text, before.text) == ("0.700.50 to 0.90", "voice alone 0.76")
    places = [one["d"] for one in together.all("path")]
    assert places == ["M760.0 50h.01", "M700.0 50h.01"]
    notes = [one.text for one in whole.one(id="transcript").all("p", class_="note")]
    assert "Read as the interpretation: A raised voice; the speaker tells <what> happened." in notes


def test_words_left_out_of_account_say_why(full):
    nothing = TextEmotion({}, None, None, None, "most words are unknown")
    found = page(dataclasses.replace(full, text_emotion=nothing, fusion=None))
    note = next(one.text for one in found.all("p", class_="warning") if "words" in one.text)
    assert note == "Note: the words are left out of account: most words are unknown."
    assert not list(found.all(id="fusion"))


def test_without_a_recording_words_are_text(full):
    assert not list(page(full).one("p", class_="said").all("button"))


def test_a_longer_recording_is_compressed_and_keeps_its_times(full):
    analysis = stretched(full, seconds=61.0, starts=(0.384, 20.0, 40.0))
    found = page(analysis, clicks(10, 50, seconds=61))
    player = found.one("audio", id="player")
    samples, rate = decoded(player["src"])
    assert player["src"].startswith("data:audio/mpeg")
    assert player["data-start"] == "0"
    assert np.flatnonzero(np.abs(samples) > 0.2)[[0, -1]] / rate == pytest.approx(
        [10, 50], abs=1e-3
    )
    figure = found.one("div", class_="timeline")
    assert (float(figure["data-from"]), float(figure["data-to"])) == pytest.approx((38, 44.432))
    assert "The picture shows 38.00–44.43 s" in found.one("section", id="listen").text
    rows = list(found.one("section", id="segments").one("tbody").all("tr"))
    assert all(list(row.all("button")) for row in rows)
    assert "0:20–0:22" in rows[1].text


def test_of_a_long_recording_the_page_holds_the_stretch_explained_and_says_so(full):
    analysis = stretched(full, seconds=400.0, starts=(0.384, 20.0, 40.0, 390.0))
    text = html.render(analysis, clicks(41, 391, seconds=400))
    found = Page(text).root
    player = found.one("audio", id="player")
    samples, rate = decoded(player["src"])
    start = float(player["data-start"])
    assert start == 38
    assert len(samples) / rate == pytest.approx(6.432, abs=1e-3)
    assert np.abs(samples).argmax() / rate + start == pytest.approx(41, abs=1e-3)
    part = clicks(41, 391, seconds=400).waveform[38 * 16000 : round(44.432 * 16000)]
    assert html.heard(analysis) == Segment(38.0, 44.432)
    assert html.render(analysis, Audio(part, 16000, "part")) == text
    said = found.one("section", id="listen").text
    assert "The recording lasts 6:40; above 5 minutes a page holds only" in said
    rows = list(found.one("section", id="segments").one("tbody").all("tr"))
    assert [len(list(row.all("button"))) for row in rows] == [0, 0, 1, 0]
    assert len(text.encode()) < 1.5e6


def test_the_strip_shows_who_sounded_how_when(full):
    analysis = stretched(full, seconds=60.0, starts=(0.0, 20.0, 40.0))
    nothing = dataclasses.replace(
        analysis.segments[1], emotion=abstain("it sounds like noise", label_set=("angry",))
    )
    first, _, last = analysis.segments
    anna = dataclasses.replace(last, speaker="Anna")
    found = page(dataclasses.replace(analysis, segments=(first, nothing, anna)))
    section = found.one("section", id="segments")
    angry, disgust, *_ = section.all("svg", class_="strip")
    cells = list(angry.all("rect"))
    assert [float(one["x"]) for one in cells] == pytest.approx([0, 1000 * 40 / 60], abs=0.01)
    assert float(cells[0]["width"]) == pytest.approx(1000 * 2.432 / 60, abs=0.01)
    assert float(cells[0]["fill-opacity"]) > 0.99
    assert float(next(disgust.all("rect"))["fill-opacity"]) < 0.1
    rows = [row.text for row in section.one("tbody").all("tr")]
    assert "Not enough evidence: it sounds like noise" in rows[1]
    assert "Anna" in rows[2]


def test_names_and_texts_are_shown_as_text(hostile, audio):
    found = page(hostile, audio)
    assert len(list(found.all("script"))) == 1
    assert len(list(found.all("img"))) == 1
    assert not list(found.all("i"))
    assert found.one("p", class_="source").one("bdi").text == hostile.source
    assert hostile.claims[0].text in found.one("div", class_="findings").text
    assert warnings(found)[0] == f"Warning: {hostile.warnings[0]}."
    image = hostile.emotion.label_set[-1]
    names = [one.text for one in found.one("section", id="emotion").all("bdi")]
    assert image in names
    assert hostile.segments[0].speaker in [one.text for one in found.all("bdi")]
    facts = found.one("section", id="provenance").one("dl")
    assert image in [one.text for one in facts.all("dt")]
    assert "<i>&amp;" in [one.text for one in facts.all("dd")]


def test_control_characters_are_escapes(analysis):
    text = html.render(dataclasses.replace(analysis, source="a\x1b[31m\ud800.wav"))
    assert "\x1b" not in text
    assert Page(text).root.one("p", class_="source").one("bdi").text == r"a\x1b[31m\ud800.wav"
    text.encode()


def test_sound_that_is_not_of_the_analysis_is_refused(full, analysis, audio):
    half = Audio(audio.waveform[:24_000], 16000, "half")
    with pytest.raises(ConfigError, match=r"lasts 1\.50 s, but 3\.00 s were analysed; give the"):
        html.render(full, half)
    with pytest.raises(ConfigError, match="1 counterfactual_sounds for 0 counterfactuals"):
        html.render(analysis, audio, counterfactual_sounds=[audio])


def test_it_says_what_it_must_not_be_used_for_and_where_it_comes_from(whole, full):
    said = whole.one("section", id="limits").text
    for words in (
        "sounds like to listeners",
        "never what a person feels",
        "health, deception, personality or fitness",
        "workplace, education, hiring, policing or diagnosis",
        "Regulation (EU) 2024/1689",
        "must know and agree",
        "acted speech",
    ):
        assert words in said
    provenance = whole.one("section", id="provenance").text
    assert "ODbL" in provenance
    assert full.provenance["model_sha256"] in provenance
    assert "config.reference" in provenance


@pytest.mark.parametrize("label", CANONICAL)
def test_a_voice_sounds_it_never_is(full, audio, label):
    explanation = dataclasses.replace(full.explanation, output=label, runner_up="neutral")
    emotion = dataclasses.replace(
        full.emotion,
        categories={label: 0.7, "neutral": 0.3},
        verdict=dataclasses.replace(full.emotion.verdict, labels=(label,)),
    )
    text = (
        page(dataclasses.replace(full, explanation=explanation, emotion=emotion)).one("body").text
    )
    assert f"Sounds {phrase(label)}" in text
    assert not re.search(rf"\b(is|are|was|feels?|felt|being) ({label}|{phrase(label)})\b", text)


def test_ten_seconds_with_everything_stay_below_the_limit(full):
    noise = np.random.default_rng(0).normal(0, 0.1, 160_000).astype(np.float32)  # hard to compress
    sound = Audio(noise, 16000, "noise")
    analysis = dataclasses.replace(full, duration=10.0)
    assert len(html.render(analysis, sound, counterfactual_sounds=[sound] * 2).encode()) < 1.5e6
