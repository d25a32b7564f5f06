"""Embedding providers, one module each.

A provider named `some-name` is the class `Provider` subclass exported as `provider` by the module `some_name` of this
package; adding one means adding that file. Modules are imported only when chosen: SDKs are heavy.
"""

import pkgutil
from importlib import import_module

from embeddings.providers._known import DEFAULT_MODELS, VENDORS
from embeddings.providers.base import Provider

#: Modules of this package that are not providers.
_INTERNAL = frozenset({"base"})


def provider_names() -> frozenset[str]:
    """Names that `EMBEDDING_PROVIDER` accepts."""
    return frozenset(
        module.name.replace("_", "-")
        for module in pkgutil.iter_modules(__path__)
        if module.name not in _INTERNAL and not module.name.startswith("_")
    )


def provider_class(name: str) -> type[Provider]:
    """Import the provider called `name`. Raises `ConfigurationError` when its SDK is not installed."""
    module = import_module(f"{__name__}.{name.replace('-', '_')}")
    found: type[Provider] = module.provider
    return found


def default_model(name: str) -> str:
    """Return the model that the provider called `name` uses when none is named, if possible without importing it."""
    return DEFAULT_MODELS.get(name) or provider_class(name).default_model


def vendor(name: str) -> str:
    """Return whose models the provider called `name` uses: a model's name means the same to all of one vendor."""
    return VENDORS.get(name, name)
