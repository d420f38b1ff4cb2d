"""Small pieces of HTML. Everything that comes from a results folder passes `html.escape`."""

import base64
import html
import re
from collections.abc import Container, Iterable, Sequence
from typing import NamedTuple

from bridge.figures import FigureResult, style

STYLE = """
body { font: 16px/1.5 Georgia, 'Times New Roman', serif; color: #1a1a1a; background: #fff;
       max-width: 52rem; margin: 2rem auto; padding: 0 1.2rem; }
h1, h2, h3, nav, table, figcaption, .alarm { font-family: system-ui, 'Helvetica Neue', Arial,
       sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.25; margin-bottom: .3rem; }
h2 { font-size: 1.25rem; margin-top: 2.4rem; border-bottom: 1px solid #ccc; }
h3 { font-size: 1rem; margin: 1.6rem 0 .4rem; }
nav ol { columns: 2; font-size: .9rem; }
a { color: #0072B2; text-decoration: none; }
.alarm { border-left: .4rem solid #D55E00; background: #fdf1e9; padding: .6rem .9rem;
         margin: .7rem 0; font-weight: 600; }
.note { color: #555; font-size: .92rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .84rem; margin: .8rem 0; width: 100%; }
caption { text-align: left; color: #555; padding-bottom: .3rem; }
th, td { padding: .22rem .6rem; border-bottom: 1px solid #e3e3e3; text-align: left;
         vertical-align: top; overflow-wrap: anywhere; }
th { border-bottom: 1.5px solid #444; overflow-wrap: normal; }
th.n, td.n { text-align: right; }
td.n { white-space: nowrap; font-variant-numeric: tabular-nums; }
tr.new td { border-top: 2px solid #999; }
td:first-child { white-space: nowrap; }
tr.bad td { background: #fdf1e9; font-weight: 600; }
figure { margin: 1.6rem 0; text-align: center; break-inside: avoid; }
figure img { max-width: 100%; height: auto; }
figcaption { text-align: left; font-size: .84rem; color: #333; margin-top: .4rem; }
code { font-size: .85rem; overflow-wrap: anywhere; }
@media (max-width: 600px) {
  body { padding: 0 .8rem; }
  nav ol { columns: 1; }
  table { font-size: .74rem; }
  th, td { padding: .2rem .25rem; }
  td { overflow-wrap: break-word; }
  td:first-child, td.n { white-space: normal; overflow-wrap: normal; }
  caption { max-width: calc(100vw - 1.6rem); }
  figure img { width: 100% !important; }
}
@media print { body { max-width: none; margin: 0; font-size: 10.5pt; } nav { display: none; }
               h2 { break-after: avoid; } tr { break-inside: avoid; }
               .wide { overflow: visible; } table { font-size: 8.5pt; }
               td:first-child { white-space: normal; } }
"""


class Section(NamedTuple):
    """A section of the page: `body` is finished HTML."""

    anchor: str
    title: str
    body: str


def text(value: object) -> str:
    """Any value as escaped text; numbers are not torn from their units."""
    whole = str(value).replace(" %", "\u00a0%").replace(" ± ", "\u00a0±\u00a0")
    return html.escape(whole, quote=True)


def cell(value: object) -> str:
    """A table's cell as escaped text; dotted names of settings may be broken after a dot."""
    return re.sub(r"(?<=[a-z_])\.(?=[a-z_])", ".<wbr>", text(value))


def paragraphs(sentences: Iterable[str], kind: str = "") -> str:
    """One escaped paragraph for each sentence."""
    mark = f' class="{kind}"' if kind else ""
    return "".join(f"<p{mark}>{text(sentence)}</p>\n" for sentence in sentences)


def bullets(items: Iterable[str]) -> str:
    """An escaped list."""
    return "<ul>\n" + "".join(f"<li>{text(item)}</li>\n" for item in items) + "</ul>\n"


def table(
    header: Sequence[str],
    rows: Sequence[Sequence[object]],
    caption: str = "",
    numbers: Container[int] = (),
    marks: Sequence[str] = (),
) -> str:
    """A table; the columns in `numbers` hold numbers, `marks` are the rows' classes."""

    def line(tag: str, cells: Sequence[object], mark: str = "") -> str:
        inner = "".join(
            f"<{tag}{' class=n' if i in numbers else ''}>{cell(value)}</{tag}>"
            for i, value in enumerate(cells)
        )
        return f"<tr{f' class={mark}' if mark else ''}>{inner}</tr>\n"

    marks = marks or [""] * len(rows)
    body = "".join(line("td", row, mark) for row, mark in zip(rows, marks, strict=True))
    title = f"<caption>{text(caption)}</caption>\n" if caption else ""
    return (
        f'<div class="wide"><table>\n{title}<thead>{line("th", header)}</thead>\n'
        f"<tbody>\n{body}</tbody></table></div>\n"
    )


def figure(drawn: FigureResult) -> str:
    """A figure with its image inside the page, or the reason why there is none."""
    if drawn.reason_if_not_drawn:
        return (
            f'<h3 id="{text(drawn.name)}">{text(drawn.title)}</h3>\n'
            f'<p class="note">Not drawn: {text(drawn.reason_if_not_drawn)}</p>\n'
        )
    image = next(file for file in drawn.files if file.suffix == ".png")
    content = image.read_bytes()
    data = base64.b64encode(content).decode()
    width = 100 * int.from_bytes(content[16:20]) / (style.DOUBLE * style.DPI)  # PNG's own header
    return (
        f'<figure id="{text(drawn.name)}">\n<h3>{text(drawn.title)}</h3>\n'
        f'<img style="width: {width:.0f}%" alt="{text(drawn.title)}" '
        f'src="data:image/png;base64,{data}">\n'
        f"<figcaption>{text(drawn.about or drawn.caption)}</figcaption>\n</figure>\n"
    )


def page(title: str, subtitle: str, lead: str, sections: Sequence[Section]) -> str:
    """The whole page: `lead` is finished HTML that stands above the table of contents."""
    contents = "".join(
        f'<li><a href="#{text(s.anchor)}">{text(s.title)}</a></li>\n' for s in sections
    )
    body = "".join(
        f'<section>\n<h2 id="{text(s.anchor)}">{text(s.title)}</h2>\n{s.body}</section>\n'
        for s in sections
    )
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{text(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f'<h1>{text(title)}</h1>\n<p class="note">{text(subtitle)}</p>\n{lead}'
        f"<nav><h2>Contents</h2>\n<ol>\n{contents}</ol></nav>\n{body}</body>\n</html>\n"
    )
