"""Errors of the API that Django REST framework has no class for."""

from rest_framework import exceptions, status


class Conflict(exceptions.APIException):
    """409: the request is right, but the state of things does not allow it now."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"
    default_detail = "That is not possible in the present state."


class PayloadTooLarge(exceptions.APIException):
    """413: more than one request may carry."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"
    default_detail = "The request is too large."
