"""The applications of a world and the pages that they have."""

from dataclasses import dataclass

from app.demo.world.dice import Choice


@dataclass(frozen=True, slots=True)
class App:
    """One instrumented web application."""

    name: str
    namespace: str  # empty when the application sets none
    host: str
    api: str  # host of its API
    script: str  # name of its bundle
    traced: bool  # web tracing is on: API calls also become faro.tracing events
    titled: bool  # sets page attributes instead of page ids and views


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its path, and what the application tells the SDK about it."""

    path: str
    id: str = ""  # page_id; empty when the application sets none
    view: str = ""  # view_name
    weight: float = 1.0  # factor on load times
    first_view: str = ""  # view_name until the page sets its own, where it does

    def at(self, path: str) -> "Page":
        """Place this page at another path."""
        return Page(path, self.id, self.view, self.weight, self.first_view)


SHOP = App(
    "tealeaf-shop",
    "storefront",
    "shop.example.com",
    "api.example.com",
    "shop",
    traced=True,
    titled=False,
)
DOCS = App(
    "tealeaf-docs",
    "",
    "docs.example.com",
    "docs.example.com",
    "docs",
    traced=False,
    titled=True,
)
MOBILE = App(
    "tealeaf-app",
    "mobile",
    "app.example.com",
    "api.example.com",
    "app",
    traced=True,
    titled=False,
)
APPS = {app.name: app for app in (SHOP, DOCS, MOBILE)}
TRAFFIC = Choice([(62, SHOP), (20, DOCS), (18, MOBILE)])

HOME = Page("/", "/", "home", 1.2)
PRODUCTS = Page("/products", "/products", "products")
PRODUCT = Page("/products/:sku", "/products/:sku", "product", 1.1)
CART = Page("/cart", "/cart", "cart", 0.8)
ADDRESS = Page(
    "/checkout/address", "/checkout/address", "checkout-address", 0.8, "checkout"
)
PAYMENT = Page("/checkout/payment", "/checkout/payment", "checkout-payment")
REVIEW = Page("/checkout/review", "/checkout/review", "checkout-review")
ORDER = Page("/orders/:id", "/orders/:id", "thank-you")
BLOG = Page("/blog/:slug", "/blog/:slug", "blog", 1.4)
SEARCH = Page("/search", "/search", "search")
LOGIN = Page("/account/login", "/account/login", "account", 0.7)
LOGOUT = Page("/account/login", "/account/login", "account-login", 0.7)
PROFILE = Page("/account/profile", "/account/profile", "account-profile")
ORDERS = Page("/account/orders", "/account/orders", "account-orders")
LOST = Page("/pricing-old-missing", "/404", "not-found", 0.6)

SKUS = tuple(
    f"{leaf}-{number:02d}"
    for leaf in ("sencha", "matcha", "assam", "oolong", "pu-erh", "darjeeling")
    for number in range(1, 8)
)
POSTS = ("matcha-guide", "first-flush", "water-temperature", "gong-fu-at-home")
WORDS = ("matcha", "gift set", "crème Earl Grey", "茶", "oolong 100g", "a=b & c")
ARTICLES = (
    "/install",
    "/faq",
    "/changelog",
    "/guides/brewing",
    "/guides/water",
    "/reference/temperatures",
    "/reference/cli",
    "/concepts/oxidation",
)
CAMPAIGNS = Choice(
    [
        (58, ""),
        (12, "?utm_source=google&utm_medium=organic"),
        (10, "?utm_source=newsletter&utm_medium=email&utm_campaign=spring"),
        (8, "?utm_source=google&utm_medium=cpc&utm_campaign=brand&gclid=Cj0KCQ"),
        (6, "?utm_source=instagram&utm_medium=social"),
        (4, "?ref=ig"),
        (2, "?utm_campaign=caf%C3%A9%20cr%C3%A8me"),
    ]
)
