"""The report on observed runs: tables, as text and as the dashboard's page."""
