"""Who we are to QFPay, and where QFPay is."""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from ..errors import InvalidRequest
from .signature import ClientKey, SignType

_APP_CODE = re.compile(r'[A-Za-z0-9_-]{1,64}')
_MERCHANT_ID = re.compile(r'[A-Za-z0-9_-]{1,16}')
_HOST = re.compile(r'(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?')


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A merchant's account (the protocol, B1).

    `base_url`: an address of ENVIRONMENTS or another one that `checked_base_url` accepts.
    `merchant_id`: goes into every request when there is one, into none when there is none.
    `ca_file`: path of certificates to trust instead of the public ones, for an address of one's
    own. Whatever cannot be right raises InvalidRequest.
    """

    base_url: str
    app_code: str
    client_key: ClientKey
    merchant_id: str | None = None
    sign_type: SignType = SignType.SHA256
    ca_file: str | None = None

    def __post_init__(self) -> None:
        checked_base_url(self.base_url)
        if not isinstance(self.app_code, str) or not _APP_CODE.fullmatch(self.app_code):
            raise InvalidRequest('The app code must be letters and digits.', 'app_code')
        if self.merchant_id is not None and (
            not isinstance(self.merchant_id, str) or not _MERCHANT_ID.fullmatch(self.merchant_id)
        ):
            raise InvalidRequest('The merchant id is 1 to 16 letters and digits.', 'merchant_id')

    @property
    def is_private(self) -> bool:
        """Whether TLS makes sure that it is QFPay who answers."""
        return self.base_url.startswith('https://')


def checked_base_url(text: str) -> str:
    """An address such as https://openapi-hk.qfapi.com as it is, without a slash at its end.

    Raises InvalidRequest (field 'base_url') for anything but scheme, host and port.
    """
    wrong = InvalidRequest(
        'The address must be https:// or http://, a host and perhaps a port, nothing else.',
        'base_url',
    )
    if not isinstance(text, str) or not text.isascii() or not text.isprintable():
        raise wrong
    base = text.removesuffix('/')
    try:
        parts = urlsplit(base)
        host, port = parts.hostname or '', parts.port
        if ':' in host:
            ipaddress.IPv6Address(host)
        elif not _HOST.fullmatch(host):
            raise wrong
    except ValueError:
        # InvalidRequest is a ValueError too
        raise wrong from None
    name = f'[{host}]' if ':' in host else host
    plain = f'{parts.scheme}://{name}' + ('' if port is None else f':{port}')
    if parts.scheme not in ('https', 'http') or plain != base.lower() or port == 0:
        raise wrong
    return base
