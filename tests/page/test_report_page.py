"""The report opens from a file in a real browser, walks, answers what-if, and prints one page."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from typer.testing import CliRunner

from locum.cli.main import app
from locum.estate.page.carrier import one_file

ROOT = Path(__file__).parents[2]
HOSTILE = "</script><img src=x onerror=document.title='taken'>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    assert chromium, "the tests need Chromium: `make test` installs it"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("report") / "acme.html"
    done = CliRunner().invoke(app, ["report", str(ROOT / "examples" / "acme"), "--out", str(out)])
    assert done.exit_code == 0, done.output
    return out


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    wrong: list[str] = []
    asked: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("request", lambda request: asked.append(request.url))
    yield opened
    opened.close()
    assert wrong == []
    assert [url for url in asked if not url.startswith("file:")] == []


def test_the_report_shows_its_counts_and_its_findings(page: Page, report: Path) -> None:
    page.goto(report.as_uri())
    assert "60" in page.inner_text("#counts")
    assert page.locator("#list details").count() == 64
    page.select_option("#severity", "error")
    page.fill("#text", "judy")
    assert page.locator("#list details").count() >= 2
    page.locator("#list details summary").first.click()
    assert "judy" in page.inner_text("#list details[open]")


def test_one_walks_on_the_map_and_thinks_a_thing_away(page: Page, report: Path) -> None:
    page.goto(f"{report.as_uri()}#map=erin")
    assert page.inner_text("#said") == "erin can be entered with no factor, typed, bearer."
    assert page.locator("#canvas path.weak").count() > 3
    page.locator("#canvas g.node", has_text="phone-number:+41790000005").click()
    page.get_by_role("button", name="Think it away").click()
    page.fill("#search", "erin")
    page.dispatch_event("#search", "change")
    page.wait_for_function("document.getElementById('said').textContent.includes('Without')")
    assert page.inner_text("#said").startswith("Without phone-number:+41790000005:")
    page.get_by_role("button", name="Bring everything back").click()
    assert page.inner_text("#said") == "erin can be entered with no factor, typed, bearer."


def test_the_page_answers_as_the_solver_does(page: Page, report: Path) -> None:
    page.goto(report.as_uri())
    same = page.evaluate("weakest().every((word, at) => worth(word) === data.vertices[at].worth)")
    assert same


def test_lock_outs_and_verdicts_are_listed(page: Page, report: Path) -> None:
    page.goto(report.as_uri())
    assert "device:bob-laptop" in page.inner_text("#losses")
    assert "root-admin/local-root" in page.inner_text("#judged")


def test_one_page_is_printed(page: Page, report: Path) -> None:
    page.goto(f"{report.as_uri()}#board")
    assert page.locator("header").is_hidden()
    assert "What matters most" in page.inner_text("#board")
    assert page.pdf(prefer_css_page_size=True).count(b"/Type /Page\n") == 1


def test_a_hostile_name_stays_a_name(page: Page, report: Path, tmp_path: Path) -> None:
    carried = report.read_text().partition('id="estate">')[2].partition("</script>")[0]
    text = carried.replace("erin@acme.example", json.dumps(HOSTILE)[1:-1])
    file = tmp_path / "hostile.html"
    file.write_text(one_file(json.loads(text)))
    page.goto(file.as_uri())
    assert page.title() == "Locum: acme"
    assert page.locator("img").count() == 0


def test_the_next_report_shows_the_trend(page: Page, report: Path, tmp_path: Path) -> None:
    estate = tmp_path / "acme"
    shutil.copytree(ROOT / "examples" / "acme", estate)
    found = estate / "found.yaml"
    lines = [one for one in found.read_text().splitlines() if not one.startswith("  fraud-key")]
    found.write_text("\n".join(lines) + "\n")
    out = tmp_path / "next.html"
    wanted = ["report", str(estate), "--out", str(out), "--last", str(report)]
    done = CliRunner().invoke(app, wanted)
    assert done.exit_code == 0, done.output
    page.goto(out.as_uri())
    assert "1 gone" in page.inner_text("#trend")
    assert "errors 22 → 21" in page.inner_text("#trend")


DEEP = "[" * 100_000
HOLLOW = {"kind": "locum.report/1", "made_at": "today", "counts": {}, "findings": []}


@pytest.mark.parametrize(
    "text",
    [
        "<html></html>",
        DEEP,
        f'{{"kind": "locum.report/1", "findings": {DEEP}',
        '{"kind": "locum.report/1"}',
        json.dumps(HOLLOW),
        json.dumps({**HOLLOW, "counts": {"errors": 1, "warnings": 0}, "findings": [1]}),
    ],
    ids=["page", "deep", "deep inside", "kind alone", "no counts", "no findings"],
)
def test_another_file_is_no_last_report(text: str, tmp_path: Path) -> None:
    other = tmp_path / "other.html"
    other.write_text(text)
    out = tmp_path / "out.html"
    words = ["report", str(ROOT / "examples" / "acme"), "--last", str(other), "--out", str(out)]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 2, done.output
    assert "is no report of locum.report/1" in done.output
    assert not out.exists()
