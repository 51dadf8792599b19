"""How fast orders come into the book, beside how others do it, on the same database in the same minutes."""
