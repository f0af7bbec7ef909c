"""The page of a graph in a real browser, without a screen: from a file, with no request to anything else."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright
from tests.engines import need
from tests.integration.test_cli import latebind

import latebind as lb
from latebind.settings import load_settings

PROGRAM = """
import latebind as lb

def layer(x, w):
    return lb.tanh(x @ w + 1.0)

x, w = lb.ones((4, 8)), lb.full((8, 3), 0.5)
y = layer(x, w)
print(lb.mean(y, axis=0))
"""


FUSED = """
import latebind as lb

x = lb.reshape(lb.linspace(0.0, 1.0, 4096), (64, 64))
lb.sync(x)
print(((x * x - x) @ x)[0, 0])
"""


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


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture
def page(browser: Browser, complaints: list[str], request: pytest.FixtureRequest) -> Iterator[Page]:
    scheme: Any = request.getfixturevalue("scheme") if "scheme" in request.fixturenames else "light"
    with browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme=scheme) as context:
        made = context.new_page()

        def console(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning"):
                complaints.append(message.text)

        def asked(request: Request) -> None:
            if not request.url.startswith(("file:", "data:")):
                complaints.append(request.url)

        made.on("console", console)
        made.on("pageerror", lambda error: complaints.append(str(error)))
        made.on("request", asked)
        yield made


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page that the command writes, with times."""
    folder = tmp_path_factory.mktemp("small")
    (folder / "program.py").write_text(PROGRAM)
    done = latebind("graph", "program.py", "--backend", "numpy", "--time", "--html", "g.html", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "g.html"


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A graph of 10,000 nodes."""
    settings = load_settings(overrides={"backend": {"name": "numpy"}, "recording": {"limit": 30_000, "direct": False}})
    container = lb.Container(name="large", settings=settings)
    with container:
        rng = np.random.default_rng(0)
        arrays = [lb.asarray([float(number)]) for number in range(8)]
        for one, other, add in rng.integers(0, [8, 8, 2], (21_000, 3)):
            arrays[one] = arrays[one] + arrays[other] if add else lb.sin(arrays[other])
        path = lb.graph(*arrays).save(tmp_path_factory.mktemp("large") / "g.html")
    container.close()
    return path


def open_page(page: Page, path: Path) -> None:
    page.goto(path.as_uri())
    # Not `wait_for_function`: where it has to wait it evaluates a text, which the page's own policy forbids.
    expect(page.locator("canvas").first).to_have_attribute("data-nodes", re.compile("."))


def drawn(page: Page, name: str, pane: int = 0) -> float:
    """Return a figure that the drawing tells of itself, once what was asked for is drawn."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    text = page.locator("canvas").nth(pane).get_attribute(f"data-{name}")
    return float(text) if text else -1.0


def colours(page: Page) -> int:
    """Return how many colours the drawing has, roughly."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return int(
        page.evaluate(
            """() => {
              const canvas = document.querySelector("canvas");
              const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
              const seen = new Map();
              for (let i = 0; i < data.length; i += 4) {
                if (data[i + 3] < 255) continue;
                const key = (data[i] << 16) | (data[i + 1] << 8) | data[i + 2];
                seen.set(key, (seen.get(key) ?? 0) + 1);
              }
              return [...seen.values()].filter((count) => count > 300).length;
            }"""
        )
    )


def test_a_page_draws_and_asks_no_host_for_anything(
    page: Page, complaints: list[str], small: Path, scheme: str
) -> None:
    open_page(page, small)
    assert drawn(page, "nodes") == drawn(page, "drawn") == 9
    assert colours(page) >= 4
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)[0]")
    assert (ground > 128) == (scheme == "light")
    expect(page.locator("#legend")).to_contain_text("linear algebra")
    assert complaints == []
    assert "http://" not in small.read_text().replace("http://www.w3.org/", "")
    assert "https://" not in small.read_text()


def test_a_search_finds_operations_types_and_lines(page: Page, complaints: list[str], small: Path) -> None:
    open_page(page, small)
    page.keyboard.press("/")
    for words, found in (("tanh", 1), ("tensor<4x3xf64>", 3), ("program.py:5", 4), ("nowhere", 0), ("%0", 1)):
        page.get_by_role("searchbox").fill(words)
        expect(page.locator("#search output")).to_have_text(f"{found} found")
    page.get_by_role("searchbox").fill("tanh")
    page.keyboard.press("Enter")
    expect(page.locator("#search output")).to_have_text("1 of 1")
    details = page.locator("#details")
    expect(details.locator("h2")).to_contain_text("tanh")
    for text in ("tensor<4x3xf64>", "layer", "program.py:5", "return lb.tanh(x @ w + 1.0)"):
        expect(details).to_contain_text(text)
    assert complaints == []


def test_lines_and_functions_are_folded_and_unfolded(page: Page, complaints: list[str], small: Path) -> None:
    open_page(page, small)
    page.get_by_label("Fold by").select_option("function")
    assert drawn(page, "nodes") == 2
    page.get_by_label("Fold by").select_option("line")
    assert drawn(page, "nodes") == 3
    page.locator("canvas").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#details")).to_contain_text("operation")
    page.get_by_role("button", name="Show its operations").click()
    assert drawn(page, "nodes") == 9
    assert complaints == []


def test_colours_tell_memory_time_and_fusion(page: Page, complaints: list[str], small: Path, tmp_path: Path) -> None:
    open_page(page, small)
    colour = page.get_by_label("Colour by")
    for key, legend in (("memory", "8 B to 256 B"), ("time", "µs")):
        colour.select_option(key)
        expect(page.locator("#legend")).to_contain_text(legend)
    assert colour.locator("option[value=fusion]").is_disabled()
    need("jax")
    (tmp_path / "program.py").write_text(FUSED)
    done = latebind("graph", "program.py", "--backend", "xla", "--html", "g.html", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    open_page(page, tmp_path / "g.html")
    page.get_by_label("Show", exact=True).select_option(label="final, xla")
    colour.select_option("fusion")
    expect(page.locator("#legend li", has_text="fusion")).not_to_have_count(0)
    assert complaints == []


def test_two_backends_stand_side_by_side(page: Page, complaints: list[str], tmp_path: Path) -> None:
    need("jax")
    (tmp_path / "program.py").write_text(PROGRAM)
    done = latebind("graph", "program.py", "--backend", "numpy", "--backend", "xla", "--html", "g.html", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    open_page(page, tmp_path / "g.html")
    shown = page.get_by_label("Show", exact=True)
    assert [shown.nth(pane).evaluate("(one) => one.selectedOptions[0].text") for pane in (0, 1)] == [
        "final, numpy",
        "final, xla",
    ]
    shown.nth(0).select_option(label="numpy")
    shown.nth(1).select_option(label="xla")
    expect(page.locator("pre").nth(0)).to_contain_text("tanh(")
    expect(page.locator("pre").nth(1)).to_contain_text("stablehlo.tanh")
    page.get_by_role("button", name="Side by side").click()
    expect(page.locator(".pane")).to_have_count(1)
    assert complaints == []


def test_everything_is_reached_by_keyboard(page: Page, complaints: list[str], small: Path) -> None:
    open_page(page, small)
    reached = []
    for _ in range(20):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("document.activeElement.tagName + ' ' + (document.activeElement.id || '')").strip()
        )
        if reached[-1] == "CANVAS":
            break
    assert reached[-1] == "CANVAS"
    assert reached.count("SELECT") == 3
    scale = drawn(page, "scale")
    page.keyboard.press("+")
    assert drawn(page, "scale") > scale
    page.keyboard.press("0")
    assert drawn(page, "scale") == scale
    page.keyboard.press("Enter")
    first = drawn(page, "selected")
    page.keyboard.press("ArrowUp")
    assert drawn(page, "selected") not in (-1, first)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    assert drawn(page, "selected") == -1
    assert complaints == []


def test_the_mouse_moves_zooms_and_selects(page: Page, complaints: list[str], small: Path) -> None:
    open_page(page, small)
    scale = drawn(page, "scale")
    page.mouse.move(480, 400)
    page.mouse.wheel(0, -400)
    assert drawn(page, "scale") > scale
    page.keyboard.press("Tab")
    page.locator("canvas").focus()
    page.keyboard.press("0")
    x, y = page.evaluate("App.active.view.spot(4)")
    box = page.locator("canvas").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + x, box["y"] + y)
    assert drawn(page, "selected") == 4
    page.mouse.move(box["x"] + 20, box["y"] + 300)
    page.mouse.down()
    page.mouse.move(box["x"] + 220, box["y"] + 300, steps=3)
    page.mouse.up()
    assert page.evaluate("App.active.view.spot(4)[0]") == pytest.approx(x + 200, abs=1)
    assert drawn(page, "selected") == 4
    assert complaints == []


def test_a_graph_of_ten_thousand_nodes_stays_usable(page: Page, complaints: list[str], large: Path) -> None:
    open_page(page, large)
    assert drawn(page, "nodes") > 10_000
    # What is out of sight is not drawn, and what opens can be read.
    assert 0 < drawn(page, "drawn") < 500
    page.locator("canvas").focus()
    page.keyboard.press("0")
    assert drawn(page, "drawn") == drawn(page, "nodes")
    page.get_by_role("searchbox").fill("sine")
    expect(page.locator("#search output")).to_have_text("0 found")
    page.get_by_role("searchbox").fill("sin")
    expect(page.locator("#search output")).to_have_text(f"{expected(large, 'sin')} found")
    page.keyboard.press("Enter")
    assert drawn(page, "scale") > 0.5
    assert 0 < drawn(page, "drawn") < 500
    page.get_by_label("Fold by").select_option("line")
    assert drawn(page, "nodes") < 30
    assert complaints == []


def expected(path: Path, label: str) -> int:
    """Return how many operations of a name the first view of a page has, by the page's own data."""
    text = path.read_text()

    def data(name: str) -> Any:
        start = text.index(f'id="{name}">') + len(f'id="{name}">')
        return json.loads(text[start : text.index("</script>", start)])

    number = data("page")["strings"].index(label)
    return int(data("view-0")["drawing"]["label"].count(number))


def test_a_notebooks_frame_draws_without_seeing_the_notebook(page: Page, complaints: list[str], tmp_path: Path) -> None:
    container = lb.Container(name="frame", settings=load_settings(overrides={"backend": {"name": "numpy"}}))
    with container:
        frame = lb.graph(lb.sin(lb.ones((2,))))._repr_html_()
    container.close()
    (tmp_path / "notebook.html").write_text(f"<!doctype html><title>notebook</title>{frame}")
    page.goto((tmp_path / "notebook.html").as_uri())
    canvas = page.frame_locator("iframe").locator("canvas")
    expect(canvas).to_have_attribute("data-nodes", "3")
    assert complaints == []


def test_what_a_program_is_called_cannot_become_part_of_the_page(
    page: Page, complaints: list[str], tmp_path: Path
) -> None:
    name = "<img src=x onerror=alert(1)>.py"
    (tmp_path / name).write_text("import latebind as lb\nprint(lb.sin(lb.ones((2,))))  # </script><script>alert(2)\n")
    done = latebind("graph", name, "--backend", "numpy", "--html", "g.html", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    open_page(page, tmp_path / "g.html")
    expect(page.locator("h1")).to_have_text(name)
    page.get_by_role("searchbox").fill("sin")
    page.keyboard.press("Enter")
    expect(page.locator("#details code")).to_contain_text("</script><script>alert(2)")
    assert page.locator("img").count() == 0
    assert complaints == []
