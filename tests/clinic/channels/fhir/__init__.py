"""Tests of what leaves as FHIR."""
