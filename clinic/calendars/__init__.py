"""Calendars that agree: secret feeds, and practitioners' own calendars on CalDAV servers."""
