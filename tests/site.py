"""Serve a registry over real HTTP on loopback, and for single files answer as a broken or hostile server would."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer


class Site:
    """What is served: a folder, but by path whatever ``answers`` does with the request instead."""

    def __init__(self, folder):
        self.folder = folder
        self.answers = {}
        self.address = None

    def says(self, path, content):
        """Answer with these bytes for a file."""
        self.answers[path] = partial(_say, content)


class _Request(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Else the client's late acknowledgement holds every body back for 40 ms.
    disable_nagle_algorithm = True

    def __init__(self, site, *arguments):
        self.site = site
        super().__init__(*arguments, directory=site.folder)

    def do_GET(self):
        self.site.answers.get(self.path.lstrip("/"), SimpleHTTPRequestHandler.do_GET)(self)

    def log_message(self, *_):
        pass


@contextmanager
def served(folder):
    """Yield a site that is up, and take it down."""
    site = Site(folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Request, site))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    site.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def endless(request):
    """Send as fast as the client reads, for ever."""
    _send_until_gone(request, b" " * 4096, 0)


def drip(request):
    """Send a byte now and then, so that no silence is long."""
    _send_until_gone(request, b" ", 0.05)


def silent(request):
    """Begin an answer and say no more."""
    _begin(request)
    time.sleep(1)


def _send_until_gone(request, piece, pause):
    _begin(request)
    try:
        while True:
            request.wfile.write(piece)
            time.sleep(pause)
    except OSError:
        pass


def _begin(request):
    request.close_connection = True
    request.send_response(200)
    request.end_headers()


def _say(content, request):
    request.send_response(200)
    request.send_header("Content-Length", str(len(content)))
    request.end_headers()
    request.wfile.write(content)
