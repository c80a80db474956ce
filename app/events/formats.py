"""Know every format: importing its module registers its decoder."""

from app.events import clm, faro, langfuse, openobserve

FORMATS = (faro, openobserve, langfuse, clm)
