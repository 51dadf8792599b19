"""Real orders, played again: `syncd demo --orders FILE --speed max`."""
