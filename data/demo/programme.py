"""The programme of the demonstration: rounds, products on their way, dossiers, council, certificates, inspections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from data.demo.certificates import write_certificates
from data.demo.councils import write_council
from data.demo.dossiers import write_dossiers
from data.demo.inspections import write_inspections
from data.demo.journeys import plan_journeys, write_journeys, write_rounds
from data.demo.ledger import Ledger
from data.demo.products import Good


def write_programme(ledger: Ledger, goods: Sequence[Good], lots: Mapping[int, int], province: str) -> None:
    """Write the programme's rows for demonstration products; `lots` gives a lot for a product, `province` a code."""
    rounds = write_rounds(ledger)
    journeys = plan_journeys(goods)
    write_journeys(ledger, journeys, rounds)
    folders = write_dossiers(ledger, journeys, lots, province)
    results = write_council(ledger, folders, rounds)
    write_certificates(ledger, goods, journeys, folders, results)
    write_inspections(ledger, goods)
