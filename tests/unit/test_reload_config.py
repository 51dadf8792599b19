"""What a running daemon cannot change is named, and who is told is found in a file that is wrong elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from syncd.config import load
from syncd.config.reference import places
from syncd.config.reload import FIXED, fixed_that_differ
from syncd.config.told import LAST_GOOD, keep_last_good, who_is_told
from syncd.errors import ConfigError

GOOD = """
[http]
port = 8480
[alerts]
language = "zh"
[[alerts.route]]
name = "ops"
kind = "slack"
url_secret = "OPS_URL"
fallback = "mail"
[[alerts.route]]
name = "mail"
kind = "email"
host = "localhost"
from = "syncd@example.com"
to = ["ops@example.com"]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "syncd.toml"
    path.write_text(GOOD)
    return path


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "state"
    folder.mkdir()
    monkeypatch.setenv("STATE_DIRECTORY", str(folder))
    return folder


def names(path: Path) -> list[str]:
    return [route.name for route in who_is_told(path).alerts.routes]


def test_every_key_that_only_a_start_reads_is_named(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text(
        '[database]\nurl = "postgresql+psycopg://syncd@db/syncd"\npassword_secret = "DB"\n'
        '[http]\nhost = "0.0.0.0"\nport = 8481\npublic_url = "https://syncd.example.com"\n'
        '[clock]\nrecord = "clock.json"\n[log]\nlevel = "debug"\n'
    )

    found = list(fixed_that_differ(load(file), load(other)))

    assert [each.key for each in found] == list(FIXED)
    assert {each.remedy for each in found} == {"Restart to change it, or put it back"}
    assert "8481" not in "".join(map(str, found))
    assert list(fixed_that_differ(load(file), load(file))) == []
    assert set(FIXED) <= set(places())


def test_people_are_told_although_the_rest_of_the_file_is_wrong(file: Path) -> None:
    file.write_text(GOOD.replace("port = 8480", 'port = "many"') + '[[account]]\nkey = "Shop!"\n[nonsense]\nx = 1\n')

    with pytest.raises(ConfigError):
        load(file)
    told = who_is_told(file)

    assert [route.name for route in told.alerts.routes] == ["ops", "mail"]
    assert told.alerts.language == "zh"


def test_one_route_that_is_wrong_keeps_no_other_from_telling(file: Path) -> None:
    file.write_text(GOOD.replace('url_secret = "OPS_URL"', 'url_secret = "a b"').replace('"zh"', '"fr"'))

    assert names(file) == ["mail"]
    assert who_is_told(file).alerts.language == "en"


@pytest.mark.parametrize("text", ["", "alerts = 3", "[alerts]\nroute = 3", "[[alerts.route]]\nname = 3"])
def test_a_file_that_tells_of_nobody_tells_nobody(file: Path, text: str) -> None:
    file.write_text(text)

    assert names(file) == []


def test_the_last_good_one_tells_where_the_newest_is_no_toml(file: Path, state: Path) -> None:
    keep_last_good(file)
    file.write_text("[alerts\n")

    assert names(file) == ["ops", "mail"]
    assert [each.name for each in state.iterdir()] == [LAST_GOOD]


@pytest.mark.usefixtures("state")
def test_without_a_last_good_one_the_file_is_what_is_wrong(file: Path) -> None:
    file.write_text("[alerts\n")

    with pytest.raises(ConfigError, match="is not TOML"):
        who_is_told(file)


def test_nothing_is_kept_where_nobody_gives_a_folder(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    before = sorted(file.parent.iterdir())

    keep_last_good(file)

    assert sorted(file.parent.iterdir()) == before
