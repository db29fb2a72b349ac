"""Is the process alive, is it ready, and what has it done: for supervisors and Prometheus."""

from __future__ import annotations

import time

import orjson
import sqlalchemy as sa
from flask import Blueprint, Flask, Response, g, request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)

from data import migrate
from layers import catalogue, read
from services import context

blueprint = Blueprint("health", __name__)
registry = CollectorRegistry()
REQUESTS = Counter(
    "ocopmap_requests", "Requests by address rule and status", ["rule", "status"], registry=registry
)
SECONDS = Histogram("ocopmap_request_seconds", "Time to answer by address rule", ["rule"], registry=registry)
FEATURES = Gauge(
    "ocopmap_public_features", "Rows that the public sees, by layer", ["layer"], registry=registry
)


@blueprint.get("/health/live")
def live() -> Response:
    """Answer 200 as long as the process answers at all."""
    return Response(orjson.dumps({"status": "ok"}), mimetype="application/json")


@blueprint.get("/health/ready")
def ready() -> Response:
    """Answer 200 when the record opens and its schema is current, else 503 with what is wrong."""
    checks = {"record": False, "schema": False}
    try:
        context.session().execute(sa.text("SELECT 1"))
        checks["record"] = True
        checks["schema"] = migrate.current(context.store()) is not None
    except sa.exc.SQLAlchemyError:
        pass
    good = all(checks.values())
    body = {"status": "ok" if good else "unavailable", "checks": checks}
    return Response(orjson.dumps(body), 200 if good else 503, mimetype="application/json")


@blueprint.get("/metrics")
def metrics() -> Response:
    """Serve the counters of this worker in the Prometheus text format."""
    for layer in catalogue.LAYERS:
        FEATURES.labels(layer.id).set(read.count(context.session(), read.Query(layer)))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def measure(app: Flask) -> None:
    """Count and time every request of an application by its address rule."""

    @app.before_request
    def start() -> None:
        g.ocop_started = time.perf_counter()

    @app.after_request
    def stop(response: Response) -> Response:
        rule = request.url_rule.rule if request.url_rule else "none"
        REQUESTS.labels(rule, str(response.status_code)).inc()
        SECONDS.labels(rule).observe(time.perf_counter() - g.get("ocop_started", time.perf_counter()))
        return response
