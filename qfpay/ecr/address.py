"""Which hosts and ports can be a terminal's.

A terminal is named by an IP address or a host name and by nothing else: no scheme, no path, no
user, no port glued to it. The names that fail here are the ones that people really paste: the
address from a browser's bar, an address with a digit too many, a space at the end.
"""

import ipaddress
import re

from ..errors import InvalidRequest

_LABEL = re.compile(r'[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?')
_NUMBER = re.compile(r'[0-9]+|0[xX][0-9a-fA-F]*')
_NAME_LENGTH = 253
MAX_PORT = 65535


def checked_host(host: str) -> str:
    """The host as it goes into a URL: an IPv6 address in brackets, anything else as it is.

    Raises InvalidRequest for what is neither an IP address nor a host name.
    """
    if not isinstance(host, str) or not host:
        raise InvalidRequest('The terminal has no host: give its IP address or name.', 'host')
    bare = host[1:-1] if host.startswith('[') and host.endswith(']') else host
    if ':' in bare:
        return f'[{_checked_ipv6(bare)}]'
    labels = host.split('.')
    if _NUMBER.fullmatch(labels[-1]):
        # a name never ends in a number, so this must be an IPv4 address, and in decimal
        return str(_reachable(_checked_ipv4(host)))
    if len(host) > _NAME_LENGTH or not all(_LABEL.fullmatch(label) for label in labels):
        raise InvalidRequest(
            'The host must be an IP address or a name alone, such as 192.168.1.50: no http://, '
            'no port, no path, no spaces.',
            'host',
        )
    return host


def checked_port(port: int) -> int:
    """The port, 1 to 65535. Raises InvalidRequest otherwise."""
    if not isinstance(port, int) or isinstance(port, bool) or not 1 <= port <= MAX_PORT:
        raise InvalidRequest(f'The port must be a whole number from 1 to {MAX_PORT}.', 'port')
    return port


def _checked_ipv4(host: str) -> ipaddress.IPv4Address:
    try:
        return ipaddress.IPv4Address(host)
    except ValueError:
        raise InvalidRequest('This is no IP address, though it looks like one.', 'host') from None


def _checked_ipv6(host: str) -> str:
    try:
        address = ipaddress.IPv6Address(host)
    except ValueError:
        raise InvalidRequest(
            'The host must be an IP address or a name alone: no http://, no port, no path.',
            'host',
        ) from None
    if address.scope_id:
        raise InvalidRequest('The IPv6 address must not name a network interface (%).', 'host')
    return str(_reachable(address))


def _reachable(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    broadcast = address == ipaddress.IPv4Address('255.255.255.255')
    # link-local: a device that got no address from the router; or services of a data centre
    nowhere = address.is_unspecified or address.is_multicast or address.is_link_local
    if nowhere or broadcast:
        raise InvalidRequest('No terminal can have this IP address.', 'host')
    return address
