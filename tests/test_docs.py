"""What the pages show works: every Python block runs, every `dgr` line is one that `dgr` takes.

A page's blocks run in turn, in one namespace, in an empty folder. `<!-- slow -->` before a block
leaves it to `make test-slow`; `<!-- not run: REASON -->` leaves it out.
"""

import pkgutil
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from markdown_it import MarkdownIt

from bridge.cli import parser

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
NEEDS = {"neurogym.md": "neurogym"}  # page -> a package of one of the extras
NOT_RUN = {"architecture.md"}  # its Python is cut out of the source, and compared with it elsewhere
SHELL = ("", "sh", "bash", "console")


class Block(NamedTuple):
    """A fenced block: its language, text, first line, and the comment that stands before it."""

    language: str
    text: str
    line: int
    comment: str


def blocks(page: Path) -> Iterator[Block]:
    comment = ""
    for token in MarkdownIt("commonmark").parse(page.read_text(encoding="utf-8")):
        if token.type in ("fence", "code_block"):
            language = token.info.split()[0] if token.info.split() else ""
            yield Block(language, token.content, token.map[0] + 2, comment)
        comment = token.content.strip() if token.type == "html_block" else ""


def run(page: Path, slow: bool) -> int:
    """Run the page's Python in the present folder; return how many blocks were run."""
    namespace: dict[str, object] = {"__name__": "page"}
    count = 0
    for block in blocks(page):
        if block.language != "python" or block.comment.startswith("<!-- not run"):
            continue
        if block.comment == "<!-- slow -->" and not slow:
            continue
        source = "\n" * (block.line - 1) + block.text  # so that an error names the page's own line
        exec(compile(source, str(page), "exec"), namespace)
        count += 1
    return count


def has(page: Path, comment: str | None = None) -> bool:
    return page.name not in NOT_RUN and any(
        block.language == "python" and (comment is None or block.comment == comment)
        for block in blocks(page)
    )


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder but for the examples of a checkout."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    return tmp_path


def needed(page: Path) -> None:
    if page.name in NEEDS:
        pytest.importorskip(NEEDS[page.name])


@pytest.mark.parametrize("page", [p for p in PAGES if has(p)], ids=lambda p: p.name)
def test_the_code_of_a_page_runs(page, folder):
    needed(page)
    run(page, slow=False)


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", [p for p in PAGES if has(p, "<!-- slow -->")], ids=lambda p: p.name
)
def test_all_the_code_of_a_page_runs(page, folder):
    needed(page)
    run(page, slow=True)


def commands(page: Path) -> Iterator[tuple[int, list[str]]]:
    """The `dgr` lines of a page's shell blocks: line number, words after `dgr`."""
    for block in blocks(page):
        if block.language in SHELL:
            text = re.sub(r"\\\n", "  ", block.text)
            for number, line in enumerate(text.splitlines(), start=block.line):
                command = re.split(r"\s[>|]\s", line.removeprefix("$ "))[0]
                words = shlex.split(command, comments=True)
                if words[:1] == ["dgr"]:
                    yield number, words[1:]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_the_commands_of_a_page_are_ones_that_dgr_takes(page, capsys):
    for number, words in commands(page):
        if {"--help", "--version", "COMMAND"} & set(words):
            continue
        try:
            parser().parse_args(words)
        except SystemExit:
            pytest.fail(f"{page.name}, line {number}: {capsys.readouterr().err.strip()}")


NAME = re.compile(r"`((?:pycog_dgr|torch_dgr|bridge)(?:\.\w+)+)")
EXAMPLE = re.compile(r"(?<![\w/])examples/[\w/]+(?:\.\w+)?")


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_the_names_and_examples_of_a_page_are_there(page):
    text = page.read_text(encoding="utf-8")
    for name in NAME.findall(text):
        try:
            pkgutil.resolve_name(name)
        except (ImportError, AttributeError) as error:
            pytest.fail(f"{page.name}: {name}: {error}")
    for path in EXAMPLE.findall(text):
        assert (ROOT / path).exists() or (ROOT / path).with_suffix(".py").exists(), path


def test_a_page_that_shows_a_misspelt_option_is_caught(tmp_path, capsys):
    page = tmp_path / "page.md"
    page.write_text("```\ndgr reproduce --seed 1\ndgr reproduce --sedes 3\n```\n")
    with pytest.raises(pytest.fail.Exception, match=r"page.md, line 3: .*sedes"):
        test_the_commands_of_a_page_are_ones_that_dgr_takes(page, capsys)


def test_a_block_that_fails_names_its_page(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("text\n\n```python\nx = 1\n\ny = undefined\n```\n")
    with pytest.raises(NameError) as failure:
        run(page, slow=False)
    last = failure.traceback[-1]
    assert (str(last.path), last.lineno + 1) == (str(page), 6)
