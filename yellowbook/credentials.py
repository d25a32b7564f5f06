"""The first administrator of an installation, with credentials that are kept under `VAR_DIR`."""

import json
import os
import secrets
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from knox.crypto import hash_token
from knox.models import AuthToken

#: File under `VAR_DIR` with the generated credentials (mode 0600).
CREDENTIALS_FILE = "credentials.json"

ADMIN = "admin"


def ensure_admin(var_dir: Path) -> dict[str, str]:
    """Return {admin_user, admin_password, api_token} that work, making or renewing what does not.

    Passwords and tokens are stored hashed in the database, so a lost file can't be restored: then both are made anew.
    """
    kept = _kept(var_dir)
    user, _ = get_user_model().objects.get_or_create(
        username=ADMIN, defaults={"is_staff": True, "is_superuser": True, "email": "admin@localhost"}
    )
    password = kept.get("admin_password", "")
    if not password or not user.check_password(password):
        password = secrets.token_urlsafe(12)
        user.set_password(password)
        user.save(update_fields=["password"])
    token = kept.get("api_token", "")
    if not token or not _is_valid(token, user):
        _, token = AuthToken.objects.create(user, expiry=None)
    credentials = {"admin_user": ADMIN, "admin_password": password, "api_token": token}
    if credentials != kept:
        _keep(var_dir, credentials)
    return credentials


def _is_valid(token: str, user: Any) -> bool:
    return bool(AuthToken.objects.filter(user=user, digest=hash_token(token)).exists())


def _kept(var_dir: Path) -> dict[str, str]:
    try:
        kept: dict[str, str] = json.loads((var_dir / CREDENTIALS_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return kept


def _keep(var_dir: Path, credentials: dict[str, str]) -> None:
    var_dir.mkdir(parents=True, exist_ok=True)
    draft = var_dir / f"{CREDENTIALS_FILE}.{os.getpid()}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(credentials, file)
    draft.replace(var_dir / CREDENTIALS_FILE)
