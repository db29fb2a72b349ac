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
        "download_table": _("Tải bảng số liệu (CSV)"),
        "east": _("Đ"),
        "export_chosen": _("Xuất đối tượng đã chọn"),
        "export_in_view": _("Xuất đối tượng trong khung nhìn"),
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
        "view_kept": _("Đã giữ cảnh này."),
        "west": _("T"),
        "zoom_in_for_records": _("Hãy phóng to để thấy từng đối tượng."),
        "zoom_to_layer": _("Phóng tới lớp"),
    }


def edit_strings() -> dict[str, str]:
    """Sentences of the edit form's map."""
    return (
        common_strings()
        | _hints()
        | {
            "area_of_one": _("Diện tích %(ha)s ha (%(cong)s công)"),
            "area_of_parts": _("Diện tích %(ha)s ha (%(cong)s công), gồm %(parts)s phần"),
            "area_so_far": _("Đang vẽ: %(ha)s ha (%(cong)s công)"),
            "delete_vertex": _("Xóa đỉnh %(n)s"),
            "draft_found": _("Có bản nháp chưa lưu lúc %(at)s."),
            "draft_not_kept": _("Trình duyệt này không giữ được bản nháp; hãy lưu trước khi rời trang."),
            "east_y": _("Y (đông)"),
            "geojson_not_read": _("Chưa đọc được GeoJSON này; cần Polygon hoặc MultiPolygon."),
            "gpx_not_read": _("Tệp GPX này không có vết đi nào từ ba điểm trở lên."),
            "hole_number": _("Lỗ %(n)s"),
            "insert_after": _("Thêm đỉnh sau đỉnh %(n)s"),
            "latitude": _("Vĩ độ"),
            "leave_it": _("Thôi việc này"),
            "length_so_far": _("chiều dài %(length)s"),
            "line_cuts_nothing": _(
                "Đường này chưa chia được vùng nào; hãy kẻ qua hẳn vùng từ bên này sang bên kia."
            ),
            "longitude": _("Kinh độ"),
            "lonlat": _("Kinh độ, vĩ độ (WGS84)"),
            "neighbour_will_be_trimmed": _("Khi lưu: cắt phần chồng khỏi “%(name)s”."),
            "neighbour_will_go": _("Khi lưu: gộp “%(name)s” vào đây và xóa hồ sơ ấy."),
            "no_border_here": _("Không có ranh nào gần chỗ này; hãy bấm sát một đường ranh."),
            "no_neighbour_here": _("Chỗ này không có thửa nào cùng lớp."),
            "no_ring": _("Chưa có đỉnh nào"),
            "north_x": _("X (bắc)"),
            "nothing_drawn": _("Chưa có hình nào."),
            "offline_draft_kept": _(
                "Không nối được với máy chủ. Bản nháp vẫn được giữ trong máy này; hãy bấm Lưu lại khi có mạng."
            ),
            "part_number": _("Phần %(n)s"),
            "perimeter": _("chu vi %(length)s"),
            "ring_being_drawn": _("Nét đang vẽ"),
            "ring_crosses_itself": _("Đường đang vẽ tự cắt nhau; hãy hoàn tác rồi vẽ lại đoạn ấy."),
            "session_lost": _(
                "Phiên đăng nhập đã hết. Bản nháp vẫn được giữ trong máy này; "
                "hãy tải lại trang, đăng nhập rồi dùng bản nháp."
            ),
            "split_done": _("Đã chia thành %(n)s phần."),
            "too_few_vertices": _("Chưa đủ đỉnh để khép."),
            "vertex_value": _("%(what)s của đỉnh %(n)s"),
            "vertices_shown": _("Đỉnh %(from)s–%(to)s trong %(n)s; xem tiếp"),
        }
    )


def _hints() -> dict[str, str]:
    return {
        "hint_polygon": _("Bấm từng góc của vùng; bấm lại góc đầu hoặc Enter để khép."),
        "hint_hole": _("Vẽ phần cần bỏ ra khỏi vùng, rồi khép lại."),
        "hint_split": _("Kẻ đường chia qua vùng; bấm đúp hoặc Enter để chia."),
        "hint_select": _("Bấm vào một phần hoặc một lỗ để sửa đỉnh; xóa lỗ là lấp lại."),
        "hint_neighbour": _("Bấm vào một thửa lân cận để gộp hoặc cắt phần chồng."),
        "hint_trace_start": _("Bấm vào chỗ bắt đầu đi theo ranh."),
        "hint_trace_end": _("Bấm vào chỗ rời khỏi đường ranh ấy."),
    }


def table_strings() -> dict[str, str]:
    """Sentences of the attribute table."""
    return common_strings() | {
        "bulk_apply": _("Ghi %(n)s dòng"),
        "bulk_chosen": _("%(n)s dòng đang chọn."),
        "bulk_done": _("Đã ghi %(n)s dòng."),
        "bulk_field": _("Trường"),
        "bulk_preview": _("Xem trước"),
        "bulk_refused": _("%(n)s dòng nằm ngoài địa bàn hoặc đã bị xóa; hãy bỏ chọn chúng rồi ghi."),
        "bulk_stale": _("%(n)s dòng đã được người khác sửa từ lúc bạn chọn; hãy tải lại bảng rồi chọn lại."),
        "bulk_value": _("Giá trị mới"),
        "bulk_will": _("Sẽ ghi %(n)s dòng, không dòng nào bị từ chối."),
        "cell_saved": _("Đã ghi ô %(name)s."),
        "cell_stale": _(
            "Dòng này vừa được người khác sửa; giá trị đang lưu đã hiện ra, hãy xem rồi sửa lại."
        ),
        "drop_field": _("Bỏ trường này"),
        "drag_box": _("Kéo một khung trên bản đồ để chọn; giữ Ctrl để chọn thêm."),
        "edit_cell": _("Sửa %(name)s"),
        "not_editable": _(
            "Ô này không sửa được: trường chỉ để đọc hoặc dòng nằm ngoài địa bàn bạn phụ trách."
        ),
        "selected_n": _("Đã chọn %(n)s dòng"),
        "session_lost": _("Phiên đăng nhập đã hết; hãy tải lại trang và đăng nhập. Ô đang sửa vẫn còn."),
        "too_many_rows": _("Chỉ chọn được %(n)s dòng đầu; hãy lọc hẹp hơn."),
        "zoom_in_for_records": _("Hãy phóng to để thấy từng đối tượng."),
    }
