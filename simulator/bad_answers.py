"""Answers that are none: everything a network, a proxy or a broken server puts in their place.

Each is called with the request, the body that should have been answered and the headers that go
with it. What was asked has been done already.
"""

import asyncio
import random

from aiohttp import web

from .listener import cut, is_cut
from .table import Fault

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

# The same, as they are offered among a table's faults.
BAD_ANSWER_FAULTS = {
    'garbage': Fault(
        'answer',
        'Does what was asked, then answers bytes that mean nothing.',
        '執行要求後，回覆毫無意義的位元組。',
    ),
    'html': Fault(
        'answer',
        "Does what was asked; a Wi-Fi login page comes back in the answer's place.",
        '執行要求後，回覆變成 Wi-Fi 登入網頁。',
    ),
    'empty': Fault(
        'answer',
        'Does what was asked, then answers nothing at all, with status 200.',
        '執行要求後，以狀態 200 回覆空白內容。',
    ),
    'truncated': Fault(
        'answer',
        'Does what was asked; the answer breaks off half way.',
        '執行要求後，回覆在中途斷開。',
    ),
    'http_500': Fault(
        'answer',
        'Does what was asked, then answers with HTTP status 500.',
        '執行要求後，以 HTTP 狀態 500 回覆。',
    ),
    'redirect': Fault(
        'answer',
        'Does what was asked, then sends the caller to another address.',
        '執行要求後，將呼叫方轉往另一地址。',
    ),
    'huge': Fault(
        'answer',
        'Does what was asked, then answers with 10 MB.',
        '執行要求後，回覆 10 MB 的內容。',
    ),
    'flood': Fault(
        'answer',
        'Does what was asked; the answer never ends and comes as fast as it can.',
        '執行要求後，以最快速度回覆無盡的內容。',
    ),
    'endless': Fault(
        'answer',
        'Does what was asked; the answer drips one byte at a time, for ever.',
        '執行要求後，逐個位元組回覆，永不結束。',
    ),
    'slow_headers': Fault(
        'answer',
        'Does what was asked; already the HTTP headers drip, for ever.',
        '執行要求後，連 HTTP 標頭也逐個位元組送出，永不結束。',
    ),
}
