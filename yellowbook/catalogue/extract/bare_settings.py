"""Django's settings for the process that reads documents: none, but that it speaks English."""

USE_I18N = False
