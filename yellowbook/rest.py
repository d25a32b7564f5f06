"""How the API is put together: what each of its views has unless it says otherwise, and the schema's names."""

from typing import Any, Final

FRAMEWORK: Final[dict[str, Any]] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "jobs.api.authentication.BearerAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAdminUser"],
    "DEFAULT_PAGINATION_CLASS": "jobs.api.pagination.Pagination",
    "DEFAULT_FILTER_BACKENDS": ["jobs.api.filters.FilterBackend"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["jobs.api.parsers.BoundedJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "jobs.api.schema.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": ["jobs.api.throttling.FailOpenThrottle"],
    "DEFAULT_THROTTLE_RATES": {"public": "3000/min", "writes": "60000/min", "staff": "6000/min", "bulk": "600/min"},
    "EXCEPTION_HANDLER": "jobs.api.errors.handle",
    # `?format=` means nothing here: there is JSON only.
    "URL_FORMAT_OVERRIDE": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

SCHEMA: Final[dict[str, Any]] = {
    "TITLE": "Yellow Book",
    "DESCRIPTION": "A business directory whose AI embeddings look after themselves.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "JobStatus": "jobs.states.Status",
        "TasteState": "yellowbook.recommendations.standing.State",
        "ReminderChannel": "yellowbook.reminders.models.Channel",
        "ReminderState": "yellowbook.reminders.models.Schedule.State",
        "ReminderOutcome": "yellowbook.reminders.models.DeliveryRecord.Outcome",
        "DeliveryChannel": "yellowbook.notifications.models.Delivery.Channel",
        "DeliveryState": "yellowbook.notifications.models.Delivery.State",
        "BusinessStatus": "yellowbook.directory.models.BusinessStatus",
        "RunState": "jobs.models.Run.State",
        "BulkActionState": "jobs.models.BulkAction.State",
        "WorkerState": "jobs.models.WorkerProcess.State",
    },
}
