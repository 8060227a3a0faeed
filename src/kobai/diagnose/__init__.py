"""Errors that teach: one catalogue, English and Japanese, with the user's own line."""
from .errors import error, user_level, warn

__all__ = ["error", "user_level", "warn"]
