"""The service behind its documented proxy, one of each for a module."""

from __future__ import annotations

import pytest

from tests.deploy.proxy import Proxy
from tests.served import Served


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    home = tmp_path_factory.mktemp("behind") / "home"
    service = Served(home, f"sqlite:///{home}/verify.db", VERIFY_WORKERS="1").start()
    yield service
    service.stop()


@pytest.fixture(scope="module")
def proxy(tmp_path_factory, served):
    nginx = Proxy(tmp_path_factory.mktemp("proxy") / "nginx", served.port)
    checked = nginx.check()
    assert checked.returncode == 0, checked.stderr
    yield nginx.start()
    nginx.stop()
