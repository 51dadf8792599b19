"""`syncd init`: ask for warehouses and channels, write a configuration, create the database, say what comes next."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import typer
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
    if options.path.exists() and not options.force:
        raise WouldOverwrite(
            f"{options.path} is there already: --force keeps it as {_old(options.path)} and writes anew"
        )
    answers = _answers(options, console)
    _write(options, configuration(answers))
    console.print(f"wrote {options.path}", markup=False)
    created = _create_database(options.path, console)
    _tell_next(options.path, answers, created=created, console=console)


def _answers(options: InitOptions, console: Console) -> Answers:
    asked = not (options.warehouses and options.accounts)
    if asked and not sys.stdin.isatty():
        missing = " and ".join(
            flag for flag, given in (("--warehouse", options.warehouses), ("--account", options.accounts)) if not given
        )
        raise NothingToAskOn(f"there is no terminal to ask on, and {missing} is missing. Example: {_EXAMPLE}")
    warehouses = tuple(map(read_warehouse, options.warehouses)) or tuple(_ask_warehouses(console))
    pool = [each.key for each in warehouses if each.kind != "fba"]
    accounts = tuple(read_account(each, pool) for each in options.accounts) or tuple(_ask_accounts(pool, console))
    database = options.database or _default_database(options.path)
    return Answers(database, warehouses, _distinct(accounts), options.password_secret, options.public_url)


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


def _ask_warehouses(console: Console) -> list[WarehouseAnswer]:
    console.print("Your own warehouses, in the order they should be used:")
    found: list[WarehouseAnswer] = []
    while not found or typer.confirm("One more warehouse?", default=False):
        key = typer.prompt("  a short key for it, for ever", default="main" if not found else None)
        country = typer.prompt("  its country (two letters)")
        postcode = typer.prompt("  its postcode (empty to leave out)", default="", show_default=False)
        found.append(WarehouseAnswer(key, country.upper(), postcode=postcode))
    return found


def _ask_accounts(pool: Sequence[str], console: Console) -> list[AccountAnswer]:
    console.print("Your accounts at channels:")
    found: list[AccountAnswer] = []
    while not found or typer.confirm("One more account?", default=False):
        channel = typer.prompt("  channel (shopify, amazon, ebay)").strip().lower()
        key = typer.prompt("  a short key for it, for ever", default=channel)
        try:
            found.append(read_account(f"{channel},key={key}" + "".join(_ask_told(channel)), pool))
        except AnswerRefused as err:
            console.print(f"  {err}", style="red", markup=False)
    return found


def _ask_told(channel: str) -> list[str]:
    """What the vendor needs, as parts of a flag."""
    questions = {
        "shopify": (
            ("shop", "  the shop's name at myshopify.com", None),
            ("client_id", "  the app's client id", None),
            ("location", "  the location's number (1 if you do not know it: `syncd check` tells)", "1"),
        ),
        "amazon": (
            ("seller_id", "  the seller id (merchant token)", None),
            ("marketplaces", "  marketplace ids of one region, joined by +", "ATVPDKIKX0DER"),
            ("client_id", "  the app's LWA client id", None),
        ),
        "ebay": (
            ("client_id", "  the keyset's App ID", None),
            ("marketplace", "  the marketplace", "EBAY_US"),
        ),
    }
    return [
        f",{name}={typer.prompt(question, default=default).replace(',', '+')}"
        for name, question, default in questions.get(channel, ())
    ]


def _write(options: InitOptions, text: str) -> None:
    """Put the file in place in one step, once it is known to be right. Raises ConfigError naming the real file."""
    path = options.path
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(text, encoding="utf-8")
    try:
        settings.load(draft)
        if path.exists():
            shutil.copy2(path, _old(path))
        os.replace(draft, path)
    except ConfigError as err:
        raise ConfigError(path, [_as_flag(problem) for problem in err.problems]) from None
    finally:
        draft.unlink(missing_ok=True)


def _as_flag(problem: ConfigProblem) -> ConfigProblem:
    return ConfigProblem(problem.key, problem.problem, f"{problem.remedy}. Nothing was written")


def _old(path: Path) -> Path:
    return path.with_name(f"{path.name}.old")


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
