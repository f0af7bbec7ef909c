"""Operation kinds: interned, namespaced names."""

from __future__ import annotations

from typing import ClassVar, final


@final
class OpKind:
    """Interned, namespaced name of an operation, such as `stablehlo::add`; compares and hashes by identity."""

    __slots__ = ("name", "namespace", "qualified")

    namespace: str
    name: str
    qualified: str

    _interned: ClassVar[dict[str, OpKind]] = {}

    @classmethod
    def get(cls, qualified: str) -> OpKind:
        """Return the kind of this qualified name (`namespace::name`).

        Raises
        ------
        ValueError
            If the name has no namespace.
        """
        found = cls._interned.get(qualified)
        if found is not None:
            return found
        namespace, separator, name = qualified.partition("::")
        if not (namespace and separator and name):
            raise ValueError(f"operation kind {qualified!r} must have the form 'namespace::name'")
        made = object.__new__(cls)
        made.namespace, made.name, made.qualified = namespace, name, qualified
        return cls._interned.setdefault(qualified, made)

    def __repr__(self) -> str:
        return self.qualified

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return OpKind.get, (self.qualified,)
