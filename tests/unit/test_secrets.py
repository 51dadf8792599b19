"""Where secrets come from, and that they never show."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from syncd.secrets import SecretMissing, missing, name_problem, resolve


@pytest.fixture
def credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    monkeypatch.delenv("TOKEN", raising=False)
    return tmp_path


def test_a_file_wins_over_the_environment(credentials: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (credentials / "TOKEN").write_text("  from file\n")
    monkeypatch.setenv("TOKEN", "from environment")

    assert resolve("TOKEN").get_secret_value() == "from file"


def test_the_environment_stands_in_for_a_file(credentials: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "from environment\n")

    assert resolve("TOKEN").get_secret_value() == "from environment"


def test_the_environment_is_enough_without_systemd(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    monkeypatch.setenv("TOKEN", "x")

    assert resolve("TOKEN").get_secret_value() == "x"


@pytest.mark.usefixtures("credentials")
def test_a_missing_secret_says_what_to_do() -> None:
    with pytest.raises(SecretMissing) as caught:
        resolve("TOKEN")

    assert (caught.value.name, caught.value.reason) == ("TOKEN", "is not set")
    assert "LoadCredential=TOKEN:FILE" in caught.value.remedy


def test_a_secret_that_is_empty_or_unreadable_is_missing(credentials: Path) -> None:
    (credentials / "EMPTY").write_text("\n")
    (credentials / "FOLDER").mkdir()
    (credentials / "BYTES").write_bytes(b"top\xffsecret")

    for name, words in (("EMPTY", "is empty"), ("FOLDER", "cannot be read"), ("BYTES", "is not text")):
        with pytest.raises(SecretMissing, match=words) as caught:
            resolve(name)
        assert "secret\\x" not in repr(caught.value.__cause__)


def test_a_secret_never_shows(
    credentials: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    (credentials / "TOKEN").write_text("hunter2")
    secret = resolve("TOKEN")

    logging.getLogger().warning("%s %r %s", secret, secret, [secret])
    print(secret, f"{secret}", repr({"secret": secret}))

    assert "hunter2" not in caplog.text + capsys.readouterr().out


@pytest.mark.parametrize("name", ["TOKEN", "shop.client-secret", "_x9"])
def test_good_names(name: str) -> None:
    assert name_problem(name) is None


@pytest.mark.parametrize(
    "text", ["", "a/b", "../x", ".x", "a b", "9x", "x\n", "shpss_abc", "shpat_1", "0123456789abcdef01234567", "a" * 101]
)
def test_bad_names_are_told_without_repeating_them(text: str) -> None:
    problem = name_problem(text)

    assert problem
    assert not text.strip() or text not in problem


@pytest.mark.usefixtures("credentials")
def test_every_key_that_ends_with_secret_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THERE", "x")
    raw = {"a_secret": "GONE", "b": [{"key": "k", "c_secret": "GONE"}, {"c_secret": "THERE"}], "secretive": "NO"}

    assert [problem.key for problem in missing(raw)] == ["a_secret", "b[k].c_secret"]


# --- values that cannot be sent -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("S3CRET\nS3CRET", "has a line break, a control character or an odd space in it"),
        ("S3CRET\u00a0x", "has a line break, a control character or an odd space in it"),
        ("\ufeffS3CRET", "has a line break, a control character or an odd space in it"),
        ("S3CRÉT", "has a letter outside ASCII in it"),
        ("token: S3CRET", "has a space in it"),
    ],
)
def test_a_token_that_cannot_be_sent_is_named_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch, value: str, problem: str
) -> None:
    monkeypatch.setenv("TOKEN", value)

    [told] = missing({"alerts": {"route": [{"name": "ops", "token_secret": "TOKEN"}]}})

    assert (told.key, told.problem) == ("alerts.route[ops].token_secret", f"secret TOKEN {problem}")
    assert told.remedy
    assert "S3CR" not in str(told)


@pytest.mark.parametrize(
    ("table", "value", "problem"),
    [
        ({"database": {"password_secret": "WORD"}}, "pass phrase é", None),
        ({"database": {"password_secret": "WORD"}}, "one\ntwo", "has a line break"),
        ({"alerts": {"route": [{"name": "m", "password_secret": "WORD"}]}}, "app word", None),
        ({"alerts": {"route": [{"name": "m", "password_secret": "WORD"}]}}, "é", "outside ASCII"),
    ],
)
def test_a_password_may_have_what_its_server_takes(
    monkeypatch: pytest.MonkeyPatch, table: dict[str, object], value: str, problem: str | None
) -> None:
    monkeypatch.setenv("WORD", value)

    found = [each.problem for each in missing(table)]

    assert (problem is None and found == []) or (problem is not None and problem in found[0])
