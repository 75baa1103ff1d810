"""The page of the service in a real browser, at a real service with the real model."""

import contextlib
import hashlib
import io
import json
import re
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from voxplain.audio import read
from voxplain.reports._words import probability

axe = pytest.importorskip("axe_playwright_python.sync_playwright")
uvicorn = pytest.importorskip("uvicorn", reason="needs the extra serve")
httpx = pytest.importorskip("httpx2", reason="needs the extra serve")
soundfile = pytest.importorskip("soundfile")

KEY = "a-key-of-ann"
HOSTILE = "<img src=x onerror='window.hacked = 1'>.opus"
PATIENCE = 60_000  # ms


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The address of a service that wants a key, takes 40 s and 600 kB, and hears no words."""
    from voxplain.service.app import create_app
    from voxplain.service.settings import Settings

    folder = tmp_path_factory.mktemp("page")
    settings = Settings(
        data=folder / "data",
        workers=1,
        max_seconds=20,
        max_job_seconds=40,
        max_job_bytes=600_000,
        rate=100_000,
        keys={hashlib.sha256(KEY.encode()).hexdigest(): "ann"},
    )
    config = uvicorn.Config(create_app(settings), port=0, log_config=None, ws="none")
    server, socket = uvicorn.Server(config), config.bind_socket()
    thread = threading.Thread(target=server.run, args=([socket],))
    with pytest.MonkeyPatch.context() as patch, socket:
        patch.setenv("VOXPLAIN_MODELS", str(folder / "models"))
        thread.start()
        while not server.started and thread.is_alive():
            thread.join(0.05)
        yield f"http://127.0.0.1:{socket.getsockname()[1]}/"
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def rest(site):
    """The same service without the page."""
    headers = {"Authorization": f"Bearer {KEY}"}
    with httpx.Client(base_url=site, headers=headers, timeout=120, trust_env=False) as client:
        yield client


@pytest.fixture(scope="module")
def browser(browsing, tmp_path_factory, angry):
    """Its microphone hears a clip, again and again."""
    heard = read.read(angry)
    clip = tmp_path_factory.mktemp("microphone") / "clip.wav"
    soundfile.write(clip, heard.waveform, heard.sampling_rate, subtype="PCM_16")
    flags = [
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={clip}",
    ]
    with browsing(*flags) as chromium:
        yield chromium


@contextlib.contextmanager
def opened(browser, site, **options):
    """The page; ``said`` is what the console tells, ``asked`` every request."""
    context = browser.new_context(**options)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    seen = SimpleNamespace(page=page, said=[], asked=[], jobs=[])
    page.on("console", lambda message: seen.said.append(message.text))
    page.on("pageerror", lambda error: seen.said.append(str(error)))
    page.on("request", lambda request: seen.asked.append(f"{request.method} {request.url}"))
    page.on(
        "response",
        lambda answer: seen.jobs.append(answer.headers["location"]) if answer.status == 202 else 0,
    )
    page.goto(site)
    yield seen
    context.close()


@pytest.fixture
def visit(browser, site):
    with opened(browser, site) as seen:
        yield seen


def consent(page, key=KEY):
    page.get_by_label("knows of this and agrees").check()
    page.get_by_label("Key of this service").fill(key)


def choose(page, content, name="clip.wav"):
    page.set_input_files(
        "#file", {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    )


def drop(page, content, name):
    page.evaluate(
        """([bytes, name]) => {
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File([new Uint8Array(bytes)], name));
          for (const kind of ["dragover", "drop"]) {
            const event = new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true });
            document.getElementById("drop").dispatchEvent(event);
          }
        }""",
        [list(content), name],
    )


def silence(seconds):
    content = io.BytesIO()
    soundfile.write(content, np.zeros(round(seconds * 16_000)), 16_000, format="FLAC")
    return content.getvalue()


def slide(page, name, notches):
    """As a hand does."""
    page.get_by_label(name, exact=True).evaluate(
        """(slider, notches) => {
          slider.value = notches;
          slider.dispatchEvent(new Event("input", { bubbles: true }));
        }""",
        notches,
    )


def until(page, condition):
    """Waits for it, as far as the policy of the page allows: without ``eval``."""
    page.evaluate(
        f"""() => new Promise((done, failed) => {{
          setTimeout(() => failed(new Error("not within 60 s")), 60_000);
          const look = () => ({condition} ? done() : setTimeout(look, 10));
          look();
        }})"""
    )


def numbers(page, table):
    """Label -> the texts of its row."""
    rows = page.locator(f"{table} tbody tr")
    return {
        row.locator("th").inner_text(): row.locator("td").all_inner_texts()[1:]
        for row in rows.all()
    }


def grave(page, **options):
    found = axe.Axe().run(page, options={"resultTypes": ["violations"], **options}).response
    assert found["passes"]
    return [
        (one["id"], node["html"][:200], node["failureSummary"])
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


@pytest.fixture(scope="module")
def analysed(browser, site, angry):
    """The page with the report of a clip that was dropped; ``glimpse`` stood there before."""
    with opened(browser, site, viewport={"width": 1200, "height": 800}) as seen:
        page, held = seen.page, []
        page.route("**/events", lambda route: held.append(route))
        consent(page)
        drop(page, angry.read_bytes(), HOSTILE)
        page.locator("#glimpse table").wait_for()
        seen.glimpse = SimpleNamespace(
            heading=page.locator("#work h1").inner_text(), numbers=numbers(page, "#glimpse table")
        )
        with page.expect_response(lambda one: one.request.method == "DELETE"):
            held[0].continue_()
        page.locator("#result").wait_for()
        seen.quiet = list(seen.said)
        yield seen


@pytest.fixture(scope="module")
def answer(rest, angry):
    """What REST says of the same clip."""
    with angry.open("rb") as file:
        return rest.post("v1/analyze", files={"file": ("clip.opus", file)}).json()


def test_the_verdict_comes_first_and_the_report_says_the_same_as_rest(analysed, answer):
    page, emotion = analysed.page, answer["emotion"]
    expected = {label: probability(value) for label, value in emotion["categories"].items()}
    assert analysed.glimpse.heading == "Sounds angry"
    assert analysed.glimpse.numbers == {label: [said] for label, said in expected.items()}
    assert page.locator("#report h1").inner_text() == "Sounds angry"
    shown = numbers(page, "#emotion .beside > :first-child table")
    assert {label: texts[0] for label, texts in shown.items()} == expected
    for name, one in emotion["dimensions"].items():
        if name != "proxy":
            said = page.locator(f"[id='emotion.dimensions.{name}'] td").last.inner_text()
            assert re.findall(r"[\d.]+", said) == [
                f"{one[part]:.2f}" for part in ("value", "low", "high")
            ]
    assert page.locator(".findings li").count() > 3
    assert "report is ready" in page.locator("#status").inner_text()
    assert page.evaluate("document.activeElement.textContent") == "Sounds angry"


def test_nothing_goes_elsewhere_nothing_runs_that_came_in_and_nothing_is_left(analysed, rest, site):
    page = analysed.page
    assert [one for one in analysed.asked if not one.split()[1].startswith((site, "data:"))] == []
    assert analysed.quiet == []
    assert page.evaluate("window.hacked") is None
    assert page.locator("#report .source bdi").inner_text() == HOSTILE
    (job,) = analysed.jobs
    assert f"DELETE {site}{job[1:]}" in analysed.asked
    assert rest.get(job).status_code == 404


def test_a_moment_is_played_and_its_reasons_are_shown(analysed):
    page = analysed.page
    articles = page.locator("[id='explanation.moments'] article")
    buttons = page.locator(".moment")
    assert articles.count() == buttons.count() > 1
    last = buttons.count() - 1
    for number in (0, last):  # the first by hand, the last by a key
        buttons.nth(number).focus()
        if number == last:
            page.keyboard.press("Enter")
        else:
            buttons.nth(number).click()
        assert [one.is_visible() for one in articles.all()] == [
            one == number for one in range(last + 1)
        ]
        assert buttons.nth(number).get_attribute("aria-pressed") == "true"
        end = float(buttons.nth(number).get_attribute("data-end"))
        until(page, f"player.paused && player.currentTime > {end} - 0.2")  # a browser stops late
    told = articles.nth(last).inner_text()
    assert f"Moment {last + 1}" in told
    assert "usual" in told
    assert "expected:" in told
    cursor = page.locator("#listen .cursor").bounding_box()
    picture = page.locator("#listen .timeline").bounding_box()
    shown = (cursor["x"] + cursor["width"] / 2 - picture["x"]) / picture["width"]
    duration, now = page.evaluate("[player.duration, player.currentTime]")
    assert shown * duration == pytest.approx(now, abs=0.2)
    link = page.locator(".findings > ol a", has_text="moment").first
    link.click()
    number = int(link.inner_text().removeprefix("moment ")) - 1
    assert articles.nth(number).is_visible()
    assert articles.nth(last).is_visible() == (number == last)


def test_a_slider_changes_the_voice_and_it_can_be_heard(analysed, rest, angry):
    page = analysed.page
    slide(page, "Tempo", 3)
    assert page.locator("#tempo").get_attribute("aria-valuetext") == "× 1.73"
    page.locator("#changed h3").wait_for()
    with angry.open("rb") as file:
        found = rest.post("v1/whatif", files={"file": file}, data={"tempo": "1.73"}).json()
    sides = [found[side]["categories"] for side in ("before", "identity", "after")]
    assert numbers(page, "#changed table") == {
        label: [probability(side[label]) for side in sides] for label in sides[0]
    }
    page.get_by_role("button", name="Hear the changed voice").click()
    until(page, "document.querySelector('#whatif audio').duration > 0")
    lasts = page.evaluate("document.querySelector('#whatif audio').duration")
    assert lasts == pytest.approx(page.evaluate("player.duration") / 1.73, rel=0.02)
    assert page.locator("#whatif figcaption").inner_text() == "Synthetic sound"
    page.get_by_role("button", name="Back to the recording").click()
    assert not page.locator("#whatif figure").is_visible()
    assert page.locator("#tempo").get_attribute("aria-valuetext") == "unchanged"
    assert page.get_by_role("button", name="Hear the changed voice").is_disabled()


def test_what_a_voice_does_not_allow_is_said(analysed):
    page = analysed.page
    slide(page, "Pitch", 3)
    told = page.locator("#changed .warning")
    told.wait_for()
    assert re.search(
        r"Not possible: pitch 13.2 .* out of 60 to 600 Hz.* allows shifts of", told.inner_text()
    )
    page.get_by_role("button", name="Back to the recording").click()
    assert not told.is_visible()


def test_report_and_data_can_be_saved(analysed, answer):
    page = analysed.page
    saved = {}
    for name in ("Save the report", "Save as JSON"):
        with page.expect_download() as coming:
            page.get_by_role("link", name=name).click()
        path = coming.value.path()
        saved[coming.value.suggested_filename.rpartition(".")[2]] = path.read_text(encoding="utf-8")
    document = json.loads(saved["json"])
    assert document["source"] == HOSTILE
    assert document["emotion"] == answer["emotion"]
    assert document["explanation"]["moments"]
    assert saved["html"].startswith("<!DOCTYPE html>")
    assert "Sounds angry" in saved["html"]
    assert "data:audio/wav" in saved["html"]


def test_the_report_leaves_nobody_out(analysed):
    page = analysed.page
    assert grave(page) == []
    page.emulate_media(color_scheme="dark")
    assert grave(page, runOnly=["color-contrast"]) == []
    page.emulate_media(color_scheme="light")


def test_it_fits_a_phone_and_large_letters(analysed):
    page = analysed.page
    wide = "document.documentElement.scrollWidth - innerWidth"
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate(wide) <= 0
    page.set_viewport_size({"width": 1200, "height": 800})
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert page.evaluate(wide) <= 0
    page.evaluate("document.documentElement.style.fontSize = ''")


def test_the_last_thing_deletes_all(analysed):
    page = analysed.page
    page.get_by_role("button", name="Delete all").click()
    assert page.locator("#report").inner_html() == ""
    assert page.get_by_role("heading", name="How does this voice sound?").is_visible()
    assert not page.get_by_label("knows of this and agrees").is_checked()
    assert "deleted" in page.locator("#status").inner_text()
    assert page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [
        0, 0, ""
    ]  # fmt: skip


@pytest.mark.parametrize(
    "options", [{}, {"color_scheme": "dark", "viewport": {"width": 360, "height": 740}}]
)
def test_the_empty_page_is_quiet_and_leaves_nobody_out(browser, site, options):
    with opened(browser, site, **options) as seen:
        assert grave(seen.page) == []
        assert seen.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        assert seen.said == []
        reached = []
        for _ in range(6):
            seen.page.keyboard.press("Tab")
            reached.append(seen.page.evaluate("document.activeElement.id"))
        assert reached == ["", "agree", "key", "file", "record", ""]


def test_nothing_is_heard_or_sent_before_consent(visit, angry, site):
    page = visit.page
    page.evaluate(
        """() => {
          window.microphones = 0;
          navigator.mediaDevices.getUserMedia = () => {
            window.microphones += 1;
            return Promise.reject(new DOMException("", "NotAllowedError"));
          };
        }"""
    )
    page.get_by_role("button", name="Record", exact=True).click()
    assert page.evaluate("window.microphones") == 0
    assert page.evaluate("document.activeElement.id") == "agree"
    drop(page, angry.read_bytes(), "memo.opus")
    assert page.locator("#status").inner_text() == "memo.opus waits until you agree"
    assert [one for one in visit.asked if one.startswith("POST")] == []
    page.get_by_label("Key of this service").fill(KEY)
    with page.expect_response(lambda answer: answer.status == 202) as coming:
        page.get_by_label("knows of this and agrees").check()
    assert page.locator("#work .source").inner_text() == "memo.opus"
    with page.expect_response(lambda one: one.request.method == "DELETE") as gone:
        page.get_by_role("button", name="Stop").click()
    assert gone.value.url == f"{site}{coming.value.headers['location'][1:]}"
    assert gone.value.status == 204
    assert page.locator("#ask").is_visible()
    consent(page)
    page.get_by_role("button", name="Record", exact=True).click()
    page.locator("#problem").wait_for()
    assert page.evaluate("window.microphones") == 1
    assert "no microphone" in page.locator("#problem").inner_text()
    assert "choose a file" in page.locator("#problem").inner_text()


def test_what_is_recorded_is_heard(visit):
    page = visit.page
    consent(page)
    page.get_by_role("button", name="Record", exact=True).click()
    elapsed = page.get_by_text(re.compile(r"0:(0[3-9]|1\d) of 0:20"))
    elapsed.wait_for()
    assert page.get_by_label("Level").is_visible()
    before = int(elapsed.inner_text()[2:4])
    page.get_by_role("button", name="Stop and analyse").click()
    page.locator("#result").wait_for()
    assert page.locator("#report h1").inner_text() == "Sounds angry"
    length = page.locator("#report .source").inner_text()
    heard = float(re.search(r"([\d.]+) s,", length)[1])
    assert before - 2 < heard <= 20  # encoders begin late
    assert visit.said == []


def test_no_speech_is_a_result_without_sliders(visit):
    page = visit.page
    consent(page)
    choose(page, silence(1))
    page.locator("#result").wait_for()
    assert page.locator("#report h1").inner_text() == "Not enough evidence"
    assert not page.locator("#whatif").is_visible()


@pytest.mark.parametrize(
    ("content", "title", "told"),
    [
        (b"not a sound at all" * 100, "This recording can't be used", "damaged or no audio"),
        (b"", "This recording can't be used", "is empty"),
        (silence(41), "That is too much", "lasts more than 40 s"),
        (bytes(600_001), "That is too much", "larger than 0.572 MiB; send less"),
    ],
    ids=["no audio", "empty", "too long", "too large"],
)
def test_what_can_not_be_used_is_said_with_the_remedy(visit, content, title, told):
    page = visit.page
    consent(page)
    choose(page, content)
    page.locator("#problem").wait_for()
    assert page.locator("#problem h2").inner_text() == title
    assert re.match(f"clip.wav .*{told}", page.locator("#problem p").inner_text())
    assert page.get_by_role("button", name="Try again").is_visible()


def test_what_passes_can_be_tried_again(visit, angry):
    page, refusals = visit.page, [0, 503, 429]
    consent(page)

    def refuse(route):
        if not (status := refusals.pop()):
            return route.abort("connectionrefused")
        problem = {"title": "", "status": status, "detail": "it is so; ask again in 7 s"}
        return route.fulfill(status=status, json=problem, headers={"Retry-After": "7"})

    page.route("**/v1/**", refuse)
    choose(page, angry.read_bytes(), "memo.opus")
    for title, told in (
        ("Too many requests", "ask again in 7 s"),
        ("The service is busy", "ask again in 7 s"),
        ("The service does not answer", "voxplain serve"),
    ):
        page.locator("#problem h2", has_text=title).wait_for()
        assert told in page.locator("#problem p").inner_text()
        if refusals:
            page.get_by_role("button", name="Try again").click()
    assert grave(page) == []
    page.unroute("**/v1/**")
    with page.expect_response(lambda answer: answer.status == 202):
        page.get_by_role("button", name="Try again").click()
    assert page.locator("#work .source").inner_text() == "memo.opus"
    with page.expect_response(lambda one: one.request.method == "DELETE"):
        page.get_by_role("button", name="Stop").click()


def test_a_job_of_a_service_that_went_away_is_deleted_when_it_is_back(visit, rest, angry):
    page = visit.page
    consent(page)
    for path in ("**/events", "**/v1/jobs/*"):
        page.route(path, lambda route: route.abort("connectionreset"))
    choose(page, angry.read_bytes())
    page.locator("#problem").wait_for()
    assert "does not answer" in page.locator("#problem").inner_text()
    (left,) = visit.jobs
    assert rest.get(left).status_code == 200
    page.unroute_all()
    with page.expect_response(lambda answer: answer.status == 202):
        page.get_by_role("button", name="Try again").click()
    assert rest.get(left).status_code == 404
    with page.expect_response(lambda one: one.request.method == "DELETE"):
        page.get_by_role("button", name="Stop").click()


def test_a_recording_that_is_stopped_on_its_way_leaves_no_job(visit, rest, angry):
    page, held = visit.page, []
    page.route("**/v1/jobs", lambda route: held.append(route))
    consent(page)
    with page.expect_request("**/v1/jobs"):
        choose(page, angry.read_bytes())
    page.get_by_role("button", name="Stop").click()
    with page.expect_response(lambda one: one.request.method == "DELETE"):
        held[0].continue_()
    (job,) = visit.jobs
    assert rest.get(job).status_code == 404


def test_who_leaves_takes_the_recording_along(visit, rest, angry):
    page = visit.page
    consent(page)
    with page.expect_response(lambda answer: answer.url.endswith("/events")):
        choose(page, angry.read_bytes())
    (job,) = visit.jobs
    page.goto("about:blank")
    rest.get(f"{job}/events")  # until it is cancelled, or done; a browser sends its last word late
    looks = (rest.get(job).status_code for _ in range(5_000))
    assert 404 in looks


def test_a_wrong_key_is_asked_for_again(visit, angry):
    page = visit.page
    consent(page, key="somebody else's")
    choose(page, angry.read_bytes())
    page.locator("#problem").wait_for()
    assert page.locator("#problem h2").inner_text() == "The service wants a key"
    assert page.locator("#key").is_visible()


def test_there_is_no_field_for_a_key_that_nobody_wants(tmp_path):
    from voxplain.service.page import render
    from voxplain.service.settings import Settings

    page = render(Settings(data=tmp_path))
    assert "agrees." in page
    assert 'id="key"' not in page


def test_the_policy_lets_nothing_in_from_elsewhere(rest):
    answer = rest.get("/")
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'self';")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert not re.search(r"<style|\sstyle=|\son\w+=|https?://|<script(?![^>]* src=)", answer.text)
    for part in re.findall(r'(?:src|href)="(page/[^"]+)"', answer.text):
        assert rest.get(part).headers["content-security-policy"] == policy
    assert rest.get("page/secret").status_code == 404
    assert rest.get("page/..%2fpage.py").status_code == 404
