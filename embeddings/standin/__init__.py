"""A stand-in for Google's Gemini API: the real wire format over HTTP, with quotas, keys, latency and faults on demand.

For tests, and for an operator who wants to rehearse an outage. Nothing of the running system imports it.
"""
