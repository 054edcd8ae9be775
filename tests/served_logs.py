"""Write logs of made-up entries as C2SP tlog-tiles, as `verify-service export-log` writes a real one."""

from __future__ import annotations

import hashlib
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

from tests.fakes.keys import ORIGIN, signer
from verify_service.record_log.checkpoint import Checkpoint
from verify_service.record_log.merkle import Peaks, leaf_hash
from verify_service.record_log.tiles import TILE_WIDTH, bundle, grown_tiles, level_zero, tile_path, tiles_of


def entry(index):
    return b"\x01" + hashlib.sha256(str(index).encode()).digest()


def write_log(folder, size, history=(), key=None, name=entry):
    """Write the log of entries ``name(0)`` to ``name(size - 1)`` and return each asked size's signed checkpoint."""
    key = key or signer()
    notes, tiles, peaks = {}, {}, Peaks()
    wanted = {0, size, *history}
    for start in range(0, size, TILE_WIDTH):
        entries = [name(index) for index in range(start, min(start + TILE_WIDTH, size))]
        _write(folder / tile_path("entries", start // TILE_WIDTH, len(entries)), bundle(entries))
        _write(folder / tile_path(0, start // TILE_WIDTH, len(entries)), level_zero(entries))
        for level, index, content in grown_tiles(start, entries, lambda level, index: tiles.get((level, index), b"")):
            tiles[level, index] = content
        for leaf in entries:
            peaks = peaks.append(leaf_hash(leaf))
            if peaks.size in wanted:
                notes[peaks.size] = Checkpoint(ORIGIN, peaks.size, peaks.root).sign(key)
    for level, index, width in tiles_of(size):
        if level:
            _write(folder / tile_path(level, index, width), tiles[level, index])
    notes[0] = Checkpoint(ORIGIN, 0, Peaks().root).sign(key)
    for past in history:
        _write(folder / f"checkpoints/{past}", notes[past].encode())
    if history:
        _write(folder / "checkpoints/sizes", "".join(f"{past}\n" for past in history).encode())
    _write(folder / "checkpoint", notes[size].encode())
    return notes


@contextmanager
def served(folder):
    """Serve a folder on loopback as any web server would, and give its address."""
    handler = type("Quiet", (SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
