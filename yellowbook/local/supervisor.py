"""What `make run` runs: the servers, the web server and the workers, from one process and for as long as it lives."""

import os
import signal
import time
from dataclasses import asdict
from functools import partial
from types import FrameType

from yellowbook.local.client import Client
from yellowbook.local.errors import LocalError
from yellowbook.local.files import write_private_json
from yellowbook.local.options import Options
from yellowbook.local.output import Output
from yellowbook.local.port import HOST, ReservedPort
from yellowbook.local.process import log_tail
from yellowbook.local.programs import WEB_PROCESSES, Credentials, Programs
from yellowbook.local.servers import RUN_FILE, EmbeddedServers
from yellowbook.local.service import Service

#: Seconds between two rounds of looking after everything.
ROUND = 0.2
#: Seconds that the web server has to become ready.
READY_WITHIN = 90.0
#: Seconds that the web server has to finish the requests it is working on.
WEB_GRACE = 15.0
#: Seconds beyond `SHUTDOWN_GRACE` that the workers have to end.
WORKERS_MARGIN = 5.0
#: A second signal within so many seconds is the first one's echo: make passes on what its whole group got.
ECHO = 1.0


class Stopped(BaseException):
    """Somebody asked to stop; raised wherever the supervisor waits."""


class Supervisor:
    """Runs everything until a signal comes, then stops all of it. `run` is called once, from the main thread."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._output = Output()
        self._servers = EmbeddedServers(
            options.var_dir, database_url=options.database_url, redis_url=options.redis_url, pause=self._pause
        )
        self._web: Service | None = None
        self._workers: Service | None = None
        self._asked_at: float | None = None
        self._hurried = False

    def catch_signals(self) -> None:
        """Take Ctrl-C, SIGTERM and the closing of the terminal as the wish to stop; leave `nohup` its way."""
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signum != signal.SIGHUP or signal.getsignal(signum) != signal.SIG_IGN:
                signal.signal(signum, self._ask)

    def run(self) -> int:
        """Start, stay, stop; return the exit code: 0 when asked to stop, 1 when something could not be started."""
        try:
            self._start_and_stay()
        except Stopped:
            self._output.end_progress()
            self._output.line("Stopping (Ctrl-C again to stop at once).")
            code = 0
        except LocalError as error:
            self._output.end_progress()
            self._output.line(str(error), style="red")
            code = 1
        finally:
            self._stop()
        if code == 0:
            self._output.line("Stopped. The data stay where they are for the next time.")
        return code

    def _start_and_stay(self) -> None:
        self._servers.claim()
        self._output.line("Starting the servers.")
        self._servers.start()
        port = ReservedPort(self._options.port, self._pause)
        programs = Programs(self._options, self._servers, self._pause)
        self._output.line("Preparing the database.")
        credentials = programs.set_up()
        self._output.line("Starting the web server and the workers.")
        self._web = Service(programs.web(port.number), lambda: programs.web(port.number))
        client = Client(f"http://{HOST}:{port.number}")
        self._await_ready(client, self._web)
        self._tell(client.url, credentials)
        # Not before there is a page to watch them on, and a bar: they are done with the sample data in no time.
        self._workers = Service(programs.workers(), programs.workers)
        self._stay(client, credentials)

    def _await_ready(self, client: Client, web: Service) -> None:
        until = time.monotonic() + READY_WITHIN
        while reason := client.not_ready():
            if web.child.poll() is not None:
                raise LocalError(web.child.failure())
            if time.monotonic() > until:
                raise LocalError(f"The web server is not ready: {reason}\n{log_tail(web.child.log)}")
            self._pause(ROUND)

    def _tell(self, url: str, credentials: Credentials) -> None:
        servers = [server.name for server in self._servers.children]
        processes = [f"web ({WEB_PROCESSES} processes)", f"workers ({self._options.workers})"]
        self._output.line("")
        self._output.line("The yellow book is running. Ctrl-C stops it.", style="bold")
        self._output.facts(
            {
                "Address": url,
                "Admin": f"{url}/admin/",
                "User": credentials.admin_user,
                "Password": credentials.admin_password,
                "API token": credentials.api_token,
                "Running": ", ".join([*servers, *processes]),
                "Logs": str(self._servers.logs),
            }
        )
        self._output.line("")

    def _stay(self, client: Client, credentials: Credentials) -> None:
        """Look after everything until a signal comes, and show the embedding of what is there to the end."""
        services = [Service(child, partial(self._servers.restart, s)) for s, child in self._servers.children.items()]
        services += [service for service in (self._web, self._workers) if service is not None]
        complete = embedded = False
        while True:
            for service in services:
                if line := service.tend():
                    self._output.line(line, style="yellow")
            if not complete and client.is_complete():
                complete = True
                self._write_run_file(client.url, credentials)
            if not embedded:
                embedded = self._follow(client, credentials.api_token)
            self._pause(ROUND)

    def _write_run_file(self, url: str, credentials: Credentials) -> None:
        run = {
            "url": url,
            **asdict(credentials),
            "pid": os.getpid(),
            "database_url": self._servers.database_url,
            "redis_url": self._servers.redis_url,
        }
        write_private_json(self._options.var_dir / RUN_FILE, run)

    def _follow(self, client: Client, token: str) -> bool:
        """Show how far the embedding has come; return whether it is done."""
        coverage = client.coverage(token)
        if coverage is None:
            return False
        if coverage.embedded < coverage.total:
            self._output.progress(coverage)
            return False
        self._output.finish_progress(coverage)
        return True

    def _stop(self) -> None:
        """Stop what was started, in an order that lets each finish with those it needs."""
        self._servers.stopping()
        if self._web is not None:
            self._web.child.stop(signal.SIGTERM, grace=WEB_GRACE, hurried=lambda: self._hurried)
        if self._workers is not None:
            grace = self._options.shutdown_grace + WORKERS_MARGIN
            self._workers.child.stop(signal.SIGTERM, grace=grace, hurried=lambda: self._hurried)
        self._servers.stop(lambda: self._hurried)

    def _ask(self, _signum: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if self._asked_at is None:
            self._asked_at = now
        elif now - self._asked_at > ECHO:
            self._hurried = True

    def _pause(self, seconds: float) -> None:
        if self._asked_at is not None:
            raise Stopped
        time.sleep(seconds)
