"""Users, groups and API tokens in the project's admin shell."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django_dramatiq.models import Task
from knox.models import AuthToken
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

# Those that look different here, and dramatiq's own list of messages: it stays empty, jobs are rows of `jobs`.
for _model in (User, Group, AuthToken, Task):
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)


@admin.register(User)
class UserAdmin(DjangoUserAdmin[User], ModelAdmin):
    """Django's own page for users."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):
    """Django's own page for groups."""


@admin.register(AuthToken)
class TokenAdmin(ModelAdmin):
    """API tokens. Only a hash is stored, so a token is shown once, when it is made; deleting one revokes it."""

    list_display = ["user", "token_key", "created", "expiry"]
    list_select_related = ["user"]
    fields = ["user", "expiry"]
    autocomplete_fields = ["user"]
    ordering = ["-created"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A token is made or revoked, never changed."""
        return False

    def save_model(self, request: HttpRequest, obj: AuthToken, form: ModelForm[Any], change: bool) -> None:
        """Make the token and show it this once."""
        made, token = AuthToken.objects.create(obj.user, expiry=None)
        if obj.expiry:
            AuthToken.objects.filter(pk=made.pk).update(expiry=obj.expiry)
        obj.pk, obj.digest, obj.token_key = made.pk, made.digest, made.token_key
        obj._state.adding = False
        self.message_user(request, _("The token is %(token)s : copy it now, it is not shown again.") % {"token": token})
