"""Leads and the protocol as FHIR R4B resources, for the clinic's own record system."""
