"""The page at `/` in a real browser, without a screen."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright
from tests.integration.serving.http_servers import serving_fake
from tests.unit.services.serving.fake_service import FakeService

from latebind.ir.builder import IrBuilder
from latebind.ir.print_dot import to_dot
from latebind.ir.print_text import to_text
from latebind.ir.types import TensorType


class Changing(FakeService):
    """Has a graph, and a request more each time that it is asked."""

    asked = 0

    def report(self) -> Any:
        self.asked += 1
        figures = dict(super().report()["echo"])
        figures["requests"] = 10 * self.asked
        figures["latency"] = {"bounds": [0.001, 0.1], "counts": [5 * self.asked, self.asked, 0], "sum": 1, "count": 1}
        return {"echo": figures}

    async def graphs(self, name: str) -> Any:
        self.status(name)
        return [graph("computation_0", "tanh")]


class Several(Changing):
    """Has two graphs."""

    async def graphs(self, name: str) -> Any:
        return [graph("computation_0 (1 rows)", "tanh"), graph("computation_1 (2 rows)", "cosine")]


def graph(name: str, operation: str) -> dict[str, str]:
    b = IrBuilder()
    x = b.make_parameter(TensorType.of((4, 4), np.dtype(np.float32))).value(0)
    y = b.op(f"stablehlo::{operation}", b.op("stablehlo::add", x, x))
    return {
        "name": name,
        "ir": to_text("computation", [x.node], [y]),
        "dot": to_dot("computation", [x.node], [y]),
        "backend_text": f"def computation(p0):\n    return numpy.{operation}(p0 + p0)  # <script>alert(1)</script>\n",
    }


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI needs Chromium")
        pytest.skip("there is no Chromium")
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield made
        made.close()


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture
def page(browser: Browser, complaints: list[str]) -> Iterator[Page]:
    with browser.new_context(viewport={"width": 1280, "height": 800}) as context:
        made = context.new_page()

        def console(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning"):
                complaints.append(message.text)

        def request(request: Request) -> None:
            if not request.url.startswith(("http://127.0.0.1:", "data:")):
                complaints.append(request.url)

        made.on("console", console)
        made.on("pageerror", lambda error: complaints.append(str(error)))
        made.on("request", request)
        yield made


def url(address: tuple[str, int]) -> str:
    return f"http://127.0.0.1:{address[1]}/"


def test_programs_and_their_figures_change(page: Page, complaints: list[str]) -> None:
    with serving_fake(Changing(), page=True) as address:
        page.goto(url(address))
        row = page.get_by_role("row", name="echo")
        expect(row).to_contain_text("READY")
        expect(page.locator("#summary")).to_have_text("1 of 1 programs ready")
        chart = page.get_by_role("img", name="Requests per second")
        expect(chart).to_have_attribute("aria-label", re.compile("in [3-9] s"))
        assert "L" in (chart.locator("path").get_attribute("d") or "")
        expect(page.locator("dd", has_text="linalg::svd: 2")).to_be_visible()
        expect(row.locator("td").nth(2)).not_to_have_text("0.00")
    assert complaints == []


def test_graphs_are_folded_searched_and_drawn_by_keyboard(page: Page, complaints: list[str]) -> None:
    with serving_fake(Changing(), page=True) as address:
        page.goto(url(address))
        graphs = page.locator("summary", has_text="Compiled graphs")
        graphs.focus()
        page.keyboard.press("Enter")
        search = page.get_by_role("searchbox")
        expect(search).to_be_visible()
        for title in ("computation_0", "IR", "Drawing", "Backend text"):
            summary = page.locator("summary", has_text=title).first
            summary.focus()
            page.keyboard.press("Enter")
        expect(
            page.locator("pre", has_text="stablehlo.tanh").or_(page.locator("pre", has_text="tanh")).first
        ).to_be_visible()
        expect(page.locator(".drawing rect")).to_have_count(4)  # a parameter, two operations, a result
        expect(page.locator("pre", has_text="<script>")).to_be_visible()  # as text
        search.fill("tanh")
        expect(page.locator(".drawing .found")).to_have_count(1)
        expect(page.locator("pre mark").first).to_have_text("tanh")
        expect(page.locator("pre").first).not_to_contain_text("add")
        search.fill("no such thing")
        expect(page.locator("pre").first).to_have_text("Nothing found.")
        search.fill("")
        expect(page.locator("pre").first).to_contain_text("add")
        page.locator("summary", has_text="computation_0").first.focus()
        page.keyboard.press("Enter")
        expect(page.locator(".drawing")).to_be_hidden()
    assert complaints == []


def test_search_hides_graphs_without_a_hit(page: Page, complaints: list[str]) -> None:
    with serving_fake(Several(), page=True) as address:
        page.goto(url(address))
        page.locator("summary", has_text="Compiled graphs").click()
        search, found = page.get_by_role("searchbox"), page.get_by_role("status")
        first, second = (page.locator("summary", has_text=f"computation_{number}") for number in range(2))
        expect(first).to_be_visible()
        expect(second).to_be_visible()
        search.fill("Tanh")
        expect(first).to_contain_text("2 lines")
        expect(second).to_be_hidden()
        expect(found).to_have_text("Found in 1 of 2 graphs.")
        search.fill("add")
        expect(second).to_be_visible()
        expect(found).to_have_text("Found in 2 of 2 graphs.")
        search.fill("(2 rows)")  # in a name only: all its lines are shown
        expect(first).to_be_hidden()
        second.click()
        page.locator("summary", has_text="IR").locator("visible=true").click()
        expect(page.locator("pre").locator("visible=true")).to_contain_text("cosine")
        search.fill("stablehlo::cosine")  # in a drawing only
        expect(second).to_be_visible()
        expect(first).to_be_hidden()
        search.fill("no such thing")
        expect(first).to_be_hidden()
        expect(second).to_be_hidden()
        expect(found).to_have_text("Found in none of 2 graphs.")
        search.fill(" ")
        expect(first).to_be_visible()
        expect(second).to_be_visible()
        expect(found).to_be_hidden()
    assert complaints == []


def test_charts_have_a_time_axis_and_their_largest_value(page: Page, complaints: list[str]) -> None:
    with serving_fake(Changing(), page=True) as address:
        page.goto(url(address))
        figure = page.locator("figure", has_text="Requests per second")
        assert figure.locator(".axis span").all_inner_texts() == ["3 min ago", "2 min ago", "1 min ago", "now"]
        expect(figure.locator(".most")).not_to_have_text("")
        expect(figure.locator("path")).to_have_attribute(
            "d", re.compile(r"^M1[67]\d\.\d [\d.]+L")
        )  # near the right end
        lines = [line.get_attribute("x1") for line in figure.locator("line").all()]
        assert lines == ["0", "60", "120"]
        left = [box["x"] for box in (each.bounding_box() for each in figure.locator(".axis span").all()) if box]
        drawing = figure.locator("svg").bounding_box()
        assert drawing is not None
        for number in range(3):  # each label begins at its line
            assert abs(left[number] - (drawing["x"] + drawing["width"] * number / 3)) < 2
    assert complaints == []


def test_everything_is_reached_with_the_tab_key_and_seen(page: Page, complaints: list[str]) -> None:
    with serving_fake(Changing(), page=True) as address:
        page.goto(url(address))
        expect(page.get_by_role("row", name="echo")).to_be_visible()
        assert next_stop(page) == "Programs"  # the table, which may be wider than the window
        assert next_stop(page) == "Compiled graphs"
        page.keyboard.press("Enter")
        expect(page.get_by_role("searchbox")).to_be_visible()
        assert next_stop(page) == "Search the graphs of echo"
        assert next_stop(page) == "computation_0"
        page.keyboard.press("Space")
        for title, content in (("IR", "pre"), ("Drawing", ".drawing"), ("Backend text", "pre")):
            assert next_stop(page) == title
            page.keyboard.press("Enter")
            expect(page.locator(content).locator("visible=true").last).to_be_visible()
            assert next_stop(page) == f"{title} of computation_0"
        page.keyboard.press("Shift+Tab")
        assert stop(page) == "Backend text"
    assert complaints == []


def next_stop(page: Page) -> str:
    """Go on with the tab key; return what has the focus, which has to be seen."""
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineWidth") == "3px"
    return stop(page)


def stop(page: Page) -> str:
    named = "document.getElementById(document.activeElement.getAttribute('aria-labelledby'))?.textContent"
    label = "document.activeElement.getAttribute('aria-label')"
    return str(page.evaluate(f"({named} ?? {label} ?? document.activeElement.textContent).trim()"))


def test_dark_and_narrow(page: Page, complaints: list[str]) -> None:
    with serving_fake(Changing(), page=True) as address:
        page.goto(url(address))
        expect(page.get_by_role("row", name="echo")).to_be_visible()
        background = "getComputedStyle(document.body).backgroundColor"
        light = page.evaluate(background)
        page.emulate_media(color_scheme="dark")
        assert page.evaluate(background) != light
        page.set_viewport_size({"width": 400, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= 400
    assert complaints == []


def test_a_server_that_is_gone_is_said(page: Page) -> None:
    with serving_fake(Changing(), page=True) as address:
        page.goto(url(address))
        expect(page.get_by_role("row", name="echo")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("does not answer", timeout=20_000)


def test_the_token_is_asked_for_once(page: Page) -> None:
    with serving_fake(Changing(), page=True, token="s3cret") as address:
        page.goto(url(address))
        field = page.get_by_label("This server asks for a token:")
        expect(field).to_be_visible()
        expect(page.locator("tbody tr")).to_have_count(0)
        field.fill("s3cret")
        page.keyboard.press("Enter")
        expect(page.get_by_role("row", name="echo")).to_be_visible()
        expect(field).to_be_hidden()
        page.reload()
        expect(page.get_by_role("row", name="echo")).to_be_visible()
