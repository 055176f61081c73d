"""The door's function that shuts people out at once. Raises what `client`'s raise, too."""

from django.conf import settings

from noren.people import wire


def end_grants(whose: str, name: str | int | None = None) -> int:
    """End living grants at once and give how many there were. Needs an administrator's process.

    `whose` is "everybody", "operators", "shop" (`name` is its number), "actor" (a handle), "credential" or
    "session" (as the record has them; a session also by its own id). Raises LedgerUnavailable: then nothing
    was ended, and nothing is revealed either.
    """
    params = {"whose": whose} | ({} if name is None else {"name": name})
    answer = wire.call(str(settings.VAULT_SOCKET), "end_grants", params, seconds=30)
    return int(answer["ended"])
