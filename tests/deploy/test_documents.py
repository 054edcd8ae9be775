"""What the documents say can be typed, and what they point to is there."""

from __future__ import annotations

import re
import shlex
import textwrap
from importlib.util import find_spec

import pytest

from tests.deploy.tools import DEPLOY, ROOT
from verify_service import cli, receiptctl, registryctl, settings, witnessctl

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *DEPLOY.glob("*.md")])
PARSERS = {
    "verify-service": cli._parser,
    "registryctl": registryctl._parser,
    "receiptctl": receiptctl._parser,
    "witnessctl": witnessctl._parser,
}
COMMAND = re.compile(rf"(?:^|\s|/|\()({'|'.join(PARSERS)}) (.*)")
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
# What ends the part of a shell line that the command itself gets.
SHELL = re.compile(r"[|;&()]|\d*>.*|\d*<.*")
OTHERS = {"as_service()", "cat", "cd", "chown", "cp", "git", "install", "systemctl", "useradd"}
# Named as what the design has, and said to be missing.
NOT_THERE_YET = {"verify-service db rebuild-read-models"}


def lines(document):
    """Yield each shell line of a document, or what a unit starts; continued lines joined."""
    text = document.read_text("utf-8")
    yield from re.findall(r"^ExecStart=(.*)", text, re.MULTILINE)
    for block in re.findall(r"^ *```sh\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL):
        yield from textwrap.dedent(block).replace("\\\n", " ").splitlines()


def commands():
    """Return (command, arguments) of each command of ours that a document or unit runs."""
    found = []
    for document in [*DOCUMENTS, *sorted(DEPLOY.glob("*.service"))]:
        for line in lines(document):
            # Others take our names as arguments, such as a file's.
            ours = None if line.split(" ")[0] in OTHERS else COMMAND.search(line)
            if ours:
                words = shlex.split(SHELL.split(ours[2])[0])
                name = f"{document.name}: {ours[1]} {' '.join(words)[:40]}"
                found.append(pytest.param(ours[1], words, id=name))
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_every_link_leads_somewhere(document):
    for link in re.findall(r"\]\(([^)\s]+)\)|(?:src|srcset)=\"([^\"]+)\"", document.read_text("utf-8")):
        target = (link[0] or link[1]).partition("#")[0]
        if target and "://" not in target:
            assert (document.parent / target).exists(), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_every_test_that_is_named_exists(document):
    for path, name in re.findall(r"(tests/[a-z_/]+\.py)::(\w+)", document.read_text("utf-8")):
        assert f"\ndef {name}(" in (ROOT / path).read_text("utf-8"), f"{path}::{name}"


@pytest.mark.parametrize("name", ["security.md", "threat-model.md"])
def test_what_is_said_to_hold_names_what_shows_it(name):
    lines = (ROOT / "docs" / name).read_text("utf-8").splitlines()
    claims = [line for line in lines if line.startswith("|") and not re.match(r"\|-|\| (row|it) ", line)]
    assert len(claims) > 20
    for claim in claims:
        shown = re.search(r"tests/[a-z_/]+\.py::\w+|adr/\d{4}", claim)
        assert shown or re.search(r"not met|no test|in part|\| none \|", claim), claim


@pytest.mark.parametrize(("command", "arguments"), commands())
def test_every_command_in_a_block_can_be_given(command, arguments):
    # A placeholder stands for a value that only the reader has.
    arguments = [re.sub(r"\$\w+|…", "1", argument) for argument in arguments]
    if arguments != ["--version"]:
        PARSERS[command]().parse_args(arguments)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_every_command_named_in_a_sentence_exists(document):
    text = document.read_text("utf-8")
    for command, words in re.findall(rf"`(?:\.venv/bin/)?({'|'.join(PARSERS)}) ([a-z -]+)[^`]*`", text):
        named = f"{command} {words.strip()}"
        if named not in NOT_THERE_YET:
            assert known(command, words.split()), named
    for target in re.findall(r"`make ([a-z-]+)`", text):
        assert target in TARGETS, target
    for module in re.findall(r"python -m ([a-z_.]+)", text):
        assert find_spec(module), module


def known(command, words):
    """Tell whether words lead down the commands of a parser."""
    parser = PARSERS[command]()
    for word in words:
        choices = next((action.choices for action in parser._actions if isinstance(action.choices, dict)), {})
        if not choices:
            return word.startswith("-")
        if word not in choices:
            return False
        parser = choices[word]
    return True


def rows():
    """Return the table of settings as (variable, default)."""
    text = (DEPLOY / "environment.md").read_text("utf-8")
    table = [line.split("|") for line in text.splitlines() if line.startswith("| `VERIFY_")]
    return [(cells[1].strip(" `"), cells[3].strip(), cells[4].strip(" `")) for cells in table]


def test_the_reference_has_every_setting_once_and_in_order():
    assert [name for name, _, _ in rows()] == list(settings.VARIABLES)


def test_the_reference_gives_the_defaults_that_hold(tmp_path):
    bare = settings.parse({"VERIFY_HOME": str(tmp_path)}, needs=(), cores=7)
    for name, default, _ in rows():
        field = name.removeprefix("VERIFY_").lower()
        held = getattr(bare, field)
        if default == "needed":
            assert name in settings.SERVE
            assert not held
        elif default == "none":
            assert not held
        elif "in `VERIFY_HOME`" in default:
            assert str(held).endswith(str(tmp_path / default.split("`")[1]))
        elif name == "VERIFY_HOME":
            assert default.strip("`") == "./var"
        elif name == "VERIFY_WORKERS":
            assert (default, held) == ("one a core", 7)
        else:
            given = settings.parse({"VERIFY_HOME": str(tmp_path), name: default.strip("`")}, needs=(), cores=7)
            assert default.startswith("`")
            assert getattr(given, field) == held, name
    assert {name for name, default, _ in rows() if default == "needed"} == settings.SERVE


def test_every_example_can_be_set(tmp_path):
    examples = {name: example for name, _, example in rows()}
    settings.parse({**examples, "VERIFY_HOME": str(tmp_path)}, needs=settings.VARIABLES, cores=2)
