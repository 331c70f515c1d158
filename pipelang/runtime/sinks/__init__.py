"""Sinks of events: trace files, the audit log, OpenTelemetry."""
