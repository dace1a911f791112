"""Photos, videos and cameras at an address: http, https and rtsp, each bounded in time and in whom it may ask."""
