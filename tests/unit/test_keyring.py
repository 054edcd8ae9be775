"""Key files are made once, kept as they are, and read only where nobody else can read them."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.fakes.keys import ORIGIN, seeded_bytes
from verify_service.errors import ConfigurationError
from verify_service.keyring import VaultFile, generate, log_key_file, log_signer
from verify_service.record_log.log import LogId

LOG = LogId("LAPD", "records")


def test_keys_are_made_once_and_more_departments_leave_the_first_as_they_are(tmp_path):
    made = generate(tmp_path / "keys", ["LAPD"], [LOG], seeded_bytes(1))
    assert [path.name for path in made] == ["vault.json", "log-LAPD-records.pem"]
    assert {path.stat().st_mode & 0o777 for path in made} == {0o600}
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
    first = VaultFile(tmp_path / "keys").keys()
    signer = log_signer(log_key_file(tmp_path / "keys", LOG), ORIGIN)
    assert generate(tmp_path / "keys", ["LAPD"], [LOG], seeded_bytes(2)) == []
    assert [path.name for path in generate(tmp_path / "keys", ["LAPD", "SFPD"], [LOG], seeded_bytes(3))] == [
        "vault.json"
    ]
    both = VaultFile(tmp_path / "keys").keys()
    assert both["LAPD"] == first["LAPD"]
    assert both["SFPD"].index != both["LAPD"].index
    assert log_signer(log_key_file(tmp_path / "keys", LOG), signer.name).key == signer.key


def test_a_missing_key_says_whether_to_make_or_to_restore_it(tmp_path):
    with pytest.raises(ConfigurationError, match=r"vault\.json is missing.*keys generate.*restore"):
        VaultFile(tmp_path).keys()
    with pytest.raises(ConfigurationError, match=r"log-LAPD-records\.pem is missing"):
        log_signer(log_key_file(tmp_path, LOG), ORIGIN)


@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_a_key_that_others_can_read_is_refused(tmp_path, mode):
    for path in generate(tmp_path, ["LAPD"], [LOG], seeded_bytes(1)):
        path.chmod(mode)
    for read in (lambda: VaultFile(tmp_path).keys(), lambda: log_signer(log_key_file(tmp_path, LOG), ORIGIN)):
        with pytest.raises(ConfigurationError, match="open to others: run `chmod 600"):
            read()


def test_what_is_not_such_a_key_is_refused(tmp_path):
    generate(tmp_path, ["LAPD"], [LOG], seeded_bytes(1))
    (tmp_path / "vault.json").write_text('{"v": "vault-keys/v9"}')
    with pytest.raises(ConfigurationError, match="not a vault-keys/v1 file"):
        VaultFile(tmp_path).keys()
    key = generate_private_key(65537, 2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "log-LAPD-records.pem").write_bytes(key)
    with pytest.raises(ConfigurationError, match="not an Ed25519 key"):
        log_signer(log_key_file(tmp_path, LOG), ORIGIN)
    (tmp_path / "log-LAPD-records.pem").write_bytes(b"not a key")
    with pytest.raises(ConfigurationError, match="not an Ed25519 key"):
        log_signer(log_key_file(tmp_path, LOG), ORIGIN)
    (tmp_path / "vault.json").write_text("{")
    with pytest.raises(ConfigurationError, match="not a vault-keys/v1 file"):
        VaultFile(tmp_path).keys()
