"""Stock: the ledger of movements, the levels it folds to, counts and imports of goods."""
