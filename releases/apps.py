"""Django app of releases."""

from django.apps import AppConfig


class ReleasesConfig(AppConfig):
    """Delivery: the registry and what serves."""

    name = "releases"

    def ready(self) -> None:
        """Say to the panels of `gates`, which knows no traces, how these are sampled and opened."""
        from gates.panels.sampling import register_sampler  # noqa: PLC0415 - rows are known only now
        from gates.panels.texts import register_opener  # noqa: PLC0415 - the same
        from releases.panels import open_texts, sample_traces  # noqa: PLC0415 - the same

        register_sampler(sample_traces)
        register_opener(open_texts)
