"""The admin as editors and operators use it."""

from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from model_bakery import baker

from embeddings.kinds import GENERATE_EMBEDDING
from jobs.enqueue import enqueue
from jobs.errors import AuthError
from jobs.kinds import get_kind
from jobs.lifecycle import Failure, claim, finish
from jobs.models import DeadLetter, JobExecution
from yellowbook.directory.models import Business

pytestmark = pytest.mark.django_db

EVIL = "<script>alert(1)</script>"

LISTS = [
    "directory_business",
    "similarity_similarity",
    "enrichment_enrichment",
    "embeddings_embedding",
    "embeddings_providerusage",
    "jobs_jobexecution",
    "jobs_deadletter",
    "jobs_lane",
    "jobs_workerprocess",
    "auth_user",
    "auth_group",
    "knox_authtoken",
]


def business(name: str = "Хатгал Кэмп") -> Business:
    return Business.objects.create(name=name, category="Tour camp", address="Хатгал")


def dead_job(error: str = "API key not valid") -> JobExecution:
    entry = enqueue(GENERATE_EMBEDDING, subject=uuid4(), metadata={"original_name": EVIL})
    claimed = claim(get_kind(GENERATE_EMBEDDING), worker="w")
    assert claimed is not None
    finish(claimed, {entry.job_id: Failure(AuthError(error, status_code=400), stack=EVIL)}, steps=[])
    return JobExecution.objects.get(id=entry.job_id)


@pytest.mark.parametrize("name", LISTS)
def test_every_list_opens(admin_client: Client, name: str) -> None:
    business()
    JobExecution.objects.all().delete()
    dead_job()

    assert admin_client.get(reverse(f"admin:{name}_changelist")).status_code == 200


def test_the_list_of_jobs_costs_the_same_queries_for_any_length(
    admin_client: Client, django_assert_max_num_queries
) -> None:
    for number in range(40):
        enqueue(GENERATE_EMBEDDING, subject=str(number))

    with django_assert_max_num_queries(8):
        admin_client.get(reverse("admin:jobs_jobexecution_changelist"))


def test_the_list_of_businesses_costs_the_same_queries_for_any_length(
    admin_client: Client, django_assert_max_num_queries
) -> None:
    for number in range(40):
        business(str(number))

    with django_assert_max_num_queries(8):
        admin_client.get(reverse("admin:directory_business_changelist"))


def test_saving_a_business_attributes_its_job_to_the_person(admin_client: Client, admin_user) -> None:
    values = {"name": "New", "category": "Cafe", "address": "Here", "description": "", "status": "published"}

    response = admin_client.post(reverse("admin:directory_business_add"), values)

    assert response.status_code == 302, response.content[:2000]
    job = JobExecution.objects.get()
    assert (job.operation, job.metadata["triggered_by"], job.metadata["source"]) == (
        "create",
        admin_user.username,
        "admin",
    )


def test_a_business_shows_its_embedding_and_can_be_embedded_now(admin_client: Client) -> None:
    shown = business()
    JobExecution.objects.all().delete()
    page = reverse("admin:directory_business_change", args=[shown.pk])
    assert "press Embed now" in admin_client.get(page).content.decode()

    admin_client.post(reverse("admin:business_embed", args=[shown.pk]))

    job = JobExecution.objects.get()
    assert (job.subject, job.priority) == (str(shown.pk), 0)
    assert "A job waits for a worker." in admin_client.get(page).content.decode()


def test_a_job_offers_only_what_its_state_allows(admin_client: Client) -> None:
    dead = dead_job()
    waiting = enqueue(GENERATE_EMBEDDING, subject="x").job_id
    for job_id, offered, refused in [(waiting, "job_cancel", "job_retry"), (dead.id, "job_retry", "job_cancel")]:
        page = admin_client.get(reverse("admin:jobs_jobexecution_change", args=[job_id])).content.decode()
        assert reverse(f"admin:{offered}", args=[job_id]) in page
        assert reverse(f"admin:{refused}", args=[job_id]) not in page


def test_the_buttons_cancel_and_retry_and_leave_a_trace_of_who_did(admin_client: Client, admin_user) -> None:
    dead = dead_job()
    waiting = enqueue(GENERATE_EMBEDDING, subject="x").job_id

    admin_client.post(reverse("admin:job_retry", args=[dead.id]))
    admin_client.post(reverse("admin:job_cancel", args=[waiting]))

    assert JobExecution.objects.get(id=dead.id).status == "queued"
    assert JobExecution.objects.get(id=waiting).status == "cancelled"
    assert DeadLetter.objects.get().resolved_by == admin_user.username
    assert LogEntry.objects.count() == 2


def test_a_button_pressed_too_late_says_so_and_changes_nothing(admin_client: Client) -> None:
    dead = dead_job()

    response = admin_client.post(reverse("admin:job_cancel", args=[dead.id]), follow=True)

    assert "only a queued or retrying job can be cancelled" in response.content.decode()
    assert JobExecution.objects.get(id=dead.id).status == "dead"


@pytest.mark.parametrize("name", ["job_cancel", "job_retry"])
def test_a_link_changes_nothing(admin_client: Client, name: str) -> None:
    assert admin_client.get(reverse(f"admin:{name}", args=[dead_job().id])).status_code == 405


def test_an_action_on_many_counts_what_it_left_alone(admin_client: Client) -> None:
    ids = [dead_job().id, enqueue(GENERATE_EMBEDDING, subject="x").job_id]
    data = {"action": "cancel_selected", "_selected_action": [str(each) for each in ids]}

    asked = admin_client.post(reverse("admin:jobs_jobexecution_changelist"), data)
    chosen = {"chosen": asked.context["form"]["chosen"].value()}
    response = admin_client.post(asked.context["action"], chosen, follow=True)

    assert [str(message) for message in response.context["messages"]] == ["1 cancelled, 1 skipped: 1 it is dead."]


def test_what_came_from_outside_is_escaped_wherever_it_is_shown(admin_client: Client) -> None:
    dead = dead_job(f"refused {EVIL}")
    letter = DeadLetter.objects.get()
    for page in [
        reverse("admin:jobs_jobexecution_changelist"),
        reverse("admin:jobs_jobexecution_change", args=[dead.id]),
        reverse("admin:jobs_deadletter_changelist"),
        reverse("admin:jobs_deadletter_change", args=[letter.pk]),
    ]:
        body = admin_client.get(page).content.decode()
        assert EVIL not in body
        assert "&lt;script&gt;alert(1)" in body


def test_a_job_is_found_by_its_id_its_subject_and_the_beginning_of_its_name(admin_client: Client) -> None:
    subject = uuid4()
    job_id = enqueue(GENERATE_EMBEDDING, subject=subject, metadata={"original_name": "Номин ресторан"}).job_id
    enqueue(GENERATE_EMBEDDING, subject=uuid4(), metadata={"original_name": "Other"})
    for term in [str(job_id), str(subject), "номин"]:
        found = admin_client.get(reverse("admin:jobs_jobexecution_changelist"), {"q": term}).content.decode()
        assert "Номин ресторан" in found
        assert "Other" not in found


def test_people_without_permission_see_and_do_nothing(client: Client) -> None:
    client.force_login(baker.make("auth.User", is_staff=True))
    dead = dead_job()
    assert client.get(reverse("admin:jobs_jobexecution_changelist")).status_code == 403
    assert client.post(reverse("admin:job_retry", args=[dead.id])).status_code == 403
    assert JobExecution.objects.get(id=dead.id).status == "dead"


def test_the_rows_of_a_page_of_jobs_are_chosen_by_their_keys_alone(admin_client: Client) -> None:
    for number in range(3):
        enqueue(GENERATE_EMBEDDING, subject=str(number))
    with CaptureQueriesContext(connection) as queries:
        admin_client.get(reverse("admin:jobs_jobexecution_changelist"), {"priority__exact": 1})
    (chosen,) = [each["sql"] for each in queries if "ORDER BY" in each["sql"] and "jobs_jobexecution" in each["sql"]]
    assert "metadata" not in chosen
