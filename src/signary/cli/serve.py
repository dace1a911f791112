"""``signary serve``."""

from __future__ import annotations

import sys
from typing import Annotated

from cyclopts import Parameter

from signary.cli.app import OK


def serve(
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    models: Annotated[list[str] | None, Parameter(consume_multiple=True, negative="")] = None,
    limit: int = 8,
    token: Annotated[str, Parameter(env_var="SIGNARY_TOKEN", show_default=False)] = "",
    insecure: bool = False,
    name: Annotated[list[str] | None, Parameter(negative="")] = None,
) -> int:
    """Serve the web page: camera or file to live text, on this machine only.

    Parameters
    ----------
    host
        Address to listen on; serving other machines needs --token.
    port
        0 takes a free one.
    models
        Names or paths of the models to serve, the default first; by default all models of the package.
    limit
        Most live sessions at a time.
    token
        Password for visitors; better in the environment than on the command line.
    insecure
        Serve other machines without a token.
    name
        Another host name by which browsers may call this server; may be given several times.
    """
    from signary.server.app import make_app
    from signary.server.options import ServeOptions
    from signary.server.run import listening, make_server

    options = ServeOptions(
        host=host, models=tuple(models or ()), limit=limit, token=token, insecure=insecure, names=tuple(name or ())
    )
    server = make_server(make_app(options), limit)
    with listening(host, port) as listener:
        shown = f"[{host}]" if ":" in host else host
        sys.stdout.write(f"http://{shown}:{listener.getsockname()[1]}/\n")
        sys.stdout.flush()
        try:
            server.run(sockets=[listener])
        except KeyboardInterrupt:
            sys.stderr.write("stopped\n")
    return OK
