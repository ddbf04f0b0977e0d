import dataclasses
import threading

import numpy as np
import pytest
from helpers import analyses, reviews
from helpers.reviews import Person, ellipse, opened, plain

from srd_jax.analysis.output import records
from srd_jax.review.state import files
from srd_jax.review.state.review import NoSuchFile, Stale
from srd_jax.support.errors import InputError


@pytest.fixture
def review(tmp_path):
    reviews.write(tmp_path)
    review = opened(tmp_path)
    yield review
    review.close()


def numbers(review, name="m0"):
    return [one.number for one in review.grana(name)]


def granum(review, number, name="m0"):
    return next(one for one in review.grana(name) if one.number == number)


def test_a_folder_of_an_analysis_opens_as_the_machine_left_it(review):
    (first, second) = review.files()
    assert (first.name, second.name) == ("m0", "m1")
    assert (first.grana, first.ok, first.doubtful, first.decided) == (5, 4, 1, 0)
    assert (first.undo, first.redo, review.revision) == (False, False, 0)
    one = granum(review, 1)
    assert (one.origin, one.decision, one.manual, one.counts) == ("machine", None, (), True)
    assert one.values["srd_nm"].value == pytest.approx(12 / 0.6)
    assert one.values["area_nm2"].value == pytest.approx(np.pi * 800 / 0.36)
    assert one.machine["values"] == one.values and one.machine["outline"] == one.outline
    assert not granum(review, 3).counts
    assert review.picture("m0", 2) == b"machine's 2"


def test_lengths_without_a_scale_are_in_px(tmp_path):
    reviews.write(tmp_path, px_per_nm=None)
    review = opened(tmp_path)
    values = granum(review, 1).values
    assert values["area_px2"].value == pytest.approx(np.pi * 800) and "area_nm2" not in values
    review.close()


def test_decisions_tell_what_counts(review):
    person = Person(review)
    change = person("accept", granum=3)
    assert [one.number for one in change.changed] == [3] and change.revision == 1
    assert granum(review, 3).decision == "accepted" and granum(review, 3).counts
    person("reject", granum=1)
    assert not granum(review, 1).counts and granum(review, 1).status == "ok"
    assert review.files()[0].decided == 2 and review.files()[0].doubtful == 0
    person("reset_decision", granum=1)
    assert granum(review, 1).counts
    assert len(review.files()) == 2 and review.files()[1].decided == 0


def test_an_outline_is_measured_anew_and_the_machine_s_value_stays(review):
    change = Person(review)("outline", granum=2, outline=ellipse(250, 80))
    (one,) = change.changed
    assert one.origin == "edited" and one.manual == ("outline",)
    area = np.pi * 30 * 20 * np.sinc(2 / 24)
    assert one.values["area_nm2"].value == pytest.approx(area / 0.36)
    assert one.machine["values"]["area_nm2"].value == pytest.approx(np.pi * 800 / 0.36)
    assert review.picture("m0", 2) == b"PNG of granum 2"
    Person(review)("undo")
    assert review.picture("m0", 2) == b"machine's 2"


def test_direction_and_period_by_hand_stay_until_they_are_taken_back(review):
    person = Person(review)
    person("direction", granum=1, direction_deg=-30)
    person("period", granum=1, period_px=14)
    one = granum(review, 1)
    assert (one.direction_deg, one.period_px) == (150, 14)
    assert one.manual == ("direction", "period") and one.origin == "edited"
    person("outline", granum=1, outline=ellipse(80, 80))
    one = granum(review, 1)
    assert (one.direction_deg, one.period_px) == (150, 14)
    person("period", granum=1, period_px=None)
    assert granum(review, 1).period_px == 11
    person("direction", granum=1, direction_deg=None)
    assert granum(review, 1).direction_deg == 45 and granum(review, 1).manual == ("outline",)


def test_an_acceptance_ends_where_a_change_raises_a_doubt(tmp_path):
    reviews.write(tmp_path)

    def doubtful(source, tasks):
        status = "low_confidence" if tasks[0].period_px else "ok"
        return [
            (dataclasses.replace(one, status=status), png)
            for one, png in reviews.measure(source, tasks)
        ]

    review = opened(tmp_path, measure=doubtful)
    person = Person(review)
    person("accept", granum=1)
    person("outline", granum=1, outline=ellipse(90, 90))
    assert granum(review, 1).decision == "accepted"
    person("period", granum=1, period_px=13.0)
    assert (granum(review, 1).decision, granum(review, 1).counts) == (None, False)
    person("undo")
    assert granum(review, 1).decision == "accepted"
    person("reject", granum=1)
    person("period", granum=1, period_px=13.0)
    assert granum(review, 1).decision == "rejected"
    review.close()


def test_the_machine_s_own_granum_comes_back_when_nothing_is_by_hand(review):
    person = Person(review)
    before = granum(review, 1)
    person("direction", granum=1, direction_deg=10)
    person("direction", granum=1, direction_deg=None)
    assert granum(review, 1) == before


def test_new_grana_have_numbers_that_none_ever_had(review):
    person = Person(review)
    assert [one.number for one in person("add", outline=ellipse(420, 300)).changed] == [6]
    assert granum(review, 6).origin == "drawn" and granum(review, 6).machine is None
    person("undo")
    assert [one.number for one in person("add", outline=ellipse(420, 300)).changed] == [7]
    split = person("split", granum=7, line=[[420, 200], [420, 390]])
    assert [one.number for one in split.changed] == [8, 9] and split.removed == (7,)
    joined = person("join", grana=[8, 9])
    assert [one.number for one in joined.changed] == [10] and joined.removed == (8, 9)
    assert granum(review, 10).origin == "joined"
    assert person("delete", granum=10).removed == (10,)
    assert numbers(review) == [1, 2, 3, 4, 5]
    back = person("undo")
    assert [one.number for one in back.changed] == [10] and back.redo
    back = person("undo")
    assert [one.number for one in back.changed] == [8, 9] and back.removed == (10,)
    back = person("redo")
    assert [one.number for one in back.changed] == [10] and back.removed == (8, 9)


@pytest.mark.parametrize(
    ("op", "why"),
    [
        ({"do": "shout"}, "op.do is 'shout'"),
        ("accept", "op is 'accept'"),
        ({"do": "accept"}, "lacks granum"),
        ({"do": "accept", "granum": 1, "more": 2}, "not more"),
        ({"do": "accept", "granum": True}, "granum is True"),
        ({"do": "accept", "granum": 9}, "has no granum 9; accepted are 1, 2, 3, 4, 5"),
        ({"do": "join", "grana": [1, 1]}, "two grana"),
        ({"do": "join", "grana": [1, 5]}, "px apart"),
        ({"do": "outline", "granum": 1, "outline": [[1, "2"]]}, "pairs of x and y"),
        ({"do": "outline", "granum": 1, "outline": [[1, float("nan")]] * 3}, "pairs of x and y"),
        ({"do": "add", "outline": [[0, 0]] * 20_000}, "of 20000 points"),
        ({"do": "direction", "granum": 1, "direction_deg": float("inf")}, "accepted are degrees"),
        ({"do": "period", "granum": 1, "period_px": 0}, "at least 2 px"),
        ({"do": "period", "granum": 1, "period_px": 600}, "fits into the micrograph"),
        ({"do": "undo"}, "nothing to be undone"),
        ({"do": "redo"}, "nothing to be done again"),
        ({"do": "analysed"}, "op.do is 'analysed'"),
    ],
)
def test_a_bad_operation_is_refused_and_changes_nothing(review, op, why):
    before = plain(review)
    with pytest.raises(InputError, match=why):
        review.apply("m0", op, 0, "k", "ann")
    assert plain(review) == before and review.revision == 0


def test_a_key_that_comes_again_gives_the_earlier_answer(review, tmp_path):
    op = {"do": "outline", "granum": 1, "outline": ellipse(80, 80)}
    first = review.apply("m0", op, 0, "key", "ann")
    review.apply("m0", {"do": "delete", "granum": 1}, 1, "other", "ann")
    assert review.apply("m0", op, 0, "key", "ann") == first
    assert review.revision == 2 and numbers(review) == [2, 3, 4, 5]
    with pytest.raises(InputError, match="that of another edit"):
        review.apply("m0", {"do": "accept", "granum": 2}, 2, "key", "ann")
    undone = review.apply("m0", {"do": "undo"}, 2, "undo", "ann")
    assert review.apply("m0", {"do": "undo"}, 2, "undo", "ann") == undone
    review.close()
    again = opened(tmp_path)
    assert again.apply("m0", op, 0, "key", "ann") == first
    assert again.apply("m0", {"do": "undo"}, 2, "undo", "ann") == undone
    assert again.revision == 3
    again.close()


def test_a_stale_edit_is_refused_but_one_of_another_micrograph_is_not(review):
    review.apply("m0", {"do": "accept", "granum": 1}, 0, "a", "ann")
    with pytest.raises(Stale) as error:
        review.apply("m0", {"do": "accept", "granum": 2}, 0, "b", "bob")
    assert error.value.revision == 1
    review.apply("m1", {"do": "accept", "granum": 2}, 0, "b", "bob")
    for revision in (3, -1, None):
        with pytest.raises(Stale):
            review.apply("m0", {"do": "accept", "granum": 2}, revision, "c", "bob")
    with pytest.raises(NoSuchFile):
        review.apply("../m0", {"do": "accept", "granum": 2}, 2, "c", "bob")


def test_of_two_edits_at_once_one_counts_and_the_same_request_twice_counts_once(tmp_path):
    reviews.write(tmp_path)
    both = threading.Barrier(2)

    def slow(source, tasks):
        both.wait(10)
        return reviews.measure(source, tasks)

    review, answers = opened(tmp_path, measure=slow), []

    def send(key, revision):
        op = {"do": "outline", "granum": 1, "outline": ellipse(80, 80)}
        try:
            answers.append(review.apply("m0", op, revision, key, "ann").revision)
        except Stale:
            answers.append("stale")

    for keys, expected in ((("a", "b"), [1, "stale"]), (("c", "c"), [2, 2])):
        answers.clear()
        threads = [threading.Thread(target=send, args=(key, review.revision)) for key in keys]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert sorted(answers, key=str) == expected
    review.close()


def random_op(rng, review):
    """An operation that may be refused."""
    there = numbers(review)
    one, other = (int(rng.choice(there)) if there else 1 for _ in range(2))
    x, y = rng.uniform(60, 440), rng.uniform(60, 340)
    at = np.mean(granum(review, one).outline, axis=0) if there else (x, y)
    turn = rng.uniform(0, np.pi)
    away = 200 * np.array([np.cos(turn), np.sin(turn)])
    return [
        {"do": "accept", "granum": one},
        {"do": "reject", "granum": one},
        {"do": "reset_decision", "granum": one},
        {"do": "outline", "granum": one, "outline": ellipse(x, y)},
        {"do": "add", "outline": ellipse(x, y)},
        {"do": "split", "granum": one, "line": [list(at - away), list(at + away)]},
        {"do": "join", "grana": [one, other]},
        {"do": "delete", "granum": one},
        {"do": "direction", "granum": one, "direction_deg": rng.choice([None, 20.0])},
        {"do": "period", "granum": one, "period_px": rng.choice([None, 13.0])},
        {"do": "undo"},
        {"do": "undo"},
        {"do": "redo"},
    ][rng.integers(13)]


def test_the_fold_of_the_log_is_the_live_state(tmp_path):
    reviews.write(tmp_path)
    rng, done = np.random.default_rng(7), set()
    review = opened(tmp_path)
    for step in range(400):
        name = f"m{rng.integers(2)}"
        op = random_op(rng, review) if name == "m0" else {"do": "accept", "granum": 1}
        try:
            review.apply(name, op, review.revision, f"k{step}", "ann")
            done.add(op["do"])
        except InputError:
            continue
        if step % 25 == 0:
            live = plain(review)
            review.close()
            review = opened(tmp_path)
            assert plain(review) == live
    live = plain(review)
    review.close()
    review = opened(tmp_path)
    assert plain(review) == live
    assert {"split", "join", "undo", "redo", "add", "delete", "outline"} <= done
    # All can be undone, down to the machine's grana, and done again.
    steps, last = 0, live[1]["m0"]
    while review.files()[0].undo:
        Person(review)("undo")
        steps += 1
    machine = {one.number: one.outline for one in reviews.record().analysis.grana}
    assert {one.number: one.outline for one in review.grana("m0")} == machine
    for _ in range(steps):
        Person(review)("redo")
    assert plain(review)[1]["m0"] == last
    review.close()


def test_decisions_on_an_earlier_analysis_stay_in_the_log_and_are_not_applied(tmp_path):
    folder = reviews.write(tmp_path)
    review = opened(tmp_path)
    Person(review)("reject", granum=1)
    Person(review)("delete", granum=2)
    Person(review)("undo")
    records.write(folder.record("m0"), reviews.record(threshold=0.6, folder=tmp_path / "gone"))
    review.refresh()
    assert granum(review, 1).decision is None and not review.files()[0].undo
    assert "2 decisions belong to an earlier analysis" in review.files()[0].notes
    assert review.revision == 4
    with pytest.raises(Stale):  # of a page that shows the earlier one
        review.apply("m0", {"do": "accept", "granum": 1}, 3, "late", "ann")
    assert review.files()[1].notes == ()
    review.refresh()
    assert review.revision == 4
    assert [one.number for one in Person(review)("add", outline=ellipse(420, 300)).changed] == [6]
    review.close()
    # The earlier analysis comes back, and so do its decisions.
    records.write(folder.record("m0"), reviews.record(folder=tmp_path / "gone"))
    review = opened(tmp_path)
    assert granum(review, 1).decision == "rejected" and numbers(review) == [1, 2, 3, 4, 5]
    assert "1 decision belongs to an earlier analysis" in review.files()[0].notes
    review.close()


def test_a_record_of_the_same_options_with_other_grana_is_another_analysis():
    one, other = reviews.record(), reviews.record(grana=[analyses.granum(1, 90, 80)])
    assert one.made == other.made and files.digest(one) != files.digest(other)
    assert files.digest(one) == files.digest(reviews.record())


def test_excluded_grana_are_rejected_from_the_start(tmp_path):
    folder = reviews.write(tmp_path)
    old = reviews.record()
    records.write(folder.record("m0"), dataclasses.replace(old, excluded=(2,)))
    review = opened(tmp_path)
    assert granum(review, 2).decision == "rejected" and not granum(review, 2).counts
    review.close()


def test_without_its_micrograph_a_granum_can_be_judged_but_not_measured(tmp_path):
    reviews.write(tmp_path)
    (tmp_path / "uploads" / "m0.png").unlink()
    review = opened(tmp_path)
    Person(review)("accept", granum=1)
    with pytest.raises(InputError, match="isn't where it was") as error:
        Person(review)("outline", granum=1, outline=ellipse(80, 80))
    assert str(tmp_path) not in str(error.value)
    review.close()


def test_a_reader_sees_what_a_writer_does_and_does_nothing_itself(tmp_path):
    reviews.write(tmp_path)
    writer, reader = opened(tmp_path), opened(tmp_path, read_only=True)
    Person(writer)("accept", granum=1)
    reader.refresh()
    assert plain(reader) == plain(writer)
    with pytest.raises(InputError, match="reading alone"):
        Person(reader)("accept", granum=2)
    with pytest.raises(InputError, match="another srd app"):
        opened(tmp_path)
    writer.close()


def test_a_damaged_record_is_told_and_the_others_open(tmp_path):
    folder = reviews.write(tmp_path)
    folder.record("m0").write_text("{")
    review = opened(tmp_path)
    assert [one.name for one in review.files()] == ["m1"]
    assert review.notes == ("m0: its record can't be read by this version",)
    review.close()
