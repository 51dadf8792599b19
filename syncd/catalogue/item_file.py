"""An item file as declarations: SKUs, and what kits and packs are made of. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from syncd.catalogue.codes import normalise
from syncd.csv_rows import Line, RowError, whole_number

REQUIRED: Final = ("sku",)
OPTIONAL: Final = ("title", "gtin", "safety_stock", "alias", "component", "units")
_DECLARING: Final = ("title", "gtin", "safety_stock", "alias")


@dataclass(frozen=True, slots=True)
class Item:
    """A SKU as a file declares it. None and no aliases: the file does not say, what is known stays."""

    line: int
    code: str
    title: str | None = None
    gtin: str | None = None
    safety_stock: int | None = None
    aliases: tuple[str, ...] = ()  # as written; further names, not its own code


@dataclass(frozen=True, slots=True)
class Part:
    """`units` pieces of a component, named by any code it has."""

    line: int
    component: str
    units: int


@dataclass(frozen=True, slots=True)
class Kit:
    """Everything that a SKU, named by a normalised code, is made of; it replaces what was known."""

    code: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class ItemFile:
    items: tuple[Item, ...]
    kits: tuple[Kit, ...]
    rejected: tuple[RowError, ...]


def read_items(lines: Iterable[Line | RowError]) -> ItemFile:
    """Read the rows of an item file; each declares a SKU, adds a part to a kit, or both.

    A kit goes in whole or not at all: one that lacks a part would promise what cannot be made.
    """
    book = _Book()
    for line in lines:
        if isinstance(line, RowError):
            book.rejected.append(line)
            book.unreadable.append(line.line)
        else:
            book.add(*line)
    return book.finish()


@dataclass(slots=True)
class _Book:
    """What has been read so far; kits by normalised code."""

    items: dict[str, Item] = field(default_factory=dict)
    kits: dict[str, list[Part]] = field(default_factory=dict)
    spoilt: dict[str, int] = field(default_factory=dict)  # kits with a bad row, and its line
    rejected: list[RowError] = field(default_factory=list)
    unreadable: list[int] = field(default_factory=list)

    def add(self, line: int, cells: dict[str, str]) -> None:
        kit = normalise(cells["sku"])
        builds = bool(cells.get("component") or cells.get("units"))
        part = self._part(kit, line, cells) if builds else None
        declares = not builds or any(cells.get(name) for name in _DECLARING)
        item = self._item(line, cells) if declares else None
        for read in (item, part):
            if isinstance(read, RowError):
                self.rejected.append(read)
                if builds:
                    self.spoilt.setdefault(kit, line)
                return
        if isinstance(item, Item):
            self.items[item.code] = item
        if isinstance(part, Part):
            self.kits.setdefault(kit, []).append(part)

    def finish(self) -> ItemFile:
        unknown_owner = min([*self.unreadable, *([self.spoilt[""]] if "" in self.spoilt else [])], default=None)
        kits = []
        for code, parts in self.kits.items():
            bad_line = self.spoilt.get(code) or unknown_owner
            if bad_line is None:
                kits.append(Kit(code, tuple(parts)))
            else:
                self.rejected += [not_whole(part.line, bad_line) for part in parts]
        return ItemFile(tuple(self.items.values()), tuple(kits), tuple(self.rejected))

    def _item(self, line: int, cells: dict[str, str]) -> Item | RowError:
        read = _item(line, cells)
        known = self.items.get(cells["sku"])
        return _merge(known, read) if known is not None and isinstance(read, Item) else read

    def _part(self, kit: str, line: int, cells: dict[str, str]) -> Part | RowError:
        if not kit:
            return RowError(line, "sku", "it is empty", "Name the kit that the component belongs to")
        read = _part(line, cells)
        others = self.kits.get(kit, ()) if isinstance(read, Part) else ()
        same = next((each for each in others if normalise(each.component) == normalise(cells["component"])), None)
        return read if same is None else named_twice(line, cells["component"], same.line)


def named_twice(line: int, component: str, other_line: int) -> RowError:
    """A component that a kit names on two rows, as bins would be: their units are not added up silently."""
    problem = f"{component} is named for this kit on line {other_line} already"
    return RowError(line, "component", problem, "Name each component once, with all its units")


def not_whole(line: int, bad_line: int) -> RowError:
    """Why a good part of a kit is not taken over."""
    return RowError(
        line,
        "component",
        f"a kit goes in whole or not at all, and line {bad_line} cannot be taken over",
        f"Correct line {bad_line} and import the file again",
    )


def _part(line: int, cells: dict[str, str]) -> Part | RowError:
    component = cells.get("component", "")
    if not component:
        return RowError(line, "component", "it is empty, though units are given", "Name the component, or clear units")
    units = whole_number(line, "units", cells.get("units", ""), least=1)
    return units if isinstance(units, RowError) else Part(line, component, units)


def _item(line: int, cells: dict[str, str]) -> Item | RowError:
    code = cells["sku"]
    gtin = re.sub(r"[\s-]", "", cells.get("gtin", "")) or None
    if gtin is not None and not re.fullmatch(r"[0-9]{8,14}", gtin):
        remedy = "Write its 8 to 14 digits; in a spreadsheet, format the column as text"
        return RowError(line, "gtin", f"{cells['gtin']} is not a GTIN", remedy)
    safety_stock = None
    if cells.get("safety_stock"):
        read = whole_number(line, "safety_stock", cells["safety_stock"])
        if isinstance(read, RowError):
            return read
        safety_stock = read
    if not normalise(code):
        return RowError(line, "sku", "it is empty", "Give every row a SKU")
    written = {normalise(alias): alias.strip() for alias in cells.get("alias", "").split("|") if alias.strip()}
    aliases = tuple(alias for name, alias in written.items() if name and name != normalise(code))
    return Item(line, code, cells.get("title") or None, gtin, safety_stock, aliases)


def _merge(known: Item, new: Item) -> Item | RowError:
    """Two declarations of one SKU as one, unless they contradict each other."""
    for name in ("title", "gtin", "safety_stock"):
        before, after = getattr(known, name), getattr(new, name)
        if None not in (before, after) and before != after:
            problem = f"line {known.line} says {before} for {new.code}"
            return RowError(new.line, name, problem, "Declare each SKU once, or the same way")
    return Item(
        known.line,
        known.code,
        new.title if known.title is None else known.title,
        new.gtin if known.gtin is None else known.gtin,
        new.safety_stock if known.safety_stock is None else known.safety_stock,
        tuple(dict.fromkeys((*known.aliases, *new.aliases))),
    )
