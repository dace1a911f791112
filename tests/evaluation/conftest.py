"""Reads pages as a strict browser would."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest

VOID = {"meta", "img", "br", "hr", "link", "input"}


class Page(HTMLParser):
    """A page's elements, each tag closed in its turn, and the text of its parts.

    Attributes
    ----------
    tags : list of (tag, attributes)
    sections : dict of section id -> text
    tables : dict of section id -> rows of cells, heads first
    """

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.sections: dict[str, str] = {}
        self.tables: dict[str, list[list[str]]] = {}
        self.open: list[str] = []
        self.text = ""
        self.section = ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        assert len(attributes) == len(attrs), f"{tag}: an attribute twice"
        self.tags.append((tag, attributes))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "section":
            self.section = attributes["id"]
        elif tag == "tr":
            self.tables.setdefault(self.section, []).append([])
        elif tag in ("td", "th"):
            self.tables[self.section][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        if tag == "section":
            self.section = ""

    def handle_data(self, data: str) -> None:
        if "style" in self.open:
            return
        self.text += data
        self.sections[self.section] = self.sections.get(self.section, "") + data
        if {"td", "th"} & set(self.open):
            self.tables[self.section][-1][-1] += data

    def all(self, tag: str) -> list[dict[str, str]]:
        """Return the attributes of every element of a kind."""
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="session")
def read_page() -> Callable[[str], Page]:
    """Parse a page and check what holds for each: it is whole, fetches nothing, runs nothing, describes pictures."""

    def read(html: str) -> Page:
        page = Page(html)
        assert html.startswith('<!doctype html>\n<html lang="en">')
        assert not {"script", "link", "iframe", "object", "embed", "base", "form"} & {tag for tag, _ in page.tags}
        assert not re.search(r"url\(|@import|expression\(", html.split("<body>")[0])
        for _, attributes in page.tags:
            assert not [name for name in attributes if name.startswith("on")]
            for name in {"src", "href", "srcset", "action", "background"} & set(attributes):
                assert re.match(r"data:image/(png|jpeg);base64,[\w+/=]+$|#[\w-]+$", attributes[name])
        assert all(picture["alt"] for picture in page.all("img"))
        ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
        assert len(set(ids)) == len(ids)
        assert {link["href"][1:] for link in page.all("a")} <= set(ids)
        assert len(page.all("h1")) == len(page.all("main")) == 1
        return page

    return read
