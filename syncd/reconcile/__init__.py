"""Reconcile: prove the book, and keep what must not grow or must not stay."""
