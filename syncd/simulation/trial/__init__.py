"""A trial: the whole daemon and all vendors in virtual time, under faults and power cuts, then calm, then judged."""
