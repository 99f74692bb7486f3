"""How the clinic's own systems hear of leads and bookings: webhooks, e-mail, exports, FHIR."""
