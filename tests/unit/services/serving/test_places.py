"""What clients see of a program's source files: paths below its folder, and never the folder."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from latebind.services.serving.places import SourceFolders
from latebind.services.serving.runner import ProgramRunner
from latebind.services.serving.settings import ProgramSettings

FOLDERS = ("/srv/models", "/srv/models/nets of ours", "/app")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('loc("/srv/models/digits.py":7)', 'loc("digits.py":7)'),
        ('loc("/srv/models/deep/er/digits.py":7)', 'loc("deep/er/digits.py":7)'),
        ('loc("/srv/models/nets of ours/digits.py":7)', 'loc("digits.py":7)'),
        (r'n1 [label="tanh\n/srv/models/deep/digits.py:4"];', r'n1 [label="tanh\ndeep/digits.py:4"];'),
        ('loc("/home/somebody/my secrets/digits.py":7)', 'loc("digits.py":7)'),
        (r'n1 [label="tanh\n/home/some body/digits.py:4"];', r'n1 [label="tanh\ndigits.py:4"];'),
        (r'loc("C:\models\digits.py":7)', 'loc("digits.py":7)'),
        ('source_file="/opt/engine/lowering.cc" source_line=3', 'source_file="lowering.cc" source_line=3'),
        ('loc("/srv/app/digits.py":7)', 'loc("digits.py":7)'),
        ("%0 = stablehlo.divide %a, %b // 3 / 4 of a/b", "%0 = stablehlo.divide %a, %b // 3 / 4 of a/b"),
        ('digraph "computation_0" {\n  n0 -> n1 [label="0"];', 'digraph "computation_0" {\n  n0 -> n1 [label="0"];'),
        ("sum_1.reshape((1, 1));  sum_1 = None", "sum_1.reshape((1, 1));  sum_1 = None"),
    ],
)
def test_paths_are_relative_to_the_folder_that_they_are_in_or_names_of_files(text: str, shown: str) -> None:
    assert SourceFolders(FOLDERS).shorten(text) == shown


def test_files_of_installed_packages_are_named_as_they_are_imported() -> None:
    text = f'loc("{np.__file__}":1)'
    assert SourceFolders([]).shorten(text) == 'loc("numpy/__init__.py":1)'


def test_the_root_of_the_file_system_is_no_folder_of_programs() -> None:
    assert SourceFolders(["/"]).shorten('loc("/srv/digits.py":7)') == 'loc("digits.py":7)'


def test_the_graphs_of_a_worker_have_lines_but_no_folders(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "nets").mkdir()
    (tmp_path / "nets" / "tall.py").write_text("import latebind.numpy as np\ndef f(x):\n    return np.tanh(x)\n")
    (tmp_path / "served.py").write_text("from nets.tall import f\ndef run(x):\n    return f(x) * 2.0\n")
    tensor = {"datatype": "FP32", "shape": [4]}
    declared = {
        "program": "served.py:run",
        "inputs": [{"name": "x", **tensor}],
        "outputs": [{"name": "y", **tensor}],
        "settings": {"backend": "numpy"},
    }
    runner = ProgramRunner("served", ProgramSettings.model_validate(declared), tmp_path)
    try:
        runner.warm_up()
        (graph,) = runner.graphs()
    finally:
        runner.close()
    for form in ("ir", "dot"):
        assert "nets/tall.py" in graph[form] and "served.py" in graph[form]
        assert not any(str(folder) in graph[form] for folder in (tmp_path, tmp_path.parent))
    assert '"nets/tall.py":3' in graph["ir"] and '"served.py":3' in graph["ir"]
