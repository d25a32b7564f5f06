"""The Mongolian translation: complete, compiled, and on every page that people see."""

import gettext
import re
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from model_bakery import baker

from embeddings.kinds import GENERATE_EMBEDDING
from jobs import lanes
from jobs.actor import Actor
from jobs.alerts.look import look
from jobs.alerts.models import Alert, AlertEvent
from jobs.alerts.rules import AlertRule, Severity, all_rules
from jobs.bulk.actions import all_actions
from jobs.bulk.reasons import IT_FAILED, IT_IS, told_reason
from jobs.dashboard.cards import all_cards
from jobs.dashboard.panels import all_panels
from jobs.dashboard.spans import SPANS
from jobs.deadletters import ANOTHER, ITS_JOB
from jobs.enqueue import enqueue
from jobs.errors import ErrorClass, InvalidInput
from jobs.kinds import get_kind
from jobs.lifecycle import Failure, claim, finish
from jobs.models import BulkAction, DeadLetter, JobExecution, Run, WorkerProcess
from jobs.schedule import Daily, Every, Weekly
from jobs.selectors import STEP_NAMES
from jobs.states import Priority, Source
from jobs.upkeep.audit import audit, invariants
from tests.yellowbook.translations import CATALOGUE, Entry, entries, marked, templates
from yellowbook.curation.models import Collection, CollectionItem, CollectionSet, FeaturedBusiness, Rule
from yellowbook.curation.names import NO_ANSWER
from yellowbook.directory.models import Business
from yellowbook.enrichment.models import EditorTags, Enrichment, Preview, PreviewSample
from yellowbook.names import APPS

_PLACEHOLDER = re.compile(r"%\(\w+\)\w|\{\w+\}|%%|</?\w[^>]*>")


def test_the_catalogue_has_what_the_sources_mark_and_nothing_else() -> None:
    """A new text is brought in by `makemessages`; the README says how."""
    found, known = marked(), {entry.key for entry in entries()}
    assert {key: path for key, path in found.items() if key not in known} == {}
    assert known - set(found) == set()


def _fits(entry: Entry) -> bool:
    """Tell whether a text is translated, by a person, with what is filled in and the white space around it."""
    return (
        "fuzzy" not in entry.flags
        and len(entry.said) == len(entry.texts)
        and all(entry.said)
        and all(
            sorted(_PLACEHOLDER.findall(said)) == sorted(_PLACEHOLDER.findall(text))
            and (text[0].isspace(), text[-1].isspace()) == (said[0].isspace(), said[-1].isspace())
            for text, said in zip(entry.texts, entry.said, strict=True)
        )
    )


def test_every_text_is_translated_with_the_same_placeholders() -> None:
    assert len(entries()) > 700
    assert [entry for entry in entries() if not _fits(entry)] == []


def test_the_compiled_catalogue_is_that_of_the_source() -> None:
    with (CATALOGUE / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    expected: dict[str | tuple[str, int], str] = {}
    for entry in entries():
        key = f"{entry.context}\x04{entry.texts[0]}" if entry.context else entry.texts[0]
        if len(entry.texts) == 1:
            expected[key] = entry.said[0]
        else:
            expected.update({(key, index): said for index, said in enumerate(entry.said)})
    found = {key: said for key, said in compiled._catalog.items() if key}  # type: ignore[attr-defined]
    assert found == expected


def _words() -> Iterator[str]:
    """What is translated where it is shown, and stands in code or rows in English."""
    for model in [*admin.site._registry, *apps.get_app_config("jobs").get_models()]:
        if model._meta.app_label in APPS and (model in admin.site._registry or model.__name__ == "PeriodicTask"):
            with translation.override("en"):
                yield str(model._meta.verbose_name)
                yield str(model._meta.verbose_name_plural)
                yield from (str(each.verbose_name) for each in model._meta.fields)
    yield from (card.title for card in all_cards())
    yield from (panel.title for panel in all_panels())
    yield from (span.title for span in SPANS.values())
    for rule in all_rules():
        yield from (rule.title, rule.next_step, *rule.says)
    for each in invariants():
        yield from (each.title, each.remedy)
    yield from ErrorClass
    yield from Severity
    yield from STEP_NAMES.values()
    yield from Priority.labels


def test_what_apps_declare_in_english_is_translated_too() -> None:
    known = {entry.texts[0] for entry in entries()}
    assert sorted({str(word) for word in _words()} - known) == []


_TEMPLATE_TAG = re.compile(r"{%.*?%}|{{.*?}}|{#.*?#}", re.DOTALL)
_MARKED = re.compile(
    r"{% comment %}.*?{% endcomment %}|{% blocktranslate.*?{% endblocktranslate %}|<(?:code|style|script)\b.*?</\w+>",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"\b(?:aria-label|title|placeholder|alt)=\"([^\"]*)\"")


@pytest.mark.parametrize("path", templates(), ids=lambda path: path.name)
def test_no_template_has_a_word_that_is_not_marked(path: Path) -> None:
    source = _TEMPLATE_TAG.sub(" ", _MARKED.sub(" ", path.read_text()))
    shown = [*_ATTRIBUTE.findall(source), re.sub(r"<[^>]*>", " ", source)]
    assert [word for text in shown for word in re.findall(r"[A-Za-z]{2,}", text) if word not in {"HTTP", "MiB"}] == []


class _Visible(HTMLParser):
    """Collects what a person reads on a page."""

    SILENT = frozenset({"script", "style", "pre", "template", "title"})
    VOID = frozenset({"br", "hr", "img", "input", "link", "meta", "path", "rect", "option"})

    def __init__(self) -> None:
        super().__init__()
        self.texts: set[str] = set()
        self._open: list[bool] = []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        for name in ("aria-label", "title", "placeholder"):
            self._read(given.get(name) or "")
        if tag not in self.VOID:
            self._open.append(tag in self.SILENT or "material-symbols-outlined" in (given.get("class") or ""))

    def handle_endtag(self, tag):
        if tag not in self.VOID and self._open:
            self._open.pop()

    def handle_data(self, data):
        if not any(self._open):
            self._read(data)

    def _read(self, text: str) -> None:
        text = " ".join(text.split())
        if re.search(r"[A-Za-z]{2}", text):
            self.texts.add(text)


#: What is the same in every language: names of programs, formats, kinds of job, models and prompts; ids, numbers.
_SAME = re.compile(
    r"\b(?:Yellow Book|English|en|mn|esc|CSV|JSON|ID|UTC|HTTP|MB|GB|local|manage\.py|[A-Z]+(?:_[A-Z]+)+|audit|prune"
    r"|[A-Za-z]+(?:_[a-z]+)+|Gemini|SAFETY|(?:enrichment|rules)-\d|wordllama-\S+|hash-\S+|[0-9a-f-]{12,})\b"
)


#: One of each sort that a bulk action gives for leaving rows alone; the name of an exception is the same everywhere.
_REASONS = (ANOTHER, f"{ITS_JOB}running", f"{IT_IS}succeeded", f"{IT_FAILED}OperationalError")


#: Apps whose lists are looked at.
_APPS = frozenset(
    {
        *("jobs", "embeddings", "directory", "alerts", "upkeep", "catalogue", "enrichment", "reminders"),
        *("recommendations", "curation"),
    }
)


@pytest.fixture
def pages(client: Client) -> list[str]:
    """Return the addresses of pages with something of everything; what came from outside is Cyrillic here."""
    client.force_login(User.objects.create_superuser("оператор"))
    business = Business.objects.create(name="Хатгал Кэмп", category="Амралт", address="Хатгал")
    claimed = claim(get_kind(GENERATE_EMBEDDING), worker="ажилчин-1")
    failure = Failure(InvalidInput("хоосон", status_code=400))
    finish(claimed, {job.id: failure for job in claimed.jobs}, steps=[])
    dead = JobExecution.objects.get()
    waiting = enqueue(GENERATE_EMBEDDING, subject="х", metadata={"original_name": "Номин"}).job_id
    lanes.pause(GENERATE_EMBEDDING, actor=Actor("оператор", Source.ADMIN), reason="засвар")
    now = timezone.now()
    worker = baker.make(WorkerProcess, name="ажилчин-1", host="хост", version="1", state="running")
    baker.make(WorkerProcess, name="ажилчин-2", host="хост", version="1", state="lost", last_heartbeat_at=now)
    run = baker.make(
        Run, kind=GENERATE_EMBEDDING, fed=True, total=10, requested_by="оператор", source="admin", options={}
    )
    bulk = baker.make(
        BulkAction,
        action="retry_dead_letters",
        criteria={"admin": {"state": ["unresolved"], "error_class__exact": ["unknown"], "kind": [GENERATE_EMBEDDING]}},
        requested_by="оператор",
        source="admin",
        per_second=5,
        state="working",
        total=10,
        done=2,
        skipped=4,
        reasons=dict.fromkeys(_REASONS, 1),
        started_at=now,
        finished_at=None,
    )
    failed = baker.make(
        BulkAction,
        action="cancel_jobs",
        criteria={"ids": ["1", "2"]},
        requested_by="оператор",
        source="api",
        state="failed",
        total=2,
        started_at=now,
        finished_at=now,
    )
    fired = now - timedelta(minutes=5)
    for rule in all_rules():
        Alert.objects.create(
            rule=rule.name, state="firing", since=fired, last_checked_at=now, message=rule.says[0] % _Any()
        )
    rule = all_rules()[0]
    baker.make(AlertEvent, rule=rule.name, kind="fired", title=rule.title, severity="critical", state="firing")
    preview = baker.make(Preview, prompt_version="rules-1", options={})
    baker.make(PreviewSample, preview=preview, business=business, before=None, after=None)
    baker.make(
        Enrichment,
        business=business,
        tags=["тоо"],
        free_tags=[],
        summary_mn="Товч",
        opening_hours={"mo": [["09:00", "18:00"]]},
        maker="rules",
        prompt_version="rules-1",
        blocked_reason="SAFETY",
    )
    baker.make(EditorTags, business=business, tags=["тоо"], edited_by="оператор")
    collections = baker.make(
        CollectionSet, surface="home", date=now.date(), wanted=2, made=1, made_at=now, note=NO_ANSWER
    )
    collection = baker.make(Collection, collection_set=collections, title_mn="Цуглуулга", title_en="Цуглуулга")
    baker.make(CollectionItem, collection=collection, collection_set=collections, business=business, position=1)
    ours = baker.make(Rule, title_mn="Дүрэм", title_en="Дүрэм", occasion="")
    baker.make(FeaturedBusiness, business=business)
    audit()
    return [
        reverse("admin:index"),
        *(
            reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
            for model in admin.site._registry
            if model._meta.app_label in _APPS
        ),
        reverse("admin:jobs_jobexecution_change", args=[dead.pk]),
        reverse("admin:jobs_jobexecution_change", args=[waiting]),
        reverse("admin:jobs_deadletter_change", args=[DeadLetter.objects.get().pk]),
        reverse("admin:deadletters_causes"),
        reverse("admin:deadletters_retry"),
        reverse("admin:deadletters_resolve"),
        f"{reverse('admin:deadletters_retry')}?state=unresolved&kind={GENERATE_EMBEDDING}",
        reverse("admin:jobs_cancel"),
        f"{reverse('admin:jobs_retry')}?status__exact=dead&operation__exact=create",
        reverse("admin:jobs_bulkaction_change", args=[bulk.pk]),
        reverse("admin:jobs_bulkaction_change", args=[failed.pk]),
        reverse("admin:jobs_run_change", args=[run.pk]),
        reverse("admin:run_start", args=[GENERATE_EMBEDDING]),
        reverse("admin:jobs_workerprocess_change", args=[worker.pk]),
        reverse("admin:directory_business_change", args=[business.pk]),
        reverse("admin:directory_business_add"),
        reverse("admin:enrichment_ask"),
        reverse("admin:curation_collectionset_change", args=[collections.pk]),
        reverse("admin:curation_regenerate"),
        reverse("admin:curation_rule_add"),
        reverse("admin:curation_rule_change", args=[ours.pk]),
        reverse("admin:curation_featuredbusiness_change", args=[business.pk]),
        reverse("admin:enrichment_preview", args=[preview.pk]),
        reverse("admin:alerts_alert_change", args=[rule.name]),
        reverse("admin:alerts_alert_send_test"),
        *(reverse("public:home"), reverse("public:search"), reverse("public:search") + "?q=хатгал&city=Хатгал"),
        reverse("public:business", args=[business.pk]),
    ]


class _Any(dict):  # type: ignore[type-arg]
    """Has a number for every placeholder."""

    def __missing__(self, name: str) -> str:
        return "7"


def _visible(client: Client, path: str, language: str) -> set[str]:
    response = client.get(path, headers={"Accept-Language": language})
    assert response.status_code == 200, path
    reader = _Visible()
    reader.feed(response.content.decode())
    return reader.texts


@pytest.mark.django_db
def test_no_page_says_in_mongolian_what_it_says_in_english(client: Client, pages: list[str]) -> None:
    left: dict[str, list[str]] = {}
    for path in pages:
        english = _visible(client, path, "en")
        assert english
        same = {
            text for text in english & _visible(client, path, "mn") if re.search(r"[A-Za-z]{2}", _SAME.sub(" ", text))
        }
        if same:
            left[path] = sorted(same)
    assert left == {}


@pytest.mark.django_db
def test_what_an_alert_rule_says_is_told_in_mongolian() -> None:
    with translation.override("mn"):
        told = {each.rule.name: each.rule.retold(each.finding.message) for each in look() if each.finding}
    assert told
    assert {name: text for name, text in told.items() if not re.search("[а-яөү]{3}", text)} == {}


def test_a_message_that_its_rule_does_not_declare_is_left_as_it_is() -> None:
    rule = AlertRule(name="x", title="X", check=lambda _: None, next_step="", says=("Waiting jobs: %(number)s.",))
    with translation.override("mn"):
        assert rule.retold("Unheard of.") == "Unheard of."
        assert rule.retold("Waiting jobs: 5%(s.\n.") == "Хүлээж буй ажил: 5%(s.\n."


def test_schedules_are_told_in_words_of_the_reader() -> None:
    told = [Every(86_400), Every(7200), Every(60), Every(5), Daily(3, 30), Weekly(0, 4)]
    assert [str(each) for each in told] == [
        *("every day", "every 2 hours", "every minute", "every 5 s"),
        *("every day at 03:30 UTC", "every Monday at 04:00 UTC"),
    ]
    with translation.override("mn"):
        assert all(re.search("[а-яөү]{3}|с тутам", str(each)) for each in told)


def test_every_action_and_reason_of_a_bulk_action_is_told_in_mongolian() -> None:
    with translation.override("mn"):
        told = [*map(told_reason, _REASONS), *(action.words.selected(2) for action in all_actions())]
        assert told_reason("Unheard of.") == "Unheard of."
    assert [text for text in told if not re.search("[а-яөү]{3}", text)] == []
    assert [told_reason(reason) for reason in _REASONS] == list(_REASONS)
    assert {action.words.selected(1) for action in all_actions()} == {"1 selected job", "1 selected dead letter"}


@pytest.mark.django_db
def test_what_is_stored_is_english_whatever_the_operator_speaks(client: Client, pages: list[str]) -> None:
    dead = JobExecution.objects.get(status="dead")
    client.post(reverse("admin:job_retry", args=[dead.pk]), headers={"Accept-Language": "mn"})
    client.post(reverse("admin:alerts_alert_send_test"), headers={"Accept-Language": "mn"})
    client.post(reverse("admin:lane_resume", args=[GENERATE_EMBEDDING]), headers={"Accept-Language": "mn"})
    bulk = BulkAction.objects.get(state="working")
    client.post(reverse("admin:bulk_stop", args=[bulk.pk]), headers={"Accept-Language": "mn"})
    waiting = JobExecution.objects.filter(status="queued").exclude(pk=dead.pk).first()
    client.post(reverse("admin:jobs_cancel"), {"chosen": str(waiting.pk)}, headers={"Accept-Language": "mn"})
    letters = {"chosen": str(DeadLetter.objects.get().pk), "per_second": "5"}
    client.post(reverse("admin:deadletters_retry"), letters, headers={"Accept-Language": "mn"})

    entries_of_log = admin.models.LogEntry.objects.values_list("change_message", flat=True)
    assert len(entries_of_log) == 6
    assert not re.search("[а-яөү]", "".join(entries_of_log).replace("оператор", ""))
    event = AlertEvent.objects.get(kind="test")
    stored = f"{event.title} {event.message} {event.next_step}"
    assert not re.search("[а-яөү]", stored.replace("оператор", ""))
