"""The page in a real browser: Chromium, without a window."""

from types import SimpleNamespace

import pytest

from voxplain.reports import html

axe = pytest.importorskip("axe_playwright_python.sync_playwright")
VIEWS = {
    "desktop": {"viewport": {"width": 1280, "height": 800}},
    "dark": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True},
    "dark phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
}


@pytest.fixture(scope="module")
def browser(browsing):
    with browsing() as chromium:
        yield chromium


@pytest.fixture(scope="module")
def files(tmp_path_factory, full, hostile, audio):
    """Name -> the address of a page."""
    folder = tmp_path_factory.mktemp("pages")
    for name, analysis in (("full", full), ("hostile", hostile)):
        text = html.render(analysis, audio, counterfactual_sounds=[audio, audio])
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return {path.stem: path.as_uri() for path in folder.iterdir()}


@pytest.fixture
def visit(browser, files):
    """Opens a page; ``heard`` is all that it says to the console or asks of the network."""
    opened = []

    def open_page(name="full", **options):
        context = browser.new_context(**(options or VIEWS["desktop"]))
        opened.append(context)
        page, heard = context.new_page(), []
        page.on("console", lambda message: heard.append(message.text))
        page.on("pageerror", lambda error: heard.append(str(error)))
        page.on("request", lambda request: heard.append(request.url))
        page.goto(files[name], wait_until="load")
        heard[:] = [one for one in heard if not one.startswith(("data:", files[name]))]
        return SimpleNamespace(page=page, heard=heard)

    yield open_page
    for context in opened:
        context.close()


def playing(page):
    return page.evaluate("player.currentTime")


def until(page, condition):
    """Waits for it, as far as the policy of the page allows: without ``eval``."""
    page.evaluate(
        f"""() => new Promise((done, failed) => {{
          setTimeout(() => failed(new Error("not within 60 s")), 60_000);
          const look = () => ({condition} ? done() : setTimeout(look, 10));
          look();
        }})"""
    )


@pytest.mark.parametrize(("view", "name"), [("phone", "full"), ("dark phone", "hostile")])
def test_it_is_quiet_and_fits_its_screen(visit, name, view):
    seen = visit(name, **VIEWS[view])
    assert seen.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert seen.heard == []


@pytest.mark.parametrize(("view", "name"), [("desktop", "full"), ("dark", "hostile")])
def test_it_is_quiet_fits_its_screen_and_leaves_nobody_out(visit, name, view):
    seen = visit(name, **VIEWS[view])
    if view == "desktop":  # what is folded looks the same everywhere
        unfold = "document.querySelectorAll('details').forEach((fold) => (fold.open = true))"
        seen.page.evaluate(unfold)
    wide = seen.page.evaluate("document.documentElement.scrollWidth - innerWidth")
    found = axe.Axe().run(seen.page, options={"resultTypes": ["violations"]}).response
    grave = [
        (one["id"], node["html"][:200], node["failureSummary"])
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]
    assert grave == []
    assert found["passes"]
    assert seen.heard == []
    assert wide <= 0


def test_names_are_shown_and_do_nothing(visit, hostile):
    page = visit("hostile").page
    assert page.evaluate("window.hacked") is None
    assert page.locator(".source bdi").inner_text() == hostile.source
    assert page.locator(".findings li").first.inner_text().startswith(hostile.claims[0].text)
    label = hostile.emotion.label_set[-1]
    assert label in page.locator("#emotion bdi").all_inner_texts()
    page.locator(".findings a").first.click()
    assert page.locator(":target bdi").inner_text() == label


def test_the_policy_forbids_the_network_and_foreign_scripts(visit):
    page = visit().page
    refused = "fetch('https://example.org/').then(() => false, () => true)"
    assert page.evaluate(refused)
    page.evaluate(
        """() => {
          const script = document.createElement("script");
          script.textContent = "window.hacked = 1";
          document.body.append(script);
        }"""
    )
    assert page.evaluate("window.hacked") is None


def test_a_moment_can_be_clicked_and_heard(visit, full):
    page = visit().page
    first, second, third = full.explanation.moments
    page.get_by_role("button", name="Moment 2,").click()
    until(page, "player.paused && player.currentTime > 1.2")
    assert second.end <= playing(page) < third.start
    assert "Moment 2" in page.locator("#said").inner_text()
    cursor = page.locator("#listen .cursor").bounding_box()
    picture = page.locator("#listen .timeline").bounding_box()
    shown = (cursor["x"] + cursor["width"] / 2 - picture["x"]) / picture["width"]
    assert shown * full.duration == pytest.approx(playing(page), abs=0.03)
    page.get_by_role("button", name="Play moment 1").click()
    until(page, f"player.paused && player.currentTime < {second.start}")
    assert first.end <= playing(page)


def test_a_moment_ends_that_was_begun_as_another_one_stopped(visit, full):
    page = visit().page
    first, second, _ = full.explanation.moments
    page.get_by_role("button", name="Play moment 1").evaluate(
        # The page hears of the pause afterwards.
        "button => { player.play(); player.pause(); button.click(); }"
    )
    until(page, "player.paused && !player.seeking")
    assert first.end <= playing(page) < second.start


def test_a_click_into_the_picture_moves_the_player(visit, full):
    page = visit().page
    box = page.locator(".spectrogram").bounding_box()
    page.mouse.click(box["x"] + 0.8 * box["width"], box["y"] + box["height"] / 2)
    until(page, "!player.seeking")
    assert playing(page) == pytest.approx(0.8 * full.duration, abs=0.02)


def test_one_sound_at_a_time(visit):
    page = visit().page
    stopped = page.evaluate(
        """async () => {
          const other = document.querySelector(".cards audio");
          await player.play();
          await other.play();
          return [player.paused, other.paused];
        }"""
    )
    assert stopped == [True, False]


def test_saliency_can_be_switched(visit):
    page = visit().page
    shown = "[...document.querySelectorAll('.layer')].map((layer) => layer.checkVisibility())"
    for choice, layers in (
        ("frequency: occlusion (noise)", [False, True, False]),
        ("time frequency: occlusion (noise)", [False, False, True]),
        ("nothing", [False, False, False]),
        ("time: occlusion (noise)", [True, False, False]),
    ):
        page.get_by_label("Saliency").select_option(label=choice)
        assert page.evaluate(shown) == layers


def test_everything_can_be_reached_and_used_with_the_keyboard(visit, full):
    page = visit().page
    wanted = page.evaluate(
        """() => [...document.querySelectorAll("a, button, select, audio, summary")]
          .filter((one) => one.tabIndex >= 0 && one.checkVisibility()).length"""
    )
    reached = []
    for _ in range(10 * wanted):  # the parts of a player are reached one by one
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                """() => {
                  const all = [...document.querySelectorAll("a, button, select, audio, summary")];
                  return all.indexOf(document.activeElement);
                }"""
            )
        )
        if reached[-1] == -1:
            break
    assert len(set(reached) - {-1}) == wanted
    assert reached[0] == 0
    assert page.evaluate("document.querySelector('a').textContent") == "Skip to the content"
    page.get_by_role("button", name="Moment 3,").focus()
    page.keyboard.press("Enter")
    until(page, "player.paused && player.currentTime > 2.3")
    assert playing(page) == pytest.approx(full.explanation.moments[2].end, abs=0.2)


def test_a_link_unfolds_what_it_leads_to(visit):
    page = visit().page
    page.get_by_text("All that was found").click()
    row = page.locator("[id='descriptors.levels.jitter_mean_percent']")
    assert not row.is_visible()
    page.locator(".findings a").last.click()
    row.wait_for(state="visible")
    edges = "document.querySelector(':target').getBoundingClientRect()"
    until(page, f"{edges}.top >= 0 && {edges}.bottom <= innerHeight")


def test_printed_it_is_whole_and_dark_on_white(visit):
    page = visit(color_scheme="dark").page
    assert page.pdf(format="A4").startswith(b"%PDF")
    assert page.locator("details:not([open])").count() == 0
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(26, 29, 33)"
    assert not page.locator("#player").is_visible()
    assert not page.locator(".play").first.is_visible()


def test_it_can_be_read_without_scripts(visit):
    page = visit(java_script_enabled=False).page
    assert page.locator("#player").is_visible()
    assert page.locator(".layer").first.is_visible()
    assert not page.get_by_role("button", name="Play moment 1").is_visible()
    assert page.get_by_role("heading", name="Sounds angry").is_visible()
