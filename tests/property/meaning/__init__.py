"""One meaning: check, analysis, graph, PRISM export and interpreter on the same pipelines."""
