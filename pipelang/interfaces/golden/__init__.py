"""Golden sets: inputs with what is expected of them, run again and compared between versions."""
