"""The playground: a static folder in which pipelang checks, draws and simulates on the page itself.

`page` is what the browser loads, `inside` the Python that runs there beside pipelang, with
stand-ins for two libraries that have no build for it on the registries.
"""
