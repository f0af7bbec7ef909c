"""Settings, devices, text, errors, threads, and the user's own PyTorch state."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import warnings

import numpy as np
import pydantic
import pytest
import torch

import latebind
from latebind import build_container
from latebind.backends.interface import BackendDevice, Computation
from latebind.backends.torch.backend import TorchBackend
from latebind.backends.torch.settings import TorchSettings
from latebind.errors import BackendUnavailableError, CompilationError, ExecutionError, LoweringError
from latebind.ir.optable import all_operations

HOST = BackendDevice("cpu")


def python(code):
    environment = {"PYTHONPATH": ":".join(sys.path)}
    return subprocess.run([sys.executable, "-W", "error", "-c", code], env=environment, capture_output=True, text=True)


# Settings and devices


def test_defaults_need_no_settings():
    backend = TorchBackend()
    assert (backend.name, backend.compiler) == ("torch", "torchscript")
    assert TorchSettings().model_dump() == {
        "name": "torch", "compiler": "torchscript", "device": "auto", "threads": None, "interpretations": None,
    }  # fmt: skip
    assert TorchBackend(TorchSettings(interpretations=0)).interpretations == 0


def test_settings_are_read_without_importing_torch():
    done = python(
        "import sys, latebind.backends.torch.settings as s; s.TorchSettings(); sys.exit('torch' in sys.modules)"
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "bad",
    [{"compiler": "xla"}, {"device": "tpu"}, {"threads": 0}, {"name": "numpy"}, {"interpretations": -1}, {"x": 1}],
)
def test_settings_are_validated(bad):
    with pytest.raises(pydantic.ValidationError):
        TorchSettings(**bad)


def test_the_host_is_a_device_and_blocks():
    backend = TorchBackend(TorchSettings(device="cpu"))
    assert backend.backend_devices()[0] == HOST and backend.blocking


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_a_clear_error():
    with pytest.raises(BackendUnavailableError, match=r"finds no GPU .*available are: cpu"):
        TorchBackend(TorchSettings(device="cuda"))


def test_threads_are_set_until_the_backend_closes():
    before = torch.get_num_threads()
    backend = TorchBackend(TorchSettings(threads=before + 1))
    assert torch.get_num_threads() == before + 1
    assert f"{before + 1} threads" in backend.metric_report()
    backend.prepare_to_exit()
    backend.prepare_to_exit()
    assert torch.get_num_threads() == before


def test_the_report_names_version_and_compiler(backend):
    assert torch.__version__ in backend.metric_report() and backend.compiler in backend.metric_report()


def test_seeds_reach_torch(backend):
    with torch.random.fork_rng():
        backend.set_rng_seed(5)
        first = torch.rand(3)
        torch.manual_seed(5)
        assert torch.equal(first, torch.rand(3))


def test_every_core_operation_is_lowered(backend):
    missing = [
        op.kind.qualified for op in all_operations() if op.core and not op.leaf and not backend.supports(op.kind)
    ]
    assert missing == []


# Text


def test_the_text_is_the_fx_code_and_torchscripts_graph(graph):
    x = graph.parameter(np.ones(3, np.float32), donate=True)
    value = graph.op("stablehlo::add", graph.op("stablehlo::sine", x), graph.expand(graph.constant(np.float32(2)), 3))
    computation = graph.lower(value, name="wave")
    assert "def forward(self, p0):" in computation.text and "torch.sin(p0" in computation.text
    assert "# p0 (arg0): tensor<3xf32>, donated" in computation.text and "# c0 = 2.0: torch.float32" in computation.text
    graph.backend.compile([computation])
    text = graph.backend.computation_backend_text(computation)
    assert ("aten::sin" in text) is (graph.backend.compiler == "torchscript")


def test_large_arrays_are_written_over_when_they_die(graph):
    x = graph.parameter(np.ones(1000))
    value = graph.op("stablehlo::sine", graph.op("stablehlo::cosine", graph.op("stablehlo::negate", x)))
    assert graph.lower(value).text.count("out = ") == 2


def test_kernels_of_the_interpreter_are_not_compiled(backend):
    assert backend.create_lowering_context("kernel_add", HOST).compiler == "eager"
    assert backend.create_lowering_context("computation_0", HOST).compiler == backend.compiler


# Errors


def test_what_another_backend_lowered_is_refused(backend):
    with pytest.raises(CompilationError, match="'foreign' was not lowered by the torch backend"):
        backend.compile([Computation("foreign", HOST, (), (), ())])


def test_donating_what_is_not_there_is_refused(backend):
    with pytest.raises(LoweringError, match="cannot donate 1"):
        backend.create_lowering_context("graph", HOST).donate(1)


def test_what_the_compiler_refuses_is_named(graph):
    x = graph.parameter(np.ones(3))
    computation = graph.lower(graph.op("stablehlo::negate", x), name="odd")
    nodes = list(computation.program.graph.nodes)
    with computation.program.graph.inserting_before(nodes[-1]):
        computation.program.graph.call_method("no_such_method", (nodes[0],))
    if graph.backend.compiler == "torchscript":
        with pytest.raises(CompilationError, match="odd"):
            graph.backend.compile([computation])
    else:
        graph.backend.compile([computation])
        with pytest.raises(ExecutionError, match="odd failed"):
            graph.backend.execute_computation(computation, graph.data, graph.device)


def test_running_out_of_memory_says_what_to_do(graph):
    x = graph.parameter(np.float64(1))
    huge = graph.op("stablehlo::negate", graph.expand(x, 2**45))
    spread = graph.op(
        "stablehlo::add", graph.op("stablehlo::iota", iota_dimension=0, shape=(2**45,), dtype=np.dtype("f8")), huge
    )
    with pytest.raises(ExecutionError, match=r"ran out of memory on cpu:0.*delete arrays"):
        graph.execute(spread)


# The user's own PyTorch


@pytest.fixture
def total(graph):
    """A computation with a matrix product, an update of a donated parameter, a scatter and a reduction."""
    x, y = graph.parameter(np.eye(100), donate=True), graph.parameter(np.full((100, 100), 1 / 3))
    product = graph.op(
        "stablehlo::dot_general", y, y, lhs_batching_dimensions=(), rhs_batching_dimensions=(),
        lhs_contracting_dimensions=(1,), rhs_contracting_dimensions=(0,),
    )  # fmt: skip
    zero = graph.constant(np.int64(0))
    updated = graph.op("stablehlo::dynamic_update_slice", x, graph.slice(product, (0, 2), (0, 100)), zero, zero)
    scattered = graph.op(
        "stablehlo::scatter", updated, graph.parameter(np.array([1, 1, 500])), graph.slice(y, (0, 3), (0, 100)),
        update_window_dims=(1,), inserted_window_dims=(0,), scatter_dims_to_operand_dims=(0,), index_vector_dim=1,
        update_computation=None,
    )  # fmt: skip
    return scattered


MODES = {
    "inference": torch.inference_mode,
    "no_grad": torch.no_grad,
    "grad": torch.enable_grad,
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "device": lambda: torch.device("meta"),
}


@pytest.mark.parametrize("mode", MODES)
def test_the_users_modes_do_not_reach_us(graph, total, mode):
    (expected,) = graph.expect(total)
    with MODES[mode]():
        data = [
            graph.backend.make_computation_data_from_tensor(array, value.type, graph.device)
            for array, value in zip(graph.arrays, graph.parameters, strict=True)
        ]
        scalar = graph.backend.make_computation_data_from_scalar(2.0, graph.constant(2.0).type, graph.device)
        (computation,) = graph.backend.compile([graph.lower(total)])
        (inside,) = graph.backend.execute_computation(computation, data, graph.device)
    # Products and sums of a hundred thirds in another order: 100 roundings at most.
    np.testing.assert_allclose(inside.handle.numpy(), expected, rtol=1e-13)
    assert not inside.handle.is_inference() and not inside.handle.requires_grad and not scalar.handle.is_inference()
    graph.backend.execute_computation(computation, [inside, *data[1:]], graph.device)


def test_defaults_of_the_user_do_not_matter_and_stay(graph, total):
    (expected,) = graph.expect(total)
    dtype, deterministic = torch.get_default_dtype(), torch.are_deterministic_algorithms_enabled()
    try:
        torch.set_default_dtype(torch.float16)
        torch.use_deterministic_algorithms(True)
        found = graph.run(total)[0]
        assert torch.get_default_dtype() is torch.float16 and torch.are_deterministic_algorithms_enabled()
    finally:
        torch.set_default_dtype(dtype)
        torch.use_deterministic_algorithms(deterministic)
    np.testing.assert_allclose(found, expected, rtol=1e-13)


def test_torchscripts_switches_are_as_before(graph, total):
    assert torch._C._get_graph_executor_optimize()
    graph.run(total)
    assert torch._C._get_graph_executor_optimize()
    assert torch.is_grad_enabled() and not torch.is_inference_mode_enabled()


@pytest.mark.slow
def test_no_warning_reaches_the_user():
    code = """
import latebind, numpy as np
for compiler in ("eager", "torchscript"):
    with latebind.build_container(backend={"name": "torch", "compiler": compiler, "interpretations": 0}):
        x = latebind.asarray(np.arange(6.0).reshape(2, 3))
        print(float(((x @ x.T) + 1).sum()))
"""
    done = python(code)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "" and len(done.stdout.split()) == 2


def test_warning_filters_stay_as_they_are(graph, total):
    before = list(warnings.filters)
    graph.run(total)
    assert warnings.filters == before


def test_threads_run_computations_at_the_same_time(graph, total):
    graph.donated.clear()
    (computation,) = graph.backend.compile([graph.lower(total)])
    (expected,) = graph.expect(total)
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(50):
                (result,) = graph.backend.execute_computation(computation, graph.data, graph.device)
                np.testing.assert_allclose(result.handle.numpy(), expected, rtol=1e-13)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


# Whole programs


@pytest.fixture(params=["eager", "torchscript"])
def container(request):
    with build_container(backend={"name": "torch", "compiler": request.param}) as made:
        yield made


@pytest.mark.parametrize("rounds", [1, 12])
def test_a_program_gives_numpys_results_interpreted_and_compiled(container, rounds):
    def program(xp, x, w):
        for _ in range(rounds):
            x = xp.tanh(x @ w) + 0.1
            x[0] = x[1] * 2
            x[:, 1] += 1
        return x, xp.sum(x, axis=0), xp.argmax(x, axis=1), xp.sort(x, axis=0)

    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(5, 5)), rng.normal(size=(5, 5))
    with container:
        for _ in range(3):
            found = program(latebind, latebind.asarray(x), latebind.asarray(w))
    # tanh differs by an ulp, and up to 12 rounds of a product multiply that.
    for array, expected in zip(found, program(np, x, w), strict=True):
        np.testing.assert_allclose(np.asarray(array), expected, rtol=1e-10)


def test_loops_of_updates_with_moving_indices(container):
    with container:
        x = latebind.zeros((50, 30), dtype=latebind.float32)
        for step in range(50):
            x[step] = step
            x[step, 3:5] -= 1
        found = np.asarray(x)
    expected = np.repeat(np.arange(50, dtype=np.float32)[:, None], 30, axis=1)
    expected[:, 3:5] -= 1
    np.testing.assert_array_equal(found, expected)


def test_unsigned_hashes_wrap(container):
    def program(xp, x):
        for constant in (2654435769, 40503, 3):
            x = (x ^ (x >> 15)) * xp.asarray(constant, dtype=xp.uint32) + x // 7
        return x % 1000

    x = np.arange(1000, dtype=np.uint32) * np.uint32(4000037)
    with container:
        found = np.asarray(program(latebind, latebind.asarray(x)))
    np.testing.assert_array_equal(found, program(np, x))


def test_inductor_compiles_whole_graphs_only(inductor):
    assert inductor.create_lowering_context("kernel_add", HOST).compiler == "eager"
    assert inductor.interpretations > TorchBackend(TorchSettings(compiler="eager")).interpretations


@pytest.mark.slow
def test_inductor(inductor, make_graph, body):
    graph = make_graph(inductor)
    x, at = graph.parameter(np.linspace(0, 1, 4096), donate=True), graph.parameter(np.int64(5))
    row = graph.expand(graph.op("stablehlo::sine", graph.constant(0.5)), 3)
    updated = graph.op("stablehlo::dynamic_update_slice", x, row, at)
    scattered = graph.op(
        "stablehlo::scatter", updated, graph.parameter(np.array([1, 1, 500, 9999])), graph.parameter(np.arange(4.0)),
        update_window_dims=(), inserted_window_dims=(0,), scatter_dims_to_operand_dims=(0,), index_vector_dim=1,
        update_computation=None,
    )  # fmt: skip
    window = graph.op("stablehlo::dynamic_slice", scattered, at, slice_sizes=(7,))
    integers = graph.parameter(np.array([7, -7, 0, 3], np.int32)), graph.parameter(np.array([2, 0, -1, 5], np.int32))
    divided = graph.op("stablehlo::divide", *integers)
    bits = graph.parameter(np.array([2**32 - 1, 5, 6], np.uint32))
    larger = graph.op("stablehlo::maximum", bits, graph.op("stablehlo::reverse", bits, dimensions=(0,)))
    total = graph.op("stablehlo::reduce", scattered, graph.constant(0.0), dimensions=(0,), body=body("add"))
    # A sum of 4096 in vector order, and sines.
    graph.check(scattered, window, divided, larger, total, rtol=16)


@pytest.mark.slow
def test_inductor_without_a_compiler_is_a_clear_error(inductor, make_graph, tmp_path):
    config = pytest.importorskip("torch._inductor.config")
    with config.patch({"cpp.cxx": (str(tmp_path / "no-such-compiler"),)}):
        graph = make_graph(inductor)
        x = graph.parameter(np.ones(77))
        computation = graph.lower(graph.op("stablehlo::negate", graph.op("stablehlo::sine", x)), name="sines")
        with pytest.raises(CompilationError, match=re.escape("Inductor cannot compile 'sines'")):
            graph.backend.compile([computation])
        with build_container(backend={"name": "torch", "compiler": "inductor", "interpretations": 0}):
            x = latebind.asarray(np.linspace(0, 1, 78))
            # Interpreted instead: one vector sine, good to an ulp.
            np.testing.assert_allclose(np.asarray(-latebind.sin(x)), -np.sin(np.linspace(0, 1, 78)), rtol=1e-15)
