"""Real tools in real processes: typed values, failures, ends, and nothing that stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgefn.errors import ToolDefinitionError, ToolFailed
from edgefn.isolation.workers import IsolatedCall, Workers
from edgefn.registry import Registry, import_file, load_tools
from edgefn.tool import Tool

pytestmark = pytest.mark.skipif(os.name != "posix", reason="looks for processes by their id")

SOURCE = '''
import ctypes, enum, os, subprocess, sys, time
from datetime import date, timedelta
from pathlib import Path
from edgefn.tool import tool

class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"

class Odd(Exception):
    def __str__(self):
        raise RuntimeError("not even this")

HERE = Path(__file__).parent
count = 0

@tool
def kinds(duration: timedelta, colour: Colour, day: date, often: int = 2) -> list:
    """Say what types arrive.

    Args:
        duration: how long.
        colour: which colour.
        day: which day.
        often: how often.
    """
    return [type(duration).__name__, type(colour).__name__, type(day).__name__, duration * often, colour, day]

@tool
def counted() -> int:
    """Count the calls of this worker, and note each in a file."""
    global count
    count += 1
    with (HERE / "calls.txt").open("a") as file:
        file.write(f"{os.getpid()}\\n")
    return count

@tool
def pid() -> int:
    """Tell the process."""
    return os.getpid()

@tool
def noisy() -> str:
    """Print in every way there is."""
    print("{}")
    print("\\N{SNOWMAN} \\ud800")
    sys.stderr.write("more\\n")
    os.write(1, b"raw\\n")
    subprocess.run([sys.executable, "-c", "print('child')"], check=True)
    return sys.stdin.read() + "done"

@tool
def echo(text: str) -> str:
    """Return the text.

    Args:
        text: what to return.
    """
    return text

def again(text):
    return text

@tool
def fail(how: str) -> str:
    """Fail.

    Args:
        how: in which way.
    """
    match how:
        case "raise":
            raise ValueError("no \\ud800 power")
        case "odd":
            raise Odd
        case "exit":
            sys.exit("bye")
        case "interrupt":
            raise KeyboardInterrupt
        case "recursion":
            return fail(how)
        case "end":
            os._exit(3)
        case "crash":
            os.kill(os.getpid(), 11)
        case "close":
            os.closerange(3, 64)
            time.sleep(60)
        case "fork":
            os.fork()
    return str(os.getpid())

@tool
def give(what: str) -> object:
    """Return something.

    Args:
        what: which thing.
    """
    deep = []
    for _ in range(100_000):
        deep = [deep]
    return {
        "large": "x" * 100_000_000 if what == "large" else None,
        "object": object(),
        "nan": [float("nan"), float("inf")],
        "surrogate": "\\ud800!",
        "deep": deep,
        "integer": 10 ** 5000,
        "set": {1},
    }[what]

@tool
def leave() -> int:
    """Start something that goes on."""
    return subprocess.Popen(["sleep", "60"]).pid

@tool
def hang() -> None:
    """Never return."""
    child = subprocess.Popen(["sleep", "60"])
    (HERE / "pids.part").write_text(f"{os.getpid()} {child.pid}")
    (HERE / "pids.part").rename(HERE / "pids.txt")
    time.sleep(60)

@tool
async def later(text: str) -> str:
    """Return the text later.

    Args:
        text: what to return.
    """
    import asyncio
    await asyncio.sleep(0)
    return f"later: {text}"
'''


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "device.py"
    path.write_text(SOURCE)
    return path


@pytest.fixture
def tools(file: Path) -> Registry:
    return load_tools(file)


@pytest.fixture
def workers() -> Iterator[Workers]:
    made = Workers()
    yield made
    made.close()


@pytest.fixture(scope="module")
def kept_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("kept") / "device.py"
    path.write_text(SOURCE)
    return path


@pytest.fixture(scope="module")
def kept(kept_file: Path) -> Registry:
    return load_tools(kept_file)


@pytest.fixture(scope="module")
def shared() -> Iterator[Workers]:
    """Workers of tests that leave them whole: a start takes longer than anything else here."""
    made = Workers()
    yield made
    made.close()


def single(folder: Path, source: str, name: str = "one") -> Tool:
    """A tool of a file that the device takes as given: it may break where it is loaded."""
    path = folder / "single.py"
    path.write_text("def one() -> int:\n    '''Do it.'''\n    return 1\n")
    tool = Tool.from_function(getattr(import_file(path), name))
    path.write_text(source)
    return tool


def until(condition, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.01)


def is_gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody reaped counts as ended."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout
    return state.strip()[:1] in ("", "Z")


def is_reaped(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0


# ---- values ------------------------------------------------------------------------------------------------


def test_typed_values_arrive_typed_and_come_back_as_json(kept: Registry, shared: Workers):
    tool = kept["kinds"]
    arguments = tool.bind({"duration": "PT10M", "colour": "blue", "day": "2026-03-31"})
    assert isinstance(arguments["duration"], timedelta) and isinstance(arguments["day"], date)
    call = shared.call_of(tool)
    assert call(arguments) == ["timedelta", "Colour", "date", "PT20M", "blue", "2026-03-31"]
    assert shared.call_of(tool)({**arguments, "often": 3})[3] == "PT30M"


def test_a_tool_with_a_schema_of_its_own_gets_json_values(kept_file: Path, shared: Workers):
    schema = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
    function = import_file(kept_file).echo
    tool = Tool.from_schema("repeat", "Repeat.", schema, function)
    assert shared.call_of(tool)(tool.bind({"text": "PT10M"})) == "PT10M"


def test_an_async_tool(kept_file: Path, shared: Workers):
    schema = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
    tool = Tool.from_schema("later", "Later.", schema, import_file(kept_file).later)
    assert shared.call_of(tool)({"text": "x"}) == "later: x"


def test_odd_text_and_large_arguments_pass(kept: Registry, shared: Workers):
    for text in ("", "不要 🙂 \0 \n \u2028", "x" * 3_000_000):
        assert shared.call_of(kept["echo"])({"text": text}) == text


NUMBER = st.integers(-(10**40), 10**40) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBER | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@pytest.fixture(scope="module")
def repeat(kept_file: Path, shared: Workers):
    schema = {"type": "object", "properties": {"text": {}}}
    tool = Tool.from_schema("repeat", "Repeat.", schema, import_file(kept_file).again)
    return lambda value: shared.call_of(tool)({"text": value})


@settings(max_examples=150)
@given(JSON)
def test_any_json_value_passes_both_ways(repeat, value):
    assert repeat(value) == value


def test_arguments_without_a_json_form_are_not_sent(kept: Registry, shared: Workers):
    with pytest.raises(ToolFailed, match="was not called"):
        shared.call_of(kept["echo"])({"text": "\ud800"})
    schema = {"type": "object", "properties": {"text": {}}}
    tool = Tool.from_schema("repeat", "Repeat.", schema, kept["echo"].function)
    with pytest.raises(ToolFailed, match="was not called"):
        shared.call_of(tool)({"text": 10**5000})
    deep: list = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(ToolFailed, match="was not called"):
        shared.call_of(tool)({"text": deep})
    assert shared.call_of(tool)({"text": [1.5, None]}) == [1.5, None]


def test_nested_as_deeply_as_json_can_write(kept: Registry, shared: Workers):
    tool = Tool.from_schema("repeat", "Repeat.", {"type": "object", "properties": {"text": {}}}, kept["echo"].function)
    for depth in range(100, 1_000, 60):
        deep: list = []
        for _ in range(depth):
            deep = [deep]
        try:
            assert shared.call_of(tool)({"text": deep}) is not None
        except ToolFailed as exc:
            assert "not called" in exc.message
    assert shared.call_of(tool)({"text": 1}) == 1


def test_state_stays_between_calls_of_one_worker(tools: Registry, workers: Workers):
    assert [workers.call_of(tools["counted"])({}) for _ in range(3)] == [1, 2, 3]
    call = workers.call_of(tools["counted"])
    assert [call({}), call({})] == [4, 5]
    assert workers.call_of(tools["pid"])({}) == workers.call_of(tools["pid"])({}) != os.getpid()


def test_printing_does_not_break_the_protocol(tools: Registry, workers: Workers, capfd: pytest.CaptureFixture):
    assert workers.call_of(tools["noisy"])({}) == "done"
    workers.close()
    told = capfd.readouterr()
    assert told.out == ""
    assert all(each in told.err for each in ("{}", "\\ud800", "more", "raw", "child"))


def test_what_has_no_json_form_is_text(kept: Registry, shared: Workers):
    def given(what: str) -> object:
        return shared.call_of(kept["give"])({"what": what})

    assert str(given("object")).startswith("<object object")
    assert given("nan") == ["NaN", "Infinity"]
    assert given("surrogate") == "?!"
    assert given("deep") == "<list>"
    assert given("integer") == "<int>"
    assert given("set") == "{1}"


def test_a_hundred_megabytes_are_not_sent(kept: Registry, shared: Workers):
    first = shared.call_of(kept["pid"])({})
    with pytest.raises(ToolFailed, match=r"give ran, but what it returned has 1000000\d\d bytes"):
        shared.call_of(kept["give"])({"what": "large"})
    assert shared.call_of(kept["pid"])({}) == first


# ---- failures ----------------------------------------------------------------------------------------------


def test_what_a_tool_raises_comes_back_and_the_worker_goes_on(kept: Registry, shared: Workers):
    first = shared.call_of(kept["pid"])({})
    for how, said in [
        ("raise", r"fail raised ValueError: no \\ud800 power"),
        ("odd", r"fail raised Odd: \(no message\)"),
        ("exit", "fail raised SystemExit: bye"),
        ("interrupt", "fail raised KeyboardInterrupt: "),
        ("recursion", "fail raised RecursionError: maximum"),
    ]:
        with pytest.raises(ToolFailed, match=said) as caught:
            shared.call_of(kept["fail"])({"how": how})
        (note,) = caught.value.__notes__
        assert "device.py" in note and "in fail" in note and "worker.py" not in note
    assert shared.call_of(kept["pid"])({}) == first


@pytest.mark.parametrize(
    ("how", "said"), [("end", "exit code 3"), ("crash", "signal 11"), ("close", "closed the pipe")]
)
def test_a_tool_that_ends_its_process(tools: Registry, workers: Workers, how: str, said: str):
    first = workers.call_of(tools["pid"])({})
    with pytest.raises(ToolFailed, match=f"fail .*{said}"):
        workers.call_of(tools["fail"])({"how": how})
    until(lambda: is_reaped(first))
    assert workers.call_of(tools["pid"])({}) != first


def test_a_tool_that_forks_answers_once(kept: Registry, shared: Workers):
    first = shared.call_of(kept["pid"])({})
    assert shared.call_of(kept["fail"])({"how": "fork"}) == str(first)
    assert shared.call_of(kept["echo"])({"text": "next"}) == "next"


def test_a_worker_that_is_killed_while_it_runs(tools: Registry, workers: Workers, tmp_path: Path):
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(workers.call_of(tools["hang"]), {})
        until((tmp_path / "pids.txt").exists)
        worker, child = map(int, (tmp_path / "pids.txt").read_text().split())
        os.kill(worker, signal.SIGKILL)
        with pytest.raises(ToolFailed, match="hang ended its process with signal 9"):
            running.result(20)
    until(lambda: is_gone(child))


def test_an_idle_worker_that_died_is_replaced(tools: Registry, workers: Workers, tmp_path: Path):
    workers.call_of(tools["counted"])({})
    started = workers.call_of(tools["counted"])
    started.start()
    first = int((tmp_path / "calls.txt").read_text())
    os.kill(first, signal.SIGKILL)
    until(lambda: is_gone(first))
    assert started({}) == 1
    second = workers.call_of(tools["pid"])({})
    os.kill(second, signal.SIGKILL)
    until(lambda: is_gone(second))
    assert workers.call_of(tools["counted"])({}) == 1
    assert len((tmp_path / "calls.txt").read_text().split()) == 3


def test_a_file_that_breaks_lacks_the_tool_or_is_gone(tmp_path: Path, workers: Workers):
    for source, said in [
        ("raise OSError('no device')", "one could not be started: its file raised OSError: no device"),
        ("def one(:", "one could not be started: its file raised SyntaxError"),
        ("import sys\nsys.exit(1)", "SystemExit: 1"),
        ("import os\nos._exit(4)", "one ended its process with exit code 4"),
        ("two = 2", "has no function one"),
        ("def one(x): pass", "one could not be started: one .*no description"),
    ]:
        with pytest.raises(ToolFailed, match=said):
            workers.call_of(single(tmp_path, source)).start()
    call = workers.call_of(single(tmp_path, "def one() -> int:\n    '''Do it.'''\n    return 1\n"))
    (tmp_path / "single.py").rename(tmp_path / "moved.py")
    with pytest.raises(ToolFailed, match="FileNotFoundError"):
        call.start()
    with pytest.raises(ToolDefinitionError, match="lambda"):
        workers.call_of(Tool.from_schema("none", "None.", {"type": "object"}, lambda: 1))


def test_a_file_whose_parameters_have_changed_is_not_called(tmp_path: Path, workers: Workers):
    source = "def one(text: str) -> str:\n    '''Do it.\n\n    Args:\n        text: some.\n    '''\n    return text\n"
    path = tmp_path / "changing.py"
    path.write_text(source)
    tool = Tool.from_function(import_file(path).one)
    path.write_text(source.replace("text: str", "text: int"))
    with pytest.raises(ToolFailed, match="one was not called: one: 'text' is 'x'"):
        workers.call_of(tool)({"text": "x"})


def test_no_process_can_be_started(tools: Registry, workers: Workers, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(ToolFailed, match="no worker process could be started"):
        workers.call_of(tools["pid"])({})
    monkeypatch.setattr(sys, "executable", "")
    with pytest.raises(ToolFailed, match="no Python interpreter"):
        workers.call_of(tools["pid"])({})


def test_a_worker_starts_no_workers(tmp_path: Path):
    # A script without a main guard: its tools, loaded in a worker, would start the next worker, and so on.
    script = tmp_path / "script.py"
    script.write_text(
        "from pathlib import Path\n"
        "from edgefn.errors import ToolFailed\n"
        "from edgefn.isolation.workers import Workers\n"
        "from edgefn.tool import Tool\n"
        "def one() -> int:\n"
        "    '''Do it.'''\n"
        "    return 1\n"
        "workers = Workers()\n"
        "try:\n"
        "    said = str(workers.call_of(Tool.from_function(one))({}))\n"
        "except ToolFailed as exc:\n"
        "    said = exc.message\n"
        "with (Path(__file__).parent / 'said.txt').open('a') as file:\n"
        "    file.write(said + '\\n')\n"
    )
    subprocess.run([sys.executable, str(script)], check=True, timeout=60)
    assert (tmp_path / "said.txt").read_text().splitlines() == ["one: a worker starts no workers of its own", "1"]


# ---- ending ------------------------------------------------------------------------------------------------


def test_a_call_that_hangs_is_ended_with_all_it_started(tools: Registry, workers: Workers, tmp_path: Path):
    call = workers.call_of(tools["hang"])
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(call, {})
        until((tmp_path / "pids.txt").exists)
        worker, child = map(int, (tmp_path / "pids.txt").read_text().split())
        call.end()
        call.end()
        with pytest.raises(ToolFailed, match="hang was ended"):
            running.result(20)
    assert is_reaped(worker)
    until(lambda: is_gone(child))
    with pytest.raises(ToolFailed, match="ended before it was called"):
        call({})
    assert workers.call_of(tools["echo"])({"text": "on"}) == "on"


def test_a_call_whose_worker_takes_no_arguments_is_ended(tools: Registry, workers: Workers):
    workers.call_of(tools["echo"])({"text": "loaded"})
    stopped = workers.call_of(tools["pid"])({})
    os.kill(stopped, signal.SIGSTOP)
    call = workers.call_of(tools["echo"])
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(call, {"text": "x" * 1_000_000})  # more than a pipe holds: writing waits
        time.sleep(0.2)
        call.end()
        with pytest.raises(ToolFailed, match="echo was ended"):
            running.result(20)
    assert is_reaped(stopped)


def test_ended_before_it_starts(tools: Registry, workers: Workers, tmp_path: Path):
    call = workers.call_of(tools["counted"])
    call.end()
    for attempt in (call.start, lambda: call({})):
        with pytest.raises(ToolFailed, match="counted was ended before it was called"):
            attempt()
    started = workers.call_of(tools["counted"])
    started.start()
    started.end()
    with pytest.raises(ToolFailed, match="counted was ended before it was called"):
        started({})
    assert not (tmp_path / "calls.txt").exists()


def test_ended_while_it_starts(tmp_path: Path, workers: Workers):
    source = "import os, time\nopen(__file__ + '.pid', 'x').write(str(os.getpid()))\ntime.sleep(60)\n"
    call = workers.call_of(single(tmp_path, source))
    with ThreadPoolExecutor(1) as pool:
        starting = pool.submit(call.start)
        note = tmp_path / "single.py.pid"
        until(lambda: note.exists() and note.read_text() != "")
        call.end()
        with pytest.raises(ToolFailed, match="one was ended"):
            starting.result(20)
    assert is_reaped(int(note.read_text()))


def test_ended_at_any_moment(tools: Registry, workers: Workers):
    for delay in (0.0, 0.001, 0.01, 0.05, 0.1, 0.15, 0.2):
        call = workers.call_of(tools["echo"])
        timer = threading.Timer(delay, call.end)
        timer.start()
        try:
            assert call({"text": "x"}) == "x"
        except ToolFailed as exc:
            assert "was ended" in exc.message
        timer.join()
        workers.close()
        workers = Workers()


def test_a_late_end_harms_no_other_call(tools: Registry, workers: Workers):
    call = workers.call_of(tools["pid"])
    first = call({})
    call.end()
    assert workers.call_of(tools["pid"])({}) == first
    assert not is_gone(first)


def test_loading_that_takes_too_long(tmp_path: Path):
    workers = Workers(start_seconds=0.5)
    call = workers.call_of(single(tmp_path, "import time\ntime.sleep(60)\n"))
    with pytest.raises(ToolFailed, match=r"one could not be started: loading took more than 0\.5 s"):
        call.start()
    workers.close()


def test_a_worker_outlives_neither_its_device_nor_a_hanging_tool(file: Path, tmp_path: Path):
    code = (
        "import sys\n"
        "from edgefn.isolation.workers import Workers\n"
        "from edgefn.registry import load_tools\n"
        f"tools, workers = load_tools({str(file)!r}), Workers()\n"
        "print(workers.call_of(tools['pid'])({}), flush=True)\n"
        "if sys.argv[1] == 'hang':\n"
        "    workers.call_of(tools['hang'])({})\n"
        "if sys.argv[1] == 'wait':\n"
        "    sys.stdin.read()\n"
    )
    for how in ("hang", "wait", "exit"):
        command = [sys.executable, "-c", code, how]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as device:
            assert device.stdout is not None
            worker = int(device.stdout.readline())
            if how == "hang":
                until((tmp_path / "pids.txt").exists)
                child = int((tmp_path / "pids.txt").read_text().split()[1])
            if how != "exit":
                assert not is_gone(worker)
                device.kill()
            device.wait(20)
        until(lambda pids=(worker, child): all(is_gone(each) for each in pids))


# ---- many --------------------------------------------------------------------------------------------------


def test_calls_at_once_use_several_workers_and_two_are_kept(tools: Registry, workers: Workers, tmp_path: Path):
    calls = [workers.call_of(tools["pid"]) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(IsolatedCall.start, calls))
        pids = list(pool.map(lambda call: call({}), calls))
    assert len(set(pids)) == 4
    assert sum(not is_reaped(each) for each in pids) == 2
    with ThreadPoolExecutor(4) as pool:
        texts = [str(number) for number in range(200)]
        echo = tools["echo"]
        assert list(pool.map(lambda text: workers.call_of(echo)({"text": text}), texts)) == texts


def test_nothing_is_left_behind(tools: Registry, tmp_path: Path):
    before, threads = descriptors(), threading.active_count()
    workers = Workers()
    pids = [workers.call_of(tools["pid"])({})]
    held = workers.call_of(tools["pid"])
    hanging = workers.call_of(tools["hang"])
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(hanging, {})
        until((tmp_path / "pids.txt").exists)
        pids += map(int, (tmp_path / "pids.txt").read_text().split())
        workers.close()
        workers.close()
        with pytest.raises(ToolFailed, match="hang was ended"):
            running.result(20)
    until(lambda: all(is_gone(each) for each in pids))
    assert all(is_reaped(each) for each in pids[:2])
    with pytest.raises(ToolFailed, match="are closed"):
        held.start()
    until(lambda: threading.active_count() <= threads)
    assert descriptors() <= before


def test_what_a_call_left_running_on_purpose_goes_on(tools: Registry, workers: Workers):
    calls = [workers.call_of(tools["leave"]) for _ in range(3)]
    for each in calls:
        each.start()
    left = [call({}) for call in calls]  # one worker is not kept, the others end with the device
    workers.close()
    assert not any(is_gone(each) for each in left)
    for each in left:
        os.kill(each, signal.SIGKILL)


def test_workers_that_nobody_holds_any_more_end(tools: Registry):
    workers = Workers()
    pid = workers.call_of(tools["pid"])({})
    del workers
    until(lambda: is_reaped(pid))


def test_a_fork_of_the_device_leaves_its_workers_alone(file: Path):
    code = (
        "import os, sys\n"
        "from edgefn.isolation.workers import Workers\n"
        "from edgefn.registry import load_tools\n"
        f"tool, workers = load_tools({str(file)!r})['pid'], Workers()\n"
        "first = workers.call_of(tool)({})\n"
        "if os.fork() == 0:\n"
        "    assert workers.call_of(tool)({}) != first\n"
        "    workers.close()\n"
        "    sys.exit(0)\n"
        "assert os.wait()[1] == 0\n"
        "assert workers.call_of(tool)({}) == first\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
