"""Tests of the simulation itself: its kit, its repeatability, and the bugs that it must go on finding."""
