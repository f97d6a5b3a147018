"""What the parts of the control API have in common: bodies, long lists, streams of changes."""

import asyncio
import json

from aiohttp import web

from .table import SettingRefused

EVENT_GAP = 0.05
KEEP_ALIVE = 15


async def body_of(request):
    """The JSON object in a request's body."""
    try:
        value = json.loads(await request.text())
    except ValueError:
        raise SettingRefused('the body is no JSON') from None
    if not isinstance(value, dict):
        raise SettingRefused('the body is a JSON object')
    return value


def last_of(request, rows):
    """The last rows, as many as ``?last=`` asks for; all without it."""
    number = request.query.get('last', '')
    return rows[-int(number) :] if number.isdecimal() and int(number) else rows


async def stream(request, hub, state):
    """Answer with a state at once and again after every change (server-sent events).

    :param state: a function without arguments; what it returns is sent as JSON
    """
    response = web.StreamResponse(
        headers={'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store'}
    )
    await response.prepare(request)
    try:
        while True:
            version = hub.version
            await response.write(f'data: {json.dumps(state())}\n\n'.encode())
            await _next_change(hub, version, response)
            # Several changes in a row make one event.
            await asyncio.sleep(EVENT_GAP)
    except ConnectionError:
        return response


async def _next_change(hub, version, response):
    while True:
        try:
            await asyncio.wait_for(hub.after(version), KEEP_ALIVE)
            return
        except asyncio.TimeoutError:
            await response.write(b': still here\n\n')
