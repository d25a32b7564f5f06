"""E-mail, by Django's backends: `EMAIL_URL` names the server and the sender."""

import smtplib

from django.conf import settings
from django.core.mail import EmailMessage

from jobs.errors import AuthError, ConfigurationError, JobError, NetworkError, ServerError
from yellowbook import email_url
from yellowbook.notifications.channels.base import Channel, Said
from yellowbook.notifications.errors import Rejected
from yellowbook.notifications.models import Delivery
from yellowbook.notifications.owners import Recipient


def reaches(recipient: Recipient) -> bool:
    """Tell whether the owner has an address, and mail is sent from here at all."""
    return bool(recipient.email) and email_url.OFF["EMAIL_BACKEND"] != settings.EMAIL_BACKEND


def send(delivery: Delivery, recipient: Recipient, said: Said) -> None:
    """Send one letter. Every attempt carries the same id, which mail programs show once."""
    letter = EmailMessage(
        subject=" ".join(delivery.subject.split()),
        body=delivery.body,
        to=[recipient.email],
        headers={"Message-ID": f"<{delivery.pk}@yellowbook.invalid>", "Auto-Submitted": "auto-generated"},
    )
    try:
        letter.message()
    except ValueError:
        raise Rejected("The owner's e-mail address can't be written to.") from None
    try:
        letter.send()
    except (smtplib.SMTPException, OSError) as error:
        raise classified(error, said) from error


def classified(error: Exception, said: Said) -> JobError:
    """Return what an error of `smtplib`, or of the connection, means; fill in what the server said.

    What concerns our own server, its password or our address may be put right; what the server says for good of this
    reader or this letter will not change.
    """
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        said.status, words = next(iter(error.recipients.values()))
        said.answer = _text(words)
        return _passing(said.status, "refuses the reader")
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return ConfigurationError(f"The mail server can't do what EMAIL_URL asks for: {error}")
    if not isinstance(error, smtplib.SMTPResponseException):
        return NetworkError(f"The mail server was not reached: {type(error).__name__}")
    said.status, said.answer = max(0, error.smtp_code), _text(error.smtp_error)
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return AuthError("The mail server refuses our user or password.", status_code=said.status)
    if isinstance(error, smtplib.SMTPDataError):
        return _passing(said.status, "refuses the letter")
    if said.status < 500:
        return ServerError(f"The mail server answered {said.status}.", status_code=said.status)
    return ConfigurationError(f"The mail server refuses us with {said.status}.", status_code=said.status)


def _passing(status: int, what: str) -> JobError:
    """Return the error of a refusal, which is for good from 500 on."""
    told = f"The mail server {what} with {status}."
    return ServerError(told, status_code=status) if status < 500 else Rejected(told)


def _text(words: bytes | str) -> str:
    return words.decode(errors="replace") if isinstance(words, bytes) else words


channel = Channel(reaches=reaches, send=send)
