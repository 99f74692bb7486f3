"""SQLAlchemy: the only package that writes SQL; the clinic calendar store lives here."""
