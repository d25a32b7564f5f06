"""Django's backend for PostgreSQL, with a pool that is of use again at once when the server is back."""
