# Everything is set up under .venv/, node_modules/ and webmap/static/vendor/; nothing is installed elsewhere
# but the Debian packages of the tests, and those only as root.

PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
WORKERS ?= 2

BIN := .venv/bin
# Setuptools warns of the folder names at every editable installation.
PIP := PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
CATALOGUES := $(wildcard webmap/translations/*/LC_MESSAGES/*.po)
VENDOR := webmap/static/vendor/vendor.json
PYTEST := $(BIN)/python -m pytest
RINGS := $(wildcard tests/unit tests/services tests/web tests/postgis tests/real)
JOBS ?= 2

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup run test test-clients lint format messages bench clean

help: ## In danh sách các lệnh này
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-14s %s\n", $$1, $$2}'

setup: .venv/.runs $(VENDOR) .venv/.translated ## Cài mọi thứ cần để chạy

run: setup ## Cài đặt, tạo tỉnh minh họa nếu chưa có bản ghi, phục vụ ở http://127.0.0.1:8000 (PORT=…, HOST=…, WORKERS=…)
	@$(BIN)/ocopmap init --demo --if-missing
	@$(BIN)/ocopmap upgrade
	@exec $(BIN)/ocopmap serve --host $(HOST) --port $(PORT) --workers $(WORKERS)

test: setup .venv/.tests ## Cài đặt và chạy mọi vòng kiểm thử, trừ vòng chương trình bên ngoài
	@tools/debian-packages.sh test
	@$(PYTEST) --numprocesses $(JOBS) --dist loadgroup $(RINGS)

test-clients: setup .venv/.tests ## Kiểm thử với QGIS và GDAL như chương trình thật
	@tools/debian-packages.sh clients
	@$(PYTEST) tests/clients

lint: .venv/.runs .venv/.lints ## Kiểm tra cách viết, kiểu dữ liệu và hướng phụ thuộc
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/.lints ## Trình bày lại mã nguồn
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

messages: .venv/.runs ## Gom các câu chữ vào bản dịch tiếng Anh và in những câu chưa dịch
	@$(BIN)/python tools/messages.py

bench: setup .venv/.tests ## Đo tốc độ và bộ nhớ so với các chương trình khác (BENCH="--areas 10000 …")
	@tools/debian-packages.sh test
	@tools/debian-packages.sh bench
	@$(BIN)/python -m tests.bench $(BENCH)

clean: ## Xóa những gì đã cài và tạo ra, trừ bản ghi trong instance/
	rm -rf .venv node_modules webmap/static/vendor build *.egg-info test-results
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	rm -f webmap/translations/*/LC_MESSAGES/*.mo

# ---- what is set up, each step done once and again when what it rests on changes

.venv/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Cần Python 3.11 trở lên; hãy chỉ ra bằng make PYTHON=python3.11 …" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' \
		|| { echo "Python thiếu mô-đun venv; trên Debian hãy cài gói python3-venv." >&2; exit 1; }
	$(PYTHON) -m venv .venv
	@touch $@

.venv/.runs: .venv/.made setup.cfg pyproject.toml constraints.txt
	$(PIP) --editable .
	@touch $@

.venv/.tests: .venv/.runs
	$(PIP) --editable '.[test]'
	@touch $@

.venv/.lints: .venv/.runs
	$(PIP) --editable '.[lint]'
	@touch $@

.venv/.translated: .venv/.runs $(CATALOGUES)
	@if [ -n "$(CATALOGUES)" ]; then $(BIN)/pybabel --quiet compile --directory webmap/translations; fi
	@touch $@

node_modules/.made: package.json package-lock.json | .venv/.made
	tools/node.sh npm ci --no-audit --no-fund --ignore-scripts
	@touch $@

$(VENDOR): node_modules/.made tools/vendor.mjs
	tools/node.sh node tools/vendor.mjs
	@touch $@
