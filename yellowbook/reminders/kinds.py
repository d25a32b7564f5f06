"""The kinds of job of reminders, and what the leader does for them."""

from typing import Final

from jobs.duties import Duty
from jobs.duties import register as register_duty
from jobs.kinds import Kind, register
from yellowbook.notifications.policy import MAX_RETRIES, RETRY
from yellowbook.reminders.dispatch import dispatch_due, have_swept, sweep
from yellowbook.reminders.names import SEND_REMINDER, SWEEP_REMINDERS
from yellowbook.reminders.send import send

#: Seconds between two looks at what is due, and between two sweeps.
LOOK_EVERY: Final = 2.0
SWEEP_EVERY: Final = 300.0

register(
    Kind(
        name=SEND_REMINDER,
        handler=send,
        subject_name="schedule_id",
        subject_model="reminders.Schedule",
        batch_size=1,
        max_retries=MAX_RETRIES,
        retry=RETRY,
    )
)
register(Kind(name=SWEEP_REMINDERS, handler=sweep, concurrency=1))
register_duty(Duty("dispatch_reminders", LOOK_EVERY, dispatch_due))
register_duty(Duty("sweep_reminders", SWEEP_EVERY, have_swept))
