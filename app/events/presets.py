"""Ready mappings: of access logs, and of OpenTelemetry's log records."""

from typing import Any

PAGES = r"!~ \.(?:css|js|mjs|map|png|jpe?g|gif|svg|ico|webp|avif|woff2?|ttf|json|xml|txt)(?:\?|$)"


def _access(method: str, path: str, status: str, **more: Any) -> dict[str, Any]:
    """Map requests: what a person opened is a view, the rest is a request."""
    return {
        "url": path,
        "events": (
            {
                "kind": "view",
                "when": f"{method} = GET and {status} < 400 and {path} {PAGES}",
            },
            {"kind": "request", "name": path, "method": method, "status": status},
        ),
    } | more


PRESETS: dict[str, dict[str, Any]] = {
    "": {},
    "nginx": _access(
        "method | request_method", "uri | request_uri", "status",
        line="combined",
        app="@app | @job | =web",
        time="time_local | time_iso8601 | time",
        user="remote_user",
        who="remote_addr, http_user_agent",
        referrer="http_referer",
        agent="http_user_agent",
    ),
    "traefik": _access(
        "RequestMethod", "RequestPath", "DownstreamStatus | OriginStatus",
        line="json",
        app="RequestHost | ServiceName | @job | =web",
        time="StartUTC | time",
        user="ClientUsername",
        who="ClientHost, request_User-Agent",
        referrer="request_Referer",
        agent="request_User-Agent",
        duration="Duration",
        duration_unit="ns",
    ),
    "otel": {
        "line": "text",
        "app": "resource.service.name | resources.service.name"
        " | resource.attributes.service.name | @service_name",
        "environment": "resource.deployment.environment.name"
        " | resources.deployment.environment.name | @deployment_environment_name"
        " | @deployment_environment",
        "version": "resource.service.version | resources.service.version"
        " | @service_version",
        "session": "attributes.session.id | @session_id | session.id",
        "user": "attributes.user.id | attributes.enduser.id | @user_id | @enduser_id",
        "user_email": "attributes.user.email | @user_email",
        "time": "timeUnixNano | observedTimeUnixNano | Timestamp | timestamp | time",
        "url": "attributes.url.full | @url_full",
        "page": "attributes.url.path | @url_path",
        "agent": "attributes.user_agent.original | @user_agent_original",
        "events": (
            {
                "kind": "error",
                "when": "attributes.exception.type | @exception_type",
                "name": "attributes.exception.type | @exception_type",
                "message": "attributes.exception.message | @exception_message",
                "stack": "attributes.exception.stacktrace | @exception_stacktrace",
            },
            {
                "kind": "view",
                "when": "attributes.event.name | eventName | @event_name"
                r" =~ ^browser\.(?:page_view|navigation)",
            },
            {
                "kind": "action",
                "when": "attributes.event.name | eventName | @event_name",
                "name": "attributes.event.name | eventName | @event_name",
            },
            {
                "kind": "log",
                "name": "severityText | severity_text | severity | @severity_text"
                " | @detected_level",
                "message": "body.stringValue | body | message",
            },
        ),
    },
}  # fmt: skip
