"""Embedding providers, one module each.

A provider named `some-name` is the class `Provider` subclass exported as `provider` by the module `some_name` of this
package; adding one means adding that file. Modules are imported only when chosen: SDKs are heavy.
"""

import pkgutil
from importlib import import_module

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
