"""Pages of the service, for people: server-rendered HTML. Routes are listed by `page_routes`."""
