"""What the tests of notifications share besides fixtures."""

from typing import Any

from jobs.execute import run_lane
from jobs.models import JobExecution
from tests.jobs.support import make_due
from yellowbook.notifications.models import Delivery
from yellowbook.notifications.names import DELIVER_NOTIFICATION
from yellowbook.notifications.services import notify

from .conftest import SELLER

EVENT = "seller.approved"
PAYLOAD = {"name": "Хатгал Кэмп", "businesses": 3}


def tell(**options: Any) -> Delivery:
    """Have the seller told over the one channel that there is."""
    given: dict[str, Any] = {"payload": PAYLOAD, "owner": SELLER, "subject": "Approved", "body": "Сайн байна уу"}
    (made,) = notify(EVENT, **{**given, **options})
    return made


def run() -> int:
    """Let a worker deliver what is due; return how many turns it took."""
    turns = 0
    while run_lane(DELIVER_NOTIFICATION):
        turns += 1
    return turns


def run_on() -> int:
    """Let a worker deliver everything, as if every pause were over; return how many attempts it took."""
    turns = run()
    while waiting := list(JobExecution.objects.filter(kind=DELIVER_NOTIFICATION, status="retrying")):
        make_due(*waiting)
        turns += run()
    return turns


def job_of(delivery: Delivery) -> JobExecution:
    """Return the job of a delivery."""
    return JobExecution.objects.get(kind=DELIVER_NOTIFICATION, subject=str(delivery.pk))


def again(delivery: Delivery) -> Delivery:
    """Return a delivery as it is stored now."""
    return Delivery.objects.get(pk=delivery.pk)


def log_of(delivery: Delivery) -> list[tuple[int, int | None, bool]]:
    """Return number, status and success of every attempt."""
    return [(each.number, each.status, not each.error) for each in delivery.log.all()]
