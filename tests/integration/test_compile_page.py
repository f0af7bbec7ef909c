"""The programs of docs/compile.md print what the page says."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import latebind as lb

PAGE = Path(__file__).parents[2] / "docs" / "compile.md"


def test_the_page_tells_the_truth():
    blocks = re.findall(r"```(python|text)\n(.*?)```", PAGE.read_text(), re.S)
    assert len(blocks) > 6
    names: dict[str, object] = {}
    line = 0
    printed = ""
    with lb.build_container(backend="numpy"):
        for kind, text in blocks:
            if kind == "text":
                assert printed == text
                printed = ""
                continue
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                exec(compile("\n" * line + text, "program.py", "exec"), names)
            line += text.count("\n")
            printed += out.getvalue()
    assert printed == ""
