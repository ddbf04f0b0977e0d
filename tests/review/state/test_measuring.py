import dataclasses

import numpy as np
import pytest
from helpers.micrographs import Stack, drawn, true_maps
from PIL import Image

from srd_jax.analysis.output import records
from srd_jax.analysis.pipeline import analyse_micrograph
from srd_jax.measuring import methods
from srd_jax.review.state.measuring import measure
from srd_jax.review.state.tasks import Task
from srd_jax.review.state.worker import Source, Worker
from srd_jax.support.errors import InputError

STACKS = (
    Stack(120.0, 90.0, 110.0, 90.0, 20.0, 13.0),
    Stack(300.0, 220.0, 140.0, 110.0, 75.0, 15.0),
)
FIELDS = ("direction_deg", "period_px", "area_px2", "perimeter_px", "height_px", "diameter_px")


@pytest.fixture(scope="module")
def micrograph():
    return drawn(STACKS)


@pytest.fixture(scope="module")
def method():
    return methods.make(batch_size=1)


@pytest.fixture(scope="module")
def machine(micrograph, method):
    found = analyse_micrograph(micrograph, lambda *_: true_maps(STACKS), method)
    return found.analysis.grana


def test_an_unchanged_outline_gives_the_machine_s_numbers(micrograph, method, machine):
    for like in ("outline", "granum"):
        tasks = [Task(one.number, one.outline, before=one, like=like) for one in machine]
        for one, (granum, png) in zip(machine, measure(micrograph, tasks, method), strict=True):
            assert granum.status == one.status == "ok"
            assert granum.outline == one.outline
            for name in (*FIELDS, "gsi", "layers"):
                found, expected = getattr(granum, name), getattr(one, name)
                assert abs(found.value - expected.value) <= expected.sd, name
            assert granum.area_px2.value == pytest.approx(one.area_px2.value)
            if like == "outline":
                assert granum.area_px2.sd == pytest.approx(one.area_px2.sd, rel=0.1)
                assert granum.detection == one.detection
            assert png.startswith(b"\x89PNG")


def test_what_a_person_draws_is_measured_without_any_hint(micrograph, method):
    stack = STACKS[0]
    turn = np.deg2rad(stack.direction)
    along = np.array([np.cos(turn), -np.sin(turn)]) * stack.width / 2
    across = np.array([np.sin(turn), np.cos(turn)]) * stack.height / 2
    middle = np.array([stack.x, stack.y])
    corners = [along + across, along - across, -along - across, across - along]
    outline = tuple(tuple(map(float, middle + one)) for one in corners)
    ((granum, _),) = measure(micrograph, [Task(7, outline)], method)
    assert granum.number == 7 and granum.status == "ok" and granum.detection is None
    assert granum.direction_deg.value == pytest.approx(stack.direction, abs=1)
    assert granum.period_px.value == pytest.approx(stack.period, rel=0.015)
    assert granum.area_px2.value == pytest.approx(stack.width * stack.height)
    # An sd of 1 px along the whole outline.
    assert granum.area_px2.sd == pytest.approx(granum.perimeter_px.value, rel=0.02)
    assert granum.height_px.value == pytest.approx(stack.height, rel=0.02)


def test_direction_and_period_by_hand_are_taken_as_they_are(micrograph, method, machine):
    one = machine[0]
    given = Task(1, one.outline, direction_deg=24.0, period_px=14.0, before=one, like="outline")
    ((granum, _),) = measure(micrograph, [given], method)
    assert granum.direction_deg.value == 24 and granum.period_px.value == 14
    assert granum.period_px.sd == pytest.approx(0.7)
    assert "direction by hand" in granum.reason and "period by hand" in granum.reason
    assert granum.layers.value != one.layers.value
    # A direction that the lamellae contradict is doubted.
    wrong = dataclasses.replace(given, direction_deg=45.0, period_px=None)
    ((granum, _),) = measure(micrograph, [wrong], method)
    assert granum.status == "low_confidence" and granum.direction_deg.value == 45


def test_the_worker_measures_survives_its_death_and_knows_its_file(tmp_path, micrograph, machine):
    path = tmp_path / "drawn.png"
    Image.fromarray(micrograph.grey).save(path)
    source = Source(path, "drawn.png", records.sha256(path), 0.67, "given")
    task = Task(1, machine[0].outline, before=machine[0], like="outline")
    worker = Worker()
    try:
        ((first, png),) = worker(source, [task])
        assert abs(first.period_px.value - machine[0].period_px.value) <= first.period_px.sd
        assert png.startswith(b"\x89PNG")
        with pytest.raises(InputError, match="has changed since it was analysed") as error:
            worker(dataclasses.replace(source, sha256="0" * 64), [task])
        with pytest.raises(InputError, match=r"nowhere.png: cannot be read"):
            worker(dataclasses.replace(source, path=tmp_path / "x", name="nowhere.png"), [task])
        assert str(tmp_path) not in str(error.value)
        with pytest.raises(InputError, match="holds no pixel"):
            worker(
                source, [dataclasses.replace(task, outline=((600, 600), (610, 600), (610, 610)))]
            )
        worker._process.kill()
        worker._process.join()
        ((again, _),) = worker(source, [task])
        assert again == first
    finally:
        worker.close()
