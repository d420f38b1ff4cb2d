"""The report holds the tables' numbers, nothing written in advance, and needs no other file."""

import csv
import html
import json
import re
import statistics
from html.parser import HTMLParser

import pytest

from bridge.errors import ResultsError
from bridge.figures import CATALOGUE, FigureResult, measures
from bridge.report import markdown_table, words, write_report
from bridge.report.comparison import comparison, signed
from bridge.runs import load_results
from tests.bridge.synthetic_results import write_results

SMALL = {"contexts": [[0, 1], [2, 3], [4, 5]], "seeds": (1, 2), "steps": 4, "true_per_class": 20}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return write_results(tmp_path_factory.mktemp("results") / "run", **SMALL)


@pytest.fixture(scope="module")
def page(run):
    return write_report(run).read_text(encoding="utf-8")


def bare(folder, **changes):
    """A run without samples, quick to write."""
    return write_results(folder, **{**SMALL, **changes}, samples=False)


def words_only(folder):
    """The path of a report without figures, quick to make."""
    return write_report(folder, figures=())


def visible(page):
    """The page's text without tags, entities resolved, ordinary spaces."""
    without = re.sub(r"<style>.*?</style>", "", page, flags=re.S)
    return html.unescape(re.sub(r"<[^>]+>", " ", without)).replace("\u00a0", " ")


def selected(folder, solver, replay, context, quantity):
    with (folder / "tables" / "accuracy.csv").open(newline="") as file:
        return [
            float(row[quantity])
            for row in csv.DictReader(file)
            if row["selected"] == "1"
            and row["context"] == str(context)
            and (row["solver"], row["replay"]) == (solver, replay)
        ]


class Links(HTMLParser):
    """Collects what a browser would fetch, and the balance of tags."""

    def __init__(self):
        super().__init__()
        self.fetched, self.anchors, self.ids, self.open = [], [], set(), []

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.fetched += [found[key] for key in ("src", "srcset", "data", "action") if key in found]
        if tag == "link":
            self.fetched.append(found.get("href"))
        if tag == "a":
            self.anchors.append(found["href"])
        if "id" in found:
            self.ids.add(found["id"])
        if tag not in ("meta", "img", "br", "hr", "wbr"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_page_is_self_contained_and_well_formed(page):
    links = Links()
    links.feed(page)
    assert not links.open
    assert len(links.fetched) == len(CATALOGUE)
    assert all(address.startswith("data:image/png;base64,") for address in links.fetched)
    assert {anchor.removeprefix("#") for anchor in links.anchors} <= links.ids
    assert "http" not in re.sub(r"base64,[^\"]+", "", page)
    assert "@import" not in page and "url(" not in page and "<script" not in page


def test_numbers_in_the_report_are_those_of_the_tables(run, page):
    values = selected(run, "lstm", "generative", 3, "overall")
    ours = f"{min(values):.1f} / {max(values):.1f}"  # two seeds: both values
    assert f"{ours} (n = 2)" in visible(page)
    assert f"classifies {ours} %" in visible(page)
    for replay in ("none", "noise", "exact"):
        old = selected(run, "biornn", replay, 3, "old")
        assert f"{min(old):.1f} / {max(old):.1f}" in visible(page)


def test_three_seeds_are_their_mean_and_standard_deviation():
    assert str(measures.spread([90.0, 91.0, 95.0])) == "92.0 ± 2.6"
    assert str(measures.spread([-1.5])) == "−1.5"
    assert str(measures.spread([-0.04])) == "0.0"
    assert str(measures.spread([95.0, 90.0])) == "90.0 / 95.0"
    assert str(measures.spread([95.0])) == "95.0"


def test_difference_is_ours_minus_thesis(run):
    rows = {(r.solver, r.quantity, r.after): r for r in comparison(load_results(run))}
    row = rows["lstm", "new", 2]
    assert row.published == 95
    expected = statistics.mean(selected(run, "lstm", "generative", 2, "new")) - 95
    assert row.difference == pytest.approx(expected, abs=1e-12)
    assert row.cells()[-1] == signed(expected)


def test_every_published_number_has_its_row_even_where_nothing_was_run(run):
    rows = {(r.solver, r.quantity, r.after): r for r in comparison(load_results(run))}
    assert rows["lstm", "overall", 5].cells()[2:] == ("77 (76 in one table)", "not run", "")
    assert rows["biornn", "joint", 5].published == 99
    assert rows["biornn", "old", 2].cells()[2] == "not reported"


@pytest.mark.parametrize(
    ("value", "text"), [(1.24, "+1.2"), (-0.71, "−0.7"), (0.04, "0.0"), (-0.04, "0.0")]
)
def test_differences_carry_their_sign(value, text):
    assert signed(value) == text


def test_markdown_table_has_the_same_rows_as_the_report(run, page):
    lines = markdown_table(run).splitlines()
    assert lines[0].startswith("| experiment | after | thesis (%) | ours (%) |")
    assert len(lines) == 2 + len(comparison(load_results(run)))
    cells = [cell.strip() for cell in lines[2].strip("|").split("|")]
    assert " ".join(cells) in " ".join(visible(page).split())


def test_collapse_is_said_before_the_summary(page):
    assert 0 < page.index("COLLAPSED: 1 generator") < page.index("Summary")
    assert "seed 2, generator after 1 context" in visible(page)


def test_no_collapse_no_alarm(tmp_path):
    folder = bare(tmp_path / "run", collapsed=None)
    assert words.alarms(load_results(folder)) == []
    assert "COLLAPSED" not in words_only(folder).read_text()


def test_the_settings_are_those_of_the_solvers_that_ran_and_can_be_broken_on_a_phone(tmp_path):
    folder = bare(tmp_path / "run")
    config = json.loads((folder / "config.json").read_text())
    config["protocol"]["solvers"]["mlp"] = config["protocol"]["solvers"]["lstm"]
    (folder / "config.json").write_text(json.dumps(config))
    page = words_only(folder).read_text(encoding="utf-8")
    assert "solvers.<wbr>lstm.<wbr>batch_size" in page and "solvers.<wbr>mlp" not in page
    assert "trains its generators without real images of earlier contexts" in page


def test_leaks_of_the_protocol_are_named_at_the_top(tmp_path):
    folder = bare(tmp_path / "run", collapsed=None, protocol="notebooks")
    alarms = words.alarms(load_results(folder))
    assert [alarm.split(":")[0] for alarm in alarms] == ["LEAK in this protocol"] * 2
    page = visible(words_only(folder).read_text())
    assert page.index("generators see real images") < page.index("Summary")


def test_conclusions_follow_the_numbers(tmp_path):
    folder = bare(tmp_path / "run")
    before = words.summary(load_results(folder))
    assert any("still names after the last one" in sentence for sentence in before)
    out_of_order = sum("not the order" in sentence for sentence in before)
    path = folder / "tables" / "accuracy.csv"
    swapped = path.read_text().replace(",none,", ",?,").replace(",exact,", ",none,")
    path.write_text(swapped.replace(",?,", ",exact,"))
    after = words.summary(load_results(folder))
    assert sum("not the order that replay should bring" in one for one in after) > out_of_order


def test_reproduced_numbers_are_counted_from_the_table(tmp_path):
    folder = bare(tmp_path / "run")
    rows = [row for row in comparison(load_results(folder)) if row.difference is not None]
    met = sum(abs(row.difference) <= 2 for row in rows)
    (sentence,) = (s for s in words.summary(load_results(folder)) if "published numbers" in s)
    assert f"Of {len(rows)} published numbers" in sentence and f": {met} met within" in sentence


def test_audit_names_the_variants_that_reach_the_thesis(tmp_path):
    folder = bare(tmp_path / "run")
    path = folder / "tables" / "joint.csv"
    assert any(s.endswith("none of them.") for s in words.audit(load_results(folder)))
    lines = [
        re.sub(r"^(biornn,.*Adam, loss on all steps.*,5),.*", r"\1,99.5,99.5", line)
        for line in path.read_text().splitlines()
    ]
    path.write_text("\n".join(lines) + "\n")
    assert any(
        s.endswith("as many epochs: “Adam, loss on all steps”.")
        for s in words.audit(load_results(folder))
    )


def test_a_missing_table_is_said_in_its_place(tmp_path):
    folder = bare(tmp_path / "run")
    (folder / "tables" / "diagnostics.csv").unlink()
    undrawn = FigureResult("figure-x", "Figure X", "", (), "there is <no> table")
    page = visible(write_report(folder, figures=[undrawn]).read_text())
    assert re.search(r"Not in this run: .+diagnostics.csv", page)
    assert re.search(r"Figure X\s+Not drawn: there is <no> table", page)


def test_an_empty_run_still_has_a_report(tmp_path):
    folder = bare(tmp_path / "run")
    for path in (folder / "tables").iterdir():
        path.unlink()
    (folder / "manifest.json").unlink()
    page = visible(words_only(folder).read_text())
    assert "how it was made is not known" in page
    assert "No published number can be compared" in page


def test_unfinished_runs_say_so(tmp_path):
    folder = bare(tmp_path / "run", collapsed=None)
    path = folder / "tables" / "accuracy.csv"
    kept = [
        line
        for line in path.read_text().splitlines()
        if not line.startswith("biornn,generative,2,3,")
    ]
    path.write_text("\n".join(kept) + "\n")
    (alarm,) = words.alarms(load_results(folder))
    assert alarm.startswith("Unfinished: 11 of 12 contexts")


def test_text_from_results_cannot_become_markup(tmp_path):
    folder = bare(tmp_path / "run")
    config = json.loads((folder / "config.json").read_text())
    config["protocol"]["name"] = "<script>alert(1)</script>"
    config["protocol"]["<b>key"] = '"><img src=x onerror=alert(1)>'
    (folder / "config.json").write_text(json.dumps(config))
    page = words_only(folder).read_text()
    assert "<script" not in page and "<img src=x" not in page and "<b>key" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "a &lt;test&gt; &amp; machine" in page


def test_malformed_results_leave_the_old_report_alone(tmp_path):
    folder = bare(tmp_path / "run")
    report = words_only(folder)
    before = report.read_bytes()
    (folder / "tables" / "joint.csv").write_text("nonsense\n")
    with pytest.raises(ResultsError, match=r"joint\.csv"):
        words_only(folder)
    assert report.read_bytes() == before


def test_nested_settings_are_shown_in_words(tmp_path):
    folder = bare(tmp_path / "run")
    config = json.loads((folder / "config.json").read_text())
    config["protocol"]["generator"]["mixes"] = [
        {"real_share": 0.123456, "real_weight": None},
        {"real_share": 1.0},
    ]
    (folder / "config.json").write_text(json.dumps(config))
    page = visible(words_only(folder).read_text())
    assert "real_share 0.1235, replayed 0, real_weight none; real_share 1" in page
