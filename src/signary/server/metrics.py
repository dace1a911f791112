"""The server's metrics, for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

LAGS_S = (0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5)


class Metrics:
    """Metrics of one server; they contain nothing about users or texts."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self.sessions = Gauge("signary_sessions", "Live sessions open", registry=self._registry)
        self.refused = Counter("signary_sessions_refused", "Live sessions refused", registry=self._registry)
        self.received = Counter("signary_frames_received", "Frames that came in", registry=self._registry)
        self.served = Counter("signary_frames_served", "Frames that were read", registry=self._registry)
        self.dropped = Counter("signary_frames_dropped", "Frames that a newer one replaced", registry=self._registry)
        self.lag_s = Histogram(
            "signary_lag_seconds", "From a frame to its events", registry=self._registry, buckets=LAGS_S
        )
        self.uploads = Counter("signary_uploads", "Files that were read", registry=self._registry)
        self.errors = Counter("signary_errors", "Errors by type", ["type"], registry=self._registry)

    def text(self) -> bytes:
        """Return the metrics in Prometheus' text format."""
        return generate_latest(self._registry)
