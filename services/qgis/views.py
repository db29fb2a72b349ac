"""The address of the QGIS project, made for whoever asks."""

from __future__ import annotations

from flask import Blueprint, Response, request
from flask_babel import gettext as _

from data.record_facts import get_fact
from gis.crs import VIETNAM_BOUNDS
from layers import catalogue, read
from services import context
from services.caching import conditional, tag
from services.errors import BadRequest
from services.parameters import refuse_unknown
from services.qgis.project import OAPIF, WFS, ProjectRequest, packed
from services.tiles import bounds_of, store_mark

blueprint = Blueprint("qgis", __name__)
MEDIA_TYPE = "application/x-qgis-project"
WHOLE = "provinces"


@blueprint.get("/qgis/project.qgz")
def project() -> Response:
    """Serve the caller's project; `via` is wfs or oapif, and by default what suits the caller's rights."""
    refuse_unknown({"via"})
    via = request.args.get("via")
    if via not in (None, WFS, OAPIF):
        raise BadRequest("Tham số “%(parameter)s” nhận wfs hoặc oapif.", parameter="via")
    session, layer = context.session(), catalogue.layer(WHOLE)
    revision = read.revision(session, layer)
    name = get_fact(session, "province_name")
    wanted = ProjectRequest(
        actor=context.actor(),
        lang=context.language(),
        title=_("Bản đồ OCOP %(province)s", province=name or "").strip(),
        root=request.url_root.rstrip("/"),
        extent=bounds_of(layer, revision) or VIETNAM_BOUNDS,
        via=via,
    )

    def make() -> Response:
        response = Response(packed(wanted), mimetype=MEDIA_TYPE)
        response.headers["Content-Disposition"] = 'attachment; filename="ocopmap.qgz"'
        return response

    etag = tag("qgz", store_mark(), revision, wanted)
    return conditional(etag, wanted.actor, make)
