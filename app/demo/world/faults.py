"""What goes wrong in the browsers of a world: exceptions, warnings, messages."""

from dataclasses import dataclass
from functools import lru_cache

from xxhash import xxh3_64_intdigest

from app.demo.world.text import quote


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to fail, with its frames in the bundle."""

    type: str
    value: str
    frames: tuple[tuple[str, str], ...]  # function, line:column
    context: str = ""  # logfmt


AMOUNT = Fault(
    "TypeError",
    "Cannot read properties of undefined (reading 'amount')",
    (
        ("Ya", "31:4525"),
        ("Ka", "31:4489"),
        ("HTMLButtonElement.<anonymous>", "31:4567"),
    ),
)
PAYMENT_FAILED = Fault(
    "PaymentError",
    "Payment failed with HTTP 500",
    (("HTMLButtonElement.<anonymous>", "32:1308"),),
    " context_step=payment",
)
LOGIN_FAILED = Fault(
    "Error",
    "console.error: login failed 401",
    (
        ("?", "30:2488"),
        ("?", "1:23792"),
        ("ht.notify", "1:23781"),
        ("console.<computed> [as error]", "30:809"),
        ("HTMLFormElement.<anonymous>", "31:7012"),
    ),
)
EVERYWHERE = (
    AMOUNT,
    Fault(
        "Error",
        "console.error: inventory mismatch [object Object]",
        (
            ("?", "30:2485"),
            ("?", "1:23792"),
            ("ht.notify", "1:23781"),
            ("console.<computed> [as error]", "30:809"),
            ("HTMLButtonElement.<anonymous>", "31:6730"),
        ),
    ),
    Fault(
        "UnhandledRejection",
        "Non-Error promise rejection captured with value: timeout",
        (),
    ),
    Fault("TypeError", "Failed to fetch", (("async loadCart", "12:20113"),)),
    Fault(
        "SyntaxError",
        "Unexpected token '<', \"<!DOCTYPE \"... is not valid JSON",
        (("async parse", "4:1190"), ("async hydrate", "4:2210")),
        ' context_cause="body=<!DOCTYPE html>\\n"',
    ),
    Fault(
        "ReferenceError",
        "Can't find variable: gtag",
        (("?", "1:1"),),
    ),
)
MESSAGES = (
    ("info", "recommendations loaded 12", ""),
    ("warn", "deprecated API: window.tealeaf.quickBuy()", ""),
    (
        "info",
        'multi\nline "quoted" k=v \\ back\tslash — naïve ☕ 茶',
        ' context_eq="a=b" context_path=C:\\temp context_weirdkey="a b"',
    ),
    ("error", "price feed is stale", " context_feed=eur"),
    ("debug", "hydrated", ""),
)


@lru_cache(maxsize=1024)
def write_fault(fault: Fault, script: str) -> tuple[str, str]:
    """Write *fault* as (its body in logfmt, its hash).

    The hash is the decimal xxh3-64 of the value. *script* is the URL of the bundle.
    """
    stack = f"{fault.type}: {fault.value}" + "".join(
        f"\n  at {function} ({script}:{place})" for function, place in fault.frames
    )
    body = (
        f"type={quote(fault.type)} value={quote(fault.value)} stacktrace={quote(stack)}"
    )
    return body, str(xxh3_64_intdigest(fault.value.encode()))
