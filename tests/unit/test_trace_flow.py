"""Edges of events, what time does to them, and shares: the rules by which a trace is drawn."""

from __future__ import annotations

import datetime as dt

import pytest

from data.traceability.edges import MADE, PACKED, PART, SAMPLE, Removal, end_of, links_of, run_of
from data.traceability.flow import Edge, Flow, Network, follow
from data.traceability.items import lot_name_of, run_uri
from data.traceability.shares import Way, of_items, of_ways
from data.traceability.things import things_of
from gis.errors import Refusal

LOT, JAR = "https://id.gs1.org/01/08938505974194/10/L01", "https://id.gs1.org/01/08938505974194/10/L01/21/7"


def links(event: dict) -> set[tuple[str, str, str]]:
    named = things_of(event)
    return {(k.source, k.kind, k.target) for k in links_of(event, named, run_of(event, named, "id"))}


def transformation(inputs: list[str], outputs: list[str], **more: str) -> dict:
    return {
        "type": "TransformationEvent",
        "inputQuantityList": [{"epcClass": u} for u in inputs],
        "outputQuantityList": [{"epcClass": u} for u in outputs],
        **more,
    }


# ---- edges of an event


def test_every_input_leads_to_every_output() -> None:
    assert links(transformation(["urn:a", "urn:b"], ["urn:x", "urn:y"])) == {
        (i, MADE, o) for i in ("urn:a", "urn:b") for o in ("urn:x", "urn:y")
    }


def test_inputs_and_outputs_of_a_named_run_meet_in_the_run() -> None:
    run = run_uri("urn:run:1")
    assert links(transformation(["urn:a"], [], transformationID="urn:run:1")) == {("urn:a", MADE, run)}
    assert links(transformation([], ["urn:x"], transformationID="urn:run:1")) == {(run, MADE, "urn:x")}


def test_many_inputs_and_outputs_take_a_run_of_their_own() -> None:
    names = [f"urn:{i}" for i in range(100)]
    assert len(links(transformation(names, [f"{n}:out" for n in names]))) == 200


def test_a_thing_is_never_made_of_itself() -> None:
    assert links(transformation(["urn:a"], ["urn:a", "urn:x"])) == {("urn:a", MADE, "urn:x")}


def test_a_jar_that_came_out_brings_its_lot_along() -> None:
    event = {"type": "TransformationEvent", "inputEPCList": ["urn:a"], "outputEPCList": [JAR]}
    assert links(event) == {("urn:a", MADE, JAR), ("urn:a", MADE, LOT)}


@pytest.mark.parametrize("action", ["OBSERVE", "DELETE"])
def test_only_an_added_aggregation_packs(action: str) -> None:
    event = {"type": "AggregationEvent", "action": "ADD", "parentID": "urn:p", "childEPCs": ["urn:c"]}
    assert links(event) == {("urn:c", PACKED, "urn:p")}
    assert links(event | {"action": action}) == set()


def test_observing_makes_no_edge_and_sampling_does() -> None:
    event = {
        "type": "ObjectEvent",
        "action": "OBSERVE",
        "epcList": [JAR],
        "quantityList": [{"epcClass": LOT, "quantity": 2, "uom": "KGM"}],
    }
    assert links(event | {"bizStep": "shipping"}) == set()
    assert links(event | {"bizStep": "sampling"}) == {(LOT, SAMPLE, JAR)}


@pytest.mark.parametrize(
    ("name", "whole"),
    [
        (JAR, LOT),
        (LOT, None),
        ("https://id.gs1.org/01/08938505974194/21/7", None),
        ("urn:ocop:lot:12:L01:MAU-01", "urn:ocop:lot:12:L01"),
        ("urn:ocop:lot:12:L01", None),
        ("https://id.gs1.org/00/106141412345678908", None),
    ],
)
def test_a_jar_is_known_by_its_lot(name: str, whole: str | None) -> None:
    assert lot_name_of(name) == whole


def test_a_time_that_is_none_is_refused_in_a_sentence() -> None:
    from data.traceability.things import moment

    assert moment("2026-04-01T08:00:00.1239+07:00") == dt.datetime(2026, 4, 1, 1, 0, 0, 123000, dt.UTC)
    for text in ("2026-04-01", "2026-04-01T08:00:00", "hôm qua", "2026-02-30T00:00:00Z"):
        with pytest.raises(Refusal):
            moment(text)


# ---- taken out


def day(number: float) -> dt.datetime:
    return dt.datetime(2026, 4, 1, tzinfo=dt.UTC) + dt.timedelta(days=number)


def test_what_is_taken_out_bit_by_bit_stays_till_the_last() -> None:
    parts = [Removal(day(2), 2, {1: 30.0}), Removal(day(3), 3, {1: 70.0}), Removal(day(4), 4, None)]
    assert end_of(1, 100.0, (day(1), 1), parts) == day(3)
    assert end_of(1, 101.0, (day(1), 1), parts) == day(4)
    assert end_of(1, None, (day(1), 1), parts) == day(2)
    assert end_of(2, 5.0, (day(1), 1), parts) == day(4)
    assert end_of(1, 100.0, (day(4), 5), parts) is None


# ---- time


class Web:
    """Edges by name and day, followed as a trace follows them."""

    def __init__(self, *told: tuple[str, str, float] | tuple[str, str, float, float | None, str]) -> None:
        self.names: dict[str, int] = {}
        self.edges = []
        for number, (source, target, start, *more) in enumerate(told):
            end, kind = more or (None, MADE)
            self.edges.append(
                Edge(
                    number,
                    self._id(source),
                    self._id(target),
                    str(kind),
                    number,
                    None,
                    None,
                    None,
                    None,
                    day(start),
                    None if end is None else day(float(end)),
                )
            )

    def _id(self, name: str) -> int:
        return self.names.setdefault(name, len(self.names) + 1)

    def flow(self, start: str, *, forward: bool, depth: int = 99, most: int = 999) -> Flow:
        network = Network(self.edges)
        runs = {key for name, key in self.names.items() if name.startswith("run")}
        return follow(network, self._id(start), forward=forward, runs=runs, depth=depth, most_items=most)

    def reached(self, start: str, *, forward: bool, **more: int) -> set[str]:
        found = self.flow(start, forward=forward, **more).depths
        return {n for n, key in self.names.items() if key in found and n != start and not n.startswith("run")}


def test_what_was_added_after_the_output_was_drawn_is_not_in_it() -> None:
    tank = Web(("a", "tank", 1), ("tank", "x", 2), ("b", "tank", 3), ("tank", "y", 4))
    assert tank.reached("x", forward=False) == {"a", "tank"}
    assert tank.reached("y", forward=False) == {"a", "b", "tank"}
    assert tank.reached("b", forward=True) == {"tank", "y"}
    assert tank.reached("a", forward=True) == {"tank", "x", "y"}


def test_a_misdated_link_is_never_lost() -> None:
    chain = Web(("pond", "raw", 9), ("raw", "dried", 5), ("dried", "shop", 1))
    assert chain.reached("shop", forward=False) == {"dried", "raw", "pond"}
    assert chain.reached("pond", forward=True) == {"raw", "dried", "shop"}
    assert len(chain.flow("pond", forward=True).out_of_order) == 2


def test_a_misdated_input_of_a_run_counts_where_it_is_the_only_one() -> None:
    run = Web(("a", "run", 5), ("run", "x", 2))
    assert run.reached("x", forward=False) == {"a"}
    assert run.reached("a", forward=True) == {"x"}


def test_circles_end() -> None:
    rework = Web(("a", "b", 1), ("b", "c", 2), ("c", "a", 3), ("c", "d", 4))
    assert rework.reached("a", forward=True) == {"a", "b", "c", "d"} - {"a"}
    assert rework.reached("d", forward=False) == {"a", "b", "c"}


def test_a_carton_that_is_used_again_does_not_mix_its_loads() -> None:
    crate = Web(
        ("a", "crate", 1, 2, PACKED), ("crate", "pallet1", 1.5, 3, PACKED),
        ("b", "crate", 4, 6, PACKED), ("crate", "pallet2", 5, None, PACKED),
    )  # fmt: skip
    assert crate.reached("a", forward=True) == {"crate", "pallet1"}
    assert crate.reached("b", forward=True) == {"crate", "pallet2"}
    assert crate.reached("pallet2", forward=False) == {"crate", "b"}


def test_packings_within_packings_last_only_together() -> None:
    load = Web(
        ("jar", "carton", 1, 2, PACKED), ("carton", "pallet", 1, 9, PACKED), ("pallet", "truck", 5, 9, PACKED),
    )  # fmt: skip
    assert load.reached("jar", forward=True) == {"carton", "pallet"}
    assert load.reached("truck", forward=False) == {"carton", "pallet"}


def test_what_was_cooked_from_a_carton_is_of_what_lay_in_it_then() -> None:
    carton = Web(("a", "carton", 1, 3, PACKED), ("b", "carton", 4, None, PACKED), ("carton", "soup", 5))
    assert carton.reached("soup", forward=False) == {"carton", "b"}
    assert carton.reached("a", forward=True) == {"carton"}


def test_a_jar_has_what_its_lot_has_unless_it_was_made_by_itself() -> None:
    jars = Web(
        ("a", "lot", 1), ("lot", "jar1", 1, None, PART), ("lot", "jar2", 1, None, PART), ("b", "jar2", 1)
    )
    assert jars.reached("jar1", forward=False) == {"lot", "a"}
    assert jars.reached("jar2", forward=False) == {"b"}
    assert jars.reached("a", forward=True) == {"lot", "jar1"}


def test_depth_and_number_of_things_are_bounded_and_said() -> None:
    chain = Web(*((f"n{i}", f"n{i + 1}", i) for i in range(10)))
    assert chain.reached("n0", forward=True, depth=3) == {"n1", "n2", "n3"}
    assert chain.flow("n0", forward=True, depth=3).truncated
    assert len(chain.reached("n0", forward=True, most=5)) == 4
    assert not chain.flow("n0", forward=True).truncated


# ---- shares


def ways(*told: tuple[int, int, int, float | None, str | None, float | None]) -> list[Way]:
    return [Way(s, t, ("made", making), q, u, out, "KGM") for s, t, making, q, u, out in told]


def test_shares_go_by_quantity_across_units_of_one_kind() -> None:
    parts = of_ways(ways((1, 9, 1, 300, "KGM", 90), (2, 9, 1, 100_000, "GRM", 90)))
    assert [(p.part, p.by_quantity) for p in parts] == [(0.75, True), (0.25, True)]


def test_shares_are_equal_and_said_so_where_units_differ_or_are_not_told() -> None:
    for other in ((100, "LTR"), (None, None)):
        parts = of_ways(ways((1, 9, 1, 300, "KGM", 90), (2, 9, 1, *other, 90)))
        assert [(p.part, p.by_quantity) for p in parts] == [(0.5, False)] * 2


def test_several_makings_of_a_lot_count_by_what_each_brought() -> None:
    parts = of_ways(ways((1, 9, 1, 10, "KGM", 75), (2, 9, 2, 90, "KGM", 25)))
    assert [p.part for p in parts] == [0.75, 0.25]


def test_shares_add_up_over_all_ways_to_a_source() -> None:
    told = ways(
        (2, 1, 1, 50, "KGM", 9), (3, 1, 1, 50, "KGM", 9), (4, 2, 2, 1, "KGM", 9), (4, 3, 3, 1, "KGM", 9),
        (5, 3, 3, 3, "KGM", 9),
    )  # fmt: skip
    found = of_items(1, told, of_ways(told), {1: 0, 2: 1, 3: 1, 4: 2, 5: 2})
    assert {k: v.part for k, v in found.items()} == {1: 1, 2: 0.5, 3: 0.5, 4: 0.625, 5: 0.375}


def test_shares_end_where_things_go_in_a_circle() -> None:
    told = ways(
        (2, 1, 1, 1, "KGM", 1), (3, 2, 2, 1, "KGM", 1), (2, 3, 3, 1, "KGM", 1), (4, 3, 3, 1, "KGM", 1)
    )
    found = of_items(1, told, of_ways(told), {1: 0, 2: 1, 3: 2, 4: 3})
    assert found[2].part == 1 and found[3].part == 1 and found[4].part == 0.5
