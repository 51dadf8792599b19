"""Where the files that come with syncd are found."""

from __future__ import annotations

from pathlib import Path

import pytest

from syncd import resources


@pytest.fixture
def package(tmp_path: Path) -> Path:
    (tmp_path / "syncd").mkdir()
    return tmp_path / "syncd"


def test_an_installed_package_wins_over_a_checkout(package: Path) -> None:
    (package / "_data" / "config").mkdir(parents=True)
    (package.parent / "config").mkdir()

    assert resources.folder("config", package) == package / "_data" / "config"


def test_a_checkout_has_them_beside_the_package(package: Path) -> None:
    (package.parent / "migrations").mkdir()

    assert resources.folder("migrations", package) == package.parent / "migrations"


def test_a_broken_installation_is_told(package: Path) -> None:
    with pytest.raises(resources.ResourceMissing) as caught:
        resources.folder("systemd", package)

    assert caught.value.name == "systemd"
    assert caught.value.looked_in == (package / "_data" / "systemd", package.parent / "systemd")


def test_our_own_are_there() -> None:
    assert (resources.folder("migrations") / "versions").is_dir()
    assert (resources.folder("config") / "syncd.example.toml").is_file()
    assert (resources.folder("systemd") / "syncd.service").is_file()
