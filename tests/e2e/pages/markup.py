"""What holds for the markup of every page, whatever texts stand in it."""

from __future__ import annotations

import re

from tests.unit.interfaces.report.test_report_html import Outline

from .serving import Page

FIELDS = frozenset({"input", "select", "textarea"})
ADDRESSES = frozenset({"href", "src", "action", "formaction", "data", "poster", "xlink:href"})
# All that our templates and pictures are made of: anything else came out of a text.
TAGS = frozenset(
    "html head meta title link script body a header nav ul ol li div span strong em code p form "
    "input select option textarea button label fieldset legend main footer h1 h2 h3 section "
    "article aside table caption thead tbody tr th td dl dt dd time details summary figure "
    "figcaption pre small svg g rect circle path polygon polyline line text tspan noscript".split()
)


def sound(page: Page) -> Outline:
    """The outline of a page that runs nothing but our script, and has a name for every field."""
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    outline = Outline(page.text)
    scripts = outline.all("script")
    assert len(scripts) == 1
    assert (scripts[0].get("src") or "").startswith("/static/page.js?")
    assert re.search(r"<script [^>]*></script>", page.text)
    unknown = {tag for tag, _ in outline.tags} - TAGS
    assert not unknown
    labels = {attrs.get("for") for attrs in outline.all("label")}
    for tag, attrs in outline.tags:
        for name, value in attrs.items():
            assert not name.startswith("on"), (tag, name)
            assert name not in ("style", "srcdoc"), (tag, name)
            if name in ADDRESSES:
                assert re.match(r"[/#?]|$", value or ""), (tag, name, value)
                assert not (value or "").startswith("//"), (tag, name, value)
        if tag in FIELDS and attrs.get("type") not in ("hidden", "checkbox", "radio"):
            assert attrs.get("id") in labels or attrs.get("aria-label"), attrs
    assert len(set(outline.ids)) == len(outline.ids)
    assert outline.all("html")[0]["lang"] == "en"
    assert len(outline.all("h1")) <= 1
    return outline
