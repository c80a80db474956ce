"""The browsers of a world, with realistic shares and user agents."""

from dataclasses import dataclass

from app.demo.world.dice import Choice, Dice


@dataclass(frozen=True, slots=True)
class Browser:
    """What a visitor browses with, in the SDK's words."""

    name: str
    version: str
    os: str  # browser_os
    mobile: bool
    device: str  # desktop, mobile, tablet
    agent: str
    width: int
    height: int
    brands: tuple[tuple[str, str], ...]  # empty where the engine has none
    os_name: str
    os_version: str


_KIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
_WIN = "Windows NT 10.0; Win64; x64"
_MAC = "Macintosh; Intel Mac OS X 10_15_7"
_APPLE = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
_GREASE = ("Not_A Brand", "99")
_DESKTOPS = ((1440, 900), (1920, 1080), (1536, 864), (1366, 768), (2560, 1440))
_PHONES = ((390, 844), (412, 915), (360, 800), (393, 852), (430, 932))


def _chromium(brand: str, version: int) -> tuple[tuple[str, str], ...]:
    return (("Chromium", str(version)), (brand, str(version)), _GREASE)


def _chrome(dice: Dice, system: str, os: str, name: str, os_version: str) -> Browser:
    v = dice.one((142, 142, 142, 141, 141, 140))
    agent = f"Mozilla/5.0 ({system}) {_KIT} Chrome/{v}.0.0.0 Safari/537.36"
    w, h = dice.one(_DESKTOPS)
    brands = _chromium("Google Chrome", v)
    return Browser(
        "Chrome",
        f"{v}.0.0.0",
        os,
        mobile=False,
        device="desktop",
        agent=agent,
        width=w,
        height=h,
        brands=brands,
        os_name=name,
        os_version=os_version,
    )


def _chrome_windows(dice: Dice) -> Browser:
    return _chrome(dice, _WIN, "Windows 10", "Windows", "10")


def _chrome_mac(dice: Dice) -> Browser:
    return _chrome(dice, _MAC, "Mac OS 10.15.7", "Mac OS", "10.15.7")


def _chrome_linux(dice: Dice) -> Browser:
    return _chrome(dice, "X11; Linux x86_64", "Linux unknown", "Linux", "")


def _chrome_android(dice: Dice) -> Browser:
    v = dice.one((142, 142, 141, 140))
    w, h = dice.one(_PHONES)
    return Browser(
        "Chrome",
        f"{v}.0.0.0",
        "Android 10",
        mobile=True,
        device="mobile",
        agent=f"Mozilla/5.0 (Linux; Android 10; K) {_KIT} "
        f"Chrome/{v}.0.0.0 Mobile Safari/537.36",
        width=w,
        height=h,
        brands=_chromium("Google Chrome", v),
        os_name="Android",
        os_version="10",
    )


def _edge(dice: Dice) -> Browser:
    v = dice.one((142, 141, 141))
    w, h = dice.one(_DESKTOPS)
    return Browser(
        "Edge",
        f"{v}.0.0.0",
        "Windows 10",
        mobile=False,
        device="desktop",
        agent=f"Mozilla/5.0 ({_WIN}) {_KIT} Chrome/{v}.0.0.0 "
        f"Safari/537.36 Edg/{v}.0.0.0",
        width=w,
        height=h,
        brands=_chromium("Microsoft Edge", v),
        os_name="Windows",
        os_version="10",
    )


def _firefox(dice: Dice) -> Browser:
    v = dice.one((145, 145, 144, 140))
    w, h = dice.one(_DESKTOPS)
    system, os, name, version = dice.one(
        (
            (_WIN, "Windows 10", "Windows", "10"),
            ("X11; Ubuntu; Linux x86_64", "Ubuntu unknown", "Ubuntu", ""),
        )
    )
    return Browser(
        "Firefox",
        f"{v}.0",
        os,
        mobile=False,
        device="desktop",
        agent=f"Mozilla/5.0 ({system}; rv:{v}.0) Gecko/20100101 Firefox/{v}.0",
        width=w,
        height=h,
        brands=(),
        os_name=name,
        os_version=version,
    )


def _safari(dice: Dice) -> Browser:
    v = dice.one(("18.6", "18.6", "26.0", "17.5"))
    return Browser(
        "Safari",
        v,
        "Mac OS 10.15.7",
        mobile=False,
        device="desktop",
        agent=f"Mozilla/5.0 ({_MAC}) {_APPLE} Version/{v} Safari/605.1.15",
        width=1440,
        height=900,
        brands=(),
        os_name="Mac OS",
        os_version="10.15.7",
    )


def _ios(dice: Dice, device: str, v: str) -> Browser:
    tablet = device == "iPad"
    w, h = (820, 1180) if tablet else dice.one(_PHONES)
    system = "CPU OS" if tablet else "CPU iPhone OS"
    return Browser(
        "Mobile Safari",
        v,
        f"iOS {v}",
        mobile=True,
        device="tablet" if tablet else "mobile",
        agent=f"Mozilla/5.0 ({device}; {system} {v.replace('.', '_')} like Mac OS X) "
        f"{_APPLE} Version/{v} Mobile/15E148 Safari/604.1",
        width=w,
        height=h,
        brands=(),
        os_name="iOS",
        os_version=v,
    )


def _iphone(dice: Dice) -> Browser:
    return _ios(dice, "iPhone", dice.one(("18.6", "18.6", "26.0", "17.5")))


def _ipad(dice: Dice) -> Browser:
    return _ios(dice, "iPad", dice.one(("17.5", "18.6")))


def _opera(dice: Dice) -> Browser:
    w, h = dice.one(_DESKTOPS)
    return Browser(
        "Opera",
        "124.0.0.0",
        "Windows 10",
        mobile=False,
        device="desktop",
        agent=f"Mozilla/5.0 ({_WIN}) {_KIT} Chrome/140.0.0.0 "
        "Safari/537.36 OPR/124.0.0.0",
        width=w,
        height=h,
        brands=(("Chromium", "140"), ("Opera", "124"), _GREASE),
        os_name="Windows",
        os_version="10",
    )


AT_DESK = Choice(
    [
        (30, _chrome_windows),
        (9, _chrome_mac),
        (3, _chrome_linux),
        (7, _edge),
        (5, _firefox),
        (8, _safari),
        (1, _opera),
        (19, _chrome_android),
        (15, _iphone),
        (3, _ipad),
    ]
)
ON_THE_MOVE = Choice(
    [(52, _chrome_android), (42, _iphone), (5, _ipad), (1, _chrome_windows)]
)
