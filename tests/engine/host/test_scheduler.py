import itertools
import random
import threading
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import ContextOverflow, EngineBusy
from engine.host.scheduler import MAX_JOBS, SLICE
from engine.types import Lane
from tests.engine.host.desk import Desk

LONG = " word" * 500  # 500 tokens of the scripted backend, and its marker


def until(condition: Callable[[], bool], timeout_s: float = 10.0) -> None:
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.001)


def test_an_answer_streams_and_ends_with_its_usage() -> None:
    desk = Desk(default={"reply": "return a + b"})
    job = desk.submit("def add(a, b):")
    desk.run()
    assert desk.text(job) == "return a + b"
    assert desk.finish(job) == "stop"
    usage = desk.usage(job)
    assert (usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens) == (len(job.encoded.tokens), 0, 5)
    assert len(desk.said[job]) == 6


def test_each_step_delivers_at_most_once() -> None:
    desk = Desk(default={"reply": "a b c d e f"})
    for _ in range(3):
        desk.submit("x", n=2)
    steps = desk.run()
    assert desk.deliveries <= steps


def test_prompts_are_read_in_slices() -> None:
    desk = Desk()
    desk.ask(LONG)
    sizes = [n for batch in desk.backend.batches for _, n in batch]
    assert sizes[:4] == [SLICE, SLICE, SLICE, 501 - 3 * SLICE]
    assert all(n == 1 for n in sizes[4:])


def test_a_prompt_that_grew_by_a_word_is_not_read_again() -> None:
    desk = Desk()
    desk.ask(LONG)
    before = desk.backend.evaluated
    job = desk.submit(LONG + " more")
    desk.run()
    said = 1  # "ok"
    assert desk.usage(job).cached_tokens == 500
    assert desk.backend.evaluated - before == 2 + said


def test_an_unrelated_short_request_does_not_cost_the_long_prefix() -> None:
    desk = Desk()
    desk.ask(LONG)
    for number in range(10):
        desk.ask(f"short {number}")
    job = desk.submit(LONG + " more")
    desk.run()
    assert desk.usage(job).cached_tokens == 500


def test_a_short_request_with_the_same_beginning_does_not_cost_the_long_prefix() -> None:
    desk = Desk()
    desk.ask(LONG)
    desk.ask(" word" * 20 + " else")
    job = desk.submit(LONG + " more")
    desk.run()
    assert desk.usage(job).cached_tokens == 500


def test_candidates_share_the_prompt_and_are_batched() -> None:
    desk = Desk(default={"reply": ["one two three", "eins zwei drei", "un deux trois"]})
    job = desk.submit(LONG, n=3)
    desk.run()
    assert [desk.text(job, index) for index in range(3)] == ["one two three", "eins zwei drei", "un deux trois"]
    assert desk.backend.evaluated == 501 + 2 + 3 * 3
    assert max(len(batch) for batch in desk.backend.batches) == 3


def test_a_newer_request_of_the_same_session_and_lane_replaces_the_older() -> None:
    desk = Desk(default={"reply": "a b c d e f g h"})
    old = desk.submit("x", session="doc", max_tokens=8)
    desk.run(steps=3)
    new = desk.submit("xy", session="doc", max_tokens=8)
    desk.run()
    assert desk.finish(old) == "superseded"
    assert desk.text(old) == "a b c"
    assert desk.finish(new) in {"stop", "length"}
    assert desk.text(new) == "a b c d e f g h"


def test_a_request_replaced_before_it_began_is_told_at_once() -> None:
    desk = Desk()
    jobs = [desk.submit("x " * n, session="doc") for n in range(1, 20)]
    desk.run()
    assert [desk.finish(job) for job in jobs] == ["superseded"] * 18 + ["stop"]
    assert desk.backend.evaluated == len(jobs[-1].encoded.tokens) + 1


@pytest.mark.parametrize(("session", "lane"), [("other", Lane.TYPING), ("doc", Lane.IDLE), ("", Lane.TYPING)])
def test_other_sessions_and_lanes_are_not_replaced(session: str, lane: Lane) -> None:
    desk = Desk(default={"reply": "a b c"})
    first = desk.submit("x", session="doc" if session else "", lane=Lane.TYPING)
    second = desk.submit("y", session=session, lane=lane)
    desk.run()
    assert desk.text(first) == desk.text(second) == "a b c"


def test_typing_overtakes_and_the_others_keep_their_memory() -> None:
    desk = Desk(default={"reply": "a b c d e f g h"})
    action = desk.submit(LONG, lane=Lane.ACTION)
    desk.run(steps=2)  # two slices read
    typing = desk.submit("other text", lane=Lane.TYPING)
    idle = desk.submit("idle text", lane=Lane.IDLE)
    order = []
    while desk.scheduler.step():
        order += [job for job in (action, typing, idle) if desk.finish(job) and job not in order]
    assert order == [typing, action, idle]
    assert {desk.text(job) for job in order} == {"a b c d e f g h"}
    prompts = 501 + 3 + 3
    assert desk.backend.evaluated == prompts + 3 * 8, "nothing was read twice"


def test_cancelling_while_the_prompt_is_read_stops_the_reading() -> None:
    desk = Desk()
    job = desk.submit(LONG)
    desk.run(steps=2)
    desk.scheduler.cancel(job)
    assert desk.run() == 0
    assert not desk.scheduler.busy
    assert desk.backend.evaluated == 2 * SLICE
    assert job not in desk.said


def test_what_a_cancelled_request_read_is_of_use_to_the_next() -> None:
    desk = Desk()
    desk.scheduler.cancel(desk.submit("never begun"))
    job = desk.submit(LONG)
    desk.run(steps=2)
    desk.scheduler.cancel(job)
    again = desk.submit(LONG + " x")
    desk.run()
    assert desk.usage(again).cached_tokens == 2 * SLICE


def working(desk: Desk, stop: threading.Event) -> threading.Thread:
    def work() -> None:
        while not stop.is_set():
            if not desk.scheduler.step():
                desk.scheduler.wait(0.05)

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_cancelling_ends_a_batch_at_work() -> None:
    desk = Desk(prefill_s=60.0)
    stop = threading.Event()
    thread = working(desk, stop)
    try:
        job = desk.submit("x")
        until(lambda: bool(desk.scheduler._at_work))
        began = time.monotonic()
        desk.scheduler.cancel(job)
        until(lambda: not desk.scheduler.busy)
        assert time.monotonic() - began < 5
    finally:
        stop.set()
        desk.scheduler.close()
        thread.join()


def test_typing_ends_a_slice_that_idle_work_is_reading() -> None:
    desk = Desk(prefill_s=60.0)
    stop = threading.Event()
    thread = working(desk, stop)
    try:
        idle = desk.submit("x y z", lane=Lane.IDLE)
        until(lambda: bool(desk.scheduler._at_work))
        desk.backend.script.prefill_s = 0.0
        typing = desk.submit("a", lane=Lane.TYPING)
        until(lambda: desk.finish(typing) is not None and desk.finish(idle) is not None)
        assert desk.text(typing) == desk.text(idle) == "ok"
    finally:
        stop.set()
        desk.scheduler.close()
        thread.join()


def test_what_nobody_uses_is_forgotten_when_memory_is_full() -> None:
    desk = Desk(info={"n_ctx": 300})
    for number in range(10):
        assert desk.ask(f"{number} " * 200) == "ok"


def test_two_that_do_not_fit_together_are_served_after_each_other() -> None:
    desk = Desk(info={"n_ctx": 300}, default={"reply": "a b c d " * 10})
    jobs = [desk.submit(f"{number} " * 200, lane=lane) for number, lane in enumerate((Lane.ACTION, Lane.ACTION))]
    idle = desk.submit("z " * 200, lane=Lane.IDLE)
    desk.run(steps=5)
    typing = desk.submit("t " * 200, lane=Lane.TYPING)
    desk.run()
    assert {desk.text(job) for job in (*jobs, idle, typing)} == {"a b c d " * 10}


def test_an_answer_ends_where_the_context_does() -> None:
    desk = Desk(info={"n_ctx": 100}, default={"reply": " ".join(map(str, range(500)))})
    job = desk.submit("x " * 80, max_tokens=1000)
    desk.run()
    assert desk.finish(job) == "length"
    assert desk.usage(job).completion_tokens == 100 - len(job.encoded.tokens)


def test_candidates_that_do_not_fit_end_with_length() -> None:
    desk = Desk(info={"n_ctx": 100}, default={"reply": " ".join(map(str, range(500)))})
    job = desk.submit("x " * 50, max_tokens=40, n=4)
    desk.run()
    assert [desk.finish(job, index) for index in range(4)] == ["length"] * 4
    assert desk.text(job, 0).startswith("0 1 2")


def test_the_queue_is_bounded() -> None:
    desk = Desk()
    for number in range(MAX_JOBS):
        desk.submit("x", session=f"{number}")
    with pytest.raises(EngineBusy):
        desk.submit("x", session="one more")
    replaced = desk.submit("y", session="0")
    desk.run()
    assert desk.text(replaced) == "ok"
    assert desk.ask("free again") == "ok"


def test_more_callers_than_slots_get_what_they_would_get_alone() -> None:
    rules = [{"match": rf"#{n}$", "reply": f"answer {n} " * (1 + n % 7)} for n in range(32)]
    prompts = ["shared text " * (n % 5 * 20) + f"#{n}" for n in range(32)]
    lanes = list(Lane)
    alone = [Desk(rules=rules).ask(prompt) for prompt in prompts]
    desk = Desk(rules=rules)
    jobs = [desk.submit(prompt, lane=lanes[n % 3]) for n, prompt in enumerate(prompts)]
    desk.run()
    assert [desk.text(job) for job in jobs] == alone


@settings(deadline=None, max_examples=40)
@given(st.integers(min_value=0))
def test_any_order_of_arrivals_and_cancels_gives_whole_answers_and_leaves_nothing(seed: int) -> None:
    chance = random.Random(seed)
    desk = Desk(info={"n_ctx": 400}, rules=[{"match": "q", "reply": "a b c d e f"}])
    jobs, cancelled = [], set()
    for _ in range(40):
        text = chance.choice(("p ", "q ")) * chance.randint(1, 150)
        fields = {"session": chance.choice(("", "s", "t")), "n": chance.choice((1, 1, 2, 3))}
        jobs.append(desk.submit(text, lane=chance.choice(list(Lane)), **fields))
        desk.run(steps=chance.randint(0, 4))
        if chance.random() < 0.2:
            victim = chance.choice(jobs)
            desk.scheduler.cancel(victim)
            cancelled.add(victim)
    desk.run()
    assert not desk.scheduler.busy
    assert not any(slot.busy for slot in desk.scheduler._kv.slots)
    for job in set(jobs) - cancelled:
        whole = "a b c d e f" if job.request.prompt.text.startswith("q") else "ok"
        for index in range(job.request.n):
            finish, text = desk.finish(job, index), desk.text(job, index)
            assert finish in {"stop", "superseded"}
            assert whole.startswith(text)
            assert finish == "superseded" or text == whole


def test_reading_and_writing_take_turns_and_are_not_mixed() -> None:
    desk = Desk(default={"reply": "a b c d e f g h i j"})
    desk.submit("short")
    desk.run(steps=2)
    desk.submit(LONG)
    desk.submit(LONG[: len(LONG) // 2] + " other")
    desk.run(steps=12)
    sizes = [[n for _, n in batch] for batch in desk.backend.batches[1:]]
    assert all(len(batch) == 1 or set(batch) == {1} for batch in sizes), "one slice of one prompt, or one token each"
    kinds = [max(batch) > 1 for batch in sizes[1:8]]
    assert all(one != other for one, other in itertools.pairwise(kinds))


def test_a_failing_model_fails_the_requests_at_work_and_no_others() -> None:
    desk = Desk()
    action = desk.submit(LONG, lane=Lane.ACTION)
    desk.run(steps=2)
    desk.backend.failures = 1
    typing = desk.submit("x")
    desk.run()
    assert str(desk.errors[typing]) == "the model tripped"
    assert typing not in desk.said
    assert desk.text(action) == "ok"


def test_a_stop_string_over_several_tokens_is_found_and_not_shown() -> None:
    desk = Desk(default={"reply": "one two\n\nthree"})
    assert desk.ask("x", stop=("o\n\nth",)) == "one tw"
    assert desk.ask("x", stop=("zzz", "two")) == "one "
    assert desk.ask("x", stop=("e\nno",)) == "one two\n\nthree"


def test_no_tokens_wanted_reads_the_prompt_only() -> None:
    desk = Desk()
    job = desk.submit(LONG, max_tokens=0)
    desk.run()
    assert (desk.text(job), desk.finish(job)) == ("", "length")
    assert desk.usage(job).completion_tokens == 0
    warm = desk.submit(LONG + " x")
    desk.run()
    assert desk.usage(warm).cached_tokens == 500


def test_the_time_budget_counts_from_the_first_token() -> None:
    desk = Desk(prefill_s=0.05, default={"reply": "a b c d e f g h i j " * 20, "delay_s": 0.01})
    job = desk.submit("x", time_budget_s=0.03, max_tokens=200)
    desk.run()
    assert desk.finish(job) == "budget"
    assert 1 <= desk.usage(job).completion_tokens < 20


def test_reasoning_is_parted_from_the_answer() -> None:
    desk = Desk(default={"reply": "forty two", "thinking": "let me see"})
    job = desk.submit("x")
    desk.run()
    assert (desk.thinking(job), desk.text(job)) == ("let me see", "forty two")


def test_reasoning_is_closed_when_its_budget_is_spent() -> None:
    thinking = " ".join(f"thought{n}" for n in range(100))
    desk = Desk(default={"reply": "the answer", "thinking": thinking})
    # The script cuts its own reasoning at the budget; a longer one shows that the host closes the block itself.
    request = desk.submit("x", max_tokens=100)
    request.request = type(request.request)(prompt=request.request.prompt, max_tokens=100, think_budget=10)
    desk.run()
    assert desk.text(request) == "the answer"
    assert thinking.startswith(desk.thinking(request))
    assert 0 < len(desk.thinking(request)) < 100


@pytest.mark.parametrize("period", [1, 2, 7, 31, 64])
def test_a_loop_is_ended(period: int) -> None:
    unit = "".join(f"{n:x} " for n in random.Random(period).sample(range(100, 999), (period + 1) // 2))
    desk = Desk(default={"reply": "well then " + unit * 300})
    job = desk.submit("x", max_tokens=4000)
    desk.run()
    assert desk.finish(job) == "loop"
    n_period = len(desk.backend.tokens_of(unit))
    assert desk.usage(job).completion_tokens <= 4 + n_period + 64 + 1


def test_text_that_repeats_only_in_part_is_not_a_loop() -> None:
    table = "".join(f"    ({n}, {n * n}),\n" for n in range(200))
    desk = Desk(default={"reply": table})
    assert desk.ask("x", max_tokens=4000) == table


CHOICES = (" one two three", " one four", " five six seven eight nine")


def test_choices_are_scored_and_not_written() -> None:
    desk = Desk(default={"reply": "never", "scores": {"four": -2.5, "nine": -7.25}})
    job = desk.submit("é😀", choices=CHOICES)
    desk.run()
    assert desk.scores(job) == pytest.approx([-3.0, -2.5, -7.25])
    assert [desk.finish(job, index) for index in range(3)] == ["stop"] * 3
    assert {desk.text(job, index) for index in range(3)} == {""}
    assert desk.usage(job).completion_tokens == 3 + 2 + 5


def test_choices_share_the_prompt_and_are_batched() -> None:
    desk = Desk()
    job = desk.submit(LONG, choices=CHOICES)
    desk.run()
    assert len(job.encoded.tokens) == 501
    ends = [(3 - 1) + (2 - 1) + (5 - 1)]  # the last token of a choice is not evaluated
    assert desk.backend.evaluated == 501 + 2 + sum(ends)
    assert max(len(batch) for batch in desk.backend.batches) == 3


def test_what_choices_begin_with_is_read_once_and_costs_nothing() -> None:
    desk = Desk()
    job = desk.submit("x", choices=(" one two three", " one two four five", " one two"))
    desk.run()
    assert [len(choice) for choice in job.encoded.choices] == [1, 2, 0]
    assert job.encoded.tokens[:-1] == desk.backend.tokens_of("x one two")
    assert desk.scores(job)[2] == 0.0


def test_the_limits_of_answers_do_not_end_choices() -> None:
    desk = Desk(info={"n_ctx": 400})
    job = desk.submit("x", choices=(" y" * 300, " z"), max_tokens=1, stop=("y",))
    desk.run()
    assert desk.scores(job) == pytest.approx([-300.0, -1.0])


def test_choices_that_do_not_fit_together_are_scored_after_each_other() -> None:
    desk = Desk(info={"n_ctx": 300})
    job = desk.submit("x", choices=tuple(f" {word}" * 200 for word in ("a", "b", "c", "d")))
    desk.run()
    assert desk.scores(job) == pytest.approx([-200.0] * 4)


def test_a_choice_longer_than_the_context_is_refused() -> None:
    with pytest.raises(ContextOverflow):
        Desk(info={"n_ctx": 100}).submit("x", choices=(" y", " z" * 100))


def test_a_newer_request_replaces_choices_at_work() -> None:
    desk = Desk()
    old = desk.submit("x", choices=(" a" * 20, " b"), session="doc", lane=Lane.ACTION)
    desk.run(steps=5)
    new = desk.submit("x", choices=(" c", " d d"), session="doc", lane=Lane.ACTION)
    desk.run()
    assert [desk.finish(old, index) for index in range(2)] == ["superseded", "stop"]
    assert desk.scores(old) == [None, pytest.approx(-1.0)]
    assert desk.scores(new) == pytest.approx([-1.0, -2.0])


def test_cancelling_choices_leaves_nothing_at_work() -> None:
    desk = Desk()
    job = desk.submit("x", choices=(" a" * 20, " b" * 20))
    desk.run(steps=5)
    desk.scheduler.cancel(job)
    assert desk.run() == 0
    assert not desk.scheduler.busy
    assert not any(slot.busy for slot in desk.scheduler._kv.slots)
    assert job not in desk.said


def test_typing_overtakes_choices() -> None:
    desk = Desk()
    job = desk.submit("x", choices=(" a" * 20, " b" * 20), lane=Lane.ACTION)
    desk.run(steps=5)
    typing = desk.submit("t")
    while desk.finish(typing) is None:
        desk.scheduler.step()
    assert desk.scores(job) == [None, None]
    desk.run()
    assert desk.scores(job) == pytest.approx([-20.0, -20.0])
