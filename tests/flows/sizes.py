"""How large the failure flows are: small in the everyday run, full with `--full-size`."""

from dataclasses import dataclass

from tests.flows.waiting import DEADLINE


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Numbers of businesses, one for each flow that comes in two sizes."""

    #: Embedded under a quota of 15 texts a minute.
    limited: int
    #: In the bulk whose key is revoked.
    revoked: int
    #: In the bulk that meets faults at random, how many of them hold a poisoned text, and texts of one call.
    mixed: int
    poisoned: int
    mixed_batch: int
    #: Dead letters that several people retry at once.
    retried: int
    #: In the bulk whose every text is rejected.
    rejected: int
    #: In a run over the whole table.
    table: int
    #: In a run under a quota of 300 texts a minute; 0: the flow takes real minutes and is left out.
    metered: int
    #: Whether minutes and delays pass by themselves, instead of being moved into the past.
    real_time: bool
    #: Seconds within which everything has to come to its end.
    within: float


SMALL = Sizes(
    limited=17,
    revoked=400,
    mixed=300,
    poisoned=2,
    mixed_batch=10,
    retried=100,
    rejected=150,
    table=400,
    metered=0,
    real_time=False,
    within=DEADLINE,
)
FULL = Sizes(
    limited=40,
    revoked=1000,
    mixed=2000,
    poisoned=7,
    mixed_batch=20,
    retried=500,
    rejected=1000,
    table=20_000,
    metered=1500,
    real_time=True,
    within=900,
)

#: Seconds after which pytest gives a flow up, and one of full size.
TIMEOUT = 600
FULL_TIMEOUT = 1200
