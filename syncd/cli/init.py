"""`syncd init`: ask for warehouses and channels, write a configuration, create the database, say what comes next."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from sqlalchemy.exc import SQLAlchemyError

from syncd import config as settings
from syncd.accounts.answers import (
    AccountAnswer,
    AnswerRefused,
    Answers,
    WarehouseAnswer,
    read_account,
    read_warehouse,
)
from syncd.accounts.first_config import configuration, secrets_of
from syncd.cli.asking import ask_accounts, ask_warehouses
from syncd.db.migrate import migrate
from syncd.db.trouble import explain
from syncd.errors import ConfigError, ConfigProblem, SyncdError
from syncd.secrets import SecretMissing, resolve

_SYSTEM = Path("/etc/syncd")
_EXAMPLE = (
    "syncd init -c syncd.toml --warehouse main,country=US,postcode=10001"
    " --account shopify,shop=my-shop,client_id=CLIENT_ID"
)


class NothingToAskOn(SyncdError):
    """There is neither a terminal nor enough flags."""


class WouldOverwrite(SyncdError):
    """The file is there already."""


@dataclass(frozen=True, slots=True)
class InitOptions:
    """Flags as they were typed; what is left out is asked, where there is a terminal."""

    path: Path
    warehouses: Sequence[str]
    accounts: Sequence[str]
    database: str | None
    password_secret: str | None
    public_url: str | None
    force: bool


def init(options: InitOptions, console: Console) -> None:
    """Write the configuration and create the database.

    Raises WouldOverwrite, NothingToAskOn, AnswerRefused, and ConfigError with everything wrong in what was said.
    """
    if options.path.is_dir():
        raise WouldOverwrite(f"{options.path} is a folder: name the file to write, like {options.path / 'syncd.toml'}")
    if options.path.exists() and not options.force:
        raise WouldOverwrite(
            f"{options.path} is there already: --force keeps it as {_old(options.path)} and writes anew"
        )
    answers = _answers(options, console)
    _write(options, answers)
    console.print(f"wrote {options.path}", markup=False)
    created = _create_database(options.path, console)
    _tell_next(options.path, answers, created=created, console=console)


def _answers(options: InitOptions, console: Console) -> Answers:
    asked = not (options.warehouses and options.accounts)
    if asked and not sys.stdin.isatty():
        missing = " and ".join(
            flag for flag, given in (("--warehouse", options.warehouses), ("--account", options.accounts)) if not given
        )
        raise NothingToAskOn(f"there is no terminal to ask on: give {missing}. Example: {_EXAMPLE}")
    told = _told(options)
    if asked:
        _refuse_what_is_wrong(told, options.path)  # before a person has answered anything
    warehouses = told.warehouses or tuple(ask_warehouses(console))
    pool = [each.key for each in warehouses if each.kind != "fba"]
    accounts = tuple(read_account(each, pool) for each in options.accounts) or tuple(ask_accounts(pool, console))
    return replace(told, warehouses=warehouses, accounts=accounts)


def _told(options: InitOptions) -> Answers:
    """What the flags say. Raises AnswerRefused."""
    warehouses = tuple(map(read_warehouse, options.warehouses))
    pool = [each.key for each in warehouses if each.kind != "fba"]
    accounts = _distinct([read_account(each, pool) for each in options.accounts])
    database = options.database or _default_database(options.path)
    return Answers(database, warehouses, accounts, options.password_secret, options.public_url)


def _refuse_what_is_wrong(told: Answers, path: Path) -> None:
    """Raise ConfigError for what flags say wrong, whatever is yet to be asked."""
    known = [each for each in told.warehouses if not each.account]  # an account to be asked for may be meant
    accounts = [replace(each, warehouses=each.warehouses or ("main",)) for each in told.accounts]
    missing = set() if told.warehouses else {key for each in accounts for key in each.warehouses}
    if not known and not missing:
        missing = {"main"}
    places = (*known, *(WarehouseAnswer(key, "US") for key in sorted(missing)))
    _draft(replace(told, warehouses=places, accounts=tuple(accounts)), path).unlink()


def _default_database(path: Path) -> str:
    system = path.resolve().parent == _SYSTEM
    return "sqlite:////var/lib/syncd/syncd.db" if system else "sqlite:///syncd.db"


def _distinct(accounts: Sequence[AccountAnswer]) -> tuple[AccountAnswer, ...]:
    """Two accounts of one name would be one: it says which flag to add."""
    keys = [each.key for each in accounts]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise AnswerRefused(f"several accounts are called {twice[0]}: name them apart by key=..., for ever")
    return tuple(accounts)


def _write(options: InitOptions, answers: Answers) -> None:
    """Put the file in place in one step, once it is known to be right. Raises ConfigError naming the real file."""
    path = options.path
    draft = _draft(answers, path)
    try:
        if path.exists():
            shutil.copy2(path, _old(path))
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _draft(answers: Answers, path: Path) -> Path:
    """A file beside the real one that says this and is right. Raises ConfigError naming the real one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(configuration(answers), encoding="utf-8")
    try:
        settings.load(draft)
    except ConfigError as err:
        draft.unlink()
        raise ConfigError(path, [_as_flag(problem) for problem in err.problems]) from None
    return draft


def _as_flag(problem: ConfigProblem) -> ConfigProblem:
    return ConfigProblem(problem.key, problem.problem, f"{problem.remedy}. Nothing was written")


def _old(path: Path) -> Path:
    """Where the file that is there is kept: beside those that are kept already."""
    names = (f"{path.name}.old", *(f"{path.name}.old.{number}" for number in range(2, 10_000)))
    return next(kept for name in names if not (kept := path.with_name(name)).exists())


def _create_database(path: Path, console: Console) -> bool:
    """Create the database, if that can be done now and by this user. Returns whether it is there."""
    config = settings.load(path)
    try:
        before, after = migrate(config.database.url_with_password())
    except (SyncdError, SQLAlchemyError, OSError) as err:
        reason = explain(err) if isinstance(err, SQLAlchemyError) else err
        console.print(f"the database is not made yet: {reason}", style="yellow", markup=False)
        return False
    if before == after:
        console.print(f"the database {config.database.url} is there already", markup=False)
    else:
        console.print(f"made the database {config.database.url}", markup=False)
    return True


def _tell_next(path: Path, answers: Answers, *, created: bool, console: Console) -> None:
    c = f"-c {shlex.quote(str(path))}"
    console.print("\nWhat comes next:", style="bold")
    missing = [(name, what) for name, what in secrets_of(answers) if not _at_hand(name)]
    steps: list[str] = []
    if missing:
        told = "\n".join(f"     {name:<32} {what}" for name, what in missing)
        steps.append(
            "hand over these secrets: for a try `export NAME=...`, for the service LoadCredential= in its unit\n" + told
        )
    commands = [] if created else [(f"syncd migrate {c}", "as the user that syncd runs as")]
    commands += [
        (f"syncd check {c}", "what is right, what is wrong and what to do about it"),
        (f"syncd alert test {c}", "once you have a route under [alerts]: until then nobody is told of trouble"),
        (f"syncd import items items.csv {c}", "your SKUs"),
        (f"syncd import stock count.csv {c}", "what lies in your warehouses"),
        *((f"syncd import listings --from {each.key} {c}", "what is on sale there") for each in answers.accounts),
        (f"syncd run {c}", "it observes: nothing is written before you let an account go live"),
        *(
            (f"syncd go-live {each.key} {c}", "shows every number that would change, and asks")
            for each in answers.accounts
        ),
    ]
    width = max(len(command) for command, _ in commands)
    steps += [f"{command:<{width}}  {what}" for command, what in commands]
    for number, step in enumerate(steps, 1):
        console.print(f"  {number}. {step}", markup=False, highlight=False, soft_wrap=True)


def _at_hand(name: str) -> bool:
    try:
        resolve(name)
    except SecretMissing:
        return False
    return True
