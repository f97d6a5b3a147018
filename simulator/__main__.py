"""``python -m simulator``: QFPay terminals, its gateway, and a web page for both."""

import argparse
import asyncio
import errno
import json
import os
import signal
import sys
from pathlib import Path

try:
    from aiohttp import web

    from .certificate import server_context
    from .control import Control
    from .gateway.settings import DEFAULT_APP_CODE, DEFAULT_CLIENT_KEY
    from .gateway.station import Gateway
    from .listener import address
    from .settings import DEFAULT_POS_KEY
    from .station import Shop
    from .wire import Cipher
except ImportError as error:
    sys.exit(
        f'The simulator needs the Python package that {error.name} belongs to; '
        'python -m pip install aiohttp cryptography qrcode installs all it needs.'
    )


GATEWAY_PORT = 9400


class CannotListen(Exception):
    """A port cannot be had; the message is for the person who started the simulator."""


def arguments(words=None):
    parser = argparse.ArgumentParser(
        prog='python -m simulator',
        description='A payment terminal and a gateway that behave like QFPay’s, with a web page.',
    )
    parser.add_argument('--host', default='127.0.0.1', help='address to listen on (%(default)s)')
    parser.add_argument(
        '--terminal-port',
        type=port,
        default=9001,
        metavar='PORT',
        help='port of the first terminal, the others follow it; 0 takes free ones (%(default)s)',
    )
    parser.add_argument(
        '--https-port',
        type=port,
        metavar='PORT',
        help='offer each terminal over HTTPS as well, from this port on; 0 takes free ones',
    )
    parser.add_argument(
        '--web-port',
        type=port,
        default=9000,
        metavar='PORT',
        help='port of the web page and the control API; 0 takes a free one (%(default)s)',
    )
    parser.add_argument(
        '--terminals', type=count, default=1, metavar='N', help='how many terminals (%(default)s)'
    )
    parser.add_argument(
        '--pos-key',
        type=pos_key,
        default=DEFAULT_POS_KEY,
        metavar='KEY',
        help='POS-KEY of 16, 24 or 32 characters (the key published in the documentation)',
    )
    parser.add_argument(
        '--gateway-port',
        type=port,
        metavar='PORT',
        help=f'port of the gateway; 0 takes a free one ({GATEWAY_PORT}, or a free one '
        'when the terminal or the page takes one)',
    )
    parser.add_argument(
        '--app-code',
        type=filled,
        default=DEFAULT_APP_CODE,
        metavar='CODE',
        help='the app code that the gateway knows (%(default)s)',
    )
    parser.add_argument(
        '--client-key',
        type=filled,
        default=DEFAULT_CLIENT_KEY,
        metavar='KEY',
        help='the key to that app code (%(default)s)',
    )
    parser.add_argument(
        '--mchid',
        default='',
        metavar='ID',
        help='merchant id that every request must carry; without it none may',
    )
    parser.add_argument(
        '--ready-file',
        type=Path,
        metavar='PATH',
        help='write the addresses there, as JSON, when all ports listen',
    )
    answers = parser.add_mutually_exclusive_group()
    answers.add_argument(
        '--encrypt-answers',
        dest='encrypt',
        action='store_true',
        default=None,
        help='encrypt answers on every port (otherwise: over HTTP only)',
    )
    answers.add_argument(
        '--plain-answers',
        dest='encrypt',
        action='store_false',
        help='answer in the clear on every port',
    )
    options = parser.parse_args(words)
    if options.gateway_port is None:
        fixed = options.web_port and options.terminal_port
        options.gateway_port = GATEWAY_PORT if fixed else 0
    return options


def port(text):
    number = int(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError('a port is a number from 0 to 65535')
    return number


def count(text):
    number = int(text)
    if not 1 <= number <= 200:
        raise argparse.ArgumentTypeError('from 1 to 200 terminals')
    return number


def filled(text):
    if not text:
        raise argparse.ArgumentTypeError('may not be empty')
    return text


def pos_key(text):
    try:
        return Cipher(text).text
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


async def serve(options):
    """Listen until a signal comes."""
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, over.set)
    shop = Shop({'pos_key': options.pos_key, 'encrypt': options.encrypt})
    gateway = Gateway(
        options.host,
        options.gateway_port,
        {
            'app_code': options.app_code,
            'client_key': options.client_key,
            'mchid': options.mchid,
        },
    )
    page = web.AppRunner(
        Control(shop.stations, shop.hub, gateway).app(), access_log=None, shutdown_timeout=0.2
    )
    if options.ready_file:
        options.ready_file.unlink(missing_ok=True)
    try:
        await listen_terminals(shop, options)
        await listen_gateway(gateway, options)
        ready = await listen_page(page, options) | addresses(shop, gateway)
        if options.ready_file:
            write_whole(options.ready_file, json.dumps(ready | {'pid': os.getpid()}, indent=2))
        print_welcome(ready, options)
        await over.wait()
    finally:
        await asyncio.gather(page.cleanup(), shop.close(), gateway.close())
        if options.ready_file:
            options.ready_file.unlink(missing_ok=True)


async def listen_terminals(shop, options):
    context = server_context(options.host) if options.https_port is not None else None
    for number in range(options.terminals):
        plain = options.terminal_port and options.terminal_port + number
        secure = options.https_port and options.https_port + number
        try:
            await shop.add(options.host, plain, secure, context)
        except OSError as error:
            taken = shop.stations[-1].doors[-1]
            option = '--https-port' if taken.scheme == 'https' else '--terminal-port'
            raise CannotListen(reason(error, taken.host, taken.port, option)) from None


async def listen_gateway(gateway, options):
    try:
        await gateway.start()
    except OSError as error:
        raise CannotListen(
            reason(error, options.host, options.gateway_port, '--gateway-port')
        ) from None


async def listen_page(page, options):
    await page.setup()
    try:
        await web.TCPSite(page, options.host, options.web_port).start()
    except OSError as error:
        raise CannotListen(reason(error, options.host, options.web_port, '--web-port')) from None
    return {'web': address('http', options.host, page.addresses[0][1])}


def reason(error, host, number, option):
    """One sentence for a port that cannot be had."""
    if error.errno == errno.EADDRINUSE:
        return (
            f'Port {number} on {host} is in use by another program; '
            f'choose another with {option} (0 takes any free one).'
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return f'Port {number} is reserved for the system; choose one above 1023 with {option}.'
    return f'Cannot listen on {host}, port {number}: {error.strerror or error}.'


def addresses(shop, gateway):
    found = {'terminals': [station.url('http') for station in shop.stations]}
    found['terminal'] = found['terminals'][0]
    found['gateway'] = gateway.door.url
    secure = [station.url('https') for station in shop.stations]
    return found | ({'terminals_https': secure} if secure[0] else {})


def write_whole(path, text):
    """Write a file that a reader sees either not at all or complete."""
    part = path.with_name(f'{path.name}.{os.getpid()}')
    part.write_text(text, encoding='utf-8')
    part.replace(path)


def print_welcome(ready, options):
    for number, url in enumerate(ready['terminals'], 1):
        secure = ready.get('terminals_https')
        print(f'Terminal {number}  {url}' + (f'  {secure[number - 1]}' if secure else ''))
    print(f'POS-KEY     {options.pos_key}')
    print(f'Gateway     {ready["gateway"]}')
    print(f'  app code  {options.app_code}')
    print(f'  key       {options.client_key}')
    if options.mchid:
        print(f'  merchant  {options.mchid}')
    print(f'Screen      {ready["web"]}  (open it in a browser; Ctrl-C here ends)', flush=True)


def main():
    options = arguments()
    try:
        asyncio.run(serve(options))
    except CannotListen as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f'{error.strerror or error}: {error.filename or ""}')


if __name__ == '__main__':
    main()
