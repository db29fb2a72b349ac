"""Run by the system's Python with QGIS: open a project of ours and the map service, print what was seen as JSON."""

import json
import sys

from qgis.core import (
    Qgis,
    QgsApplication,
    QgsAuthMethodConfig,
    QgsCoordinateReferenceSystem,
    QgsFeatureRequest,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsPointXY,
    QgsProject,
    QgsRaster,
    QgsRasterLayer,
    QgsRectangle,
)
from qgis.PyQt.QtCore import QSize

asked = json.loads(sys.argv[1])
QgsApplication.setPrefixPath("/usr", True)
application = QgsApplication([], False)
application.initQgis()
seen = {"version": Qgis.QGIS_VERSION_INT, "layers": {}}

if asked.get("username"):
    manager = QgsApplication.authManager()
    manager.setMasterPassword("một mật khẩu", True)
    config = QgsAuthMethodConfig("Basic")
    config.setId("ocopmap")
    config.setName("ocopmap")
    config.setConfig("username", asked["username"])
    config.setConfig("password", asked["password"])
    seen["signed_in"] = manager.storeAuthenticationConfig(config)

project = QgsProject.instance()
seen["read"] = project.read(asked["project"])
seen["title"] = project.title()
seen["crs"] = project.crs().authid()
extent = project.viewSettings().defaultViewExtent()
seen["extent"] = [extent.xMinimum(), extent.yMinimum(), extent.xMaximum(), extent.yMaximum()]
seen["groups"] = [group.name() for group in project.layerTreeRoot().findGroups()]
seen["relations"] = {r.name(): r.isValid() for r in project.relationManager().relations().values()}
for layer in project.mapLayers().values():
    fields = layer.fields()
    entry = {
        "valid": layer.isValid(),
        "provider": layer.providerType(),
        "count": layer.featureCount(),
        "read_only": layer.readOnly(),
        "aliases": {f.name(): f.alias() for f in fields},
        "widgets": {f.name(): f.editorWidgetSetup().type() for f in fields},
        "renderer": layer.renderer().type() if layer.renderer() else None,
        "labels": layer.labelsEnabled(),
        "display": layer.displayExpression(),
    }
    if entry["renderer"] == "categorizedSymbol":
        entry["categories"] = [
            [c.value(), c.label(), c.symbol().color().name()] for c in layer.renderer().categories()
        ]
    if layer.id() == "ocopmap_growing_areas":
        setup = fields.field("crop").editorWidgetSetup().config()
        entry["crop_values"] = {k: v for one in setup["map"] for k, v in one.items()}
        feature = next(layer.getFeatures(QgsFeatureRequest().setLimit(1)))
        entry["first"] = [str(feature["name"]), feature.geometry().area()]
        context = layer.renderer().sourceSymbol() if entry["renderer"] == "singleSymbol" else None
        entry["has_symbol"] = context is not None or bool(layer.renderer().categories())
    seen["layers"][layer.id().removeprefix("ocopmap_")] = entry

image = QgsRasterLayer(
    f"contextualWMSLegend=0&crs=EPSG:4326&dpiMode=7&featureCount=10&format=image/png&layers=communes"
    f"&layers=growing_areas&styles=default&styles=default&url={asked['wms']}",
    "map",
    "wms",
)
seen["wms"] = {"valid": image.isValid(), "error": image.error().message()}
if image.isValid():
    box = QgsRectangle(*asked["box"])
    settings = QgsMapSettings()
    settings.setLayers([image])
    settings.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
    settings.setExtent(box)
    settings.setOutputSize(QSize(400, 400))
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    job.renderedImage().save(asked["picture"])
    found = image.dataProvider().identify(
        QgsPointXY(*asked["point"]), QgsRaster.IdentifyFormatText, box, 400, 400
    )
    seen["wms"]["identified"] = [str(text) for text in found.results().values()]

print("SEEN " + json.dumps(seen, default=str))
sys.stdout.flush()
project.clear()
application.exitQgis()
