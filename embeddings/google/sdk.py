"""A client of `google-genai` that takes nothing from the environment and makes every call once."""

import math

import httpx2
from google import genai
from google.genai import types

from embeddings.google.names import BASE_URL, checked_key
from embeddings.google.transport import Wire

#: Google refuses a shorter `X-Server-Timeout`, in seconds.
SHORTEST_SERVER_TIMEOUT = 10


def connected(
    *, timeout: float, api_key: str, base_url: str = "", reads_answers: bool = True
) -> tuple[genai.Client, Wire]:
    """Return a client and the wire that it sends over, where each call takes `timeout` seconds at most.

    Both are for one process and any number of threads. Everything that the SDK would otherwise take from the
    environment is given: key, address, API version, and the choice between the Gemini API and Vertex AI. It would also
    try a call five times. Without `reads_answers` it finds good answers empty: they are for the caller, on the wire.

    Raises `ConfigurationError` when the key is missing, or can't be one.
    """
    ssl_context = httpx2.create_ssl_context()
    wire = Wire(timeout=timeout, ssl_context=ssl_context, passes_on=reads_answers)
    client = genai.Client(
        vertexai=False,
        api_key=checked_key(api_key),
        http_options=types.HttpOptions(
            base_url=base_url or BASE_URL,
            api_version="v1beta",
            headers={"X-Server-Timeout": str(max(SHORTEST_SERVER_TIMEOUT, math.ceil(timeout)))},
            timeout=math.ceil(timeout * 1000),
            retry_options=types.HttpRetryOptions(attempts=1),
            client_args={"transport": wire, "verify": ssl_context, "trust_env": False, "follow_redirects": False},
        ),
    )
    return client, wire
