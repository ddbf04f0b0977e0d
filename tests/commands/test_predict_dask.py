import importlib.util
import os
import pathlib
import socket
import subprocess
import sys

import dask
import distributed
import numpy as np
import pytest
from helpers import killed_workers, predicting
from helpers.command import read, refused, run
from helpers.crops import stripes, write_crop
from helpers.image_files import write_png
from helpers.processes import free_port

from srd_jax.commands.crops import dask_cluster, dask_worker
from srd_jax.measuring.result import DEFAULT_LIMITS
from srd_jax.support.errors import InputError

ROOT = pathlib.Path(dask_cluster.__file__).parents[3]
START = "distributed.worker.multiprocessing-method"
METHOD = ("--method", "fft", "--batch-size", 2)


@pytest.fixture(scope="module")
def cluster():
    """Two worker processes, which start in another folder than the commands of the tests."""
    options = {"threads_per_worker": 1, "memory_limit": 0, "dashboard_address": "127.0.0.1:0"}
    # Processes start sooner so.
    with dask.config.set({START: "forkserver"}), distributed.LocalCluster(2, **options) as made:
        with distributed.Client(made, set_as_default=False) as client:
            client.register_plugin(killed_workers.Killing())
        yield made


@pytest.fixture
def address(cluster, monkeypatch):
    monkeypatch.setattr(cluster.scheduler, "allowed_failures", 3)
    return cluster.scheduler_address


@pytest.fixture
def grana(tmp_path, monkeypatch):
    """Nine files in a folder of the working folder; one shows two grana, one isn't an image."""
    monkeypatch.chdir(tmp_path)
    for seed in range(7):
        write_crop(tmp_path / "grana" / f"{seed}.png", seed)
    (tmp_path / "grana" / "7.png").write_text("no image")
    image = np.full((140, 330), 150, np.uint8)
    image[10:130, 10:160], image[10:130, 170:320] = stripes(0), stripes(1)[::-1]
    labels = np.zeros(image.shape, np.uint8)
    labels[10:130, 10:160], labels[10:130, 170:320] = 3, 8
    write_png(tmp_path / "grana" / "2b.png", image)
    write_png(tmp_path / "grana" / "2b_cp_masks.png", labels)
    return pathlib.Path("grana")


def whole(grana, *options):
    """The bytes of the table of a run in this process."""
    assert run("predict", grana, "--out", "whole.csv", *METHOD, *options) == 1
    return pathlib.Path("whole.csv").read_bytes()


def test_a_killed_worker_loses_no_row(grana, cluster, address, capsys):
    pathlib.Path("known.csv").write_text(
        "granum_image,period_nm,px_per_nm\n3.png,20,1.5\n", encoding="utf-8"
    )
    options = ("--auto-rotate", "--annotations", "known.csv")
    expected = whole(grana, *options)
    before = {worker.pid for worker in cluster.workers.values()}
    mark = (grana / "3.png").with_suffix(killed_workers.ONCE)
    mark.touch()
    capsys.readouterr()
    assert run("predict", grana, "--out", "r.csv", *METHOD, *options, "--dask", address) == 1
    assert pathlib.Path("r.csv").read_bytes() == expected
    assert capsys.readouterr().err == ""
    assert not mark.exists()
    assert {worker.pid for worker in cluster.workers.values()} != before
    assert not pathlib.Path("r.csv.partial").exists()


def test_a_file_that_kills_its_workers_is_an_error_and_no_other_is(
    grana, cluster, address, monkeypatch
):
    whole(grana)
    monkeypatch.setattr(cluster.scheduler, "allowed_failures", 0)
    (grana / "3.png").with_suffix(killed_workers.ALWAYS).touch()
    assert run("predict", grana, "--out", "r.csv", *METHOD, "--dask", address) == 1
    found, expected = (
        {(row["file"], row["label"]): row for row in read(name)} for name in ("r.csv", "whole.csv")
    )
    lost = found.pop(("grana/3.png", ""))
    assert (lost["status"], lost["period_px"]) == ("error", "")
    assert lost["reason"].startswith("the workers that read it were killed; accepted are")
    assert expected.pop(("grana/3.png", ""))["status"] == "ok"
    assert found == expected


def test_stopped_it_goes_on_with_a_cluster_and_without(grana, address, capsys):
    expected = whole(grana)
    command = (grana, "--out", "r.csv", *METHOD)
    predicting.stopped(3, *command, "--dask", address)
    kept = pathlib.Path("r.csv.partial").read_bytes()
    said = "3 files are taken from r.csv.partial, of a stopped run\n"
    for options in (("--dask", address), ()):
        pathlib.Path("r.csv.partial").write_bytes(kept)
        capsys.readouterr()
        assert run("predict", *command, *options) == 1
        assert pathlib.Path("r.csv").read_bytes() == expected
        assert capsys.readouterr().err == said


def test_its_own_processes_measure_the_same(grana, capsys):
    expected = whole(grana)
    capsys.readouterr()
    with dask.config.set({START: "spawn"}):
        assert run("predict", grana, "--out", "r.csv", *METHOD, "--dask", "local:1") == 1
    assert pathlib.Path("r.csv").read_bytes() == expected
    assert capsys.readouterr().err == ""


def test_where_every_file_kills_its_workers_the_workers_are_blamed(monkeypatch):
    def killed(client, work, chunks, room):
        return ((chunk, None) for chunk in chunks)

    monkeypatch.setattr(dask_cluster, "_done", killed)
    files = [(pathlib.Path(f"{number}.png"), None) for number in range(9)]
    with pytest.raises(InputError, match="each of 8 files has killed its workers; accepted are"):
        list(dask_cluster.measured(None, work(), files))


def work(**options):
    chosen = dask_worker.Chosen("fft", None, 2, False, "")
    return dask_worker.Work(chosen, None, DEFAULT_LIMITS, False, "/", **options)


def test_a_worker_of_another_version_or_weights_refuses(address, grana, capsys, monkeypatch):
    with pytest.raises(InputError, match=r"the srd_jax on a worker is .*; accepted is 9.9"):
        dask_worker.measure_chunk(work(version="9.9"), [])
    with pytest.raises(InputError, match="the weights of the package: differ from those of the"):
        dask_worker._method(dask_worker.Chosen("fft", None, 2, False, "another"))
    monkeypatch.setattr(dask_cluster, "__version__", "9.9")
    said = refused(capsys, "predict", grana, *METHOD, "--dask", address)
    assert said.startswith(f"--dask {address}: the srd_jax on the scheduler is ")
    assert said.endswith("accepted is 9.9, as of the command")


def test_an_address_without_a_scheduler_is_told_in_time(grana, capsys, monkeypatch):
    monkeypatch.setattr(dask_cluster, "_ANSWERS", 0.3)
    port = free_port()
    for address in (f"127.0.0.1:{port}", f"tcp://127.0.0.1:{port}", f"odd://127.0.0.1:{port}"):
        said = refused(capsys, "predict", grana, *METHOD, "--dask", address)
        assert said.startswith(f"--dask {address}: no Dask scheduler can be reached (")
        assert said.endswith("accepted is the address of a running scheduler, such as "
                             "tcp://HOST:8786, or local")  # fmt: skip
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        said = refused(capsys, "predict", grana, *METHOD, "--dask", address)
    assert "no Dask scheduler can be reached (no answer in 0.3 s)" in said
    assert list(pathlib.Path().iterdir()) == [grana]


def test_a_worker_is_no_scheduler(grana, cluster, address, capsys):
    worker = cluster.workers[0].worker_address
    said = refused(capsys, "predict", grana, *METHOD, "--dask", worker)
    assert said == f"--dask {worker}: is a Worker of Dask; accepted is the address of its scheduler"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("--dask", "local", "--overlay", "o"), "--overlay o: found with --dask; accepted without"),
        (("--dask", "local", "--workers", "0"), "--workers 0: found with --dask; accepted without"),
        (("--dask", "local:0"), "found 'local:0'; accepted is the address of a scheduler, such as"),
        (("--dask", "somewhere"), "found 'somewhere'; accepted is the address of a scheduler"),
    ],
)
def test_what_does_not_go_together_is_refused(given, words, grana, capsys):
    assert words in refused(capsys, "predict", grana, *METHOD, *given)


def test_without_the_extra_one_line_says_so(grana, capsys, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "distributed" else find(name)
    )
    assert refused(capsys, "predict", grana, "--dask", "local") == (
        "--dask: the package distributed isn't installed; accepted is to install the extra dask: "
        "pip install 'srd-jax[dask]'"
    )


def test_no_other_run_needs_the_extra(grana):
    program = (
        "import sys; sys.modules['dask'] = sys.modules['distributed'] = None; "
        "from srd_jax.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "predict", grana / "0.png", *map(str, METHOD)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0
