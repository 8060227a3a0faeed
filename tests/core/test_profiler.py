"""torch.profiler and torch.utils.benchmark: what is measured differs from run to run; names, counts and forms do not."""
import json

import pytest

import kobai
from kobai.profiler import (
    ProfilerAction,
    ProfilerActivity,
    profile,
    record_function,
    schedule,
    tensorboard_trace_handler,
)
from kobai.utils import benchmark

MODEL = kobai.nn.Sequential(kobai.nn.Linear(4, 8), kobai.nn.ReLU(), kobai.nn.Linear(8, 2))
X = kobai.ones(3, 4)


def counts(prof):
    return {e.key: e.count for e in prof.key_averages()}


def test_calls_are_counted_under_pytorchs_names():
    with profile(activities=[ProfilerActivity.CPU], record_shapes=True) as prof:
        with record_function("inference"):
            MODEL(X).sum().backward()
    found = counts(prof)
    assert found["aten::addmm"] == 2 and found["aten::relu"] == found["aten::sum"] == found["inference"] == 1
    assert found["autograd::engine::evaluate_function"] == 1
    whole = next(e for e in prof.key_averages() if e.key == "inference")
    assert whole.cpu_time_total == pytest.approx(prof.self_cpu_time_total)  # it encloses all others
    assert whole.self_cpu_time_total < whole.cpu_time_total
    table = prof.key_averages().table(sort_by="cpu_time_total", row_limit=2)
    assert table.splitlines()[3].split()[0] == "inference" and "Self CPU time total:" in table
    assert len(table.splitlines()) == 7


def test_nothing_is_timed_outside():
    forward = kobai.op.registry[0].forward
    with profile() as prof:
        kobai.ones(2).exp()
    kobai.ones(2).exp()
    assert counts(prof) == {"aten::exp": 1} and kobai.op.registry[0].forward is forward
    with record_function("outside"):
        pass
    with pytest.raises(ZeroDivisionError), profile() as prof:
        1 / 0
    assert counts(prof) == {}


def test_profiles_may_be_nested():
    with profile() as outer:
        kobai.ones(2).exp()
        with profile() as inner:
            kobai.ones(2).exp()
        kobai.ones(2).tanh()
    assert counts(inner) == {"aten::exp": 1} and counts(outer) == {"aten::exp": 2, "aten::tanh": 1}


def test_the_first_wait_can_be_skipped():  # as PyTorch 2.13 does it
    names = [schedule(wait=3, warmup=1, active=1, skip_first=2, skip_first_wait=1, repeat=2)(i).name for i in range(11)]
    assert names == ["NONE"] * 2 + ["WARMUP", "RECORD_AND_SAVE"] + ["NONE"] * 3 + ["WARMUP", "RECORD_AND_SAVE"] + ["NONE"] * 2


def test_a_schedule_says_which_steps_count(tmp_path):
    assert [schedule(skip_first=1, wait=1, warmup=1, active=2, repeat=1)(i) for i in range(6)] == [
        ProfilerAction.NONE, ProfilerAction.NONE, ProfilerAction.WARMUP, ProfilerAction.RECORD,
        ProfilerAction.RECORD_AND_SAVE, ProfilerAction.NONE]
    ready = []
    with profile(schedule=schedule(wait=1, warmup=1, active=2, repeat=1),
                 on_trace_ready=lambda p: ready.append((p.step_num, counts(p)))) as prof:
        for _ in range(6):
            kobai.ones(2).exp()
            prof.step()
    assert ready == [(4, {"aten::exp": 2})]
    tensorboard_trace_handler(tmp_path / "log")(prof)
    trace = json.loads(next((tmp_path / "log").iterdir()).read_text())
    assert [e["name"] for e in trace["traceEvents"]] == ["aten::exp"] * 2


def test_the_older_address():
    with kobai.autograd.profiler.profile(use_cuda=False) as prof:
        kobai.ones(2).exp()
    assert counts(prof) == {"aten::exp": 1} and "aten::exp" in str(prof)
    with kobai.autograd.profiler.profile(enabled=False) as prof:
        kobai.ones(2).exp()
    assert counts(prof) == {}


def test_a_statement_is_timed():
    runs = []
    timer = benchmark.Timer("f()", "f()", globals={"f": lambda: runs.append(1)}, label="calls", sub_label="one",
                            description="list")
    measured = timer.timeit(100)
    assert len(runs) == 2 + 100 + 2 and measured.number_per_run == 100  # setups and a warm-up of two
    assert 0 < measured.mean == measured.median < 0.01
    many = timer.blocked_autorange(min_run_time=0.005)
    assert sum(many.raw_times) >= 0.005 and many.times[0] == many.raw_times[0] / many.number_per_run


def test_a_measurement_is_shown_as_in_pytorch():  # text of PyTorch 2.13
    one = benchmark.Measurement(1, [2e-6], "s", label="sum", sub_label="10", description="numpy")
    assert repr(one).splitlines()[1:] == ["sum: 10", "numpy", "  2.00 us", "  1 measurement, 1 runs , 1 thread"]
