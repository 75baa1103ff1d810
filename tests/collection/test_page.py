"""The page in a real browser with a microphone that plays a real clip."""

import contextlib
import io
import re
import socket
import threading
import wave

import numpy as np
import pytest
import uvicorn
from scipy.signal import correlate

from voxplain.audio.read import read
from voxplain.collection import protocol, store
from voxplain.service.collecting import create_app

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect
expect.set_options(timeout=20_000)  # the machine may be busy
axe = pytest.importorskip("axe_playwright_python.sync_playwright")
DESKTOP = {"viewport": {"width": 1280, "height": 800}, "locale": "en-GB"}
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "is_mobile": True,
    "has_touch": True,
    "color_scheme": "dark",
    "locale": "en-GB",
}
WIDE = "document.documentElement.scrollWidth - innerWidth"


@pytest.fixture(scope="module")
def microphone(tmp_path_factory, angry, wav_of):
    """A second of a real voice, again and again, as Chromium plays it."""
    path = tmp_path_factory.mktemp("microphone") / "voice.wav"
    samples = read(angry).waveform[8000:24_000]
    path.write_bytes(wav_of(np.round(samples * 32_767).astype("<i2").tobytes()))
    return path


@pytest.fixture(scope="module")
def browser(browsing, microphone):
    options = [
        "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={microphone}",
    ]  # fmt: skip
    with browsing(*options) as chromium:
        yield chromium


@contextlib.contextmanager
def served(app):
    """Its address."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", ws="none"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def collection(tmp_path):
    return store.begin(tmp_path / "data", title={"en": "T"}, storage="plain", key=None)


@pytest.fixture
def visit(browser, recipe, collection):
    """Opens the page; beside it what it says to the console or asks of other places."""
    two = protocol.read(recipe())
    with contextlib.ExitStack() as stack:
        address = stack.enter_context(served(create_app(two, collection)))

        def open_page(**options):
            context = browser.new_context(**(options or DESKTOP))
            stack.callback(context.close)
            page, heard = context.new_page(), []
            page.set_default_timeout(20_000)
            page.on("console", lambda message: heard.append(message.text))
            page.on("pageerror", lambda error: heard.append(str(error)))
            page.on(
                "request",
                lambda one: one.url.startswith((address, "blob:")) or heard.append(one.url),
            )
            page.goto(address)
            page.wait_for_selector("#consent:not([hidden])")
            return page, heard

        yield open_page


def on(page, step):
    page.wait_for_selector(f"#{step}:not([hidden])")


def agree(page):
    page.get_by_label("I have read this").check()
    page.get_by_role("button", name="Agree and begin").click()
    on(page, "code")
    code = page.locator("#shown").inner_text()
    page.get_by_role("button", name="I have written it down").click()
    on(page, "item")
    return code


def heard_for_long(page):
    """Longer than an account must be."""
    expect(page.locator("#elapsed")).to_have_text(re.compile(r"[2-9] s"))


def speak(page):
    page.get_by_role("button", name="Record", exact=True).click()
    heard_for_long(page)
    page.get_by_role("button", name="Stop", exact=True).click()
    on(page, "heard")


def rate(page, emotion, valence, arousal):
    page.get_by_role("radio", name=emotion).check()
    page.locator("#valence").get_by_role("radio", name=str(valence)).check()
    page.locator("#arousal").get_by_role("radio", name=str(arousal)).check()
    page.get_by_role("button", name="Next").click()


def grave(page):
    """In dark colours; in light ones, only colours can be wrong that are not wrong in both."""
    violations = []
    for colours, rules in (("dark", {}), ("light", {"runOnly": ["color-contrast"]})):
        page.emulate_media(color_scheme=colours)
        found = axe.Axe().run(page, options={"resultTypes": ["violations"], **rules}).response
        assert found["passes"]
        violations += found["violations"]
    return [
        (one["id"], node["html"][:200])
        for one in violations
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


def test_from_consent_to_thanks_and_a_withdrawal(visit, collection, microphone):
    page, heard = visit(**PHONE)
    seen = {"consent": grave(page)}
    page.get_by_role("button", name="Agree and begin").click()
    assert collection.participants() == []  # the box is not ticked
    code = agree(page)
    seen["item"] = grave(page)
    speak(page)
    seen["heard"] = grave(page)
    page.get_by_role("button", name="Keep it").click()
    on(page, "rating")
    seen["rating"] = grave(page)
    wide = page.evaluate(WIDE)
    page.reload()  # goes on with what is recorded
    on(page, "rating")
    rate(page, "joy", 8, 3)
    on(page, "item")
    assert page.locator("#item h1").inner_text() == "2 of 2"
    record = page.get_by_role("button", name="Record", exact=True)
    assert record.is_disabled()
    page.evaluate("document.querySelector('#clip audio').play()")
    expect(record).to_be_enabled()
    speak(page)
    page.get_by_role("button", name="Keep it").click()
    rate(page, "sadness", 1, 9)
    on(page, "thanks")
    (one,) = collection.participants()
    told = [
        (answer.item, answer.evoked, answer.valence, answer.arousal) for answer in one.answers()
    ]
    assert told == [("train", "happy", 8, 3), ("bowl", "sad", 1, 9)]
    assert likeness(one.recording("train"), microphone) > 0.8

    page.get_by_role("button", name="Stop and withdraw").click()
    on(page, "withdraw")
    seen["withdraw"] = grave(page)
    page.get_by_role("textbox", name="Your code").fill(code)
    page.get_by_role("button", name="Delete everything of mine").click()
    on(page, "deleted")
    assert "2 answers and 2 recordings" in page.locator("#counts").inner_text()
    assert collection.participants() == []
    assert [found for found in seen.items() if found[1]] == []
    assert wide <= 0
    assert heard == []


def likeness(recording, microphone):
    """Correlation with the loudest 0.2 s that the microphone played, where they are most alike."""
    with wave.open(io.BytesIO(recording)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 16_000)
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float)
    with wave.open(str(microphone)) as file:
        played = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float)
    loudest = np.convolve(played**2, np.ones(3200), "valid").argmax()
    part = played[loudest : loudest + 3200]
    energy = np.sqrt(np.convolve(samples**2, np.ones(3200), "valid"))
    return (correlate(samples, part, "valid") / energy / np.linalg.norm(part)).max()


def test_by_keyboard_alone(visit, collection):
    page, heard = visit()
    assert page.evaluate("document.activeElement.tagName") == "H1"
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    on(page, "code")
    assert page.evaluate("document.activeElement.textContent") == "Your code"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    on(page, "item")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "record"
    page.keyboard.press("Enter")
    heard_for_long(page)
    page.keyboard.press("Enter")
    on(page, "heard")
    page.locator("#heard button").focus()
    page.keyboard.press("Enter")
    on(page, "rating")
    assert page.evaluate(WIDE) <= 0
    for _ in range(3):
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator("#item h1")).to_have_text("2 of 2")
    (one,) = collection.participants()
    (answer,) = one.answers()
    assert (answer.evoked, answer.valence, answer.arousal) == ("happy", 1, 2)
    assert heard == []


def test_what_goes_wrong_is_said_and_nothing_is_lost(visit, collection):
    page, _ = visit()
    page.get_by_role("button", name="I have a code").click()
    page.get_by_role("textbox", name="Your code").fill("ABCD-EFGH-JKLM")
    page.get_by_role("button", name="Go on where I was").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("nobody has this code")
    page.get_by_role("button", name="Back").click()
    agree(page)
    page.get_by_role("button", name="Record", exact=True).click()
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(alert).to_contain_text("From 1 to 10 seconds.")
    page.get_by_role("button", name="Record again").click()
    heard_for_long(page)
    page.get_by_role("button", name="Stop", exact=True).click()
    on(page, "heard")
    page.route("**/recording", lambda route: route.abort())
    page.get_by_role("button", name="Keep it").click()
    expect(alert).to_contain_text("The server can't be reached")
    page.unroute("**/recording")
    page.get_by_role("button", name="Keep it").click()
    on(page, "rating")
    (one,) = collection.participants()
    assert one.recorded("train")
