"""The circuit: what concerns every job of a lane pauses the lane, and a probe opens it again."""

from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from jobs import lanes
from jobs.actor import Actor
from jobs.batch import Batch
from jobs.circuit import try_again
from jobs.due import due_lanes
from jobs.errors import (
    AuthError,
    BatchRejected,
    ConfigurationError,
    InvalidInput,
    NetworkError,
    QuotaExhausted,
    RateLimited,
)
from jobs.execute import run_lane
from jobs.kinds import Kind
from jobs.lifecycle import circuit, claim, claim_one
from jobs.models import DeadLetter, Lane
from jobs.scheduler import sweep
from jobs.throttle.limits import next_reset
from tests.concurrency import at_once

from .support import MakeKind, ahead, claimed, end, long_ago, must_claim, run_until_idle, statuses, waiting

pytestmark = pytest.mark.django_db(transaction=True)


class TestPauses:
    """auth, quota per day, configuration."""

    @pytest.mark.parametrize("error", [AuthError, ConfigurationError, QuotaExhausted])
    def test_only_the_jobs_of_that_call_die_and_the_lane_stops_with_a_reason(self, make_kind: MakeKind, error) -> None:
        calls: list[int] = []

        def handle(batch: Batch) -> None:
            calls.append(len(batch.jobs))
            raise error("API key not valid", status_code=400)

        kind = make_kind(handle, batch_size=2, linger=0.0)
        waiting(kind, *"abcdef")
        run_until_idle(kind)
        assert calls == [2]
        assert statuses(kind) == {"dead": 2, "queued": 4}
        assert DeadLetter.objects.count() == 2
        lane = Lane.objects.get()
        assert (lane.circuit, lane.pause_reason, lane.paused_by) == (error.error_class, "API key not valid", "system")
        assert lane.paused_at is not None
        assert due_lanes([kind.name]) == []

    def test_a_quota_per_day_opens_at_midnight_pacific_time_and_the_others_at_no_time(self, make_kind) -> None:
        for error, expected in [
            (QuotaExhausted("per day"), next_reset(timezone.now())),
            (AuthError("key"), None),
            (ConfigurationError("model"), None),
        ]:
            kind = make_kind(batch_size=2, linger=0.0)
            end(claimed(kind, "a"), error)
            assert Lane.objects.get(kind=kind.name).paused_until == expected

    def test_only_bad_credentials_are_probed_for(self, make_kind: MakeKind) -> None:
        for error, probed in [(AuthError("key"), True), (ConfigurationError("x"), False), (QuotaExhausted("x"), False)]:
            kind = make_kind(batch_size=2, linger=0.0)
            end(claimed(kind, "a"), error)
            lane = Lane.objects.get(kind=kind.name)
            assert (lane.probe_at is not None) == probed
            if probed:
                assert lane.probe_at - lane.paused_at == timedelta(seconds=600)

    def test_the_first_reason_stays(self, make_kind: MakeKind) -> None:
        kind = make_kind(batch_size=1)
        waiting(kind, "a", "b")
        first, second = must_claim(kind), must_claim(kind)
        end(first, AuthError("the key"))
        before = Lane.objects.values().get()
        end(second, QuotaExhausted("per day"))
        assert Lane.objects.values().get() == before

    def test_a_pause_of_a_person_stays(self, kind: Kind) -> None:
        batch = claimed(kind, "a")
        lanes.pause(kind.name, actor=Actor("болд", "api"), reason="holiday")
        end(batch, AuthError("the key"))
        lane = Lane.objects.get()
        assert (lane.paused_by, lane.pause_reason, lane.circuit) == ("болд", "holiday", "")

    def test_a_pause_that_is_over_makes_room_for_a_new_reason(self, kind: Kind) -> None:
        batch = claimed(kind, "a")
        lanes.pause(kind.name, actor=Actor("болд", "api"), until=ahead())
        Lane.objects.update(paused_until=long_ago())
        end(batch, AuthError("the key"))
        assert Lane.objects.get().circuit == "auth"
        assert Lane.objects.get().paused_until is None

    def test_a_lane_that_only_ever_worked_by_hand_is_paused_too(self, kind: Kind) -> None:
        job = waiting(kind, "a")[0]
        end(claim_one(kind, job.id, worker="web"), AuthError("the key"))
        waiting(kind, "b")
        assert claim(kind, worker="w") is None

    def test_a_reason_of_any_length_pauses(self, kind: Kind) -> None:
        end(claimed(kind, "a"), AuthError("ө" * 5000))
        assert Lane.objects.get().pause_reason == "ө" * 200

    @pytest.mark.parametrize("error", [NetworkError, InvalidInput, BatchRejected])
    def test_other_failures_pause_nothing(self, kind: Kind, error) -> None:
        end(claimed(kind, "a"), error("no"))
        assert Lane.objects.get().paused_at is None
        assert Lane.objects.get().closed_until is None

    def test_resuming_by_hand_forgets_everything_and_the_jobs_go_on(self, kind: Kind) -> None:
        end(claimed(kind, "a"), AuthError("the key"))
        waiting(kind, "b")
        lanes.resume(kind.name)
        lane = Lane.objects.get()
        assert (lane.circuit, lane.pause_reason, lane.paused_by, lane.probe_at, lane.paused_at) == (
            "",
            "",
            "",
            None,
            None,
        )
        assert run_lane(kind.name)

    def test_the_sweep_clears_a_pause_whose_time_has_come_and_no_other(self, make_kind: MakeKind) -> None:
        over, lasting, forever = (make_kind(batch_size=1) for _ in range(3))
        for kind, error in [(over, QuotaExhausted("x")), (lasting, QuotaExhausted("x")), (forever, AuthError("x"))]:
            end(claimed(kind, "a"), error)
        Lane.objects.filter(kind=over.name).update(paused_until=long_ago())
        sweep()
        assert {lane.kind for lane in Lane.objects.filter(paused_at__isnull=True)} == {over.name}
        assert Lane.objects.get(kind=over.name).circuit == ""

    def test_the_end_of_a_pause_does_not_end_what_the_provider_asked_for_since(self, kind: Kind) -> None:
        batch, later = claimed(kind, "a"), claimed(kind, "b")
        end(batch, QuotaExhausted("per day"))
        end(later, RateLimited("slow down"))
        Lane.objects.update(paused_until=long_ago())
        sweep()
        lane = Lane.objects.get()
        assert lane.paused_at is None
        assert lane.closed_until is not None


class TestClosing:
    """A rate limit concerns everybody for a while."""

    def test_the_lane_waits_as_long_as_the_job_does_and_is_not_paused(self, kind: Kind) -> None:
        batch = claimed(kind, "a")
        end(batch, RateLimited("slow down"))
        lane = Lane.objects.get()
        assert lane.paused_at is None
        assert 59 < (lane.closed_until - timezone.now()).total_seconds() <= 60
        waiting(kind, "b")
        assert claim(kind, worker="w") is None

    def test_the_other_side_may_ask_for_longer(self, kind: Kind) -> None:
        end(claimed(kind, "a"), RateLimited("slow down", retry_after=300.0))
        assert (Lane.objects.get().closed_until - timezone.now()).total_seconds() > 290

    def test_a_shorter_wait_does_not_end_a_longer_one(self, make_kind: MakeKind) -> None:
        kind = make_kind(batch_size=1)
        waiting(kind, "a", "b")
        first, second = must_claim(kind), must_claim(kind)
        end(first, RateLimited("slow down", retry_after=300.0))
        end(second, RateLimited("slow down"))
        assert (Lane.objects.get().closed_until - timezone.now()).total_seconds() > 290


class TestProbes:
    """Trying again costs no job."""

    @pytest.fixture
    def broken(self, make_kind: MakeKind):
        """A lane paused for its credentials, whose probe is due; `errors` holds what the next probes raise."""
        probes: list[int] = []
        errors: list[Exception] = []

        def probe() -> None:
            probes.append(1)
            if errors:
                raise errors[0]

        kind = make_kind(batch_size=1, probe=probe)
        end(claimed(kind, "a"), AuthError("the key"))
        Lane.objects.update(probe_at=long_ago())
        return kind, probes, errors

    def test_a_probe_that_is_due_makes_the_lane_due_even_without_jobs(self, broken) -> None:
        kind, _, _ = broken
        assert due_lanes([kind.name]) == [kind.name]

    def test_success_opens_the_lane_and_its_jobs_are_done(self, broken) -> None:
        kind, probes, _ = broken
        waiting(kind, "b")
        assert run_lane(kind.name)
        assert probes == [1]
        assert statuses(kind) == {"dead": 1, "succeeded": 1}
        assert Lane.objects.get().circuit == ""

    def test_failure_keeps_it_closed_until_the_next_probe(self, broken) -> None:
        kind, probes, errors = broken
        errors.append(AuthError("the key"))
        waiting(kind, "b")
        for _ in range(3):
            assert run_lane(kind.name) is False
        assert probes == [1]
        lane = Lane.objects.get()
        assert lane.circuit == "auth"
        assert (lane.probe_at - timezone.now()).total_seconds() > 590
        assert statuses(kind) == {"dead": 1, "queued": 1}

    def test_a_defect_of_the_probe_keeps_it_closed_and_nobody_from_working(self, broken) -> None:
        kind, probes, errors = broken
        errors.append(ZeroDivisionError())
        assert run_lane(kind.name) is False
        assert probes == [1]
        assert Lane.objects.get().circuit == "auth"

    def test_exactly_one_of_four_may_probe(self, broken) -> None:
        kind, _, _ = broken
        assert sorted(at_once(*[partial(circuit.probe_is_due, kind)] * 4)) == [False, False, False, True]

    def test_no_probe_before_its_time_or_of_a_lane_that_a_person_paused(self, broken) -> None:
        kind, probes, _ = broken
        Lane.objects.update(probe_at=ahead())
        try_again(kind)
        Lane.objects.update(probe_at=long_ago())
        lanes.pause(kind.name, actor=Actor("болд", "api"))
        try_again(kind)
        assert probes == []

    def test_a_person_who_pauses_during_the_probe_wins(self, make_kind: MakeKind) -> None:
        kind = make_kind(probe=lambda: lanes.pause(kind.name, actor=Actor("болд", "api"), reason="holiday"))  # type: ignore[has-type]
        end(claimed(kind, "a"), AuthError("the key"))
        Lane.objects.update(probe_at=long_ago())
        try_again(kind)
        assert Lane.objects.get().pause_reason == "holiday"
        assert Lane.objects.get().paused_at is not None

    def test_a_kind_without_a_probe_is_not_woken_for_one(self, kind: Kind) -> None:
        end(claimed(kind, "a"), AuthError("the key"))
        Lane.objects.update(probe_at=long_ago())
        run_lane(kind.name)
        assert due_lanes([kind.name]) == []


class TestRejections:
    """Everything is rejected: it is not the inputs."""

    def test_the_lane_is_paused_instead_of_killing_the_whole_table(self, make_kind: MakeKind) -> None:
        def handle(batch: Batch) -> None:
            raise BatchRejected("invalid argument", status_code=400)

        kind = make_kind(handle, batch_size=10, linger=0.0)
        waiting(kind, *[f"{n:02}" for n in range(60)])
        run_until_idle(kind, most=500)
        assert statuses(kind) == {"dead": circuit.MAX_REJECTIONS, "queued": 60 - circuit.MAX_REJECTIONS}
        lane = Lane.objects.get()
        assert lane.circuit == "batch_rejected"
        assert lane.paused_until is None

    def test_a_success_in_between_starts_the_count_anew(self, make_kind: MakeKind) -> None:
        kind = make_kind(batch_size=1)
        for n in range(circuit.MAX_REJECTIONS - 1):
            end(claimed(kind, f"bad{n}"), InvalidInput("no", status_code=400))
        assert Lane.objects.get().rejections == circuit.MAX_REJECTIONS - 1
        end(claimed(kind, "good"))
        assert Lane.objects.get().rejections == 0
        end(claimed(kind, "bad"), InvalidInput("no", status_code=400))
        assert Lane.objects.get().paused_at is None

    def test_inputs_that_were_never_sent_do_not_count(self, make_kind: MakeKind) -> None:
        kind = make_kind(batch_size=1)
        for n in range(circuit.MAX_REJECTIONS + 1):
            end(claimed(kind, f"empty{n}"), InvalidInput("there is no text"))
        assert Lane.objects.get().paused_at is None
        assert Lane.objects.get().rejections == 0

    def test_resuming_starts_the_count_anew(self, make_kind: MakeKind) -> None:
        kind = make_kind(batch_size=1)
        for n in range(circuit.MAX_REJECTIONS):
            end(claimed(kind, f"bad{n}"), InvalidInput("no", status_code=400))
        assert Lane.objects.get().paused_at is not None
        lanes.resume(kind.name)
        end(claimed(kind, "bad"), InvalidInput("no", status_code=400))
        assert Lane.objects.get().paused_at is None
