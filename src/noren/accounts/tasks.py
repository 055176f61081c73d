"""Jobs of this room."""

from django.core.management import call_command
from procrastinate.contrib.django import app


@app.periodic(cron="17 * * * *")
@app.task(name="noren.accounts.tasks.forget_sessions", queueing_lock="forget_sessions")
def forget_sessions(timestamp: int) -> None:  # noqa: ARG001 - the hour for which it is due
    """Delete the rows of sessions that are over: whoever only began to sign in leaves one too."""
    call_command("clearsessions")
