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
        b = IrBuilder()
        x = b.make_parameter(TensorType.of((4, 4), np.dtype(np.float32))).value(0)
        y = b.op("stablehlo::tanh", b.op("stablehlo::add", x, x))
        return [
            {
                "name": "computation_0",
                "ir": to_text("computation_0", [x.node], [y]),
                "dot": to_dot("computation_0", [x.node], [y]),
                "backend_text": "def computation_0(p0):\n    return numpy.tanh(p0 + p0)  # <script>alert(1)</script>\n",
            }
        ]


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
        page.locator("summary", has_text="computation_0").first.focus()
        page.keyboard.press("Enter")
        expect(page.locator(".drawing")).to_be_hidden()
    assert complaints == []


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
