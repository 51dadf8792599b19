"""The seller's time led from outside: real processes and sockets, and a clock that moves when nothing is left to do."""
