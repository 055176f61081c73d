"""The door's functions that shut people out at once. Raise what `client`'s raise, too."""

from django.conf import settings

from noren.people import wire


def end_grants(whose: str, name: str | int | None = None, *, grant: str | None = None) -> int:
    """End living grants at once and give how many there were.

    Needs an administrator's process, or a grant under the power `end_grants`.

    `whose` is "everybody", "operators", "shop" (`name` is its number), "actor" (a handle), "credential" or
    "session" (as the record has them; a session also by its own id). Raises LedgerUnavailable: then nothing
    was ended, and nothing is revealed either.
    """
    params: dict[str, object] = {"whose": whose, "name": name, "grant": grant}
    params = {key: value for key, value in params.items() if value is not None}
    answer = wire.call(str(settings.VAULT_SOCKET), "end_grants", params, seconds=30)
    return int(answer["ended"])


def revoke(whose: str, name: str, *, grant: str | None = None) -> tuple[int, tuple[str, ...]]:
    """Revoke what somebody signs in with, for good, and end what it opened; her mail says so.

    `whose` is "credential" (a passkey, a password or an API key, as the record names it) or "actor" (a
    handle: all of hers, and the API keys that she made). Gives how many there were, and the ways by which
    she comes in again: passkey (another one), password (a new one by mail), sso, code, invited (by mail just
    now), operator (another one's invitation), key (the shop makes another). Needs what `end_grants` needs.
    Raises NoSuchCredential, LastOperator.
    """
    params = {"whose": whose, "name": name, "grant": grant}
    told = wire.call(str(settings.VAULT_SOCKET), "revoke", params, seconds=30)
    return int(told["ended"]), tuple(told["back"])
