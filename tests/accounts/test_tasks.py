"""What the room does by itself."""

from datetime import timedelta

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session

from noren import clock
from noren.accounts.tasks import forget_sessions


@pytest.mark.usefixtures("app_db")
def test_it_forgets_sessions_that_are_over() -> None:
    kept, over = SessionStore(), SessionStore()
    for store in (kept, over):
        store.create()
    Session.objects.filter(session_key=over.session_key).update(
        expire_date=clock.now() - timedelta(seconds=1)
    )
    forget_sessions(0)
    assert list(Session.objects.values_list("session_key", flat=True)) == [kept.session_key]
