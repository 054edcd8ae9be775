"""What DPoP adds to a POST that records, on each engine: ``python -m benchmarks.identity``.

One process submits with a bearer token and with a bound one in turn; every proof is signed before its request is timed.
Prints one JSON object a line: medians in µs, and ``added``, what a bound token adds, in signature checks (ES256).
``admitted`` is the same of a request that is only let in, nothing recorded or spent.
"""

from __future__ import annotations

import json
import sys
import time
from contextlib import ExitStack
from statistics import median
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.hashes import SHA256

from benchmarks.databases import database
from tests.api.served_issuer import ServedIssuer
from tests.deployment import AUDIENCE, build, claim
from tests.dpop_key import DpopKey
from tests.fakes.keys import seeded_bytes
from tests.registries import SampleRegistry
from verify_service.clock import SystemClock
from verify_service.web.app import create_app
from verify_service.web.dpop import Nonces, Shown

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROUNDS = 1000
PATH = "/v1/verifications"


def timed(call: Callable[[], Any]) -> float:
    """Return how many µs a call takes."""
    begun = time.perf_counter_ns()
    call()
    return (time.perf_counter_ns() - begun) / 1000


class Bench:
    """One deployment, a bearer token and a bound one."""

    def __init__(self, folder: Path, issuer: ServedIssuer, url: str) -> None:
        sample = SampleRegistry(folder / "registry", SystemClock())
        self.service = build(folder / "home", sample, VERIFY_DEVISSUER_PORT=str(issuer.port), VERIFY_DATABASE_URL=url)
        self.backend = self.service.backend()
        self.client = create_app(self.backend).test_client()
        self.body = json.dumps(claim("DHS-ICE", sample.known("DHS-ICE").value))
        self.key = DpopKey()
        now = self.service.clock.now()
        self.bearer = issuer.issuer.issue_token("officer", "LAPD", AUDIENCE, now)
        self.bound = issuer.issuer.issue_token("officer", "LAPD", AUDIENCE, now, jkt=self.key.jkt)
        self.nonces = Nonces(self.service.vault)
        self.sent = 0

    def shown(self, *, bound: bool) -> Shown:
        """Return what one more request shows."""
        if not bound:
            return Shown(f"Bearer {self.bearer}", None, "POST", f"{AUDIENCE}{PATH}")
        now = self.service.clock.now()
        nonce = self.nonces.current("LAPD", now)
        proof = self.key.proof(self.bound, "POST", f"{AUDIENCE}{PATH}", now, nonce)
        return Shown(f"DPoP {self.bound}", proof, "POST", f"{AUDIENCE}{PATH}")

    def post(self, *, bound: bool) -> float:
        """Return how many µs a submission takes."""
        self.sent += 1
        shown = self.shown(bound=bound)
        headers = {"Authorization": shown.authorization, "Idempotency-Key": str(self.sent)}
        if shown.proof:
            headers["DPoP"] = shown.proof
        ask = self.client.post
        answers: list[Any] = []
        taken = timed(
            lambda: answers.append(ask(PATH, data=self.body, headers=headers, content_type="application/json"))
        )
        if answers[0].status_code != 201:
            raise RuntimeError(answers[0].get_data(as_text=True))
        return taken

    def admit(self, *, bound: bool) -> float:
        """Return how many µs it takes to say who calls."""
        shown = self.shown(bound=bound)
        return timed(lambda: self.backend.authenticator.admit(shown))


def measured(bench: Bench) -> dict[str, float]:
    """Return the medians, each round measuring all in turn."""
    public, signature = bench.key.private.public_key(), bench.key.private.sign(b"x" * 400, ECDSA(SHA256()))
    found: dict[str, list[float]] = {name: [] for name in ("es256", "bearer", "dpop", "admit_bearer", "admit_dpop")}
    for _ in range(ROUNDS):
        found["es256"].append(timed(lambda: public.verify(signature, b"x" * 400, ECDSA(SHA256()))))
        found["bearer"].append(bench.post(bound=False))
        found["dpop"].append(bench.post(bound=True))
        found["admit_bearer"].append(bench.admit(bound=False))
        found["admit_dpop"].append(bench.admit(bound=True))
    medians = {name: median(values) for name, values in found.items()}
    added = {
        "added": (medians["dpop"] - medians["bearer"]) / medians["es256"],
        "admitted": (medians["admit_dpop"] - medians["admit_bearer"]) / medians["es256"],
        "dpop_over_bearer": medians["dpop"] / medians["bearer"],
    }
    return {name: round(value, 2) for name, value in {**medians, **added}.items()}


def main(engines: list[str]) -> None:
    """Measure each engine."""
    for engine in engines:
        with ExitStack() as stack:
            folder, url = stack.enter_context(database(engine))
            issuer = ServedIssuer(folder / "issuer", seeded_bytes(2))
            stack.callback(issuer.stop)
            bench = Bench(folder, issuer, url)
            stack.callback(bench.service.database.dispose)
            print(json.dumps({"engine": engine, **measured(bench)}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:] or ["sqlite", "postgresql"])
