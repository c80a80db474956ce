"""What a web server serves: ``gunicorn --workers 2 wsgi:app``."""

from app import create_app
from app.configuration.load import load_settings
from app.log import configure_logging

settings = load_settings()
configure_logging(settings.log_level, settings.log_format)
app = create_app(settings)
