"""The documentation, run as its reader would.

The blocks of a page run in their order, in one namespace: that of the module ``shop``.

- ``python``: runs, and each test function that it defines is called, with the fixtures that it asks for.
- ``text``: what the Python block above it printed; then, if it raised something, that.
- ``console``: commands of lambdakit behind ``$``, piped and redirected as in a shell, and what they print.

``...`` in an output stands for anything. Other blocks, such as ``sh``, are for the reader's machine.
"""

from __future__ import annotations

import inspect
import io
import re
import sys
from contextlib import redirect_stderr, redirect_stdout
from doctest import ELLIPSIS, Example, OutputChecker
from pathlib import Path
from shlex import shlex
from types import ModuleType

import pytest
import sybil
from sybil.parsers.abstract.codeblock import AbstractCodeBlockParser
from sybil.parsers.markdown.lexers import RawFencedCodeBlockLexer

from lambdakit.cli import main
from lambdakit.identify import LABELS

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]

BLOCK = RawFencedCodeBlockLexer(re.compile(r"(?P<arguments>\w+).*\n"))


class Page:
    """One page: what its blocks have defined, and what the last of them has to show still."""

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self.module = ModuleType("shop")
        self._request = request
        self._printed = io.StringIO()
        self._error: Exception | None = None

    def run(self, path: Path) -> None:
        """Run the blocks in their order."""
        evaluators = {"python": self._python, "text": self._text, "console": self._console}
        parsers = [AbstractCodeBlockParser([BLOCK], language, evaluate) for language, evaluate in evaluators.items()]
        for example in sybil.Sybil(parsers).parse(path).examples():
            try:
                example.evaluate()
            except Exception as error:
                self._tell_place(error, example)
                raise
        self._settle()

    def _python(self, example: sybil.Example) -> None:
        self._settle()
        before = dict(vars(self.module))
        self._printed.seek(self._printed.truncate(0))  # the same all along: a logger keeps the stream it was given
        with redirect_stdout(self._printed):
            try:
                exec(compile(example.parsed, "shop.py", "exec", dont_inherit=True), vars(self.module))
            except Exception as error:  # noqa: BLE001 - the block below shows it
                self._tell_place(error, example)
                self._error = error
            for name, value in list(vars(self.module).items()):
                if name.startswith("test_") and value is not before.get(name):
                    self._call(value)

    def _call(self, test: object) -> None:
        assert inspect.isfunction(test)
        test(**{name: self._request.getfixturevalue(name) for name in inspect.signature(test).parameters})

    def _text(self, example: sybil.Example) -> None:
        error, self._error = self._error, None
        raised = f"{type(error).__name__}: {error}\n" if error else ""
        compare(example.parsed, self._printed.getvalue() + raised)

    def _tell_place(self, error: Exception, example: sybil.Example) -> None:
        if error is not self._error:
            error.add_note(f"{Path(example.path).relative_to(ROOT)}, line {example.line}")

    def _settle(self) -> None:
        """An error that no block shows is one."""
        if self._error is not None:
            raise self._error

    def _console(self, example: sybil.Example) -> None:
        self._settle()
        for command, output in re.findall(r"^\$ (.*\n)((?:(?!\$ ).*\n)*)", example.parsed, re.MULTILINE):
            compare(re.sub(r"\n+$", "\n", output), output_of(command))


def output_of(command: str) -> str:
    """What a command of lambdakit's leaves on the terminal; several with pipes between them, perhaps into a file."""
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    commands, file = parsed(command)
    flow = io.TextIOWrapper(io.BytesIO())
    for position, (program, *arguments) in enumerate(commands):
        assert program == "lambdakit", (
            f"only lambdakit runs here, not {program}; what is for the reader's machine is sh"
        )
        is_last = position == len(commands) - 1 and not file
        output = terminal if is_last else io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(output), redirect_stderr(terminal):
            patch.setattr(sys, "stdin", flow)
            main(arguments)
        output.seek(0)
        flow = output
    if file:
        Path(file).write_text(flow.read(), encoding="utf-8")
    terminal.seek(0)
    return terminal.read()


def parsed(command: str) -> tuple[list[list[str]], str]:
    """The commands between the pipes, and the file that the output goes to or ``""``."""
    lexer = shlex(command, posix=True, punctuation_chars="|>")
    lexer.whitespace_split = True
    commands: list[list[str]] = [[]]
    words = list(lexer)
    file = words.pop() if ">" in words else ""
    for word in words:
        if word == "|":
            commands.append([])
        elif word != ">":
            commands[-1].append(word)
    return commands, file


def compare(shown: str, printed: str) -> None:
    """See that a page shows what was printed; it has spaces for tabs and no-break spaces, and none at line ends."""
    printed = re.sub(r" +$", "", printed.replace("\t", "  ").replace("\xa0", " "), flags=re.MULTILINE)
    checker = OutputChecker()
    if not checker.check_output(shown, printed, ELLIPSIS):
        raise AssertionError(checker.output_difference(Example("", shown), printed, ELLIPSIS))


@pytest.fixture
def page(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Page:
    """A page whose module can be imported, in a folder of its own."""
    page = Page(request)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])  # which commands add to
    monkeypatch.setitem(sys.modules, "shop", page.module)
    return page


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_the_snippets_of_a_page_do_what_it_says(path: Path, page: Page) -> None:
    """Python runs, tests pass, and outputs are those that are shown."""
    page.run(path)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_the_links_of_a_page_lead_to_files(path: Path) -> None:
    """A link without a scheme names a file, seen from its page."""
    prose = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    targets = re.findall(r"\]\((?!\w+:|#)([^)#]+)", prose)

    assert [target for target in targets if not (path.parent / target).exists()] == []


def test_the_table_of_sources_is_complete() -> None:
    """The page of sources has a row for each answer of identify."""
    page = (ROOT / "docs" / "sources.md").read_text(encoding="utf-8")

    assert sorted(re.findall(r"^\| `(\w+)`", page, re.MULTILINE)) == sorted(LABELS)
