"""Write web vitals as the SDK measures them: noisy floats, parts, ratings."""

from app.demo.world.dice import Dice

_ORIGIN = 524_288.0  # performance.now() after some minutes: where the noise comes from
_KEEP = 200_000
_LIMITS = {
    "ttfb": (800.0, 1800.0),
    "fcp": (1800.0, 3000.0),
    "lcp": (2500.0, 4000.0),
    "inp": (200.0, 500.0),
    "fid": (100.0, 300.0),
    "cls": (0.1, 0.25),
}


class _Tenths(dict[int, tuple[str, str, float]]):
    """Tenths of a ms → (as ``%f``, as ``%v``, as measured)."""

    def __missing__(self, tenths: int) -> tuple[str, str, float]:
        if len(self) > _KEEP:
            self.clear()
        value = (_ORIGIN + tenths / 10) - _ORIGIN
        raw = repr(value)
        told = f"{value:.6f}", raw.removesuffix(".0"), value
        self[tenths] = told
        return told


TENTHS = _Tenths()


def rate(name: str, value: float) -> str:
    """Rate *value* as web-vitals does."""
    good, poor = _LIMITS[name]
    if value <= good:
        return "good"
    return "needs-improvement" if value <= poor else "poor"


def vital_id(dice: Dice, ms: int, sdk: str) -> str:
    """Name one metric of one page, as web-vitals does."""
    generation = 4 if sdk.startswith("1.") else 6
    return f"v{generation}-{ms}-{dice.below(9_000_000_000_000) + 1_000_000_000_000}"


def write_vital(name: str, parts: dict[str, int]) -> tuple[str, str, float]:
    """Write a vital as (its values in ``%f``, in ``%v``, its own value).

    Args:
        name: of the vital; its own value is in *parts*.
        parts: tenths of a ms by name, in byte order of the names.
    """
    told = [(key, TENTHS[tenths]) for key, tenths in parts.items()]
    return (
        " ".join([f"{key}={text[0]}" for key, text in told]),
        " ".join([f"value_{key}={text[1]}" for key, text in told]),
        TENTHS[parts[name]][2],
    )
