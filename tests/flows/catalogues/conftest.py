"""The site of a seller, served by the test."""

from tests.yellowbook.catalogue.conftest import site

__all__ = ["site"]
