"""Who may do what over HTTP."""

from typing import TYPE_CHECKING

from rest_framework.permissions import SAFE_METHODS, BasePermission, IsAdminUser
from rest_framework.request import Request

if TYPE_CHECKING:
    from rest_framework.views import APIView

__all__ = ["IsAdminUser", "IsStaffOrReadOnly"]


class IsStaffOrReadOnly(BasePermission):
    """Anyone reads; staff writes."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Tell whether the request may go on."""
        return request.method in SAFE_METHODS or bool(request.user and request.user.is_staff)
