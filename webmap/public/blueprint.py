"""The blueprint that every module of public pages hangs its views on."""

from flask import Blueprint

blueprint = Blueprint("public", __name__)
