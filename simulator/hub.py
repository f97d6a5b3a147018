"""Tells whoever watches that something on a screen has changed."""

import asyncio


class Hub:
    """A counter of changes that can be waited for."""

    def __init__(self):
        self.version = 0
        self._changed = asyncio.Event()

    def changed(self):
        self.version += 1
        self._changed.set()
        self._changed = asyncio.Event()

    async def after(self, version):
        """Wait until the counter is past ``version``; the new count is returned."""
        while self.version <= version:
            await self._changed.wait()
        return self.version
