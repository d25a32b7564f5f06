"""What holds for every test; the servers come from `tests.plugin`, which is loaded earlier."""

from hypothesis import settings

# How long an example takes depends on the machine.
settings.register_profile("yellowbook", deadline=None)
settings.load_profile("yellowbook")
