"""How visitors shop: land somewhere, wander, perhaps buy."""

from collections.abc import Callable
from urllib.parse import quote_plus

from app.demo.world import apps
from app.demo.world.apps import Page
from app.demo.world.browsing import Visit
from app.demo.world.dice import Choice
from app.demo.world.faults import LOGIN_FAILED, PAYMENT_FAILED
from app.demo.world.landing import EXIT, MOST_PAGES, land
from app.demo.world.truth import Person

_PAYMENT_FAULT_RATE = 0.05
_SHARED_DEVICE = 0.1
_NEXT: dict[str, Choice[str]] = {
    "home": Choice(
        [(38, EXIT), (38, "products"), (12, "search"), (7, "blog"), (5, "login")]
    ),
    "products": Choice([(20, EXIT), (66, "product"), (8, "search"), (6, "home")]),
    "product": Choice([(33, EXIT), (30, "products"), (22, "product"), (15, "cart")]),
    "search": Choice([(25, EXIT), (65, "product"), (10, "search")]),
    "blog": Choice([(74, EXIT), (16, "product"), (10, "blog")]),
    "cart": Choice([(30, EXIT), (20, "products"), (50, "checkout")]),
    "checkout": Choice([(80, EXIT), (20, "home")]),
    "login": Choice([(25, EXIT), (75, "account")]),
    "account": Choice([(45, EXIT), (55, "products")]),
    "lost": Choice([(85, EXIT), (15, "home")]),
}
_ENTRY = Choice(
    [
        (46, "home"),
        (14, "products"),
        (17, "product"),
        (15, "blog"),
        (3, "search"),
        (3, "login"),
        (1, "lost"),
        (1, "cart"),
    ]
)


def _move(visit: Visit, page: Page) -> None:
    """Change the page without a load, setting its view as the shop does."""
    tab = visit.tab
    before = tab.view or "unknown"
    visit.note_view(page, "")
    data = f" event_data_fromView={before} event_data_toView={page.view}"
    tab.event("view_changed", tab.now, data)


def _home(visit: Visit, query: str) -> None:
    land(visit, apps.HOME, query)
    visit.dwell(14_000)


def _products(visit: Visit, query: str) -> None:
    land(visit, apps.PRODUCTS, query)
    visit.dwell(18_000)


def _search(visit: Visit, query: str) -> None:
    word = visit.dice.one(apps.WORDS)
    del query
    asked = f"?q={quote_plus(word)}"
    land(visit, apps.SEARCH, asked)
    visit.tab.business("search", f" event_data_results={visit.dice.below(40)}")
    visit.tab.flush()
    visit.dwell(9_000)


def _product(visit: Visit, query: str) -> None:
    dice, tab = visit.dice, visit.tab
    sku = dice.one(apps.SKUS)
    land(visit, apps.PRODUCT.at(f"/products/{sku}"), query)
    visit.dwell(22_000)
    roll = dice.random()
    if roll < 0.27:  # noqa: PLR2004
        began_ms = tab.now
        visit.begin("add-to-cart", "#add-to-cart")
        status = 500 if dice.random() < 0.01 * tab.setting.release.faults else 200
        visit.call("POST", "/v1/cart", status)
        price = f"{dice.below(4000) / 100 + 3:.2f}"
        data = f" event_data_currency=EUR event_data_price={price} event_data_sku={sku}"
        tab.business("cart_add", data, "shop")
        visit.end(began_ms)
        visit.dwell(4_000)
    elif roll < 0.31:  # noqa: PLR2004
        tab.business("wishlist_add", f" event_data_sku={sku}")
        tab.flush()
        visit.dwell(2_000)


def _blog(visit: Visit, query: str) -> None:
    land(visit, apps.BLOG.at(f"/blog/{visit.dice.one(apps.POSTS)}"), query)
    visit.dwell(35_000)


def _cart(visit: Visit, query: str) -> None:
    land(visit, apps.CART, query)
    visit.dwell(11_000)


def _lost(visit: Visit, query: str) -> None:
    land(visit, apps.LOST, query, status=404)
    visit.dwell(4_000)


def _login(visit: Visit, query: str) -> None:
    land(visit, apps.LOGIN, query)
    visit.dwell(8_000)
    dice, tab = visit.dice, visit.tab
    while dice.random() < 0.16:  # noqa: PLR2004  a wrong password, and again
        began_ms = tab.now
        visit.begin("login", "#login")
        visit.call("POST", "/v1/login", 401)
        tab.fail(LOGIN_FAILED)
        visit.end(began_ms)
        visit.dwell(4_000)
    began_ms = tab.now
    visit.begin("login", "#login")
    visit.call("POST", "/v1/login", then=lambda: _enter(visit))
    visit.end(began_ms)
    visit.dwell(6_000)
    if dice.random() < _SHARED_DEVICE:
        _hand_over(visit)


def _enter(visit: Visit) -> None:
    """Be let in: from the login page to the profile."""
    sign_in(visit)
    # The first change of what is sent along also tells the view that was there.
    data = " event_data_fromView=unknown event_data_toView=account"
    visit.tab.event("view_changed", visit.tab.now, data)
    visit.tab.business("login", " event_data_method=password")
    _move(visit, apps.PROFILE)


def _hand_over(visit: Visit) -> None:
    """Let someone else log in on the same page, without a logout before."""
    tab = visit.tab
    other = Person(f"u-{90_000 + tab.setting.visitor.number}", "", "someone else")
    began_ms = tab.now
    visit.begin("login", "#login")
    visit.call("POST", "/v1/login", then=lambda: tab.identify(other))
    tab.business("login", " event_data_method=password")
    visit.end(began_ms)
    visit.dwell(6_000)


def sign_in(visit: Visit) -> None:
    """Identify the visitor; who has no account yet gets one."""
    visitor = visit.tab.setting.visitor
    fresh = Person(f"u-{10_000 + visitor.number}", "", f"guest {visitor.number}")
    visit.tab.identify(visitor.person or fresh)


def _account(visit: Visit, query: str) -> None:
    del query
    _move(visit, apps.ORDERS)
    visit.call("GET", "/v1/orders?page=1")
    visit.tab.flush()
    visit.dwell(9_000)
    if visit.dice.random() < 0.15:  # noqa: PLR2004
        visit.tab.business("logout")
        visit.reset()
        _move(visit, apps.LOGOUT)
        visit.tab.flush()
        visit.dwell(3_000)


def _checkout(visit: Visit, query: str) -> None:
    del query
    land(visit, apps.ADDRESS)
    visit.dwell(24_000)
    if visit.dice.random() < 0.2:  # noqa: PLR2004
        return
    _step(visit, "checkout-continue", apps.PAYMENT, 1, "/v1/tax?country=DE")
    visit.dwell(16_000)
    if visit.dice.random() < 0.12 or not _pay(visit):  # noqa: PLR2004
        return
    _order(visit)


def _step(visit: Visit, name: str, page: Page, index: int, path: str) -> None:
    tab = visit.tab
    began_ms = tab.now
    visit.begin(name, "#to-payment")
    visit.call("GET", path, then=lambda: _move(visit, page))
    step = page.view.partition("-")[2]
    seconds = f"{8 + visit.dice.below(40)}.5"
    tab.measure(
        "checkout-step",
        tab.now,
        f"step_duration={seconds}00000 step_index={index}.000000",
        f" context_step={step}",
        f"value_step_duration={seconds} value_step_index={index}",
    )
    visit.end(began_ms)


def _pay(visit: Visit) -> bool:
    """Try to pay, again where it fails; whether it worked."""
    dice, tab = visit.dice, visit.tab
    rate = min(0.6, _PAYMENT_FAULT_RATE * tab.setting.release.faults)
    for _ in range(3):
        began_ms = tab.now
        visit.begin("checkout-pay", "#pay")
        if dice.random() >= rate:
            visit.call(
                "POST", "/v1/payments", 200, 320, then=lambda: _move(visit, apps.REVIEW)
            )
            visit.end(began_ms)
            return True
        visit.call("POST", "/v1/payments", 500, 900)
        tab.fail(PAYMENT_FAILED)
        tab.business("payment_failed", " event_data_status=500")
        visit.end(began_ms)
        visit.dwell(7_000)
        if dice.random() < 0.35:  # noqa: PLR2004
            return False
    return False


def _order(visit: Visit) -> None:
    dice, tab = visit.dice, visit.tab
    visit.dwell(8_000)
    began_ms = tab.now
    visit.begin("place-order", "#place-order")
    visit.call("POST", "/v1/orders", 200, 240)
    number = 100_000 + dice.below(900_000)
    total = f"{dice.spread(42, 0.5):.2f}"
    data = (
        f" event_data_currency=EUR event_data_order_id={number}"
        f" event_data_total={total}"
    )
    tab.business("purchase", data, "shop")
    visit.end(began_ms)
    land(visit, apps.ORDER.at(f"/orders/{number}"))
    visit.dwell(9_000)


_PLACES: dict[str, Callable[[Visit, str], None]] = {
    "home": _home,
    "products": _products,
    "product": _product,
    "search": _search,
    "blog": _blog,
    "cart": _cart,
    "checkout": _checkout,
    "login": _login,
    "account": _account,
    "lost": _lost,
}


def browse_shop(visit: Visit) -> None:
    """Shop: land somewhere, wander, perhaps buy."""
    query = apps.CAMPAIGNS.draw(visit.dice)
    place = _ENTRY.draw(visit.dice)
    for _ in range(MOST_PAGES):
        _PLACES[place](visit, query)
        query = ""
        place = _NEXT[place].draw(visit.dice)
        if place == EXIT or visit.is_tired:
            break
