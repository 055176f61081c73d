"""The passkey in software, which is the drills'."""

from noren.drill.passkey import Json, Passkey, to_bytes, to_text

__all__ = ["Json", "Passkey", "to_bytes", "to_text"]
