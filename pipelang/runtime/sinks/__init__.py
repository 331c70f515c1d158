"""Where events go: trace files, the audit log, OpenTelemetry."""
