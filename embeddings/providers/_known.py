"""What is known of Google's providers without importing their SDKs, which takes up to a second."""

from typing import Final

#: Whose models a provider's are, where several providers lead to the same models; else it is the provider itself.
VENDORS: Final = {"gemini": "google", "google-generativeai": "google"}

#: The model of Google that is used when none is named.
GOOGLE_MODEL: Final = "gemini-embedding-001"

#: The default models of providers that are slow to import.
DEFAULT_MODELS: Final = {"gemini": GOOGLE_MODEL, "google-generativeai": GOOGLE_MODEL}
