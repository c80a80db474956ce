"""Know every format: importing its module registers its decoder."""

from app.events import clm, faro, langfuse, mapped, openobserve

FORMATS = (faro, openobserve, langfuse, clm, mapped)
