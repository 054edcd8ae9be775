"""A development issuer on real loopback HTTP that can rotate its key, break and go away."""

from __future__ import annotations

import threading

from verify_service.devissuer.app import create_app
from verify_service.devissuer.issuer import DevelopmentIssuer
from verify_service.devissuer.key import signing_key
from verify_service.devissuer.serving import listen


class ServedIssuer:
    def __init__(self, home, random_bytes):
        self._home = home
        self._random_bytes = random_bytes
        self.requests = []
        self.answer = None
        self._server = listen(self._serve, 0)
        self.port = self._server.port
        self.url = f"http://127.0.0.1:{self.port}"
        self.rotate()
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def rotate(self):
        self._home = self._home / "next"
        rotated = DevelopmentIssuer(self.url, signing_key(self._home), self._random_bytes)
        # A key is published before anything is signed with it.
        self._app = create_app(rotated)
        self.issuer = rotated

    def stop(self):
        if self._server is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._server = None

    def _serve(self, environ, start_response):
        self.requests.append(environ["PATH_INFO"])
        app = self.answer or self._app
        return app(environ, start_response)
