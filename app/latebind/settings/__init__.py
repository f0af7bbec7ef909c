"""Settings: what can be configured, and from where it is read."""

from latebind.settings.load import SettingValue, load_settings, settings_with_provenance
from latebind.settings.model import Settings
from latebind.settings.schema import settings_schema

__all__ = ["SettingValue", "Settings", "load_settings", "settings_schema", "settings_with_provenance"]
