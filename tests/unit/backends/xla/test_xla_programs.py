"""Compiling with XLA: text, figures, errors, settings."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

import latebind as lb
from latebind.backends.interface import BackendDevice, Computation
from latebind.backends.registry import default_catalogue
from latebind.backends.xla.backend import XlaBackend
from latebind.backends.xla.mlir import dense
from latebind.backends.xla.settings import XlaSettings
from latebind.errors import BackendUnavailableError, CompilationError
from latebind.ir.types import ELEMENT_NAMES, TensorType

CPU = BackendDevice("cpu")


def make_backend(**settings: object) -> XlaBackend:
    return XlaBackend(XlaSettings(**{"platform": "cpu", "persistent_cache": False, **settings}))


def compiled(backend: XlaBackend) -> Computation:
    """Return `(x + x) * x` on four float32, compiled."""
    builder = backend.ir_builder()
    x = builder.make_parameter(lb_type(4)).value()
    twice = builder.op("stablehlo::add", x, x)
    product = builder.op("stablehlo::multiply", twice, x)
    context = backend.create_lowering_context("graph", CPU)
    context.add_parameter(x, "x")
    context.lower(twice.node)
    context.lower(product.node)
    context.add_result(product)
    (computation,) = backend.compile([context.build()])
    return computation


def lb_type(size: int):
    return TensorType.of((size,), np.dtype(np.float32))


def test_the_text_is_stablehlo_and_once_compiled_xlas_hlo_as_well():
    backend = make_backend()
    computation = compiled(backend)
    text = backend.computation_backend_text(computation)
    assert "stablehlo.add %arg0, %arg0 : tensor<4xf32>" in text
    assert "HloModule" in text and "f32[4]" in text


def test_figures_of_a_program():
    backend = make_backend()
    computation = compiled(backend)
    figures = backend.computation_analysis(computation)
    assert figures["flops"] == 8  # two operations on four elements
    assert figures["argument_bytes"] == figures["output_bytes"] == 16
    report = backend.metric_report()
    assert "programs compiled: 1" in report and "flops, largest live program: 8" in report


def test_the_figures_are_among_the_metrics(container):
    np.asarray(lb.ones((8, 8)) @ lb.ones((8, 8)) + 1)
    metrics = container.metrics()
    assert metrics.counter("Compiled::flops") >= 2 * 8**3  # a product and a sum per element and term
    assert metrics.counter("Compiled::from_disk") == 0


def test_a_module_that_xla_refuses_is_a_compilation_error_with_its_words():
    backend = make_backend()
    computation = compiled(backend)
    computation.program.executable = None
    computation.program.text = computation.program.text.replace("stablehlo.add", "stablehlo.nonsense")
    with pytest.raises(CompilationError, match=r"XLA cannot compile graph: .*nonsense"):
        backend.compile([computation])


def test_a_program_of_another_backend_is_refused():
    backend = make_backend()
    with pytest.raises(CompilationError, match="was not lowered by the XLA backend"):
        backend.compile([Computation("stray", CPU, (), (), ())])


def test_an_unknown_compiler_option_is_refused_at_once():
    with pytest.raises(BackendUnavailableError, match=r"compiler_options .*xla_nonsense"):
        make_backend(compiler_options={"xla_nonsense": 1})


def test_compiler_options_reach_xla():
    assert compiled(make_backend(compiler_options={"xla_backend_optimization_level": 0})).program.executable


def test_a_platform_that_is_not_there_is_named():
    with pytest.raises(BackendUnavailableError, match=r"no platform 'tpu'.*backend.platform"):
        make_backend(platform="tpu")


def test_a_thread_limit_leaves_the_environment_as_it_was():
    before = dict(os.environ)
    backend = make_backend(threads=1)
    assert dict(os.environ) == before
    assert backend._slots[CPU].client is not make_backend()._slots[CPU].client


@pytest.mark.parametrize("dtype", sorted(ELEMENT_NAMES))
@pytest.mark.parametrize("count", [0, 1, 5, 40])
def test_constants_are_exact(container, dtype, count):
    rng = np.random.default_rng(count)
    bits = rng.integers(0, 256, count * np.dtype(dtype).itemsize, dtype=np.uint8)
    value = bits.view(dtype) if dtype != "bool" else bits.astype(bool)
    if value.dtype.kind in "fc" and count:
        value = np.where(np.isfinite(value), value, 1)  # which bits a NaN keeps is not promised
        value.flat[0] = -0.0
    executor = container.executor()
    builder, backend = executor.backend.ir_builder(), executor.backend
    node = builder.make_constant(value)
    context = backend.create_lowering_context("constant", CPU, [node])
    context.add_result(node.value())
    (computation,) = backend.compile([context.build()])
    (data,) = backend.execute_computation(computation, [], CPU)
    assert backend.make_tensor_from_computation_data(data).tobytes() == value.tobytes()


def test_constants_print_briefly():
    assert dense(np.full((1000, 1000), 2.5, np.float32)) == "dense<2.5> : tensor<1000x1000xf32>"
    assert dense(np.array([1e-5, np.inf])) == "dense<[1.0e-05, 0x7FF0000000000000]> : tensor<2xf64>"
    assert dense(np.arange(17, dtype=np.int8)).startswith('dense<"0x000102')


def test_a_uniform_constant_of_any_size_is_a_few_characters():
    backend = make_backend()
    context = backend.create_lowering_context("constants", CPU)
    context.splat(1.5, TensorType.of((1 << 40,), np.dtype(np.float64)))
    assert context.lines == ["  %0 = stablehlo.constant dense<1.5> : tensor<1099511627776xf64>"]


def test_a_thread_limit_does_not_reach_the_users_jax():
    program = (
        "import latebind as lb, jax, jax.numpy as jnp\n"
        "lb.build_container(backend={'name': 'xla', 'threads': 1, 'persistent_cache': False}).backend()\n"
        "text = jax.jit(jnp.sin).lower(jnp.ones(4_000_000)).compile().as_text()\n"
        "print('outer_dimension_partitions' in text)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", program]
    limited = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100)
    free = subprocess.run(
        [*command[:2], program.replace("'threads': 1, ", "")],
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert limited.stdout == free.stdout != "", limited.stderr


def test_a_broken_installation_is_reported_in_the_backends_name(tmp_path):
    (tmp_path / "jax").mkdir()
    (tmp_path / "jax" / "__init__.py").write_text("raise RuntimeError('built for another processor')")
    program = (
        "from latebind.backends.registry import default_catalogue\n"
        "try:\n    default_catalogue().find('xla').load_class()\n"
        "except Exception as error:\n    print(type(error).__name__, error)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("BackendUnavailableError")
    assert "backend 'xla'" in done.stdout and "built for another processor" in done.stdout


def test_the_catalogue_knows_what_installs_it():
    spec = default_catalogue().find("xla")
    assert (spec.extra, spec.requires[0]) == ("xla", "jax")
