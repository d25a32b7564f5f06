"""Email, by Django's backends: `EMAIL_URL` names the server, `ALERT_EMAIL` the readers."""

import smtplib

from django.conf import settings
from django.core.mail import EmailMessage

from jobs.alerts.channels.base import Channel
from jobs.alerts.message import subject_line, text
from jobs.alerts.models import AlertEvent
from jobs.errors import AuthError, ConfigurationError, JobError, NetworkError, ServerError


def enabled() -> bool:
    """Tell whether there is anybody to write to."""
    return bool(settings.ALERT_EMAIL)


def deliver(event: AlertEvent) -> None:
    """Send one letter to all readers. Repeated deliveries carry the same id, which mail programs show once."""
    letter = EmailMessage(
        subject=subject_line(event),
        body=text(event),
        to=settings.ALERT_EMAIL,
        headers={"Message-ID": f"<{event.pk}@yellowbook.invalid>", "Auto-Submitted": "auto-generated"},
    )
    try:
        letter.send()
    except (smtplib.SMTPException, OSError) as error:
        raise classified(error) from error


def classified(error: Exception) -> JobError:
    """Return what an error of `smtplib`, or of the connection, means for the job."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return AuthError(
            f"The mail server refuses the user or the password: {_said(error)}", status_code=error.smtp_code
        )
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _ in error.recipients.values()]
        kind = ServerError if all(code < 500 for code in codes) else ConfigurationError
        return kind(f"The mail server refuses the readers of ALERT_EMAIL, {', '.join(map(str, codes))}.")
    if isinstance(error, smtplib.SMTPResponseException):
        kind = ServerError if error.smtp_code < 500 else ConfigurationError
        return kind(f"The mail server answered {_said(error)}", status_code=max(0, error.smtp_code))
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return ConfigurationError(f"The mail server can't do what EMAIL_URL asks for: {error}")
    return NetworkError(f"The mail server was not reached: {type(error).__name__}: {error}")


def _said(error: smtplib.SMTPResponseException) -> str:
    words = error.smtp_error
    return f"{error.smtp_code} {words.decode(errors='replace') if isinstance(words, bytes) else words}"[:500]


channel = Channel(name="email", enabled=enabled, deliver=deliver)
