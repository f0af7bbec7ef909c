"""The table at the end."""

from __future__ import annotations

from latebind.testing.conformance.summary import Summary


def operation(group, how="native", cases=10, failures=(), expected=None):
    return {
        "group": group,
        "how": how,
        "cases": cases,
        "failures": dict.fromkeys(failures, "is wrong"),
        "expected": expected or {},
    }


def interface(name, *, failed=False, skipped=False, expected=None):
    return {
        "group": name,
        "failures": {name: ""} if failed else {},
        "expected": expected or {},
        "skipped": skipped,
    }


def text(*found, width=120):
    return "\n".join(Summary.of(found).lines(width))


def test_operation_tells_how_it_runs():
    shown = text(
        operation("stablehlo::add[int8]"),
        operation("stablehlo::add[float32]"),
        operation("chlo::asin[float32]", "decomposition"),
        operation("stablehlo::tan[float32]", "fallback"),
        operation("stablehlo::sort[int8]", "unsupported"),
    )
    for row in (
        "stablehlo::add       20  passed  native",
        "chlo::asin           10  passed  by decomposition",
        "stablehlo::tan       10  passed  by fallback",
        "stablehlo::sort      10  passed  unsupported",
        "4 operations: 1 native, 0 native with gaps, 1 by decomposition, 1 by fallback, 1 unsupported",
    ):
        assert row in shown


def test_gaps_are_listed_by_dtype():
    shown = text(
        operation("stablehlo::sort[int8]"),
        operation("stablehlo::sort[complex64]", "fallback"),
        operation("stablehlo::sort[complex128]", "fallback"),
        operation("stablehlo::sort[float16]", "decomposition"),
    )
    assert "native; by decomposition: float16; by fallback: complex64, complex128" in shown
    assert "0 native, 1 native with gaps" in shown


def test_failures_are_counted_and_named():
    shown = text(operation("stablehlo::add[int8]", failures=["stablehlo::add[int8]-special"]))
    assert "1 FAILED" in shown
    assert "10 cases: 9 right, 0 deviate as declared, 1 failed" in shown
    assert "failed (1):\n  stablehlo::add[int8]-special" in shown


def test_deviations_are_counted_apart():
    shown = text(operation("stablehlo::add[int8]", expected={"stablehlo::add*": [2, 10]}))
    assert "2 deviate as declared" in shown and "FAILED" not in shown


def test_deviation_is_gone_only_if_all_its_cases_pass_in_all_groups():
    still = [
        operation("stablehlo::add[int8]", expected={"*-special": [0, 1]}),
        operation("stablehlo::add[int16]", expected={"*-special": [1, 1]}),
    ]
    assert Summary.of(still).gone == []
    assert Summary.of(still[:1]).gone == ["*-special"]
    assert "'*-special': every case passes now" in text(still[0])


def test_interface_is_counted():
    shown = text(
        interface("interface::one"),
        interface("interface::two", failed=True),
        interface("interface::three", skipped=True),
        interface("interface::four", expected={"interface::four": [1, 1]}),
    )
    assert "interface: 1 passed, 1 failed, 1 deviate as declared, 1 skipped" in shown
    assert "  interface::two" in shown


def test_long_rows_are_wrapped():
    dtypes = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
    found = [operation("stablehlo::sort[bool]"), *(operation(f"stablehlo::sort[{d}]", "fallback") for d in dtypes)]
    _, *rows = list(Summary.of(found).lines(80))[:-4]
    assert len(rows) > 1 and max(map(len, rows)) <= 80
    assert all(row.startswith(" " * 30) for row in rows[1:])
