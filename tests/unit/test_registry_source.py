"""Fetch over a real loopback server and from folders, within caps."""

import time

import pytest
from tuf.api.exceptions import DownloadError, DownloadHTTPError, DownloadLengthMismatchError, SlowRetrievalError

from tests.fakes.registry import MemoryRegistry
from tests.registries import SampleRegistry, Station
from tests.site import drip, endless, served, silent
from verify_service.errors import ConfigurationError, RegistryRefused
from verify_service.registry.source import FolderFetcher, HttpFetcher, Patience, first_root, open_source

QUICK = Patience(silence=0.3, file=0.6, whole=5)


def moved(request):
    request.send_response(302)
    request.send_header("Location", "/endless")
    request.end_headers()


def short(request):
    request.send_response(200)
    request.send_header("Content-Length", "100")
    request.end_headers()
    request.wfile.write(b"x" * 10)
    request.close_connection = True


def packed(request):
    request.send_response(200)
    request.send_header("Content-Encoding", "gzip")
    request.send_header("Content-Length", "12")
    request.end_headers()
    request.wfile.write(b"not unpacked")


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    with served(tmp_path_factory.mktemp("odd")) as site:
        answers = (moved, short, packed, endless, drip, silent)
        site.answers = {answer.__name__: answer for answer in answers}
        yield site.address


def fetched(url, patience=QUICK, largest=100_000):
    return HttpFetcher(patience).download_bytes(url, largest)


def test_a_registry_is_ingested_over_http(tmp_path):
    memory = MemoryRegistry()
    sample = SampleRegistry(tmp_path / "registry")
    station = Station(sample, memory, memory, tmp_path / "ingest")
    with served(sample.folder) as site:
        over_http = station.ingest(site.address).edition
        assert station.ingest(site.address + "/").changed is False
    assert over_http.contents == station.ingest().edition.contents
    assert station.result(sample.known("DHS-ICE"), "DHS-ICE") == "match_active"


def test_what_does_not_arrive_in_time_is_given_up(odd):
    started = time.monotonic()
    with pytest.raises(SlowRetrievalError, match="in time"):
        fetched(f"{odd}/drip")
    assert time.monotonic() - started < 2
    with pytest.raises(DownloadError):
        fetched(f"{odd}/silent")


def test_time_for_everything_together_runs_out():
    fetcher = HttpFetcher(Patience(whole=10), iter([0.0, 5.0, 11.0]).__next__)
    with pytest.raises(SlowRetrievalError, match="used up"):
        fetcher.download_bytes("http://127.0.0.1:1/", 10)


def test_no_more_is_read_than_was_signed_for(odd):
    with pytest.raises(DownloadLengthMismatchError):
        fetched(f"{odd}/endless")


def test_redirects_and_compression_are_not_followed(odd):
    with pytest.raises(DownloadHTTPError) as refusal:
        fetched(f"{odd}/moved")
    assert refusal.value.status_code == 302
    assert fetched(f"{odd}/packed") == b"not unpacked"


def test_a_body_that_breaks_off_is_an_error(odd):
    with pytest.raises(DownloadError, match="broke off"):
        fetched(f"{odd}/short")


def test_nobody_there_is_an_error():
    with pytest.raises(DownloadError):
        fetched("http://127.0.0.1:1/")


def test_a_folder_is_read_and_never_left(tmp_path):
    folder = tmp_path / "registry"
    (folder / "metadata").mkdir(parents=True)
    (folder / "metadata/1.root.json").write_bytes(b"root")
    (tmp_path / "secret").write_bytes(b"secret")
    (folder / "metadata/link").symlink_to(tmp_path / "secret")
    fetcher = FolderFetcher(folder)
    assert fetcher.download_bytes("metadata/1.root.json", 10) == b"root"
    for outside in ("../secret", "metadata/../../secret", str(tmp_path / "secret"), "metadata/link"):
        with pytest.raises(DownloadError, match="leads out"):
            fetcher.download_bytes(outside, 10)
    with pytest.raises(DownloadHTTPError) as refusal:
        fetcher.download_bytes("metadata/2.root.json", 10)
    assert refusal.value.status_code == 404


def test_a_location_is_a_folder_or_an_address(tmp_path):
    assert open_source("https://registry.example/x/").base == "https://registry.example/x/"
    assert open_source("http://registry.example").base == "http://registry.example/"
    assert open_source(str(tmp_path)).base == ""
    for nothing in (str(tmp_path / "none"), "ftp://registry.example"):
        with pytest.raises(ConfigurationError, match="no registry folder"):
            open_source(nothing)
    with pytest.raises(RegistryRefused, match="no first root"):
        first_root(open_source(str(tmp_path)))
