"""A map as one HTML file that opens without a network: for mailing, made with folium, everything inlined."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import folium
import numpy as np
import shapely
from branca.element import Element
from flask_babel import gettext as _

from data import codes
from data.accounts import Actor
from data.store import Session, Store
from gis import geojson
from gis.errors import Refusal
from layers import catalogue, read, statistics, styles
from layers.fields import FieldType, Layer
from layers.filters import Comparison
from layers.redistribution import LIST
from webmap.mapview import MapView, Theme, ViewError
from webmap.pages import STATIC, vendor

MOST_ROWS = 5_000
DECIMALS = 6
SIMPLIFIED_DEGREES = 0.00003
MOST_FIELDS = 8
GROUND_LAYERS = ("provinces", "districts")
START = (9.0, 105.1, 9.0)
NO_FIGURE = "#d3d1c8"
EDGE = "#5d6b66"


def standalone(
    store: Store, view: MapView, actor: Actor, lang: str, *, province: str = "", demo: bool = False
) -> str:
    """The map as HTML: every row of its layers that the actor sees, popups, a legend and a switch for layers.

    Shapes are simplified to about three metres. Raises ViewError for a layer with too many rows to mail.
    """
    zoom, lat, lon = view.place or START
    # Zooms of the planner's map count from tiles of 512 pixels, Leaflet's from 256.
    sheet = folium.Map(location=[lat, lon], zoom_start=round(zoom) + 1, tiles=None, prefer_canvas=True)
    sheet.default_js, sheet.default_css = [], []
    root: Any = sheet.get_root()
    root.header.add_child(Element(_assets(view.title)), name="assets")
    chosen = [catalogue.layer(name) for name in view.layers]
    ground = [catalogue.layer(name) for name in GROUND_LAYERS if name not in view.layers]
    with store.reading() as session:
        # The theme lies on the territory and below the records, as on the planner's map.
        territory = [layer for layer in chosen if layer.by_edition]
        records = sorted((c for c in chosen if not c.by_edition), key=lambda item: item.geometry == "POINT")
        legend = ""
        for layer in [*ground, *territory, None, *records]:
            if layer is None:
                legend = _add_theme(sheet, session, view.theme, actor, lang) if view.theme else ""
                continue
            query = read.Query(layer, actor, fields=_field_names(layer, actor), limit=MOST_ROWS + 1)
            _add(sheet, layer, read.rows(session, query), lang, view.layers.get(layer.id, 100))
        first = chosen[0] if chosen else ground[0]
        box = read.bounds(session, read.Query(first, actor)) if view.place is None else None
    if box is not None:
        sheet.fit_bounds([[box[1], box[0]], [box[3], box[2]]])
    folium.LayerControl(collapsed=False).add_to(sheet)
    root.html.add_child(Element(_panel(view.title, province, chosen, lang, legend, demo=demo)), name="panel")
    text: str = root.render()
    return re.sub(r'<script src="http[^>]*></script>|<link rel="stylesheet" href="http[^>]*/>', "", text)


def _field_names(layer: Layer, actor: Actor) -> tuple[str, ...]:
    """The fields that a popup shows: the first that maps carry, without codes of units, and what colours mean."""
    shown = [f.name for f in layer.readable_fields(actor) if f.in_tiles and not f.name.endswith("_code")]
    return tuple(dict.fromkeys([*shown[:MOST_FIELDS], *filter(None, [layer.style.by])]))


def _add(sheet: folium.Map, layer: Layer, page: read.Rows, lang: str, percent: int) -> None:
    if len(page) > MOST_ROWS:
        raise ViewError(
            "Lớp “%(layer)s” có hơn %(limit)s dòng, quá lớn cho một tệp gửi thư; hãy bỏ lớp này.",
            layer=layer.title,
            limit=MOST_ROWS,
        )
    if not len(page):
        return
    colors = {entry["value"]: entry["color"] for entry in styles.legend(layer)}
    kinds = page.by_name()[layer.style.by] if layer.style.by else [None] * len(page)
    paints = [colors.get(None if k is None else str(k), colors.get(None, layer.style.color)) for k in kinds]
    titles = [f.title[lang] for f in page.fields]
    columns = [
        [_shown(f, v, lang) for v in column] for f, column in zip(page.fields, page.columns, strict=True)
    ]
    shapes = shapely.from_wkb(page.wkb)
    if layer.geometry != "POINT":
        shapes = shapely.simplify(shapes, SIMPLIFIED_DEGREES)
    bodies = np.asarray(shapely.to_wkb(shapes), dtype=object)
    texts = geojson.feature_texts(
        page.ids, bodies, [*page.names, "_color"], [*columns, paints], precision=DECIMALS
    )
    document = json.loads(b"".join(geojson.feature_collection([texts])))
    document["features"] = [f for f in document["features"] if f["geometry"] is not None]
    share = percent / 100
    style = layer.style

    def drawn(feature: Mapping[str, Any]) -> dict[str, Any]:
        color = feature["properties"]["_color"]
        outline = color if style.opacity == 0 else style.outline
        return {
            "color": outline,
            "weight": 1.2,
            "opacity": share,
            "fillColor": color,
            "fillOpacity": style.opacity * share,
        }

    marker = folium.CircleMarker(radius=style.radius, fill=True) if layer.geometry == "POINT" else None
    popup = None
    if layer.id not in GROUND_LAYERS:
        popup = folium.GeoJsonPopup(fields=page.names, aliases=titles, max_width=320)
    folium.GeoJson(
        document,
        name=html.escape(layer.title[lang]),
        style_function=drawn,
        marker=marker,
        popup=popup,
        embed=True,
    ).add_to(sheet)


def _add_theme(sheet: folium.Map, session: Session, theme: Theme, actor: Actor, lang: str) -> str:
    """Colour the units by the theme's indicator; return the legend, which names the edition's method."""
    chosen = statistics.indicator(theme.indicator)
    try:
        table = statistics.on_edition(
            session, chosen, theme.level, actor, edition=theme.edition or None, method=theme.method or LIST
        )
    except Refusal:
        # An edition that went from the record: the units in use still answer.
        table = statistics.on_edition(session, chosen, theme.level, actor)
    layer = catalogue.layer(theme.level)
    where = Comparison("edition", "=", table.edition)
    page = read.rows(session, read.Query(layer, actor, where=where, fields=(layer.name_field,)))
    values = {entry["id"]: entry["value"] for entry in table.entries}
    classes = statistics.classes(list(values.values()))
    unit = chosen.unit[lang]
    rows = [(values.get(int(number)), name) for number, name in zip(page.ids, page.columns[0], strict=True)]
    shown = [_("Không có số liệu") if v is None else f"{_number(v, lang)} {unit}".strip() for v, _n in rows]
    colors = [_class_color(classes, value) for value, _name in rows]
    shapes = shapely.simplify(shapely.from_wkb(page.wkb), SIMPLIFIED_DEGREES)
    bodies = np.asarray(shapely.to_wkb(shapes), dtype=object)
    names = [html.escape(str(name)) for _value, name in rows]
    texts = geojson.feature_texts(
        page.ids,
        bodies,
        ["name", "value", "_color"],
        [names, [html.escape(text) for text in shown], colors],
        precision=DECIMALS,
    )
    folium.GeoJson(
        json.loads(b"".join(geojson.feature_collection([texts]))),
        name=html.escape(chosen.title[lang]),
        style_function=lambda feature: {
            "color": EDGE,
            "weight": 0.8,
            "fillColor": feature["properties"]["_color"],
            "fillOpacity": 0.85,
        },
        popup=folium.GeoJsonPopup(
            fields=["name", "value"], aliases=[layer.title[lang], chosen.title[lang]], max_width=320
        ),
        embed=True,
    ).add_to(sheet)
    entries = [
        (entry["color"], " – ".join(dict.fromkeys(_number(entry[end], lang) for end in ("min", "max"))))
        for entry in classes
    ]
    if any(value is None for value, _name in rows):
        entries.append((NO_FIGURE, _("Không có số liệu")))
    items = "".join(
        f'<li><i style="background:{color}"></i>{html.escape(text)}</li>' for color, text in entries
    )
    aside = " · ".join(filter(None, [unit, table.method[lang]]))
    return (
        f'<h2>{html.escape(chosen.title[lang])}</h2><p>{html.escape(aside)}</p><ul class="theme">{items}</ul>'
    )


def _class_color(classes: Sequence[Mapping[str, Any]], value: float | None) -> str:
    if value is None:
        return NO_FIGURE
    reached = [entry["color"] for entry in classes if value >= entry["min"]]
    return str(reached[-1] if reached else classes[0]["color"])


def _number(value: float, lang: str) -> str:
    text = f"{value:,.2f}".rstrip("0").rstrip(".")
    return text if lang == "en" else text.translate(str.maketrans(",.", ".,"))


def _shown(field_: Any, value: Any, lang: str) -> str:
    """A value for people, with nothing in it that a browser would take for markup."""
    if value is None:
        return ""
    if field_.codes:
        return html.escape(codes.label(field_.codes, value, lang))
    if field_.type == FieldType.BOOLEAN:
        return _("có") if value else _("không")
    if isinstance(value, float):
        value = _number(value, lang)
    unit = f" {field_.unit[lang]}" if field_.unit else ""
    return html.escape(f"{value}{unit}")


def _panel(title: str, province: str, layers: Sequence[Layer], lang: str, theme: str, *, demo: bool) -> str:
    """The title, the legend, and the label of demonstration data."""
    parts = [f"<h1>{html.escape(title)}</h1>", f"<p>{html.escape(province)}</p>" if province else ""]
    if demo:
        parts.append(f'<p class="demo">{html.escape(_("Dữ liệu minh hoạ, không phải hồ sơ thật"))}</p>')
    parts.append(theme)
    for layer in layers:
        entries = styles.legend(layer)
        parts.append(f"<h2>{html.escape(layer.title[lang])}</h2>" if len(entries) > 1 else "")
        parts.append("<ul>")
        parts += [
            f'<li><i style="background:{entry["color"]}"></i>{html.escape(entry["label"][lang])}</li>'
            for entry in entries
        ]
        parts.append("</ul>")
    return f'<details class="panel" open><summary>{html.escape(_("Chú giải"))}</summary>{"".join(parts)}</details>'


_STYLE = """
body{font-family:system-ui,"Segoe UI",Roboto,"Noto Sans",sans-serif}
.leaflet-attribution-flag{display:none!important}
.leaflet-container{background:#f8f5ee;font:inherit}
.panel{position:absolute;left:10px;bottom:24px;z-index:1000;background:#fff;padding:8px 14px;border-radius:6px;
max-height:60%;max-width:min(20rem,80%);overflow:auto;box-shadow:0 2px 8px rgb(0 0 0/25%);font-size:14px}
.panel h1{font-size:17px;margin:4px 0}.panel h2{font-size:14px;margin:8px 0 2px}.panel p{margin:2px 0}
.panel ul{list-style:none;margin:0;padding:0}.panel summary{cursor:pointer;font-weight:700}
.panel i{display:inline-block;width:12px;height:12px;border-radius:3px;margin-right:6px;border:1px solid #0003}
.panel .demo{background:#fff1cf;color:#7a4a00;padding:2px 6px;font-weight:700}
"""


def _assets(title: str) -> str:
    """Leaflet's script and styles with their pictures, and ours, as parts of the page."""
    folder = STATIC / vendor("leaflet", "").removeprefix("/static/")
    if not (folder / "leaflet.js").is_file():
        raise ViewError("Máy chủ thiếu thư viện bản đồ cho tệp gửi thư; hãy chạy npm ci và npm run vendor.")
    script = (folder / "leaflet.js").read_text(encoding="utf-8").replace("</script", "<\\/script")
    style = (folder / "leaflet.css").read_text(encoding="utf-8")

    def inlined(found: re.Match[str]) -> str:
        picture = folder / found[1]
        if not picture.is_file():
            return "none"
        return f"url(data:image/png;base64,{base64.b64encode(picture.read_bytes()).decode()})"

    style = re.sub(r"url\(images/([\w.-]+)\)", inlined, style)
    return (
        f"<title>{html.escape(title)}</title><style>{style}{_STYLE}</style><script>{script}</script>"
        '<link rel="icon" href="data:,">'
    )
