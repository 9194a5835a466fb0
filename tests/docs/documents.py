"""The README and the documents, taken apart: fenced blocks, commands in them, and code within sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
LANGUAGES = ("bash", "python", "yaml")

FENCE = re.compile(r"^```(?P<language>\S*)[^\n]*\n(?P<text>.*?)^```[ ]*$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
LINK = re.compile(r"\]\(([^)\s]+)\)")
FILE_NAME = re.compile(r"\A# ([\w/]+\.(?:py|yaml))\n")


class Block(NamedTuple):
    """One fenced block.

    Attributes:
      document: its path below the repository.
      line: of its fence, from 1.
      language: as the fence says; empty if it says none.
      section: the last heading of the second level before it.
      text: what is in it.
    """

    document: str
    line: int
    language: str
    section: str
    text: str

    def __str__(self) -> str:
        return f"{self.document}:{self.line}"

    @property
    def file_name(self) -> str | None:
        """Where a reader is told to save it, by its first line: `# experiments/mine.yaml`."""
        found = FILE_NAME.match(self.text)
        return found[1] if found else None


def documents() -> list[Path]:
    """The README and everything in docs/."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(document: Path) -> list[Block]:
    """A document's fenced blocks, in their order."""
    text = document.read_text(encoding="utf-8")
    assert len(re.findall(r"(?m)^\s*```", text)) == 2 * len(FENCE.findall(text)), f"{document}: a fence stands alone"
    return [_block(document, text, found) for found in FENCE.finditer(text)]


def _block(document: Path, text: str, found: re.Match[str]) -> Block:
    before = text[: found.start()]
    headings = re.findall(r"(?m)^## (.+)$", before)
    section = headings[-1] if headings else ""
    name = str(document.relative_to(ROOT))
    return Block(name, before.count("\n") + 1, found["language"], section, found["text"])


def commands(block: Block) -> list[str]:
    """The commands of a bash block, one a line, a backslash going on in the next; comments are left out."""
    lines = block.text.replace("\\\n", " ").splitlines()
    return [line for line in (re.sub(r"(^|\s)#.*", "", line).strip() for line in lines) if line]


def inline_code(document: Path) -> Iterator[str]:
    """Code within a document's sentences and tables."""
    yield from INLINE.findall(FENCE.sub("", document.read_text(encoding="utf-8")))


def links(document: Path) -> Iterator[Path]:
    """The files of the repository that a document links to or shows."""
    for target in LINK.findall(FENCE.sub("", document.read_text(encoding="utf-8"))):
        if "://" not in target and not target.startswith("#"):
            yield document.parent / target.partition("#")[0]
