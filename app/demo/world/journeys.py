"""Which journey belongs to which application."""

from collections.abc import Callable

from app.demo.world import apps
from app.demo.world.browsing import Visit
from app.demo.world.docs import read_docs
from app.demo.world.mobile import use_app
from app.demo.world.shop import browse_shop

JOURNEYS: dict[str, Callable[[Visit], None]] = {
    apps.SHOP.name: browse_shop,
    apps.DOCS.name: read_docs,
    apps.MOBILE.name: use_app,
}
