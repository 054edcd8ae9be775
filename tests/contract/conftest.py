"""Give a test every registry store in turn, the fake among them, as the ingest that the service has uses it."""

from __future__ import annotations

import pytest

from tests.conftest import database_on
from tests.fakes.registry import MemoryRegistry
from tests.registries import SampleRegistry, Station
from verify_service.storage.blinding_key_store import BlindingKeyStore
from verify_service.storage.registry_store import RegistryStore


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def stores(request, tmp_path):
    """A registry store and a key store."""
    if request.param == "memory":
        memory = MemoryRegistry()
        return memory, memory
    database = database_on(request, request.param, tmp_path)
    return RegistryStore(database), BlindingKeyStore(database)


@pytest.fixture
def station(stores, tmp_path):
    return Station(SampleRegistry(tmp_path / "registry"), *stores, tmp_path / "ingest")
