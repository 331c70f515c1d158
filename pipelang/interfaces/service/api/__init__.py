"""The API of the service: JSON over HTTP, its server-sent events and its OpenAPI document."""
