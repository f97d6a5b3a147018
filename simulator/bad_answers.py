"""Answers that are none: everything a network, a proxy or a broken server puts in their place.

Each is called with the request, the body that should have been answered and the headers that go
with it. What was asked has been done already.
"""

import asyncio
import random

from aiohttp import web

from .listener import cut, is_cut

HUGE = 10 * 1024 * 1024
DRIP = 0.1
LOGIN_PAGE = (
    b'<!DOCTYPE html><html><head><title>Free Wi-Fi</title></head>'
    b'<body><h1>Please accept our terms</h1></body></html>'
)
BEGINNING = b'{"respcd":"6000","respmsg":"'


async def silent(request, body=b'', headers=None):
    """Close the connection without a word."""
    cut(request)
    return web.Response()


async def hold(request, body=b'', headers=None):
    """Say nothing for as long as the caller cares to wait."""
    while not is_cut(request):
        await asyncio.sleep(DRIP)
    return web.Response()


async def garbage(request, body, headers):
    return good(random.randbytes(300) + b'\xff', headers)


async def html(request, body, headers):
    return web.Response(body=LOGIN_PAGE, content_type='text/html', headers=headers)


async def empty(request, body, headers):
    return good(b'', headers)


async def truncated(request, body, headers):
    head = f'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}'
    lines = [head, *(f'{name}: {value}' for name, value in headers.items())]
    request.transport.write('\r\n'.join(lines).encode() + b'\r\n\r\n' + body[: len(body) // 2])
    cut(request)
    return web.Response()


async def http_500(request, body, headers):
    return web.Response(status=500, text='internal error', headers=headers)


async def redirect(request, body, headers):
    place = f'{request.scheme}://{request.host}/elsewhere'
    return web.Response(status=302, headers=headers | {'Location': place})


async def huge(request, body, headers):
    return good(BEGINNING + b'a' * HUGE + b'"}', headers)


async def flood(request, body, headers):
    return await _stream(request, headers, b'a' * 65536, 0)


async def endless(request, body, headers):
    return await _stream(request, headers, b'a', DRIP)


async def slow_headers(request, body, headers):
    request.transport.write(b'HTTP/1.1 200 OK\r\nX-Slow: ')
    while not is_cut(request):
        request.transport.write(b'a')
        await asyncio.sleep(DRIP)
    return web.Response()


async def _stream(request, headers, piece, pause):
    response = web.StreamResponse(headers=headers | {'Content-Type': 'application/json'})
    try:
        await response.prepare(request)
        await response.write(BEGINNING)
        while True:
            await response.write(piece)
            await asyncio.sleep(pause)
    except ConnectionError:
        return response


def good(body, headers):
    """The answer as it should be."""
    return web.Response(body=body, content_type='application/json', headers=headers)


BAD_ANSWERS = {
    'garbage': garbage,
    'html': html,
    'empty': empty,
    'truncated': truncated,
    'http_500': http_500,
    'redirect': redirect,
    'huge': huge,
    'flood': flood,
    'endless': endless,
    'slow_headers': slow_headers,
}
