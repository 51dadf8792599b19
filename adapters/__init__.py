"""The vendors at the edge: one folder each, all speaking the words of `adapters.contract`."""
