"""`manage.py embed_businesses`: what it starts, shows, stops and resumes, and with which exit code."""

from collections.abc import Callable
from typing import Any

import pytest

from embeddings import generate
from embeddings.cli import watching
from embeddings.models import Embedding
from jobs.errors import InvalidInput
from jobs.models import JobExecution, Lease, Run, WorkerProcess
from jobs.runs import stop
from yellowbook.directory.models import Business

from .conftest import embed

pytestmark = pytest.mark.django_db(transaction=True)

Plant = Callable[..., list[str]]


class TestStarting:
    """Without a terminal it starts and returns."""

    def test_it_starts_a_run_and_says_how_to_follow_and_stop_it(self, plant: Plant, worker: None) -> None:
        plant(3)

        answer = embed()

        run = Run.objects.get()
        assert (answer.code, run.state, run.total) == (0, "running", 3)
        assert f"Run {run.id} has begun: 3 businesses." in answer.out
        assert "0.00 %, 0 of 3" in answer.out
        assert "embed_businesses --status --follow" in answer.out
        assert "embed_businesses --stop" in answer.out

    def test_its_options_are_those_of_the_run(self, plant: Plant, worker: None) -> None:
        first = plant(3)[0]

        embed("--batch-size", "7", "--delay", "250", "--force", "--resume-from", first, "--limit", "2")

        assert Run.objects.get().options == {
            "batch_size": 7,
            "delay": 0.25,
            "force": True,
            "skip_existing": True,
            "stale_only": False,
            "resume_from": first,
            "limit": 2,
        }

    def test_a_second_start_is_refused_and_told_of_the_first(self, plant: Plant, worker: None) -> None:
        plant(3)
        embed()

        answer = embed("--force")

        assert (answer.code, answer.out) == (2, "")
        assert f"Run {Run.objects.get().id} is running" in answer.err
        assert "--status --follow" in answer.err
        assert "--stop" in answer.err

    def test_nothing_to_do_is_no_failure_and_no_run(self) -> None:
        answer = embed()

        assert (answer.code, answer.out[:13]) == (0, "Nothing to do")
        assert not Run.objects.exists()

    def test_a_dry_run_counts_and_writes_nothing(self, plant: Plant) -> None:
        plant(3)

        answer = embed("--dry-run", "--json")

        assert (answer.code, answer.names) == (0, ["dry_run"])
        [event] = answer.events
        assert (event["total"], event["texts"], event["coverage"]["total"]) == (3, 3, 3)
        assert "3 businesses would get a job" in embed("--dry-run").out
        assert not Run.objects.exists()


class TestInline:
    """It does the work by itself."""

    def test_it_embeds_everything_and_shows_the_coverage_before_and_after(self, plant: Plant) -> None:
        plant(130)

        answer = embed("--inline")

        assert answer.code == 0
        assert Embedding.objects.count() == 130
        assert "0.00 %, 0 of 130" in answer.out
        assert "100.00 %, 130 of 130" in answer.out
        assert "130 (130 embedded)" in answer.out
        assert answer.err == ""

    def test_programs_get_one_object_per_line_and_nothing_else(self, plant: Plant) -> None:
        plant(3)

        answer = embed("--inline", "--json")

        assert answer.names[0] == "started"
        assert set(answer.names[1:-1]) == {"progress"}
        ended = answer.events[-1]
        assert (ended["event"], ended["state"], ended["succeeded"], ended["exit_code"]) == ("ended", "completed", 3, 0)
        assert ended["coverage"]["with_embeddings"] == 3
        assert answer.err == ""

    def test_failures_change_the_exit_code_and_are_told_by_class(self, plant: Plant, monkeypatch: Any) -> None:
        plant(3)

        def refuse(text: str, *, max_tokens: int) -> Any:
            raise InvalidInput("no good\x1b[2J")

        monkeypatch.setattr(generate, "prepare", refuse)
        answer = embed("--inline")

        assert answer.code == 1
        assert "Failed" in answer.out
        assert "invalid_input" in answer.out
        assert "3, the last: no good [2J" in answer.out
        assert "\x1b" not in answer.out

    def test_it_is_in_the_registry_while_it_works_and_holds_nothing_afterwards(self, plant: Plant) -> None:
        plant(3)

        embed("--inline")

        assert WorkerProcess.objects.get().state == "stopped"
        assert not Lease.objects.exists()

    def test_resume_from_limit_and_category_choose(self, plant: Plant) -> None:
        ids = plant(5)
        Business.objects.filter(pk=ids[3]).update(category="Зочид буудал")

        embed("--inline", "--resume-from", ids[2], "--category", "Кафе")
        assert [str(each) for each in Embedding.objects.values_list("business_id", flat=True)] == [ids[4]]
        embed("--inline", "--limit", "2")
        assert sorted(map(str, Embedding.objects.values_list("business_id", flat=True))) == [ids[0], ids[1], ids[4]]

    def test_force_embeds_again_and_what_exists_is_looked_at_only_when_asked(self, plant: Plant) -> None:
        plant(3)
        embed("--inline")

        assert embed("--inline").out.startswith("Nothing to do")
        looked_at = embed("--inline", "--no-skip-existing", "--json").events[-1]
        forced = embed("--inline", "--force", "--json").events[-1]

        assert (looked_at["results"], forced["results"]) == ({"unchanged": 3}, {"embedded": 3})


class TestSteering:
    """Status, stop and resume are about the current run."""

    def test_status_shows_the_run_under_way_and_what_is_in_its_way(self, plant: Plant, worker: None) -> None:
        plant(3)
        embed()
        WorkerProcess.objects.all().delete()

        answer = embed("--status")

        assert answer.code == 0
        assert "is running" in answer.out
        assert "0 of 3 (0 %)" in answer.out
        assert "3 left" in answer.out
        assert "No worker is alive" in answer.err

    def test_status_for_programs_has_the_counts(self, plant: Plant, worker: None) -> None:
        plant(3)
        embed()

        [event] = embed("--status", "--json").events

        assert (event["event"], event["state"], event["total"], event["is_running"]) == ("status", "running", 3, True)

    @pytest.mark.parametrize("asked", [("--status",), ("--stop",), ("--resume",)])
    def test_without_any_run_there_is_nothing_to_steer(self, asked: tuple[str, ...], worker: None) -> None:
        answer = embed(*asked)

        assert (answer.code, answer.out) == (2, "")
        assert answer.err.startswith(("There was no run yet.", "No run is under way."))

    def test_stop_says_how_to_resume_and_that_command_works(self, plant: Plant, worker: None) -> None:
        plant(3)
        embed()

        answer = embed("--stop")

        run = Run.objects.get()
        assert (answer.code, run.state) == (0, "stopped")
        command = f"embed_businesses --resume {run.id}"
        assert command in answer.out
        resumed = embed(*command.split()[1:], "--inline", "--json")
        run.refresh_from_db()
        assert (resumed.code, resumed.names[0], run.state) == (0, "resumed", "completed")
        assert Embedding.objects.count() == 3
        assert embed("--stop").code == 2

    def test_resume_takes_the_last_run_up_that_was_stopped(self, plant: Plant, worker: None) -> None:
        plant(3)
        embed()
        embed("--stop")

        assert embed("--resume").code == 0
        assert Run.objects.get().state == "running"

    def test_resume_works_on_a_run_that_nobody_works_on(self, plant: Plant, worker: None) -> None:
        plant(3)
        embed()

        assert embed("--resume", "--inline").code == 0
        assert Run.objects.get().state == "completed"

    def test_resume_waits_for_what_was_sent_before_the_stop(self, plant: Plant, worker: None) -> None:
        plant(3)
        embed()
        JobExecution.objects.update(next_attempt_at="2026-01-01T00:00:00Z")
        run = Run.objects.get()
        Run.objects.update(state="stopping")

        assert embed("--resume", str(run.id), "--inline").code == 0
        run.refresh_from_db()
        assert (run.state, Embedding.objects.count()) == ("completed", 3)

    def test_a_completed_or_unknown_run_is_not_resumed(self, plant: Plant) -> None:
        plant(3)
        embed("--inline")

        assert "is completed: there is nothing to resume" in embed("--resume").err
        for unknown in ("nonsense", "00000000-0000-4000-8000-000000000000"):
            assert embed("--resume", unknown).err.strip() == f"There is no run {unknown}."

    def test_one_that_was_stopped_by_somebody_else_while_it_was_followed_is_not_all_done(
        self, plant: Plant, worker: None, monkeypatch: Any
    ) -> None:
        plant(3)
        monkeypatch.setattr(watching, "follow", lambda run_id, *_: stop(run_id))
        answer = embed("--follow", "--json")

        assert (answer.code, answer.events[-1]["state"], answer.events[-1]["exit_code"]) == (1, "stopped", 1)
        assert answer.events[-1]["resume"].endswith(f"--resume {Run.objects.get().id} --json")
