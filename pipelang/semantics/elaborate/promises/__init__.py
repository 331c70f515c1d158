"""Promises and their vocabulary: metrics, `slo`, `watch`, `traffic` and claims."""
