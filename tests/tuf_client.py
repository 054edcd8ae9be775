"""Be the client under test of theupdateframework/tuf-conformance, by our own ingest path.

Its command line is the suite's: ``python -m tests.tuf_client --metadata-dir DIR init ROOT``, and with addresses
``refresh`` and ``download``. Root, source, TUF's workflow, the marks and what is read of a target are those of
``verify_service.registry``; only its rules about agencies are left out, since the suite's repositories have none.

Of the suite's 113 cases, two fail by design: a file that is signed for by SHA-512 alone, since records name files by
their SHA-256, and targets that go back to version 1 with a new snapshot key, since who could sign for the versions
between had the keys of targets, and those have to be new.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from urllib.parse import quote

from verify_service.clock import SystemClock
from verify_service.errors import RegistryRefused
from verify_service.registry.high_water import raised
from verify_service.registry.intake import Mark
from verify_service.registry.publication import Publication, _in_own_words, _published
from verify_service.registry.roster import LARGEST_ROSTER
from verify_service.registry.source import open_source
from verify_service.signing import sha256_hex

METADATA, TARGETS = "metadata", "targets"


class AnyPublication(Publication):
    """A publication of any repository; its delegations may be patterns, and every path may be signed for."""

    def _check_authority(self):
        """Leave out what is about agencies."""

    def target(self, path):
        """Return what is signed for a path, looked up through the delegations."""
        with _in_own_words(f"The file {path}"):
            target = self._updater.get_targetinfo(path)
        if target is None:
            raise RegistryRefused(f"Nobody signs for the file {path}.")
        return _published(target, LARGEST_ROSTER)


class Client:
    """The state of one client: what TUF keeps in ``folder``, and beside it the pinned root and the marks."""

    def __init__(self, folder):
        self._folder = folder
        self._pinned = folder / "pinned_root"
        self._marks = folder / "high_water"

    def init(self, root):
        self._pinned.write_bytes(root)

    def refresh(self, base):
        """Bring the metadata up to date and return the publication; raise RegistryRefused."""
        publication = AnyPublication(
            open_source(base), self._pinned.read_bytes(), self._folder.parent, SystemClock().now()
        )
        marks = {role: Mark(**mark) for role, mark in self._held().items()}
        for role, verified in publication.top_level.items():
            marks[role] = raised(marks.get(role), verified)
        self._marks.write_text(json.dumps({role: vars(mark) for role, mark in marks.items()}))
        return publication

    def download(self, base, paths, folder):
        """Fetch those files that are not here yet."""
        publication = self.refresh(base)
        for path in paths:
            target = publication.target(path)
            kept = folder / quote(path, "")
            if not kept.is_file() or sha256_hex(kept.read_bytes()) != target.sha256:
                with publication.opened(target) as file:
                    kept.write_bytes(file.read())

    def _held(self):
        return json.loads(self._marks.read_text()) if self._marks.is_file() else {}


def main(arguments=None):
    """Run one command; return 0 where all of it was done, else 1."""
    asked = _parser().parse_args(arguments)
    client = Client(asked.metadata_dir)
    try:
        if asked.command == "init":
            client.init(asked.root.read_bytes())
        elif asked.command == "refresh":
            client.refresh(asked.metadata_url)
        else:
            client.download(asked.metadata_url, asked.target_name, asked.target_dir)
    except RegistryRefused as refusal:
        print(refusal.detail, file=sys.stderr)  # noqa: T201 - This is a command.
        return 1
    return 0


def _parser():
    parser = argparse.ArgumentParser(prog="python -m tests.tuf_client")
    parser.add_argument("--metadata-dir", type=_metadata_dir, required=True)
    parser.add_argument("--metadata-url", type=_base_of(METADATA))
    parser.add_argument("--target-name", action="append")
    parser.add_argument("--target-dir", type=Path)
    parser.add_argument("--target-base-url", type=_base_of(TARGETS))
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("init").add_argument("root", type=Path)
    commands.add_parser("refresh")
    commands.add_parser("download")
    return parser


def _metadata_dir(text):
    """Read where TUF's state is kept, which ours has under this name."""
    path = Path(text)
    if path.name != METADATA:
        raise argparse.ArgumentTypeError(f"the folder's name has to be {METADATA}")
    return path


def _base_of(folder):
    """Return what reads the address of a folder, since ours derives both from one base."""

    def base(text):
        address, slash, name = text.rstrip("/").rpartition("/")
        if name != folder:
            raise argparse.ArgumentTypeError(f"the address has to end with /{folder}")
        return address + slash

    return base


if __name__ == "__main__":
    sys.exit(main())
