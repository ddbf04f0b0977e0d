import subprocess
import sys
import textwrap

import pytest

PAIR = """
import os, sys, time
from srd_jax.support.cluster import partners, rendezvous
partners._GRACE = 0.2
number = int(sys.argv[2])
me = rendezvous.meet(sys.argv[1], 3, number, 60.0)
me.exchange(number)
"""


def ended(address, *programs):
    """Exit status and standard error of processes that meet and then each go on with a program."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PAIR + textwrap.dedent(program), address, str(number)],
            stderr=subprocess.PIPE,
            text=True,
        )
        for number, program in enumerate(programs)
    ]
    return [(p.communicate(timeout=60)[1], p.returncode) for p in processes]


HANGS = "time.sleep(1000)"


@pytest.mark.parametrize("failing", [0, 1])
def test_a_process_that_fails_ends_those_that_hang(address, failing):
    programs = [HANGS] * 3
    programs[failing] = "me.fail(5)"
    said, statuses = zip(*ended(address, *programs), strict=True)
    assert statuses == (5, 5, 5)
    line = f"error: process {failing} ended with exit status 5; its own line tells why\n"
    # Where process 0 tells of it, the others needn't.
    assert said == ("" if failing == 0 else line, "", "")


@pytest.mark.parametrize("killed", [0, 2])
def test_a_process_that_is_killed_ends_those_that_hang(address, killed):
    programs = [HANGS] * 3
    programs[killed] = "os.kill(os.getpid(), 9)"
    said, statuses = zip(*ended(address, *programs), strict=True)
    assert [s for i, s in enumerate(statuses) if i != killed] == [1, 1]
    line = f"error: process {killed} is gone: killed, or its machine or the network is down\n"
    assert said == (("", line, line) if killed == 0 else (line, "", ""))


def test_a_process_that_waits_for_another_that_ends_gets_an_error(address):
    wait = "try: me.exchange(1)\nexcept partners.Ended as error: print(error, file=sys.stderr)"
    found = ended(address, wait + "\nme.fail(me.status)", "time.sleep(0.1)\nme.fail(3)", HANGS)
    assert found[0][0] == "process 1 ended with exit status 3; its own line tells why\n"
    assert [status for _, status in found][1:] == [3, 3]
