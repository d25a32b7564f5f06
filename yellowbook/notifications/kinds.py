"""The kind of job that delivers messages."""

from jobs.kinds import Kind, register
from yellowbook.notifications.deliver import deliver
from yellowbook.notifications.names import DELIVER_NOTIFICATION
from yellowbook.notifications.policy import MAX_RETRIES, RETRY

register(
    Kind(
        name=DELIVER_NOTIFICATION,
        handler=deliver,
        subject_name="delivery_id",
        subject_model="notifications.Delivery",
        batch_size=1,
        concurrency=5,
        max_retries=MAX_RETRIES,
        retry=RETRY,
    )
)
