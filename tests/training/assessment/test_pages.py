"""The page in a real browser: quiet, fitting its screen, for everybody, light and dark."""

import pytest

from voxplain.training.assessment import drawing, pages
from voxplain.training.assessment.documents import (
    Document,
    Figure,
    Link,
    Section,
    Shade,
    Spread,
    Table,
)
from voxplain.training.statistics import Difference, Interval

axe = pytest.importorskip("axe_playwright_python.sync_playwright")
VIEWS = {
    "desktop": {"viewport": {"width": 1280, "height": 800}},
    "dark": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True},
}


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Of a page with everything that a document can hold, some of it wide."""
    one, gap = Interval(0.7, 0.6, 0.8, 9, 3), Difference(-0.1, -0.2, 0.0, 9, 3, 0.04)
    nothing = Interval(float("nan"), 0, 1, 0, 0)
    labels = ("angry", "boredom", "disgust", "fear", "happy", "neutral", "sad", "surprise")
    shades = [
        (name, *(Shade(f"{n}\n{n}", n / 8, n == 3) for n, _ in enumerate(labels)))
        for name in labels
    ]
    curve = drawing.curves(
        {name: [(float(x), one) for x in range(4)] for name in ("first", "second", "third")},
        title="Curves",
        x="signal to noise",
        y="UAR",
        mark=0.2,
        diagonal=True,
        ticks=[(float(x), f"{x} dB") for x in range(4)],
    )
    drawn = Table(
        "Drawn",
        ("trait", "UAR", "gap", "p"),
        [("a" * 30, one, gap, "0.04"), ("none", nothing, "", "")],
        axis=(0.0, 1.0),
        mark=0.2,
        name="drawn",
    )
    spreads = Table("Spreads", ("", "median"), [("sad", Spread(3.0, 1.0, 400.0))], axis=(0, 500))
    document = Document(
        title="A model on a corpus",
        source="corpus \N{RIGHT-TO-LEFT OVERRIDE} x",
        lede="What was found.",
        warnings=("heard in training", "few speakers"),
        sections=[
            Section(
                "one",
                "Figures",
                [
                    "Words.",
                    Figure("curve", "A curve", curve),
                    Figure("again", "Another", curve),
                    Link("elsewhere", "a/report.html"),
                ],
            ),
            Section(
                "two", "Tables", [drawn, spreads], [Table("Wide", ("", *labels), shades)], "All"
            ),
        ],
        facts=[("voxplain", "0"), ("model", "m" * 90)],
    )
    place = tmp_path_factory.mktemp("pages") / "report.html"
    place.write_text(pages.render(document), encoding="utf-8")
    return place.as_uri()


@pytest.fixture(scope="module")
def browser(browsing):
    with browsing() as chromium:
        yield chromium


@pytest.mark.parametrize("view", VIEWS)
def test_it_is_quiet_fits_its_screen_and_leaves_nobody_out(browser, address, view):
    context = browser.new_context(**VIEWS[view])
    page, heard = context.new_page(), []
    page.on("console", lambda message: heard.append(message.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("request", lambda request: heard.append(request.url))
    page.goto(address, wait_until="load")
    page.evaluate("document.querySelectorAll('details').forEach((fold) => (fold.open = true))")
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    found = axe.Axe().run(page, options={"resultTypes": ["violations"]}).response
    grave = [
        (one["id"], node["html"][:200], node["failureSummary"])
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]
    ground = page.evaluate("getComputedStyle(document.querySelector('.plot text')).fill")
    context.close()
    assert grave == []
    assert found["passes"]
    assert [one for one in heard if not one.startswith(("data:", address))] == []
    assert wide <= 0
    assert ground == ("rgb(231, 233, 235)" if "dark" in view else "rgb(26, 29, 33)")


def test_a_curve_says_in_words_what_it_shows():
    points = [(0.0, Interval(0.5, 0.4, 0.6, 3, 3)), (1.0, Interval(0.25, 0.25, 0.25, 3, 3))]
    svg = drawing.curves(
        {"UAR": points}, title="Noise", x="SNR", y="UAR", ticks=[(0.0, "clean"), (1.0, "0 dB")]
    )
    assert 'aria-label="Noise. UAR: 0.50 at clean, 0.25 at 0 dB"' in svg
    assert svg.count("<circle") == 2
