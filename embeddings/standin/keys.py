"""Which API keys the stand-in accepts."""

import threading
from collections.abc import Sequence

from embeddings.standin.wire import ERRORS, Reply

#: Stands for every key when given to `revoke` or `restore`.
ALL = "*"


class Keys:
    """Accepts any key or a set of them, less those revoked. Safe for threads."""

    def __init__(self, accepted: Sequence[str] = ()) -> None:
        self._lock = threading.Lock()
        self._accepted = frozenset(accepted)
        self._revoked: frozenset[str] = frozenset()

    def accept(self, keys: Sequence[str]) -> None:
        """Accept these from now on, or any when there are none."""
        with self._lock:
            self._accepted = frozenset(keys)

    def revoke(self, keys: Sequence[str]) -> None:
        """Refuse these until they are restored."""
        with self._lock:
            self._revoked |= frozenset(keys)

    def restore(self, keys: Sequence[str]) -> None:
        """Take revocations back; of `ALL`, every one."""
        with self._lock:
            self._revoked = frozenset() if ALL in keys else self._revoked - frozenset(keys)

    def refusal(self, key: str) -> Reply | None:
        """Return the error that a call with this key meets, None when the key is good."""
        if not key:
            return ERRORS["key_missing"]
        with self._lock:
            revoked = key in self._revoked or ALL in self._revoked
            unknown = bool(self._accepted) and key not in self._accepted
        return ERRORS["key_invalid"] if revoked or unknown else None

    def described(self) -> dict[str, object]:
        """How many keys are accepted and revoked, with the last four characters of each."""
        with self._lock:
            return {
                "accepted": sorted(key[-4:] for key in self._accepted) or "any",
                "revoked": sorted(key[-4:] for key in self._revoked),
            }
