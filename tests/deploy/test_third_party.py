"""This project's logs and proofs hold before Go's sumdb/tlog and tlog-scales, which nobody here wrote."""

from __future__ import annotations

import os
import random
import subprocess
import sys

import pytest

from tests.deploy.tools import ROOT, tool
from tests.fakes.keys import signer
from tests.served_logs import write_log
from verify_service.receiptctl import main
from verify_service.record_log.merkle import consistency_path, inclusion_path
from verify_service.record_log.served_log import LogFolder, ServedTree
from verify_service.record_log.tiles import TILE_WIDTH
from verify_service.signing import b64

pytestmark = pytest.mark.long

SMALL = (0, 1, 2, 255, 256, 257)
LARGE = (65_535, 65_536, 65_537, 1_000_000)
SEEDED = 1000
SECONDS = 300


@pytest.fixture(scope="module")
def tlogcheck(tmp_path_factory):
    """The Go checker, built from Debian's own parts."""
    folder = tmp_path_factory.mktemp("go")
    program = str(folder / "tlogcheck")
    places = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOCACHE": str(folder / "cache"), "GOFLAGS": ""}
    source = str(ROOT / "tests/third_party/tlogcheck.go")
    command = [tool("go"), "build", "-o", program, source]
    environment = {**os.environ, **places}
    built = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert built.returncode == 0, built.stderr
    return [program]


@pytest.fixture
def scales():
    return [sys.executable, "-m", "tests.third_party.scales"]


def judged(checker, folder, proofs):
    """Return what a checker says of a log and of proofs, each a line."""
    command = [*checker, signer().key.vkey, str(folder)]
    text = "".join(f"{line}\n" for line in proofs)
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=SECONDS, cwd=ROOT, check=False)


def proofs(folder, size, places):
    """Yield an inclusion and a consistency proof of each place, made of the log's tiles as a checker of ours does."""
    subtree = ServedTree(LogFolder(folder), size).subtree
    for place in places:
        if place < size:
            yield line("inclusion", size, place, inclusion_path(place, size, subtree))
        if 0 < place <= size:
            yield line("consistency", size, place, consistency_path(place, size, subtree))


def line(kind, size, other, path):
    return f"{kind} {size} {other} {' '.join(map(b64, path))}".strip()


def boundaries(size):
    """Every boundary of a tile, its neighbours, and the ends."""
    around = {edge + step for edge in range(0, size + 1, TILE_WIDTH) for step in (-1, 0, 1)} | {size - 1, size}
    return sorted(place for place in around if 0 <= place <= size)


def said(ran):
    return ran.returncode, ran.stdout.split(), ran.stderr


@pytest.mark.parametrize("size", SMALL)
def test_l19_every_proof_of_a_small_log_holds(tmp_path, tlogcheck, scales, size):
    write_log(tmp_path, size)
    lines = list(proofs(tmp_path, size, range(size + 1)))
    for checker in (tlogcheck, scales):
        assert said(judged(checker, tmp_path, lines)) == (0, [str(size), str(2 * size)], "")


@pytest.mark.parametrize("size", LARGE)
def test_l19_every_boundary_and_a_thousand_places_of_a_large_log_hold(tmp_path, tlogcheck, scales, size):
    write_log(tmp_path, size)
    drawn = random.Random(size).sample(range(1, size), SEEDED)
    lines = list(proofs(tmp_path, size, [*drawn, *boundaries(size)]))
    assert said(judged(tlogcheck, tmp_path, lines)) == (0, [str(size), str(len(lines))], "")
    # Tlog-scales makes each proof from the files anew, a thousand times slower than Go.
    few = lines[: 2 * SEEDED]
    assert said(judged(scales, tmp_path, few)) == (0, [str(size), str(len(few))], "")
    (tmp_path / "policy").write_text(f"log {signer().key.vkey}\nquorum none\n")
    assert main(["log", str(tmp_path), "--policy", str(tmp_path / "policy")]) == 0


@pytest.mark.parametrize("checker", ["tlogcheck", "scales"])
@pytest.mark.parametrize("spoiled", ["tile/0/000", "tile/entries/001.p/1", "tile/1/000.p/1", "checkpoint"])
def test_the_checkers_refuse_what_was_altered(tmp_path, request, checker, spoiled):
    write_log(tmp_path, 257)
    path = tmp_path / spoiled
    content = bytearray(path.read_bytes())
    content[30] ^= 1
    path.write_bytes(content)
    lines = proofs(tmp_path, 257, range(258))
    # A tile that is not under the root may break the making of a proof, too.
    assert judged(request.getfixturevalue(checker), tmp_path, lines).returncode != 0


@pytest.mark.parametrize("checker", ["tlogcheck", "scales"])
def test_the_checkers_refuse_another_proof(tmp_path, request, checker):
    write_log(tmp_path, 257)
    (good,) = [line for line in proofs(tmp_path, 257, [7]) if line.startswith("inclusion")]
    for bad in (good.replace(" 7 ", " 8 "), good.rpartition(" ")[0], f"{good} {good.split()[-1]}"):
        assert judged(request.getfixturevalue(checker), tmp_path, [bad]).returncode != 0
