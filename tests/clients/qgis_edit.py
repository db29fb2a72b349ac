"""Run by the system's Python with QGIS: open every layer, edit one, print what was seen as JSON."""

import json
import sys

from qgis.core import QgsApplication, QgsFeature, QgsGeometry, QgsVectorLayer

QgsApplication.setPrefixPath("/usr", True)
application = QgsApplication([], False)
application.initQgis()
path, names = sys.argv[1], sys.argv[2].split(",")
seen = {}
for name in names:
    layer = QgsVectorLayer(f"{path}|layername={name}", name, "ogr")
    extent = layer.extent()
    seen[name] = {
        "valid": layer.isValid(),
        "count": layer.featureCount(),
        "type": layer.wkbType(),
        "extent": [extent.xMinimum(), extent.yMinimum(), extent.xMaximum(), extent.yMaximum()],
        "fields": [f.name() for f in layer.fields()],
    }
layer = QgsVectorLayer(f"{path}|layername=growing_areas", "areas", "ogr")
assert layer.startEditing()
feature = QgsFeature(layer.fields())
feature["name"], feature["crop"], feature["status"], feature["version"] = "Từ QGIS", "rice", "published", 1
feature.setGeometry(QgsGeometry.fromWkt("MULTIPOLYGON(((105 9,105.01 9,105.01 9.01,105 9)))"))
assert layer.addFeature(feature)
first = next(f for f in layer.getFeatures() if f.id() > 0)
index = layer.fields().indexOf("variety")
assert layer.changeAttributeValue(first.id(), index, "giống mới")
seen["committed"] = layer.commitChanges()
seen["errors"] = layer.commitErrors()
seen["edited"] = first.id()
print(json.dumps(seen))
del layer
application.exitQgis()
