"""A seller's day made up from a seed: marketplaces, shoppers, and the demo that runs the real daemon against them."""
