"""An agency's list becomes a roster whole and in its agency's key, or every bad row is named by line and reason."""

import io
import json
import stat

import pytest

from tests.holders import CODE, ROWS, Holders
from verify_service.registry.identifier import Identifier
from verify_service.registry.minted import check_character_fits

HEADER = "kind,value,status,not_before,expires"


@pytest.fixture
def holders(tmp_path):
    holders = Holders(tmp_path)
    holders.init()
    holders.enrol()
    holders.list(*ROWS)
    return holders


def said(capsys):
    return capsys.readouterr().out


def staged_roster(holders):
    (path,) = (holders.folder / f"staged/targets/rosters/{CODE}").iterdir()
    header, *lines = path.read_bytes().splitlines()
    return json.loads(header), [json.loads(line) for line in lines]


def test_a_list_is_blinded_with_the_agencys_key(holders, capsys):
    assert holders.build() == 0
    header, entries = staged_roster(holders)
    (key,) = holders.blinding_keys
    assert (header["seq"], header["prev_sha256"], header["key_id"], header["synthetic"]) == (1, None, key.key_id, True)
    assert header["coverage"] == {"badge": "complete", "minted": "complete", "op_code": "complete"}
    by_tag = {entry["tag"]: entry for entry in entries}
    assert by_tag[key.tag(Identifier("badge", "10001")).hex()]["exp"] is None
    dated = by_tag[key.tag(Identifier("badge", "10002")).hex()]
    assert (dated["nbf"], dated["exp"]) == ("2026-01-01T00:00:00.000Z", "2027-01-31T23:59:59.999Z")
    assert "12 of 12 rows stand in roster 1." in said(capsys)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("badge,SECRET1,active,,", "is not in the profile's format for badge, 5 digits"),
        ("badge,12\u0430456,active,,", "not of letters A to Z and digits alone"),
        ("badge,,active,,", "empty, too long, or not of letters"),
        (f"badge,{'7' * 65},active,,", "empty, too long, or not of letters"),
        ("credential,AB1234567,active,,", f"lists a credential, which the profile of {CODE} does not name"),
        ("shield,12345,active,,", "has a kind that is none of badge"),
        ("minted,ABCDEFGH9,active,,", "check character does not fit"),
        ("op_code,ABCDEFG9,active,,", "check character does not fit"),
        ("op_code,{code},active,2026-11-24,", "calendar of operations"),
        ("badge,12345,on leave,,", "has a status that is none of active"),
        ("badge,12345,active,soon,", "has in not_before neither a date"),
        ("badge,12345,active,,2026-02-30", "has in expires neither a date"),
        ("badge,12345,active,2026-01-01T00:00:00,", "has in not_before neither a date"),
        ("badge,12345,active,2027-01-01,2026-01-01", "ends before it begins"),
        ("badge, 100-01 ,active,,", "lists the same identifier as line 2"),
        ("badge,12345,active", "does not have exactly the columns"),
    ],
)
def test_a_bad_row_is_named_by_line_and_reason_and_never_by_value(holders, row, reason, capsys):
    if "{code}" in row:
        row = row.format(code=minted_code(holders))
    holders.list(ROWS[0], row, ROWS[1])
    said(capsys)
    assert holders.build() == 1
    text = said(capsys)
    assert f"line 3 {reason}" in text or ("line 3 " in text and reason in text)
    value = row.split(",")[1].strip()
    assert not value or value not in text
    assert not (holders.folder / f"staged/targets/rosters/{CODE}").exists()


def minted_code(holders):
    path = holders.home / "codes.jsonl"
    holders.do("op-code", "mint", path, "--count", 1)
    return json.loads(path.read_text())["value"]


def test_every_bad_row_is_named_at_once(holders, capsys):
    holders.list("badge,x,active,,", ROWS[0], "shield,1,active,,", "badge,12345,gone,,")
    said(capsys)
    assert holders.build("--json") == 1
    document = json.loads(said(capsys).splitlines()[-1])
    assert [row["line"] for row in document["bad"]] == [2, 4, 5]


def test_with_a_report_the_good_rows_are_built_and_their_kind_is_complete_no_more(holders, capsys):
    holders.list(ROWS[0], "badge,x,active,,", ROWS[1])
    report = holders.home / "bad.json"
    assert holders.build("--report", report) == 0
    header, entries = staged_roster(holders)
    assert len(entries) == 2
    assert header["coverage"] == {"badge": "partial", "minted": "complete", "op_code": "complete"}
    assert [row["line"] for row in json.loads(report.read_bytes())] == [3]
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    assert "badge is only partial now" in said(capsys)


def test_a_bad_row_of_unknown_kind_may_have_been_of_any(holders):
    holders.list(ROWS[0], "not a row")
    assert holders.build("--report", holders.home / "bad.json") == 0
    header, _ = staged_roster(holders)
    assert set(header["coverage"].values()) == {"partial"}


def test_a_list_may_be_json_lines(holders, tmp_path):
    holders.source = tmp_path / "list.jsonl"
    row = {"kind": "badge", "value": "10001", "status": "active"}
    dated = {**row, "value": "10002", "not_before": None, "expires": "2027-01-31T12:00:00+02:00"}
    holders.source.write_text(f"{json.dumps(row)}\n\n{json.dumps(dated)}\n")
    assert holders.build() == 0
    _, entries = staged_roster(holders)
    assert {entry["exp"] for entry in entries} == {None, "2027-01-31T10:00:00.000Z"}


@pytest.mark.parametrize("line", ["nothing", "[]", '{"kind":"badge"}', '{"kind":"badge","value":10001}', "[" * 5000])
def test_a_json_line_that_is_no_row_is_named(holders, tmp_path, line, capsys):
    holders.source = tmp_path / "list.jsonl"
    holders.source.write_text(f"{line}\n")
    assert holders.build() == 1
    assert "line 1 does not have exactly the columns" in said(capsys)


@pytest.mark.parametrize(
    "content", ["kind;value;status\n", f"{HEADER}\n\xff".encode("latin-1"), f'{HEADER}\nbadge,"1,active,,\n']
)
def test_a_file_that_is_no_list_is_usage(holders, content):
    holders.source.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert holders.build() == 2


def test_what_spreadsheets_save_is_read(holders):
    holders.source.write_bytes(b"\xef\xbb\xbf" + f"{HEADER}\r\nbadge,10001,active,,\r\n".encode())
    assert holders.build() == 0


def test_coverage_is_said_once_and_then_carried_on(holders, capsys):
    words = ["roster", "build", holders.folder, CODE, holders.source, "--blinding-keys", holders.blinding_file]
    holders.do("blinding-key", "new", holders.blinding_file, CODE)
    assert holders.run(*words) == 1
    assert "give --coverage badge=complete" in said(capsys)
    holders.do(*words, "--coverage", "badge=partial")
    for role in ("targets", CODE):
        holders.sign(role)
    assert holders.publish() == 0
    holders.do(*words)
    header, _ = staged_roster(holders)
    assert (header["seq"], header["coverage"]) == (2, {"badge": "partial"})
    assert holders.run(*words, "--coverage", "credential=complete") == 1
    with pytest.raises(SystemExit):
        holders.run(*words, "--coverage", "badge=most")


def test_what_a_holder_signs_is_said_in_numbers_and_never_by_entry(tmp_path, capsys):
    holders = Holders(tmp_path).published()
    holders.list("badge,10001,suspended,,", "badge,10003,active,,", *ROWS[2:])
    said(capsys)
    assert holders.build() == 0
    text = said(capsys)
    for words in ("1 entries added", "1 entries removed", "1 from active -> suspended", "12 badge (complete)"):
        assert words in text
    assert "10001" not in text


def test_a_roster_that_departments_will_hold_is_said_to_be_one(tmp_path, capsys):
    holders, held = Holders(tmp_path).published(), "each department holds it until a person there decides"
    for suspended, warned in ((2, False), (3, True)):
        holders.list(*ROWS[:-suspended], *(row.replace("active", "suspended") for row in ROWS[-suspended:]))
        said(capsys)
        assert holders.build() == 0
        assert (f"more than 20 in 100 entries differ: {held}" in said(capsys)) is warned
    holders.do("blinding-key", "rotate", holders.blinding_file, CODE)
    said(capsys)
    assert holders.build() == 0
    assert f"with another key {held}" in said(capsys)


def test_an_epoch_follows_with_a_new_key_and_none_goes_back(tmp_path, capsys):
    holders = Holders(tmp_path).published()
    holders.do("blinding-key", "rotate", holders.blinding_file, CODE)
    assert [key.epoch for key in holders.blinding_keys] == [1, 2]
    assert stat.S_IMODE(holders.blinding_file.stat().st_mode) == 0o600
    assert holders.build("--epoch", 1) == 0
    assert holders.build() == 0
    assert "blinded for epoch 2" in said(capsys)
    holders.sign(CODE)
    assert holders.publish() == 0
    assert holders.build("--epoch", 1) == 1
    assert holders.build("--epoch", 3) == 2
    assert holders.run("blinding-key", "new", holders.blinding_file, CODE) == 1
    assert holders.run("blinding-key", "rotate", holders.blinding_file, "XY-NIX") == 1
    assert holders.run("blinding-key", "new", holders.home / "other.json", "xy") == 2


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
@pytest.mark.parametrize(("command", "kind", "length"), [("roster", "minted", 9), ("op-code", "op_code", 8)])
def test_identifiers_are_minted_into_the_list(holders, ending, command, kind, length, capsys):
    holders.source = holders.home / f"pool.{ending}"
    holders.do(command, "mint", holders.source, "--count", 20)
    assert stat.S_IMODE(holders.source.stat().st_mode) == 0o600
    assert "Minted 20" in said(capsys)
    first = holders.source.read_text()
    holders.do(command, "mint", holders.source, "--count", 5)
    assert holders.source.read_text().startswith(first)
    assert holders.build() == 0
    header, entries = staged_roster(holders)
    assert header["count"] == 25
    assert {(entry["t"], entry["st"], entry["nbf"], entry["exp"]) for entry in entries} == {
        (kind, "active", None, None)
    }
    values = [line.split(",")[1] for line in holders.source.read_text().splitlines()[1:]] if ending == "csv" else []
    assert all(len(value) == length and check_character_fits(kind, value) for value in values)
    with pytest.raises(SystemExit):
        holders.run(command, "mint", holders.source, "--count", 0)


def test_a_code_is_revoked_from_standard_input(holders, capsys, monkeypatch):
    code = minted_code(holders)
    holders.source = holders.home / "codes.jsonl"
    said(capsys)
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{code[:4]}-{code[4:].lower()}\n"))
    holders.do("op-code", "revoke", holders.source, "--status", "lost")
    text = said(capsys)
    assert "Next: registryctl roster build" in text
    assert code not in text
    assert holders.build() == 0
    _, (entry) = staged_roster(holders)
    assert entry[0]["st"] == "lost"


@pytest.mark.parametrize("typed", ["AAAAAAAA", "", "\u0430"])
def test_a_code_that_is_not_listed_is_not_revoked(holders, typed, capsys, monkeypatch):
    minted_code(holders)
    path = holders.home / "codes.jsonl"
    before = path.read_text()
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{typed}\n"))
    assert holders.run("op-code", "revoke", path) == 1
    assert "does not list this op_code" in said(capsys)
    assert path.read_text() == before


def test_an_agency_below_level_three_has_no_roster(tmp_path, capsys):
    holders = Holders(tmp_path)
    holders.init()
    holders.enrol(level=2)
    holders.list(*ROWS)
    assert holders.build() == 1
    assert "level 2, which has no roster" in said(capsys)
