"""The page of a conversation in a real browser, and what can be heard from it."""

import dataclasses

import pytest

from voxplain.audio.read import read
from voxplain.conversations import page
from voxplain.errors import ConfigError

axe = pytest.importorskip("axe_playwright_python.sync_playwright")
DESKTOP = {"viewport": {"width": 1280, "height": 800}}
VIEWS = {
    "desktop": DESKTOP,
    "dark phone": {
        "viewport": {"width": 390, "height": 844},
        "is_mobile": True,
        "has_touch": True,
        "color_scheme": "dark",
    },
}
HOSTILE = "<script>window.hacked = 1</script> & a name that is far too long for its place"


@pytest.fixture(scope="module")
def browser(browsing):
    with browsing() as chromium:
        yield chromium


@pytest.fixture(scope="module")
def files(talk):
    """Name -> the address of a page: that holds its sound, that links it, with hostile names."""
    renamed = {"ann": HOSTILE, "bob": "bob"}
    heard = talk.heard
    attacking = dataclasses.replace(
        heard,
        source=HOSTILE,
        voices=tuple(dataclasses.replace(one, name=renamed[one.name]) for one in heard.voices),
        turns=tuple(dataclasses.replace(one, speaker=renamed[one.speaker]) for one in heard.turns),
        warnings=(HOSTILE,),
    )
    pages = {
        "held": page.render(heard, audio=read(talk.path)),
        "linked": page.render(heard, place="../talk.wav"),
        "hostile": page.render(attacking, place="../talk.wav"),
    }
    folder = talk.path.parent / "pages"
    folder.mkdir()
    for name, text in pages.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return {name: (folder / f"{name}.html").as_uri() for name in pages}


@pytest.fixture
def visit(browser, files):
    """Opens a page; beside it all that it says to the console or asks of the network."""
    opened = []

    def open_page(name, **options):
        context = browser.new_context(**(options or DESKTOP))
        opened.append(context)
        seen, heard = context.new_page(), []
        seen.on("console", lambda message: heard.append(message.text))
        seen.on("pageerror", lambda error: heard.append(str(error)))
        seen.on("request", lambda request: heard.append(request.url))
        seen.goto(files[name], wait_until="load")
        heard[:] = [one for one in heard if not one.startswith(("data:", files[name]))]
        return seen, heard

    yield open_page
    for context in opened:
        context.close()


@pytest.mark.parametrize(("view", "name"), [("desktop", "held"), ("dark phone", "hostile")])
def test_it_is_quiet_fits_its_screen_and_leaves_nobody_out(visit, talk, view, name):
    seen, heard = visit(name, **VIEWS[view])
    unfold = "document.querySelectorAll('details').forEach((fold) => (fold.open = true))"
    seen.evaluate(unfold)
    found = axe.Axe().run(seen, options={"resultTypes": ["violations"]}).response
    grave = [
        (one["id"], node["html"][:200], node["failureSummary"])
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]
    assert grave == []
    assert found["passes"]
    assert set(heard) <= {talk.path.as_uri()}
    assert seen.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert seen.evaluate("window.hacked") is None


@pytest.mark.parametrize("name", ["held", "linked"])
def test_a_turning_point_is_a_click_away(visit, talk, name):
    seen, _ = visit(name)
    point = talk.heard.voices[0].turning_points[0]
    seen.evaluate("new Promise((done) => { if (player.readyState) done(); "
                  "else player.addEventListener('loadedmetadata', done); })")  # fmt: skip
    assert seen.evaluate("player.duration") == pytest.approx(talk.heard.duration, abs=0.1)
    button = seen.locator("#turning button").first
    button.focus()
    seen.keyboard.press("Enter")
    assert seen.evaluate("player.currentTime") == pytest.approx(point.first, abs=1.0)
    assert seen.evaluate("said.textContent").startswith("Playing ann from")


def test_every_turn_is_there_and_nothing_is_drawn_in_silence(visit, talk):
    seen, _ = visit("held")
    turns = talk.heard.turns
    assert seen.locator("#turns tbody tr").count() == len(turns)
    assert "Not enough evidence: lasts 0.05 s" in seen.locator("#turns tbody").text_content()
    ann = talk.heard.of(talk.heard.voices[0])
    drawn = seen.locator("[id='voices.0'] .course").nth(1).locator("rect")
    boxes = drawn.evaluate_all("(all) => all.map((one) => [one.x, one.width].map("
                               "(length) => length.baseVal.value))")  # fmt: skip
    scale = talk.heard.duration / 1000
    places = [(scale * x, scale * (x + width)) for x, width in boxes]
    for place, turn in zip(places, [turn for turn in ann if turn.judged], strict=True):
        assert place == pytest.approx((turn.start, turn.end), abs=0.01)


def test_the_sound_must_be_that_of_the_conversation(talk, angry):
    with pytest.raises(ConfigError, match=r"the audio lasts 3\.\d+ s, but .* s were heard; give"):
        page.render(talk.heard, audio=read(angry))
