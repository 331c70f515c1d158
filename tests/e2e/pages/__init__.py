"""The pages of the service: over HTTP as a browser without scripts, and in Chromium."""
