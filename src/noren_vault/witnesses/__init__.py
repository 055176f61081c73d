"""The vault's side of witnesses: whom it asks, what they sign, and what it does when they do not."""

from noren_vault.witnesses.policy import Policy, PolicyError
from noren_vault.witnesses.store import Store
from noren_vault.witnesses.watch import Watch

__all__ = ["Policy", "PolicyError", "Store", "Watch"]
