"""The demonstration province ("dữ liệu minh hoạ"): true names and places, invented borders and records."""
