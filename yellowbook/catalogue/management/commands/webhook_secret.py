"""`manage.py webhook_secret SELLER`: the key that signs what a seller is told."""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.db.models import F

from yellowbook.catalogue.models import Seller
from yellowbook.catalogue.syncing.telling import signing_secret


class Command(BaseCommand):
    """Prints the key, for the seller to check the signatures with."""

    help = "Prints the key that signs the webhooks of a seller; --renew makes a new one, which holds at once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("seller", type=UUID, help="the seller's id")
        parser.add_argument("--renew", action="store_true", help="make a new key; the old one signs nothing more")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print it."""
        sellers = Seller.objects.filter(pk=options["seller"])
        if options["renew"]:
            sellers.update(webhook_key=F("webhook_key") + 1)
        seller = sellers.first()
        if seller is None:
            raise CommandError(f"There is no seller {options['seller']}.")
        self.stdout.write(signing_secret(seller))
