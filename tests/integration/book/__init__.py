"""The book under attack: what the audit makes of it."""
