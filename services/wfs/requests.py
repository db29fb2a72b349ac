"""Requests as they are understood, however they were sent: as keys and values in an address, or as XML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from services.wfs.dialects import Dialect

#: How many features an answer has at most when the request does not say (version 2).
COUNT_DEFAULT = 10_000
#: How many features may be asked for at once; answers stream, so that this costs no memory.
COUNT_MAXIMUM = 1_000_000

LOCK_SECONDS = 300


@dataclass(frozen=True)
class Query:
    """One query as it was sent: types, projection, selection, order and reference system, still as texts.

    `namespaces` are the prefixes known where the names stand. `filter` is an XML element. `single` tells that
    several types would be a join.
    """

    type_names: tuple[str, ...] = ()
    namespaces: Mapping[str, str] = field(default_factory=dict)
    filter: Any = None
    cql: str | None = None
    bbox: str | None = None
    ids: tuple[str, ...] = ()
    properties: tuple[str, ...] | None = None
    sort: tuple[tuple[str, bool], ...] = ()
    srs_name: str | None = None
    single: bool = False


@dataclass(frozen=True)
class StoredCall:
    """The call of a stored query: its identifier and the texts of its parameters."""

    identifier: str
    parameters: Mapping[str, str]
    namespaces: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class GetCapabilities:
    """A request for the description of the service."""

    dialect: Dialect
    sections: frozenset[str] = frozenset()


@dataclass(frozen=True)
class DescribeFeatureType:
    """A request for the schema of feature types, of all when none is named."""

    dialect: Dialect
    type_names: tuple[tuple[str, Mapping[str, str]], ...] = ()
    output_format: str | None = None


@dataclass(frozen=True)
class GetFeature:
    """A request for features; with `locking`, the features of the answer are locked too."""

    dialect: Dialect
    queries: tuple[Query | StoredCall, ...]
    count: int | None = None
    start: int = 0
    hits: bool = False
    output_format: str | None = None
    locking: bool = False
    lock: Lock | None = None
    posted: bool = False


@dataclass(frozen=True)
class Lock:
    """What a request says of a lock: for how long, whether all or some, and which lock is meant."""

    seconds: int = LOCK_SECONDS
    some: bool = False
    key: str | None = None


@dataclass(frozen=True)
class GetPropertyValue:
    """A request for the values of one property."""

    features: GetFeature
    reference: str
    namespaces: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class LockFeature:
    """A request to lock the features of queries, or to let a lock's time begin anew."""

    dialect: Dialect
    queries: tuple[Query | StoredCall, ...]
    lock: Lock


@dataclass(frozen=True)
class ListStoredQueries:
    """A request for the identifiers of all stored queries."""

    dialect: Dialect


@dataclass(frozen=True)
class DescribeStoredQueries:
    """A request for the definitions of stored queries, of all when none is named."""

    dialect: Dialect
    identifiers: tuple[str, ...] = ()


@dataclass(frozen=True)
class CreateStoredQuery:
    """A request to store queries; `definitions` are XML elements."""

    dialect: Dialect
    definitions: tuple[Any, ...]


@dataclass(frozen=True)
class DropStoredQuery:
    """A request to forget a stored query."""

    dialect: Dialect
    identifier: str


@dataclass(frozen=True)
class Transaction:
    """A request to change features; `actions` are XML elements in the order of the request."""

    dialect: Dialect
    actions: tuple[Any, ...]
    lock_key: str | None = None
    release_all: bool = True
    srs_name: str | None = None


Request = (
    GetCapabilities
    | DescribeFeatureType
    | GetFeature
    | GetPropertyValue
    | LockFeature
    | ListStoredQueries
    | DescribeStoredQueries
    | CreateStoredQuery
    | DropStoredQuery
    | Transaction
)
