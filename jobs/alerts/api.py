"""`/api/admin/alerts`: how every rule stands."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.alerts.models import Alert
from jobs.alerts.rules import Severity
from jobs.alerts.standing import UNKNOWN, Standing, standings

STATES = [*Alert.State.values, UNKNOWN]


class AlertSerializer(serializers.Serializer[dict[str, Any]]):
    """A rule and how it stands."""

    rule = serializers.CharField()
    title = serializers.CharField()
    severity = serializers.ChoiceField([str(each) for each in Severity])
    state = serializers.ChoiceField(STATES)
    since = serializers.DateTimeField(allow_null=True, help_text="Null where nobody has written it down yet.")
    value = serializers.FloatField(allow_null=True)
    threshold = serializers.FloatField(allow_null=True)
    message = serializers.CharField()
    next_step = serializers.CharField(help_text="What to do when it fires.")
    last_checked_at = serializers.DateTimeField(allow_null=True)
    last_notified_at = serializers.DateTimeField(allow_null=True)


def as_dict(each: Standing) -> dict[str, Any]:
    """Return how a rule stands in the words of the API."""
    return {
        "rule": each.rule.name,
        "title": each.rule.title,
        "severity": str(each.rule.severity),
        "state": each.state,
        "since": each.since,
        "value": each.value,
        "threshold": each.rule.threshold,
        "message": each.message,
        "next_step": each.rule.next_step,
        "last_checked_at": each.last_checked_at,
        "last_notified_at": each.last_notified_at,
    }


class AlertListView(APIView):
    """All rules."""

    permission_classes = [IsAdminUser]
    throttle_scope = "staff"

    @extend_schema(summary="List alerts, those that fire first", responses=AlertSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Return every rule."""
        return Response([AlertSerializer(as_dict(each)).data for each in standings()])
