"""The sentences that scripts show, so that they live in the one translation catalogue."""

from __future__ import annotations

from flask_babel import gettext as _


def common_strings() -> dict[str, str]:
    """Sentences of every page with a map."""
    return {
        "AttributionControl.ToggleAttribution": _("Hiện hoặc ẩn nguồn dữ liệu"),
        "GeolocateControl.FindMyLocation": _("Vị trí của tôi"),
        "GeolocateControl.LocationNotAvailable": _("Không biết được vị trí"),
        "Map.Title": _("Bản đồ"),
        "NavigationControl.ZoomIn": _("Phóng to"),
        "NavigationControl.ZoomOut": _("Thu nhỏ"),
        "NavigationControl.ResetBearing": _("Quay về hướng bắc"),
        "Popup.Close": _("Đóng"),
        "yes": _("Có"),
        "no": _("Không"),
        "offline": _("Không nối được với máy chủ. Hãy kiểm tra mạng rồi tải lại trang."),
        "no_answer": _("Máy chủ chưa trả lời được. Hãy thử lại sau."),
        "no_webgl": _(
            "Trình duyệt này không vẽ được bản đồ tương tác (thiếu WebGL2). "
            "Bản đồ tĩnh và danh sách vẫn dùng được."
        ),
    }


def map_strings() -> dict[str, str]:
    """Sentences of the planner's map."""
    return common_strings() | {
        "choropleth_shown": _("Đang tô màu theo: %(name)s"),
        "coordinates_not_read": _("Chưa đọc được toạ độ này."),
        "east": _("Đ"),
        "home_extent": _("Toàn tỉnh"),
        "layer_hidden": _("Đã ẩn lớp %(name)s"),
        "layer_more": _("Độ mờ và chú giải: %(name)s"),
        "layer_shown": _("Đã hiện lớp %(name)s"),
        "list_of_layer": _("Xem danh sách"),
        "loading": _("Đang tải…"),
        "moved_to": _("Đã tới %(place)s"),
        "n_results": _("%(n)s kết quả"),
        "n_communes": _("%(n)s xã"),
        "n_districts": _("%(n)s huyện"),
        "no_data": _("Không có số liệu"),
        "north": _("B"),
        "nothing_found": _("Không tìm thấy"),
        "nothing_in_view": _("Không có đối tượng nào trong khung nhìn"),
        "opacity": _("Độ đậm"),
        "open_record": _("Xem hồ sơ"),
        "per_communes": _("theo xã"),
        "per_districts": _("theo huyện"),
        "records_in_view": _("%(n)s đối tượng trong khung nhìn"),
        "rows_shown": _("%(from)s–%(to)s trong %(n)s"),
        "selected": _("Đã chọn %(name)s"),
        "south": _("N"),
        "west": _("T"),
        "zoom_in_for_records": _("Hãy phóng to để thấy từng đối tượng."),
        "zoom_to_layer": _("Phóng tới lớp"),
    }


def edit_strings() -> dict[str, str]:
    """Sentences of the edit form's map."""
    return common_strings() | {
        "area_of_one": _("Diện tích %(ha)s ha (%(cong)s công)"),
        "area_of_parts": _("Diện tích %(ha)s ha (%(cong)s công), gồm %(parts)s phần"),
        "geojson_not_read": _("Chưa đọc được GeoJSON này; cần Polygon hoặc MultiPolygon."),
        "nothing_drawn": _("Chưa có hình nào."),
    }
