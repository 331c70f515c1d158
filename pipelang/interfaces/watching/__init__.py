"""Watching: `watch` lines against what runs did, with alerts once for each cause."""
