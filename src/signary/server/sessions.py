"""Live sessions: a WebSocket each, a shared pool of threads, and only the newest frame between them.

Each session has at most one waiting frame and one job in the pool, so that sessions take turns, lag does not grow, and
a fast client slows down only itself. Threads suffice: MediaPipe and ONNX Runtime release the GIL, so two threads are as
fast as two processes, without copies of pictures.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from pydantic import BaseModel
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from signary.errors import InputError, ModelNotFound, SignaryError
from signary.recognition.recognizer import Recognizer
from signary.server import messages
from signary.server.live import FRAME_BYTES, LANDMARK_BYTES, TIME, LiveReader, Packet
from signary.server.messages import Closed, ErrorMessage, Start, error_message, parse_client
from signary.server.metrics import Metrics
from signary.server.options import ServeOptions

log = logging.getLogger("signary.server")
REASON_BYTES = 120  # of a close; the protocol allows 123


class Closing(Exception):
    """Ends a session, with the ``code`` of the WebSocket's close."""

    def __init__(self, code: int, reason: str, *, hint: str = "") -> None:
        super().__init__(reason)
        self.code, self.reason, self.hint = code, reason, hint


class Sessions:
    """All live sessions of a server; ``readers`` are the models by name."""

    def __init__(self, readers: Mapping[str, Recognizer], options: ServeOptions, metrics: Metrics) -> None:
        self.readers, self.options, self.metrics = readers, options, metrics
        self.pool = ThreadPoolExecutor(options.workers, "signary-live")
        self.open = 0

    async def serve(self, socket: WebSocket) -> None:
        """Serve one client until either side ends the session."""
        await socket.accept()
        if self.open >= self.options.limit:
            self.metrics.refused.inc()
            reason = f"limit of {self.options.limit} sessions reached"
            await self._leave(socket, Closing(messages.REFUSED, reason, hint="try again when one has ended"))
            return
        self.open += 1
        self.metrics.sessions.set(self.open)
        try:
            await Conversation(socket, self).run()
        except WebSocketDisconnect:
            pass
        except Closing as closing:
            await self._leave(socket, closing)
        except Exception as error:
            log.exception("a live session failed")
            await self._leave(socket, Closing(messages.FAILURE, f"failed: {type(error).__name__}"))
        finally:
            self.open -= 1
            self.metrics.sessions.set(self.open)

    def close(self) -> None:
        """Stop the threads."""
        self.pool.shutdown(cancel_futures=True)

    async def _leave(self, socket: WebSocket, closing: Closing) -> None:
        if closing.code != messages.NORMAL:
            self.metrics.errors.labels(str(closing.code)).inc()
        with contextlib.suppress(TimeoutError, RuntimeError, WebSocketDisconnect):
            async with asyncio.timeout(1.0):
                if closing.code == messages.NORMAL:
                    await socket.send_text(Closed(reason=closing.reason).model_dump_json())
                else:
                    said = ErrorMessage(error="Closed", message=closing.reason, hint=closing.hint)
                    await socket.send_text(said.model_dump_json())
                if socket.application_state is WebSocketState.CONNECTED:
                    await socket.close(closing.code, closing.reason.encode()[:REASON_BYTES].decode(errors="ignore"))


class Conversation:
    """One session over an accepted ``socket``: a task that receives, and one that answers."""

    def __init__(self, socket: WebSocket, sessions: Sessions) -> None:
        self.socket, self.sessions, self.metrics = socket, sessions, sessions.metrics
        self._waiting: Packet | None = None
        self._ended, self._closing = False, Closing(messages.NORMAL, "ended")
        self._news = asyncio.Event()
        self._job: asyncio.Future[list[BaseModel]] | None = None

    async def run(self) -> None:
        """Serve until the session ends; always raise `Closing` or WebSocketDisconnect."""
        self.live = self._open(await self._start())
        tasks = []
        try:
            await self._send(self.live.ready())
            tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._answer())]
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self._job:
                await asyncio.wait([self._job])  # the detector may be running
            self.sessions.pool.submit(self.live.close)
        raise self._closing

    async def _start(self) -> Start:
        said = self._parse(await self._receive())
        if not isinstance(said, Start):
            raise Closing(messages.WRONG_MESSAGE, f"{said.type!r} before 'start'")
        return said

    def _open(self, start: Start) -> LiveReader:
        readers = self.sessions.readers
        try:
            if start.model not in readers:
                raise ModelNotFound.named(start.model, readers)
            return LiveReader(readers[start.model], start)
        except SignaryError as error:
            raise Closing(messages.WRONG_MESSAGE, error.message, hint=error.hint) from error

    async def _receive(self) -> str | bytes:
        try:
            async with asyncio.timeout(self.sessions.options.idle_s):
                message = await self.socket.receive()
        except TimeoutError:
            raise Closing(messages.IDLE, f"nothing came for {self.sessions.options.idle_s:g} s") from None
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        data = message.get("bytes")
        return str(message.get("text")) if data is None else bytes(data)

    def _parse(self, said: str | bytes) -> messages.Start | messages.End:
        if isinstance(said, bytes):
            raise Closing(messages.WRONG_DATA, "binary data before 'start'")
        try:
            return parse_client(said)
        except InputError as error:
            raise Closing(messages.WRONG_MESSAGE, error.message, hint=error.hint) from error

    async def _listen(self) -> None:
        """Receive frames until the end; keep the newest. An idle client still gets its open text."""
        while not self._ended:
            try:
                said = await self._receive()
            except Closing as idle:
                self._ended, self._closing = True, idle
                self._news.set()
                return
            if isinstance(said, bytes):
                self._take(said)
            elif isinstance(self._parse(said), Start):
                raise Closing(messages.WRONG_MESSAGE, "'start' twice")
            else:
                self._ended = True
            self._news.set()

    def _take(self, data: bytes) -> None:
        if len(data) > FRAME_BYTES:
            raise Closing(messages.TOO_LARGE, f"frame of {len(data)} bytes, at most {FRAME_BYTES}")
        jpeg = self.live.start.input == "jpeg"
        if len(data) <= TIME.size or not (jpeg or len(data) == LANDMARK_BYTES):
            need = "a time and a JPEG" if jpeg else f"a time and points, {LANDMARK_BYTES}"
            raise Closing(messages.WRONG_DATA, f"frame of {len(data)} bytes, must be {need}")
        self.live.received += 1
        self.metrics.received.inc()
        if self._waiting is not None:
            self.live.dropped += 1
            self.metrics.dropped.inc()
        self._waiting = Packet(data, time.perf_counter())

    async def _answer(self) -> None:
        """Read the newest frame and send its messages, until the end."""
        while not (self._ended and self._waiting is None):
            await self._news.wait()
            self._news.clear()
            while self._waiting is not None:
                packet, self._waiting = self._waiting, None
                await self._read(packet)
        await self._send(*await self._in_pool(self.live.end))

    async def _read(self, packet: Packet) -> None:
        try:
            told = await self._in_pool(lambda: self.live.read(packet))
        except SignaryError as error:
            self.metrics.errors.labels(type(error).__name__).inc()
            await self._send(error_message(error))
            return
        await self._send(*told)
        if told:
            self.metrics.served.inc()
            self.metrics.lag_s.observe(time.perf_counter() - packet.came_s)
        else:
            self.metrics.dropped.inc()

    async def _in_pool(self, work: Callable[[], list[BaseModel]]) -> Sequence[BaseModel]:
        self._job = asyncio.get_running_loop().run_in_executor(self.sessions.pool, work)
        return await asyncio.shield(self._job)

    async def _send(self, *said: BaseModel) -> None:
        try:
            async with asyncio.timeout(self.sessions.options.patience_s):
                for message in said:
                    await self.socket.send_text(message.model_dump_json())
        except TimeoutError:
            raise Closing(messages.REFUSED, "the client does not read") from None
