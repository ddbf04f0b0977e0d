import pytest

from srd_jax.support.cluster import distributed
from srd_jax.support.errors import InputError

SLURM = {
    "SLURM_JOB_ID": "4097",
    "SLURM_STEP_NODELIST": "node[003-005],node9",
    "SLURM_NTASKS": "8",
    "SLURM_PROCID": "5",
    "SLURM_LOCALID": "1",
}


def run(address=None, count=None, number=None, cluster=False):
    return distributed.run(lambda: 7, address, count, number, cluster, 1)


def test_without_flags_and_of_one_process_the_program_just_runs():
    assert run() == 7
    assert run("127.0.0.1:1", 1, 0) == 7


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"count": 2}, "but not all are given"),
        ({"address": "a:1", "number": 0}, "but not all are given"),
        ({"address": "a:1", "count": 2, "number": 2}, "--process_id is 2 and --num_processes 2"),
        ({"address": "a:1", "count": 0, "number": 0}, "accepted: at least 1 process"),
        ({"address": "a:1", "count": 2, "number": -1}, "--process_id is -1"),
        ({"address": "a", "count": 2, "number": 0}, "--coordinator_address is 'a'"),
    ],
)
def test_contradictory_flags_are_one_line(flags, said):
    with pytest.raises(InputError) as error:
        run(**flags)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


@pytest.fixture
def no_cluster(monkeypatch):
    from jax._src.clusters import ClusterEnv

    for kind in ClusterEnv._cluster_types:
        if kind.name != "slurm":
            monkeypatch.setattr(kind, "is_env_present", classmethod(lambda cls: False))
    for name in (*SLURM, "JAX_COORDINATOR_ADDRESS", "JAX_LOCAL_DEVICE_IDS"):
        monkeypatch.delenv(name, raising=False)


def test_the_variables_of_slurm_are_found(no_cluster, monkeypatch):
    for name, value in SLURM.items():
        monkeypatch.setenv(name, value)
    # The port that JAX makes of the job's number; a GPU for each process of a node.
    assert distributed._found(None, None, None, 1) == ("node003:61441", 8, 5, [1])
    assert distributed._found("other:9", None, 2, 1) == ("other:9", 8, 2, [1])


def test_without_a_cluster_the_flag_is_refused(no_cluster):
    with pytest.raises(InputError, match="--distributed: JAX finds no cluster; accepted: "):
        run(cluster=True)


def test_variables_that_cannot_be_read_are_one_line(no_cluster, monkeypatch):
    for name, value in (SLURM | {"SLURM_NTASKS": "many"}).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match=r"cannot read the cluster's variables .*'many'"):
        run(cluster=True)


class Others:
    """Stands for partners of whom the others give fixed values."""

    def __init__(self, number, *values):
        self.number, self.count, self.values = number, 1 + len(values), values

    def exchange(self, value):
        return [*self.values[: self.number], value, *self.values[self.number :]]


def test_process_0_alone_calls_the_function(monkeypatch):
    assert distributed.from_first(lambda: 3) == 3
    monkeypatch.setattr(distributed, "_partners", Others(1, 4))
    assert distributed.from_first(lambda: 3) == 4
    assert distributed.first_before_others(lambda: 3) == 3
    assert (distributed.is_first(), distributed.count()) == (False, 2)


def test_what_differs_is_named_with_its_process(monkeypatch):
    distributed.check_alike("the step", 3)
    monkeypatch.setattr(distributed, "_partners", Others(0, 3, 5))
    with pytest.raises(InputError) as error:
        distributed.check_alike("the step", 3)
    assert str(error.value).startswith("the step is 5 in process 2, but 3 in process 0; ")
