"""A worker gives memory back."""

import subprocess
import sys

import pytest

MIB = 2**20
#: A block that is freed raises glibc's threshold to its size; then 100 MiB are freed between small blocks that stay.
MEASURE = """
import sys
import psutil
from jobs.process.allocator import keep_memory_small

if sys.argv[1] == "small":
    keep_memory_small()
freed = bytearray(20 * 2**20)
del freed
held = [(bytearray(b"x") * 2**20, bytes(50_000)) for _ in range(100)]
kept = [small for _, small in held]
del held
print(psutil.Process().memory_info().rss)
"""


def resident_after(how: str) -> int:
    ran = subprocess.run([sys.executable, "-c", MEASURE, how], capture_output=True, text=True, check=True)
    return int(ran.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="what is set is glibc's")
def test_large_blocks_go_back_to_the_system_whatever_was_freed_before():
    assert resident_after("small") < resident_after("as it is") - 50 * MIB
