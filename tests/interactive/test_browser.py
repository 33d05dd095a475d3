"""The interactive report in a real browser: what a reader sees and does, with the keyboard too."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from fat_fpga.campaign import CostMatrix, Run, most_critical, read_selection, run_campaign
from fat_fpga.campaign.rounds import run_in_rounds
from fat_fpga.campaign.sweep import Sweep
from fat_fpga.campaign.sweep_rounds import UntilInterval
from fat_fpga.datasets.dataset import Dataset
from fat_fpga.hardening.criticality import criticality_of
from fat_fpga.hardening.front import Front
from fat_fpga.hardening.planner import Planner
from fat_fpga.interactive import write_html
from fat_fpga.interactive.details import Subject
from tests.campaign.tiny import tiny_data, tiny_network, tiny_run, tiny_run_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytest.importorskip("plotly", reason="the interactive report needs plotly")
playwright = pytest.importorskip("playwright.sync_api", reason="the browser is driven by playwright")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: Debian's package is called chromium")

Open = Callable[..., "Page"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with playwright.sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield found
        found.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Open]:
    """Opens a page; at the end it must have complained of nothing and asked for nothing but itself."""
    complaints: list[str] = []
    context = browser.new_context(accept_downloads=True)

    def opened(path: Path, width: int = 1280, whole: bool = True) -> Page:
        page = context.new_page()
        page.set_viewport_size({"width": width, "height": 900})
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        page.on("request", lambda request: None if request.url == path.as_uri() else complaints.append(request.url))
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-ready]", timeout=120_000)
        if whole:  # also what is far down: as for printing
            page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
        return page

    yield opened
    context.close()
    assert [text for text in complaints if not text.startswith("blob:")] == []


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Path]:
    """A campaign of all stuck channels with predictions, and its page."""
    folder, network, data = tmp_path_factory.mktemp("kept"), tiny_network(), tiny_data()
    run = run_campaign(network, data, None, folder / "a.run", "reference", counting=("outcomes", "predictions"))
    write_html(run, folder / "a.html", subject=Subject(network, data), details_of=3)
    return run, folder / "a.html"


def test_the_first_look(kept: tuple[Run, Path], visit: Open) -> None:
    run, path = kept
    page = visit(path)
    worst = most_critical(run.results, 1)[0]
    assert page.inner_text("h1") == "tiny under fault"
    figures = page.locator(".key b").all_inner_texts()
    assert figures[:2] == [f"{100 * run.error_free / 30:.2f} %", f"{100 * worst.correct / 30:.2f} %"]
    assert page.inner_text("#worst") == worst.fault
    assert page.inner_text("#detail h2") == f"The worst fault: {worst.fault}"
    assert run.identity.network_fingerprint in (page.text_content("#head") or "")
    assert page.locator("#faults tbody tr").count() == 14
    shown = [section for section in page.locator("main > section").all() if section.is_visible()]
    ids = [section.get_attribute("id") for section in shown]
    assert ids == ["layers", "ranges", "promise", "channels", "outcomes", "faults", "detail"]


def test_figures_are_drawn_when_they_are_looked_at(kept: tuple[Run, Path], visit: Open) -> None:
    """The list of faults needs no figure, so it is there before the library that draws is read."""
    page = visit(kept[1], 390, whole=False)
    drawn = "id => (document.querySelector(`#${id} .figure`) || {}).data !== undefined"
    assert page.evaluate(drawn, "ranges")
    assert not page.evaluate(drawn, "outcomes")
    assert page.evaluate("performance.getEntriesByName('usable').length") == 1
    page.locator("#outcomes").scroll_into_view_if_needed()
    page.wait_for_selector("#outcomes .figure .nsewdrag", state="attached")
    assert page.evaluate(drawn, "outcomes")
    text = kept[1].read_text(encoding="utf-8")
    assert text.index('<script type="text/plain" id="library">') > text.index('id="content"')


def test_criteria_beyond_accuracy(visit: Open, tmp_path: Path) -> None:
    network, data = tiny_network(), tiny_data()
    matrix = CostMatrix((1 - np.eye(4)).astype(np.int64) * 25, 1)
    run = run_campaign(network, data, None, tmp_path / "a.run", counting=("errors", matrix.counting))
    write_html(run, tmp_path / "a.html")
    page = visit(tmp_path / "a.html")
    cells = page.locator("#criteria tbody tr").last.locator("td").all_inner_texts()
    worst = min(run.results, key=lambda result: result.correct)
    assert cells[:2] == ["mean cost of an image", "all"]
    assert float(cells[3]) == pytest.approx(2.5 * (30 - worst.correct) / 30, abs=1e-3)
    page.locator("#criteria tbody tr").last.locator("button").click()
    assert worst.fault in page.inner_text("#detail h2")


def test_a_fault_shows_images_path_and_confusion(kept: tuple[Run, Path], visit: Open) -> None:
    run, path = kept
    page, data = visit(path), tiny_data()
    assert run.predictions is not None
    worst = most_critical(run.results, 1)[0]
    found = run.predictions.of(run.results.index(worst))
    changed = np.flatnonzero(found != run.golden)
    assert f"{len(changed)} images" in page.inner_text("#detail .images")
    names = data.classes
    captions = page.locator("#detail .images figcaption").all_inner_texts()
    expected = {
        f"image {n}\nis {names[data.labels[n]]}\n{names[run.golden[n]]} → {names[found[n]]}" for n in changed.tolist()
    }
    assert len(captions) == min(18, len(changed))
    assert set(captions) <= expected
    first = int(captions[0].split()[1])
    pixel = "canvas => canvas.getContext('2d').getImageData(0, 0, 8, 8).data[4 * 9]"
    assert page.locator("#detail .images canvas").first.evaluate(pixel) == data.images[first, 0, 1, 1]
    assert "conv1" in page.inner_text("#detail .path")
    planner = Planner(criticality_of(run))
    point = next(point for point in planner.front() if point.worst_correct > worst.correct)
    facts = page.inner_text("#detail dl")
    assert (
        f"keeps a worst error of {100 - 100 * point.worst_correct / 30:.2f} % triplicates {point.triplicated}" in facts
    )
    table = np.zeros((4, 4), int)
    np.add.at(table, (data.labels, found), 1)
    drawn = page.locator("#detail .confusion .figure").evaluate("figure => figure.data[0].z")
    assert drawn == table.tolist()


def test_layers_filter_and_a_selection_is_a_fault_list(kept: tuple[Run, Path], visit: Open, tmp_path: Path) -> None:
    page = visit(kept[1])
    page.locator("#strip button", has_text="conv1").click()
    assert page.inner_text("#count") == "6 faults chosen"
    page.select_option("#filters select[name=effect]", "stuck at +1")
    assert page.inner_text("#count") == "3 faults chosen"
    with page.expect_download() as download:
        page.click("text=save as a fault list")
    download.value.save_as(tmp_path / "faults.txt")
    chosen = read_selection(tmp_path / "faults.txt", tiny_network())
    assert sorted(map(str, chosen.faults)) == [f"conv1/channel[{n}] = +1" for n in range(3)]
    page.click("text=show all")
    assert page.inner_text("#count") == "14 faults chosen"
    page.fill("#find", "channel[2]")
    assert page.inner_text("#count") == "4 faults chosen"


def test_tables_sort(kept: tuple[Run, Path], visit: Open) -> None:
    run, path = kept
    page = visit(path)
    page.click("#faults thead button:has-text('changed classes')")
    shown = [int(row.split("\t")[-1]) for row in page.locator("#faults tbody tr").all_inner_texts()]
    assert shown == sorted(run.changed.tolist(), reverse=True)
    assert page.get_attribute("#faults thead th:last-child", "aria-sort") == "descending"
    page.click("#faults thead button:has-text('fault')")
    shown_faults = page.locator("#faults tbody td:first-child").all_inner_texts()
    assert shown_faults == [result.fault for result in run.results]


def test_the_line_tells_what_a_promise_costs(kept: tuple[Run, Path], visit: Open) -> None:
    run, path = kept
    page = visit(path)
    planner = Planner(criticality_of(run))
    front = Front("", planner, tuple(planner.front()))
    worst: dict[str, int] = {}
    for result in run.results:
        worst[result.address] = min(worst.get(result.address, 30), result.correct)
    for target in planner.criticality.targets:
        error = 100 - 100 * target / 30
        page.fill("#error", repr(error))
        plan = front.at(target)
        assert plan is not None
        text = page.inner_text("#cost")
        below = sum(correct < target for correct in worst.values())
        assert f"channels below the line\t{below} of {len(worst)}" in text
        assert f"{plan.triplicated} channel" in text
        ratio = re.search(r"([\d.]+) . without protection", text)
        assert ratio is not None
        assert float(ratio[1]) == pytest.approx(plan.ratio, abs=6e-5)
        assert f"fat-fpga plan a.run --worst-error {error:.2f}" in text


def test_the_line_is_dragged_and_moved_by_keys(kept: tuple[Run, Path], visit: Open) -> None:
    _, path = kept
    page = visit(path)
    line = page.locator("#line")
    line.scroll_into_view_if_needed()
    before = float(page.get_attribute("#line", "aria-valuenow") or "nan")
    line.focus()
    page.keyboard.press("ArrowUp")
    assert float(page.get_attribute("#line", "aria-valuenow") or "nan") == pytest.approx(before + 0.1, abs=0.011)
    box = line.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y + 60, steps=4)
    page.mouse.up()
    assert float(page.get_attribute("#line", "aria-valuenow") or "nan") < before - 1


def test_a_fault_is_chosen_by_the_keyboard(kept: tuple[Run, Path], visit: Open) -> None:
    run, path = kept
    page = visit(path)
    third = most_critical(run.results, 3)[2]
    page.locator("#faults tbody button").nth(2).focus()
    page.keyboard.press("Enter")
    assert page.inner_text("#detail h2") == third.fault
    assert page.evaluate("document.activeElement.id") == "detail"


def test_other_kinds_have_other_figures(visit: Open, tmp_path: Path) -> None:
    run = tiny_run_of(tmp_path / "a.run", "pixel", "pe", "weight", "threshold")
    write_html(run, tmp_path / "a.html")
    page = visit(tmp_path / "a.html")
    for name in ("ranges", "promise", "pixels", "pes", "bits"):
        assert page.locator(f"#{name}").is_visible(), name
    drawn = page.locator("#pixels .figure").evaluate("figure => figure.data[0].z")
    layer = page.input_value("#pixels select")
    shape = {row.name: (row.height, row.width) for row in run.layers}[layer]
    lowest = np.full(shape, np.inf)
    for result in run.results:
        if result.layer == layer and result.kind == "pixel":
            at = result.row, result.column
            lowest[at] = min(lowest[at], 100 * result.correct / 30)
    np.testing.assert_allclose(np.array(drawn, float), lowest)


def test_a_sweep(visit: Open, tmp_path: Path) -> None:
    sweep = Sweep(("weight", "threshold"), (1e-3, 1e-2, 1e-1), samples=4, scope="structure")
    network = tiny_network()
    run = run_in_rounds(network, tiny_data(), UntilInterval(sweep, network), tmp_path / "a.run", "reference")
    write_html(run, tmp_path / "a.html")
    page = visit(tmp_path / "a.html")
    means = page.locator("#sweep .figure").evaluate(
        "figure => Object.fromEntries(figure.data.filter(t => t.name).map(t => [t.name, t.y]))"
    )
    assert set(means) == {"weight", "threshold"}
    for kind, drawn in means.items():
        for rate, mean in zip(sweep.rates, drawn, strict=True):
            own = [r.correct for r in run.results if r.pattern.rate == rate and r.pattern.kind == kind]
            assert mean == pytest.approx(100 * sum(own) / len(own) / 30)
    assert page.locator("#faults tbody tr").count() == 20
    assert not page.locator("#promise").is_visible()
    assert not page.locator("#detail .columns").is_visible()


def test_what_the_worst_sample_of_a_sweep_does_to_images(visit: Open, tmp_path: Path) -> None:
    sweep = Sweep(("weight", "activation"), (1e-2, 1e-1), samples=3, scope="structure")
    network, data = tiny_network(), tiny_data()
    run = run_in_rounds(network, data, UntilInterval(sweep, network), tmp_path / "a.run", "reference")
    write_html(run, tmp_path / "a.html", subject=Subject(network, data), details_of=2)
    page, worst = visit(tmp_path / "a.html"), most_critical(run.results, 1)[0]
    assert f"{worst.changed} image" in page.inner_text("#detail .images")
    assert page.locator("#detail .images canvas").count() == min(18, worst.changed)
    table = page.locator("#detail .confusion .figure").evaluate("figure => figure.data[0].z")
    assert sum(table[label][label] for label in range(4)) == worst.correct
    assert "conv1" in page.inner_text("#detail .path")


def test_two_runs_side_by_side(visit: Open, tmp_path: Path) -> None:
    one = tiny_run(tmp_path / "one.run")
    data = tiny_data()
    easier = Dataset(data.name, data.images, one.golden.astype(np.int64), data.classes)
    other = run_campaign(tiny_network(), easier, None, tmp_path / "two.run", "reference")
    write_html(one, tmp_path / "a.html", against=other)
    text = visit(tmp_path / "a.html").inner_text("#compare")
    low = [min(r.correct for r in run.results if r.layer == "conv0") * 100 / 30 for run in (one, other)]
    assert f"conv0\t{low[0]:.2f}" in text
    assert f"\t{low[1] - low[0]:.2f}" in text
    assert "The images are DIFFERENT" in text
    assert "14 faults in common" in text


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_screen(kept: tuple[Run, Path], visit: Open, width: int) -> None:
    page = visit(kept[1], width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_name_runs_nothing(visit: Open, tmp_path: Path) -> None:
    network = tiny_network(name="<img src=x onerror=alert(1)></script><script>alert(2)</script>")
    write_html(run_campaign(network, tiny_data(), None, tmp_path / "a.run", "reference"), tmp_path / "a.html")
    assert visit(tmp_path / "a.html").inner_text("h1") == f"{network.name} under fault"
