"""What the book is measured against; each writes what the book writes, as durably."""
