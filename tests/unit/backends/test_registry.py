"""The catalogue: what is known, what is missing, and who is to blame for what is broken."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint

import pytest

from latebind.backends import registry
from latebind.backends.registry import BUILT_IN, BackendCatalogue, BackendSpec, default_catalogue
from latebind.backends.settings import BackendSettings
from latebind.errors import BackendUnavailableError, SettingsError

MODULE = """
from pydantic import BaseModel
from latebind.backends.numpy.backend import NumpyBackend
from latebind.backends.settings import BackendSettings, backend_part

class Options(BaseModel):
    tile: int = 8

class Tiled(NumpyBackend):
    settings_model = Options

class Plain(NumpyBackend):
    pass

class Wrong(NumpyBackend):
    settings_model = dict

class Refusing(Plain):
    def __init__(self, settings):
        raise OSError("no licence server")

class PairSettings(BackendSettings):
    left: BackendSettings = backend_part("auto", description="The one.")
    right: BackendSettings = backend_part("third_party:Plain", description="The other.")

class Pair(NumpyBackend):
    settings_model = PairSettings

    def __init__(self, settings, *, left, right):
        super().__init__(settings)
        self.left, self.right = left, right

class EndlessSettings(BackendSettings):
    inner: BackendSettings = backend_part("third_party:Endless", description="Itself.")

class Endless(NumpyBackend):
    settings_model = EndlessSettings

class NoBackend:
    pass
"""


@pytest.fixture
def third_party(tmp_path, monkeypatch):
    """A module of somebody else's with backends in it."""
    (tmp_path / "third_party.py").write_text(MODULE)
    (tmp_path / "broken_party.py").write_text("raise RuntimeError('no licence')")
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("third_party", "broken_party"):
        monkeypatch.delitem(sys.modules, name, raising=False)


@pytest.fixture
def entry_points(monkeypatch):
    """Install entry points, and take the cached catalogue away."""

    def install(**values):
        found = [EntryPoint(name, value, registry.ENTRY_POINT_GROUP) for name, value in values.items()]
        monkeypatch.setattr(registry, "entry_points", lambda group: [each for each in found if each.group == group])
        default_catalogue.cache_clear()

    yield install
    monkeypatch.undo()
    default_catalogue.cache_clear()


def test_numpy_is_built_in_and_can_be_made():
    spec = default_catalogue().find("numpy")
    assert spec.missing == ()
    backend = spec.build()
    assert backend.name == "numpy"
    assert [str(device) for device in backend.backend_devices()] == ["cpu:0"]


def test_an_unknown_name_gets_the_nearest_one():
    with pytest.raises(
        SettingsError, match=r"^unknown backend 'nunpy'; did you mean 'numpy'\? \(known are auto, numpy"
    ):
        BackendCatalogue(BUILT_IN).find("nunpy")


def test_a_missing_engine_names_the_extra():
    spec = BackendSpec("xla", "", "latebind.backends.xla:XlaBackend", requires=("no_such_jax",), extra="xla")
    with pytest.raises(
        BackendUnavailableError,
        match=r"^backend 'xla' needs no_such_jax, which is not installed: pip install 'latebind\[xla\]'$",
    ):
        spec.load_class()


def test_a_missing_engine_of_a_third_party_names_the_modules():
    spec = BackendSpec("own", "", "third_party:Tiled", requires=("no_such_a", "no_such_b"))
    with pytest.raises(
        BackendUnavailableError, match="needs no_such_a, no_such_b, which are not installed: pip install"
    ):
        spec.check_installed()


def test_an_entry_point_becomes_a_backend_with_its_own_options(third_party, entry_points):
    entry_points(tiled="third_party:Tiled")
    spec = default_catalogue().find("tiled")
    assert "third_party" not in sys.modules, "listing must not import"
    model = spec.load_settings_model()
    assert issubclass(model, BackendSettings)
    assert model.model_validate({"tile": 3}).model_dump() == {"name": "tiled", "tile": 3, "threads": None}
    with pytest.raises(ValueError, match="Input should be 'tiled'"):
        model.model_validate({"name": "other"})
    assert spec.build(model.model_validate({"tile": 3})).settings.tile == 3


def test_a_backend_without_a_model_takes_any_option(third_party):
    model = BackendCatalogue([]).find("third_party:Plain").load_settings_model()
    assert model.model_validate({"anything": [1]}).anything == [1]


def test_a_backend_that_cannot_start_is_blamed_by_name(third_party):
    with pytest.raises(BackendUnavailableError, match="cannot be started: OSError: no licence server"):
        BackendCatalogue([]).find("third_party:Refusing").build()


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("broken_party:Tiled", "cannot be loaded from broken_party:Tiled: RuntimeError: no licence"),
        ("third_party:Missing", "cannot be loaded from third_party:Missing: AttributeError: "),
        ("no_such_party:Tiled", "cannot be loaded from no_such_party:Tiled: ModuleNotFoundError: "),
        ("third_party:NoBackend", "has to be a subclass of latebind.backends.interface.Backend"),
        ("third_party:Wrong", "its settings model is <class 'dict'>, but has to be a subclass of"),
    ],
)
@pytest.mark.parametrize("by_entry_point", [True, False])
def test_a_broken_third_party_is_blamed_by_name(third_party, entry_points, path, message, by_entry_point):
    name = "theirs" if by_entry_point else path
    entry_points(**({"theirs": path} if by_entry_point else {}))
    with pytest.raises(BackendUnavailableError) as caught:
        default_catalogue().find(name).load_settings_model()
    source = "entry point of an unnamed package" if by_entry_point else "dotted path"
    assert str(caught.value).startswith(f"backend {name!r} ({source})")
    assert message in str(caught.value)


def test_latebinds_own_names_cannot_be_taken(third_party, entry_points):
    entry_points(numpy="third_party:Tiled")
    assert default_catalogue().find("numpy").source == "built in"


def test_auto_takes_the_installed_backend_of_the_highest_priority():
    def spec(name: str, priority: int | None, *requires: str) -> BackendSpec:
        return BackendSpec(name, "", "no.such:Class", requires=requires, priority=priority)

    catalogue = BackendCatalogue(
        [spec("low", 0), spec("missing", 9, "no_such_engine"), spec("high", 5, "json"), spec("never", None)]
    )
    assert catalogue.choose().name == "high"
    with pytest.raises(BackendUnavailableError, match="none of missing, never is installed"):
        BackendCatalogue([spec("missing", 9, "no_such_engine"), spec("never", None)]).choose()


@pytest.fixture
def catalogue():
    """A catalogue where `auto` is numpy."""
    return BackendCatalogue([spec for spec in BUILT_IN if spec.name == "numpy"])


def test_parts_are_built_first_and_handed_to_the_constructor(third_party, catalogue):
    pair = catalogue.find("third_party:Pair").build(None, catalogue)
    assert (type(pair.left).__name__, type(pair.right).__name__) == ("NumpyBackend", "Plain")


def test_parts_that_are_composed_themselves_are_built_with_their_own_options(third_party, catalogue):
    spec = catalogue.find("third_party:Pair")
    model = spec.load_settings_model()
    numpy = catalogue.find("numpy").load_settings_model()
    inner = model.model_construct(name=spec.name, left=numpy.model_validate({"devices": 2}), right=numpy())
    pair = spec.build(model.model_construct(name=spec.name, left=inner, right=numpy()), catalogue)
    assert [len(part.backend_devices()) for part in (pair.left.left, pair.left.right, pair.right)] == [2, 1, 1]


def test_parts_are_shut_down_when_the_whole_cannot_be_built(third_party, catalogue, monkeypatch):
    from latebind.backends.numpy.backend import NumpyBackend

    closed = []
    monkeypatch.setattr(NumpyBackend, "prepare_to_exit", lambda self: closed.append(type(self).__name__))
    spec = catalogue.find("third_party:Pair")
    broken = spec.load_settings_model().model_construct(
        name=spec.name, left=BackendSettings(name="numpy"), right=BackendSettings(name="third_party:Refusing")
    )
    with pytest.raises(BackendUnavailableError, match=r"third_party:Refusing.* no licence server"):
        spec.build(broken, catalogue)
    assert closed == ["NumpyBackend"]


def test_a_backend_that_is_by_default_a_part_of_itself_is_refused(third_party, catalogue):
    with pytest.raises(SettingsError, match="is by default a part of itself, without end"):
        catalogue.find("third_party:Endless").build(None, catalogue)


def test_auto_leaves_out_what_it_would_be_a_part_of():
    specs = [BackendSpec(name, "", "no.such:Class", priority=priority) for priority, name in enumerate("abc")]
    assert BackendCatalogue(specs).choose().name == "c"
    assert BackendCatalogue(specs).choose({"c", "b"}).name == "a"


def test_auto_takes_the_tiers_where_their_compiler_is_installed(monkeypatch):
    monkeypatch.setattr(registry, "_is_installed", lambda module: module != "torch")
    catalogue = BackendCatalogue(BUILT_IN)
    assert catalogue.choose().name == "tiered"
    assert catalogue.choose(without=["tiered"]).name == "xla"
    assert catalogue.choose(without=["shadow"]).name == "xla"
    monkeypatch.setattr(registry, "_is_installed", lambda module: module not in ("jax", "jaxlib"))
    assert BackendCatalogue(BUILT_IN).choose().name == "torch"
    monkeypatch.setattr(registry, "_is_installed", lambda module: module == "numpy")
    assert BackendCatalogue(BUILT_IN).choose().name == "numpy"


def test_what_a_backend_says_of_its_engine_is_not_wrapped(entry_points, tmp_path, monkeypatch):
    lines = ("from latebind import errors", "raise errors.BackendUnavailableError(\"backend 'theirs': no GPU\")")
    (tmp_path / "party_without_gpu.py").write_text("\n".join(lines))
    monkeypatch.syspath_prepend(tmp_path)
    entry_points(theirs="party_without_gpu:Backend")
    with pytest.raises(BackendUnavailableError, match=r"^backend 'theirs': no GPU$"):
        default_catalogue().find("theirs").load_class()
