"""Dates at which clocks are frozen (booking.md, case 29): both changes in four zones, 29 February, a year's
end, a Japanese substitute holiday, and the day on which the tests run.
"""

from datetime import UTC, datetime

FROZEN = [
    ("America/New_York", "2026-03-08"),
    ("America/New_York", "2026-11-01"),
    ("Europe/Paris", "2026-03-29"),
    ("Europe/Paris", "2026-10-25"),
    ("Australia/Sydney", "2026-04-05"),
    ("Australia/Sydney", "2026-10-04"),
    ("Australia/Lord_Howe", "2026-04-05"),
    ("Australia/Lord_Howe", "2026-10-04"),
    ("Asia/Tokyo", "2028-02-29"),
    ("Asia/Tokyo", "2026-12-31"),
    ("Asia/Tokyo", "2026-05-06"),
    ("Asia/Tokyo", datetime.now(UTC).date().isoformat()),
]
