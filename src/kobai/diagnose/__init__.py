"""Errors that teach: one catalogue, English and Japanese, with the user's own line."""
from .errors import error, warn

__all__ = ["error", "warn"]
