"""Makes a QGIS project of one layer for QGIS Server; run by the Python that has PyQGIS: RECORD LAYER PROJECT."""

import sys

from qgis.core import QgsApplication, QgsCoordinateReferenceSystem, QgsProject, QgsVectorLayer

DECIMALS = 7


def main(record: str, name: str, target: str) -> None:
    """Write a project whose layer is served by WFS, OGC API and WMS with as many decimals as ours."""
    QgsApplication.setPrefixPath("/usr", True)
    application = QgsApplication([], False)
    application.initQgis()
    project = QgsProject.instance()
    project.setCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
    layer = QgsVectorLayer(f"{record}|layername={name}", name, "ogr")
    if not layer.isValid():
        sys.exit(f"{record}: no layer {name}")
    layer.setCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
    project.addMapLayer(layer)
    project.writeEntry("WFSLayers", "/", [layer.id()])
    project.writeEntryDouble("WFSLayersPrecision", f"/{layer.id()}", DECIMALS)
    project.writeEntry("WMSCrsList", "/", ["EPSG:4326", "EPSG:3857"])
    project.writeEntry("WMSServiceCapabilities", "/", True)
    project.write(target)


if __name__ == "__main__":
    main(*sys.argv[1:4])
