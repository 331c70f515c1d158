"""The documentation site and the playground: static folders made of what stands in the repository.

`python -m website` builds the site into `build/website/site`, `python -m website.playground` the
playground into `build/playground`. Nothing is written by hand a second time: pages, codes, examples
and the API are read where they stand.
"""
