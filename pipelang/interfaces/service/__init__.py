"""The service: the interpreter, the inbox, the analysis and the switches behind one door of HTTP.

To read in this order: `principals` and `tokens` (who may), `problems` (what is refused, and how it
is told), `backend` (the protocol of what keeps runs) with `backends`, `deployment` (what is
served), `service` (the acts of people and programs, each with its right; the API, the page and MCP
call them), `sessions` (cookies, CSRF), `api` (JSON over HTTP), `pages` (HTML), `app`.
"""
