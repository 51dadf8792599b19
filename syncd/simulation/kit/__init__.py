"""Time, chance, machines and wires under control: one process, one thread, repeatable to the bit."""
