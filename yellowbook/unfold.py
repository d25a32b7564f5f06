"""The admin's shell: its name, its scripts and styles, and what its sidebar leads to (the setting `UNFOLD`)."""

from collections.abc import Sequence

import django_stubs_ext
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _


def _link(title: django_stubs_ext.StrOrPromise, icon: str, model: str) -> dict[str, object]:
    """Return an entry of the admin's sidebar that leads to a model's list."""
    return {"title": title, "icon": icon, "link": reverse_lazy(f"admin:{model}_changelist")}


def shell(languages: Sequence[tuple[str, str]]) -> dict[str, object]:
    """Return the setting; `languages` are codes with the names that speakers give them."""
    return {
        "SITE_TITLE": "Yellow Book",
        "SITE_HEADER": "Yellow Book",
        "SITE_SYMBOL": "menu_book",
        "SITE_FAVICONS": [
            {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("yellowbook/icon.svg")}
        ],
        "DASHBOARD_CALLBACK": "jobs.admin.dashboard.fill",
        "SHOW_HISTORY": True,
        "SHOW_VIEW_ON_SITE": False,
        "SHOW_LANGUAGES": True,
        # Django's own table gives Mongolian an English name.
        "LANGUAGES": {"navigation": [{"code": code, "name_local": name} for code, name in languages]},
        "STYLES": [lambda request: static("jobs/panels.css")],
        "SCRIPTS": [lambda request: static("jobs/time.js"), lambda request: static("jobs/keys.js")],
        "SIDEBAR": {
            "show_search": True,
            "navigation": [
                {
                    "title": _("Directory"),
                    "items": [
                        _link(_("Businesses"), "storefront", "directory_business"),
                        _link(_("Similar businesses"), "hub", "similarity_similarity"),
                        _link(_("Enrichments"), "sell", "enrichment_enrichment"),
                        _link(_("Listings"), "list_alt", "catalogue_listing"),
                        _link(_("Catalogues"), "menu_book", "catalogue_cataloguesource"),
                        _link(_("Syncs"), "sync", "catalogue_sync"),
                        _link(_("Sellers"), "badge", "catalogue_seller"),
                        _link(_("Collections"), "auto_awesome_mosaic", "curation_collectionset"),
                        _link(_("Rules of collections"), "tune", "curation_rule"),
                        _link(_("Featured businesses"), "star", "curation_featuredbusiness"),
                        _link(_("Occasions"), "event", "reminders_occasion"),
                        _link(_("Reminders"), "alarm", "reminders_schedule"),
                        _link(_("Deliveries of reminders"), "mark_email_read", "reminders_deliveryrecord"),
                        _link(_("Taste profiles"), "favorite", "recommendations_tasteprofile"),
                        _link(_("Embeddings"), "scatter_plot", "embeddings_embedding"),
                        _link(_("Provider usage"), "bar_chart", "embeddings_providerusage"),
                    ],
                },
                {
                    "title": _("Jobs"),
                    "items": [
                        _link(_("Jobs"), "work", "jobs_jobexecution"),
                        _link(_("Runs"), "playlist_play", "jobs_run"),
                        _link(_("Dead letters"), "report", "jobs_deadletter"),
                        _link(_("Bulk actions"), "checklist", "jobs_bulkaction"),
                        _link(_("Lanes"), "swap_horiz", "jobs_lane"),
                        _link(_("Workers"), "memory", "jobs_workerprocess"),
                        _link(_("Invariants"), "rule", "upkeep_auditresult"),
                        _link(_("Alerts"), "notifications", "alerts_alert"),
                        _link(_("Alert events"), "history", "alerts_alertevent"),
                        _link(_("Notifications"), "send", "notifications_delivery"),
                    ],
                },
                {
                    "title": _("Access"),
                    "items": [
                        _link(_("Users"), "person", "auth_user"),
                        _link(_("Groups"), "group", "auth_group"),
                        _link(_("API tokens"), "key", "knox_authtoken"),
                    ],
                },
            ],
        },
    }
