"""Model fields for text that people write. They clean their values the same way for the admin, the API and imports."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from yellowbook.directory.text import clean_text, validate_text


def with_scheme(url: str) -> str:
    """Return `url` with `https://` in front when it names no scheme, as in `www.example.mn`."""
    return f"https://{url}" if url and "://" not in url else url


class CleanedMixin:
    """Cleans text when it is validated and, whoever skips validation, when it is saved."""

    def clean_value(self, value: str) -> str:
        """Return the cleaned form of `value`; does nothing to a value that is clean already."""
        return clean_text(value)

    def to_python(self, value: Any) -> Any:
        """Clean a value on its way through validation."""
        value = super().to_python(value)  # type: ignore[misc]
        return self.clean_value(value) if isinstance(value, str) else value

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        """Clean a value on its way into the database, on the instance too."""
        value = super().pre_save(model_instance, add)  # type: ignore[misc]
        if isinstance(value, str):
            value = self.clean_value(value)
            setattr(model_instance, self.attname, value)  # type: ignore[attr-defined]
        return value


class LineField(CleanedMixin, models.CharField):  # type: ignore[type-arg]
    """A short text."""

    default_validators = [validate_text]


class ParagraphField(CleanedMixin, models.TextField):  # type: ignore[type-arg]
    """A long text."""

    default_validators = [validate_text]


class CleanEmailField(CleanedMixin, models.EmailField):  # type: ignore[type-arg]
    """An email address."""

    default_validators = [validate_text, *models.EmailField.default_validators]


class WebsiteField(CleanedMixin, models.URLField):  # type: ignore[type-arg]
    """A web address; one that is typed without a scheme gets `https://`."""

    default_validators = [validate_text, *models.URLField.default_validators]

    def clean_value(self, value: str) -> str:
        """Clean the text and add the scheme."""
        return with_scheme(clean_text(value))

    def formfield(self, **kwargs: Any) -> Any:
        """Return the form's field; it assumes the same scheme."""
        kwargs.setdefault("form_class", forms.URLField)
        return super().formfield(assume_scheme="https", **kwargs)


def validate_finite(value: float) -> None:
    """Raise `ValidationError` for NaN, which compares as neither too small nor too large."""
    if value != value:
        raise ValidationError(_("Enter a number."), code="not_a_number")
