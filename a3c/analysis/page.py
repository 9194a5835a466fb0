"""The parts of the report's page. Whatever comes from outside goes through `html.escape`; there is no script."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

STYLE = """
:root{color-scheme:light;--ink:#222;--soft:#666;--line:#e3e3e3;--wash:#f7f7f5;--link:#0b5394}
*{box-sizing:border-box}
body{margin:0 auto;padding:1.5rem 1rem 4rem;max-width:60rem;color:var(--ink);background:#fff;
font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.7rem;line-height:1.2;margin:.5rem 0}h2{font-size:1.35rem;line-height:1.25;margin:1.2rem 0 .3rem}
h3{font-size:1rem;margin:1rem 0 .2rem}section h2:first-child{margin-top:0}
section{border-top:1px solid var(--line);padding-top:1.8rem;margin-top:2.2rem}
nav ul{padding-left:1.1rem;margin:.5rem 0}.overview li{margin:.45rem 0}
.overview span{color:var(--soft);font-size:.92rem}a{color:var(--link)}
.question{font-style:italic;margin:.2rem 0 .8rem}
.answer{background:var(--wash);border-left:4px solid #0072b2;padding:.7rem .9rem;margin:0 0 1.2rem}
.note{color:var(--soft);font-size:.85rem}
figure{margin:1.4rem 0}.box{overflow-x:auto;max-width:100%}
figure img,figure video{display:block;max-width:100%;height:auto}
details{border-bottom:1px solid var(--line);padding:.45rem 0}summary{cursor:pointer}summary a{font-size:.85rem}
table{border-collapse:collapse;font-size:.8rem;font-variant-numeric:tabular-nums;margin:.6rem 0}
th,td{padding:.25rem .6rem;text-align:left;white-space:nowrap;border-bottom:1px solid var(--line)}
th{background:var(--wash);font-weight:600}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem .9rem;font-size:.85rem;margin:1rem 0 0}
dt{color:var(--soft)}dd{margin:0;min-width:0}
@media(max-width:40rem){dl{grid-template-columns:1fr}dd{margin-bottom:.3rem}}
"""


def document(title: str, body: Sequence[str]) -> str:
    """A whole page: `title` is plain text, `body` is markup."""
    head = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
    )
    return head + "\n".join(body) + "\n</body>\n</html>\n"


def element(tag: str, text: str, style: str = "") -> str:
    """An element with plain text in it."""
    kind = f' class="{style}"' if style else ""
    return f"<{tag}{kind}>{html.escape(text)}</{tag}>"


def link(target: str, text: str) -> str:
    """A link to a path relative to the page, or to a place in it (`#name`)."""
    return f'<a href="{html.escape(quote(target, safe="/#.-_"))}">{html.escape(text)}</a>'


def picture(path: Path, words: str) -> str:
    """An SVG file inside the page, as an image, so that its names meet no other picture's and nothing in it runs."""
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    image = f'<img alt="{html.escape(words)}" src="data:image/svg+xml;base64,{data}">'
    return f'<figure><div class="box">{image}</div></figure>'


def film(path: Path, words: str) -> str:
    """An MP4 file inside the page, which plays on a click, and what it shows in plain text."""
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    source = f"data:video/mp4;base64,{data}"
    video = f'<video controls muted playsinline preload="metadata" src="{source}"></video>'
    return f"<figure>{video}{element('figcaption', words, 'note')}</figure>"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of plain texts in a box that scrolls by itself."""
    head = "".join(element("th", text) for text in header)
    body = "\n".join(f"<tr>{''.join(element('td', text) for text in row)}</tr>" for row in rows)
    return f'<div class="box"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table></div>'


def fold(summary: str, content: str) -> str:
    """Content that opens on a click; both are markup."""
    return f"<details><summary>{summary}</summary>\n{content}\n</details>"


def facts(pairs: Sequence[tuple[str, str]]) -> str:
    """A list of names and what they stand for, plain texts."""
    return f"<dl>{''.join(element('dt', name) + element('dd', text) for name, text in pairs)}</dl>"
