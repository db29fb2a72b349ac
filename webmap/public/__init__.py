"""The public pages: home, lists, records, search, photos."""

from webmap.public import lists, media, records, views
from webmap.public.blueprint import blueprint

__all__ = ["blueprint", "lists", "media", "records", "views"]
