"""A department that fetches its registry over HTTP from a site that the attacker holds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.fakes.registry import MemoryRegistry
from tests.registries import DEPARTMENT, SampleRegistry, Station
from tests.site import served
from verify_service.errors import RegistryRefused


class Besieged(Station):
    """A station whose ``site`` the attacker holds; ``agent`` is somebody whom DHS-ICE lists as active."""

    def __init__(self, site, *arguments):
        super().__init__(*arguments)
        self.site = site
        self.agent = self.sample.known("DHS-ICE")

    def ingest(self, location=None, **options):
        return super().ingest(location or self.site.address, **options)

    def standing(self):
        return self.store.current(DEPARTMENT)

    def refuses_all(self, words):
        """Nothing of what is published is taken in, and what stood stands."""
        before = self.standing()
        with pytest.raises(RegistryRefused, match=words):
            self.ingest()
        assert self.standing() == before

    def refuses_ice(self, words, **options):
        """The agency keeps its last good roster, and everyone else's news arrives."""
        before = self.standing().agencies["DHS-ICE"]
        news = self.sample.known("DHS-CBP", status="absent")
        self.sample.publish_roster("DHS-CBP", self.sample.next_roster("DHS-CBP", news))
        report = self.ingest(**options)
        assert [refusal.agency for refusal in report.refusals] == ["DHS-ICE"]
        assert words in report.refusals[0].reason
        assert self.standing().agencies["DHS-ICE"] == replace(before, newer_not_taken=True)
        assert self.result(self.agent, "DHS-ICE") == "match_active"
        assert self.result(news, "DHS-CBP") == "match_active"


@pytest.fixture
def site(tmp_path):
    with served(tmp_path / "registry") as site:
        yield site


@pytest.fixture
def besieged(site, tmp_path):
    """A station that has taken in a good registry once."""
    memory = MemoryRegistry()
    station = Besieged(site, SampleRegistry(site.folder), memory, memory, tmp_path / "ingest")
    station.ingest()
    return station


@pytest.fixture
def sample(besieged):
    return besieged.sample
