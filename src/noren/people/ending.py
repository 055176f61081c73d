"""The door's function that shuts people out at once. Raises what `client`'s raise, too."""

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
