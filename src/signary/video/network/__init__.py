"""Photos, videos and cameras over http, https and rtsp: each with timeouts, and limited to one server."""
